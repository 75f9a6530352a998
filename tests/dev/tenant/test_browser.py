"""The browser without a screen signs in for programs that open the one of their environment."""

import asyncio
import sys
from urllib.parse import urlencode

import pytest
import requests

from dev.platform.environment import bare_environment
from dev.tenant.browser import ChoiceNeeded, visit
from dev.tenant.description import Tenant
from tests.dev.tenant.code_flow import CodeFlow

PROGRAM = """
import os
import msal

client = msal.PublicClientApplication(
    os.environ["CLIENT_ID"], authority=os.environ["AUTHORITY"], instance_discovery=False
)
answer = client.acquire_token_interactive(
    [os.environ["SCOPE"]], login_hint="carol@lkps.example", timeout=30
)
print(answer["id_token_claims"]["preferred_username"])
"""


async def test_a_program_signs_in(tenant: Tenant) -> None:
    environment = {
        "BROWSER": f"{sys.executable} -m dev.tenant.browser %s &",
        "REQUESTS_CA_BUNDLE": tenant.ca_file,
        "CLIENT_ID": tenant.public_clients["cli"],
        "AUTHORITY": f"{tenant.authority_https}/{tenant.tenant_id}",
        "SCOPE": f"api://{tenant.audience}/.default",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PROGRAM),
        env=bare_environment() | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    printed, errors = await process.communicate()
    assert (process.returncode, printed.decode()) == (0, "carol@lkps.example\n"), errors.decode()


async def test_it_chooses_nobody(flow: CodeFlow, trusting: requests.Session) -> None:
    link = f"{flow.endpoint}?{urlencode(flow.query(login_hint=None))}"
    with pytest.raises(ChoiceNeeded, match="login_hint"):
        await asyncio.to_thread(visit, link, trusting)
