"""The composition root: one house, with every room's service wired to the same database, ledger and clock."""

from __future__ import annotations

from readingroom.core.clock import Clock, SystemClock
from readingroom.core.settings import Settings
from readingroom.ledger.service import Ledger
from readingroom.people.service import People
from readingroom.store.db import Database


class House:
    """One house. Doors (cli, web, api) are given it and reach every room through it."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        """Wire the rooms; opens no connection and starts nothing."""
        self.settings = settings
        self.clock = clock or SystemClock()
        self.db = Database(settings.database_url)
        self.ledger = Ledger(self.clock)
        self.people = People(self.db, self.ledger, self.clock, dev=settings.dev)

    def close(self) -> None:
        """Close the database."""
        self.db.close()
