"""One database, two kinds: SQLite beside the program, Postgres at scale.

Three doors, by power:

- `read()`: a snapshot; writes through it are rolled back.
- `write()`: an ordinary transaction, for what is counted (the meter); each statement atomic by itself.
- `decide()`: a serialised transaction, for what is decided: one at a time in the house, on both kinds.
  On SQLite it is `BEGIN IMMEDIATE`; on Postgres an advisory lock held to the commit. So a decision may read,
  judge and write without another deciding in between, and the ledger's next index is never contended.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect, Engine, make_url

from readingroom.core.clock import parse_rfc3339, rfc3339
from readingroom.core.errors import BadInput, Broken, Problem
from readingroom.store import bells

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
FAILED = (Broken, sa.exc.SQLAlchemyError)  # whatever a database's failing raises
_DECISIONS_LOCK = 0x52656164  # "Read": the advisory lock that decisions queue on
_BUSY_MS = 15_000
_UNWRITABLE = ("cannot be written", "Free disk space, or mend the disk or its rights; nothing was written")
_BUSY = ("is held by somebody else", "End the program that holds it, and try again; nothing was written")
_DAMAGED = ("is damaged", "Stop the server and put a backup back; `readingroom ledger verify` tells what is whole")
_OTHER_SCHEMA = (
    "lacks what this program expects in it",
    "`readingroom serve` brings an older house up to date; if its tables are gone, put a backup back",
)
_SQLITE_FAULTS = {  # by the low byte of SQLite's code
    sqlite3.SQLITE_FULL: _UNWRITABLE,
    sqlite3.SQLITE_IOERR: _UNWRITABLE,
    sqlite3.SQLITE_READONLY: _UNWRITABLE,
    sqlite3.SQLITE_CANTOPEN: _UNWRITABLE,
    sqlite3.SQLITE_PERM: _UNWRITABLE,
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_PROTOCOL: _BUSY,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
}
_POSTGRES_FAULTS = {  # by the class of its SQLSTATE
    "25": _UNWRITABLE,  # a read-only transaction: a standby
    "40": _BUSY,  # a deadlock
    "53": _UNWRITABLE,  # insufficient resources
    "55": _BUSY,  # a lock that was not given in time
    "57": _UNWRITABLE,  # operator intervention
    "58": _UNWRITABLE,  # system error
    "XX": _DAMAGED,
}


class Moment(sa.types.TypeDecorator[Any]):
    """An aware datetime, kept as RFC 3339 text: one spelling on both databases, sortable as text."""

    impl = sa.String(27)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ANN401, ARG002
        """Spell a datetime on its way in."""
        return None if value is None else rfc3339(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:  # noqa: ANN401, ARG002
        """Read a datetime on its way out."""
        return None if value is None else parse_rfc3339(value)


class Database:
    """A handle on one database; cheap to make, safe to share among threads."""

    def __init__(self, url: str) -> None:
        """Open a database by its SQLAlchemy URL (`sqlite:///...` or `postgresql://...`)."""
        self.url = url
        self.engine = _engine(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Read a consistent snapshot.

        Raises:
            Broken: the disk fails, or the database is gone.
        """
        with self.told(), self.engine.connect() as tx:
            if not self.is_sqlite:  # by default each statement of Postgres would see another moment
                tx.execution_options(isolation_level="REPEATABLE READ")
            try:
                yield tx
            finally:
                tx.rollback()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Write in one transaction; commits at the end, rolls back on any exception.

        Raises:
            Broken: the disk is full or fails, or the database is gone or held by somebody; nothing was written.
        """
        with self.told(), self.engine.connect() as tx:
            tx.info["begin"], tx.info["after"] = "BEGIN IMMEDIATE", {}
            with tx.begin():
                yield tx
            for act in tx.info["after"].values():
                act()

    @contextmanager
    def decide(self) -> Iterator[Connection]:
        """Decide in one serialised transaction; commits at the end, rolls back on any exception."""
        with self.write() as tx:
            if not self.is_sqlite:
                tx.execute(sa.text(f"set local lock_timeout = {_BUSY_MS}"))
                tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_DECISIONS_LOCK)))
            yield tx

    @contextmanager
    def told(self) -> Iterator[None]:
        """Say what is wrong where the disk or the server failed; any other fault stays what it is."""
        try:
            yield
        except sa.exc.DatabaseError as fault:
            if (found := _fault(fault)) is None:
                raise _without_values(fault) from None
            what, cure = found
            raise Broken(Problem(self._shown, what, cure)) from fault

    @property
    def _shown(self) -> str:
        return make_url(self.url).render_as_string(hide_password=True)

    def create(self, revision: str = "head") -> None:
        """Make the database, where there is none, and its tables as of a migration; for a founding or a restoring."""
        path = make_url(self.url).database
        if self.is_sqlite and path:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._migrate(revision)

    def upgrade(self) -> None:
        """Bring the schema to the newest migration. There is no way back to an older one but a backup.

        Raises:
            Broken: there is no schema: what stood here is gone, and an empty house is not put in its place; or it
                is a newer program's.
        """
        with self.read() as tx:
            if not sa.inspect(tx).has_table("alembic_version"):
                cure = "Put a backup back; nothing was changed"
                raise Broken(Problem(self._shown, "holds nothing: the tables of this house are gone", cure))
        self._migrate()

    def _migrate(self, revision: str = "head") -> None:
        from alembic import command
        from alembic.util import CommandError

        config = _migrations()
        with self.told(), self.engine.connect() as tx:
            config.attributes["connection"] = tx
            try:
                command.upgrade(config, revision)
            except CommandError:  # it knows no such revision
                cure = "Use that program; there is no way back to an older one but a backup"
                raise Broken(Problem(self._shown, "was brought up to date by a newer program", cure)) from None
            tx.commit()

    def ping(self) -> None:
        """Raise `Broken` when the database does not answer."""
        with self.read() as tx:
            tx.execute(sa.text("select 1"))

    def try_writing(self) -> None:
        """Raise `Broken` when nothing can be written; what is tried is rolled back."""
        with self.told(), self.engine.connect() as tx:
            tx.info["begin"] = "BEGIN IMMEDIATE"
            tx.execute(sa.text("create table store_tried (n integer)"))
            tx.rollback()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def announce(tx: Connection) -> None:
    """Tell all who listen (`store.changes`), once this transaction is on the disk, that they should look."""
    if tx.dialect.name == "sqlite":
        path = tx.engine.url.database or ""
        after_commit(tx, "bells", lambda: bells.ring(path))
    else:
        tx.execute(sa.select(sa.func.pg_notify(bells.CHANNEL, "")))


def scrub(tx: Connection) -> None:
    """Let what this transaction deletes be overwritten in SQLite's file; and, once committed, empty its log of writes.

    On Postgres, what was deleted stands in its files until it vacuums, and in its log for as long as that is kept.
    """
    if tx.dialect.name != "sqlite":
        return
    tx.exec_driver_sql("PRAGMA secure_delete=ON")
    path = tx.engine.url.database or ""

    def empty() -> None:
        with closing(sqlite3.connect(path, timeout=1)) as file, suppress(sqlite3.Error):
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    after_commit(tx, "scrub", empty)


def knows(revision: str) -> bool:
    """Tell whether this program has a migration: a schema whose migration it lacks is a newer program's."""
    from alembic.script import ScriptDirectory

    return revision in {each.revision for each in ScriptDirectory.from_config(_migrations()).walk_revisions()}


def _migrations() -> Any:  # noqa: ANN401 - Alembic's own, which is loaded only where it is needed
    from alembic.config import Config

    config = Config()
    folder = str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", folder.replace("%", "%%"))
    return config


def after_commit(tx: Connection, name: str, act: Callable[[], None]) -> None:
    """Do something once this transaction is on the disk; of several under one name, the last."""
    tx.info["after"][name] = act


def _fault(fault: sa.exc.DatabaseError) -> tuple[str, str] | None:
    """Return what is wrong and the cure where disk or server failed in place of what was asked; None for the rest."""
    cause = fault.orig
    if type(cause).__module__.startswith("psycopg"):
        state = getattr(cause, "sqlstate", None)
        if state is None and isinstance(fault, sa.exc.OperationalError):  # no connection: there is not even a code
            return "does not answer", "Start the database, or mend `database` in readingroom.toml"
        found = _POSTGRES_FAULTS.get((state or "")[:2])
        if state in {"42P01", "42703"}:  # no such table, no such column
            found = _OTHER_SCHEMA
    else:
        found = _SQLITE_FAULTS.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF)
        if str(cause).startswith("no such "):
            found = _OTHER_SCHEMA
        if str(cause).startswith("Could not decode"):  # a text that is none: nothing of ours wrote it
            found = _DAMAGED
    if found is None and fault.connection_invalidated:
        found = _UNWRITABLE
    said = str(cause).strip().split("\n")[0][:200]
    return (f"{found[0]}: {said}", found[1]) if found else None


def _without_values(fault: sa.exc.DatabaseError) -> sa.exc.DatabaseError:
    """Return a fault as it may stand in a log: Postgres quotes in its messages what was to be stored."""
    cause = fault.orig
    if not type(cause).__module__.startswith("psycopg"):
        return fault
    plain = Exception(f"{type(cause).__name__} {getattr(cause, 'sqlstate', None) or ''}".strip())
    return type(fault)(fault.statement, None, plain, hide_parameters=True)


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError:
        cure = "Write sqlite:///path or postgresql://user@host/name"
        raise BadInput([Problem("database", "is not a database URL", cure)]) from None
    if parsed.get_backend_name() == "postgresql":
        return sa.create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_size=8,
            max_overflow=8,
            pool_pre_ping=True,
            connect_args={"connect_timeout": 2},
            hide_parameters=True,  # an error goes into logs; what was to be stored does not
        )
    if parsed.get_backend_name() != "sqlite":
        cure = "Use SQLite (sqlite:///path) or Postgres (postgresql://...)"
        raise BadInput([Problem("database", f"{parsed.get_backend_name()} is not supported", cure)])
    engine = sa.create_engine(
        parsed, creator=lambda: _open_sqlite(parsed.database or ""), pool_size=8, max_overflow=8, hide_parameters=True
    )
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _open_sqlite(path: str) -> sqlite3.Connection:
    """Open a file that is there: an empty one in the place of one that is gone would begin a second history."""
    if not Path(path).is_file():
        cure = "Put a backup back, or mend `database` in readingroom.toml; nothing was changed"
        raise Broken(Problem(path, "the database is gone", cure))
    return sqlite3.connect(f"file:{quote(path)}?mode=rw", uri=True, check_same_thread=False)


def _prepare_sqlite(connection: Any, record: Any) -> None:  # noqa: ANN401, ARG001 - the driver's own types
    connection.isolation_level = None  # SQLAlchemy begins transactions, not the driver
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(tx: Connection) -> None:
    # Writers say so at once: a reader that turns writer midway can lose against another and fail as busy.
    tx.exec_driver_sql(tx.info.pop("begin", "BEGIN"))
