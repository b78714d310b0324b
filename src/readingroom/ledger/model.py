"""Entries of the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from readingroom.core.canonical import Json, canonical, parse
from readingroom.core.clock import parse_rfc3339, rfc3339

VERSION = 1
MAX_ENTRY = 65_535  # bytes; the length of an entry in a tile is a 16-bit number (C2SP tlog-tiles)


@dataclass(frozen=True, slots=True)
class Entry:
    """One decided thing.

    Attributes:
        seq: its index in the log, from 0; inside the leaf too, so that a reordering names itself.
        event: `room.thing.happened`.
        at: when it was decided.
        by: the pseudonym of who decided, or `operator`, or a process.
        data: JSON; ids, figures, digests and reasons by code. Never a name, a prompt or an answer.
    """

    seq: int
    event: str
    at: datetime
    by: str
    data: Mapping[str, Json]

    def leaf(self) -> bytes:
        """Return the canonical JSON that is hashed into the tree.

        Raises:
            ValueError: the data holds what JSON cannot spell the same way everywhere (NaN, an integer beyond 2^53,
                bytes, a key that is no text).
        """
        spelled = {
            "v": VERSION,
            "seq": self.seq,
            "event": self.event,
            "at": rfc3339(self.at),
            "by": self.by,
            "data": dict(self.data),
        }
        try:
            return canonical(spelled)
        except (ValueError, TypeError, RecursionError) as fault:
            raise ValueError(f"the data of {self.event} cannot be recorded: {fault}") from fault

    @classmethod
    def parse(cls, leaf: bytes) -> Entry:
        """Read what `leaf` wrote.

        Raises:
            ValueError: it is no entry, or not spelled as one is.
        """
        try:
            raw = parse(leaf)
            made = cls(raw["seq"], raw["event"], parse_rfc3339(raw["at"]), raw["by"], raw["data"])
            same = made.leaf() == leaf
        except (KeyError, TypeError, AttributeError, RecursionError):
            same = False
        if not same:
            raise ValueError("this is not an entry of the log in canonical JSON")
        return made
