"""Tables of the publication room."""

from __future__ import annotations

import sqlalchemy as sa

from readingroom.store.db import Moment, metadata
from readingroom.store.moving import refers

sample = sa.Table(
    "publication_sample",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("prompt", sa.Text, nullable=False),
    sa.Column("output", sa.Text, nullable=False),
    sa.Column("model", sa.String, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    # The receipt with what it was given for, as the files that anyone may verify; all empty where there is none.
    sa.Column("receipt", sa.Text, nullable=False),
    sa.Column("request", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("signed_by", sa.String, nullable=False, info=refers("person")),
    sa.Column("signed_at", Moment, nullable=False),
    sa.Column("digest", sa.String, nullable=False, unique=True),
)
