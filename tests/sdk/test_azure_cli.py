"""The Azure CLI's login, with a stand-in for `az` on the path."""

import os
import time
from datetime import datetime
from pathlib import Path

import psutil
import pytest

from lkps.credentials import AzureCli
from lkps.errors import ConfigurationError, CredentialError, LkpsError, Unavailable
from tests.sdk.parts.az import Az
from tests.sdk.parts.tenant import token

SCOPE = "api-of-lkps/.default"
TOKEN = "the-token-of-whoever-signed-in"


@pytest.fixture
def az(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Az:
    az = Az(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{az.folder}{os.pathsep}{os.environ['PATH']}")
    az.issues(TOKEN, time.time() + 3600)
    return az


async def test_its_token_is_asked_for_once(az: Az) -> None:
    credential = AzureCli(SCOPE, "a-tenant")

    assert [await credential.access_token() for _ in range(3)] == [TOKEN] * 3
    asked = ["account", "get-access-token", "--output", "json", "--scope", SCOPE]
    assert az.asked == [[*asked, "--tenant", "a-tenant"]]


async def test_a_token_near_its_end_is_asked_for_anew(az: Az) -> None:
    az.issues(TOKEN, time.time() + 100)
    credential = AzureCli(SCOPE)
    await credential.access_token()
    az.issues("the-next", time.time() + 3600)

    assert await credential.access_token() == "the-next"
    assert len(az.asked) == 2


async def test_an_older_az_says_the_end_in_local_time(az: Az) -> None:
    ends = datetime.fromtimestamp(time.time() + 3600)  # noqa: DTZ006  as it does
    az.answers({"accessToken": TOKEN, "expiresOn": f"{ends:%Y-%m-%d %H:%M:%S.%f}"})
    credential = AzureCli(SCOPE)

    assert await credential.access_token() == await credential.access_token() == TOKEN
    assert len(az.asked) == 1


async def test_a_token_without_roles_is_replaced_once(az: Az) -> None:
    az.issues(token(idtyp="app"), time.time() + 3600)
    await AzureCli(SCOPE).access_token()
    assert len(az.asked) == 2


async def test_a_persons_token_needs_no_roles(az: Az) -> None:
    az.issues(token(idtyp="user", scp="Agent.Register"), time.time() + 3600)
    await AzureCli(SCOPE).access_token()
    assert len(az.asked) == 1


@pytest.mark.parametrize(
    ("err", "kind", "said"),
    [
        ("ERROR: Please run 'az login' to setup account.", CredentialError, "az login signs in"),
        (
            "ERROR: AADSTS65001: The user or administrator has not consented. Trace ID: 1",
            CredentialError,
            "nobody consented to the application's use of LKPS's API",
        ),
        (
            "ERROR: AADSTS700082: The refresh token has expired.\nTo re-authenticate: az login",
            CredentialError,
            "Sign in again",
        ),
        (
            "HTTPSConnectionPool(host='login.microsoftonline.com'): Max retries exceeded with url",
            Unavailable,
            "cannot reach Entra ID",
        ),
        ("Traceback (most recent call last)", CredentialError, r"\(exit code 3\)"),
    ],
    ids=["signed-out", "consent", "expired", "network", "else"],
)
async def test_what_az_says_is_told_with_what_to_do(
    az: Az, err: str, kind: type[LkpsError], said: str
) -> None:
    az.answers(TOKEN, err, 3)
    with pytest.raises(kind, match=said) as caught:
        await AzureCli(SCOPE).access_token()
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("out", ["", "[]", "{}", f"{TOKEN}", f'{{"accessToken": "{TOKEN}"}}'])
async def test_an_answer_that_is_none_is_not_shown(az: Az, out: str) -> None:
    az.answers(out)
    with pytest.raises(CredentialError, match="something else than a token") as caught:
        await AzureCli(SCOPE).access_token()
    assert caught.value.__suppress_context__


async def test_an_az_that_hangs_is_ended_with_all_that_it_started(az: Az) -> None:
    az.answers(hangs=True)
    with pytest.raises(Unavailable, match="did not answer within 1 s"):
        await AzureCli(SCOPE, seconds=1.0).access_token()
    assert [one for one in psutil.process_iter(["cmdline"]) if is_of(one, az)] == []


def is_of(process: psutil.Process, az: Az) -> bool:
    ended = process.status() == psutil.STATUS_ZOMBIE
    return not ended and str(az.folder / "az") in (process.info["cmdline"] or ())


@pytest.mark.parametrize(
    ("api", "tenant"), [("api & calc.exe", ""), ("api", "a;b"), ("api", "%X%")]
)
async def test_nothing_that_a_shell_would_read_is_handed_to_it(
    az: Az, api: str, tenant: str
) -> None:
    with pytest.raises(ConfigurationError, match="neither a scope nor a tenant"):
        await AzureCli(f"{api}/.default", tenant).access_token()
    assert az.asked == []


async def test_an_az_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="not on the PATH"):
        await AzureCli(SCOPE).access_token()
