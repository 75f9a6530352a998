"""`lkps audit export` and `verify`: the trail as a file, and whether it is as signed, offline."""

import gzip
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from lkps_core.errors import PermissionLacking
from lkps_trail import export
from lkps_trail.notes import NoteKey
from tests.sdk.cli.parts.command import Command, Ran
from tests.sdk.cli.parts.lkps import LkpsStandIn
from tests.trail.parts.files import File
from tests.trail.parts.keys import Signer
from tests.trail.parts.trails import Trail, as_lines, small_trail

SIGNER = Signer(1)
TRAIL = small_trail(SIGNER)
EXPORT = b"".join(TRAIL.export())
KEY = SIGNER.key.text
PERIOD = ("--from", "2026-11-24", "--to", "2026-11-25")
NOT_P256 = NoteKey(SIGNER.origin, b"no key").text


def more(after: str) -> bytes:
    return b"".join(as_lines([export.more(after)]))


async def test_an_export_is_written_as_it_is_answered(
    lkps: Command, service: LkpsStandIn, tmp_path: Path
) -> None:
    lines = TRAIL.export()
    service.answers_with_lines("audit/export", b"".join(lines[:5]) + more("1-1-4"))
    service.answers_with_lines("audit/export", b"".join(lines[5:13]) + more("2-2-11"))
    service.answers_with_lines("audit/export", b"".join(lines[13:]))
    file = tmp_path / "audit.ndjson"

    ran = await lkps("audit", "export", *PERIOD, "--output", str(file))

    assert (ran.code, ran.out) == (0, "")
    assert file.read_bytes() == EXPORT
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert ran.err.splitlines() == [
        f"Written: {file}",
        "23 rows under 4 checkpoints, and 5 that no checkpoint covers yet.",
    ]
    period = {"from": "2026-11-24T00:00:00Z", "to": "2026-11-26T00:00:00Z"}
    assert [dict(one.query) for one in service.received] == [
        period,
        {**period, "after": "1-1-4"},
        {**period, "after": "2-2-11"},
    ]
    assert (await verified(lkps, file)).code == 0


async def test_an_answer_with_a_part_of_the_period_may_have_no_row_of_its_own(
    lkps: Command, service: LkpsStandIn, tmp_path: Path
) -> None:
    service.answers_with_lines("audit/export", TRAIL.export()[0] + more("1-0-0"))
    service.answers_with_lines("audit/export", more("1-0-0-0"))
    service.answers_with_lines("audit/export", b"".join(TRAIL.export()[1:]))

    ran = await lkps("audit", "export", *PERIOD, "--output", str(tmp_path / "audit.ndjson"))

    assert ran.code == 0
    assert (tmp_path / "audit.ndjson").read_bytes() == EXPORT


async def test_without_a_name_the_file_is_named_after_its_period(
    lkps: Command, service: LkpsStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    service.answers_with_lines("audit/export", EXPORT)

    await lkps("audit", "export", "--from", "2026-11-24T09:30:00Z", "--to", "2026-11-24")

    assert (tmp_path / "audit_2026-11-24T093000Z_2026-11-25.ndjson").read_bytes() == EXPORT


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ([EXPORT[: len(EXPORT) // 2]], 1),
        ([TRAIL.export()[0]], 1),
        ([b""], 1),
        ([TRAIL.export()[0] + more("1-1-4"), more("1-1-4")], 1),
        ([TRAIL.export()[0] + b'{"more":{}}\n'], 1),
    ],
    ids=["cut", "no end", "nothing", "does not go on", "does not say where"],
)
async def test_an_export_that_breaks_off_leaves_what_was_there(
    lkps: Command, service: LkpsStandIn, tmp_path: Path, answers: list[bytes], code: int
) -> None:
    for one in answers:
        service.answers_with_lines("audit/export", one)
    file = tmp_path / "audit.ndjson"
    file.write_text("before")

    ran = await lkps("audit", "export", *PERIOD, "--output", str(file))

    assert ran.code == code
    assert "not one that LKPS gives" in ran.err
    assert file.read_text() == "before"
    assert names(tmp_path, "*audit*") == ["audit.ndjson"]


async def test_an_export_is_refused_and_nothing_is_written(
    lkps: Command, service: LkpsStandIn, tmp_path: Path
) -> None:
    service.refuses("GET", "audit/export", PermissionLacking("Audit.Read"))

    ran = await lkps("audit", "export", *PERIOD, "--output", str(tmp_path / "audit.ndjson"))

    assert ran.code == 1
    assert "permission_lacking (403)" in ran.err
    assert not (tmp_path / "audit.ndjson").exists()


async def test_an_answer_that_is_not_lines_is_not_an_export(
    lkps: Command, service: LkpsStandIn, tmp_path: Path
) -> None:
    service.answers_with("GET", "audit/export", {"rows": []})

    ran = await lkps("audit", "export", *PERIOD, "--output", str(tmp_path / "audit.ndjson"))

    assert ran.code == 1
    assert "not one that LKPS gives" in ran.err


async def test_a_file_that_cannot_be_written_is_a_wrong_command_line(
    lkps: Command, service: LkpsStandIn, tmp_path: Path
) -> None:
    service.answers_with_lines("audit/export", EXPORT)

    ran = await lkps("audit", "export", *PERIOD, "--output", str(tmp_path / "no" / "folder"))

    assert ran.code == 2


async def verified(command: Command, file: Path, *options: str, key: str = KEY) -> Ran:
    return await command("audit", "verify", str(file), "--key", key, *options)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "audit.ndjson"
    put(file, EXPORT)
    return file


def names(folder: Path, pattern: str) -> list[str]:
    return [one.name for one in folder.glob(pattern)]


def put(file: Path, content: bytes) -> None:
    file.write_bytes(content)


async def test_an_export_as_signed_is_said_to_be_and_what_it_covers(
    bare: Command, file: Path
) -> None:
    ran = await verified(bare, file)

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "as signed",
        "  covered          23 rows, under 4 checkpoints",
        "  checkpoints      2026-11-24 09:00:00.000000Z to 2026-11-24 09:15:00.000000Z",
        "  in the trail     rows 1 to 23 of all that were signed",
        "  not covered yet  5 rows",
    ]


async def test_an_export_that_begins_later_says_where(bare: Command, tmp_path: Path) -> None:
    (tmp_path / "later").write_bytes(b"".join(TRAIL.export(first=2)))

    ran = await verified(bare, tmp_path / "later")

    assert "rows 5 to 23 of all that were signed" in ran.out


async def test_a_program_reads_the_result(bare: Command, file: Path) -> None:
    result = (await verified(bare, file, "--json")).json

    assert result["last"].pop("root")
    assert result["last"] == {
        "origin": SIGNER.origin,
        "size": 23,
        "at": "2026-11-24T09:15:00.000000Z",
    }
    names = ("verified", "checkpoints", "rows", "uncovered", "start", "findings")
    assert [result[name] for name in names] == [True, 4, 23, 5, 0, []]


def tampered() -> bytes:
    file = File.read(TRAIL.export())
    file.parts[1].rows[2] = file.parts[1].rows[2].replace(b"0.9.0", b"0.9.1")
    return file.content()


async def test_a_row_that_is_not_as_signed_is_named(bare: Command, file: Path) -> None:
    put(file, tampered())

    ran = await verified(bare, file)
    as_json = await verified(bare, file, "--json", "--rows-only")

    assert ran.code == as_json.code == 1
    assert ran.out.splitlines()[0] == "NOT as signed: 3 findings"
    assert ran.out.splitlines()[-1] == ("row 6 of 2026-11-24_a1: is missing, or was changed")
    assert not as_json.json["verified"]
    assert as_json.json["findings"][-1] == {
        "place": "row 6 of 2026-11-24_a1",
        "what": "is missing, or was changed",
    }


async def test_only_what_was_signed_is_compared_when_that_is_asked(
    bare: Command, file: Path
) -> None:
    moved = File.read(TRAIL.export())
    moved.parts[3].members["segments"] = [["2026-11-25_c3", 4, 5]]
    put(file, moved.content())

    assert (await verified(bare, file)).code == 1
    assert (await verified(bare, file, "--rows-only")).code == 0


async def test_rows_that_no_checkpoint_covers_prove_nothing(bare: Command, file: Path) -> None:
    put(file, b"".join(TRAIL.export(first=5)))

    ran = await verified(bare, file)

    assert ran.code == 1
    assert ran.out.splitlines()[0] == "nothing proved: no checkpoint covers these rows yet"


async def test_a_period_without_a_row_is_as_signed(bare: Command, file: Path) -> None:
    put(file, b"".join(Trail(SIGNER).export()))

    ran = await verified(bare, file)

    assert ran.code == 0
    assert ran.out.splitlines()[1:] == [
        "  covered          0 rows, under 0 checkpoints",
        "  not covered yet  0 rows",
    ]


async def test_more_findings_than_can_be_told_are_said_to_be_more(
    bare: Command, file: Path
) -> None:
    many = File.read(TRAIL.export())
    many.parts[0].rows = [b"%d" % number for number in range(1500)]
    put(file, many.content())

    assert (await verified(bare, file)).out.startswith("NOT as signed: 1000 or more findings")


async def test_another_key_does_not_vouch_for_it(bare: Command, file: Path) -> None:
    ran = await verified(bare, file, key=Signer(2).key.text)

    assert ran.code == 1
    assert "not signed by this key" in ran.out


async def test_the_key_may_be_in_a_file(bare: Command, file: Path, tmp_path: Path) -> None:
    (tmp_path / "checkpoint.key").write_text(f"{KEY}\n")

    assert (await verified(bare, file, key=f"@{tmp_path / 'checkpoint.key'}")).code == 0


async def test_without_a_key_it_says_how_to_get_one(bare: Command, file: Path) -> None:
    for command in ("verify", "verify-receipt"):
        ran = await bare("audit", command, str(file))

        assert ran.code == 2
        assert "lkps audit key prints it" in " ".join(ran.err.replace("│", " ").split())


@pytest.mark.parametrize("key", ["", "no key", "@/no/such/file", KEY[:-8], NOT_P256])
async def test_a_key_that_is_none_is_a_wrong_command_line(
    bare: Command, file: Path, key: str
) -> None:
    assert (await verified(bare, file, key=key)).code == 2


async def test_a_file_that_is_not_there_is_a_wrong_command_line(
    bare: Command, tmp_path: Path
) -> None:
    for path in (tmp_path / "none", tmp_path):
        assert (await verified(bare, path)).code == 2


@pytest.mark.parametrize("content", [b"", b"no export", gzip.compress(EXPORT), b"\x00\xff\n"])
async def test_a_file_that_is_no_export_has_findings(
    bare: Command, file: Path, content: bytes
) -> None:
    put(file, content)

    assert (await verified(bare, file)).code == 1


async def test_the_file_may_come_through_a_pipe(bare: Command) -> None:
    for content, code in ((EXPORT, 0), (tampered(), 1)):
        ran = await bare("audit", "verify", "-", "--key", KEY, stdin=content.decode())

        assert ran.code == code


async def test_what_is_in_a_file_does_not_steer_the_terminal(bare: Command, file: Path) -> None:
    strange = File.read(TRAIL.export())
    strange.parts[3].members["segments"] = [["\x1b[2J\x07", 0, 5]]
    put(file, strange.content())

    ran = await verified(bare, file)

    assert ran.code == 1
    assert "\x1b" not in ran.out


OFFLINE = """
import socket, sys
socket.socket.connect = None
from lkps.cli.__main__ import main
try:
    main(["audit", "verify", sys.argv[1], "--key", sys.argv[2]])
except SystemExit as end:
    slow = {"msal", "requests", "yaml", "aiohttp", "asyncio"}
    print(*sorted(slow & sys.modules.keys()), end.code)
"""


def test_verifying_needs_no_network_and_nothing_that_would_use_it(file: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", OFFLINE, str(file), KEY],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    assert ran.stdout.splitlines()[-1].split() == ["0"]
