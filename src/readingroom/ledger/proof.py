"""Proofs that one entry is in the log, for checking offline (C2SP tlog-proof@v1). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from readingroom.ledger.checkpoint import Checkpoint, number
from readingroom.ledger.merkle import SIZE, leaf_hash, verify_inclusion
from readingroom.ledger.note import Unproven, Verifier, decode, encode

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PATH = 64  # hashes: no log has more entries than 2^64


@dataclass(frozen=True, slots=True)
class Proof:
    """The way from an entry up to a signed checkpoint.

    Attributes:
        index: the entry's place in the log.
        path: sibling hashes, from the leaf up.
        checkpoint: the signed note, as the log wrote it.
        extra: bytes that travel along and that nothing vouches for.
    """

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes = b""

    def to_text(self) -> str:
        """Spell the proof."""
        lines = [HEADER]
        if self.extra:
            lines.append(f"extra {encode(self.extra)}")
        lines += [f"index {self.index}", *map(encode, self.path), "", ""]
        return "\n".join(lines) + self.checkpoint.decode()

    @classmethod
    def parse(cls, text: str) -> Proof:
        """Read a proof.

        Raises:
            Unproven: it is none.
        """
        head, blank, checkpoint = text.partition("\n\n")
        lines = head.split("\n")
        if not blank or lines.pop(0) != HEADER:
            raise Unproven(f"a proof begins with the line {HEADER!r} and holds a checkpoint after an empty line")
        extra = decode(lines.pop(0).removeprefix("extra ")) if lines and lines[0].startswith("extra ") else b""
        if not lines or not lines[0].startswith("index "):
            raise Unproven("the proof does not say the entry's index")
        index = number(lines.pop(0).removeprefix("index "), "the proof's index")
        if len(lines) > MAX_PATH:
            raise Unproven(f"the proof has more than {MAX_PATH} hashes")
        path = tuple(map(decode, lines))
        if any(len(each) != SIZE for each in path):
            raise Unproven("a hash of the proof is not a SHA-256 hash")
        return cls(index, path, checkpoint.encode(), extra)

    def verify(self, leaf: bytes, verifier: Verifier) -> Checkpoint:
        """Return the checkpoint of the log that holds this leaf at this index.

        Raises:
            Unproven: the checkpoint is not signed by that key, or the leaf is not what stands at that index.
        """
        signed = Checkpoint.open(self.checkpoint, verifier)
        if self.index >= signed.size:
            raise Unproven(f"the log of {signed.size} entries has no entry {self.index}")
        if not verify_inclusion(leaf_hash(leaf), self.index, signed.size, self.path, signed.root):
            raise Unproven(f"this is not what stands at {self.index} in the log that was signed at size {signed.size}")
        return signed
