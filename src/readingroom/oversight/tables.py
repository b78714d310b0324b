"""Tables of the oversight room."""

from __future__ import annotations

import sqlalchemy as sa

from readingroom.store.db import Moment, metadata
from readingroom.store.moving import refers

reading = sa.Table(
    "oversight_reading",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("person", sa.String, nullable=False, info=refers("person")),
    sa.Column("act", sa.String, nullable=False),  # read, or erased
    sa.Column("grant_id", sa.String, nullable=False, index=True),
    sa.Column("receipt", sa.String, nullable=False),  # empty where all of a grant was erased
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("salt", sa.LargeBinary, nullable=False),
)
