"""Every row comes out of a database of either kind and goes into one of either kind as it was."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from migration import import_tables
from readingroom.store import copy
from readingroom.store.db import Database, metadata

import_tables()
AT = datetime(2026, 1, 5, 9, 0, 0, 7, tzinfo=UTC)
ROW = {
    "id": "u",
    "grant_id": "g",
    "passes": 2**53,
    "leaf": "a \u2028 line\nand more".encode(),
    "salt": bytes(range(256)),
    "at": AT,
    "entry_seq": None,
    "place": 0,
}
GATES = {"text": 'a \u2028 line\nand "more"', "n": [1.5, None, True]}
RUN: dict[str, Any] = {"gate_versions": GATES, "counts": None, "floor": sa.null()}


def put(db: Database) -> None:
    usage = metadata.tables["gateway_usage"]
    with db.write() as tx:
        for name in ("a", "b"):
            tx.execute(usage.insert().values(ROW | {"id": name}))
        _put_filled(tx, "stress_run", **RUN)


def _put_filled(tx: Connection, name: str, **values: Any) -> None:
    """Put in a row with something in every column that needs it."""
    table = metadata.tables[name]
    kinds: dict[type, Any] = {bool: True, int: 7, str: "x", bytes: b"\x00\xff", object: {"a": [1]}}
    for column in table.columns:
        if column.name not in values and not column.nullable:
            moment = type(column.type).__name__ == "Moment"
            kind = str if moment else column.type.python_type
            values[column.name] = AT if moment else kinds[kind]
    tx.execute(table.insert().values(values))


def dump(db: Database) -> dict[str, list[bytes]]:
    with db.read() as tx:
        return {table.name: list(copy.rows_out(tx, table)) for table in copy.tables(tx)}


def fill(db: Database, dumped: dict[str, list[bytes]]) -> None:
    with db.write() as tx:
        for table in copy.tables(tx):
            copy.rows_in(tx, table, dumped[table.name])


@pytest.mark.parametrize("kinds", ["sqlite to postgres", "postgres to sqlite"])
def test_rows_go_from_one_kind_into_the_other_and_are_the_same(request: pytest.FixtureRequest, kinds: str) -> None:
    first, second = (request.getfixturevalue(f"{name}_db") for name in kinds.split(" to "))
    put(first)
    dumped = dump(first)
    fill(second, dumped)
    again = dump(second)
    assert {name: set(lines) for name, lines in again.items()} == {name: set(lines) for name, lines in dumped.items()}
    with second.read() as tx:
        row = tx.execute(sa.select(metadata.tables["gateway_usage"]).where(sa.text("id = 'a'"))).one()
        gates = tx.execute(sa.select(metadata.tables["stress_run"].c.gate_versions)).scalar_one()
        nulls = tx.execute(sa.text("select counts is null, floor is null from stress_run")).one()
    assert row._asdict() == ROW | {"id": "a", "row": 1, "key_id": None}
    assert gates == GATES
    assert [bool(each) for each in nulls] == [False, True]  # JSON's null is not SQL's


def test_numbering_goes_on_after_the_highest(db: Database, request: pytest.FixtureRequest) -> None:
    put(db)
    dumped = dump(db)
    other = request.getfixturevalue("sqlite_db" if not db.is_sqlite else "postgres_db")
    fill(other, dumped)
    with other.write() as tx:
        usage = metadata.tables["gateway_usage"]
        tx.execute(usage.insert().values(ROW | {"id": "c"}))
        assert tx.execute(sa.select(usage.c.row).where(usage.c.id == "c")).scalar_one() == 3


def test_a_copy_is_of_one_moment(db: Database) -> None:
    put(db)
    with db.read() as tx:
        tables = copy.tables(tx)
        before = {table.name: list(copy.rows_out(tx, table)) for table in tables}
        with db.write() as other:
            other.execute(sa.text("delete from stress_run"))
            other.execute(sa.text("update gateway_usage set passes = 9"))
        assert {table.name: list(copy.rows_out(tx, table)) for table in tables} == before
    assert dump(db) != before


@pytest.mark.parametrize("lines", [[], [b"{}"], [b"[]\n"], [b'{"columns":["a"],"bytes":[]}\n', b"[1,2]\n"]])
def test_what_is_no_copy_is_told(lines: list[bytes]) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        list(copy.read_rows(lines))
