"""The routing secret that a session's dispatch carries while a rotation moves instances over."""

from dataclasses import replace

import pytest

from lkps_core.agents.model import Registration
from lkps_core.agents.routing import dispatch_version, other_version, routing_secret
from tests.builders.lkps import FakeClock
from tests.unit.policy.parts.authority import registration
from tests.unit.policy.parts.policies import AGENT_NAME, GRANTED

SETTLED = replace(GRANTED, routing_version=3)
MOVING = replace(GRANTED, routing_version=3, previous_routing_version=2)


def offered(*versions: int) -> list[Registration]:
    """Live instances, by the version of the secret that each was last given."""
    instance = registration(AGENT_NAME, FakeClock())
    return [
        replace(instance, id=f"{number}", routing_version=2, offered_version=version)
        for number, version in enumerate(versions)
    ]


@pytest.mark.parametrize("online", [(), (3, 3), (2, 2, 2), (1,)])
def test_without_a_rotation_there_is_one_version(online: tuple[int, ...]) -> None:
    assert dispatch_version(SETTLED, offered(*online)) == 3


@pytest.mark.parametrize(
    ("online", "version"),
    [
        ((), 3),
        ((2,), 2),
        ((3,), 3),
        ((2, 2, 3), 2),
        ((2, 3), 3),
        ((2, 3, 3), 3),
        ((1, 1, 1), 3),
        ((1, 1, 1, 2), 2),
        ((1, 1, 2, 3), 3),
    ],
)
def test_while_instances_move_the_dispatch_goes_where_most_of_them_listen(
    online: tuple[int, ...], version: int
) -> None:
    assert dispatch_version(MOVING, offered(*online)) == version


def test_an_instance_listens_with_what_it_was_offered_though_it_has_not_said_so() -> None:
    assert {one.routing_version for one in offered(3)} == {2}
    assert dispatch_version(MOVING, offered(3)) == 3


def test_an_emergency_dispatches_to_nobody_who_has_not_moved() -> None:
    """It leaves no previous version: instances that hold the old secret are not dispatched to."""
    assert dispatch_version(SETTLED, offered(2, 2)) == 3
    assert other_version(SETTLED, 3) is None


@pytest.mark.parametrize(("version", "other"), [(3, 2), (2, 3)])
def test_while_instances_move_the_others_listen_with_the_other_version(
    version: int, other: int
) -> None:
    assert other_version(MOVING, version) == other


def test_each_version_of_each_agent_has_a_secret_of_its_own() -> None:
    secret = b"s" * 32
    made = {
        routing_secret(secret, name, version)
        for name in ("concierge", "concierge-2")
        for version in (1, 2, 21)
    }
    assert len(made) == 6
    assert all(len(one) == 52 and one.isalnum() and one == one.lower() for one in made)
    assert routing_secret(b"t" * 32, "concierge", 1) not in made
