"""Leaving nothing of what was deleted in a database's files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing

import sqlalchemy as sa

from readingroom.core.errors import Broken, Problem
from readingroom.store.db import Database

_WAIT_S = 15


def compact(db: Database, tables: Iterable[str]) -> None:
    """Write the database's file anew without what was deleted from it; of Postgres, these tables' files.

    It holds up whoever else writes, for as long as the copying takes. Postgres keeps old bytes in its log of writes
    (`pg_wal`) and whoever archives that keeps them there, until its segments are recycled.

    Raises:
        Broken: the database is busy or its disk full; the data is as it was, and deleted bytes may still be there.
    """
    if db.is_sqlite:
        _compact_file(db.engine.url.database or "")
        return
    with db.told(), db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        known = set(sa.inspect(connection).get_table_names())
        for name in sorted(known.intersection(tables)):
            connection.execute(sa.text(f'VACUUM (FULL, ANALYZE) "{name}"'))


def _compact_file(path: str) -> None:
    try:
        with closing(sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None)) as file:
            file.execute("VACUUM")
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as fault:
        cure = f'When nothing else writes, run: sqlite3 "{path}" VACUUM'
        raise Broken(Problem(path, f"still holds deleted bytes ({fault}); all else is done", cure)) from None
