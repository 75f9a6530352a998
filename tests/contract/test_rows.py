"""The Rows port: in memory and on real Table Storage, the same."""

import asyncio
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Protocol

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dev.platform import Platform
from lkps_core.adapters.memory import MemoryRegistrations, MemoryRows, MemorySessions
from lkps_core.adapters.tables import (
    TableRegistrations,
    TableRows,
    TablesAccount,
    TableSessions,
)
from lkps_core.agents.model import Agent, Registration
from lkps_core.agents.registrations import Registrations
from lkps_core.errors import StorageUnavailable
from lkps_core.identity.principal import PrincipalId
from lkps_core.policy.model import Grant, grant_id
from lkps_core.ports import AlreadyThere, Changed, Rows, Stored
from lkps_core.sessions.guests import Guest
from lkps_core.sessions.live import Sessions
from lkps_core.sessions.model import Session
from tests.builders.forwarder import Forwarder

NOW = datetime(2026, 3, 14, 9, 26, 53, 589793, tzinfo=UTC)
PRINCIPAL = PrincipalId("tenant", "object")


@dataclass
class Tables:
    agents: Rows[Agent]
    registrations: Registrations
    sessions: Sessions
    grants: Rows[Grant]


@pytest.fixture(params=["memory", "azurite"])
def tables(request: pytest.FixtureRequest, account: TablesAccount) -> Tables:
    if request.param == "memory":
        return Tables(
            MemoryRows[Agent](), MemoryRegistrations(), MemorySessions(), MemoryRows[Grant]()
        )
    return Tables(
        TableRows(account, "agents", Agent),
        TableRegistrations(account),
        TableSessions(account),
        TableRows(account, "grants", Grant),
    )


@pytest.fixture
def partition() -> str:
    """An agent's name that no other test uses."""
    return f"agent-{uuid.uuid4().hex}"


def session(partition: str, key: str = "one", **changes: object) -> Session:
    made = Session(
        id=f"{partition}--{key}",
        agent_name=partition,
        starter=PRINCIPAL,
        azp="application",
        room_name="room",
        participant_identity="caller",
        body_sha256="0" * 64,
        attempt="first",
        created_at=NOW,
        ends_at=NOW + timedelta(hours=4),
        token_until=NOW + timedelta(minutes=5),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def registration(partition: str, key: str = "one", **changes: object) -> Registration:
    made = Registration(
        id=f"{partition}--{key}",
        agent_name=partition,
        holder=PRINCIPAL,
        azp="application",
        registered_at=NOW,
        lease_until=NOW + timedelta(seconds=180),
        routing_version=1,
        offered_version=1,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


async def test_what_was_never_added_is_not_there(tables: Tables, partition: str) -> None:
    assert await tables.sessions.get(partition, f"{partition}--one") is None


async def test_what_was_added_is_there_with_its_etag(tables: Tables, partition: str) -> None:
    row = session(partition)
    etag = await tables.sessions.add(row)
    stored = await tables.sessions.get(partition, row.key)
    assert stored is not None
    assert (stored.row, stored.etag) == (row, etag)


async def test_another_row_cannot_take_its_place(tables: Tables, partition: str) -> None:
    row = session(partition)
    await tables.sessions.add(row)
    with pytest.raises(AlreadyThere):
        await tables.sessions.add(session(partition, attempt="second"))
    stored = await tables.sessions.get(partition, row.key)
    assert stored is not None
    assert stored.row == row


async def test_adding_the_very_same_row_again_is_no_conflict(
    tables: Tables, partition: str
) -> None:
    etag = await tables.sessions.add(session(partition))
    assert await tables.sessions.add(session(partition)) == etag


async def test_partitions_have_keys_of_their_own(tables: Tables, partition: str) -> None:
    rows = [session(partition, id="same"), session(f"{partition}-2", id="same")]
    for row in rows:
        await tables.sessions.add(row)
    for row in rows:
        stored = await tables.sessions.get(row.partition, "same")
        assert stored is not None
        assert stored.row == row


async def test_what_was_read_can_be_replaced_once(tables: Tables, partition: str) -> None:
    etag = await tables.sessions.add(session(partition))
    joined = session(partition, issued=2)
    newer = await tables.sessions.replace(joined, etag)
    assert newer != etag
    with pytest.raises(Changed):
        await tables.sessions.replace(session(partition, issued=3), etag)
    stored = await tables.sessions.get(partition, joined.key)
    assert stored is not None
    assert (stored.row, stored.etag) == (joined, newer)


async def test_replacing_with_the_very_same_row_again_is_no_conflict(
    tables: Tables, partition: str
) -> None:
    etag = await tables.sessions.add(session(partition))
    joined = session(partition, issued=2)
    newer = await tables.sessions.replace(joined, etag)
    assert await tables.sessions.replace(joined, etag) == newer


async def test_members_that_became_nothing_are_gone(tables: Tables, partition: str) -> None:
    ended = session(partition, state="ended", ended_at=NOW, cause="ended_by_admin")
    etag = await tables.sessions.add(ended)
    await tables.sessions.replace(session(partition), etag)
    stored = await tables.sessions.get(partition, ended.key)
    assert stored is not None
    assert (stored.row.ended_at, stored.row.cause) == (None, None)


async def test_what_is_not_there_cannot_be_replaced(tables: Tables, partition: str) -> None:
    with pytest.raises(Changed):
        await tables.sessions.replace(session(partition), 'W/"any"')
    assert await tables.sessions.get(partition, f"{partition}--one") is None


async def test_what_was_read_can_be_removed(tables: Tables, partition: str) -> None:
    row = session(partition)
    etag = await tables.sessions.add(row)
    await tables.sessions.remove(row, etag)
    assert await tables.sessions.get(partition, row.key) is None


async def test_removing_what_is_gone_is_no_conflict(tables: Tables, partition: str) -> None:
    row = session(partition)
    etag = await tables.sessions.add(row)
    await tables.sessions.remove(row, etag)
    await tables.sessions.remove(row, etag)
    assert await tables.sessions.get(partition, row.key) is None


async def test_what_was_changed_since_cannot_be_removed(tables: Tables, partition: str) -> None:
    row = session(partition)
    etag = await tables.sessions.add(row)
    await tables.sessions.replace(session(partition, issued=2), etag)
    with pytest.raises(Changed):
        await tables.sessions.remove(row, etag)
    assert await tables.sessions.get(partition, row.key) is not None


async def test_what_was_removed_can_be_added_anew(tables: Tables, partition: str) -> None:
    row = session(partition)
    await tables.sessions.remove(row, await tables.sessions.add(row))
    await tables.sessions.add(session(partition, attempt="second"))
    stored = await tables.sessions.get(partition, row.key)
    assert stored is not None
    assert stored.row.attempt == "second"


TEXTS = ["", "'", '"', "\\", "a\nb", "ünïcödé", "\U0001f600", "{}", "null", "0", "2026-03-14"]


@pytest.mark.parametrize("text", TEXTS)
async def test_a_text_comes_back_as_it_was(tables: Tables, partition: str, text: str) -> None:
    row = registration(partition, version=text, instance=text, labels={text: text, "": text})
    await tables.registrations.add(row)
    stored = await tables.registrations.get(partition, row.key)
    assert stored is not None
    assert stored.row == row


@pytest.mark.parametrize(
    "moment",
    [
        NOW,
        NOW.replace(microsecond=0),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, tzinfo=UTC),
    ],
)
async def test_a_moment_comes_back_to_the_microsecond(
    tables: Tables, partition: str, moment: datetime
) -> None:
    row = session(partition, created_at=moment, ends_at=moment, ended_at=moment)
    await tables.sessions.add(row)
    stored = await tables.sessions.get(partition, row.key)
    assert stored is not None
    assert stored.row == row


@pytest.mark.parametrize("many", [0, 1, 50])
async def test_a_set_of_principals_comes_back_as_it_was(
    tables: Tables, partition: str, many: int
) -> None:
    everyone = frozenset(PrincipalId(str(uuid.uuid4()), str(uuid.uuid4())) for _ in range(many))
    row = Agent(partition, everyone, everyone, NOW, routing_version=2**31 - 1)
    await tables.agents.add(row)
    stored = await tables.agents.get("agents", partition)
    assert stored is not None
    assert stored.row == row


PRINTABLE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=128)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(PRINTABLE | st.none(), st.dictionaries(PRINTABLE, PRINTABLE, max_size=16))
async def test_whatever_an_instance_says_of_itself_comes_back(
    tables: Tables, text: str | None, labels: dict[str, str]
) -> None:
    key = uuid.uuid4().hex
    row = registration("any", key, version=text, labels=labels)
    await tables.registrations.add(row)
    stored = await tables.registrations.get("any", row.key)
    assert stored is not None
    assert stored.row == row


async def test_rows_added_in_one_moment_are_all_there(tables: Tables, partition: str) -> None:
    rows = [session(partition, str(number)) for number in range(64)]
    etags = await asyncio.gather(*(tables.sessions.add(row) for row in rows))
    for row, etag in zip(rows, etags, strict=True):
        stored = await tables.sessions.get(partition, row.key)
        assert stored is not None
        assert (stored.row, stored.etag) == (row, etag)


async def test_of_many_rows_in_one_moment_one_in_conflict_fails_alone(
    tables: Tables, partition: str
) -> None:
    await tables.sessions.add(session(partition, "3", attempt="before"))
    await tables.sessions.add(session(partition, "4"))
    rows = [session(partition, str(number)) for number in range(10)]
    outcomes = await asyncio.gather(
        *(tables.sessions.add(row) for row in rows), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [str] * 3 + [AlreadyThere] + [str] * 6
    for row in rows:
        stored = await tables.sessions.get(partition, row.key)
        assert stored is not None
        assert stored.row.attempt == ("before" if row.key.endswith("--3") else "first")


async def test_of_rows_that_want_one_place_in_one_moment_one_gets_it_and_no_other_suffers(
    tables: Tables, partition: str
) -> None:
    rivals = [session(partition, attempt=attempt) for attempt in ("one", "other", "third")]
    rows = [session(partition, "before"), *rivals, session(partition, "after")]
    outcomes = await asyncio.gather(
        *(tables.sessions.add(row) for row in rows), return_exceptions=True
    )
    expected = [str, str, AlreadyThere, AlreadyThere, str]
    assert [type(outcome) for outcome in outcomes] == expected


async def test_the_very_same_row_twice_in_one_moment_is_one_row(
    tables: Tables, partition: str
) -> None:
    etags = await asyncio.gather(*(tables.sessions.add(session(partition)) for _ in range(3)))
    assert len(set(etags)) == 1


async def test_who_gives_up_does_not_keep_others_from_their_rows(
    tables: Tables, partition: str
) -> None:
    rows = [session(partition, str(number)) for number in range(4)]
    adding = [asyncio.create_task(tables.sessions.add(row)) for row in rows]
    await asyncio.sleep(0)
    adding[0].cancel()
    adding[2].cancel()
    await asyncio.gather(*adding, return_exceptions=True)
    for number in (1, 3):
        assert await tables.sessions.get(partition, rows[number].key) is not None


def grant(partition: str, client: str, scope_id: str) -> Grant:
    return Grant(
        id=grant_id("tenant", client, "user", scope_id),
        agent_name=partition,
        tid="tenant",
        client_app_id=client,
        scope="user",
        scope_id=scope_id,
        reason="a test",
        granted_by=PRINCIPAL,
        granted_at=NOW,
    )


def keys(page: Sequence[Stored[Grant]]) -> list[str]:
    return [stored.row.key for stored in page]


async def test_a_partitions_rows_come_in_the_order_of_their_keys_with_their_etags(
    tables: Tables, partition: str
) -> None:
    assert await tables.grants.page(partition) == []
    rows = [grant(partition, "client", str(number)) for number in range(12)]
    etags = {row.key: await tables.grants.add(row) for row in rows}
    await tables.grants.add(grant(f"{partition}x", "client", "elsewhere"))
    page = await tables.grants.page(partition)
    assert keys(page) == sorted(etags)
    assert {stored.row.key: stored.etag for stored in page} == etags


async def test_pages_of_any_size_hold_every_row_once(tables: Tables, partition: str) -> None:
    for number in range(7):
        await tables.grants.add(grant(partition, "client", str(number)))
    everything = keys(await tables.grants.page(partition))
    for most in (1, 2, 3, 7, 8):
        read: list[str] = []
        while page := await tables.grants.page(partition, after=(read or [""])[-1], most=most):
            assert len(page) <= most
            read += keys(page)
        assert read == everything


async def test_one_range_holds_one_clients_rows_and_no_others(
    tables: Tables, partition: str
) -> None:
    for client in ("client", "client-0", "clienta", "clien", "other"):
        for scope_id in ("one", "two"):
            await tables.grants.add(grant(partition, client, scope_id))
    page = await tables.grants.page(partition, after="tenant:client:", before="tenant:client;")
    assert {stored.row.client_app_id for stored in page} == {"client"}
    assert len(page) == 2


async def test_a_page_beyond_what_the_service_gives_at_once_is_read_whole(
    tables: Tables, partition: str
) -> None:
    rows = [grant(partition, "client", str(number)) for number in range(1100)]
    for batch in batched(rows, 100, strict=True):
        await asyncio.gather(*(tables.grants.add(row) for row in batch))
    assert len(await tables.grants.page(partition, most=1100)) == 1100
    assert len(await tables.grants.page(partition, most=1050)) == 1050


async def test_live_sessions_have_neither_ended_nor_outlived_their_longest_duration(
    tables: Tables, partition: str
) -> None:
    elsewhere = f"{partition}x"
    rows = [
        session(partition, "one"),
        session(partition, "two", state="ended"),
        session(partition, "three", state="ending"),
        session(elsewhere, "one"),
        session(partition, "four", ends_at=NOW + timedelta(microseconds=1)),
        session(partition, "five", ends_at=NOW),
    ]
    for row in rows:
        await tables.sessions.add(row)
    assert await tables.sessions.live_of(partition, NOW) == [rows[4], rows[0], rows[2]]
    later = NOW + timedelta(seconds=1)
    everywhere = [row for row in await tables.sessions.live_anywhere(later) if row in rows]
    assert everywhere == [rows[0], rows[2], rows[3]]
    stored = await tables.sessions.get(partition, rows[0].id)
    assert stored is not None
    await tables.sessions.replace(replace(rows[0], state="ended"), stored.etag)
    assert await tables.sessions.live_of(partition, later) == [rows[2]]


async def test_sessions_that_have_not_ended_are_read_on_by_agent_and_id(
    tables: Tables, partition: str
) -> None:
    rows = [
        session(partition, "1"),
        session(partition, "2", state="ended"),
        session(partition, "3", state="ending"),
        session(f"{partition}x", "0", state="abandoned"),
        session(f"{partition}x", "2"),
    ]
    for row in rows:
        await tables.sessions.add(row)
    read, place = [], (partition, "")
    while found := await tables.sessions.live_after(*place, most=2):
        read += [stored.row for stored in found]
        place = (found[-1].row.partition, found[-1].row.key)
        assert len(found) <= 2
    assert [row for row in read if row in rows] == [rows[0], rows[2], rows[3], rows[4]]


async def test_sessions_are_due_once_their_time_has_passed(tables: Tables, partition: str) -> None:
    joined = {"joined_at": NOW, "agent_state": "joined"}
    rows = [
        session(partition, "1", ends_at=NOW - timedelta(seconds=1), **joined),
        session(partition, "2", ends_at=NOW, **joined),
        session(partition, "3", ends_at=NOW + timedelta(hours=1), **joined),
        session(partition, "4", state="ended", ended_at=NOW - timedelta(hours=25)),
        session(partition, "5", state="ended", ended_at=NOW - timedelta(hours=23)),
    ]
    for row in rows:
        await tables.sessions.add(row)
    due = [stored.row for stored in await tables.sessions.due(NOW, 1000)]
    assert [row for row in due if row in rows] == [rows[0], rows[3]]
    assert len(await tables.sessions.due(NOW, 1)) == 1


async def test_registrations_lapse_some_time_after_their_lease(
    tables: Tables, partition: str
) -> None:
    rows = [
        registration(partition, "over", lease_until=NOW - timedelta(seconds=1)),
        registration(partition, "running", lease_until=NOW),
    ]
    for row in rows:
        await tables.registrations.add(row)
    lapsed = [stored.row for stored in await tables.registrations.lapsed(NOW, 1000)]
    assert [row for row in lapsed if row in rows] == [rows[0]]


async def test_an_agents_sessions_are_told_page_by_page_all_or_one_starters_or_live_ones(
    tables: Tables, partition: str
) -> None:
    stranger = PrincipalId("tenant", "another")
    rows = [
        session(partition, "a"),
        session(partition, "b", starter=stranger),
        session(partition, "c", azp="another"),
        session(partition, "d", state="ended"),
        session(partition, "e", state="ending", guests=(Guest(stranger, "x", "guest"),)),
        session(f"{partition}x", "a"),
    ]
    for row in reversed(rows):
        await tables.sessions.add(row)
    own = rows[0].started_by

    async def told(
        after: str = "", most: int = 9, started_by: str | None = None, *, are_live: bool = False
    ) -> list[str]:
        found = await tables.sessions.of_agent(
            partition, after=after, most=most, started_by=started_by, are_live=are_live
        )
        assert all(one in rows for one in found)
        return [one.id[-1] for one in found]

    assert await told() == [*"abcde"]
    assert await told(most=2) == [*"ab"]
    assert await told(after=f"{partition}--b", most=2) == [*"cd"]
    assert await told(started_by=own) == [*"ade"]
    assert await told(started_by=own, most=1, after=f"{partition}--a") == ["d"]
    assert await told(started_by=own, are_live=True) == [*"ae"]
    assert await told(are_live=True) == [*"abce"]
    assert await told(started_by="nobody") == []


async def test_registrations_are_live_while_their_lease_runs(
    tables: Tables, partition: str
) -> None:
    leases = {"a": -60.0, "b": 0.0, "c": 0.000001, "d": 0.5, "e": 60.0, "f": 1e6}
    for key, seconds in leases.items():
        lease_until = NOW + timedelta(seconds=seconds)
        await tables.registrations.add(registration(partition, key, lease_until=lease_until))
    await tables.registrations.add(registration(f"{partition}-2", "g"))
    found = await tables.registrations.live(partition, NOW, 100)
    assert [row.id[-1] for row in found] == ["c", "d", "e", "f"]


@pytest.mark.parametrize("microsecond", [0, 1, 999_999])
async def test_a_fraction_of_a_second_does_not_end_a_lease_early(
    tables: Tables, partition: str, microsecond: int
) -> None:
    now = NOW.replace(microsecond=microsecond)
    for key, shift in (("over", 0), ("running", 1)):
        lease_until = now + timedelta(microseconds=shift)
        await tables.registrations.add(registration(partition, key, lease_until=lease_until))
    found = await tables.registrations.live(partition, now, 100)
    assert [row.id for row in found] == [f"{partition}--running"]


async def test_a_renewed_lease_is_live_again(tables: Tables, partition: str) -> None:
    etag = await tables.registrations.add(registration(partition, lease_until=NOW))
    assert await tables.registrations.live(partition, NOW, 100) == []
    renewed = registration(partition)
    await tables.registrations.replace(renewed, etag)
    assert await tables.registrations.live(partition, NOW, 100) == [renewed]


async def test_no_more_live_registrations_are_told_than_asked_for(
    tables: Tables, partition: str
) -> None:
    for number in range(5):
        await tables.registrations.add(registration(partition, str(number)))
    assert len(await tables.registrations.live(partition, NOW, 3)) == 3


class Asking(Protocol):
    async def __call__(self, tables: Tables, row: Session) -> object: ...


CALLS: dict[str, Asking] = {
    "get": lambda tables, row: tables.sessions.get(row.partition, row.key),
    "add": lambda tables, row: tables.sessions.add(row),
    "replace": lambda tables, row: tables.sessions.replace(row, 'W/"any"'),
    "remove": lambda tables, row: tables.sessions.remove(row, 'W/"any"'),
    "live": lambda tables, row: tables.registrations.live(row.agent_name, NOW, 1),
    "page": lambda tables, row: tables.grants.page(row.agent_name),
    "live_of": lambda tables, row: tables.sessions.live_of(row.agent_name, NOW),
    "live_anywhere": lambda tables, _: tables.sessions.live_anywhere(NOW),
    "live_after": lambda tables, row: tables.sessions.live_after(row.agent_name, "", most=1),
    "of_agent": lambda tables, row: tables.sessions.of_agent(row.agent_name, after="", most=1),
    "due": lambda tables, _: tables.sessions.due(NOW, 1),
    "lapsed": lambda tables, _: tables.registrations.lapsed(NOW, 1),
}

SCANS = {"live_anywhere", "live_after", "of_agent", "due", "lapsed"}


@pytest.mark.parametrize("call", CALLS)
async def test_in_memory_a_table_can_be_down(call: str, partition: str) -> None:
    tables = Tables(
        MemoryRows[Agent](), MemoryRegistrations(), MemorySessions(), MemoryRows[Grant]()
    )
    for table in (tables.sessions, tables.registrations, tables.grants):
        assert isinstance(table, MemoryRows)
        table.down = True
    with pytest.raises(StorageUnavailable):
        await CALLS[call](tables, session(partition))


class TestOnAzurite:
    """What only the real adapter has: a wire that breaks, and transactions."""

    @pytest.fixture
    def tables(self, account: TablesAccount) -> Tables:
        return Tables(
            TableRows(account, "agents", Agent),
            TableRegistrations(account),
            TableSessions(account),
            TableRows(account, "grants", Grant),
        )

    async def test_rows_of_one_partition_share_their_transactions(
        self, tables: Tables, partition: str, forwarder: Forwarder
    ) -> None:
        await tables.sessions.add(session(partition, "first"))
        forwarder.requests.clear()
        rows = [session(partition, str(number)) for number in range(64)]
        await asyncio.gather(*(tables.sessions.add(row) for row in rows))
        assert forwarder.requests == ["POST /devstoreaccount1/$batch"] * 4

    async def test_a_row_alone_is_one_request(
        self, tables: Tables, partition: str, forwarder: Forwarder
    ) -> None:
        await tables.sessions.add(session(partition, "first"))
        forwarder.requests.clear()
        await tables.sessions.add(session(partition))
        assert forwarder.requests == ["POST /devstoreaccount1/sessions"]

    async def test_rows_of_two_partitions_do_not_wait_for_each_other(
        self, tables: Tables, partition: str, forwarder: Forwarder
    ) -> None:
        await tables.sessions.add(session(partition, "first"))
        forwarder.requests.clear()
        rows = [session(f"{partition}-{number}") for number in range(3)]
        await asyncio.gather(*(tables.sessions.add(row) for row in rows))
        assert forwarder.requests == ["POST /devstoreaccount1/sessions"] * 3

    @pytest.mark.parametrize("many", [1, 5])
    async def test_an_insertion_whose_answer_was_lost_has_happened_once(
        self, tables: Tables, partition: str, forwarder: Forwarder, many: int
    ) -> None:
        await tables.sessions.add(session(partition, "first"))
        forwarder.answers_to_lose = 1
        rows = [session(partition, str(number)) for number in range(many)]
        etags = await asyncio.gather(*(tables.sessions.add(row) for row in rows))
        for row, etag in zip(rows, etags, strict=True):
            stored = await tables.sessions.get(partition, row.key)
            assert stored is not None
            assert stored.etag == etag

    async def test_a_change_whose_answer_was_lost_has_happened_once(
        self, tables: Tables, partition: str, forwarder: Forwarder
    ) -> None:
        etag = await tables.sessions.add(session(partition))
        forwarder.answers_to_lose = 1
        newer = await tables.sessions.replace(session(partition, issued=2), etag)
        stored = await tables.sessions.get(partition, f"{partition}--one")
        assert stored is not None
        assert (stored.row.issued, stored.etag) == (2, newer)

    async def test_a_removal_whose_answer_was_lost_has_happened(
        self, tables: Tables, partition: str, forwarder: Forwarder
    ) -> None:
        etag = await tables.sessions.add(session(partition))
        forwarder.answers_to_lose = 1
        await tables.sessions.remove(session(partition), etag)
        assert await tables.sessions.get(partition, f"{partition}--one") is None

    @pytest.mark.parametrize("call", CALLS)
    async def test_a_server_that_keeps_breaking_off_is_unavailable(
        self, tables: Tables, partition: str, forwarder: Forwarder, call: str
    ) -> None:
        await tables.sessions.add(session(partition, "first"))
        forwarder.answers_to_lose = 10
        with pytest.raises(StorageUnavailable):
            await CALLS[call](tables, session(partition))

    @pytest.mark.parametrize("call", CALLS)
    async def test_a_server_that_hangs_is_unavailable_in_time_and_then_again_there(
        self, platform: Platform, tables: Tables, partition: str, call: str
    ) -> None:
        await tables.sessions.add(session(partition, "first"))
        began = time.monotonic()
        platform.azurite.pause()
        try:
            with pytest.raises(StorageUnavailable):
                await CALLS[call](tables, session(partition))
        finally:
            platform.azurite.resume()
        assert time.monotonic() - began < (6 if call in SCANS else 3)
        await tables.sessions.add(session(partition, "after"))

    @pytest.mark.parametrize("call", CALLS)
    async def test_a_server_that_is_not_there_is_unavailable_at_once(
        self, platform: Platform, partition: str, call: str
    ) -> None:
        nowhere = platform.azurite.connection_string.replace(f":{platform.azurite.port}", ":1")
        account = TablesAccount.from_connection_string(nowhere)
        try:
            tables = Tables(
                TableRows(account, "agents", Agent),
                TableRegistrations(account),
                TableSessions(account),
                TableRows(account, "grants", Grant),
            )
            with pytest.raises(StorageUnavailable):
                await CALLS[call](tables, session(partition))
            with pytest.raises(StorageUnavailable):
                await account.ping()
        finally:
            await account.close()

    @pytest.mark.filterwarnings("ignore:Testing an element's truth value:DeprecationWarning")
    async def test_a_wrong_key_is_told_as_unavailable(
        self, platform: Platform, partition: str
    ) -> None:
        connection = platform.azurite.connection_string
        before, _, rest = connection.partition("AccountKey=")
        wrong = f"{before}AccountKey=d3Jvbmc={rest[rest.index(';') :]}"
        account = TablesAccount.from_connection_string(wrong)
        rows = TableRows(account, "sessions", Session)
        try:
            for attempt in (account.ping, lambda: rows.add(session(partition))):
                with pytest.raises(StorageUnavailable) as refused:
                    await attempt()
                assert refused.value.reason.endswith(("AuthorizationFailure", "403"))
        finally:
            await account.close()

    async def test_a_table_that_is_missing_is_made_at_the_first_call(
        self, account: TablesAccount, tables: Tables, partition: str
    ) -> None:
        await account.ping()
        await account._service.delete_table("agents")
        row = Agent(partition, frozenset(), frozenset(), NOW)
        await tables.agents.add(row)
        stored = await tables.agents.get("agents", partition)
        assert stored is not None
        assert stored.row == row

    async def test_outside_local_a_missing_table_is_told_and_not_made(
        self, account: TablesAccount, tables: Tables
    ) -> None:
        await account.ping()
        await account._service.delete_table("agents")
        elsewhere = TablesAccount(account._service, account.insertion)
        with pytest.raises(StorageUnavailable) as refused:
            await elsewhere.ping()
        assert "TableNotFound" in refused.value.reason
        await account.ping()

    @pytest.mark.parametrize("key", ["", "a/b", "a\\b", "a#b", "a?b", "a b", "a'b", "é", "a" * 513])
    async def test_a_key_that_tables_do_not_take_never_reaches_them(
        self, tables: Tables, forwarder: Forwarder, key: str
    ) -> None:
        with pytest.raises(ValueError, match="not a table key"):
            await tables.sessions.get("partition", key)
        with pytest.raises(ValueError, match="not a table key"):
            await tables.sessions.add(session("partition", id=key))
        assert forwarder.requests == []


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (202, b"no transaction's answer"),
        (202, b"HTTP/1.1 204 No Content\r\netag: one\r\n"),
        (202, b"HTTP/1.1 500 Internal Server Error\r\n"),
        (200, b"<html>a portal's page</html>"),
        (307, b""),
        (400, b'{"odata.error":{"code":"InvalidDuplicateRow"}}'),
        (403, b""),
        (503, b"busy"),
    ],
)
async def test_a_transaction_whose_answer_is_none_is_unavailable(
    partition: str, status: int, body: bytes
) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=status, body=body, headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        account = TablesAccount.from_connection_string(
            f"AccountName=account;AccountKey=c2VjcmV0;TableEndpoint={server.make_url('/account')};"
        )
        try:
            rows = TableRows(account, "sessions", Session)
            outcomes = await asyncio.gather(
                *(rows.add(session(partition, str(number))) for number in range(3)),
                return_exceptions=True,
            )
        finally:
            await account.close()
    assert [type(outcome) for outcome in outcomes] == [StorageUnavailable] * 3
    assert set(asked) == {"/account/$batch"}
