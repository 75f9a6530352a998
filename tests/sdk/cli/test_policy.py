"""`lkps policy`: plan, apply, export, lint and schema."""

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lkps.cli.commands.policy_texts import to_yaml
from lkps.cli.strict_yaml import Values, compose
from lkps_core.errors import BodyInvalid, PermissionLacking, PreconditionFailed
from lkps_core.wire.policy import PolicyDocument
from tests.sdk.cli.parts.answers import CLIENT, GRANT, OTHER, OWNER, applied, planned, policy
from tests.sdk.cli.parts.command import Command
from tests.sdk.cli.parts.lkps import LkpsStandIn
from tests.sdk.cli.parts.policies import CREATED, DELETED, FILE, UPDATED, WARNING


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "policy.yaml"
    path.write_text(FILE)
    return str(path)


async def test_a_plan_shows_what_comes_changes_and_goes(
    lkps: Command, service: LkpsStandIn, file: str
) -> None:
    service.answers_with("POST", "policy/plan", planned(CREATED, UPDATED, DELETED))

    ran = await lkps("policy", "plan", file)

    assert ran.code == 0
    assert ran.out.splitlines() == [
        "+ agent concierge",
        "    access_mode: granted",
        "    report_only: false",
        f"    owners: {OWNER}",
        "    grants: none",
        "~ agent greeter",
        "    access_mode: open -> granted",
        "    owners:",
        f"      - {OWNER}",
        f"      + {OTHER}",
        "    contact: none -> team",
        f"- grant of greeter  {GRANT}",
        f"    client_app_id: {CLIENT}",
        "    reason: the pilot",
        "Plan: 1 to be created, 1 to be changed, 1 to be removed.",
    ]
    (sent,) = service.sent("POST")
    assert sent["agents"]["concierge"]["grants"][0]["expires_at"] == "2026-12-31T23:59:59Z"


async def test_a_plan_without_changes_says_so(
    lkps: Command, service: LkpsStandIn, file: str
) -> None:
    service.answers_with("POST", "policy/plan", planned())

    ran = await lkps("policy", "plan", file, "--detailed-exitcode")

    assert (ran.code, ran.out) == (0, "No changes: LKPS is as the file says.\n")


@pytest.mark.parametrize("options", [(), ("--json",)])
async def test_changes_have_an_exit_code_of_their_own_when_it_is_asked_for(
    lkps: Command, service: LkpsStandIn, file: str, options: tuple[str, ...]
) -> None:
    service.answers_with("POST", "policy/plan", planned(CREATED))

    assert (await lkps("policy", "plan", file, *options)).code == 0
    assert (await lkps("policy", "plan", file, "--detailed-exitcode", *options)).code == 7


async def test_a_plan_as_json_is_what_lkps_answered(
    lkps: Command, service: LkpsStandIn, file: str
) -> None:
    service.answers_with("POST", "policy/plan", planned(CREATED, warnings=(WARNING,)))

    ran = await lkps("policy", "plan", file, "--json")

    assert ran.json == planned(CREATED, warnings=(WARNING,))
    assert ran.err == ""


async def test_a_file_is_applied_to_what_was_planned(
    lkps: Command, service: LkpsStandIn, file: str
) -> None:
    service.answers_with("POST", "policy/plan", planned(CREATED))
    service.answers_with("POST", "policy/apply", applied(CREATED))

    ran = await lkps("policy", "apply", file, "--yes")

    assert ran.code == 0
    assert ran.out.endswith("Plan: 1 to be created.\nApplied: 1 created.\n")
    plan, apply = service.received
    assert (apply.path, apply.headers["If-Match"]) == ("policy/apply", '"basis-1"')
    assert apply.body == plan.body


async def test_applying_as_json_explains_itself_on_stderr(
    lkps: Command, service: LkpsStandIn, file: str
) -> None:
    service.answers_with("POST", "policy/plan", planned(CREATED))
    service.answers_with("POST", "policy/apply", applied(CREATED))

    ran = await lkps("policy", "apply", file, "--yes", "--json")

    assert ran.json == applied(CREATED)
    assert "+ agent concierge" in ran.err


async def test_applying_again_changes_nothing(
    lkps: Command, service: LkpsStandIn, file: str
) -> None:
    service.answers_with("POST", "policy/plan", planned())

    ran = await lkps("policy", "apply", file)
    as_json = await lkps("policy", "apply", file, "--json")

    assert (ran.code, ran.out) == (0, "No changes: LKPS is as the file says.\n")
    assert as_json.json == {"changes": [], "warnings": []}
    assert {one.path for one in service.received} == {"policy/plan"}


async def test_nothing_is_applied_unasked_where_nobody_can_be_asked(
    lkps: Command, service: LkpsStandIn, file: str
) -> None:
    service.answers_with("POST", "policy/plan", planned(CREATED))

    ran = await lkps("policy", "apply", file, stdin="y\n")

    assert ran.code == 2
    assert "--yes" in ran.err
    assert len(service.received) == 1


async def test_a_plan_that_is_overtaken_is_not_applied(
    lkps: Command, service: LkpsStandIn, file: str
) -> None:
    service.answers_with("POST", "policy/plan", planned(CREATED))
    service.refuses("POST", "policy/apply", PreconditionFailed())

    ran = await lkps("policy", "apply", file, "--yes")

    assert ran.code == 6


async def test_a_member_that_lkps_does_not_take_is_told_with_its_line(
    lkps: Command, service: LkpsStandIn, file: str
) -> None:
    pointer = "/agents/concierge/grants/0/client_app_id"
    errors = [{"pointer": pointer, "code": "unknown", "detail": "no such application"}]
    service.refuses("POST", "policy/plan", BodyInvalid(errors))

    ran = await lkps("policy", "plan", file)

    assert ran.code == 1
    assert f"{file}:7 {pointer}: no such application" in ran.err


async def test_a_file_that_cannot_be_read_is_sent_nowhere(
    lkps: Command, service: LkpsStandIn, tmp_path: Path
) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("version: 1\nagents: {a: {}, a: {}}\n")

    for command in ("plan", "apply", "lint"):
        ran = await lkps("policy", command, str(path))

        assert (ran.code, ran.out) == (1, "")
        assert f"error: {path}:2: `a` is there twice" in ran.err
    assert service.received == []


async def test_a_plan_is_read_from_standard_input(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("POST", "policy/plan", planned())

    assert (await lkps("policy", "plan", "-", stdin=FILE)).code == 0
    assert service.sent("POST")[0]["agents"].keys() == {"concierge"}


async def test_lint_names_each_finding_with_its_line_and_fails(
    lkps: Command, service: LkpsStandIn, file: str
) -> None:
    service.answers_with("POST", "policy/plan", planned(CREATED, warnings=(WARNING,)))

    ran = await lkps("policy", "lint", file)

    assert ran.code == 1
    assert ran.out.splitlines() == [
        "warning: Nobody manages it. (no_owner)",
        f"  {file}:5 /agents/concierge/owners",
        "1 warning.",
    ]
    assert (await lkps("policy", "lint", file, "--json")).code == 1


async def test_lint_without_findings_passes(lkps: Command, service: LkpsStandIn, file: str) -> None:
    service.answers_with("POST", "policy/plan", planned(CREATED))

    ran = await lkps("policy", "lint", file)

    assert (ran.code, ran.out) == (0, "No warnings.\n")


async def test_an_export_is_a_file_that_can_be_planned(
    lkps: Command, service: LkpsStandIn, tmp_path: Path
) -> None:
    live = policy(concierge={"contact": "no", "grants": [{"expires_at": "2026-12-31T23:59:59Z"}]})
    service.answers_with("GET", "policy", live)
    path = tmp_path / "live.yaml"

    printed = await lkps("policy", "export")
    written = await lkps("policy", "export", str(path))

    assert printed.out.startswith("# yaml-language-server: $schema=")
    assert yaml.safe_load(printed.out) == live
    assert (written.out, path.read_text()) == ("", printed.out)
    assert (await lkps("policy", "export", "--json")).json == live
    assert (await lkps("policy", "export", "--json", str(path))).code == 2


WORDS = st.text(st.characters(categories=["L", "M", "N", "P", "S", "Zs"]), max_size=30)
MEMBERS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | WORDS
    | st.sampled_from(
        ["no", "on", "~", "1:30", "010", "1e3", "2026-12-31", "<<", "=", "*a", "&a", "!b", "- c"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(WORDS, MEMBERS))
def test_whatever_is_exported_is_read_as_it_was(members: dict[str, object]) -> None:
    values = Values()
    root = compose(to_yaml(members))

    assert root is not None
    assert values.of(root) == members


async def test_an_export_that_cannot_be_written_is_told(
    lkps: Command, service: LkpsStandIn, tmp_path: Path
) -> None:
    service.answers_with("GET", "policy", policy())

    ran = await lkps("policy", "export", str(tmp_path / "nowhere" / "policy.yaml"))

    assert ran.code == 2
    assert "No such file" in ran.err


async def test_who_may_not_export_is_told(lkps: Command, service: LkpsStandIn) -> None:
    service.refuses("GET", "policy", PermissionLacking("LKPS.Admin"))

    assert (await lkps("policy", "export")).code == 1


async def test_the_schema_is_that_of_what_lkps_takes(bare: Command) -> None:
    ran = await bare("policy", "schema")

    assert ran.code == 0
    assert json.loads(ran.out) == PolicyDocument.model_json_schema()
