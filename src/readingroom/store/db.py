"""One database, two kinds: SQLite beside the program, Postgres at scale.

Three doors, by power:

- `read()`: a snapshot; writes through it are rolled back.
- `write()`: an ordinary transaction, for what is counted (the meter); each statement atomic by itself.
- `decide()`: a serialised transaction, for what is decided: one at a time in the house, on both kinds.
  On SQLite it is `BEGIN IMMEDIATE`; on Postgres an advisory lock held to the commit. So a decision may read,
  judge and write without another deciding in between, and the ledger's next index is never contended.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect, Engine, make_url

from readingroom.core.clock import parse_rfc3339, rfc3339
from readingroom.core.errors import BadInput, Broken, Problem

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
_DECISIONS_LOCK = 0x52656164  # "Read": the advisory lock that decisions queue on
_BUSY_MS = 15_000
_SQLITE_UNWRITABLE = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
_POSTGRES_UNWRITABLE = {"53", "57", "58"}  # classes: insufficient resources, operator intervention, system error


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
        try:
            with self.engine.connect() as tx:
                if not self.is_sqlite:  # by default each statement of Postgres would see another moment
                    tx.execution_options(isolation_level="REPEATABLE READ")
                try:
                    yield tx
                finally:
                    tx.rollback()
        except sa.exc.OperationalError as fault:
            if (broken := self._broken(fault)) is not None:
                raise broken from fault
            raise

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Write in one transaction; commits at the end, rolls back on any exception.

        Raises:
            Broken: the disk is full or fails, or the database is gone; nothing was written.
        """
        try:
            with self.engine.connect() as tx:
                _mark(tx, "BEGIN IMMEDIATE")
                with tx.begin():
                    yield tx
        except sa.exc.OperationalError as fault:
            if (broken := self._broken(fault)) is not None:
                raise broken from fault
            raise

    @contextmanager
    def decide(self) -> Iterator[Connection]:
        """Decide in one serialised transaction; commits at the end, rolls back on any exception."""
        with self.write() as tx:
            if not self.is_sqlite:
                tx.execute(sa.select(sa.func.pg_advisory_xact_lock(_DECISIONS_LOCK)))
            yield tx

    def _broken(self, fault: sa.exc.OperationalError) -> Broken | None:
        """Say what is wrong where the disk or the server failed; None for any other fault."""
        shown = make_url(self.url).render_as_string(hide_password=True)
        if _is_unreachable(fault):
            cure = "Start the database, or mend `database` in readingroom.toml"
            return Broken(Problem(shown, "does not answer", cure))
        if _is_unwritable(fault):
            cure = "Free disk space, or mend the disk; nothing was written"
            return Broken(Problem(shown, f"cannot be written: {fault.orig}", cure))
        return None

    def upgrade(self) -> None:
        """Bring the schema to the newest migration."""
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self.engine.connect() as tx:
            config.attributes["connection"] = tx
            command.upgrade(config, "head")
            tx.commit()

    def ping(self) -> None:
        """Raise `Broken` when the database does not answer."""
        try:
            with self.read() as tx:
                tx.execute(sa.text("select 1"))
        except (sa.exc.SQLAlchemyError, Broken) as fault:
            shown = make_url(self.url).render_as_string(hide_password=True)
            cure = "Start the database, or mend `database` in readingroom.toml"
            raise Broken(Problem(shown, f"does not answer ({type(fault).__name__})", cure)) from None

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _is_unreachable(fault: sa.exc.OperationalError) -> bool:
    """Tell whether no connection could be made: the server is gone, so there is not even a code."""
    module = type(fault.orig).__module__.split(".")[0]
    return module == "psycopg" and getattr(fault.orig, "sqlstate", None) is None


def _is_unwritable(fault: sa.exc.OperationalError) -> bool:
    """Tell whether the disk or the server failed, in place of what was asked of them."""
    sqlite_code = getattr(fault.orig, "sqlite_errorcode", 0) & 0xFF  # the low byte is the kind
    postgres_class = (getattr(fault.orig, "sqlstate", None) or "")[:2]
    return sqlite_code in _SQLITE_UNWRITABLE or postgres_class in _POSTGRES_UNWRITABLE or fault.connection_invalidated


def _mark(tx: Connection, begin: str) -> None:
    tx.info["begin"] = begin


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
        )
    if parsed.get_backend_name() != "sqlite":
        cure = "Use SQLite (sqlite:///path) or Postgres (postgresql://...)"
        raise BadInput([Problem("database", f"{parsed.get_backend_name()} is not supported", cure)])
    engine = sa.create_engine(parsed, connect_args={"check_same_thread": False}, pool_size=8, max_overflow=8)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


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
