"""What the session client asks LKPS for, and how it reads the answers."""

import inspect
import logging
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

import lkps
from lkps import (
    ConfigurationError,
    LkpsError,
    Refused,
    SessionClient,
    SessionStatus,
    StartedSession,
    Unavailable,
    errors,
)
from lkps_core import errors as refusals
from lkps_core.api.operations.sessions import SESSIONS
from tests.sdk.parts.answerer import Fate, Told, page, problem
from tests.sdk.parts.client import (
    ACCESS_TOKEN,
    INVITATION,
    INVITED,
    PARTICIPANT_TOKEN,
    SHOWN,
    STARTED,
    Bench,
    bench,
)

EXPIRY = datetime(2026, 11, 23, 23, 12, 33, tzinfo=UTC)
API = "/gateway/api"


@pytest.fixture
async def started() -> AsyncIterator[Bench]:
    """With an LKPS that lets everyone in."""
    async with bench(Told(200, STARTED)) as it:
        yield it


@pytest.fixture
async def shown() -> AsyncIterator[Bench]:
    """With an LKPS that shows a session."""
    async with bench(Told(200, SHOWN)) as it:
        yield it


async def test_starting_says_who_joins_and_reads_what_joins(started: Bench) -> None:
    session = await started.lkps.start(
        "concierge",
        participant_identity="alice",
        participant_name="Alice",
        participant_attributes={"seat": "4"},
        metadata="{}",
        wait_for_agent=5,
    )

    (request,) = started.answerer.requests
    assert (request.method, request.path) == ("POST", f"{API}/session/start")
    assert request.headers["Authorization"] == f"Bearer {ACCESS_TOKEN}"
    assert len(request.headers["X-Request-ID"]) == 36
    assert started.answerer.bodies == [
        {
            "agent_name": "concierge",
            "participant_identity": "alice",
            "participant_name": "Alice",
            "participant_attributes": {"seat": "4"},
            "metadata": "{}",
            "wait_for_agent": 5,
        }
    ]
    assert session == StartedSession(
        session_id="concierge--abc",
        participant_token=PARTICIPANT_TOKEN,
        livekit_url="wss://livekit.example",
        room_name="prod--concierge--abc",
        participant_identity="alice",
        agent_status="joined",
        expires_at=EXPIRY,
    )


async def test_what_is_not_said_is_left_to_lkps(started: Bench) -> None:
    await started.lkps.start("concierge")
    await started.lkps.token("concierge--abc")

    assert started.answerer.bodies == [{"agent_name": "concierge", "wait_for_agent": 0}, {}]


async def test_every_start_is_one_of_its_own_unless_its_key_is_given(started: Bench) -> None:
    await started.lkps.start("concierge")
    await started.lkps.start("concierge")
    await started.lkps.start("concierge", idempotency_key="order-17")

    one, other, given = started.answerer.sent("Idempotency-Key")
    assert one != other
    assert min(len(one), len(other)) >= 32
    assert given == "order-17"


async def test_one_more_token_and_joining_say_who_joins(started: Bench) -> None:
    await started.lkps.token("concierge--abc", participant_name="Alice")
    joined = await started.lkps.join("concierge--abc", INVITATION, participant_identity="bob")

    assert [(one.method, one.path) for one in started.answerer.requests] == [
        ("POST", f"{API}/session/concierge--abc/token")
    ] * 2
    assert started.answerer.bodies == [
        {"participant_name": "Alice"},
        {"invitation": INVITATION, "participant_identity": "bob"},
    ]
    assert joined.participant_token == PARTICIPANT_TOKEN


async def test_an_invitation_is_there_for_some_minutes() -> None:
    async with bench(Told(201, INVITED)) as invited:
        invitation = await invited.lkps.invite("concierge--abc")

        (request,) = invited.answerer.requests
    assert (request.method, request.path) == ("POST", f"{API}/session/concierge--abc/invitations")
    assert (invitation.invitation, invitation.expires_at) == (INVITATION, EXPIRY)


async def test_reading_and_ending_a_session_show_it(shown: Bench) -> None:
    read = await shown.lkps.get("concierge--abc")
    ended = await shown.lkps.end("concierge--abc")

    assert [(one.method, one.path) for one in shown.answerer.requests] == [
        ("GET", f"{API}/session/concierge--abc"),
        ("POST", f"{API}/session/concierge--abc/end"),
    ]
    assert (
        read
        == ended
        == SessionStatus(
            session_id="concierge--abc",
            agent_name="concierge",
            room_name="prod--concierge--abc",
            participant_identity="alice",
            state="joined",
            agent_status="joined",
            agent_dispatches=1,
            agent_outcome=None,
            created_at=datetime(2026, 11, 23, 23, 2, 33, tzinfo=UTC),
            joined_at=datetime(2026, 11, 23, 23, 2, 35, tzinfo=UTC),
            ends_at=datetime(2026, 11, 24, 0, 2, 33, tzinfo=UTC),
            ended_at=None,
            cause=None,
        )
    )


async def test_a_list_is_read_to_its_end_page_by_page(shown: Bench) -> None:
    shown.answerer.fates = [
        Told(200, {"sessions": [SHOWN, SHOWN], "next": "concierge--abc"}),
        Told(200, {"sessions": [], "next": "concierge--def"}),
        Told(200, {"sessions": [SHOWN], "next": None}),
    ]

    listed = [one.session_id async for one in shown.lkps.list("concierge", state="open")]

    assert listed == ["concierge--abc"] * 3
    assert [dict(one.query) for one in shown.answerer.requests] == [
        {"agent_name": "concierge", "state": "open"},
        {"agent_name": "concierge", "state": "open", "after": "concierge--abc"},
        {"agent_name": "concierge", "state": "open", "after": "concierge--def"},
    ]


async def test_a_page_of_a_list_is_read_when_it_is_wanted(shown: Bench) -> None:
    shown.answerer.fates = [Told(200, {"sessions": [SHOWN], "next": "concierge--abc"})]

    async for _ in shown.lkps.list("concierge"):
        break

    assert len(shown.answerer.requests) == 1


@pytest.mark.parametrize(
    ("session_id", "path"), [("../agents", "..%2Fagents"), ("a?b#c", "a%3Fb%23c")]
)
async def test_an_id_leads_nowhere_else(shown: Bench, session_id: str, path: str) -> None:
    await shown.lkps.get(session_id)

    assert shown.answerer.requests[0].raw_path == f"{API}/session/{path}"


@pytest.mark.parametrize("session_id", ["", ".", ".."])
async def test_what_is_no_id_is_not_asked_for(shown: Bench, session_id: str) -> None:
    with pytest.raises(ConfigurationError, match="an id must not be empty"):
        await shown.lkps.end(session_id)

    assert shown.answerer.requests == []


UNDECIDED = {
    "agent_blocked": "an agent's runner is told, a caller never",
    "groups_overage": "an administrator of Entra mends it, and the detail says how",
    "header_invalid": "the key's form is the caller's mistake",
    "query_invalid": "LKPS's own client makes the query",
    "livekit_unavailable": "is Unavailable",
    "storage_unavailable": "is Unavailable",
}


def test_of_each_code_that_a_sessions_route_refuses_with_it_is_known_what_a_client_does() -> None:
    codes = {one.code for operation in SESSIONS for one in operation.may_refuse}

    known = errors.OF_SESSIONS.keys() | UNDECIDED.keys()
    assert codes - known == set()


CODES = {
    one.code: one
    for one in vars(refusals).values()
    if isinstance(one, type) and issubclass(one, refusals.Refusal) and hasattr(one, "code")
}
ADVICE = {
    "agent_not_callable": "Look at the agent's name",
    "agent_offline": "once the agent runs",
    "caller_blocked": "platform administrator can lift the block",
    "edited_meanwhile": "Try again",
    "idempotency_key_reused": "one key for one start",
    "invitation_invalid": "Ask whoever started the session for another",
    "permission_lacking": "Ask an Entra administrator",
    "rate_limited": "Try again in 7 s",
    "session_ended": "Start another",
    "session_not_found": "Look at its id",
    "too_many_guests": "Start another session",
    "too_many_invitations": "each expires by itself",
    "too_many_sessions": "End some",
}
DETAILS = {
    "caller_blocked": "A platform administrator can lift the block.",
    "invitation_invalid": "Ask whoever started the session for another.",
    "rate_limited": "Try again in 7 s.",
    "too_many_invitations": "8 are unused; each expires by itself.",
}
"""Where LKPS says more than its title."""


@pytest.mark.parametrize("code", sorted(errors.OF_SESSIONS))
async def test_a_code_that_a_client_decides_on_is_a_class_that_says_what_to_do(
    started: Bench, code: str
) -> None:
    kind, title = errors.OF_SESSIONS[code], CODES[code].title
    detail = DETAILS.get(code, title)
    started.answerer.answer = problem(CODES[code].status, code, 60, title=title, detail=detail)

    with pytest.raises(kind) as caught:
        await started.lkps.start("concierge")

    assert type(caught.value) is kind
    assert getattr(lkps, kind.__name__) is kind
    assert (caught.value.code, caught.value.request_id) == (code, "request-1")
    assert caught.value.retry_after == 60
    assert title in str(caught.value)
    assert ADVICE[code] in str(caught.value)
    assert len(started.answerer.requests) == 1


README = (Path(__file__).parents[2] / "sdk/python/README.md").read_text()


def test_the_readme_names_every_class_and_every_call() -> None:
    calls = [name for name in vars(SessionClient) if not name.startswith("_")]
    named = [*(kind.__name__ for kind in errors.OF_SESSIONS.values()), *calls]

    assert [one for one in named if f"`{one}" not in README] == ["aclose"]
    timeout = inspect.signature(SessionClient).parameters["timeout"].default
    assert f"Every call is answered or fails within {timeout:.0f} s" in README


@pytest.mark.parametrize(
    ("fate", "kind", "said"),
    [
        (problem(401, "token_invalid"), Refused, "Check AZURE_TENANT_ID"),
        (problem(403, "groups_overage"), Refused, "because"),
        (problem(404, "of_tomorrow"), Refused, "404 of_tomorrow"),
        (
            problem(
                422, "body_invalid", errors=[{"pointer": "/metadata", "detail": "is too long"}]
            ),
            Refused,
            "; /metadata is too long",
        ),
        (page(403), Refused, "not one that LKPS gives"),
        (page(404), Refused, "Check LKPS_URL"),
        (page(200), Refused, "not one that LKPS gives"),
        (Told(200, {**STARTED, "expires_at": "soon"}), Refused, "not one that LKPS gives"),
        (Told(302, headers={"Location": "https://x/"}), Refused, "302 unknown"),
        (problem(503, "misconfigured", 60), Unavailable, "503 misconfigured"),
    ],
    ids=str,
)
async def test_any_other_answer_is_an_error_at_once(
    started: Bench, fate: Fate, kind: type[LkpsError], said: str
) -> None:
    started.answerer.fates = [fate]

    with pytest.raises(kind, match=said) as caught:
        await started.lkps.start("concierge")

    assert type(caught.value) is kind
    assert len(started.answerer.requests) == 1


async def test_an_answer_without_its_members_is_no_answer(started: Bench) -> None:
    started.answerer.answer = Told(200, {"sessions": ["concierge--abc"]})

    with pytest.raises(Refused, match="not one that LKPS gives"):
        [one async for one in started.lkps.list("concierge")]


async def test_no_secret_is_in_a_repr_an_error_or_the_log_at_debug(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with bench(Told(200, STARTED)) as it:
        it.answerer.fates = ["cut", problem(503, "storage_unavailable"), page(502)]
        session = await it.lkps.start("concierge", idempotency_key="order-17")
        it.answerer.fates = [Told(201, INVITED)]
        invitation = await it.lkps.invite(session.session_id)
        it.answerer.fates = [problem(403, "invitation_invalid")]
        with pytest.raises(errors.InvitationInvalid) as caught:
            await it.lkps.join(session.session_id, invitation.invitation)
        said = [repr(one) for one in (it.lkps, session, invitation, caught.value)]
    said += [logging.Formatter().format(record) for record in caplog.records]

    assert "LKPS is asked again" in "".join(said)
    assert not [
        (secret, text)
        for secret in (ACCESS_TOKEN, PARTICIPANT_TOKEN, INVITATION)
        for text in said
        if secret in text
    ]


def test_what_is_missing_in_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LKPS_URL", raising=False)
    monkeypatch.delenv("AZURE_CLIENT_ID", raising=False)

    with pytest.raises(ConfigurationError, match=r"(?s)LKPS_URL.*AZURE_CLIENT_ID"):
        SessionClient()


def imported(program: str) -> set[str]:
    slow = "{'aiohttp', 'asyncio', 'livekit', 'msal', 'requests'}"
    print_them = f"import sys; print(*{slow} & sys.modules.keys())"
    ran = subprocess.run(
        [sys.executable, "-c", f"{program}\n{print_them}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ran.stdout.split())


def test_importing_lkps_imports_nothing_slow() -> None:
    assert imported("import lkps") == set()


@pytest.mark.parametrize(
    "program", ["from lkps import SessionClient", "from lkps.sync import SessionClient"]
)
def test_a_client_does_without_livekit(program: str) -> None:
    assert "aiohttp" in imported(program)
    assert "livekit" not in imported(program)


async def test_connecting_without_livekit_says_what_to_install(
    started: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await started.lkps.start("concierge")
    monkeypatch.setitem(sys.modules, "livekit", None)

    with pytest.raises(ConfigurationError) as caught:
        await session.connect()

    assert str(caught.value) == 'livekit is missing: pip install "lkps-sdk[rtc]"'
