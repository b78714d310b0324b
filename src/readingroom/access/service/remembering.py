"""A bar outlives the erasure of whom it is of, by a keyed hash of their addresses, and no longer than it runs.

Without it an erasure asked for would end a bar that nobody lifted. The hash tells nothing without the house's key; with
it, one can ask of an address whether it was barred, and that is all that it is for.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.access import queries
from readingroom.access.model import Kind
from readingroom.access.sanctions import Wanted
from readingroom.access.service.sanctioning import Sanctioning
from readingroom.access.tables import barred_address as table
from readingroom.access.tables import sanction as sanction_table
from readingroom.people.model import Actor


class Remembering(Sanctioning):
    """What the erasing of a person, and a new account, ask of this room; each in their own transaction."""

    def remember_bar_within(self, tx: Connection, person: str, digests: Collection[str]) -> int:
        """Keep the addresses of a person who is about to be erased while barred, hashed; return how many are kept."""
        self.forget_bars_within(tx)
        now = self._clock.now()
        running = [
            each.id
            for each in queries.standing(tx, [], [person])
            if each.kind is Kind.BAR and each.until is not None and each.until > now
        ]
        for sanction in running:
            for digest in digests:
                tx.execute(table.insert().values(digest=digest, sanction_id=sanction))
        return len(running) * len(digests)

    def recognise_within(self, tx: Connection, person: str, digest: str) -> int:
        """Bar a newcomer for as long as whoever had this address was barred; return how many bars that were.

        It is the old decision, by whoever made it: shown to its person as any other, and open to an appeal.
        """
        self.forget_bars_within(tx)
        found = tx.execute(sa.select(table.c.sanction_id).where(table.c.digest == digest)).scalars().all()
        for name in found:
            old = queries.sanction(tx, name)
            if old is not None and old.lifted_at is None:
                again = Wanted(Kind.BAR, old.reason, person=person, until=old.until)
                self._keep(tx, Actor(old.decided_by), again, self._clock.now())
        tx.execute(table.delete().where(table.c.digest == digest))  # the new account carries it from here
        return len(found)

    def remembers_within(self, tx: Connection) -> bool:
        """Tell whether any bar has outlived an erasure and still runs."""
        self.forget_bars_within(tx)
        return tx.execute(sa.select(table.c.digest).limit(1)).first() is not None

    def forget_bars_within(self, tx: Connection) -> None:
        """Delete what is kept of bars that are over, or were lifted."""
        over = (sanction_table.c.until <= self._clock.now()) | sanction_table.c.lifted_at.is_not(None)
        tx.execute(table.delete().where(table.c.sanction_id.in_(sa.select(sanction_table.c.id).where(over))))
