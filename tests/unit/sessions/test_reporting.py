"""Who may say what became of a job, and of which session's."""

import pytest

from tests.builders.lkps import AGENT, OTHER_AGENT, Lkps
from tests.unit.sessions.arranging import Talk, rows_of, started

UNKNOWN = "concierge--" + "z" * 26


@pytest.fixture
async def registration_id(lkps: Lkps) -> str:
    registration_id: str = (await lkps.register())["registration_id"]
    return registration_id


@pytest.fixture
async def talk(lkps: Lkps) -> Talk:
    return await started(lkps)


async def test_which_instance_took_a_job_is_known_and_leaves_no_row(
    talk: Talk, registration_id: str
) -> None:
    (agent,) = talk.agents
    before = len(talk.lkps.rows)
    assert (await talk.report(registration_id, agent, "accepted")).status == 204
    (job,) = talk.row.jobs
    assert (job.identity, job.outcome, job.registration_id) == (agent, "accepted", registration_id)
    assert len(talk.lkps.rows) == before


async def test_a_repeated_report_leaves_one_row(talk: Talk, registration_id: str) -> None:
    (agent,) = talk.agents
    for _ in range(3):
        await talk.report(registration_id, agent, "failed", reason="exit_1")
    assert len(rows_of(talk.lkps, "session.job_ended")) == 1
    assert talk.row.dispatches == 2


async def test_a_report_of_a_session_that_is_over_changes_nothing(
    talk: Talk, registration_id: str
) -> None:
    await talk.lkps.send("POST", f"session/{talk.id}/end", by=AGENT)
    talk.lkps.clock.pass_by(11)
    talk.close()
    await talk.show()
    before = talk.row
    assert (await talk.report(registration_id, "agent-AJ_1", "failed")).status == 204
    assert talk.row == before


async def test_an_instance_that_has_deregistered_still_reports_its_jobs(
    talk: Talk, registration_id: str
) -> None:
    (agent,) = talk.agents
    await talk.lkps.send("DELETE", f"agent/registrations/{registration_id}", by=AGENT)
    assert (await talk.report(registration_id, agent, "completed")).status == 204
    assert talk.row.agent_outcome is None or talk.row.jobs[-1].outcome == "completed"


async def test_another_agents_runner_reports_nothing(talk: Talk, registration_id: str) -> None:
    (agent,) = talk.agents
    other = (await talk.lkps.register("other", by=OTHER_AGENT))["registration_id"]
    foreign = await talk.report(registration_id, agent, "failed", by=OTHER_AGENT)
    unknown = await talk.report(UNKNOWN, agent, "failed", by=OTHER_AGENT)
    assert (foreign.status, foreign.json["code"]) == (404, "registration_not_found")
    assert unknown.json | {"request_id": ""} == foreign.json | {"request_id": ""}
    of_another = await talk.report(other, agent, "failed", by=OTHER_AGENT)
    assert (of_another.status, of_another.json["code"]) == (404, "session_not_found")
    assert talk.row.jobs == ()


async def test_a_session_that_is_not_there_is_not_found(lkps: Lkps, registration_id: str) -> None:
    for session_id in (UNKNOWN, "nothing"):
        answer = await Talk(lkps, session_id).report(registration_id, "agent-AJ_1", "failed")
        assert (answer.status, answer.json["code"]) == (404, "session_not_found")


async def test_what_is_no_registration_is_not_found(talk: Talk) -> None:
    answer = await talk.report("nothing", "agent-AJ_1", "failed")
    assert (answer.status, answer.json["code"]) == (404, "registration_not_found")


async def test_who_is_no_runner_any_more_reports_nothing(talk: Talk, registration_id: str) -> None:
    await talk.lkps.assign({"runners": []})
    answer = await talk.report(registration_id, talk.agents[0], "failed")
    assert (answer.status, answer.json["code"]) == (403, "agent_not_runnable")


@pytest.mark.parametrize(
    "members",
    [
        {"outcome": "vanished"},
        {"outcome": "?"},
        {"reason": "Traceback: secret=…"},
        {"reason": "x" * 101},
        {"participant_identity": ""},
        {"participant_identity": "x" * 129},
        {"session_id": 7},
        {"more": 1},
    ],
)
async def test_a_report_that_says_something_else_is_refused(
    talk: Talk, registration_id: str, members: dict[str, object]
) -> None:
    body = {
        "session_id": talk.id,
        "participant_identity": "agent-AJ_1",
        "outcome": "failed",
        **members,
    }
    path = f"agent/registrations/{registration_id}/jobs"
    answer = await talk.lkps.send("POST", path, body, by=AGENT)
    assert (answer.status, answer.json["code"]) == (422, "body_invalid")
    assert talk.row.jobs == ()
