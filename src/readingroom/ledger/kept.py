"""The newest checkpoint of the log, kept in a file beside the database: so a log that shrank is not taken for whole.

It is written after each decision, only ever forwards: it may lag behind the log, and is never ahead of it. Whoever
puts an older copy of the database back, empties it or loses it is told so, and nothing is signed on top of it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from readingroom.core.errors import Broken, Problem
from readingroom.core.files import write_over
from readingroom.ledger.checkpoint import Checkpoint
from readingroom.ledger.note import Unproven, Verifier

log = logging.getLogger("readingroom.ledger")


@dataclass(frozen=True, slots=True)
class Kept:
    """The file.

    Attributes:
        path: where it is.
        verifier: the log's public key.
        founded: whether the house stands, so that its log cannot be empty.
    """

    path: Path
    verifier: Verifier
    founded: bool

    def note(self) -> bytes | None:
        """Return the signed checkpoint as it is kept; None where there is none.

        Raises:
            Broken: the file cannot be read.
        """
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as fault:
            raise Broken(Problem(str(self.path), f"cannot be read: {fault.strerror}", "Mend its rights")) from None

    def checkpoint(self) -> Checkpoint | None:
        """Return the checkpoint that is kept.

        Raises:
            Broken: the file cannot be read, or is no checkpoint of this log.
        """
        return self.opened(self.note())

    def opened(self, note: bytes | None) -> Checkpoint | None:
        """Return the checkpoint of a note that was read: another process may keep a newer one at any moment.

        Raises:
            Broken: it is no checkpoint of this log.
        """
        try:
            return None if note is None else Checkpoint.open_own(note, self.verifier)
        except Unproven as fault:
            cure = "Put the file, or the key, back from a backup"
            raise Broken(Problem(str(self.path), f"is no checkpoint of this log: {fault}", cure)) from None

    def keep(self, size: int, note: bytes) -> None:
        """Keep a checkpoint that is committed, where it is larger; that it cannot be kept undoes no decision."""
        try:
            known = self.checkpoint()
            if known is None or known.size < size:
                write_over(self.path, note)
        except (OSError, Broken) as fault:
            log.warning("the newest checkpoint could not be kept: %s", fault)
