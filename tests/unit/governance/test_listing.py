"""Lists: whose entries they have, and that page after page has each of them once."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from lkps_core.agents.model import Agent
from lkps_core.identity import PrincipalId
from lkps_core.policy.model import Grant, Revocation, grant_id
from tests.builders.lkps import ADMIN, ALICE, CLIENT, Lkps, app, guid, user
from tests.builders.tokens import NOW, TENANT
from tests.unit.governance.arranging import (
    ADA,
    CRM_ID,
    OLGA,
    OTHER_OWNER,
    OWNER,
    block,
    change,
    granted,
    ids,
    refused,
)

SOMEBODY = PrincipalId(TENANT, guid("user olga"))
NOBODY = user("nina", "Agent.Manage")
LISTS = {"agents": "agents", "agents/concierge/grants": "grants", "revocations": "revocations"}
KEYS = {"agents": "name", "agents/concierge/grants": "grant_id", "revocations": "revocation_id"}


async def walk(lkps: Lkps, path: str, limit: int, by: str = ADA) -> list[list[str]]:
    """What each page has, by its key, from the first to the last."""
    pages: list[list[str]] = []
    after = ""
    while True:
        answer = await lkps.send("GET", f"{path}?limit={limit}{after}", by=by)
        assert answer.status == 200, answer.raw
        pages.append([one[KEYS[path]] for one in answer.json[LISTS[path]]])
        if "next" not in answer.json:
            return pages
        after = f"&after={answer.json['next']}"


async def add_agents(lkps: Lkps, many: int, owner: PrincipalId = SOMEBODY) -> list[str]:
    names = [f"agent-{number:04}" for number in range(many)]
    for place, name in enumerate(names):
        owners = frozenset((owner,) if place % 3 == 0 else ())
        await lkps.agents.add(Agent(name, frozenset(), owners, NOW))
    return names


async def add_grants(lkps: Lkps, many: int) -> list[str]:
    found: list[str] = []
    for number in range(many):
        group = guid(f"group {number}")
        one = grant_id(TENANT, CRM_ID, "group", group)
        await lkps.grants.add(
            Grant(one, "concierge", TENANT, CRM_ID, "group", group, "a test", SOMEBODY, NOW)
        )
        found.append(one)
    return sorted(found)


async def add_blocks(lkps: Lkps, many: int) -> list[str]:
    subjects = [f"agent:agent-{number:04}" for number in range(many)]
    for subject in subjects:
        await lkps.revocations.add(Revocation(subject, "a test", SOMEBODY, NOW))
    return subjects


ADD: dict[str, Callable[[Lkps, int], Awaitable[list[str]]]] = {
    "agents": add_agents,
    "agents/concierge/grants": add_grants,
    "revocations": add_blocks,
}


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    ("many", "limit"), [(0, 1), (1, 1), (7, 1), (7, 3), (6, 3), (7, 7), (7, 8), (501, 500)]
)
async def test_page_after_page_has_everything_once_and_in_order(
    lkps: Lkps, path: str, many: int, limit: int
) -> None:
    expected = await ADD[path](lkps, many) + (["concierge"] if path == "agents" else [])
    pages = await walk(lkps, path, limit)
    assert [one for page in pages for one in page] == expected
    assert all(len(page) == limit for page in pages[:-1])
    assert pages[-1] or pages == [[]]


@pytest.mark.parametrize("limit", [1, 4, 100])
async def test_an_owner_lists_their_own_agents_among_many(lkps: Lkps, limit: int) -> None:
    names = await add_agents(lkps, 1100)
    pages = await walk(lkps, "agents", limit, by=OLGA)
    assert [one for page in pages for one in page] == [*names[::3], "concierge"]
    assert all(len(page) == limit for page in pages[:-1])


async def test_a_hundred_are_listed_when_nobody_says_how_many(lkps: Lkps) -> None:
    names = await add_agents(lkps, 101)
    answer = await lkps.send("GET", "agents", by=ADA)
    assert [one["name"] for one in answer.json["agents"]] == names[:100]
    assert answer.json["next"] == names[99]


@pytest.mark.parametrize("by", [NOBODY, OTHER_OWNER, ALICE])
async def test_who_owns_no_agent_lists_none(lkps: Lkps, by: str) -> None:
    answer = await lkps.send("GET", "agents", by=by)
    assert (answer.status, answer.json) == (200, {"agents": []})


@pytest.mark.parametrize("by", [OLGA, OWNER, ADA, ADMIN])
async def test_an_agent_in_a_list_is_as_it_is_read_but_for_its_instances(
    lkps: Lkps, by: str
) -> None:
    await change(lkps, {"max_sessions": 7, "report_only": True}, by=ADA)
    await block(lkps, agent_name="concierge")
    (listed,) = (await lkps.send("GET", "agents", by=by)).json["agents"]
    read = (await lkps.send("GET", "agents/concierge", by=by)).json
    assert len(read.pop("instances")) == 1
    assert listed == read
    assert listed["blocked"] is True


async def test_an_owners_lists_change_with_their_ownership(lkps: Lkps) -> None:
    await lkps.assign({"owners": ids("sp other owner")})
    assert (await lkps.send("GET", "agents", by=OLGA)).json == {"agents": []}
    listed = (await lkps.send("GET", "agents", by=OTHER_OWNER)).json["agents"]
    assert [one["name"] for one in listed] == ["concierge"]


async def test_the_grants_of_one_application_stand_together(lkps: Lkps) -> None:
    applications = [guid("app one"), guid("app two"), CRM_ID]
    for number in range(4):
        for client_app_id in applications:
            group_id = guid(f"group {number}")
            await granted(lkps, client_app_id=client_app_id, group_id=group_id)
    pages = await walk(lkps, "agents/concierge/grants", 5, by=OLGA)
    found = [one.split(":")[1] for page in pages for one in page]
    assert found == [one for one in sorted(applications) for _ in range(4)]


async def test_an_expired_grant_is_listed_as_such(lkps: Lkps) -> None:
    await granted(lkps, expires_at=(NOW + timedelta(seconds=10)).isoformat())
    await granted(lkps, any_user=True)
    lkps.clock.pass_by(10)
    listed = (await lkps.send("GET", "agents/concierge/grants", by=OLGA)).json["grants"]
    assert {one["scope"]: one["expired"] for one in listed} == {
        "application": True,
        "any_user": False,
    }


async def test_a_block_that_has_ended_is_listed_no_more(lkps: Lkps) -> None:
    for place in range(6):
        until = (NOW + timedelta(seconds=10 + 10 * (place % 2))).isoformat()
        await block(lkps, agent_name=f"agent-{place}", until=until)
    assert [len(page) for page in await walk(lkps, "revocations", 2)] == [2, 2, 2]
    lkps.clock.pass_by(10)
    pages = await walk(lkps, "revocations", 2)
    assert pages == [["agent:agent-1"], ["agent:agent-3"], ["agent:agent-5"]]


@pytest.mark.parametrize("by", [OLGA, OWNER, CLIENT, app("auditor", "LKPS.Auditor")])
async def test_only_admins_list_blocks(lkps: Lkps, by: str) -> None:
    answer = await lkps.send("GET", "revocations", by=by)
    assert refused(answer) == (403, "permission_lacking")


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", ["0", "501", "-1", "1.5", "ten", "10000", "%31%30 ", "\u0661"])
async def test_a_limit_that_is_no_number_of_entries_is_refused(
    lkps: Lkps, path: str, limit: str
) -> None:
    answer = await lkps.send("GET", f"{path}?limit={limit}", by=ADA)
    assert refused(answer) == (400, "query_invalid")
    assert "limit" in answer.json["detail"]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("after", ["A", "a b", "a/b", "a'", "ä", "a" * 301])
async def test_what_no_list_named_is_refused(lkps: Lkps, path: str, after: str) -> None:
    answer = await lkps.send("GET", f"{path}?after={after}", by=ADA)
    assert refused(answer) == (400, "query_invalid")
    assert "after" in answer.json["detail"]


async def test_what_is_no_block_is_refused_as_where_a_list_of_blocks_goes_on(lkps: Lkps) -> None:
    answer = await lkps.send("GET", "revocations?after=concierge", by=ADA)
    assert refused(answer) == (400, "query_invalid")


async def test_a_list_goes_on_though_the_entry_it_stopped_at_is_gone(lkps: Lkps) -> None:
    subjects = await add_blocks(lkps, 4)
    answer = await lkps.send("GET", "revocations?limit=2", by=ADA)
    await lkps.send("DELETE", f"revocations/{answer.json['next']}", by=ADA)
    answer = await lkps.send("GET", f"revocations?after={answer.json['next']}", by=ADA)
    assert [one["revocation_id"] for one in answer.json["revocations"]] == subjects[2:]
