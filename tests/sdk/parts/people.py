"""People who sign in to the stand-in tenant, as the browser on their desk or phone does it."""

import re

import requests

from dev.tenant.description import Tenant


def type_code(tenant: Tenant, said: str, **choice: str) -> None:
    """Of the person who was told where to go and which code to type there."""
    found = re.search(r"open the page (\S+) and enter the code (\S+) to", said)
    assert found is not None, said
    with requests.Session() as browser:
        browser.trust_env, browser.verify = False, tenant.ca_file
        browser.post(found[1], {"user_code": found[2], **choice}, timeout=30).raise_for_status()
