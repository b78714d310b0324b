"""One worker's hand on what is kept, for tests."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from readingroom.access.keys import make
from readingroom.core.clock import Clock
from readingroom.core.ids import new_id
from readingroom.gateway.ask import Ask, Kind
from readingroom.gateway.keeping import Claim, Keeping
from readingroom.gateway.tables import kept as kept_table
from readingroom.gateway.tables import worker as worker_table
from readingroom.store.db import Database

KEY = make().reveal()


class Hand:
    """A registered worker that keeps answers."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self.db = db
        self.id = new_id("worker")
        with db.write() as tx:
            known = {"host": "h", "pid": 1, "began": 1, "heartbeat": clock.now()}
            tx.execute(worker_table.insert().values(id=self.id, **known))
        self.asked: list[bool] = []
        self.keeping = Keeping(db, clock, lambda: self.id)

    async def begin(self, key: str = KEY, name: str = "n", body: str = "{}", under: bytes = b"") -> Claim | bytes:
        async def stands(*, anew: bool) -> bytes:
            self.asked.append(anew)
            return under

        return await self.keeping.begin(key, name, Ask(Kind.CHAT, "echo", {}, body.encode()), stands)

    def is_forgotten(self) -> None:
        """Be taken out of the register, as the dead are once their leases were ended."""
        with self.db.write() as tx:
            tx.execute(worker_table.delete().where(worker_table.c.id == self.id))


def rows(db: Database) -> list[Any]:
    """Give what is kept, as a thief of the database has it."""
    with db.read() as tx:
        return list(tx.execute(sa.select(kept_table)))
