"""Fixtures of the ledger room: a signer, and a way to fill a log."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ledger.meddling import SIZE
from readingroom.core.clock import FixedClock
from readingroom.ledger.note import Signer
from readingroom.ledger.service import Ledger
from readingroom.store.db import Database

ORIGIN = "test.example/log"
Fill = Callable[[Database, int], None]


@pytest.fixture(scope="session")
def signer() -> Signer:
    return Signer.generate(ORIGIN)


@pytest.fixture
def ledger(clock: FixedClock, signer: Signer) -> Ledger:
    return Ledger(clock, signer)


@pytest.fixture
def fill(ledger: Ledger) -> Fill:
    """Give a function that appends so many entries in one transaction."""

    def append(db: Database, count: int) -> None:
        with db.decide() as tx:
            for n in range(count):
                ledger.append(tx, "test.thing.happened", {"n": n}, by="test")

    return append


@pytest.fixture
def log(db: Database, fill: Fill) -> Database:
    """Give a log of a few entries, on each kind of database."""
    fill(db, SIZE)
    return db
