"""One worker's hand on the meters, for tests."""

from __future__ import annotations

from readingroom.core.clock import FixedClock
from readingroom.core.ids import new_id, random_bytes
from readingroom.gateway.meter import Meter, open_meter, read, settle
from readingroom.gateway.model import Amount, Hold, Limits, Reading, Wish
from readingroom.gateway.workers import Workers
from readingroom.store.db import Database


class Counter:
    """One worker's meter, and the few things that tests ask of it."""

    def __init__(self, db: Database, clock: FixedClock) -> None:
        self.db = db
        self.workers = Workers(db, clock)
        self.workers.enter()
        self.meter = Meter(db, clock, self.workers.id)

    def open(self, grant: str, limits: Limits) -> None:
        with self.db.write() as tx:
            open_meter(tx, grant, limits)

    def reserve(self, grant: str, wish: Wish) -> Hold:
        return self.meter.reserve(grant, wish, hold_id=new_id("receipt"), record={"v": 1}, salt=random_bytes(32))

    def refund(self, hold: Hold) -> None:
        with self.db.write() as tx:
            settle(tx, hold.id, Amount())

    def reading(self, grant: str) -> Reading:
        with self.db.read() as tx:
            found = read(tx, grant)
        assert found is not None
        return found
