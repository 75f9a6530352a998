"""`lkps sweep`: what a run did, or would do, and how the last ones went."""

import pytest

from lkps_core.errors import SweepUnderWay
from tests.sdk.cli.parts.answers import sweep_run
from tests.sdk.cli.parts.command import Command
from tests.sdk.cli.parts.lkps import LkpsStandIn

ALL = {"dry_run": False, "full": True, "force": False}


async def test_a_run_tells_what_it_did(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("POST", "sweep", sweep_run())

    ran = await lkps("sweep", "--reason", "a test")

    assert ran.code == 0
    assert service.sent("POST") == [{**ALL, "reason": "a test"}]
    for said in ("of everything", "1.2 s", "2 everyone_left, 1 time_over", "14"):
        assert said in ran.out


async def test_a_dry_run_needs_no_reason_and_says_that_nothing_was_done(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.answers_with("POST", "sweep", sweep_run(kind="due", ended={}))

    ran = await lkps("sweep", "--dry-run", "--due", "--force")

    assert service.sent("POST") == [{"dry_run": True, "full": False, "force": True}]
    assert ran.out.startswith("A dry run: nothing was done.")
    assert "of what is due" in ran.out


@pytest.mark.parametrize(
    ("members", "said"),
    [({"complete": False}, "the next run goes on"), ({"stopped": True}, "--force removes them")],
)
async def test_a_run_that_was_not_whole_says_so(
    lkps: Command, service: LkpsStandIn, members: dict[str, object], said: str
) -> None:
    service.answers_with("POST", "sweep", sweep_run(**members))

    assert said in " ".join((await lkps("sweep", "--reason", "a test")).out.split())


async def test_the_last_runs_are_shown_and_nothing_is_run(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.answers_with("GET", "sweep", {"runs": [sweep_run(), sweep_run(kind="due")]})

    ran = await lkps("sweep", "--last")

    assert [one.method for one in service.received] == ["GET"]
    assert ran.out.index("of everything") < ran.out.index("of what is due")


async def test_that_it_has_not_run_yet_is_said_in_words(
    lkps: Command, service: LkpsStandIn
) -> None:
    service.answers_with("GET", "sweep", {"runs": []})

    assert (await lkps("sweep", "--last")).out == "It has not run yet.\n"


async def test_as_json_it_is_the_answer(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("POST", "sweep", sweep_run())

    assert (await lkps("sweep", "--dry-run", "--json")).json == sweep_run()


@pytest.mark.parametrize(
    "arguments",
    [(), ("--force",), ("--last", "--dry-run"), ("--last", "--reason", "a test"), ("--reason",)],
)
async def test_what_makes_no_sense_is_a_wrong_command_line(
    lkps: Command, service: LkpsStandIn, arguments: tuple[str, ...]
) -> None:
    assert (await lkps("sweep", *arguments)).code == 2
    assert service.received == []


async def test_another_run_under_way_is_told(lkps: Command, service: LkpsStandIn) -> None:
    service.refuses("POST", "sweep", SweepUnderWay())

    ran = await lkps("sweep", "--reason", "a test")

    assert ran.code != 0
    assert "A run of the sweep is under way" in ran.err
