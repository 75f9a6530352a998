"""The trail on real parts: covered, asked, exported and verified offline by the `lkps` command."""

import json
from pathlib import Path

import pytest

from dev.platform import Platform
from tests.e2e.parts.commands import Commands
from tests.e2e.parts.lkps import Lkps


@pytest.fixture
def lkps_as(platform: Platform, tmp_path: Path) -> Commands:
    return Commands(platform, tmp_path)


async def test_an_exported_trail_verifies_offline_and_a_changed_row_is_named(
    platform: Platform, lkps: Lkps, lkps_as: Commands, agent_name: str, tmp_path: Path
) -> None:
    await lkps.register(agent_name)
    await lkps.start(agent_name)
    await platform.service.fire("checkpoint")
    file, key = tmp_path / "export.ndjson", tmp_path / "key"
    period = ("--from", "2026-01-01", "--to", "2099-01-01")
    await lkps_as("auditor", "audit", "export", *period, "--output", str(file))
    key.write_text((await lkps_as("auditor", "audit", "key")).out)

    whole = await lkps_as.offline("audit", "verify", str(file), "--key", f"@{key}")
    forged = file.read_bytes().replace(agent_name.encode(), b"x" * len(agent_name), 1)
    file.write_bytes(forged)
    changed = await lkps_as.offline("audit", "verify", str(file), "--key", f"@{key}", code=1)

    assert "finding" not in whole.out.lower() or "no finding" in whole.out.lower()
    assert "row " in changed.out


async def test_questions_are_answered_before_and_after_the_index_has_the_rows(
    platform: Platform, lkps: Lkps, lkps_as: Commands, agent_name: str
) -> None:
    await lkps.register(agent_name)
    session_id = (await lkps.start(agent_name)).json["session_id"]
    query = ("audit", "query", "--session", session_id, "--json")

    before = (await lkps_as("auditor", *query)).json["rows"]
    await platform.service.fire("index")
    after = (await lkps_as("auditor", *query)).json["rows"]
    own = (await lkps_as("client", *query)).json["rows"]
    others = await lkps_as("other-client", *query)

    started = [row for row in before if row["action"] == "session.authorized"]
    assert [row["session_id"] for row in started] == [session_id]
    assert [row for row in after if row["action"] != "audit.read"] == started
    assert [row for row in own if row["action"] != "audit.read"] == started
    assert [row for row in others.json["rows"] if row["action"] != "audit.read"] == []


async def test_a_receipt_proves_the_session_once_a_checkpoint_covers_it(
    platform: Platform, lkps: Lkps, lkps_as: Commands, agent_name: str, tmp_path: Path
) -> None:
    await lkps.register(agent_name)
    session_id = (await lkps.start(agent_name)).json["session_id"]
    key = (await lkps_as("client", "audit", "key")).out.strip()
    file = tmp_path / "receipt.json"
    take = ("audit", "receipt", session_id, "--output", str(file))
    prove = ("audit", "verify-receipt", str(file), "--key", key)

    await lkps_as("client", *take)
    early = await lkps_as.offline(*prove, code=1)
    await platform.service.fire("checkpoint")
    file.unlink()
    await lkps_as("client", *take)
    late = await lkps_as.offline(*prove)

    assert "no checkpoint covers the row yet" in early.out + early.err
    assert json.loads(file.read_text())["proof"]["checkpoint_number"] >= 1
    assert session_id in late.out


async def test_a_hold_is_placed_listed_and_lifted(lkps_as: Commands, agent_name: str) -> None:
    place = ("audit", "holds", "place", "--agent", agent_name, "--reason", "the inquiry", "--json")
    hold_id = (await lkps_as("admin", *place)).json["id"]
    listed = (await lkps_as("auditor", "audit", "holds", "list", "--json")).json["holds"]
    await lkps_as("admin", "audit", "holds", "lift", hold_id, "--reason", "over")

    assert hold_id in [hold["id"] for hold in listed]


async def test_the_index_is_derived_anew(platform: Platform, lkps_as: Commands) -> None:
    days = ("--from-day", "2026-11-01", "--to-day", "2027-01-31")
    ran = await lkps_as("admin", "audit", "reindex", *days, "--reason", "a test")
    await platform.service.fire("index")
    await platform.service.fire("retention")
    assert "Streams to be indexed anew" in ran.out + ran.err
