"""Nothing secret of any credential is in a log at DEBUG, in an error or in a `repr`."""

import json
import logging
import os
import time
import webbrowser
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import requests

from dev.tenant.description import Tenant
from dev.tenant.server import Options, running
from lkps.credentials import (
    Attended,
    AzureCli,
    AzureCredential,
    ClientCertificate,
    ClientSecret,
    Credential,
    EntraApplication,
    GitHubActions,
    InMemory,
    ManagedIdentity,
    Person,
    WorkloadIdentity,
    by_browser,
    by_device_code,
)
from lkps.errors import LkpsError
from tests.dev.tenant.visiting import Visiting
from tests.sdk.parts.answerer import Told, answering, page
from tests.sdk.parts.az import Az
from tests.sdk.parts.people import type_code
from tests.sdk.parts.tenant import token
from tests.sdk.test_azure_core_credentials import Sync
from tests.sdk.test_managed_identities import of_app_service

HEADER = "the-identity-header"
REQUEST_TOKEN = "the-request-token-of-the-job"
ASSERTION = token(iss="a-platform", sub="a-workload")
ISSUED = token(idtyp="app", roles=["LKPS.Agent"])
ALICE = "alice@lkps.example"


@dataclass
class World:
    """Whom credentials ask, and what of it all is secret."""

    entra: Tenant
    folder: Path
    monkeypatch: pytest.MonkeyPatch
    secrets: set[str] = field(default_factory=set)

    def application(self, name: str = "agent") -> EntraApplication:
        client_id = self.entra.identity(name).client_id
        scope = f"{self.entra.audience}/.default"
        return EntraApplication(self.entra.tenant_id, client_id, scope, self.entra.authority_https)

    def person(self) -> Person:
        scope = f"{self.entra.audience}/Session.Start"
        client_id = self.entra.public_clients["cli"]
        return Person(
            EntraApplication(self.entra.tenant_id, client_id, scope, self.entra.authority_https),
            InMemory(),
        )

    def pem(self, name: str) -> str:
        identity = self.entra.identity(name)
        files = (identity.certificate_file, identity.private_key_file)
        return "".join(Path(one).read_text() for one in files if one)

    def file(self, text: str) -> Path:
        path = self.folder / "file"
        path.write_text(text)
        return path


type Made = AsyncIterator[Credential]


async def client_secret(world: World) -> Made:
    secret = world.entra.identity("agent").client_secret or ""
    world.secrets.add(secret)
    yield ClientSecret(world.application(), secret)
    world.secrets.add("a-wrong-secret")
    yield ClientSecret(world.application(), "a-wrong-secret")


async def certificate(world: World) -> Made:
    pem = world.pem("agent")
    world.secrets.update(line for line in pem.splitlines()[-10:] if "-----" not in line)
    yield ClientCertificate(world.application(), world.file(pem))
    yield ClientCertificate(world.application("client"), world.file(pem))


async def workload_identity(world: World) -> Made:
    """The stand-in trusts none."""
    world.secrets.add(ASSERTION)
    yield WorkloadIdentity(world.application(), world.file(ASSERTION))


async def github(world: World) -> Made:
    world.secrets.update((ASSERTION, REQUEST_TOKEN))
    async with answering(Told(200, {"value": ASSERTION})) as service:
        yield GitHubActions(world.application(), f"{service.url}/token?v=1", REQUEST_TOKEN)
        service.answer = Told(403, {"message": REQUEST_TOKEN})
        yield GitHubActions(world.application(), f"{service.url}/token?v=1", REQUEST_TOKEN)


async def managed_identity(world: World) -> Made:
    world.secrets.update((HEADER, ISSUED))
    async with answering(of_app_service(ISSUED)) as endpoint:
        world.monkeypatch.setenv("IDENTITY_ENDPOINT", f"{endpoint.url}/msi/token")
        world.monkeypatch.setenv("IDENTITY_HEADER", HEADER)
        yield ManagedIdentity("api/.default")
        for answer in (page(200), Told(400, {"statusCode": 400, "message": ISSUED}), Told(200, [])):
            endpoint.answer = answer
            yield ManagedIdentity("api/.default")


async def virtual_machine(world: World) -> Made:
    world.secrets.add(ISSUED)
    for name in ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"):
        world.monkeypatch.delenv(name, raising=False)
    issued = Told(200, {"access_token": ISSUED, "expires_in": "86399", "token_type": "Bearer"})
    async with answering(issued) as imds:
        world.monkeypatch.setenv("AZURE_POD_IDENTITY_AUTHORITY_HOST", imds.url)
        yield ManagedIdentity("api/.default", "a-client-id")
        imds.answer = Told(200, f"token: {ISSUED}")
        yield ManagedIdentity("api/.default")


async def azure_cli(world: World) -> Made:
    world.secrets.add(ISSUED)
    az = Az(world.folder / "bin")
    world.monkeypatch.setenv("PATH", f"{az.folder}{os.pathsep}{os.environ['PATH']}")
    az.issues(ISSUED, time.time() + 3600)
    yield AzureCli("api/.default")
    az.answers(f"token: {ISSUED}", f"DEBUG: {ISSUED}", 1)
    yield AzureCli("api/.default")
    az.answers(f"token: {ISSUED}")
    yield AzureCli("api/.default")


async def azure_core(world: World) -> Made:
    world.secrets.add(ISSUED)
    yield AzureCredential(Sync(issues=[ISSUED]), "api/.default")
    yield AzureCredential(Sync(error=RuntimeError(ISSUED)), "api/.default")


async def device_code(world: World) -> Made:
    announced = by_device_code(lambda text: type_code(world.entra, text, username=ALICE))
    credential = Attended(world.person(), announced)
    yield credential
    world.secrets.update(kept_by(credential.person))
    declined = by_device_code(lambda text: type_code(world.entra, text, declined="true"))
    yield Attended(world.person(), declined)


async def browser(world: World) -> Made:
    world.monkeypatch.setenv("BROWSER", "visiting")
    world.monkeypatch.setattr(webbrowser, "_tryorder", [])
    with requests.Session() as session, ThreadPoolExecutor() as threads:
        session.trust_env, session.verify = False, world.entra.ca_file
        webbrowser.register("visiting", None, Visiting(session, threads), preferred=True)
        credential = Attended(world.person(), by_browser(lambda _: None, ALICE))
        yield credential
        world.secrets.update(kept_by(credential.person))


def kept_by(person: Person) -> set[str]:
    """The secrets in its memory."""
    kept = json.loads(person.cache.opened.serialize())
    return {one["secret"] for kind in kept.values() for one in kind.values() if "secret" in one}


MODES: list[Callable[[World], Made]] = [
    client_secret,
    certificate,
    workload_identity,
    github,
    managed_identity,
    virtual_machine,
    azure_cli,
    azure_core,
    device_code,
    browser,
]


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tenant")


@pytest.fixture
async def world(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    async with running(Options(state)) as entra:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", entra.ca_file)
        yield World(entra, tmp_path, monkeypatch)


async def said_of(asked: Awaitable[str]) -> tuple[str, str]:
    """A token, and what the error says in place of one."""
    try:
        return await asked, ""
    except LkpsError as error:
        return "", str(error)


@pytest.mark.parametrize("mode", MODES, ids=lambda mode: mode.__name__)
async def test_nothing_secret_is_told(
    world: World, caplog: pytest.LogCaptureFixture, mode: Callable[[World], Made]
) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[str] = []
    async for credential in mode(world):
        issued, error = await said_of(credential.access_token())
        world.secrets.update(filter(None, (issued, *issued.split(".")[2:])))
        told += [error, repr(credential), str(credential)]
    told += [f"{record.getMessage()} {vars(record)} {record.exc_text}" for record in caplog.records]

    assert any(told)
    assert world.secrets
    for secret in world.secrets:
        assert [one for one in told if secret in one] == []
