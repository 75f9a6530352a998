"""Who may call which agent, as its owner, its callers and a stranger live through it."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from dev.platform import Platform
from tests.e2e.parts.lkps import Answer, Lkps, new_agent_name
from tests.e2e.parts.tables import Tables
from tests.sdk.parts.waiting import eventually

FRESH = {"If-Match": "*"}


class Owned:
    """An agent that the admin assigned to its runner `agent` and its owner `manager`."""

    def __init__(self, lkps: Lkps, platform: Platform, name: str) -> None:
        self.lkps = lkps
        self.name = name
        self._platform = platform

    @property
    def path(self) -> str:
        return f"agents/{self.name}"

    def principal(self, who: str) -> dict[str, str]:
        return {
            "tid": self._platform.tenant_id,
            "oid": self._platform.identities[who].object_id,
        }

    async def assign(self) -> None:
        body = {
            "runners": [self.principal("agent")],
            "owners": [self.principal("manager")],
            "beat_id": "BEAT-4711",
            "contact": "crm-team@lkps.example",
            "access_mode": "granted",
        }
        answer = await self.lkps.call("admin", "PUT", self.path, body, {"If-None-Match": "*"})
        assert answer.status == 201, answer.body

    async def change(self, who: str = "manager", **members: object) -> Answer:
        return await self.lkps.call(who, "PATCH", self.path, members, FRESH)

    async def grant(self, who: str = "manager", **terms: object) -> Answer:
        body = {"reason": "the pilot", **terms}
        return await self.lkps.call(who, "POST", f"{self.path}/grants", body)

    async def enforce(self, grant_id: str) -> Answer:
        path = f"{self.path}/grants/{grant_id}"
        return await self.lkps.call("manager", "PATCH", path, {"report_only": False}, FRESH)

    async def check(self, who: str) -> dict[str, object]:
        answer = await self.lkps.call(who, "POST", "authorization/check", {"agent_name": self.name})
        assert answer.status == 200, answer.body
        return answer.json


@pytest.fixture
async def owned(lkps: Lkps, platform: Platform, agent_name: str) -> Owned:
    owned = Owned(lkps, platform, agent_name)
    await owned.assign()
    await lkps.register(agent_name)
    return owned


@pytest.fixture
async def in_crm(platform: Platform, lkps: Lkps) -> Lkps:
    """Callers whose people are signed in through crm-frontend."""
    tenant = platform.tenant.description
    tokens = {
        name: await tenant.access_token(name, ("Session.Start",), through="crm-frontend")
        for name in ("alice", "bob", "otto")
    }
    return Lkps(lkps.url, platform, lkps.session, tokens)


async def test_an_owner_rolls_a_grant_out_in_report_only_and_then_enforces_it(
    platform: Platform, owned: Owned, in_crm: Lkps, tables: Tables
) -> None:
    tenant = platform.tenant.description
    in_a_month = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    granted = await owned.grant(
        client_app_id=tenant.public_clients["crm-frontend"],
        group_id=tenant.groups["sales-eu"],
        expires_at=in_a_month,
        max_sessions=20,
        max_session_seconds=1800,
        report_only=True,
    )
    assert granted.status == 201, granted.body
    alice = await in_crm.start(owned.name, "alice")
    bob = await in_crm.start(owned.name, "bob")
    assert (alice.status, bob.status) == (200, 200)

    rows = await tables.trail(agent_name=owned.name, action="session.authorized")
    by_session = {row["session_id"]: row for row in rows}
    assert "would_deny" not in by_session[alice["session_id"]]
    told = by_session[bob["session_id"]]
    assert (told["rule"], told["would_deny"]) == ("report_only_grant", "group_lacking")
    assert told["grant_id"] == granted.json["grant_id"]

    assert (await owned.enforce(granted.json["grant_id"])).status == 200
    await eventually(lambda: _is_refused(in_crm, owned.name, "bob"), 6)
    alice = await in_crm.start(owned.name, "alice")
    length = await _seconds(in_crm, alice["session_id"], "alice")
    assert length == 1800
    assert (await in_crm.start(owned.name, "otto")).code == "groups_overage"
    (refused,) = await tables.trail(
        agent_name=owned.name, action="request.refused", reason="group_lacking"
    )
    assert refused["oid"] == platform.identities["bob"].object_id


async def test_an_owner_hands_over_and_is_never_locked_out_unknowingly(
    owned: Owned, lkps: Lkps, tables: Tables
) -> None:
    colleague, itself = owned.principal("alice"), owned.principal("manager")
    assert (await owned.change(owners=[])).code == "last_owner"
    assert (await owned.change(owners=[colleague])).code == "would_lock_you_out"
    assert (await owned.change(owners=[colleague, itself])).status == 200
    assert (await owned.change("alice", access_mode="closed")).status == 200
    assert (await owned.change(owners=[colleague], leaving=True)).status == 200
    assert (await owned.change(access_mode="open")).code == "agent_not_found"

    assert (await owned.change("agent", access_mode="open")).code == "permission_lacking"
    assert (await owned.change("alice", runners=[])).code == "permission_lacking"
    rows = await tables.trail(agent_name=owned.name, action="agent.changed")
    assert [set(row["after"]) for row in rows] == [{"owners"}, {"access_mode"}, {"owners"}]
    assert rows[1]["before"] == {"access_mode": "granted"}


async def test_two_people_who_edit_do_not_overwrite_each_other(owned: Owned, lkps: Lkps) -> None:
    read = await lkps.call("manager", "GET", owned.path)
    seen = {"If-Match": read.headers["ETag"]}
    first, second = [
        await lkps.call("manager", "PATCH", owned.path, {"max_sessions": number}, seen)
        for number in (7, 8)
    ]
    blindly = await lkps.call("manager", "PATCH", owned.path, {"max_sessions": 9})
    assert (first.status, second.code, blindly.code) == (
        200,
        "precondition_failed",
        "precondition_required",
    )
    assert (await lkps.call("manager", "GET", owned.path))["max_sessions"] == 7


async def test_a_client_developer_learns_why_and_from_whom_help_comes(
    platform: Platform, owned: Owned, lkps: Lkps
) -> None:
    refused = await lkps.start(owned.name)
    stranger = await owned.check("client")
    assert (refused.status, refused.code) == (403, "agent_not_callable")
    assert refused.json["request_id"] == refused.headers["X-Request-ID"]
    assert (stranger["rule"], stranger.get("contact")) == ("not_callable", None)

    client = platform.identities["client"].client_id
    granted = await owned.grant(client_app_id=client, any_user=True)
    told = await owned.check("client")
    assert (told["allowed"], told["rule"]) == (False, "grant_for_users")
    assert told["contact"] == "crm-team@lkps.example"
    path = f"{owned.path}/grants/{granted.json['grant_id']}"
    assert (await lkps.call("manager", "DELETE", path)).status == 204

    assert (await owned.grant(client_app_id=client)).status == 201
    assert (await owned.check("client"))["rule"] == "granted"
    assert (await lkps.start(owned.name)).status == 200  # at once, for it was refused before


async def test_to_a_stranger_every_agent_and_none_are_alike(
    owned: Owned, lkps: Lkps, platform: Platform
) -> None:
    closed, nobody = Owned(lkps, platform, new_agent_name()), new_agent_name()
    await closed.assign()
    await closed.change("admin", access_mode="closed")
    names = (owned.name, closed.name, nobody)
    starts = [await lkps.start(name, "other-client") for name in names]
    checks = [
        await lkps.call("other-client", "POST", "authorization/check", {"agent_name": name})
        for name in names
    ]
    for answers in (starts, checks):
        assert len({_without_names(one, names) for one in answers}) == 1


async def test_a_limit_holds_when_many_start_at_once(
    owned: Owned, lkps: Lkps, platform: Platform
) -> None:
    client = platform.identities["client"].client_id
    await owned.grant(client_app_id=client, max_sessions=20)
    answers = await asyncio.gather(*(lkps.start(owned.name) for _ in range(60)))
    started = [answer for answer in answers if answer.status == 200]
    refused = [answer for answer in answers if answer.status != 200]
    assert len(started) == 20
    assert {answer.code for answer in refused} == {"too_many_sessions"}
    assert {answer.headers["Retry-After"] for answer in refused} == {"10"}

    await lkps.end(started[0]["session_id"])
    assert (await lkps.start(owned.name)).status == 200


async def test_across_processes_a_limit_is_exceeded_by_what_starts_in_five_seconds_at_the_most(
    platform: Platform, owned: Owned, lkps: Lkps
) -> None:
    client = platform.identities["client"].client_id
    await owned.grant(client_app_id=client, max_sessions=10)
    async with platform.service_process() as other:
        both = (lkps, lkps.at(other.url))
        for one in both:
            await one.start(owned.name)
        starts = (one.start(owned.name) for one in both for _ in range(20))
        answers = await asyncio.gather(*starts)
        assert sum(answer.status == 200 for answer in answers) <= 2 * 10 - 2
        for one in both:
            await eventually(partial(_is_full, one, owned.name), 6)


def _without_names(answer: Answer, names: tuple[str, ...]) -> bytes:
    body = answer.body.replace(answer.headers["X-Request-ID"].encode(), b"")
    for name in names:
        body = body.replace(name.encode(), b"")
    return body


async def _is_refused(lkps: Lkps, agent_name: str, who: str) -> bool:
    answer = await lkps.start(agent_name, who)
    return answer.code == "agent_not_callable"


async def _is_full(lkps: Lkps, agent_name: str) -> bool:
    return (await lkps.start(agent_name)).code == "too_many_sessions"


async def _seconds(lkps: Lkps, session_id: str, who: str) -> float:
    shown = await lkps.show(session_id, who)
    created, ends = (datetime.fromisoformat(shown[name]) for name in ("created_at", "ends_at"))
    return (ends - created).total_seconds()
