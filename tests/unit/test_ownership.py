"""Objects belong to someone: who may do what to whose, and that nobody else learns of them."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.builders.lkps import (
    ADMIN,
    AGENT,
    ALICE,
    CLIENT,
    CLIENT_ELSEWHERE,
    OTHER_AGENT,
    OTHER_CLIENT,
    Answered,
    Lkps,
    app,
    guid,
    user,
)
from tests.builders.tokens import TENANT, app_claims, bearer

OWNER = app("owner", "LKPS.Manage")
OWNER_AS_CLIENT = app("owner", "LKPS.Client")
OTHER_OWNER = app("other owner", "LKPS.Manage")
PERSON_OWNER = user("olga", "Agent.Manage")
AUDITOR = app("auditor", "LKPS.Auditor")
ADMIN_PERSON = user("ada", "Platform.Admin", roles=("LKPS.Admin",))
CLIENT_OF_SAME_APP = bearer(
    app_claims(oid=guid("sp another"), azp=guid("app client"), roles=["LKPS.Client"])
)
AGENT_ELSEWHERE = bearer(
    app_claims(oid=guid("sp agent"), azp=guid("app another"), roles=["LKPS.Agent"])
)
AGENT_AS_CLIENT = app("agent", "LKPS.Client")
OWNERS = [{"tid": TENANT, "oid": guid(name)} for name in ("sp owner", "user olga")]
UNKNOWN = "concierge--" + "a" * 26
UNKNOWN_AGENT = "nobody--" + "a" * 26


@dataclass
class World:
    """`concierge` with its runner, its owners, an instance online and a session open."""

    lkps: Lkps
    registration: str
    session: str
    expires_at: str

    async def renew(self, registration: str, by: str) -> Answered:
        body = {"token_expires_at": self.expires_at, "routing_version": 1}
        return await self.lkps.send(
            "POST", f"agent/registrations/{registration}/renew", body, by=by
        )

    async def deregister(self, registration: str, by: str) -> Answered:
        return await self.lkps.send("DELETE", f"agent/registrations/{registration}", by=by)

    async def show(self, session: str, by: str) -> Answered:
        return await self.lkps.send("GET", f"session/{session}", by=by)

    async def end(self, session: str, by: str) -> Answered:
        return await self.lkps.send("POST", f"session/{session}/end", by=by)

    async def join(self, session: str, by: str) -> Answered:
        return await self.lkps.send("POST", f"session/{session}/token", by=by)

    async def come_in(self, session: str, by: str) -> Answered:
        """With an invitation that is none."""
        body = {"invitation": "never made"}
        return await self.lkps.send("POST", f"session/{session}/token", body, by=by)

    async def invite(self, session: str, by: str) -> Answered:
        return await self.lkps.send("POST", f"session/{session}/invitations", by=by)

    async def sessions(self, name: str, by: str) -> Answered:
        return await self.lkps.send("GET", f"sessions?agent_name={name}", by=by)

    async def agent(self, name: str, by: str) -> Answered:
        return await self.lkps.send("GET", f"agents/{name}", by=by)

    async def act(self, what: str, whose: str, by: str) -> Answered:
        act: Any = getattr(self, what)
        answered: Answered = await act(whose, by)
        return answered

    def calls(self) -> list[list[object]]:
        """Every call to storage and LiveKit so far; what refusals record is not among them."""
        lkps = self.lkps
        ports = (lkps.agents, lkps.registrations, lkps.sessions, lkps.rooms)
        return [[*port.calls] for port in ports]


@pytest.fixture
async def world() -> World:
    lkps = Lkps()
    registration = await lkps.register()
    runners = [{"tid": TENANT, "oid": guid("sp agent")}]
    body = {"runners": runners, "owners": OWNERS}
    assert (await lkps.assign(body)).status == 200
    session = (await lkps.start()).json["session_id"]
    return World(lkps, registration["registration_id"], session, registration["expires_at"])


@pytest.mark.parametrize("what", ["show", "end"])
@pytest.mark.parametrize("by", [CLIENT, OWNER, PERSON_OWNER, ADMIN, ADMIN_PERSON])
async def test_starter_owners_and_admins_read_and_end_a_session(
    world: World, what: str, by: str
) -> None:
    assert (await world.act(what, world.session, by)).status == 200


@pytest.mark.parametrize("what", ["show", "end"])
@pytest.mark.parametrize(
    "by",
    [
        OTHER_CLIENT,
        ALICE,
        CLIENT_ELSEWHERE,
        CLIENT_OF_SAME_APP,
        OTHER_OWNER,
        OWNER_AS_CLIENT,
        AGENT_AS_CLIENT,
    ],
)
async def test_to_anyone_else_a_session_is_as_unknown_as_one_that_never_was(
    world: World, what: str, by: str
) -> None:
    foreign, foreign_calls = await observed(world, what, world.session, by)
    unknown, unknown_calls = await observed(world, what, UNKNOWN, by)
    assert foreign[0] == 404
    assert foreign == unknown
    assert foreign_calls == unknown_calls
    stored = await world.lkps.sessions.get("concierge", world.session)
    assert stored is not None
    assert stored.row.state == "open"
    assert len(world.lkps.rooms.rooms) == 1


@pytest.mark.parametrize(("what", "status"), [("join", 404), ("come_in", 403), ("invite", 404)])
@pytest.mark.parametrize(
    "by",
    [OTHER_CLIENT, ALICE, CLIENT_ELSEWHERE, CLIENT_OF_SAME_APP, OWNER_AS_CLIENT, AGENT_AS_CLIENT],
)
async def test_nobody_but_the_starter_joins_or_invites_or_learns_of_the_session(
    world: World, what: str, status: int, by: str
) -> None:
    foreign, foreign_calls = await observed(world, what, world.session, by)
    unknown, unknown_calls = await observed(world, what, UNKNOWN, by)
    assert foreign[0] == status
    assert foreign == unknown
    assert foreign_calls == unknown_calls
    stored = await world.lkps.sessions.get("concierge", world.session)
    assert stored is not None
    assert (stored.row.issued, stored.row.invitations) == (1, ())


@pytest.mark.parametrize("what", ["join", "come_in", "invite"])
@pytest.mark.parametrize("by", [OWNER, PERSON_OWNER, ADMIN, ADMIN_PERSON])
async def test_who_manages_an_agent_gets_no_token_of_its_sessions(
    world: World, what: str, by: str
) -> None:
    answer = await world.act(what, world.session, by)
    assert (answer.status, answer.json["code"]) == (403, "permission_lacking")


@pytest.mark.parametrize("by", [OTHER_CLIENT, ALICE, CLIENT_ELSEWHERE, OTHER_OWNER])
async def test_the_sessions_of_a_foreign_agent_and_of_an_unknown_one_are_listed_alike(
    world: World, by: str
) -> None:
    world.lkps = world.lkps.another_process()
    foreign, foreign_calls = await observed(world, "sessions", "concierge", by)
    unknown, unknown_calls = await observed(world, "sessions", "nobody", by)
    assert foreign[0] == 200
    assert foreign == unknown
    assert foreign_calls == unknown_calls


@pytest.mark.parametrize("what", ["show", "end"])
@pytest.mark.parametrize("by", [AGENT, AUDITOR])
async def test_without_a_permission_for_sessions_none_is_seen(
    world: World, what: str, by: str
) -> None:
    answer = await world.act(what, world.session, by)
    assert (answer.status, answer.json["code"]) == (403, "permission_lacking")


@pytest.mark.parametrize("what", ["renew", "deregister"])
@pytest.mark.parametrize("by", [AGENT, AGENT_ELSEWHERE])
async def test_who_registered_renews_and_deregisters(world: World, what: str, by: str) -> None:
    assert (await world.act(what, world.registration, by)).status in (200, 204)


@pytest.mark.parametrize("what", ["renew", "deregister"])
@pytest.mark.parametrize("by", [OTHER_AGENT, ALICE])
async def test_to_anyone_else_a_registration_is_as_unknown_as_one_that_never_was(
    world: World, what: str, by: str
) -> None:
    foreign, foreign_calls = await observed(world, what, world.registration, by)
    unknown, unknown_calls = await observed(world, what, UNKNOWN, by)
    assert foreign[0] == 404
    assert foreign == unknown
    assert foreign_calls == unknown_calls
    stored = await world.lkps.registrations.get("concierge", world.registration)
    assert stored is not None


async def test_another_runner_of_the_name_cannot_touch_the_registration(world: World) -> None:
    runners = [{"tid": TENANT, "oid": guid(f"sp {name}")} for name in ("agent", "other agent")]
    await world.lkps.assign({"runners": runners, "owners": OWNERS})
    for what in ("renew", "deregister"):
        assert (await world.act(what, world.registration, OTHER_AGENT)).status == 404


@pytest.mark.parametrize("what", ["renew", "deregister"])
async def test_who_runs_the_name_no_more_cannot_touch_its_own_registration(
    world: World, what: str
) -> None:
    await world.lkps.assign({"runners": [], "owners": OWNERS})
    answer = await world.act(what, world.registration, AGENT)
    assert (answer.status, answer.json["code"]) == (403, "agent_not_runnable")


@pytest.mark.parametrize("what", ["renew", "deregister"])
@pytest.mark.parametrize("by", [CLIENT, OWNER, ADMIN])
async def test_neither_owners_nor_admins_act_for_an_instance(
    world: World, what: str, by: str
) -> None:
    answer = await world.act(what, world.registration, by)
    assert (answer.status, answer.json["code"]) == (403, "permission_lacking")


@pytest.mark.parametrize("by", [OWNER, PERSON_OWNER, ADMIN, ADMIN_PERSON])
async def test_owners_and_admins_read_an_agent(world: World, by: str) -> None:
    answer = await world.agent("concierge", by)
    assert (answer.status, answer.json["name"]) == (200, "concierge")


@pytest.mark.parametrize("by", [OTHER_OWNER, ALICE])
async def test_to_anyone_else_an_agent_is_as_unknown_as_one_that_never_was(
    world: World, by: str
) -> None:
    world.lkps = world.lkps.another_process()
    foreign, foreign_calls = await observed(world, "agent", "concierge", by)
    unknown, unknown_calls = await observed(world, "agent", "nobody", by)
    assert foreign[0] == 404
    assert foreign == unknown
    assert foreign_calls == unknown_calls


@pytest.mark.parametrize("by", [AGENT, CLIENT, AUDITOR, OWNER, PERSON_OWNER, ALICE])
async def test_only_admins_say_whose_a_name_is(world: World, by: str) -> None:
    answer = await world.lkps.send("PUT", "agents/concierge", {"owners": []}, by=by)
    assert (answer.status, answer.json["code"]) == (403, "permission_lacking")
    assert (await world.agent("concierge", OWNER)).status == 200


@pytest.mark.parametrize("what", ["show", "end", "join", "invite", "renew", "deregister"])
@pytest.mark.parametrize("text", [UNKNOWN_AGENT, "nothing", "concierge--", "a" * 300, "..", "%00"])
async def test_an_id_that_was_never_given_out_is_unknown(
    world: World, what: str, text: str
) -> None:
    by = AGENT if what in ("renew", "deregister") else CLIENT
    assert (await world.act(what, text, by)).status == 404


@pytest.mark.parametrize(
    ("what", "by"),
    [("show", CLIENT), ("end", CLIENT), ("join", CLIENT), ("invite", CLIENT), ("renew", AGENT)],
)
async def test_an_id_of_the_other_kind_is_unknown(world: World, what: str, by: str) -> None:
    other = world.session if what == "renew" else world.registration
    assert (await world.act(what, other, by)).status == 404


async def test_a_foreign_name_cannot_be_registered(world: World) -> None:
    for by in (OTHER_AGENT, ALICE):
        answer = await world.lkps.send("POST", "agent/register", {"agent_name": "concierge"}, by=by)
        assert (answer.status, answer.json["code"]) == (403, "agent_not_runnable")
    (only,) = (await world.agent("concierge", ADMIN)).json["instances"]
    assert only["registration_id"] == world.registration


async def test_a_foreign_and_an_unassigned_name_answer_a_registration_alike() -> None:
    lkps = Lkps({"LKPS_AGENT_NAMES": "assigned"})
    await lkps.assign({"runners": []})
    lkps = lkps.another_process()
    answers = [
        plain(await lkps.send("POST", "agent/register", {"agent_name": name}, by=AGENT))
        for name in ("concierge", "nobody")
    ]
    assert answers[0] == answers[1]


async def observed(
    world: World, what: str, whose: str, by: str
) -> tuple[tuple[int, dict[str, str], bytes], list[list[object]]]:
    """The answer without its request id, and the calls that it cost."""
    before = world.calls()
    answer = await world.act(what, whose, by)
    calls = [after[len(now) :] for now, after in zip(before, world.calls(), strict=True)]
    return plain(answer), calls


def plain(answer: Answered) -> tuple[int, dict[str, str], bytes]:
    request_id = answer.headers["X-Request-ID"]
    headers = {**answer.headers, "X-Request-ID": ""}
    return answer.status, headers, answer.raw.replace(request_id.encode(), b"")
