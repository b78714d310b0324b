"""Reads of the gateway room, open to the rooms on its left."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.core.canonical import parse
from readingroom.gateway import meter
from readingroom.gateway.model import Reading
from readingroom.gateway.tables import usage


def reading(tx: Connection, grant: str) -> Reading | None:
    """Return what a grant's meter shows; None if it has none."""
    return meter.read(tx, grant)


def readings(tx: Connection) -> dict[str, Reading]:
    """Return what every meter shows, by grant."""
    return meter.read_all(tx)


def passes_within(
    tx: Connection, grants: frozenset[str], intervals: tuple[tuple[datetime, datetime], ...]
) -> tuple[int, frozenset[str]]:
    """Return the passes that some grants made within intervals, and which of the grants made any."""
    total, used = 0, set()
    for start, end in intervals:
        inside = (usage.c.at >= start) & (usage.c.at <= end) & usage.c.grant_id.in_(grants)
        for row in tx.execute(sa.select(usage.c.grant_id, usage.c.leaf).where(inside)):
            passes = int(parse(row.leaf)["passes"])
            total += passes
            if passes:
                used.add(row.grant_id)
    return total, frozenset(used)


def passes_by_day(tx: Connection, grant: str) -> list[tuple[date, int]]:
    """Return the passes that a grant made on each day on which it made any, oldest first."""
    days: dict[date, int] = {}
    for row in tx.execute(sa.select(usage.c.at, usage.c.leaf).where(usage.c.grant_id == grant).order_by(usage.c.at)):
        days[row.at.date()] = days.get(row.at.date(), 0) + int(parse(row.leaf)["passes"])
    return list(days.items())
