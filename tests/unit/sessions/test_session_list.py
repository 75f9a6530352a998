"""Lists of an agent's sessions: whose they have, in which state, page after page."""

from dataclasses import replace
from typing import Any

import pytest

from lkps_core.agents.names import id_of
from lkps_core.identity.principal import PrincipalId
from tests.builders.lkps import (
    ADMIN,
    AGENT,
    ALICE,
    AUDITOR,
    CLIENT,
    CLIENT_ELSEWHERE,
    OTHER_CLIENT,
    Answered,
    Lkps,
    app,
    guid,
    user,
)
from tests.builders.tokens import TENANT
from tests.unit.sessions.arranging import Talk, started
from tests.unit.sessions.coming_in import BOB, come_in, refused

OWNER = app("owner", "LKPS.Manage")
PERSON_OWNER = user("olga", "Agent.Manage")
CLIENT_AS_MANAGER = app("client", "LKPS.Manage")


@pytest.fixture
async def talk(lkps: Lkps) -> Talk:
    """Beside it, one of another client's."""
    await lkps.assign(
        {
            "runners": [{"tid": TENANT, "oid": guid("sp agent")}],
            "owners": [{"tid": TENANT, "oid": guid(name)} for name in ("sp owner", "user olga")],
        }
    )
    await lkps.start(by=OTHER_CLIENT)
    return await started(lkps)


async def ask(lkps: Lkps, query: str = "agent_name=concierge", by: str = CLIENT) -> Answered:
    return await lkps.send("GET", f"sessions?{query}", by=by)


async def listed(lkps: Lkps, query: str = "agent_name=concierge", by: str = CLIENT) -> list[Any]:
    answer = await ask(lkps, query, by)
    assert answer.status == 200, answer.raw
    return [one["session_id"] for one in answer.json["sessions"]]


async def walk(lkps: Lkps, limit: int, by: str, state: str = "") -> list[list[str]]:
    pages: list[list[str]] = []
    after = ""
    while True:
        answer = await ask(lkps, f"agent_name=concierge&limit={limit}{state}{after}", by)
        pages.append([one["session_id"] for one in answer.json["sessions"]])
        if "next" not in answer.json:
            return pages
        after = f"&after={answer.json['next']}"


async def fill(talk: Talk, many: int) -> list[str]:
    """With sessions of the client's; their ids."""
    ids = sorted(id_of("concierge", (7000 + number).to_bytes(16)) for number in range(many))
    for one in ids:
        await talk.lkps.sessions.add(replace(talk.row, id=one))
    return ids


async def test_a_starter_lists_its_own(talk: Talk) -> None:
    assert await listed(talk.lkps) == [talk.id]
    assert len(await listed(talk.lkps, by=OTHER_CLIENT)) == 1


@pytest.mark.parametrize("by", [OWNER, PERSON_OWNER, ADMIN])
async def test_owners_and_admins_list_all(talk: Talk, by: str) -> None:
    assert await listed(talk.lkps, by=by) == sorted(key for _, key in talk.lkps.sessions._rows)


@pytest.mark.parametrize("by", [BOB, ALICE, CLIENT_ELSEWHERE, CLIENT_AS_MANAGER])
@pytest.mark.parametrize("name", ["concierge", "nobody"])
async def test_who_has_none_lists_none_of_a_foreign_agent_and_of_an_unknown_one_alike(
    talk: Talk, by: str, name: str
) -> None:
    answer = await ask(talk.lkps, f"agent_name={name}&limit=1", by)
    assert (answer.status, answer.json) == (200, {"sessions": []})


async def test_a_guest_lists_none(talk: Talk) -> None:
    await come_in(talk)
    assert await listed(talk.lkps, by=BOB) == []


@pytest.mark.parametrize("by", [AGENT, AUDITOR])
async def test_without_a_permission_for_sessions_none_is_listed(talk: Talk, by: str) -> None:
    assert refused(await ask(talk.lkps, by=by)) == (403, "permission_lacking")


async def test_one_is_as_it_is_read_without_asking_livekit(talk: Talk) -> None:
    read = await talk.show()
    talk.lkps.rooms.down = True
    (one,) = (await ask(talk.lkps)).json["sessions"]
    assert one == read
    assert "agent_jobs" not in one


async def test_what_became_of_an_agents_jobs_is_for_its_owners(talk: Talk) -> None:
    registration_id = (await talk.lkps.register())["registration_id"]
    (job,) = talk.agents
    await talk.report(registration_id, job, "failed", reason="value error")
    path = f"session/{talk.id}"
    found = await ask(talk.lkps, by=OWNER)
    (one,) = [one for one in found.json["sessions"] if one["session_id"] == talk.id]
    assert one["agent_jobs"] == [
        {
            "participant_identity": job,
            "outcome": "failed",
            "reason": "value error",
            "registration_id": registration_id,
        }
    ]
    assert (one["agent_dispatches"], one["agent_outcome"]) == (2, "failed")
    for by in (OWNER, ADMIN):
        shown = (await talk.lkps.send("GET", path, by=by)).json
        assert shown["agent_jobs"][0] == one["agent_jobs"][0]
    assert "agent_jobs" not in await talk.show()


async def test_they_are_listed_by_state(talk: Talk) -> None:
    over = await started(talk.lkps)
    await talk.lkps.send("POST", f"session/{over.id}/end", by=CLIENT)
    at_its_end = await started(talk.lkps)
    talk.lkps.rooms.down = True
    await talk.lkps.send("POST", f"session/{at_its_end.id}/end", by=CLIENT)
    both = sorted((over.id, at_its_end.id))
    assert await listed(talk.lkps, "agent_name=concierge&state=open") == [talk.id]
    assert await listed(talk.lkps, "agent_name=concierge&state=ended") == both
    assert await listed(talk.lkps) == sorted((talk.id, *both))


async def test_a_start_that_failed_is_not_listed(talk: Talk) -> None:
    stored = await talk.lkps.sessions.get("concierge", talk.id)
    assert stored is not None
    await talk.lkps.sessions.replace(replace(stored.row, state="abandoned"), stored.etag)
    for state in ("", "&state=open", "&state=ended"):
        assert await listed(talk.lkps, f"agent_name=concierge{state}") == []


@pytest.mark.parametrize(("many", "limit"), [(0, 1), (1, 1), (7, 3), (8, 9), (501, 500)])
async def test_page_after_page_has_everything_once_and_in_order(
    talk: Talk, many: int, limit: int
) -> None:
    ids = sorted([*await fill(talk, many), talk.id])
    pages = await walk(talk.lkps, limit, CLIENT)
    assert [one for page in pages for one in page] == ids
    assert all(len(page) == limit for page in pages[:-1])


async def test_a_page_of_one_state_goes_on_over_those_of_the_other(talk: Talk) -> None:
    ids = await fill(talk, 7)
    for one in ids[::2]:
        stored = await talk.lkps.sessions.get("concierge", one)
        assert stored is not None
        await talk.lkps.sessions.replace(replace(stored.row, state="ended"), stored.etag)
    pages = await walk(talk.lkps, 2, CLIENT, "&state=ended")
    assert [one for page in pages for one in page] == ids[::2]


async def test_where_a_list_goes_on_nothing_of_others_is_told(talk: Talk) -> None:
    mine = await fill(talk, 3)
    stranger = PrincipalId(TENANT, guid("sp stranger"))
    for number in range(5):
        foreign = id_of("concierge", (9000 + number).to_bytes(16))
        await talk.lkps.sessions.add(replace(talk.row, id=foreign, starter=stranger))
    answer = await ask(talk.lkps, "agent_name=concierge&limit=3")
    assert answer.json["next"] in {*mine, talk.id}


async def test_a_hundred_are_listed_when_nobody_says_how_many(talk: Talk) -> None:
    await fill(talk, 101)
    assert len(await listed(talk.lkps)) == 100


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", "agent_name"),
        ("agent_name=", "agent_name"),
        ("agent_name=NO%20NAME", "agent_name"),
        ("agent_name=concierge&state=joined", "state"),
        ("agent_name=concierge&limit=501", "limit"),
        ("agent_name=concierge&after=A", "after"),
        ("agent_name=concierge&after=other--" + "a" * 26, "after"),
        ("agent_name=concierge&stat=open", "state"),
    ],
)
async def test_a_question_that_is_none_is_refused(talk: Talk, query: str, names: str) -> None:
    answer = await ask(talk.lkps, query)
    assert refused(answer) == (400, "query_invalid")
    assert names in answer.json["detail"]
