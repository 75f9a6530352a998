"""No token, key or secret in a log record, a repr, a problem, an answer to others or the trail."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import jwt
import pytest

from lkps_core.agents.routing import routing_secret
from lkps_core.api.http import Request, Response
from lkps_core.ports import Room
from lkps_core.settings import Settings
from lkps_core.wire.agents import Registered, Renewed
from lkps_core.wire.sessions import Invited, JoinSession, SessionJoined, SessionStarted
from tests.builders.lkps import (
    ADMIN,
    AGENT,
    CLIENT,
    ENVIRONMENT,
    OTHER_CLIENT,
    Answered,
    Lkps,
    app,
    guid,
)
from tests.builders.stepping import SteppingRooms

pytestmark = pytest.mark.usefixtures("impatient")

AGENT_AS_CLIENT = app("agent", "LKPS.Client")


@dataclass
class Run:
    """All routes once, well and badly, and everything that was answered."""

    lkps: Lkps
    answers: list[Answered] = field(default_factory=list[Answered])
    issued: set[str] = field(default_factory=set[str])

    async def send(self, method: str, path: str, body: object = None, by: str = CLIENT) -> Answered:
        self.lkps.clock.pass_by(1)
        headers = {"idempotency-key": "k", "if-match": "*"}
        answer = await self.lkps.send(method, path, body, by=by, headers=headers)
        self.answers.append(answer)
        if answer.raw and answer.status in (200, 201):
            answered = answer.json
            for name in ("token", "participant_token", "invitation"):
                if answered.get(name):
                    self.issued.add(answered[name])
        return answer

    async def all_routes(self) -> None:
        registered = await self.send("POST", "agent/register", {"agent_name": "concierge"}, AGENT)
        registration = f"agent/registrations/{registered.json['registration_id']}"
        held = {"token_expires_at": self.lkps.clock().isoformat(), "routing_version": 1}
        await self.send("POST", f"{registration}/renew", held, AGENT)
        body = {"agent_name": "concierge", "participant_attributes": {"a": "b"}}
        for by in (CLIENT, CLIENT, OTHER_CLIENT, "Bearer a.b.c", f"{CLIENT}x", AGENT, "Bearer"):
            started = await self.send("POST", "session/start", body, by)
            if started.status == 200:
                session = f"session/{started.json['session_id']}"
        await self.coming_in(session)
        await self.send("POST", "session/start", {**body, "metadata": "other"})
        await self.send("POST", "session/start", {CLIENT: CLIENT, "agent_name": CLIENT})
        for by in (OTHER_CLIENT, CLIENT, ADMIN):
            await self.send("GET", session, by=by)
            await self.send("POST", f"{session}/end", by=by)
        await self.send("GET", "agents/concierge", by=ADMIN)
        await self.send("DELETE", registration, by=AGENT)
        await self.send("PUT", "agents/concierge", {}, ADMIN)
        await self.governance()
        for path in ("health/ready", "health/live", "openapi.json"):
            await self.send("GET", path, by=ADMIN)
        rooms = SteppingRooms(self.lkps.rooms)
        rooms.steps.fail("create", RuntimeError("a defect"))
        self.answers.append(await replace(self.lkps, rooms=rooms, seed=4).start())
        self.lkps.rooms.down = True
        await self.send("POST", "session/start", {**body, "metadata": "third"})
        self.lkps.trail.down = True
        await self.send("POST", "session/start", {**body, "metadata": "fourth"})
        self.lkps.rooms.down = self.lkps.trail.down = False
        await self.lkps.services.close()

    async def coming_in(self, session: str) -> None:
        """The starter once more, and somebody with an invitation, which is used twice."""
        starter, guest, late = OTHER_CLIENT, CLIENT, AGENT_AS_CLIENT
        await self.send("POST", f"{session}/token", by=starter)
        made = await self.send("POST", f"{session}/invitations", by=starter)
        used = {"invitation": made.json["invitation"]}
        for by in (guest, late, guest):
            await self.send("POST", f"{session}/token", used, by)
        await self.send("POST", f"{session}/token", {**used, "more": 1}, guest)
        await self.send("GET", "sessions?agent_name=concierge", by=ADMIN)

    async def governance(self) -> None:
        agent, client = "agents/concierge", guid("app client")
        await self.send("PATCH", agent, {"access_mode": "granted"}, ADMIN)
        terms = {"client_app_id": client, "reason": "a test"}
        granted = await self.send("POST", f"{agent}/grants", terms, ADMIN)
        await self.send("PATCH", f"{agent}/grants/{granted.json['grant_id']}", {}, ADMIN)
        await self.send("POST", f"{agent}/rotate", {"reason": "a test"}, ADMIN)
        await self.send("POST", "authorization/check", {"agent_name": "concierge"})
        block = {"agent_name": "concierge", "reason": "a test"}
        await self.send("POST", "revocations", block, ADMIN)
        await self.send("DELETE", "revocations/agent:concierge", by=ADMIN)
        await self.send("PUT", "limits", {}, ADMIN)
        for path in ("agents", f"{agent}/grants", "policy", "limits", "revocations", "whoami"):
            await self.send("GET", path, by=ADMIN)
        policy = {"agents": {"concierge": {"access_mode": "open"}}}
        await self.send("POST", "policy/plan", policy, ADMIN)
        await self.send("POST", "policy/apply", policy, ADMIN)


@pytest.fixture
async def run(caplog: pytest.LogCaptureFixture) -> Run:
    caplog.set_level(logging.DEBUG)
    run = Run(Lkps())
    await run.all_routes()
    return run


def secrets_of(run: Run) -> Iterator[str]:
    """What must be nowhere; of tokens, each part by itself."""
    settings = Settings.read(ENVIRONMENT)
    yield settings.livekit_api_secret
    yield ENVIRONMENT["LKPS_SECRET"]
    yield repr(settings.secret)
    yield settings.secret.hex()
    for version in (1, 2):
        yield routing_secret(settings.secret, "concierge", version)
    for token in run.issued:
        yield from token.split(".")[1:] or [token]
    for caller in (AGENT, CLIENT, OTHER_CLIENT, ADMIN):
        yield from caller.removeprefix("Bearer ").split(".")[1:]


def assert_clean(run: Run, text: str) -> None:
    assert text
    for secret in secrets_of(run):
        assert secret not in text


async def test_the_run_went_through_every_kind_of_answer(run: Run) -> None:
    statuses = {answer.status for answer in run.answers}
    assert {200, 204, 401, 403, 404, 422, 500, 503} <= statuses
    assert len(run.issued) >= 3


async def test_none_is_in_a_log_record(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    formatter = logging.Formatter()
    records = caplog.get_records("setup")
    told = [f"{record.__dict__}{formatter.format(record)}" for record in records]
    assert any("a defect" in text for text in told)
    assert_clean(run, "\n".join(told))


async def test_none_is_on_the_trail(run: Run) -> None:
    assert_clean(run, json.dumps(run.lkps.rows))


async def test_none_is_in_a_problem(run: Run) -> None:
    problems = [answer.raw.decode() for answer in run.answers if answer.status >= 400]
    assert_clean(run, "\n".join(problems))


async def test_none_is_in_a_header(run: Run) -> None:
    assert_clean(run, repr([answer.headers for answer in run.answers]))


async def test_the_routing_secret_is_told_to_the_agent_alone(run: Run) -> None:
    secret = routing_secret(Settings.read(ENVIRONMENT).secret, "concierge", 1)
    tell = [answer.json for answer in run.answers if secret.encode() in answer.raw]
    assert all("renew_after" in answer for answer in tell)
    assert len(tell) == 2


async def test_none_is_in_the_tables(run: Run) -> None:
    lkps = run.lkps
    stored = [lkps.agents._rows, lkps.registrations._rows, lkps.sessions._rows]
    assert_clean(run, repr(stored))


async def test_no_claim_of_an_access_token_but_its_ids_is_recorded(run: Run) -> None:
    claims = jwt.decode(CLIENT.removeprefix("Bearer "), options={"verify_signature": False})
    recorded = json.dumps([row for row in run.lkps.rows if row.get("oid") == claims["oid"]])
    assert claims["uti"] in recorded
    for name in ("iss", "aud", "ver", "azpacr", "exp", "iat"):
        assert f'"{name}"' not in recorded
    assert claims["aud"] not in recorded


SECRET_TEXT = "secret-text-that-must-not-show"


@pytest.mark.parametrize(
    "shown",
    [
        Room("name", 1, "agent", SECRET_TEXT, SECRET_TEXT),
        Request("GET", {"authorization": SECRET_TEXT}, {}, SECRET_TEXT.encode()),
        Response(200, SECRET_TEXT.encode()),
        Registered.model_construct(token=SECRET_TEXT, deployment=SECRET_TEXT),
        Renewed.model_construct(token=SECRET_TEXT, deployment=SECRET_TEXT),
        SessionStarted.model_construct(participant_token=SECRET_TEXT),
        SessionJoined.model_construct(participant_token=SECRET_TEXT),
        Invited.model_construct(invitation=SECRET_TEXT),
        JoinSession.model_construct(invitation=SECRET_TEXT),
    ],
    ids=lambda shown: type(shown).__name__,
)
def test_none_is_in_a_repr(shown: object) -> None:
    assert SECRET_TEXT not in repr(shown)
    assert SECRET_TEXT not in str(shown)
