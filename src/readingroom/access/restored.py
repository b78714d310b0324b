"""What holds after a restoring from a backup, as types."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Word:
    """A person's word that the gap after a restoration is known and answered for."""

    person: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Restoration:
    """A restoring from a backup after which no grant is in force yet.

    Attributes:
        restored_at: when the house was restored; the first time, if it was more than once before it was lifted.
        backup_at: when the backup was made.
        size: entries of the log that came back; what was decided after them is lost.
        root: the log's root at that size, as checkpoints spell it.
        newer: the size of the newest later checkpoint that was shown, which proves that entries are lost; or None.
        words: of those who have confirmed the gap.
    """

    id: str
    restored_at: datetime
    backup_at: datetime
    size: int
    root: str
    newer: int | None
    words: tuple[Word, ...] = ()
