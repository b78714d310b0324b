"""One thing turns out to be another: what refers to it, in whatever room's table, refers to the other from then on.

A table says of a column what it refers to, `sa.Column("holder", sa.String, info=refers("person"))`; this module knows
no more of it than that word. In a column of JSON, whatever text is the id, however deep, is replaced. Where a row of
the other is there already, so that both cannot stay (a signature of each, under one quorum), the column says which of
the two does; where it does not say, the move is refused by the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.core.canonical import Json
from readingroom.store.db import metadata

OLDER = "older"  # of two rows that become one, the other's stays: whoever it was counts once


def refers(to: str, *, of_two: str = "") -> dict[str, str]:
    """Mark a column (`info=`) as a reference.

    Args:
        to: the kind of thing whose ids the column holds, as `person`.
        of_two: where both may not stay: `OLDER`, or the name of a column, of which the greater stays.
    """
    return {"refers": to, "of_two": of_two}


def references(to: str) -> Iterator[sa.Column[Any]]:
    """Return every column that refers to this kind of thing, in the order in which the tables can be written."""
    for table in metadata.sorted_tables:
        yield from (column for column in table.columns if column.info.get("refers") == to)


def move(tx: Connection, to: str, old: str, new: str) -> None:
    """Let whatever refers to `old` refer to `new`.

    Raises:
        sqlalchemy.exc.IntegrityError: two rows cannot both stay, and the column does not say which does.
    """
    for column in references(to):
        if of_two := column.info["of_two"]:
            _leave_one(tx, column, of_two, old, new)
        if isinstance(column.type, sa.JSON):
            _move_within(tx, column, old, new)
            continue
        tx.execute(column.table.update().where(column == old).values({column.name: new}))


def _move_within(tx: Connection, column: sa.Column[Any], old: str, new: str) -> None:
    """Replace an id within the documents of a column."""
    keys = list(column.table.primary_key.columns)
    where = sa.cast(column, sa.Text).contains(old, autoescape=True)
    for *key, document in tx.execute(sa.select(*keys, column).where(where)).all():
        same = sa.and_(*(each == value for each, value in zip(keys, key, strict=True)))
        tx.execute(column.table.update().where(same).values({column.name: _replaced(document, old, new)}))


def _replaced(value: Json, old: str, new: str) -> Json:
    if isinstance(value, dict):
        return {name: _replaced(each, old, new) for name, each in value.items()}
    if isinstance(value, list):
        moved = [_replaced(each, old, new) for each in value]
        return [each for at, each in enumerate(moved) if each != new or new not in moved[:at]]  # listed once
    return new if value == old else value


def _leave_one(tx: Connection, column: sa.Column[Any], of_two: str, old: str, new: str) -> None:
    """Delete one of each two rows that would become the same."""
    table = column.table
    for others in _keys_with(column):
        mine, theirs = table.alias("mine"), table.alias("theirs")
        twins = [mine.c[column.name] == old, theirs.c[column.name] == new]
        twins += [mine.c[each.name] == theirs.c[each.name] for each in others]
        wanted = [*(mine.c[each.name] for each in others), *_marks(mine, theirs, of_two), sa.literal(1)]
        for row in tx.execute(sa.select(*wanted).select_from(mine.join(theirs, sa.and_(*twins)))).all():
            rest = row[: len(others)]
            later = of_two != OLDER and row[len(others)] > row[len(others) + 1]
            doomed = [column == (new if later else old), *(a == b for a, b in zip(others, rest, strict=True))]
            tx.execute(table.delete().where(*doomed))


def _marks(mine: sa.FromClause, theirs: sa.FromClause, of_two: str) -> list[sa.ColumnElement[Any]]:
    return [] if of_two == OLDER else [mine.c[of_two], theirs.c[of_two]]


def _keys_with(column: sa.Column[Any]) -> Iterator[list[sa.Column[Any]]]:
    """Return, for each key of the table that holds this column, its other columns."""
    for each in column.table.constraints:
        if isinstance(each, sa.PrimaryKeyConstraint | sa.UniqueConstraint) and column.name in each.columns:
            yield [other for other in each.columns if other.name != column.name]
