"""Personal data, declared where it is kept, so that it can be shown to its person and erased, all of it (promise 9).

A table says whose its rows are (`whose`), a column that it holds personal data and what stands there once it is erased
(`personal`). Showing and erasing walk the declarations; `tests/architecture/test_personal_data.py` holds every column
that can hold words to be declared, or listed as nobody's.

    sa.Table("admissions_version", ..., sa.Column("salt", sa.LargeBinary, **personal(b"")), **whose("application_id"))

A path is a column with a person's id, or one with the id of a row whose person is known: a foreign key, or with the
table's name (`grant_id -> access_grant`) where rooms do not know each other's tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.core.canonical import Json

_WHOSE, _ERASED = "whose", "erased"
_MOST_SHOWN = 1_000  # bytes of one value


@dataclass(frozen=True, slots=True)
class Owner:
    """How a table's rows belong to persons.

    Attributes:
        paths: columns, or `column -> table`; a row is of everyone to whom any of them leads.
        address: a column that holds an e-mail address; a row is also of the person whose it is.
        gone: rows are deleted, and not only emptied.
        shown: the paths by which a row is shown to its person, where that is not all of them: what others say of
            somebody in confidence is erased with them, and not shown to them.
    """

    paths: tuple[str, ...] = ()
    address: str = ""
    gone: bool = False
    shown: tuple[str, ...] | None = None


def whose(*paths: str, address: str = "", gone: bool = False, shown: tuple[str, ...] | None = None) -> dict[str, Any]:
    """Declare whose a table's rows are; see `Owner`."""
    return {"info": {_WHOSE: Owner(paths, address, gone, shown)}}


def personal(erased: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever the column holds
    """Declare that a column holds personal data.

    Args:
        erased: what stands there once it is erased; or, if it depends on the row, a function of what stood there.
    """
    return {"info": {_ERASED: erased}}


@dataclass(frozen=True, slots=True)
class Someone:
    """Whom it is about: every id and every address that the person has."""

    ids: frozenset[str]
    addresses: frozenset[str]


def held(tx: Connection, metadata: sa.MetaData, who: Someone) -> dict[str, list[dict[str, Json]]]:
    """Return every row that is somebody's, by table; bytes as hex. A secret's hash says nothing and is left out.

    What others say in confidence, as reviewers, is not among it: see `Owner.shown`.
    """
    found: dict[str, list[dict[str, Json]]] = {}
    for table, owner in _owned(metadata):
        rows = tx.execute(sa.select(table).where(_theirs(metadata, table, owner, who, showing=True))).mappings()
        shown = [{str(name): _plain(value) for name, value in row.items() if name != "hash"} for row in rows]
        if shown:
            found[table.name] = shown
    return found


def erase(tx: Connection, metadata: sa.MetaData, who: Someone) -> dict[str, int]:
    """Erase what is somebody's; return how many rows of each table were emptied or deleted.

    In others' rows, the person's addresses are taken out of what they wrote.
    """
    done: dict[str, int] = {}
    for table, owner in _owned(metadata):
        if count := _empty(tx, table, owner, _theirs(metadata, table, owner, who)):
            done[table.name] = count
    for table in metadata.sorted_tables:
        if count := _unmention(tx, table, who.addresses):
            done[table.name] = done.get(table.name, 0) + count
    return done


def columns(table: sa.Table) -> dict[str, Any]:
    """Return the personal columns of a table, and what each becomes: a value, or a function of what stood there."""
    return {each.name: each.info[_ERASED] for each in table.columns if _ERASED in each.info}


def owner_of(table: sa.Table) -> Owner | None:
    """Return how a table's rows belong to persons, or None where they are nobody's."""
    return table.info.get(_WHOSE)


def _owned(metadata: sa.MetaData) -> Iterator[tuple[sa.Table, Owner]]:
    for table in reversed(metadata.sorted_tables):  # those that refer to others first
        if (owner := owner_of(table)) is not None:
            yield table, owner


def _theirs(
    metadata: sa.MetaData, table: sa.Table, owner: Owner, who: Someone, *, showing: bool = False
) -> sa.ColumnElement[bool]:
    some = showing and owner.shown is not None
    paths = owner.shown if some and owner.shown is not None else owner.paths
    ways = [_leads(metadata, table, path, who, showing=showing) for path in paths]
    if owner.address and not some:
        ways.append(table.c[owner.address].in_(sorted(who.addresses)))
    return sa.or_(sa.false(), *ways)


def _leads(metadata: sa.MetaData, table: sa.Table, path: str, who: Someone, *, showing: bool) -> sa.ColumnElement[bool]:
    name, _, named = path.partition(" -> ")
    column = table.c[name]
    target = metadata.tables[named] if named else next((key.column.table for key in column.foreign_keys), None)
    owner = owner_of(target) if target is not None else None
    if target is None or owner is None or not owner.paths:
        return column.in_(sorted(who.ids))
    return column.in_(sa.select(target.c.id).where(_theirs(metadata, target, owner, who, showing=showing)))


def _is(table: sa.Table, key: Iterable[Any]) -> sa.ColumnElement[bool]:
    return sa.and_(*(column == value for column, value in zip(table.primary_key.columns, key, strict=True)))


def _empty(tx: Connection, table: sa.Table, owner: Owner, where: sa.ColumnElement[bool]) -> int:
    if owner.gone:
        return tx.execute(table.delete().where(where)).rowcount
    emptied = columns(table)
    if not emptied:
        return 0
    if not any(map(callable, emptied.values())):  # one statement, however many rows
        return tx.execute(table.update().where(where).values(emptied)).rowcount
    rows = tx.execute(sa.select(*table.primary_key.columns, *(table.c[name] for name in emptied)).where(where)).all()
    for row in rows:
        stood = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
        values = {
            name: become(stood[name]) if callable(become) else become
            for name, become in emptied.items()
            if stood[name] is not None
        }
        key = [stood[each.name] for each in table.primary_key.columns]
        tx.execute(table.update().where(_is(table, key)).values(values))
    return len(rows)


def _unmention(tx: Connection, table: sa.Table, addresses: frozenset[str]) -> int:
    """Take addresses out of what others wrote, wherever one stands as a whole text in JSON."""
    written = [each for each in table.columns if _ERASED in each.info and isinstance(each.type, sa.JSON)]
    done = 0
    for column in written:
        text = sa.cast(column, sa.Text)
        for address in sorted(addresses):
            where = text.contains(address, autoescape=True)
            for *key, value in tx.execute(sa.select(*table.primary_key.columns, column).where(where)):
                cleared = {column.name: _without(value, address)}
                tx.execute(table.update().where(_is(table, key)).values(cleared))
                done += 1
    return done


def _without(value: Json, address: str) -> Json:
    if isinstance(value, dict):
        return {name: _without(each, address) for name, each in value.items()}
    if isinstance(value, list):
        return [_without(each, address) for each in value if each != address]
    return value.replace(address, "…") if isinstance(value, str) else value


def _plain(value: Any) -> Json:  # noqa: ANN401 - whatever a column holds
    if isinstance(value, bytes):  # a file that somebody attached is told of here, and downloaded where it is
        return value.hex() if len(value) <= _MOST_SHOWN else f"{len(value)} bytes"
    return value.isoformat() if isinstance(value, datetime) else value
