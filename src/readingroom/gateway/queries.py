"""Reads of the gateway room, open to the rooms on its left."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.core.canonical import Json
from readingroom.core.clock import parse_rfc3339
from readingroom.gateway import meter
from readingroom.gateway.model import Reading
from readingroom.gateway.tables import first_refusal, lease, usage

_PAGE = 1_000  # records that are read at a time


def reading(tx: Connection, grant: str) -> Reading | None:
    """Return what a grant's meter shows; None if it has none."""
    return meter.read(tx, grant)


def readings(tx: Connection, grants: Collection[str] | None = None) -> dict[str, Reading]:
    """Return what every meter shows, by grant; or what those of some grants do."""
    return meter.read_all(tx, grants)


def passes_used(tx: Connection) -> dict[str, int]:
    """Return how many passes each grant has used."""
    return meter.passes_used(tx)


def passes_within(tx: Connection, intervals: tuple[tuple[datetime, datetime], ...]) -> dict[str, int]:
    """Return the passes that each grant made within intervals, of those that made any."""
    within = sa.or_(sa.false(), *((usage.c.at >= start) & (usage.c.at <= end) for start, end in intervals))
    made = sa.select(usage.c.grant_id, sa.func.sum(usage.c.passes).label("passes")).where(within)
    rows = tx.execute(made.group_by(usage.c.grant_id))
    return {row.grant_id: int(row.passes) for row in rows if row.passes}


def busiest_minute(tx: Connection) -> tuple[datetime, int] | None:
    """Return the minute in which most passes were recorded, and how many; None where nothing was."""
    minute = sa.func.substr(sa.type_coerce(usage.c.at, sa.String), 1, 16)
    passes = sa.func.sum(usage.c.passes).label("passes")
    chosen = sa.select(minute, passes).group_by(minute).order_by(passes.desc(), minute).limit(1)
    row = tx.execute(chosen).first()
    return None if row is None else (parse_rfc3339(f"{row[0]}:00Z"), int(row[1]))


def passes_by_day(tx: Connection, grant: str) -> list[tuple[date, int]]:
    """Return the passes that a grant made on each day on which it made any, oldest first."""
    days: dict[date, int] = {}
    for row in tx.execute(
        sa.select(usage.c.at, usage.c.passes).where(usage.c.grant_id == grant, usage.c.passes > 0).order_by(usage.c.at)
    ):
        days[row.at.date()] = days.get(row.at.date(), 0) + row.passes
    return list(days.items())


def used_by_key(tx: Connection, grant: str) -> dict[str, tuple[int, int]]:
    """Return, of a grant's calls that have ended, passes and their number, by the id of the key; empty: not known."""
    whose = sa.func.coalesce(usage.c.key_id, "").label("whose")
    counts = sa.select(whose, sa.func.sum(usage.c.passes).label("passes"), sa.func.count().label("calls"))
    rows = tx.execute(counts.where(usage.c.grant_id == grant, usage.c.passes > 0).group_by(whose))
    return {row.whose: (int(row.passes), int(row.calls)) for row in rows}


def first_refusals(tx: Connection, sanctions: Sequence[str]) -> dict[str, tuple[datetime, str]]:
    """Return when the first call was refused for each sanction, and its code, of those that were felt already."""
    rows = tx.execute(sa.select(first_refusal).where(first_refusal.c.sanction.in_(sanctions)))
    return {row.sanction: (row.at, row.code) for row in rows}


def streams(tx: Connection, grants: Sequence[str]) -> int:
    """Return how many answers flow or wait under some grants, as their workers said last."""
    held = sa.select(sa.func.coalesce(sa.func.sum(lease.c.held_calls), 0))
    return int(tx.execute(held.where(lease.c.grant_id.in_(grants))).scalar_one())


def records(tx: Connection, since: datetime | None = None) -> Iterator[tuple[str, Json]]:
    """Yield each usage record with its grant, oldest first, from a moment on; few at a time are in memory."""
    found = sa.select(usage.c.grant_id, usage.c.leaf).order_by(usage.c.row)
    found = found if since is None else found.where(usage.c.at >= since)
    with tx.execute(found.execution_options(yield_per=_PAGE)) as rows:  # closed also where who reads stops midway
        for row in rows:
            yield row.grant_id, json.loads(row.leaf)
