"""Refusals of Entra ID: what is wrong and how to mend it, by the code that Entra ID gives.

Microsoft: "Microsoft Entra authentication and authorization error codes". They may change: nothing
but the wording depends on them.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from lkps.clocks import clock_error

_CODE = re.compile(r"AADSTS(\d+)")
_OUT_OF_TIME = frozenset({"700024", "500133"})

_ITS_VALUE = "and set AZURE_CLIENT_SECRET to its value, not to its id"
_NO_APPLICATION = (
    "the tenant has no such application. Look at AZURE_CLIENT_ID (people's: LKPS_CLI_CLIENT_ID)"
    " and AZURE_TENANT_ID"
)
_NO_TENANT = "there is no such tenant. Look at AZURE_TENANT_ID"
_NO_API = (
    "the tenant has no such API. Look at LKPS_API_CLIENT_ID, or have an Entra administrator add"
    " LKPS's API to the tenant"
)
_NO_SCOPE = "LKPS's API has no such scope. Look at LKPS_API_CLIENT_ID"
_NOT_FEDERATED = (
    "the application trusts no such workload. Have a federated credential added to it, with the"
    " issuer, subject and audience of the workload's token"
)
_NO_CONSENT = (
    "nobody consented to the application's use of LKPS's API. Have an Entra administrator grant"
    " admin consent"
)
_NOT_ASSIGNED = (
    "it is not assigned to LKPS's API. Have an Entra administrator assign it one of its roles"
)
_NO_USER = "the tenant has no such user. Sign in with an account of the tenant"
_DISABLED = "the application is disabled. Have an Entra administrator enable it"
_AGAIN = "the sign-in is over. Sign in again: lkps login, or az login where the Azure CLI asks"
_SECOND_FACTOR = (
    "it wants a second factor. Sign in again: lkps login, or az login where the Azure CLI asks"
)
_POLICY = "a Conditional Access policy forbids it. Ask an Entra administrator which one"
_TOO_LATE = "nobody signed in with the code in time. Start again"
_ASSERTION_OUT_OF_TIME = (
    "the proof of who calls has expired, or is not valid yet. Look at the clock of this machine, or"
    " at the workload's token"
)

_EXPLAINED = {
    "7000215": f"the client secret is wrong. Look it up, {_ITS_VALUE}",
    "7000222": f"the client secret has expired. Make another, {_ITS_VALUE}",
    "700016": _NO_APPLICATION,
    "700011": _NO_APPLICATION,
    "7000112": _DISABLED,
    "70001": _DISABLED,
    "90002": _NO_TENANT,
    "900023": _NO_TENANT,
    "500011": _NO_API,
    "50001": _NO_API,
    "70011": _NO_SCOPE,
    "650053": _NO_SCOPE,
    "700027": (
        "the application has no such certificate. Look at AZURE_CLIENT_CERTIFICATE_PATH, or have"
        " the certificate added to the application"
    ),
    "700024": _ASSERTION_OUT_OF_TIME,
    "500133": _ASSERTION_OUT_OF_TIME,
    "70021": _NOT_FEDERATED,
    "700211": _NOT_FEDERATED,
    "700212": _NOT_FEDERATED,
    "700213": _NOT_FEDERATED,
    "700025": "the application is a public client, and has no secret. Look at AZURE_CLIENT_ID",
    "7000218": (
        "people cannot sign in through this application. Look at LKPS_CLI_CLIENT_ID, or have public"
        " client flows allowed for it"
    ),
    "65001": _NO_CONSENT,
    "650057": _NO_CONSENT,
    "501051": _NOT_ASSIGNED,
    "50105": _NOT_ASSIGNED,
    "50034": _NO_USER,
    "50020": _NO_USER,
    "50057": "the user's account is disabled. Ask an Entra administrator",
    "50076": _SECOND_FACTOR,
    "50079": _SECOND_FACTOR,
    "53000": _POLICY,
    "53001": _POLICY,
    "53003": _POLICY,
    "50173": _AGAIN,
    "70000": _AGAIN,
    "70008": _AGAIN,
    "70043": _AGAIN,
    "700082": _AGAIN,
    "70016": _TOO_LATE,
    "70019": _TOO_LATE,
    "70020": _TOO_LATE,
    "65004": "the sign-in was declined. Start again, and accept it",
}


def refusal(answer: Mapping[str, Any], date: str) -> str:
    """One line about MSAL's answer; Entra ID's own words when nothing better is known.

    `date` is the answer's, which tells whether this machine's clock is the reason.
    """
    said = str(answer.get("error_description", ""))
    if known := explained(said, date):
        return f"Entra ID issues no access token: {known}"
    first = said.partition("\n")[0].strip()
    return f"Entra ID issues no access token ({answer.get('error')}): {first}"


def explained(said: str, date: str = "") -> str:
    """Of whatever text that has codes of Entra ID; empty when none of them is known."""
    return next(_explanations(_CODE.findall(said), date), "")


def _explanations(codes: list[str], date: str) -> Iterator[str]:
    for code in codes:
        reason = _EXPLAINED.get(code)
        if code in _OUT_OF_TIME:
            reason = clock_error(date, datetime.now(UTC)) or reason
        if reason:
            yield f"{reason} (AADSTS{code})"
