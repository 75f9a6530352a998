"""Who called the agent, read of a participant."""

import pytest
from livekit import rtc
from livekit.agents.ipc.mock_room import create_mock_room

import lkps
from tests.sdk.parts.job import MemoryParticipant
from tests.sdk.test_sessions import OTHERS

APPLICATION = {
    "lkps.session_id": "concierge--abc",
    "lkps.client_app_id": "66666666-7777-4888-8999-aaaaaaaaaaaa",
    "lkps.tenant_id": "11111111-2222-4333-8444-555555555555",
    "lkps.ends_at": "2026-11-23T12:00:00Z",
    "language": "de",
}
USER = {**APPLICATION, "lkps.user_oid": "99999999-7777-4888-8999-aaaaaaaaaaaa"}


@pytest.mark.parametrize("attributes", [APPLICATION, USER], ids=["application", "user"])
def test_the_caller_is_what_lkps_wrote(attributes: dict[str, str]) -> None:
    assert lkps.caller(MemoryParticipant(attributes).remote) == lkps.Caller(
        client_app_id=APPLICATION["lkps.client_app_id"],
        tenant_id=APPLICATION["lkps.tenant_id"],
        session_id="concierge--abc",
        user_oid=attributes.get("lkps.user_oid"),
    )


@pytest.mark.parametrize("kind", OTHERS)
def test_whoever_is_no_person_is_no_caller(kind: rtc.ParticipantKind.ValueType) -> None:
    assert lkps.caller(MemoryParticipant(USER, kind).remote) is None


def test_who_came_without_lkps_is_no_caller() -> None:
    assert lkps.caller(MemoryParticipant({"language": "de"}).remote) is None


def test_the_guest_of_the_console_is_no_caller() -> None:
    (guest,) = create_mock_room().remote_participants.values()

    assert lkps.caller(guest) is None
