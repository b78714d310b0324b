"""Reads of the publication room, open to the rooms on its left."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.publication.tables import sample


def sample_ids(tx: Connection) -> frozenset[str]:
    """Return the ids of the facsimiles on show."""
    return frozenset(tx.execute(sa.select(sample.c.id)).scalars())
