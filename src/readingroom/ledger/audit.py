"""Auditing the stored log: every row is recomputed, and what was altered, removed or reordered is named. Pure.

There is a signed checkpoint for every size, so the two around an entry pin it down alone: where the tree stops
agreeing with what was signed, the entry between is named, and the audit goes on from the frontier that was stored
with the next good checkpoint. One altered entry is one problem, and does not hide the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from readingroom.ledger.checkpoint import Checkpoint
from readingroom.ledger.merkle import EMPTY, Frontier, leaf_hash
from readingroom.ledger.model import Entry
from readingroom.ledger.note import Unproven, Verifier
from readingroom.ledger.report import Findings, Report


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A row of entries, as it is found: `seq` may be anything that a meddler wrote."""

    seq: object
    leaf: bytes
    leaf_hash: bytes


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A row of checkpoints, as it is found."""

    size: object
    note: bytes
    frontier: bytes


def audit(
    entries: Iterable[StoredEntry],
    checkpoints: Iterable[StoredCheckpoint],
    verifier: Verifier,
    since: Iterable[bytes] = (),
) -> Report:
    """Audit the rows of both tables, each ordered by its key.

    Args:
        entries: all rows of entries.
        checkpoints: all rows of checkpoints.
        verifier: the log's public key.
        since: older checkpoints that somebody kept; each must be a prefix of the log.
    """
    findings = Findings()
    return _Audit(verifier, findings, _kept(since, verifier, findings)).run(entries, checkpoints)


def _kept(since: Iterable[bytes], verifier: Verifier, findings: Findings) -> list[Checkpoint]:
    kept = []
    for note in since:
        try:
            kept.append(Checkpoint.open(note, verifier))
        except Unproven as fault:
            findings.note(f"the kept checkpoint proves nothing: {fault}")
    return kept


class _Audit:
    def __init__(self, verifier: Verifier, findings: Findings, kept: Iterable[Checkpoint]) -> None:
        self._verifier = verifier
        self._findings = findings
        self._kept = list(kept)  # those that are not compared yet
        self._tree: Frontier | None = Frontier()  # None: unknown until the next good checkpoint
        self._size = 0
        self._proved = Checkpoint("", 0, EMPTY)  # the last one that the entries lead to
        self._settled = 0  # entries before this one agree with what was signed, or were named

    def run(self, entries: Iterable[StoredEntry], checkpoints: Iterable[StoredCheckpoint]) -> Report:
        self._compare_kept()
        for seq, entry, checkpoint in self._pairs(entries, checkpoints):
            if seq > self._size:
                self._findings.note(f"{_range(self._size, seq - 1)} and what was signed after: removed")
                self._tree, self._size = None, seq
            self._step(seq, entry, checkpoint)
            self._compare_kept()
        self._finish_kept()
        return self._findings.report(self._proved.size, self._proved.root)

    def _compare_kept(self) -> None:
        for kept in [each for each in self._kept if each.size == self._size and self._tree is not None]:
            self._kept.remove(kept)
            if self._tree is not None and self._tree.root() != kept.root:
                note = f"the kept checkpoint of size {self._size} is no prefix of this log: it was rewritten"
                self._findings.note(note)

    def _finish_kept(self) -> None:
        for kept in self._kept:
            if kept.size > self._size:
                why = f"the log has only {self._size}: its end was removed, or an older copy was put back"
            else:
                why = "rows are missing there, so that it cannot be compared"
            self._findings.note(f"the kept checkpoint has {kept.size} entries; {why}")

    def _pairs(
        self, entries: Iterable[StoredEntry], checkpoints: Iterable[StoredCheckpoint]
    ) -> Iterator[tuple[int, StoredEntry | None, StoredCheckpoint | None]]:
        """Bring each entry together with the checkpoint that was signed after it."""
        left, right = self._numbered_entries(entries), self._numbered_checkpoints(checkpoints)
        entry, checkpoint = next(left, None), next(right, None)
        while entry or checkpoint:
            seq = min(each[0] for each in (entry, checkpoint) if each)
            here = entry if entry and entry[0] == seq else None
            signed = checkpoint if checkpoint and checkpoint[0] == seq else None
            yield seq, here and here[1], signed and signed[1]
            entry = next(left, None) if here else entry
            checkpoint = next(right, None) if signed else checkpoint

    def _numbered_entries(self, rows: Iterable[StoredEntry]) -> Iterator[tuple[int, StoredEntry]]:
        for row in rows:
            if isinstance(row.seq, int) and row.seq >= 0:
                yield row.seq, row
            else:
                self._findings.note(f"entry {row.seq!r}: added; no entry has such a number")

    def _numbered_checkpoints(self, rows: Iterable[StoredCheckpoint]) -> Iterator[tuple[int, StoredCheckpoint]]:
        for row in rows:
            if isinstance(row.size, int) and row.size > 0:
                yield row.size - 1, row
            else:
                self._findings.note(f"checkpoint of size {row.size!r}: added; no checkpoint has such a size")

    def _step(self, seq: int, entry: StoredEntry | None, stored: StoredCheckpoint | None) -> None:
        """Check one entry and the checkpoint after it, and grow the tree."""
        signed = self._signed(seq + 1, stored)
        hashed, told = self._entry(seq, entry, signed)
        grown = self._tree.append(hashed) if self._tree is not None and hashed is not None else None
        if signed is not None:
            if grown is None or grown.root() != signed.root:
                self._blame(seq, told=told)
                grown = None
            self._settled = seq + 1
        anchor = self._anchor(signed, stored)
        self._tree = grown or anchor
        self._size = seq + 1
        if signed is not None and self._tree is not None:
            self._proved = signed

    def _signed(self, size: int, stored: StoredCheckpoint | None) -> Checkpoint | None:
        if stored is None:
            self._findings.note(f"checkpoint of size {size}: removed")
            return None
        try:
            signed = Checkpoint.open_own(stored.note, self._verifier)
        except Unproven as fault:
            self._findings.note(f"checkpoint of size {size}: altered: {fault}")
            return None
        if signed.size != size:
            self._findings.note(f"checkpoint of size {size}: here stands the one of size {signed.size}: reordered")
            return None
        return signed

    def _entry(self, seq: int, entry: StoredEntry | None, signed: Checkpoint | None) -> tuple[bytes | None, bool]:
        """Check an entry by itself.

        Returns:
            The hash to grow the tree by, None where it cannot be known; and whether a problem was noted.
        """
        if entry is None:
            self._findings.note(f"entry {seq}: removed")
            return None, True
        hashed = leaf_hash(entry.leaf)
        problem = _misplaced(seq, entry.leaf)
        if problem is None and hashed == entry.leaf_hash:
            return hashed, False
        fits = [each for each in (hashed, entry.leaf_hash) if signed and self._tree and _fits(self._tree, each, signed)]
        if problem is None and fits == [hashed]:
            problem = f"entry {seq}: its stored hash was altered; the entry itself is as it was signed"
        self._findings.note(problem or f"entry {seq}: altered")
        return (fits[0] if fits else None), True

    def _blame(self, seq: int, *, told: bool) -> None:
        """Say which entries do not agree with what was signed after them."""
        if self._settled == seq:
            if not told:
                self._findings.note(f"entry {seq}: altered: the checkpoint signed after it has another root")
            return
        where = _range(self._settled, seq)
        self._findings.note(f"{where}: cannot be proved one by one; at least one was altered or removed")

    def _anchor(self, signed: Checkpoint | None, stored: StoredCheckpoint | None) -> Frontier | None:
        """Check the frontier of a good checkpoint; return it where it leads to the signed root."""
        if stored is None or signed is None:
            return None  # the checkpoint as a whole was named already
        try:
            frontier = Frontier.from_bytes(signed.size, stored.frontier)
        except ValueError:
            frontier = None
        if frontier is None or frontier.root() != signed.root:
            self._findings.note(f"checkpoint of size {signed.size}: its frontier was altered")
            return None
        return frontier


def _misplaced(seq: int, leaf: bytes) -> str | None:
    try:
        inside = Entry.parse(leaf).seq
    except ValueError:
        return f"entry {seq}: altered: it is no entry any more"
    return None if inside == seq else f"entry {seq}: here stands entry {inside}: reordered"


def _fits(tree: Frontier, hashed: bytes, signed: Checkpoint) -> bool:
    return tree.append(hashed).root() == signed.root


def _range(first: int, last: int) -> str:
    return f"entry {first}" if first == last else f"entries {first} to {last}"
