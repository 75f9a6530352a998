"""A batch says which rows its checkpoint covers, and is read as strictly as it is written."""

import base64
import json
from typing import Any

import pytest

from lkps_trail.batch import Batch, BatchInvalid, Segment, parsed, segments_of
from lkps_trail.canonical import LARGEST
from lkps_trail.merkle import Frontier, leaf_hash

LEAVES = tuple(leaf_hash(b"%d" % number) for number in range(5))
BEFORE = Frontier().extended([leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")])
BATCH = Batch(7, "a note", BEFORE, (Segment("day_a", 4, 2), Segment("day_b", 0, 3)), LEAVES)


def test_a_batch_is_read_as_it_was_written() -> None:
    written = json.dumps(BATCH.as_json())
    assert Batch.from_json(parsed(written)) == BATCH
    assert Batch.from_json(parsed(written.encode())) == BATCH


def test_what_is_written_is_its_members_with_hashes_one_after_the_other() -> None:
    assert BATCH.as_json() == {
        "number": 7,
        "note": "a note",
        "before": {"size": 3, "hashes": base64.b64encode(b"".join(BEFORE.hashes)).decode()},
        "segments": [["day_a", 4, 2], ["day_b", 0, 3]],
        "leaves": base64.b64encode(b"".join(LEAVES)).decode(),
    }


def test_the_tree_after_it_has_its_leaves() -> None:
    assert BATCH.after == BEFORE.extended(LEAVES)


def test_a_row_has_its_place_among_the_leaves() -> None:
    places = list(BATCH.places())

    assert places == [("day_a", 4), ("day_a", 5), ("day_b", 0), ("day_b", 1), ("day_b", 2)]
    assert [BATCH.place_of(*place) for place in places] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("row", [("day_a", 3), ("day_a", 6), ("day_b", 3), ("day_c", 0)])
def test_a_row_that_is_not_in_it_has_no_place(row: tuple[str, int]) -> None:
    assert BATCH.place_of(*row) is None


@pytest.mark.parametrize("leaves", [LEAVES[:4], (*LEAVES, LEAVES[0]), ()])
def test_segments_and_leaves_are_of_one_length(leaves: tuple[bytes, ...]) -> None:
    with pytest.raises(BatchInvalid):
        Batch(7, "a note", BEFORE, BATCH.segments, leaves)


def changed(**members: object) -> dict[str, Any]:
    return {**BATCH.as_json(), **members}


ENCODED = str(BATCH.as_json()["leaves"])


@pytest.mark.parametrize(
    "members",
    [
        None,
        [],
        "text",
        {},
        changed(number="7"),
        changed(number=-1),
        changed(number=7.0),
        changed(number=True),
        changed(number=LARGEST + 1),
        changed(note=None),
        changed(note="\ud800"),
        changed(before=None),
        changed(before=[]),
        changed(before={"size": 3}),
        changed(before={"size": 3, "hashes": ""}),
        changed(before={"size": 10**400, "hashes": ""}),
        changed(before={"size": 0, "hashes": "A" * 10}),
        changed(segments=None),
        changed(segments=[[]]),
        changed(segments=[["day_a", 4, 2, 0]]),
        changed(segments=[["day_a", 4, 5, "more"]]),
        changed(segments=[["day_a", 4, 4]]),
        changed(segments=[["day_a", 4, 5], ["day_b", 0, 0]]),
        changed(segments=[["day_a", 4, 6], ["day_b", 0, -1]]),
        changed(segments=[[5, 4, 5]]),
        changed(segments=[["day_a", "4", 5]]),
        changed(segments=[["day_a", 10**4299, 5]]),
        changed(leaves=None),
        changed(leaves=[ENCODED]),
        changed(leaves=ENCODED[:-4]),
        changed(leaves=ENCODED + "!"),
        changed(leaves="é"),
    ],
)
def test_what_is_no_batch_is_refused(members: object) -> None:
    with pytest.raises(BatchInvalid):
        Batch.from_json(members)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "1", '"text"', "null", b"\xff", "[" * 100_000, "1" * 5000]
)
def test_what_is_no_json_object_is_refused(text: str | bytes) -> None:
    with pytest.raises(BatchInvalid):
        parsed(text)


def test_segments_are_read_in_their_order() -> None:
    assert segments_of([["day_b", 0, 1], ["day_a", 2, 3]]) == (
        Segment("day_b", 0, 1),
        Segment("day_a", 2, 3),
    )
