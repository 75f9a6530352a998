"""An export is lines of JSON, byte by byte as the format says."""

import json

from lkps_trail import export
from lkps_trail.batch import Segment
from lkps_trail.export import CONTROLS
from tests.trail.parts.keys import ORIGIN, Signer
from tests.trail.parts.trails import A, Trail, row


def test_an_export_is_its_header_its_batches_the_uncovered_rows_and_its_end() -> None:
    trail = Trail(Signer(1))
    trail.checkpoint((A, 2))
    batch, rows = trail.covered[0]
    waiting = [row(A, 2)]

    lines = [
        export.header(ORIGIN, "a key", ("2026-11-24", "2026-11-25")),
        *export.batch_lines(batch, rows),
        *export.uncovered_lines([Segment(A, 2, 1)], waiting),
        export.end(batches=1, rows=2, uncovered=1),
    ]

    assert lines == [
        (
            f'{{"export":{{"format":1,"origin":"{ORIGIN}","key":"a key",'
            '"from":"2026-11-24","to":"2026-11-25"}}'
        ),
        json.dumps({"batch": batch.as_json()}, separators=(",", ":"), ensure_ascii=False),
        *(one.decode() for one in rows),
        f'{{"uncovered":[["{A}",2,1]]}}',
        waiting[0].decode(),
        '{"end":{"batches":1,"rows":2,"uncovered":1}}',
    ]


def test_what_goes_on_says_after_what() -> None:
    assert export.more("3-1-4") == '{"more":{"after":"3-1-4"}}'


def test_no_row_looks_like_a_line_that_is_none() -> None:
    """The members of a row are sorted, and one that every row has sorts before these."""
    assert all(one > b'{"action":' for one in CONTROLS)
    assert not row(A, 0).startswith(CONTROLS)
