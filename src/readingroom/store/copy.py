"""Copying every row out of a database and into an empty one, of either kind.

A table becomes JSON lines: the first names its columns, each other is one row. Tables are taken as the database has
them, not as this program describes them, so that a copy of an older schema goes into a database of that schema, which
is brought up to date afterwards.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.store.db import Database

_FETCH = 1_000  # rows at a time
_SCHEMA = "alembic_version"


def schema(tx: Connection) -> str:
    """Return the migration that the database stands at."""
    return str(tx.execute(sa.text(f"select version_num from {_SCHEMA}")).scalar_one())  # noqa: S608 - our own name


def is_empty(db: Database) -> bool:
    """Tell whether a database holds no table at all."""
    with db.read() as tx:
        return not sa.inspect(tx).get_table_names()


def clear(db: Database) -> None:
    """Drop every table: of a database that was empty before a copying into it failed."""
    with db.write() as tx:
        found = sa.MetaData()
        found.reflect(tx)
        found.drop_all(tx)


def tables(tx: Connection, without: Collection[str] = ()) -> list[sa.Table]:
    """Return every table, those that others refer to first; without some, and the one that only tells the schema."""
    found = sa.MetaData()
    found.reflect(tx)
    return [each for each in found.sorted_tables if each.name != _SCHEMA and each.name not in without]


def rows_out(tx: Connection, table: sa.Table) -> Iterator[bytes]:
    """Yield a table as JSON lines, ordered by its key."""
    columns = list(table.columns)
    yield _line({"columns": [each.name for each in columns], "bytes": [each.name for each in columns if _binary(each)]})
    taken = [sa.cast(each, sa.Text) if _json(each) else each for each in columns]  # JSON as it is spelled
    query = sa.select(*taken).order_by(*table.primary_key.columns)
    with tx.execute(query, execution_options={"yield_per": _FETCH}) as found:
        for row in found:
            yield _line([base64.b64encode(each).decode() if isinstance(each, bytes) else each for each in row])


def read_rows(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """Read what `rows_out` wrote, row by row.

    Raises:
        ValueError: it is nothing of the kind.
    """
    each = iter(lines)
    head = json.loads(next(each, b"{}"))
    names, binary = head["columns"], set(head["bytes"])
    for line in each:
        row = dict(zip(names, json.loads(line), strict=True))
        yield {k: base64.b64decode(v) if k in binary and v is not None else v for k, v in row.items()}


def rows_in(tx: Connection, table: sa.Table, lines: Iterable[bytes]) -> None:
    """Put rows into an empty table."""
    spelled = {column.name: f"spelled_{column.name}" for column in table.columns if _json(column)}
    rows = ({spelled.get(name, name): value for name, value in row.items()} for row in read_rows(lines))
    postgres = tx.dialect.name != "sqlite"
    put = table.insert()
    if spelled:
        given = {name: sa.bindparam(bound, type_=sa.Text) for name, bound in spelled.items()}
        put = put.values({name: sa.cast(each, sa.JSON) if postgres else each for name, each in given.items()})
    while batch := list(islice(rows, _FETCH)):
        tx.execute(put, batch)
    if postgres:
        _count_on(tx, table)


def _count_on(tx: Connection, table: sa.Table) -> None:
    """Let Postgres go on numbering after the highest number that was put in."""
    for column in table.primary_key.columns:
        if "nextval" not in str(getattr(column.server_default, "arg", "")):
            continue
        sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
        highest = sa.select(sa.func.coalesce(sa.func.max(column), 0)).scalar_subquery()
        tx.execute(sa.select(sa.func.setval(sequence, highest + 1, False)))


def _binary(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, sa.LargeBinary)


def _json(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, sa.JSON)


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
