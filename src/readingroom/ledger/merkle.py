"""The Merkle tree of RFC 6962, section 2.1, over SHA-256. Pure.

A tree is never held here: proofs are made from a function that gives the hash of any range of leaves, so that the
same few lines serve a list in memory and a log in a database. Names follow the RFC: MTH, PATH, PROOF.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, reduce

SIZE = 32  # bytes of a hash
EMPTY = hashlib.sha256().digest()  # the root of a log without entries

RangeHash = Callable[[int, int], bytes]
"""MTH(D[start:end]) for 0 <= start < end."""


def leaf_hash(leaf: bytes) -> bytes:
    """Hash one leaf: SHA-256(0x00 || leaf)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash an inner node: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(count: int) -> int:
    """Return the largest power of two below `count` (at least 2): where the RFC parts a range."""
    return 1 << ((count - 1).bit_length() - 1)


def over(leaf_hashes: Sequence[bytes]) -> RangeHash:
    """Hash ranges of a list of leaf hashes; each range is hashed once."""

    @cache
    def hash_of(start: int, end: int) -> bytes:
        if end - start == 1:
            return leaf_hashes[start]
        middle = start + split(end - start)
        return node_hash(hash_of(start, middle), hash_of(middle, end))

    return hash_of


def over_perfect(perfect: Callable[[int, int], bytes]) -> RangeHash:
    """Hash ranges from the perfect subtrees of a stored tree.

    Args:
        perfect: the root of the subtree of 2^height leaves at a place: `perfect(height, place)`.
    """

    def hash_of(start: int, end: int) -> bytes:
        count = end - start
        height = count.bit_length() - 1
        if count == 1 << height:
            return perfect(height, start >> height)
        middle = start + split(count)
        return node_hash(hash_of(start, middle), hash_of(middle, end))

    return hash_of


def root(leaf_hashes: Sequence[bytes]) -> bytes:
    """Return the root over a list of leaf hashes (MTH)."""
    tree = Frontier()
    for each in leaf_hashes:
        tree = tree.append(each)
    return tree.root()


def inclusion_path(hash_of: RangeHash, index: int, size: int) -> tuple[bytes, ...]:
    """Return PATH(index, D[size]): sibling hashes from the leaf up to the root.

    Raises:
        ValueError: there is no such leaf in a tree of that size.
    """
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            path.append(hash_of(middle, end))
            end = middle
        else:
            path.append(hash_of(start, middle))
            start = middle
    return tuple(reversed(path))


def consistency_path(hash_of: RangeHash, old: int, new: int) -> tuple[bytes, ...]:
    """Return PROOF(old, D[new]): that the tree of size `old` is a prefix of the one of size `new`.

    Empty where there is nothing to prove: from the empty tree, or to the same size.

    Raises:
        ValueError: `old` is larger than `new`, or negative.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} leaves is no prefix of one of {new}")
    if old in (0, new):
        return ()
    path: list[bytes] = []
    start, end, known = 0, new, True  # known: the old root is this very node, so the verifier has it
    while old != end:
        middle = start + split(end - start)
        if old <= middle:
            path.append(hash_of(middle, end))
            end = middle
        else:
            path.append(hash_of(start, middle))
            start, known = middle, False
    if not known:
        path.append(hash_of(start, end))
    return tuple(reversed(path))


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected: bytes) -> bool:
    """Tell whether a leaf hash stands at `index` in the tree of that size and root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    inner, border = _shape(index, size)
    if len(path) != inner + border or any(len(each) != SIZE for each in path):
        return False
    climbed = leaf
    for height, sibling in enumerate(path[:inner]):
        climbed = node_hash(sibling, climbed) if index >> height & 1 else node_hash(climbed, sibling)
    return reduce(lambda below, left: node_hash(left, below), path[inner:], climbed) == expected


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Tell whether the tree (old, old_root) is a prefix of (new, new_root) (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= new or any(len(each) != SIZE for each in path):
        return False
    if old == new:
        return not path and old_root == new_root
    if old == 0:
        return not path and old_root == EMPTY
    level = _trailing_zeros(old)  # the old tree's last perfect subtree: where both climbs start
    start, rest = (old_root, path) if old == 1 << level else (path[0] if path else b"", path[1:])
    inner, border = _shape(old - 1, new)
    inner -= level
    if len(rest) != inner + border or len(start) != SIZE:
        return False
    old_climb = new_climb = start
    for height, sibling in enumerate(rest[:inner]):
        if (old - 1) >> (level + height) & 1:
            old_climb, new_climb = node_hash(sibling, old_climb), node_hash(sibling, new_climb)
        else:
            new_climb = node_hash(new_climb, sibling)
    for left in rest[inner:]:
        old_climb, new_climb = node_hash(left, old_climb), node_hash(left, new_climb)
    return (old_climb, new_climb) == (old_root, new_root)


def _shape(index: int, size: int) -> tuple[int, int]:
    """Count a path's hashes: below where it meets the tree's right edge, and along that edge."""
    inner = (index ^ (size - 1)).bit_length()
    return inner, (index >> inner).bit_count()


def _trailing_zeros(number: int) -> int:
    return (number & -number).bit_length() - 1


@dataclass(frozen=True, slots=True)
class Frontier:
    """All that must be known of a tree to append to it: the roots of its perfect subtrees, largest first.

    Attributes:
        size: leaves so far.
        peaks: one hash for each bit that is set in `size`.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> Frontier:
        """Return the frontier with one more leaf hash: as in a binary counter, each carry hashes two peaks."""
        peaks = list(self.peaks)
        carried = leaf
        for _ in range(_trailing_zeros(self.size + 1)):
            carried = node_hash(peaks.pop(), carried)
        return Frontier(self.size + 1, (*peaks, carried))

    def root(self) -> bytes:
        """Return the root of the whole tree."""
        if not self.peaks:
            return EMPTY
        return reduce(lambda right, left: node_hash(left, right), reversed(self.peaks))

    def to_bytes(self) -> bytes:
        """Return the peaks in a row: 32 bytes each."""
        return b"".join(self.peaks)

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> Frontier:
        """Read what `to_bytes` wrote.

        Raises:
            ValueError: the number of peaks does not fit the size.
        """
        if size < 0 or len(data) != SIZE * size.bit_count():
            raise ValueError(f"{len(data)} bytes are no frontier of a tree of {size} leaves")
        return cls(size, tuple(data[i : i + SIZE] for i in range(0, len(data), SIZE)))
