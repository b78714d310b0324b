"""When each sanction was first felt: the first call, or flowing answer, that was refused for it.

A refusal that rests on a sanction names it in its facts. The first one that any worker sees is kept, so that a
sanction's page can show how long it took from the decision; what is measured is what was served, not what was meant.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from readingroom.core.clock import Clock
from readingroom.core.refusal import Refusal
from readingroom.gateway.tables import first_refusal as table
from readingroom.store.db import FAILED, Database

MOST_KNOWN = 10_000  # sanctions that are remembered as felt already


class Firsts:
    """The first refusals that one worker sees; written down with its other chores."""

    def __init__(self, db: Database, clock: Clock) -> None:
        """Take the database and the clock."""
        self._db = db
        self._clock = clock
        self._known: set[str] = set()
        self._new: dict[str, tuple[datetime, str]] = {}

    def note(self, refusal: Refusal | None) -> None:
        """See a refusal; costs a look into a set where it is not the first."""
        sanction = refusal.facts.get("sanction") if refusal is not None else None
        if refusal is None or not isinstance(sanction, str) or sanction in self._known:
            return
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known.add(sanction)
        self._new[sanction] = self._clock.now(), refusal.code

    def flush(self) -> None:
        """Write down what is new; the earliest of all workers stays. Blocks on the database."""
        new, self._new = self._new, {}
        if not new:
            return
        try:
            with self._db.write() as tx:
                for sanction, (at, code) in new.items():
                    which = table.c.sanction == sanction
                    known: datetime | None = tx.execute(sa.select(table.c.at).where(which)).scalar()
                    if known is None:
                        tx.execute(table.insert().values(sanction=sanction, at=at, code=code))
                    elif at < known:
                        tx.execute(table.update().where(which).values(at=at, code=code))
        except FAILED:
            self._new = new | self._new
            raise
