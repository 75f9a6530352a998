"""On a terminal: `policy apply` asks first, and colours are there for people alone."""

import os
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sdk.cli.parts.answers import GRANT, agent, applied, grant, grant_list, planned
from tests.sdk.cli.parts.command import Command
from tests.sdk.cli.parts.lkps import LkpsStandIn
from tests.sdk.cli.parts.policies import CREATED, FILE
from tests.sdk.cli.parts.program import ended, run, start


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Its two ends: the person's, and the program's."""
    person, program = os.openpty()
    yield person, program
    os.close(person)
    os.close(program)


@pytest.mark.parametrize(("answer", "code", "asked"), [("y", 0, 2), ("n", 1, 1), ("", 1, 1)])
async def test_a_person_is_asked_before_a_plan_is_applied(
    lkps: Command,
    service: LkpsStandIn,
    tmp_path: Path,
    terminal: tuple[int, int],
    answer: str,
    code: int,
    asked: int,
) -> None:
    service.answers_with("POST", "policy/plan", planned(CREATED))
    service.answers_with("POST", "policy/apply", applied(CREATED))
    (tmp_path / "policy.yaml").write_text(FILE)
    person, program = terminal
    os.write(person, f"{answer}\n".encode())

    process = await start(
        lkps.environment, "policy", "apply", str(tmp_path / "policy.yaml"), stdin=program
    )
    ran = await ended(process)

    assert ran.code == code, ran.err
    assert "Apply these changes?" in ran.err
    assert len(service.received) == asked


async def test_what_a_program_reads_has_no_colours(lkps: Command, service: LkpsStandIn) -> None:
    service.answers_with("GET", "agents/concierge", agent(blocked=True))

    ran = await run({**lkps.environment, "TERM": "xterm-256color"}, "agents", "show", "concierge")

    assert ran.code == 0
    assert "blocked" in ran.out
    assert "\x1b" not in ran.out


async def test_an_id_is_in_one_piece_on_a_narrow_terminal(
    lkps: Command, service: LkpsStandIn, terminal: tuple[int, int]
) -> None:
    service.answers_with("GET", "agents/concierge/grants", grant_list(grant()))
    person, program = terminal
    termios.tcsetwinsize(program, (24, 40))
    environment = {**lkps.environment, "TERM": "xterm-256color"}

    process = await start(environment, "grants", "list", "concierge", stdout=program)
    ran = await ended(process)
    shown = os.read(person, 65536).decode()

    assert ran.code == 0
    assert GRANT in shown
    assert "\x1b[1m" in shown
    assert all(len(line) <= 60 for line in shown.splitlines()[1:])


async def test_what_came_over_the_wire_does_not_steer_the_terminal(
    lkps: Command, service: LkpsStandIn
) -> None:
    body = {**agent(), "contact": "\x1b[2J\x07team"}
    service.answers_with("GET", "agents/concierge", body)

    shown = await lkps("agents", "show", "concierge")
    as_json = await lkps("agents", "show", "concierge", "--json")

    assert "\ufffd[2J\ufffdteam" in shown.out
    assert "\x1b" not in as_json.out
    assert as_json.json == body
