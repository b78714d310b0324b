"""One worker's hand on the meters, for tests."""

from __future__ import annotations

import asyncio
from pathlib import Path

from readingroom.core.clock import Clock
from readingroom.core.ids import new_id, random_bytes
from readingroom.gateway.journal import Journal
from readingroom.gateway.meter import open_meter, read
from readingroom.gateway.model import Amount, Call, Hold, Limits, Reading, Wish
from readingroom.gateway.purse import Purse
from readingroom.gateway.tables import worker as worker_table
from readingroom.gateway.workers import Workers
from readingroom.store.db import Database


class Counter:
    """One worker's purse, and the few things that tests ask of it."""

    def __init__(self, db: Database, clock: Clock, journals: Path) -> None:
        self.db = db
        self.journals = journals
        self.workers = Workers(db, clock, journals)
        self.workers.enter()
        self.purse = Purse(db, clock, Journal(journals), self.workers)

    def start(self) -> Counter:
        self.purse.start()
        return self

    async def stop(self) -> None:
        await self.purse.stop()
        self.workers.leave()

    async def die(self) -> None:
        """Do no more, as after kill -9: nothing is posted and nothing returned."""
        if self.purse._task is not None:
            self.purse._task.cancel()
            await asyncio.gather(self.purse._task, return_exceptions=True)
        self.purse._threads.shutdown()  # a trip under way ends before its death, not after it
        with self.db.write() as tx:  # its process is one that no longer runs
            tx.execute(worker_table.update().where(worker_table.c.id == self.workers.id).values(began=1))

    def open(self, grant: str, limits: Limits) -> None:
        with self.db.write() as tx:
            open_meter(tx, grant, limits)

    async def reserve(self, grant: str, wish: Wish) -> Hold:
        return await self.purse.reserve(wish, Call(new_id("receipt"), grant, {"v": 1}, random_bytes(32)))

    def charge(self, hold: Hold, used: Amount) -> Amount | None:
        return self.purse.settle(hold, used, {"v": 1, "id": hold.id, "passes": used.at_most(hold.amount).passes})

    def refund(self, hold: Hold) -> None:
        self.purse.settle(hold, Amount(), None)

    async def reading(self, grant: str) -> Reading:
        """Return what the database shows once all that was charged is there."""
        await self.purse.post()
        with self.db.read() as tx:
            found = read(tx, grant)
        assert found is not None
        return found
