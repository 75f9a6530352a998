"""People sign in with a device code or a browser, and the program goes on without asking them."""

import asyncio
import webbrowser
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest
import requests

from dev.tenant.description import Tenant
from dev.tenant.server import Options, running
from lkps.credentials import (
    Attended,
    EntraApplication,
    InMemory,
    NotSignedIn,
    Person,
    by_browser,
    by_device_code,
)
from lkps.credentials.person import SignIn
from lkps.errors import CredentialError, Unavailable
from tests.dev.tenant.visiting import Visiting
from tests.sdk.parts.people import type_code
from tests.sdk.parts.ports import free_port

ALICE = "alice@lkps.example"


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tenant")


@pytest.fixture
async def entra(state: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Tenant]:
    async with running(Options(state)) as entra:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", entra.ca_file)
        yield entra


def person(entra: Tenant, scope: str = "Agent.Register", client: str = "cli") -> Person:
    application = EntraApplication(
        entra.tenant_id,
        entra.public_clients[client],
        f"{entra.audience}/{scope}",
        entra.authority_https,
    )
    return Person(application, InMemory())


def claims(token: str) -> dict[str, Any]:
    return dict(jwt.decode(token, options={"verify_signature": False}))


def typing(entra: Tenant, told: list[str], **choice: str) -> SignIn:
    """Whoever is told the code types it at once."""

    def announce(text: str) -> None:
        told.append(text)
        type_code(entra, text, **(choice or {"username": ALICE}))

    return by_device_code(announce)


async def test_a_person_types_a_code_once_and_is_asked_for_one_scope(entra: Tenant) -> None:
    told: list[str] = []
    credential = Attended(person(entra), typing(entra, told))

    first, second = await credential.access_token(), await credential.access_token()

    assert first == second
    assert len(told) == 1
    assert claims(first)["oid"] == entra.identity("alice").object_id
    assert claims(first)["scp"] == "Agent.Register"


async def test_who_waits_for_the_same_person_gets_their_token(entra: Tenant) -> None:
    told: list[str] = []
    credential = Attended(person(entra), typing(entra, told))
    tokens = await asyncio.gather(*(credential.access_token() for _ in range(4)))
    assert (len(set(tokens)), len(told)) == (1, 1)


async def test_a_person_who_declines_is_asked_again_when_a_token_is(entra: Tenant) -> None:
    told: list[str] = []
    credential = Attended(person(entra), typing(entra, told, declined="true"))
    for asked in (1, 2):
        with pytest.raises(CredentialError, match="the sign-in was declined"):
            await credential.access_token()
        assert len(told) == asked


async def test_a_code_that_nobody_types_is_said_to_have_been_over(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(Options(state, device_code_lifetime=0)) as entra:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", entra.ca_file)
        credential = Attended(person(entra), by_device_code(lambda _: None))
        with pytest.raises(CredentialError, match="nobody signed in with the code in time"):
            await credential.access_token()


async def test_a_token_near_its_end_is_renewed_without_the_person(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    async with running(Options(state, token_lifetime=120)) as entra:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", entra.ca_file)
        credential = Attended(person(entra), typing(entra, told))
        tokens = {await credential.access_token() for _ in range(3)}
    assert (len(tokens), len(told)) == (3, 1)


async def test_a_person_whom_entra_forgot_signs_in_again(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    options = Options(state, free_port(), free_port(), token_lifetime=120)
    async with running(options) as entra:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", entra.ca_file)
        credential = Attended(person(entra), typing(entra, told))
        await credential.access_token()
    async with running(options):  # its memory is gone
        with pytest.raises(NotSignedIn, match="Sign in again"):
            await credential.person.access_token()
    async with running(replace(options, token_lifetime=None)):
        assert claims(await credential.access_token())["scp"] == "Agent.Register"
    assert len(told) == 2


async def test_a_client_that_may_not_sign_people_in_says_what_to_change(entra: Tenant) -> None:
    application = EntraApplication(
        entra.tenant_id,
        entra.identity("client").client_id,
        f"{entra.audience}/Session.Start",
        entra.authority_https,
    )
    credential = Attended(Person(application, InMemory()), by_device_code(lambda _: None))
    with pytest.raises(CredentialError, match="have public client flows allowed"):
        await credential.access_token()


async def test_nobody_waits_for_a_person_when_the_program_ends(entra: Tenant) -> None:
    told: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def announce(text: str) -> None:
        loop.call_soon_threadsafe(told.put_nowait, text)

    waiting = asyncio.create_task(Attended(person(entra), by_device_code(announce)).access_token())
    text = await told.get()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await asyncio.to_thread(type_code, entra, text, username=ALICE)  # so that the thread ends


async def test_an_entra_that_is_away_is_no_reason_to_sign_in(entra: Tenant) -> None:
    application = EntraApplication(
        entra.tenant_id, entra.public_clients["cli"], "api/x", "https://127.0.0.1:1"
    )
    told: list[str] = []
    credential = Attended(Person(application, InMemory()), typing(entra, told))
    with pytest.raises(Unavailable, match="Entra ID cannot be reached"):
        await credential.access_token()
    assert told == []


@pytest.fixture
def browser(entra: Tenant, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visiting]:
    monkeypatch.setenv("BROWSER", "visiting")
    monkeypatch.setattr(webbrowser, "_tryorder", [])
    with requests.Session() as session, ThreadPoolExecutor() as threads:
        session.trust_env, session.verify = False, entra.ca_file
        visiting = Visiting(session, threads)
        webbrowser.register("visiting", None, visiting, preferred=True)
        yield visiting


async def test_a_person_signs_in_with_the_browser_once(entra: Tenant, browser: Visiting) -> None:
    credential = Attended(person(entra, "Session.Start"), by_browser(lambda _: None, ALICE))

    first, second = await credential.access_token(), await credential.access_token()

    assert first == second
    assert claims(first)["scp"] == "Session.Start"
    assert len(browser.visits) == 1


async def test_a_sign_in_is_not_shown(entra: Tenant) -> None:
    told: list[str] = []
    credential = Attended(person(entra), typing(entra, told))
    token = await credential.access_token()
    assert token not in repr(credential)
    assert token.rpartition(".")[2] not in repr(credential.person)
