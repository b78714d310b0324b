"""Checkpoints: what a log of one size is, in three lines that its key signs (C2SP tlog-checkpoint). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from readingroom.ledger.merkle import SIZE
from readingroom.ledger.note import Note, Signer, Unproven, Verifier, decode, encode

_LEAST_LINES = 3
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log at one size.

    Attributes:
        origin: the log's name.
        size: how many entries.
        root: the tree's root over them.
    """

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Spell the text that is signed."""
        return f"{self.origin}\n{self.size}\n{encode(self.root)}\n"

    def sign(self, signer: Signer) -> bytes:
        """Return the signed note."""
        return signer.sign(self.text())

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read the text of a note; extension lines are allowed and mean nothing here.

        Raises:
            Unproven: it is no checkpoint.
        """
        lines = text.removesuffix("\n").split("\n")
        if len(lines) < _LEAST_LINES or not all(lines):
            raise Unproven("a checkpoint has three lines: origin, size and root")
        root = decode(lines[2])
        if len(root) != SIZE:
            raise Unproven("the checkpoint's root is not a SHA-256 hash")
        return cls(lines[0], number(lines[1], "the checkpoint's size"), root)

    @classmethod
    def open(cls, note: bytes, verifier: Verifier) -> Checkpoint:
        """Read a signed checkpoint of the log whose key this is.

        Raises:
            Unproven: it is none, is not signed by that key, or is another log's.
        """
        made = cls.parse(verifier.open(note))
        if made.origin != verifier.name:
            raise Unproven(f"the checkpoint is of the log {made.origin!r}, not of {verifier.name!r}")
        return made

    @classmethod
    def open_own(cls, note: bytes, verifier: Verifier) -> Checkpoint:
        """Read a checkpoint exactly as this house writes it: three lines, one signature, no byte more."""
        made = cls.open(note, verifier)
        parsed = Note.parse(note)
        if parsed.text != made.text() or len(parsed.signatures) != 1 or parsed.to_bytes() != note:
            raise Unproven("the checkpoint holds more than was signed into it")
        return made


def number(text: str, what: str) -> int:
    """Read a decimal without sign or leading zeros.

    Raises:
        Unproven: it is none.
    """
    if not _NUMBER.fullmatch(text):
        raise Unproven(f"{what} is no plain decimal number: {text[:40]!r}")
    return int(text)
