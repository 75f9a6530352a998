"""The guide to sessions has every state, cause, code and number of the code, and no other."""

import inspect
import re
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import BaseModel

from dev.platform.livekit import ApiKey, LiveKit, LiveKitPorts
from lkps.sessions import WARNINGS
from lkps_core.api import webhook
from lkps_core.api.endpoints import ENDPOINTS
from lkps_core.api.openapi import refusals
from lkps_core.api.operations.sessions import SESSIONS
from lkps_core.policy.model import PlatformLimits
from lkps_core.sessions import watching
from lkps_core.sessions.guests import MOST_GUESTS, MOST_INVITATIONS
from lkps_core.sessions.model import ALONE, GRACE, KEPT, MOST_DISPATCHES, UNTOLD, Cause
from lkps_core.sessions.planning import EMPTY_MARGIN
from lkps_core.settings import Settings
from lkps_core.sweep import comparing, sweeping, tidying, turns
from lkps_core.wire.sessions import (
    AgentOutcome,
    AgentStatus,
    InviteToSession,
    SessionAnswer,
    SessionStarted,
    SessionState,
    StartSession,
)
from lkps_core.wire.sweep import RunAnswer
from tests.builders.lkps import ENVIRONMENT
from tests.docs.pages import ROOT

TEXT = (ROOT / "docs/sessions.md").read_text()


def table(head: str) -> list[list[str]]:
    """The cells of the one table whose head begins so."""
    (found,) = re.findall(
        rf"^\| {re.escape(head)} \|.*\n\|[-|]+\|\n((?:\|.*\|\n)+)", TEXT, re.MULTILINE
    )
    return [[cell.strip() for cell in line[1:-1].split(" | ")] for line in found.splitlines()]


def named(head: str) -> list[str]:
    """The first cells, which are code."""
    return [row[0].strip("`") for row in table(head)]


def codes(cell: str) -> set[str]:
    return set(re.findall(r"`([a-z_]+)`", cell))


def test_every_state_is_explained_and_no_other() -> None:
    assert named("`state`") == list(get_args(SessionState.__value__))


def test_every_status_of_the_agent_is_explained_and_no_other() -> None:
    assert sorted(named("`agent_status` | means")) == sorted(get_args(AgentStatus.__value__))


def test_a_start_is_answered_with_every_status_but_that_of_an_agent_that_was_there() -> None:
    said = named("`agent_status` of a start")
    assert sorted(said) == sorted(set(get_args(AgentStatus.__value__)) - {"left"})


def test_of_every_status_it_is_said_what_a_user_can_be_shown() -> None:
    said = [codes(row[0]) for row in table("`agent_status` | and | show")]
    assert set().union(*said) == set(get_args(AgentStatus.__value__))


def test_every_outcome_is_explained_and_no_other() -> None:
    assert sorted(named("`agent_outcome`")) == sorted(get_args(AgentOutcome.__value__))


def test_every_cause_is_explained_with_what_the_client_does_and_no_other() -> None:
    assert named("`cause`") == list(get_args(Cause.__value__))
    assert all(len(row) == 3 and all(row) for row in table("`cause`"))


@pytest.mark.parametrize(
    ("head", "answer"),
    [
        ("member of the answer", SessionStarted),
        ("member of `GET session/{id}`", SessionAnswer),
        ("member of a run", RunAnswer),
    ],
)
def test_every_member_of_an_answer_is_explained_and_no_other(
    head: str, answer: type[SessionStarted | SessionAnswer | RunAnswer]
) -> None:
    assert named(head) == list(answer.model_fields)


REFUSALS = {(str(one.status), one.code) for each in SESSIONS for one in refusals(each)}


def test_every_code_of_the_sessions_operations_is_explained_and_no_other() -> None:
    rows = table("status | code")
    assert sorted((row[0], row[1].strip("`")) for row in rows) == sorted(REFUSALS)
    assert all(len(row) == 4 and all(row) for row in rows)


def test_what_is_said_of_retries_is_about_codes_that_there_are() -> None:
    said = {code for row in table("answer") for code in codes(row[0])}
    assert said
    assert said <= {code for _, code in REFUSALS}


def test_who_is_put_out_of_a_room_is_told_with_the_reasons_of_the_code() -> None:
    source = inspect.getsource(watching)
    assert all(f'"{reason}"' in source for reason in named("reason"))
    assert set(named("reason")) == set(re.findall(r'"(\w+_agent)"\)', source))


def test_the_timers_run_as_often_as_is_said() -> None:
    source = (ROOT / "function_app.py").read_text()
    found = re.findall(r'schedule="(.*?)".*\nasync def (\w*sweep)\(', source)
    assert found == [("0 * * * * *", "sweep"), ("30 */5 * * * *", "full_sweep")]
    assert [row[:2] for row in table("timer")] == [
        ["`sweep`", "every minute"],
        ["`full_sweep`", "every five minutes"],
    ]


def test_the_log_lines_to_alert_on_are_logged() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "lkps_core").rglob("*.py"))
    assert [line for line in named("log line") if f'("{line}"' not in sources] == []


def test_livekit_is_configured_as_the_local_platforms_is(tmp_path: Path) -> None:
    (shown,) = re.findall(r"^```text\n(webhook:.*?)```$", TEXT, re.DOTALL | re.MULTILINE)
    said = yaml.safe_load(shown)
    LiveKit(tmp_path, tmp_path, LiveKitPorts(1, 2), ApiKey.make(), webhook="http://lkps")
    used = yaml.safe_load((tmp_path / "livekit.yaml").read_text())
    assert said["webhook"].keys() == used["webhook"].keys()
    assert said["room"].items() <= used["room"].items()
    (address,) = said["webhook"]["urls"]
    assert address.partition("/api/")[2] in {endpoint.path for endpoint in ENDPOINTS}


def seconds(length: timedelta) -> str:
    return f"{length.total_seconds():.0f} s"


def most(body: type[BaseModel], member: str) -> int:
    (bound,) = (one.le for one in body.model_fields[member].metadata if hasattr(one, "le"))
    return int(bound)


DEFAULTS = Settings.read(ENVIRONMENT)
LIMITS = PlatformLimits()
RUN = f"{sweeping.SECONDS:.0f} s, removes {comparing.MOST_ROOMS} rooms"


@pytest.mark.parametrize(
    "said",
    [
        f"it was called less than {seconds(GRACE)} ago",
        f"up to {most(StartSession, 'wait_for_agent')} s",
        f"at the first look {seconds(UNTOLD)} after it was seen to be gone",
        f"{seconds(UNTOLD)} after it, where a worker has taken the job",
        f"how often an agent was called: 1 to {MOST_DISPATCHES}",
        f"LKPS ends it {seconds(ALONE)} after it saw",
        f"can be read for {KEPT.total_seconds() / 3600:.0f} h after its end",
        f"| a token joins | {DEFAULTS.participant_token_seconds} s",
        f"at most {EMPTY_MARGIN} s after the start's `expires_at`",
        f"| longest session | {DEFAULTS.session_max_seconds / 3600:.0f} h",
        f"{LIMITS.starts_per_minute_per_application:,} by an application",
        f"and {LIMITS.starts_per_minute_per_user} by a user in each process",
        f"{MOST_GUESTS} in a session's life, and {MOST_INVITATIONS} unused",
        f"| an invitation lets in | {most(InviteToSession, 'seconds')} s",
        f"{watching.CONFIRM_AFTER:.0f} s after LKPS first saw it",
        f"{webhook.BODY_LIMIT // 1024} KiB",
        f"{sweeping.MOST_DUE:,} at most",
        f"leases that ended more than {tidying.SILENT.total_seconds() / 60:.0f} minutes ago",
        f"{tidying.MOST} of each",
        f"must be {comparing.YOUNGEST.total_seconds() / 60:.0f} minutes old",
        f"for {seconds(turns.TURN)}",
        f"no further page of {comparing.PAGE} sessions after {RUN}",
    ],
)
def test_the_guides_numbers_are_those_of_the_code(said: str) -> None:
    assert said in TEXT


def test_the_guides_words_for_numbers_are_those_of_the_code() -> None:
    assert comparing.FEW == 10
    assert "more than ten, have no session" in TEXT
    assert WARNINGS == (300.0, 60.0)
    assert TEXT.count("5 minutes and 1 minute before") == 2
