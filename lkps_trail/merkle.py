"""The Merkle tree of RFC 6962, section 2.1: leaves, the frontier that grows, inclusion proofs."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """A tree of `size` leaves by its largest complete subtrees, from left to right.

    It is all that is needed to add leaves: one hash for each bit that is set in the size.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.hashes) != self.size.bit_count():
            raise ValueError("a frontier has one hash for each bit that is set in its size")
        if any(len(one) != HASH_BYTES for one in self.hashes):
            raise ValueError(f"a hash has {HASH_BYTES} bytes")

    def extended(self, leaves: Iterable[bytes]) -> "Frontier":
        """The tree with these leaves' hashes after its own."""
        sha256 = hashlib.sha256
        size, hashes = self.size, list(self.hashes)
        for leaf in leaves:
            joined, bits = leaf, size
            while bits & 1:
                joined = sha256(b"\x01" + hashes.pop() + joined).digest()
                bits >>= 1
            hashes.append(joined)
            size += 1
        return Frontier(size, tuple(hashes))

    @property
    def root(self) -> bytes:
        if not self.hashes:
            return EMPTY_ROOT
        root = self.hashes[-1]
        for left in reversed(self.hashes[:-1]):
            root = node_hash(left, root)
        return root


def inclusion_proof(before: Frontier, leaves: Sequence[bytes], place: int) -> list[bytes]:
    """The audit path (RFC 6962, section 2.1.1) of `leaves[place]`, in the tree that ends with them.

    `before` is the tree that they were added to: left of a new leaf its subtrees are all one needs.
    """
    if not 0 <= place < len(leaves):
        raise IndexError("no such leaf")
    row = _row(before)
    level, first, nodes = 0, before.size, list(leaves)
    place += first
    path: list[bytes] = []
    size = before.size + len(leaves)
    while size > 1:
        if first & 1:  # the left sibling of the first is a subtree of the tree before
            first -= 1
            nodes.insert(0, row[level])
        sibling = place ^ 1
        if sibling < size:
            path.append(nodes[sibling - first])
        nodes = [
            node_hash(nodes[at], nodes[at + 1]) if at + 1 < len(nodes) else nodes[at]
            for at in range(0, len(nodes), 2)
        ]
        level, first, place, size = level + 1, first >> 1, place >> 1, (size + 1) >> 1
    return path


def _row(frontier: Frontier) -> dict[int, bytes]:
    """The frontier's hashes by the height of their subtrees."""
    heights = [at for at in range(frontier.size.bit_length()) if frontier.size >> at & 1]
    return dict(zip(reversed(heights), frontier.hashes, strict=True))


def root_by_proof(leaf: bytes, place: int, size: int, path: Sequence[bytes]) -> bytes:
    """The root that the path leads to (RFC 9162, section 2.1.3.2).

    ValueError when a tree of that size has no such path.
    """
    if not 0 <= place < size:
        raise ValueError("no such leaf in a tree of that size")
    root, last = leaf, size - 1
    for sibling in path:
        if last == 0:
            raise ValueError("the path is too long")
        if place & 1 or place == last:
            root = node_hash(sibling, root)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise ValueError("the path is too short")
    return root
