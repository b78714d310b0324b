from __future__ import annotations

import pytest

from admissions.world import World
from readingroom.core.clock import FixedClock
from readingroom.ledger.service import Ledger
from readingroom.store.db import Database


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.deep)])
def db(request: pytest.FixtureRequest) -> Database:
    """Give a migrated, empty database of each kind; Postgres is tried with the deep tests."""
    found: Database = request.getfixturevalue(f"{request.param}_db")
    return found


@pytest.fixture
def world(db: Database, ledger: Ledger, clock: FixedClock) -> World:
    return World(db, ledger, clock)


@pytest.fixture
def lite(sqlite_db: Database, ledger: Ledger, clock: FixedClock) -> World:
    """The same on SQLite only, where the kind of database does not matter."""
    return World(sqlite_db, ledger, clock)
