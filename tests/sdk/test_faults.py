"""A lease when LKPS, the gateway, DNS or Entra ID fails: real HTTP, and a clock that is moved."""

import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from lkps import client as lkps_client
from lkps.client import AgentDescription, LkpsClient, Registration
from lkps.credentials import ClientSecret, Credential, EntraApplication
from lkps.errors import CredentialError, Refused
from lkps.lease import Lease
from lkps.retries import Clock
from tests.sdk.parts.answerer import PREFIX, Answerer, Fate, Told, answering, page, problem
from tests.sdk.parts.registrar import MovedClock
from tests.sdk.parts.tenant import (
    CLIENT_ID,
    CLIENT_SECRET,
    TENANT_ID,
    TenantDouble,
    refused,
    token,
)
from tests.sdk.parts.waiting import eventually
from tests.sdk.test_client import REGISTERED, StaticCredential

LKPS_HOST = "lkps.invalid"
ATTEMPTS_OF_AN_HOUR = 245


@dataclass
class Network:
    """DNS of the tests: `lost` are the ports whose addresses cannot be found."""

    resolve: Callable[..., Any]
    lost: set[int] = field(default_factory=set)

    def getaddrinfo(self, host: Any, port: Any, *others: Any, **options: Any) -> Any:  # noqa: ANN401
        if port in self.lost:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        known = "127.0.0.1" if host == LKPS_HOST else host
        return self.resolve(known, port, *others, **options)


class Bench:
    """A lease that calls `answerer` by its name; time goes on as often as `naps` are allowed."""

    def __init__(self, answerer: Answerer, credential: Credential) -> None:
        self.answerer = answerer
        self.clock = MovedClock()
        self.changes: list[Registration] = []
        self.client = LkpsClient(f"http://{LKPS_HOST}:{answerer.port}{PREFIX}", credential)
        clock = Clock(now=self.clock.now, sleep=self.clock.sleep, chance=lambda: 0.0)
        agent = AgentDescription("concierge")
        self.lease = Lease(self.client, agent, changed=self.changes.append, clock=clock)

    async def after(self, naps: int) -> None:
        self.clock.allow(naps - len(self.clock.slept))
        await eventually(lambda: len(self.clock.slept) == naps, 60)

    async def close(self) -> None:
        await self.lease.close()
        await self.client.aclose()


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    network = Network(socket.getaddrinfo)
    monkeypatch.setattr(socket, "getaddrinfo", network.getaddrinfo)
    monkeypatch.setenv("no_proxy", "*")
    return network


@pytest.fixture
async def answerer() -> AsyncIterator[Answerer]:
    async with answering(Told(200, REGISTERED)) as answerer:
        yield answerer


@pytest.fixture
async def bench(network: Network, answerer: Answerer) -> AsyncIterator[Bench]:
    bench = Bench(answerer, StaticCredential())
    yield bench
    await bench.close()


@pytest.fixture
def secret(tenant: TenantDouble, monkeypatch: pytest.MonkeyPatch) -> ClientSecret:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tenant.ca_file))
    application = EntraApplication(TENANT_ID, CLIENT_ID, "api/.default", tenant.authority)
    return ClientSecret(application, CLIENT_SECRET)


@pytest.fixture
async def entra_bench(
    network: Network, answerer: Answerer, secret: ClientSecret
) -> AsyncIterator[Bench]:
    bench = Bench(answerer, secret)
    yield bench
    await bench.close()


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level("INFO", "lkps")
    return caplog


def levels(told: pytest.LogCaptureFixture, logger: str = "lkps") -> list[str]:
    issued = "Entra ID issued an access token"
    return [one.levelname for one in told.records if one.name == logger and one.message != issued]


FAULTS: list[tuple[str, Fate, list[float], str]] = [
    ("503 with Retry-After", problem(503, "busy", 20), [20, 20, 20], "503 busy"),
    ("500 with a page", page(500), [1, 2, 4], "500 unknown"),
    ("429 with Retry-After", problem(429, "rate_limited", 7), [7, 7, 7], "429 rate_limited"),
    ("429 with an absurd one", problem(429, "rate_limited", 86400), [300] * 3, "429 rate_limited"),
    ("hanging", "hang", [1, 2, 4], "TimeoutError"),
    ("cut", "cut", [1, 2, 4], "ServerDisconnectedError"),
]


@pytest.mark.parametrize(
    ("fate", "pauses", "said"), [one[1:] for one in FAULTS], ids=[one[0] for one in FAULTS]
)
async def test_a_lease_backs_off_as_documented_says_so_once_and_heals(
    bench: Bench,
    told: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    fate: Fate,
    pauses: list[float],
    said: str,
) -> None:
    monkeypatch.setattr(lkps_client, "_SECONDS", 0.5)
    await bench.lease.open()
    bench.answerer.fates = [fate] * 3
    await bench.after(naps=4)
    await eventually(lambda: levels(told) == ["WARNING", "INFO"])

    assert bench.clock.slept == [60, *pauses]
    assert said in told.messages[0]
    assert bench.changes == []


async def test_a_name_that_cannot_be_resolved_is_an_lkps_that_is_away(
    bench: Bench, network: Network, told: pytest.LogCaptureFixture
) -> None:
    await bench.lease.open()
    network.lost = {bench.answerer.port}
    await bench.client._api.aclose()  # no connection is left open
    bench.client._api._session = None
    await bench.after(naps=3)
    await eventually(lambda: levels(told) == ["WARNING"])
    network.lost = set()
    await bench.after(naps=5)
    await eventually(lambda: levels(told) == ["WARNING", "INFO"])

    assert bench.clock.slept[:3] == [60, 1, 2]
    assert f"LKPS cannot be reached at {LKPS_HOST}" in told.messages[0]
    assert bench.changes == []


async def test_an_hour_without_lkps_is_one_warning_and_a_bounded_number_of_requests(
    bench: Bench, told: pytest.LogCaptureFixture
) -> None:
    await bench.lease.open()
    bench.answerer.fates = [page(502)] * ATTEMPTS_OF_AN_HOUR
    await bench.after(naps=1 + ATTEMPTS_OF_AN_HOUR)
    await eventually(lambda: levels(told) == ["WARNING", "INFO"])

    assert sum(bench.clock.slept[1:]) >= 3600
    assert len(bench.answerer.requests) == 1 + ATTEMPTS_OF_AN_HOUR + 1
    assert bench.changes == []


async def test_an_hour_without_entra_is_one_warning_and_a_bounded_number_of_attempts(
    entra_bench: Bench, tenant: TenantDouble, network: Network, told: pytest.LogCaptureFixture
) -> None:
    tenant.valid_seconds = 60
    await entra_bench.lease.open()
    asked = len(tenant.requests)
    network.lost = {int(tenant.authority.rpartition(":")[2])}
    await entra_bench.after(naps=ATTEMPTS_OF_AN_HOUR)
    network.lost = set()
    await entra_bench.after(naps=ATTEMPTS_OF_AN_HOUR + 2)
    await eventually(lambda: levels(told) == ["WARNING", "INFO"])

    assert sum(entra_bench.clock.slept) >= 3600
    assert len(tenant.requests) - asked <= 3
    assert "Entra ID cannot be reached" in " ".join(told.messages)
    assert entra_bench.changes == []


async def test_a_refusal_of_entra_is_explained_once_and_asked_about_ever_later(
    entra_bench: Bench, tenant: TenantDouble, told: pytest.LogCaptureFixture
) -> None:
    tenant.valid_seconds = 60
    await entra_bench.lease.open()
    asked = len(tenant.requests)
    tenant.answers = [refused(7000222)] * 6
    await entra_bench.after(naps=7)
    await eventually(lambda: levels(told) == ["WARNING", "INFO"])

    assert entra_bench.clock.slept[1:] == [1, 2, 4, 8, 15, 15]
    assert len(tenant.requests) - asked == 7
    (warning,) = [one.message for one in told.records if one.levelname == "WARNING"]
    assert "the client secret has expired" in warning


async def test_a_refusal_of_entra_at_the_start_is_an_error_at_once(
    entra_bench: Bench, tenant: TenantDouble
) -> None:
    tenant.answers = [refused(7000222)]

    with pytest.raises(CredentialError, match="the client secret has expired"):
        await entra_bench.lease.open()

    assert len(tenant.requests) == 1
    assert entra_bench.clock.slept == []


async def test_a_token_without_roles_is_replaced_once_and_then_a_clear_error(
    entra_bench: Bench, tenant: TenantDouble
) -> None:
    tenant.tokens = [token(idtyp="app", jti=str(one)) for one in range(9)]
    entra_bench.answerer.answer = problem(403, "permission_lacking")

    for _ in range(3):
        with pytest.raises(Refused, match="Ask an Entra administrator for it"):
            await entra_bench.lease.open()

    assert len(tenant.requests) == 2
    assert len(entra_bench.answerer.requests) == 3
