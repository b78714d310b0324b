"""Appending to the log, inside the transaction of the decision that is logged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.core.canonical import Json
from readingroom.core.clock import Clock
from readingroom.ledger.model import Entry
from readingroom.ledger.tables import entry as table

Listener = Callable[[Connection, Entry], None]


class Ledger:
    """The log's writing end."""

    def __init__(self, clock: Clock) -> None:
        """Take the clock that dates entries."""
        self._clock = clock
        self._listeners: dict[str, list[Listener]] = defaultdict(list)

    def on(self, event: str, listener: Listener) -> None:
        """Call `listener` for each entry of this event, in the transaction that appends it."""
        self._listeners[event].append(listener)

    def append(self, tx: Connection, event: str, data: Mapping[str, Json], *, by: str) -> Entry:
        """Append one entry within a `Database.decide` transaction, then tell the listeners."""
        last = tx.execute(sa.select(sa.func.max(table.c.seq))).scalar()
        made = Entry(0 if last is None else last + 1, event, self._clock.now(), by, data)
        tx.execute(table.insert().values(seq=made.seq, leaf=made.leaf()))
        for listener in self._listeners[event]:
            listener(tx, made)
        return made
