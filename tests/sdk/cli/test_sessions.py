"""`lkps sessions`: what is shown of an agent's sessions, and how one is ended."""

from datetime import timedelta

import pytest

from lkps_core.errors import SessionNotFound
from lkps_core.wire.sessions import AgentJob
from tests.sdk.cli.parts.answers import AT, SESSION, session, session_list
from tests.sdk.cli.parts.command import Command
from tests.sdk.cli.parts.lkps import LkpsStandIn

OTHER = f"concierge--{'b' * 26}"
LIST = ("sessions", "list", "--agent", "concierge")
JOB = AgentJob(
    participant_identity="agent-AJ_1",
    outcome="failed",
    reason="value error",
    registration_id="concierge--7",
)


async def test_a_list_has_the_sessions_of_every_page(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("GET", "sessions", session_list(session(), next=SESSION))
    service.answers_with("GET", "sessions", session_list(session(session_id=OTHER)))

    ran = await lkps(*LIST, "--state", "open")

    assert ran.code == 0
    assert [line.split()[0] for line in ran.out.splitlines()] == ["SESSION", SESSION, OTHER]
    asked = {"agent_name": "concierge", "state": "open", "limit": "500"}
    assert [dict(one.query) for one in service.received] == [asked, {**asked, "after": SESSION}]


async def test_a_list_as_json_is_one_list(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("GET", "sessions", session_list(session(), next=SESSION))
    service.answers_with("GET", "sessions", session_list())

    ran = await lkps(*LIST, "--json")

    assert (ran.json, ran.err) == ({"sessions": [session()]}, "")
    assert "state" not in service.received[0].query


async def test_no_session_is_said_in_words(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("GET", "sessions", session_list())

    assert (await lkps(*LIST)).out == "No session that you may see.\n"


@pytest.mark.parametrize("arguments", [(), ("--agent", "concierge", "--state", "joined")])
async def test_a_question_that_is_none_is_a_wrong_command_line(
    lkps: Command, arguments: tuple[str, ...]
) -> None:
    assert (await lkps("sessions", "list", *arguments)).code == 2


async def test_a_session_is_shown_with_what_became_of_its_agents(
    lkps: Command, service: LkpsStandIn
) -> None:
    members = {"agent_dispatches": 2, "agent_outcome": "failed", "agent_jobs": [JOB]}
    service.answers_with("GET", f"session/{SESSION}", session(**members))

    ran = await lkps("sessions", "show", SESSION)

    for said in (
        SESSION,
        "joined, one failed before",
        "2 times",
        "agent-AJ_1",
        "value error",
        "concierge--7",
    ):
        assert said in ran.out


async def test_a_session_whose_agent_was_never_lost_is_shown(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.answers_with("GET", f"session/{SESSION}", session())

    ran = await lkps("sessions", "show", SESSION)

    assert "once" in ran.out
    assert "before" not in ran.out
    assert (await lkps("sessions", "show", SESSION, "--json")).json == session()


async def test_a_session_is_ended_and_shown_as_it_is_then(
    lkps: Command, service: LkpsStandIn
) -> None:
    later = AT + timedelta(minutes=5)
    ended = session(state="ended", ended_at=later, cause="ended_by_owner", agent_status="left")
    service.answers_with("POST", f"session/{SESSION}/end", ended)

    ran = await lkps("sessions", "end", SESSION)

    assert service.sent("POST") == [{}]
    for said in ("ended_by_owner", "2026-11-23 10:05:00Z"):
        assert said in ran.out


async def test_an_unknown_session_is_told_with_the_next_step(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.refuses("GET", f"session/{SESSION}", SessionNotFound())

    ran = await lkps("sessions", "show", SESSION)

    assert (ran.code, ran.out) == (1, "")
    assert "session_not_found (404)" in ran.err
    assert "lkps sessions list --agent" in ran.err
