"""How a log is cut into files that never change (C2SP tlog-tiles): names and contents. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from readingroom.ledger.merkle import SIZE
from readingroom.ledger.model import MAX_ENTRY
from readingroom.ledger.note import Unproven

CHECKPOINT = "checkpoint"  # the one file that changes
HEIGHT = 8
WIDTH = 1 << HEIGHT  # hashes or entries in a full tile
_TOP_LEVEL = 63
_LENGTH = 2  # bytes that say how long an entry is
_PATH = re.compile(r"(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tile:
    """The name of a tile, or of a bundle of entries.

    Attributes:
        level: of the tree, in steps of 8; None for a bundle of entries.
        index: its place in that level.
        width: hashes or entries in it: 256 in a full one, fewer in a partial one.
    """

    level: int | None
    index: int
    width: int = WIDTH

    @property
    def start(self) -> int:
        """The place of its first hash or entry in its level."""
        return self.index * WIDTH

    def path(self) -> str:
        """Spell it as a path below the log's prefix, such as `tile/0/x001/234.p/17`."""
        number = f"{self.index % 1000:03}"
        rest = self.index // 1000
        while rest:
            number = f"x{rest % 1000:03}/{number}"
            rest //= 1000
        partial = "" if self.width == WIDTH else f".p/{self.width}"
        return f"tile/{'entries' if self.level is None else self.level}/{number}{partial}"

    @classmethod
    def parse(cls, path: str) -> Tile | None:
        """Read what `path` wrote; None for anything else, since each tile has one name only."""
        found = _PATH.fullmatch(path.removeprefix("tile/"))
        if found is None:
            return None
        level = None if found[1] == "entries" else int(found[1])
        made = cls(level, int(re.sub("[x/]", "", found[2])), int(found[3] or WIDTH))
        known = (
            (level or 0) <= _TOP_LEVEL and made.width <= WIDTH and made.path() == "tile/" + path.removeprefix("tile/")
        )
        return made if known else None

    def is_of(self, size: int) -> bool:
        """Tell whether a log of that size has grown this far."""
        return self.start + self.width <= size >> HEIGHT * (self.level or 0)


def tiles_of(size: int) -> Iterator[Tile]:
    """Name every bundle and tile of a log of one size; partial ones stand at the right edge only."""
    yield from _row(None, size)
    level = 0
    while count := size >> HEIGHT * level:
        yield from _row(level, count)
        level += 1


def _row(level: int | None, count: int) -> Iterator[Tile]:
    full, partial = divmod(count, WIDTH)
    yield from (Tile(level, index) for index in range(full))
    if partial:
        yield Tile(level, full, partial)


def bundle(leaves: Sequence[bytes]) -> bytes:
    """Put entries in a row, each after its length in 16 bits."""
    return b"".join(len(leaf).to_bytes(_LENGTH) + leaf for leaf in leaves)


def unbundle(data: bytes) -> list[bytes]:
    """Take a bundle apart.

    Raises:
        Unproven: it ends in the middle of an entry.
    """
    leaves, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at : at + _LENGTH])
        at += _LENGTH + length
        if at > len(data):
            raise Unproven("the bundle ends in the middle of an entry")
        leaves.append(data[at - length : at])
    return leaves


def largest(tile: Tile) -> int:
    """Return the most bytes that a tile's file can have."""
    return tile.width * (SIZE if tile.level is not None else _LENGTH + MAX_ENTRY)
