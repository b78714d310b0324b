"""Reads of the gateway room, open to the rooms on its left."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from readingroom.gateway import meter
from readingroom.gateway.model import Reading


def reading(tx: Connection, grant: str) -> Reading | None:
    """Return what a grant's meter shows; None if it has none."""
    return meter.read(tx, grant)


def readings(tx: Connection) -> dict[str, Reading]:
    """Return what every meter shows, by grant."""
    return meter.read_all(tx)
