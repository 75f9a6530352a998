"""Two hundred agents that start, renew or fail at one moment do not come back at one moment."""

import logging
from collections import Counter
from dataclasses import dataclass, field

import pytest

from lkps.client import AgentDescription, Registration, Renewal
from lkps.errors import LkpsError, Unavailable
from lkps.lease import Lease
from tests.sdk.parts.registrar import MemoryRegistrar, MovedClock
from tests.sdk.parts.simulation import Simulation

AGENTS = 200
AGENT = AgentDescription("concierge")
AWAY = Unavailable("LKPS cannot be reached")
OUTAGE = (100.0, 100.0 + 3600.0)


@dataclass
class Watched(MemoryRegistrar):
    """`asked` are the seconds at which it was called; it fails while `away` says so."""

    simulation: Simulation = field(default_factory=Simulation)
    away: LkpsError | None = None
    asked: list[float] = field(default_factory=list)

    async def register(self, agent: AgentDescription) -> Registration:
        self._note()
        return await super().register(agent)

    async def renew(self, registration_id: str, **held: object) -> Renewal:
        self._note()
        return await super().renew(registration_id, **held)  # type: ignore[arg-type]

    def _note(self) -> None:
        self.asked.append(self.simulation.seconds)
        if self.away is not None:
            raise self.away


def leases_in(simulation: Simulation) -> list[tuple[Lease, Watched]]:
    lkps = [Watched(MovedClock(), simulation=simulation) for _ in range(AGENTS)]
    clock = simulation.clock()
    return [(Lease(one, AGENT, changed=_never, clock=clock), one) for one in lkps]


def _never(_: Registration) -> None:
    raise AssertionError("the connection was touched")


@pytest.mark.parametrize(
    ("failures", "least", "most"),
    [
        ([], 48, 60),
        ([AWAY], 1, 2),
        ([AWAY] * 6, 15, 30),
        ([Unavailable("busy", retry_after=20)], 20, 40),
        ([Unavailable("busy", retry_after=3600)], 300, 330),
    ],
    ids=["renewal", "first retry", "sixth retry", "Retry-After", "an absurd Retry-After"],
)
async def test_agents_spread_evenly_over_the_documented_window(
    failures: list[LkpsError], least: float, most: float
) -> None:
    simulation = Simulation()
    leases = leases_in(simulation)
    for lease, lkps in leases:
        await lease.open()
        lkps.failures = [*failures]
    attempts = 2 + len(failures)
    await simulation.run(until=400)

    gaps = [lkps.asked[attempts - 1] - lkps.asked[attempts - 2] for _, lkps in leases]
    tenths = Counter(int((gap - least) / (most - least) * 10) for gap in gaps)
    assert least <= min(gaps) <= max(gaps) <= most
    assert len(tenths) == 10
    assert max(tenths.values()) <= 2 * AGENTS / 10
    for lease, _ in leases:
        await lease.close()


async def test_an_outage_of_an_hour_ends_without_a_stampede_and_is_told_twice(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "lkps")
    simulation = Simulation()
    leases = leases_in(simulation)
    for lease, _ in leases:
        await lease.open()
    begins, ends = OUTAGE
    await simulation.run(until=begins)
    for _, lkps in leases:
        lkps.away = AWAY
    await simulation.run(until=ends)
    for _, lkps in leases:
        lkps.away = None
    await simulation.run(until=ends + 40)

    first_after = [next(at for at in lkps.asked if at >= ends) for _, lkps in leases]
    seconds = Counter(int(at - ends) for at in first_after)
    assert max(first_after) <= ends + 30
    assert max(seconds.values()) <= 25
    for _, lkps in leases:
        assert sum(begins <= at < ends for at in lkps.asked) <= 3600 / 15 + 5
    assert Counter(record.levelname for record in caplog.records) == {
        "WARNING": AGENTS,
        "INFO": AGENTS,
    }
    for lease, _ in leases:
        await lease.close()
