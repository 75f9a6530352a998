"""`lkps audit query`, `reindex` and `holds`: the trail, asked, and what must be kept of it."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from lkps_core.errors import PermissionLacking
from tests.sdk.cli.parts.answers import CLIENT, OWNER, USER
from tests.sdk.cli.parts.audit import COMPLETE, hold, row, rows
from tests.sdk.cli.parts.command import Command
from tests.sdk.cli.parts.lkps import LkpsStandIn


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ((), {}),
        (("--session", "concierge--1"), {"session_id": "concierge--1"}),
        (("--agent", "concierge"), {"agent_name": "concierge"}),
        (("--client-app", CLIENT.upper()), {"client_app_id": CLIENT}),
        (("--user", USER), {"user_oid": USER}),
        (("--action", "grant.*"), {"action": "grant.*"}),
        (("--outcome", "refused"), {"outcome": "refused"}),
        (("--reason", "no_grant"), {"reason": "no_grant"}),
        (("--limit", "7"), {"limit": "7"}),
        (("--all",), {"limit": "1000"}),
        (("--by", "reason"), {"limit": "1000"}),
        (("--by", "reason", "--limit", "7"), {"limit": "7"}),
        (
            ("--from", "2026-11-24", "--to", "2026-11-24"),
            {"from": "2026-11-24T00:00:00Z", "to": "2026-11-25T00:00:00Z"},
        ),
        (
            ("--from", "2026-11-24T09:00:07.000250+01:00", "--to", "2026-11-24T09:00:08Z"),
            {"from": "2026-11-24T08:00:07.000250Z", "to": "2026-11-24T09:00:08Z"},
        ),
    ],
    ids=str,
)
async def test_what_is_asked_for_is_sent(
    lkps: Command, service: LkpsStandIn, options: tuple[str, ...], asked: dict[str, str]
) -> None:
    service.answers_with("GET", "audit", rows())

    ran = await lkps("audit", "query", *options)

    assert (ran.code, ran.out) == (0, "No row that you may see.\n")
    assert dict(service.received[-1].query) == {"limit": "100", **asked}


@pytest.mark.parametrize(
    ("span", "length"),
    [("30m", timedelta(minutes=30)), ("1h", timedelta(hours=1)), ("7d", timedelta(days=7))],
)
async def test_the_last_minutes_hours_or_days_are_asked_for(
    lkps: Command, service: LkpsStandIn, span: str, length: timedelta
) -> None:
    service.answers_with("GET", "audit", rows())
    begin = datetime.now(UTC).replace(microsecond=0) - length

    await lkps("audit", "query", "--last", span)

    asked = datetime.fromisoformat(service.received[-1].query["from"])
    assert begin <= asked <= begin + timedelta(minutes=1)


@pytest.mark.parametrize(
    "options",
    [
        ("--last", "1w"),
        ("--last", "0h"),
        ("--last", "1h", "--from", "2026-11-24"),
        ("--from", "yesterday"),
        ("--from", "2026-11-24T09:00:00"),
        ("--to", "2026-13-01"),
        ("--outcome", "denied"),
        ("--by", "user"),
        ("--client-app", "concierge"),
        ("--limit", "0"),
        ("--limit", "5", "--all"),
        ("--json", "--csv"),
    ],
    ids=str,
)
async def test_a_question_that_cannot_be_meant_is_a_wrong_command_line(
    lkps: Command, service: LkpsStandIn, options: tuple[str, ...]
) -> None:
    assert (await lkps("audit", "query", *options)).code == 2
    assert service.received == []


async def test_rows_are_a_table(lkps: Command, service: LkpsStandIn) -> None:
    many = row(count=12, outcome="success", session_id=None, subject="agent:concierge")
    service.answers_with("GET", "audit", rows(row(), many))

    ran = await lkps("audit", "query")

    lines = [line.split() for line in ran.out.splitlines()]
    assert lines[0] == ["AT", "ACTION", "OUTCOME", "REASON", "AGENT", "WHO", "THROUGH", "WHAT"]
    assert lines[1] == [
        *("2026-11-24", "09:00:07Z", "session.authorized", "refused", "no_grant"),
        *("concierge", USER, CLIENT, "concierge--1"),
    ]
    assert lines[2][:3] == ["2026-11-24", "09:00:07Z", "x12"]
    assert lines[2][-1] == "agent:concierge"
    assert ran.err == f"Complete until {COMPLETE}: younger rows may follow.\n"


async def test_pages_are_followed_up_to_the_limit(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("GET", "audit", rows(row(), row(), next="a"))
    service.answers_with("GET", "audit", rows(next="b"))
    service.answers_with("GET", "audit", rows(row(), next="c"))

    ran = await lkps("audit", "query", "--limit", "3", "--json")

    assert ran.json == rows(row(), row(), row(), next="c")
    asked = [(one.query["limit"], one.query.get("after")) for one in service.received]
    assert asked == [("3", None), ("1", "a"), ("1", "b")]
    assert "There are more than these 3 rows" in ran.err


async def test_all_pages_are_followed_to_the_last(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("GET", "audit", rows(row(), next="a"))
    service.answers_with("GET", "audit", rows(row()))

    ran = await lkps("audit", "query", "--all", "--to", "2026-11-23", "--json")

    assert ran.json == rows(row(), row())
    assert ran.err == ""


async def test_counts_are_by_what_was_asked_and_count_repeats(
    lkps: Command, service: LkpsStandIn
) -> None:
    found = rows(row(), row(count=4), row(reason="agent_closed", azp=OWNER), row(reason=None))
    service.answers_with("GET", "audit", found)

    by_reason = await lkps("audit", "query", "--by", "reason")
    by_application = await lkps("audit", "query", "--by", "client-app", "--json")
    by_agent = await lkps("audit", "query", "--by", "agent", "--csv")
    by_action = await lkps("audit", "query", "--by", "action", "--json")

    assert [line.split() for line in by_reason.out.splitlines()] == [
        ["REASON", "COUNT"],
        ["no_grant", "5"],
        ["agent_closed", "1"],
        ["-", "1"],
    ]
    assert by_application.json == {"by": "client-app", "counts": {CLIENT: 6, OWNER: 1}}
    assert by_agent.out == "agent,count\nconcierge,7\n"
    assert by_action.json["counts"] == {"session.authorized": 7}


async def test_no_row_has_no_counts(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("GET", "audit", rows())

    assert (await lkps("audit", "query", "--by", "action")).out == "No row that you may see.\n"


async def test_csv_has_every_member_and_no_formula(lkps: Command, service: LkpsStandIn) -> None:
    changed = row(comment='=HYPERLINK("x")', before={"owners": ["a,b"]}, beat_id="B-1")
    service.answers_with("GET", "audit", rows(row(), changed))

    ran = await lkps("audit", "query", "--csv")

    first, second = csv.DictReader(io.StringIO(ran.out))
    assert first["agent_name"] == "concierge"
    assert first["comment"] == ""
    assert second["comment"] == '\'=HYPERLINK("x")'
    assert second["before"] == '{"owners": ["a,b"]}'
    assert second["beat_id"] == "B-1"
    assert second["number"] == "7"


async def test_rows_without_their_members_are_not_lkps_answer(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.answers_with("GET", "audit", {"rows": []})

    ran = await lkps("audit", "query")

    assert ran.code == 1
    assert "complete_until" in ran.err


async def test_an_index_is_made_anew(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("POST", "audit/reindex", {"streams": 12})

    ran = await lkps(
        *("audit", "reindex", "--from-day", "2026-11-23", "--to-day", "2026-11-24"),
        *("--reason", "rows were missing"),
    )

    assert (ran.code, ran.out) == (0, "")
    assert "12" in ran.err
    assert service.sent("POST") == [
        {"from": "2026-11-23", "to": "2026-11-24", "reason": "rows were missing"}
    ]


@pytest.mark.parametrize("day", ["2026-11", "2026-11-31", "2026-11-24T00:00:00Z"])
async def test_a_day_is_a_date(lkps: Command, service: LkpsStandIn, day: str) -> None:
    ran = await lkps(
        *("audit", "reindex", "--from-day", day, "--to-day", "2026-11-24", "--reason", "why")
    )

    assert ran.code == 2
    assert service.received == []


async def test_only_administrators_make_an_index_anew(lkps: Command, service: LkpsStandIn) -> None:
    service.refuses("POST", "audit/reindex", PermissionLacking("LKPS.Admin"))

    ran = await lkps(
        *("audit", "reindex", "--from-day", "2026-11-23", "--to-day", "2026-11-24"),
        *("--reason", "why"),
    )

    assert ran.code == 1


@pytest.mark.parametrize(
    ("option", "subject"),
    [
        (("--agent", "concierge"), "agent:concierge"),
        (("--client-app", CLIENT), f"application:{CLIENT}"),
        (("--user", USER), f"user:{USER}"),
        (("--session", "concierge--1"), "session:concierge--1"),
    ],
)
async def test_a_hold_is_placed_on_one_subject(
    lkps: Command, service: LkpsStandIn, option: tuple[str, str], subject: str
) -> None:
    service.answers_with("POST", "audit/holds", hold(subject=subject), status=201)

    ran = await lkps("audit", "holds", "place", *option, "--reason", "an inquiry")

    assert ran.out.splitlines()[:2] == ["hold-1", f"  keeps   {subject}"]
    assert service.sent("POST") == [{"subject": subject, "reason": "an inquiry"}]


async def test_a_hold_is_on_exactly_one_subject(lkps: Command, service: LkpsStandIn) -> None:
    both = ("--agent", "concierge", "--user", USER)

    for subjects in ((), both):
        assert (await lkps("audit", "holds", "place", *subjects, "--reason", "why")).code == 2
    assert service.received == []


async def test_holds_are_listed(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("GET", "audit/holds", {"holds": [hold()], "next": "a"})
    service.answers_with("GET", "audit/holds", {"holds": [hold(id="hold-2")]})

    ran = await lkps("audit", "holds", "list")

    assert ran.out.splitlines() == [
        "hold-1",
        "  keeps   agent:concierge",
        "  reason  the inquiry of November",
        f"  placed  2026-11-24 09:00:00Z by {OWNER}",
        "",
        "hold-2",
        "  keeps   agent:concierge",
        "  reason  the inquiry of November",
        f"  placed  2026-11-24 09:00:00Z by {OWNER}",
    ]
    assert (await lkps("audit", "holds", "list", "--json")).json["holds"] == [hold(id="hold-2")]


async def test_no_hold_is_said_in_words(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("GET", "audit/holds", {"holds": []})

    assert (await lkps("audit", "holds", "list")).out == "There is no hold.\n"


@pytest.mark.parametrize(
    ("options", "sent"), [((), None), (("--reason", "it is over"), {"reason": "it is over"})]
)
async def test_a_hold_is_lifted_with_a_reason_or_without(
    lkps: Command, service: LkpsStandIn, options: tuple[str, ...], sent: object
) -> None:
    service.answers_with("DELETE", "audit/holds/hold-1", status=204)

    ran = await lkps("audit", "holds", "lift", "hold-1", *options)

    assert (ran.code, ran.out, ran.err) == (0, "", "Lifted: hold-1\n")
    assert service.sent("DELETE") == [sent]
