"""Ten thousand times an export is tampered with: it is found every time, and where."""

from random import Random

import pytest

from lkps_trail import export
from lkps_trail.merkle import Frontier
from lkps_trail.verifying import MOST_FINDINGS, Finding, Verified, verify_export
from tests.trail.parts.files import File, split
from tests.trail.parts.judging import Judge
from tests.trail.parts.keys import Signer, verify
from tests.trail.parts.mutations import MUTATIONS, Desk, sign
from tests.trail.parts.trails import as_lines, small_trail

SIGNER, FORGER = Signer(1), Signer(2)
TRAIL = small_trail(SIGNER)
SECOND = small_trail(SIGNER, "second").export()
FOREIGN = small_trail(FORGER).export()
EXPORTS = [TRAIL.export(), TRAIL.export(first=2)]
JUDGES = [Judge(export, SECOND) for export in EXPORTS]
TIMES = 10_000 // len(MUTATIONS) + 1


def verified(lines: list[bytes], signer: Signer = SIGNER, *, meaning: bool = True) -> Verified:
    return verify_export(lines, signer.key, verify, meaning=meaning)


def desk(chance: Random, of: int) -> Desk:
    second, foreign = File.read(SECOND), File.read(FOREIGN)
    del second.parts[:of], foreign.parts[:of]
    return Desk(chance, File.read(EXPORTS[of]), second, foreign, FORGER)


@pytest.mark.parametrize("name", MUTATIONS)
def test_whatever_is_tampered_with_is_found_and_named(name: str) -> None:
    """Each time once, of ten thousand in all."""
    for time in range(TIMES):
        chance = Random(f"{name} {time}")
        of = time % len(EXPORTS)
        lines = split(MUTATIONS[name](desk(chance, of)))

        result = verified(lines, meaning=time % 4 != 0)

        faults = list(JUDGES[of].faults(lines, result))
        assert not faults, (time, faults, result)
        if lines == EXPORTS[of]:
            assert not result.findings


def test_an_export_as_it_was_made_has_no_findings() -> None:
    result = verified(EXPORTS[0])

    assert result.findings == []
    assert (result.batches, result.rows, result.uncovered, result.start) == (4, 23, 5, 0)
    assert result.first is not None
    assert result.first.covers(TRAIL.covered[0][0].after)
    assert result.last is not None
    assert result.last.covers(TRAIL.tree)


def test_an_export_may_begin_in_the_midst_of_the_trail() -> None:
    result = verified(EXPORTS[1])

    assert result.findings == []
    assert (result.batches, result.rows, result.start) == (3, 19, 4)


def test_an_export_without_a_covered_row_covers_nothing() -> None:
    result = verified(TRAIL.export(first=5))

    assert result.findings == []
    assert (result.rows, result.uncovered, result.first, result.last) == (0, 5, None, None)


def test_the_last_newline_may_be_lost() -> None:
    assert verified([*EXPORTS[0][:-1], EXPORTS[0][-1].removesuffix(b"\n")]).findings == []


def test_an_export_of_which_the_rest_was_not_asked_for_is_told_to_go_on() -> None:
    begun = split(file().content())[:6]

    (finding,) = verified([*begun, *as_lines([export.more("1-1-4")])]).findings

    assert (finding.place, finding.what.partition(",")[0]) == ("line 7", "the export goes on")


def places(lines: list[bytes], *, meaning: bool = True) -> list[str]:
    return [finding.place for finding in verified(lines, meaning=meaning).findings]


def file() -> File:
    return File.read(EXPORTS[0])


def tampered(file: File) -> list[str]:
    return places(split(file.content()))


def test_a_changed_row_is_named_and_no_other() -> None:
    changed = file()
    changed.parts[1].rows[2] = changed.parts[1].rows[2].replace(b"0.9.0", b"0.9.1")

    assert tampered(changed) == [
        "rows 4 to 6 of 2026-11-24_a1, rows 0 to 3 of 2026-11-24_b2",
        "line 10",
        "row 6 of 2026-11-24_a1",
    ]


def test_a_moved_row_is_named_and_not_those_that_it_passed() -> None:
    for before, after in ((0, 6), (6, 0)):
        moved = file()
        rows = moved.parts[1].rows
        rows.insert(after, rows.pop(before))

        name = moved.parts[1].names[before]
        assert tampered(moved)[1:] == [name]


def test_a_forged_row_with_its_hash_accuses_no_rows_of_later_checkpoints() -> None:
    forged = file()
    forged.parts[1].rows[2] = forged.parts[1].rows[2].replace(b"0.9.0", b"0.9.1")
    forged.parts[1].rehash()

    assert tampered(forged) == ["rows 4 to 6 of 2026-11-24_a1, rows 0 to 3 of 2026-11-24_b2"]


def test_rows_that_are_taken_out_behind_a_checkpoint_are_missed_by_its_size() -> None:
    cut = file()
    hide_first_rows(cut, 1)

    assert tampered(cut)[0] == cut.parts[1].span


def test_rows_that_are_taken_out_are_missed_although_those_before_them_are_forged() -> None:
    cut = file()
    cut.parts[2].rows[2] = cut.parts[2].rows[2].replace(b"0.9.0", b"0.9.1")
    cut.parts[2].rehash()
    hide_first_rows(cut, 3)

    assert tampered(cut)[:2] == [cut.parts[2].span, cut.parts[3].span]


def test_what_a_batch_says_was_before_it_does_not_matter_to_rows_that_are_as_signed() -> None:
    wrong = file()
    wrong.parts[2].say_before(Frontier().extended([bytes(32)]))

    (finding,) = verified(split(wrong.content())).findings
    assert finding == Finding(wrong.parts[2].span, "what it says was before them is not as it was")


def test_a_batch_that_was_taken_out_is_named_by_its_checkpoint() -> None:
    cut = file()
    del cut.parts[1]
    cut.recount()

    assert tampered(cut)[0] == "checkpoint 2"


def test_batches_at_the_end_that_were_taken_out_are_missed_by_the_end() -> None:
    cut = file()
    del cut.parts[3]

    (finding,) = verified(split(cut.content()), meaning=False).findings
    assert finding == Finding("line 29", "the file has lost or gained a part")


def test_rows_taken_from_the_front_into_the_tree_before_are_missed() -> None:
    """The root stays the signed one: only where the checkpoint starts, which is signed, tells."""
    cut = file()
    hide_first_rows(cut, 0)
    cut.recount()

    result = verified(split(cut.content()))

    (finding,) = result.findings
    assert finding.what == "rows before these were taken away"


def hide_first_rows(file: File, at: int) -> None:
    part = file.parts[at]
    part.say_before(part.batch.before.extended(part.batch.leaves[:2]))
    part.members["segments"][0][1] += 2
    part.members["segments"][0][2] -= 2
    del part.rows[:2]
    part.rehash()


def test_a_list_of_hashes_that_is_wrong_is_told_although_the_rows_are_as_signed() -> None:
    wrong = file()
    hashes = wrong.parts[3].members["leaves"]
    wrong.parts[3].members["leaves"] = "AAAA" + hashes[4:]

    assert tampered(wrong) == ["rows 3 to 7 of 2026-11-25_c3"]


def test_rows_say_where_they_are_unless_that_is_not_asked() -> None:
    moved = file()
    moved.parts[3].members["segments"] = [["2026-11-25_c3", 4, 5]]
    lines = split(moved.content())

    assert places(lines, meaning=False) == []
    assert places(lines)[:2] == ["row 4 of 2026-11-25_c3", "row 5 of 2026-11-25_c3"]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (b"no JSON", "is not JSON in its canonical form"),
        (b'{"a":0.5}', "is not JSON in its canonical form"),
        (b"[" * 100_000, "is not JSON in its canonical form"),
        (b'{"a": 1}', "is not in its canonical form"),
        (b'{"a":1,"a":1}', "is not in its canonical form"),
        (b"[]", "is not a JSON object"),
        (b"{}", "says that it is another row"),
    ],
)
def test_a_row_that_is_signed_may_still_be_none(row: bytes, what: str) -> None:
    forged = file()
    part = forged.parts[3]
    part.rows[1] = row
    part.rehash()
    sign(SIGNER, part)

    (finding,) = verified(split(forged.content())).findings
    assert (finding.place, finding.what) == ("row 4 of 2026-11-25_c3", what)


def test_a_gap_in_a_stream_is_told() -> None:
    gap = file()
    gap.segments[0] = ["2026-11-24_a1", 10, 1]
    del gap.waiting[0]
    gap.recount()

    (finding,) = verified(split(gap.content())).findings
    assert finding.what == "follows a gap: row 9 of its stream was expected"


def test_rows_that_no_checkpoint_covers_yet_are_counted_and_not_vouched_for() -> None:
    changed = file()
    changed.waiting = [row.replace(b"0.9.0", b"0.9.1") for row in changed.waiting]

    result = verified(split(changed.content()))

    assert result.findings == []
    assert (result.rows, result.uncovered) == (23, 5)


@pytest.mark.parametrize("signer", [FORGER, Signer(1, "lkps.example/us-1")], ids=["key", "log"])
def test_another_key_finds_no_checkpoint_of_its_own(signer: Signer) -> None:
    result = verified(EXPORTS[0], signer)

    assert (result.first, result.last) == (None, None)
    assert len(result.findings) >= 4


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"\xff\xfe",
        b"{}",
        b"[]\n",
        b'{"export":[]}\n',
        b'{"export":{"format":2}}\n',
        b'{"batch":{}}\n',
        EXPORTS[0][0],
        EXPORTS[0][0] + EXPORTS[0][0],
        EXPORTS[0][0] + b'{"batch":null}\n',
        EXPORTS[0][0] + b'{"uncovered":null}\n',
        EXPORTS[0][0] + b'{"uncovered":[["a",0,1000000000000]]}\n{"end":{}}\n',
        EXPORTS[0][0] + b"[" * 100_000,
    ],
)
def test_what_is_no_export_has_a_finding(content: bytes) -> None:
    assert places(split(content))


def test_findings_beyond_a_thousand_are_not_kept() -> None:
    long = file()
    long.parts[0].rows = [b"%d" % number for number in range(1500)]

    assert len(tampered(long)) == MOST_FINDINGS
