"""The audit guide has every member of a row, every action, and what leaves none."""

import json
import re
from dataclasses import fields
from datetime import UTC, datetime
from typing import get_args

import pytest

from lkps.cli.signatures import verify_signature
from lkps_core.audit.event import Action, Event, Outcome, row_bytes
from lkps_trail.checkpoint import signed_checkpoint
from lkps_trail.export import CONTROLS
from lkps_trail.notes import NoteKey
from tests.docs.pages import ROOT

PAGE = ROOT / "docs/audit.md"
OF_THE_PLACE = ("schema", "stream", "number", "application")
"""Members that a row has beside the event's own."""


def section(heading: str) -> str:
    _, _, below = PAGE.read_text().partition(f"\n## {heading}\n")
    return below.partition("\n## ")[0]


def table(heading: str) -> list[list[str]]:
    """The cells of the first table under the heading, without those of its head."""
    _, _, below = PAGE.read_text().partition(f"\n## {heading}\n")
    lines = re.findall(
        r"^\|.*\|$", below.partition("\n## ")[0].partition("|\n\n")[0] + "|", re.MULTILINE
    )
    return [[cell.strip() for cell in line[1:-1].split(" | ")] for line in lines[2:]]


def named(heading: str) -> list[str]:
    """The first cells, which are code."""
    return [re.sub(r"^`(.*)`$", r"\1", row[0]) for row in table(heading)]


def exempt_routes() -> dict[str, str]:
    """By route, without the `/api/`, when its success leaves no row."""
    routes = [name.replace(" /api/", " ") for name in named("What leaves no row")]
    return dict(zip(routes, (row[1] for row in table("What leaves no row")), strict=True))


def test_every_member_of_a_row_is_explained_and_no_other() -> None:
    members = (*OF_THE_PLACE, *(one.name for one in fields(Event)))
    assert sorted(named("A row, member by member")) == sorted(members)


def test_every_member_says_type_source_purpose_and_whether_it_is_personal() -> None:
    for row in table("A row, member by member"):
        assert len(row) == 5, row
        assert all(row), row
        assert row[4].partition(",")[0] in ("yes", "no", "possibly"), row


def test_a_row_has_those_members_beside_the_events_own() -> None:
    event = Event(at=datetime(2026, 11, 25, tzinfo=UTC), action="audit.read", outcome="success")
    row = json.loads(row_bytes(event, stream="2026-11-25_a", number=0, application="0.1.0"))
    assert row.keys() - {one.name for one in fields(Event)} == set(OF_THE_PLACE)


def test_every_action_is_explained_and_no_other() -> None:
    assert named("Actions") == list(get_args(Action.__value__))


@pytest.mark.parametrize("outcome", get_args(Outcome.__value__))
def test_every_outcome_is_explained(outcome: str) -> None:
    assert f"`{outcome}`" in PAGE.read_text()


def test_what_leaves_no_row_is_there_once_and_with_a_reason() -> None:
    rows = table("What leaves no row")
    assert len(exempt_routes()) == len(rows) > 0
    assert all(len(row) == 3 and all(row) for row in rows)


def test_the_log_lines_to_alert_on_are_logged() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "lkps_core").rglob("*.py"))
    lines = re.findall(r"^\| `([a-z]+ [a-z ]+)` \|", section("Run it"), re.MULTILINE)
    assert lines
    assert [line for line in lines if f'("{line}"' not in sources] == []


def test_the_example_of_a_checkpoint_is_signed_by_the_example_of_a_key() -> None:
    shown = re.findall(r"^```text\n(.*?)```$", section("The formats"), re.DOTALL | re.MULTILINE)
    note, key = shown[:2]
    assert signed_checkpoint(note, NoteKey.parse(key), verify_signature).size == 9000


def test_the_example_says_how_an_export_begins_its_lines() -> None:
    lines = re.findall(r"^\| `(\{.*?)` \|", section("The formats"), re.MULTILINE)
    assert [line.partition(":")[0].encode() + b":" for line in lines] == list(CONTROLS)
