"""Reading the log: checkpoints, entries, tiles and proofs. Nothing here can write.

The root of any perfect subtree takes one lookup: the checkpoint before its last leaf keeps, as the end of its
frontier, just the hashes that this leaf was joined with. So every proof takes a few lookups, however long the log.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import reduce

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.core.errors import Broken, Problem
from readingroom.ledger import tables
from readingroom.ledger.audit import StoredCheckpoint, StoredEntry, audit
from readingroom.ledger.kept import Kept
from readingroom.ledger.merkle import SIZE, consistency_path, inclusion_path, node_hash, over_perfect
from readingroom.ledger.model import Entry
from readingroom.ledger.note import Verifier
from readingroom.ledger.proof import Proof
from readingroom.ledger.report import Report
from readingroom.ledger.tiles import HEIGHT, Tile, bundle
from readingroom.store.db import Database

_MOST_CACHED = 100_000  # subtree roots of 32 bytes; past it the cache begins anew
_FETCH = 1_000  # rows at a time when the whole log is read


def size(tx: Connection) -> int:
    """Return the size of the log: that of its newest checkpoint."""
    return tx.execute(sa.select(sa.func.max(tables.checkpoint.c.size))).scalar() or 0


def checkpoint(tx: Connection, at: int | None = None) -> bytes | None:
    """Return the signed checkpoint of one size, or the newest; None where there is none."""
    table = tables.checkpoint
    wanted = sa.select(table.c.note).order_by(table.c.size.desc()).limit(1)
    return tx.execute(wanted if at is None else wanted.where(table.c.size == at)).scalar()


def leaves(tx: Connection, start: int, end: int) -> list[bytes]:
    """Return entries in canonical JSON, from index `start` up to but without `end`."""
    table = tables.entry
    return list(tx.execute(sa.select(table.c.leaf).where(_between(table, start, end)).order_by(table.c.seq)).scalars())


def _between(table: sa.Table, start: int, end: int) -> sa.ColumnElement[bool]:
    return sa.and_(table.c.seq >= start, table.c.seq < end)


class LedgerReader:
    """The log's reading end; safe to share among threads. What it reads never changes, so it is cached."""

    def __init__(self, db: Database, kept: Kept | None = None) -> None:
        """Take the database, and where the newest checkpoint is kept beside it."""
        self._db = db
        self._kept = kept
        self._perfect: dict[tuple[int, int], bytes] = {}

    def size(self) -> int:
        """Return how many entries there are."""
        with self._db.read() as tx:
            return size(tx)

    def checkpoint(self, at: int | None = None) -> bytes | None:
        """Return the signed checkpoint of one size, or the newest; None where there is none."""
        with self._db.read() as tx:
            return checkpoint(tx, at)

    def entry(self, seq: int) -> Entry | None:
        """Return one entry, or None."""
        return next(iter(self.entries(seq, seq + 1)), None)

    def entries(self, start: int, end: int) -> list[Entry]:
        """Return entries from index `start` up to but without `end`."""
        with self._db.read() as tx:
            return [Entry.parse(leaf) for leaf in leaves(tx, start, end)]

    def tile(self, tile: Tile) -> bytes | None:
        """Return the bytes of a tile or bundle; None where the log has not grown that far."""
        with self._db.read() as tx:
            if not tile.is_of(size(tx)):
                return None
            try:
                if tile.level is None:
                    return bundle(leaves(tx, tile.start, tile.start + tile.width))
                return b"".join(self._roots(tx, HEIGHT * tile.level, range(tile.start, tile.start + tile.width)))
            except TypeError:  # a text stands where bytes belong
                cure = "Run `readingroom ledger verify`; it names what was altered"
                raise Broken(Problem("ledger", "rows of the log were altered", cure)) from None

    def inclusion(self, seq: int, at: int) -> tuple[bytes, ...]:
        """Return the path from an entry up to the root of the log at a size.

        Raises:
            ValueError: the log has not that size, or at it not that entry.
        """
        with self._db.read() as tx:
            return self._inclusion(tx, seq, at)

    def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """Return the proof that the log at one size is a prefix of the log at another.

        Raises:
            ValueError: the log has not these sizes, or they are the wrong way round.
        """
        with self._db.read() as tx:
            _require_size(tx, new)
            return consistency_path(over_perfect(self._lookup(tx)), old, new)

    def proof(self, seq: int, at: int | None = None) -> str:
        """Return the tlog-proof text from an entry to the checkpoint of a size, or to the newest.

        Raises:
            ValueError: the log has not that size, or at it not that entry.
        """
        with self._db.read() as tx:
            at = size(tx) if at is None else at
            path = self._inclusion(tx, seq, at)
            return Proof(seq, path, checkpoint(tx, at) or b"").to_text()

    def proved(self, seqs: Sequence[int], at: int) -> list[tuple[bytes, str]]:
        """Return entries in canonical JSON, each with its tlog-proof to the checkpoint of one size.

        Raises:
            ValueError: the log has not that size, or at it not one of these entries.
        """
        with self._db.read() as tx:
            note, lookup = checkpoint(tx, at) or b"", over_perfect(self._lookup(tx))
            _require_size(tx, at)
            proofs = {seq: Proof(seq, inclusion_path(lookup, seq, at), note).to_text() for seq in seqs}
            found: dict[int, bytes] = {}
            for start in range(0, len(seqs), _FETCH):
                wanted = tables.entry.c.seq.in_(seqs[start : start + _FETCH])
                found |= {row.seq: row.leaf for row in tx.execute(sa.select(tables.entry).where(wanted))}
            return [(found[seq], proofs[seq]) for seq in seqs if seq in found]

    def audit(self, verifier: Verifier, since: bytes | None = None) -> Report:
        """Recompute the whole log from its rows (see `audit`); tables that cannot be read are a problem, too."""
        known = self._kept.note() if self._kept else None  # before the snapshot, so that it is never ahead of it
        prefixes = [each for each in (since, known) if each is not None]
        try:
            with self._db.read() as tx, closing(_entries(tx)) as rows, closing(_checkpoints(tx)) as signed:
                report = audit(rows, signed, verifier, prefixes)
        except sa.exc.DatabaseError as fault:
            return Report(problems=(f"the tables of the log cannot be read: {fault.orig}",))
        except Broken as fault:
            return Report(
                problems=(f"the tables of the log cannot be read: {fault.problem.where} {fault.problem.what}",)
            )
        if self._kept and self._kept.founded and known is None:
            lost = f"{self._kept.path} is gone: whether the log's end was removed cannot be told; use --since"
            return replace(report, problems=(*report.problems, lost))
        return report

    def _inclusion(self, tx: Connection, seq: int, at: int) -> tuple[bytes, ...]:
        _require_size(tx, at)
        return inclusion_path(over_perfect(self._lookup(tx)), seq, at)

    def _lookup(self, tx: Connection) -> Callable[[int, int], bytes]:
        return lambda height, place: self._roots(tx, height, [place])[0]

    def _roots(self, tx: Connection, height: int, places: Sequence[int]) -> list[bytes]:
        """Return the roots of perfect subtrees of 2^height leaves, at these places of their level."""
        known = self._perfect
        last_leaf = {((place + 1) << height) - 1: place for place in places if (height, place) not in known}
        joined = _join_last(tx, height, list(last_leaf)) if last_leaf else ()
        found = {(height, last_leaf[seq]): root for seq, root in joined}
        if len(known) + len(found) > _MOST_CACHED:
            self._perfect = dict(found)
        else:
            known.update(found)
        try:
            return [found.get((height, place)) or known[height, place] for place in places]
        except KeyError:
            cure = "Run `readingroom ledger verify`; it names what was removed"
            raise Broken(Problem("ledger", "rows of the log are missing", cure)) from None


def _join_last(tx: Connection, height: int, last: Sequence[int]) -> Iterator[tuple[int, bytes]]:
    """Yield, for the last leaf of each subtree, the subtree's root: the leaf joined with the frontier before it."""
    entry, before = tables.entry, tables.checkpoint
    joined = entry.outerjoin(before, before.c.size == entry.c.seq)
    wanted = sa.select(entry.c.seq, entry.c.leaf_hash, before.c.frontier).select_from(joined)
    for row in tx.execute(wanted.where(entry.c.seq.in_(last))):
        peaks = [row.frontier[at : at + SIZE] for at in range(0, len(row.frontier or b""), SIZE)]
        waiting = peaks[max(len(peaks) - height, 0) :]
        if len(waiting) < height:
            continue  # its checkpoint is gone: the caller misses it
        yield row.seq, reduce(lambda right, left: node_hash(left, right), reversed(waiting), row.leaf_hash)


def _require_size(tx: Connection, wanted: int) -> None:
    newest = size(tx)
    if not 0 <= wanted <= newest:
        raise ValueError(f"the log has {newest} entries; it has never had {wanted}")


def _entries(tx: Connection) -> Generator[StoredEntry]:
    table = tables.entry
    wanted = sa.select(table.c.seq, _bytes(tx, table.c.leaf), _bytes(tx, table.c.leaf_hash)).order_by(table.c.seq)
    with tx.execute(wanted, execution_options={"yield_per": _FETCH}) as rows:
        for seq, leaf, leaf_hash in rows:
            yield StoredEntry(seq, leaf or b"", leaf_hash or b"")


def _checkpoints(tx: Connection) -> Generator[StoredCheckpoint]:
    table = tables.checkpoint
    wanted = sa.select(table.c.size, _bytes(tx, table.c.note), _bytes(tx, table.c.frontier)).order_by(table.c.size)
    with tx.execute(wanted, execution_options={"yield_per": _FETCH}) as rows:
        for at, note, frontier in rows:
            yield StoredCheckpoint(at, note or b"", frontier or b"")


def _bytes(tx: Connection, column: sa.Column[bytes]) -> sa.ColumnElement[bytes]:
    """Read a column where it holds bytes: SQLite lets a text stand in their place, which no reader could use."""
    if tx.dialect.name != "sqlite":
        return column
    return sa.case((sa.func.typeof(column) == "blob", column))
