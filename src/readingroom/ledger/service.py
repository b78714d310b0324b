"""Appending to the log, inside the transaction of the decision that is logged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.core.canonical import Json
from readingroom.core.clock import Clock
from readingroom.core.errors import Broken, Problem
from readingroom.core.refusal import Refusal, require
from readingroom.ledger import tables
from readingroom.ledger.checkpoint import Checkpoint
from readingroom.ledger.kept import Kept
from readingroom.ledger.merkle import Frontier, leaf_hash
from readingroom.ledger.model import MAX_ENTRY, Entry
from readingroom.ledger.note import Signer, Unproven, Verifier
from readingroom.store.db import after_commit

Listener = Callable[[Connection, Entry], None]


class Ledger:
    """The log's writing end.

    Every append signs the checkpoint of its new size, in the same transaction: entry, tree and signature are there
    together or not at all, and an altered entry is found by the two checkpoints around it.
    """

    def __init__(self, clock: Clock, signer: Signer, kept: Kept | None = None) -> None:
        """Take the clock that dates entries, the key that signs checkpoints, and where the newest one is kept."""
        self._clock = clock
        self._signer = signer
        self._kept = kept
        self._listeners: dict[str, list[Listener]] = defaultdict(list)

    @property
    def verifier(self) -> Verifier:
        """The public key of the log."""
        return self._signer.verifier

    def on(self, event: str, listener: Listener) -> None:
        """Call `listener` for each entry of this event, in the transaction that appends it."""
        self._listeners[event].append(listener)

    def append(self, tx: Connection, event: str, data: Mapping[str, Json], *, by: str) -> Entry:
        """Append one entry within a `Database.decide` transaction, then tell the listeners.

        Raises:
            ValueError: the data has no canonical JSON form.
            Refused: the entry is longer than an entry can be.
            Broken: the stored log does not end in a checkpoint of ours; nothing is signed on top of it.
        """
        tree = self._tree(tx)
        made = Entry(tree.size, event, self._clock.now(), by, data)
        leaf = made.leaf()
        require(too_large(event, leaf))
        hashed = leaf_hash(leaf)
        tree = tree.append(hashed)
        note = Checkpoint(self._signer.name, tree.size, tree.root()).sign(self._signer)
        tx.execute(tables.entry.insert().values(seq=made.seq, leaf=leaf, leaf_hash=hashed))
        tx.execute(tables.checkpoint.insert().values(size=tree.size, note=note, frontier=tree.to_bytes()))
        if self._kept is not None:
            after_commit(tx, "ledger", partial(self._kept.keep, tree.size, note))
        for listener in self._listeners[event]:
            listener(tx, made)
        return made

    def _tree(self, tx: Connection) -> Frontier:
        """Return the tree to append to, after making sure that it is the one we signed last.

        A log must never sign two histories: on a frontier that somebody altered, every later checkpoint would be
        inconsistent with those that are already out in letters and receipts.
        """
        newest = sa.select(tables.checkpoint).order_by(tables.checkpoint.c.size.desc()).limit(1)
        highest = sa.select(sa.func.max(tables.entry.c.seq))
        try:
            tree = _as_signed(tx.execute(newest).first(), tx.execute(highest).scalar(), self.verifier)
            if self._kept is not None:
                _check_kept(tx, tree, self._kept)
        except (Unproven, ValueError, TypeError, AttributeError) as fault:  # SQLite lets a text stand in for bytes
            cure = "Run `readingroom ledger verify`; it names what was altered"
            raise Broken(Problem("ledger", f"the log is not as it was signed: {fault}", cure)) from None
        return tree


def _as_signed(last: Row[Any] | None, highest: int | None, verifier: Verifier) -> Frontier:
    """Return the tree of the last checkpoint, which must be ours and stand after the highest entry."""
    if last is None and highest is None:
        return Frontier()
    if last is None or highest is None:
        raise Unproven("its entries or its checkpoints are gone")
    tree = Frontier.from_bytes(last.size, last.frontier)
    if Checkpoint.open_own(last.note, verifier) != Checkpoint(verifier.name, highest + 1, tree.root()):
        raise Unproven("the last checkpoint does not fit the entries")
    return tree


def _check_kept(tx: Connection, tree: Frontier, kept: Kept) -> None:
    """Make sure that the log has grown from the checkpoint that is kept beside the database."""
    note = kept.note()
    known = kept.opened(note)
    if tree.size == 0 and kept.founded:
        raise Unproven("it is empty, and the log of a house that stands is not")
    if known is None or known == Checkpoint(known.origin, tree.size, tree.root()):
        return
    if known.size > tree.size:
        raise Unproven(
            f"it has {tree.size} entries, and had {known.size}: its end is gone, or an older copy was put back"
        )
    at = sa.select(tables.checkpoint.c.note).where(tables.checkpoint.c.size == known.size)
    if known.size == tree.size or tx.execute(at).scalar() != note:
        raise Unproven(f"it has not grown from the checkpoint of size {known.size} that is kept in {kept.path.name}")


def too_large(event: str, leaf: bytes) -> Refusal | None:
    """Refuse an entry whose length would not fit the 16 bits that a tile gives it."""
    if len(leaf) <= MAX_ENTRY:
        return None
    return Refusal(
        "ledger/entry-too-large",
        f"What {event} would record has {len(leaf)} bytes; an entry holds {MAX_ENTRY}. Make the text shorter.",
        {"event": event, "bytes": len(leaf), "most": MAX_ENTRY},
    )
