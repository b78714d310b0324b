"""Tables of the post room."""

from __future__ import annotations

import sqlalchemy as sa

from readingroom.store.db import Moment, metadata
from readingroom.store.moving import refers
from readingroom.store.personal import whose

letter = sa.Table(
    "post_letter",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("event", sa.String, nullable=False),
    sa.Column("entry", sa.BigInteger),
    sa.Column("person", sa.String, nullable=False, index=True, info=refers("person")),
    sa.Column("once", sa.String, unique=True),
    sa.Column("recipient", sa.String, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("html", sa.Text, nullable=False),
    sa.Column("calendar", sa.Text, nullable=False),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("since", Moment, nullable=False),  # from when tries are counted: made, or had tried anew
    sa.Column("next_at", Moment),
    sa.Column("lease", sa.String, nullable=False, server_default=""),
    sa.Column("problem", sa.Text, nullable=False, server_default=""),
    sa.Column("sent_at", Moment),
    sa.Index("ix_post_letter_state_next_at", "state", "next_at"),
    **whose("person", address="recipient", gone=True),
)
