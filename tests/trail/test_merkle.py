"""The Merkle tree is the one of RFC 6962: its known trees, and its definition taken literally."""

import hashlib
from collections.abc import Sequence

import pytest

from lkps_trail.merkle import (
    EMPTY_ROOT,
    Frontier,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_by_proof,
)

ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
"""Those of certificate-transparency's own tests (merkletree/merkle_tree_test.cc)."""

ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

MOST = 40


def root_of(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, section 2.1, as it is written there, from the leaves' hashes on."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    half = _half(len(leaves))
    return hashlib.sha256(b"\x01" + root_of(leaves[:half]) + root_of(leaves[half:])).digest()


def path_of(place: int, leaves: Sequence[bytes]) -> list[bytes]:
    """RFC 6962, section 2.1.1."""
    if len(leaves) == 1:
        return []
    half = _half(len(leaves))
    if place < half:
        return [*path_of(place, leaves[:half]), root_of(leaves[half:])]
    return [*path_of(place - half, leaves[half:]), root_of(leaves[:half])]


def _half(size: int) -> int:
    """The largest power of two below the size."""
    return 1 << (size - 1).bit_length() - 1


def some_leaves(count: int) -> list[bytes]:
    return [leaf_hash(b"%d" % number) for number in range(count)]


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert Frontier().root == EMPTY_ROOT == hashlib.sha256().digest()


@pytest.mark.parametrize("size", range(1, 9))
def test_the_known_trees_have_their_known_roots(size: int) -> None:
    leaves = [leaf_hash(entry) for entry in ENTRIES[:size]]
    assert Frontier().extended(leaves).root.hex() == ROOTS[size - 1]


def test_a_known_path_is_the_one_of_certificate_transparency() -> None:
    leaves = [leaf_hash(entry) for entry in ENTRIES]
    assert [one.hex() for one in inclusion_proof(Frontier(), leaves, 5)] == [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ]


def test_leaves_and_nodes_are_hashed_apart() -> None:
    assert leaf_hash(b"") == hashlib.sha256(b"\x00").digest()
    assert (
        node_hash(b"a" * 32, b"b" * 32) == hashlib.sha256(b"\x01" + b"a" * 32 + b"b" * 32).digest()
    )


@pytest.mark.parametrize("size", range(MOST))
def test_a_root_is_the_one_of_the_definition_however_the_tree_grew(size: int) -> None:
    leaves = some_leaves(size)
    for before in range(size + 1):
        grown = Frontier().extended(leaves[:before]).extended(leaves[before:])
        assert (grown.size, grown.root) == (size, root_of(leaves))


@pytest.mark.parametrize("size", range(1, MOST))
def test_every_proof_is_the_one_of_the_definition_and_leads_to_the_root(size: int) -> None:
    leaves = some_leaves(size)
    for first in range(size):
        before = Frontier().extended(leaves[:first])
        for place in range(first, size):
            path = inclusion_proof(before, leaves[first:], place - first)
            assert path == path_of(place, leaves)
            assert root_by_proof(leaves[place], place, size, path) == root_of(leaves)


@pytest.mark.parametrize("size", range(1, 18))
def test_no_other_leaf_place_size_or_path_leads_to_the_root(size: int) -> None:
    leaves = some_leaves(size)
    root = root_of(leaves)
    for place in range(size):
        path = path_of(place, leaves)
        others = [(leaf, place, size, path) for leaf in leaves if leaf != leaves[place]]
        others += [(leaves[place], other, size, path) for other in range(size) if other != place]
        others += [(leaves[place], place, size, other) for other in _wrong_paths(path)]
        for other in others:
            assert not leads_to(root, *other)


def _wrong_paths(path: list[bytes]) -> list[list[bytes]]:
    flipped = [
        [*path[:at], bytes([one[0] ^ 1]) + one[1:], *path[at + 1 :]] for at, one in enumerate(path)
    ]
    swapped = [[*path[:at], path[at + 1], path[at], *path[at + 2 :]] for at in range(len(path) - 1)]
    return [*flipped, *swapped, *([path[:-1]] if path else []), [*path, bytes(32)]]


def leads_to(root: bytes, leaf: bytes, place: int, size: int, path: Sequence[bytes]) -> bool:
    try:
        return root_by_proof(leaf, place, size, path) == root
    except ValueError:
        return False


@pytest.mark.parametrize(("place", "size"), [(0, 0), (1, 1), (-1, 2), (5, 4)])
def test_a_leaf_outside_the_tree_has_no_proof(place: int, size: int) -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        root_by_proof(bytes(32), place, size, [])


@pytest.mark.parametrize(("path", "what"), [([], "short"), ([bytes(32)] * 3, "long")])
def test_a_path_of_another_length_is_refused(path: list[bytes], what: str) -> None:
    with pytest.raises(ValueError, match=f"too {what}"):
        root_by_proof(bytes(32), 0, 3, path)


@pytest.mark.parametrize("place", [-1, 2])
def test_there_is_no_proof_of_a_leaf_that_was_not_added(place: int) -> None:
    with pytest.raises(IndexError):
        inclusion_proof(Frontier(), some_leaves(2), place)


@pytest.mark.parametrize(
    ("size", "hashes"),
    [
        (1, ()),
        (2, (bytes(32), bytes(32))),
        (0, (bytes(32),)),
        (-1, (bytes(32),)),
        (1, (bytes(31),)),
    ],
)
def test_a_frontier_has_one_whole_hash_for_each_of_its_subtrees(
    size: int, hashes: tuple[bytes, ...]
) -> None:
    with pytest.raises(ValueError, match="hash"):
        Frontier(size, hashes)
