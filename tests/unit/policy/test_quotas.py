"""Session starts a minute, by application and by user."""

from dataclasses import dataclass, field, replace

import pytest

from lkps_core.errors import RateLimited
from lkps_core.identity.principal import Principal
from lkps_core.policy.model import PlatformLimits
from lkps_core.policy.quotas import CALLERS, WINDOW, Quotas
from tests.builders.lkps import guid
from tests.unit.policy.parts.policies import ALICE, APPLICATION, BOB, OTHER_AZP

FEW = PlatformLimits(starts_per_minute_per_application=3, starts_per_minute_per_user=2)


@dataclass
class Gate:
    """Quotas, and the time by which they count."""

    time: float = 1000.0
    limits: PlatformLimits = FEW
    quotas: Quotas = field(init=False)

    def __post_init__(self) -> None:
        self.quotas = Quotas(lambda: self.time)

    def admits(self, caller: Principal) -> bool:
        try:
            self.quotas.admit(caller, self.limits)
        except RateLimited:
            return False
        return True

    def refusal(self, caller: Principal) -> RateLimited:
        with pytest.raises(RateLimited) as refused:
            self.quotas.admit(caller, self.limits)
        return refused.value


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_an_application_starts_as_many_a_minute_as_the_limit_says(gate: Gate) -> None:
    assert [gate.admits(APPLICATION) for _ in range(5)] == [True] * 3 + [False] * 2


def test_a_user_starts_as_many_a_minute_as_the_limit_says(gate: Gate) -> None:
    assert [gate.admits(ALICE) for _ in range(4)] == [True] * 2 + [False] * 2


@pytest.mark.parametrize(
    ("caller", "most"), [(APPLICATION, 1200), (ALICE, 60)], ids=["application", "user"]
)
def test_the_defaults_are_1200_by_application_and_60_by_user(
    gate: Gate, caller: Principal, most: int
) -> None:
    gate.limits = PlatformLimits()
    assert [gate.admits(caller) for _ in range(most + 1)] == [True] * most + [False]


def test_the_starts_of_its_users_count_for_the_application(gate: Gate) -> None:
    assert gate.admits(ALICE)
    assert gate.admits(BOB)
    assert gate.admits(APPLICATION)
    assert gate.refusal(BOB).reason == "starts_per_minute_per_application"


def test_a_user_is_one_user_through_whichever_application(gate: Gate) -> None:
    assert gate.admits(ALICE)
    assert gate.admits(replace(ALICE, azp=OTHER_AZP))
    assert (
        gate.refusal(replace(ALICE, azp=guid("app third"))).reason == "starts_per_minute_per_user"
    )
    assert gate.admits(BOB)


def test_an_application_is_no_user_though_it_has_an_object_id(gate: Gate) -> None:
    gate.limits = replace(FEW, starts_per_minute_per_application=9)
    assert all(gate.admits(APPLICATION) for _ in range(9))
    assert gate.admits(replace(ALICE, oid=APPLICATION.oid, azp=OTHER_AZP))


def test_what_is_refused_is_counted_for_nobody(gate: Gate) -> None:
    gate.limits = replace(FEW, starts_per_minute_per_application=4)
    assert [gate.admits(ALICE) for _ in range(9)].count(True) == 2
    assert [gate.admits(BOB) for _ in range(9)].count(True) == 2  # the application had two left
    gate.time += WINDOW
    assert gate.admits(ALICE)


def test_a_refusal_by_the_applications_limit_leaves_the_user_theirs(gate: Gate) -> None:
    assert all(gate.admits(APPLICATION) for _ in range(3))
    assert not gate.admits(ALICE)
    elsewhere = replace(ALICE, azp=OTHER_AZP)
    assert [gate.admits(elsewhere) for _ in range(3)] == [True, True, False]


def test_in_no_minute_there_are_more_than_the_limit(gate: Gate) -> None:
    admitted = []
    for _ in range(600):
        if gate.admits(APPLICATION):
            admitted.append(gate.time)
        gate.time += 0.7
    for start in admitted:
        assert sum(start <= one < start + WINDOW for one in admitted) <= 3
    assert len(admitted) > 15


def test_whoever_comes_back_when_told_to_is_admitted(gate: Gate) -> None:
    for _ in range(3):
        assert gate.admits(APPLICATION)
        gate.time += 7.3
    refused = gate.refusal(APPLICATION)
    assert refused.headers() == {"Retry-After": str(refused.seconds)}
    assert refused.seconds == 39  # 60 since the first, of which 21.9 are over
    gate.time += refused.seconds - 1
    assert not gate.admits(APPLICATION)
    gate.time += 1
    assert gate.admits(APPLICATION)


def test_a_start_counts_for_a_minute_to_the_instant(gate: Gate) -> None:
    gate.limits = replace(FEW, starts_per_minute_per_application=1)
    assert gate.admits(APPLICATION)
    gate.time += WINDOW - 0.25
    assert gate.refusal(APPLICATION).seconds == 1
    gate.time += 0.25
    assert gate.admits(APPLICATION)


def test_a_lower_limit_counts_what_was_started_before_it(gate: Gate) -> None:
    gate.limits = replace(FEW, starts_per_minute_per_application=10)
    for _ in range(10):
        assert gate.admits(APPLICATION)
        gate.time += 1
    gate.limits = replace(FEW, starts_per_minute_per_application=4)
    refused = gate.refusal(APPLICATION)
    assert refused.seconds == 56  # until the seventh of ten is over
    gate.time += 56
    assert gate.admits(APPLICATION)
    assert not gate.admits(APPLICATION)


def test_callers_beyond_those_that_are_told_apart_begin_anew(gate: Gate) -> None:
    gate.limits = replace(FEW, starts_per_minute_per_application=1)
    assert gate.admits(APPLICATION)
    for number in range(CALLERS):
        assert gate.admits(replace(APPLICATION, azp=f"app {number}"))
    assert len(gate.quotas._starts) == CALLERS
    assert gate.admits(APPLICATION)
