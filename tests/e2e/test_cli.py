"""`lkps` against the real LKPS: who may call which agent is asked, changed and asked again."""

import json
import uuid
from pathlib import Path

import pytest

from dev.platform import Platform
from dev.platform.environment import bare_environment
from tests.e2e.parts.commands import Commands
from tests.e2e.parts.lkps import Lkps
from tests.sdk.cli.parts.program import BROWSER, run


@pytest.fixture
def lkps_as(platform: Platform, tmp_path: Path) -> Commands:
    return Commands(platform, tmp_path)


@pytest.fixture
async def granted(platform: Platform, lkps_as: Commands, agent_name: str) -> str:
    """An agent that the application `manager` owns, and may be called by whom it is granted."""
    runner, owner = (platform.identities[name].object_id for name in ("agent", "manager"))
    roles = ("--runner", runner, "--owner", owner)
    await lkps_as("admin", "agents", "create", agent_name, *roles, "--mode", "closed")
    await lkps_as("manager", "agents", "set-mode", agent_name, "granted")
    return agent_name


async def test_a_client_is_denied_until_the_owner_grants_it_the_agent(
    platform: Platform, lkps: Lkps, lkps_as: Commands, granted: str
) -> None:
    await lkps.register(granted)
    client = platform.identities["client"].client_id
    add = ("grants", "add", granted, "--client", client, "--reason", "the shop")

    denied = await lkps_as("client", "check", granted, code=3)
    refused = await lkps.start(granted)
    added = await lkps_as("manager", *add, "--json")
    again = await lkps_as("manager", *add, "--json")
    allowed = await lkps_as("client", "check", granted, "--json")
    started = await lkps.start(granted)

    assert "an owner of the agent" in denied.out
    assert (refused.status, refused.code) == (403, "agent_not_callable")
    assert again.json == added.json
    assert "granted already" in again.err
    assert allowed.json["grant_id"] == added.json["grant_id"]
    assert started.status == 200


async def test_a_grants_terms_are_changed_and_it_is_taken_away(
    platform: Platform, lkps_as: Commands, granted: str
) -> None:
    client = platform.identities["client"].client_id
    group = platform.tenant.description.groups["sales-eu"]
    add = ("grants", "add", granted, "--client", client, "--group", group, "--reason", "the pilot")
    grant_id = (await lkps_as("manager", *add, "--json")).json["grant_id"]
    terms = ("--until", "2099-12-31", "--max-sessions", "2", "--max-session-minutes", "5")

    await lkps_as("manager", *add, *terms, code=1)
    await lkps_as("manager", "grants", "change", granted, grant_id, *terms)
    (changed,) = (await lkps_as("manager", "grants", "list", granted, "--json")).json["grants"]
    await lkps_as("manager", "grants", "remove", granted, grant_id)
    left = await lkps_as("manager", "grants", "list", granted, "--json")

    assert (changed["expires_at"], changed["max_sessions"], changed["max_session_seconds"]) == (
        "2099-12-31T23:59:59Z",
        2,
        300,
    )
    assert left.json == {"grants": []}


async def test_whom_a_grant_is_for_decides_which_people_may_call(
    platform: Platform, lkps_as: Commands, granted: str
) -> None:
    tenant = platform.tenant.description
    frontend, sales = tenant.public_clients["crm-frontend"], tenant.groups["sales-eu"]
    alice = platform.identities["alice"].object_id
    add = ("grants", "add", granted, "--client", frontend, "--group", sales)
    await lkps_as("manager", *add, "--reason", "the pilot")
    check = ("check", granted, "--client", frontend, "--user", alice)

    stranger = await lkps_as("manager", *check, code=3)
    member = await lkps_as("manager", *check, "--group", sales)

    assert "group_lacking" in stranger.out
    assert member.out.startswith("allowed")


async def test_a_block_ends_what_is_open_and_is_lifted(
    platform: Platform, lkps: Lkps, lkps_as: Commands, granted: str
) -> None:
    client = platform.identities["client"].client_id
    await lkps.register(granted)
    await lkps_as("manager", "grants", "add", granted, "--client", client, "--reason", "the shop")
    assert (await lkps.start(granted)).status == 200

    blocked = await lkps_as("admin", "block", "--agent", granted, "--reason", "says nonsense")
    listed = (await lkps_as("admin", "blocks", "--json")).json["revocations"]
    await lkps_as("client", "check", granted, code=3)
    await lkps_as("admin", "unblock", f"agent:{granted}")
    await lkps_as("client", "check", granted)

    assert "1 of 1 ended" in blocked.out
    assert "Beyond its reach:" in blocked.out
    assert "docs/" in blocked.out
    assert f"agent:{granted}" in [one["revocation_id"] for one in listed]


async def test_an_exported_policy_is_no_change_and_an_edited_one_is_applied_once(
    platform: Platform, lkps_as: Commands, granted: str, tmp_path: Path
) -> None:
    client, reason = platform.identities["client"].client_id, f"the shop of {granted}"
    await lkps_as("manager", "grants", "add", granted, "--client", client, "--reason", reason)
    file = tmp_path / "policy.yaml"
    plan = ("policy", "plan", str(file), "--detailed-exitcode")

    await lkps_as("manager", "policy", "export", str(file))
    exported = await lkps_as("manager", *plan)
    text = file.read_text()
    file.write_text(text.replace(reason, f"{reason}\n      max_sessions: 7"))
    edited = await lkps_as("manager", *plan, code=7)
    applied = await lkps_as("manager", "policy", "apply", str(file), "--yes")
    again = await lkps_as("manager", "policy", "apply", str(file), "--json")
    (grant,) = (await lkps_as("manager", "grants", "list", granted, "--json")).json["grants"]

    assert exported.out.endswith("No changes: LKPS is as the file says.\n")
    assert "max_sessions: none -> 7" in edited.out
    assert applied.out.endswith("Applied: 1 changed.\n")
    assert again.json["changes"] == []
    assert grant["max_sessions"] == 7


async def test_a_list_of_more_than_a_page_is_whole(
    lkps_as: Commands, granted: str, tmp_path: Path
) -> None:
    grants = [{"client_app_id": str(uuid.uuid4()), "reason": "the crowd"} for _ in range(120)]
    file = tmp_path / "policy.json"
    file.write_text(json.dumps({"agents": {granted: {"grants": grants}}}))

    await lkps_as("manager", "policy", "apply", str(file), "--yes")
    listed = (await lkps_as("manager", "grants", "list", granted, "--json")).json["grants"]

    clients = {one["client_app_id"] for one in listed}
    assert clients == {one["client_app_id"] for one in grants}
    assert len(listed) == len(grants)


async def test_lint_and_refusals_point_into_the_file(
    platform: Platform, lkps_as: Commands, granted: str, tmp_path: Path
) -> None:
    client = platform.identities["client"].client_id
    file = tmp_path / "policy.yaml"
    file.write_text(
        f"""\
agents:
  {granted}:
    access_mode: open
    grants:
      - client_app_id: {client}
        reason: the shop
        expires_at: 2020-01-01
"""
    )

    linted = await lkps_as("manager", "policy", "lint", str(file), code=1)
    file.write_text(file.read_text().replace("reason: the shop", "reason: x"))
    refused = await lkps_as("manager", "policy", "plan", str(file), code=1)

    assert f"{file}:" in linted.out
    assert f"{file}:6 /agents/{granted}/grants/0/reason" in refused.err


async def test_owners_hand_over_and_the_last_one_stays(
    platform: Platform, lkps_as: Commands, granted: str
) -> None:
    alice, manager = (platform.identities[name].object_id for name in ("alice", "manager"))
    owners = ("agents", "owners", granted)

    await lkps_as("manager", *owners, "--add", alice)
    unsaid = await lkps_as("manager", *owners, "--remove", manager, code=1)
    left = await lkps_as("manager", *owners, "--remove", manager, "--leaving")
    await lkps_as("manager", *owners, code=1)
    await lkps_as("admin", *owners, "--remove", alice, code=1)

    assert "--leaving" in unsaid.err
    assert left.out == f"{alice}\n"


async def test_a_secret_is_rotated_and_limits_are_set_on_what_was_read(
    lkps_as: Commands, granted: str
) -> None:
    before = (await lkps_as("admin", "agents", "show", granted, "--json")).json
    rotated = await lkps_as("manager", "agents", "rotate", granted, "--reason", "yearly", "--json")
    limits = (await lkps_as("admin", "limits", "show", "--json")).json
    same = str(limits["starts_per_minute_per_user"])
    set_again = ("limits", "set", "--starts-per-minute-per-user", same, "--json")

    assert rotated.json["routing_version"] == before["routing_version"] + 1
    assert (await lkps_as("admin", *set_again)).json == limits
    await lkps_as("manager", *set_again, code=1)


async def test_an_owner_finds_a_session_of_the_agent_and_ends_it(
    platform: Platform, lkps: Lkps, lkps_as: Commands, granted: str
) -> None:
    client = platform.identities["client"].client_id
    await lkps.register(granted)
    await lkps_as("manager", "grants", "add", granted, "--client", client, "--reason", "the shop")
    session_id = (await lkps.start(granted))["session_id"]
    open_ones = ("sessions", "list", "--agent", granted, "--state", "open")

    listed = await lkps_as("manager", *open_ones)
    shown = await lkps_as("client", "sessions", "show", session_id, "--json")
    foreign = await lkps_as("other-client", "sessions", "show", session_id, code=1)
    ended = await lkps_as("manager", "sessions", "end", session_id)
    left = await lkps_as("manager", *open_ones, "--json")

    assert session_id in listed.out
    assert shown.json["state"] == "created"
    assert "session_not_found" in foreign.err
    assert "ended_by_owner" in ended.out
    assert left.json == {"sessions": []}


async def test_an_agent_that_is_there_and_one_that_is_not_are_told_apart_by_exit_code(
    lkps_as: Commands, granted: str
) -> None:
    listed = (await lkps_as("manager", "agents", "list", "--json")).json["agents"]

    assert granted in [one["name"] for one in listed]
    await lkps_as("admin", "agents", "create", granted, code=1)
    await lkps_as("manager", "agents", "show", f"{granted}x", code=1)
    await lkps_as("nobody", "whoami", code=1)


async def test_a_person_signs_in_with_the_browser_and_is_whom_lkps_sees(
    platform: Platform, tmp_path: Path
) -> None:
    tenant = platform.tenant.description
    environment = {
        **bare_environment(),
        "LKPS_CONFIG_DIR": str(tmp_path),
        "REQUESTS_CA_BUNDLE": tenant.ca_file,
        "BROWSER": BROWSER,
    }
    where = (
        *("--url", platform.lkps_url, "--tenant", platform.tenant_id),
        *("--client-id", tenant.public_clients["cli"], "--api-client-id", platform.audience),
        *("--authority", tenant.authority_https, "--login-hint", "alice@lkps.example"),
    )

    signed_in = await run(environment, "login", *where)
    whoami = await run(environment, "whoami", "--json")

    assert (signed_in.code, whoami.code) == (0, 0), signed_in.err + whoami.err
    assert whoami.json["kind"] == "user"
    assert whoami.json["oid"] == platform.identities["alice"].object_id
    assert "Agent.Manage" in whoami.json["permissions"]
    assert whoami.json["groups"] == [tenant.groups["sales-eu"]]
    assert "eyJ" not in signed_in.out + signed_in.err
