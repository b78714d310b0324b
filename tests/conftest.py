"""Fixtures for every room: a fixed clock, and a database of each kind."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import sqlalchemy as sa

import postgres
from readingroom.core.clock import FixedClock
from readingroom.ledger.note import Signer
from readingroom.ledger.service import Ledger
from readingroom.store.db import Database
from served import Served, found, served

# How long an example takes is the machine's affair, and what else it has to do; none fails for it.
hypothesis.settings.register_profile("patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("patient")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def ledger(clock: FixedClock) -> Ledger:
    """Give the log's writing end, with a key of its own."""
    return Ledger(clock, Signer.generate("test.example/log"))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """Run one real Postgres for all tests of this session."""
    with postgres.running() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def db(request: pytest.FixtureRequest) -> Database:
    """Give a migrated, empty database of each kind."""
    found: Database = request.getfixturevalue(f"{request.param}_db")
    return found


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate one SQLite file, to be copied: migrations are tested in tests/store, and take a second each time."""
    path = tmp_path_factory.mktemp("migrated") / "test.db"
    database = Database(f"sqlite:///{path}")
    database.create()
    with database.engine.connect() as tx:
        tx.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return path


@pytest.fixture
def sqlite_db(migrated_file: Path, tmp_path: Path) -> Iterator[Database]:
    """Give a migrated, empty SQLite database, where the kind does not matter."""
    shutil.copy(migrated_file, tmp_path / "test.db")
    database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    yield database
    database.close()


@pytest.fixture(scope="session")
def postgres_admin(postgres_server: postgres.Server) -> Iterator[sa.Engine]:
    """Give a connection that may make databases, and a migrated one called `migrated`, to be copied."""
    admin = postgres_server.admin()
    postgres.make_database(admin, "migrated")
    database = Database(admin.url.set(database="migrated").render_as_string(hide_password=False))
    database.create()
    database.close()
    yield admin
    admin.dispose()


@pytest.fixture
def postgres_db(postgres_admin: sa.Engine, tmp_path: Path) -> Iterator[Database]:
    """Give a migrated, empty Postgres database, where only its own ways matter."""
    name = "t_" + "".join(c if c.isalnum() else "_" for c in tmp_path.name.lower())[:50]
    postgres.make_database(postgres_admin, name, 'template "migrated"')
    database = Database(postgres_admin.url.set(database=name).render_as_string(hide_password=False))
    yield database
    database.close()
    with postgres_admin.connect() as tx:
        tx.execute(sa.text(f'drop database "{name}" with (force)'))


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve a house for trials on the echo engine to all tests of a process: a server takes seconds to start.

    Whoever stops it, kills its workers, fills its disk or decides about its stage needs one of their own (`own_house`).
    """
    with served(found(tmp_path_factory.mktemp("house") / "home")) as running:
        yield running


@pytest.fixture(scope="module")
def own_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve a house to the tests of one module alone."""
    with served(found(tmp_path_factory.mktemp("own") / "home")) as running:
        yield running


@pytest.fixture(scope="session")
def slow_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve a house whose engine says fifty words a second, with two workers, to all tests of a process."""
    with served(found(tmp_path_factory.mktemp("slow") / "home", words_per_second="50"), workers=2) as running:
        yield running
