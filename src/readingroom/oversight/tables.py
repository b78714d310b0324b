"""Tables of the oversight room."""

from __future__ import annotations

import sqlalchemy as sa

from readingroom.store.db import Moment, metadata
from readingroom.store.moving import refers
from readingroom.store.personal import personal, whose

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
look = sa.Table(
    "oversight_look",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("person", sa.String, nullable=False, index=True, info=refers("person")),
    sa.Column("form", sa.String, nullable=False),  # page, csv or json
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("digest", sa.String, nullable=False),  # of the canonical JSON of what was shown
    sa.Column("salt", sa.LargeBinary, nullable=False),
)
work = sa.Table(
    "oversight_work",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("person", sa.String, nullable=False, index=True, info=refers("person")),
    sa.Column("grant_id", sa.String, nullable=False, index=True),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("work", sa.JSON, nullable=False, **personal({})),  # as its authors say it
    sa.Column("salt", sa.LargeBinary, nullable=False),
    sa.Column("commitment", sa.String, nullable=False),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("submitted_at", Moment, nullable=False),
    sa.Column("decided_at", Moment),
    sa.Column("decided_by", sa.String, nullable=False, server_default="", info=refers("person")),
    **whose("person", gone=True),
)
observation = sa.Table(
    "oversight_observation",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("person", sa.String, nullable=False, index=True, info=refers("person")),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("grant_id", sa.String, nullable=False),  # empty where it is of none
    sa.Column("text", sa.Text, nullable=False, **personal("")),
    sa.Column("salt", sa.LargeBinary, nullable=False, **personal(b"")),
    sa.Column("reported_at", Moment, nullable=False),
    sa.Column("answer", sa.Text, nullable=False, server_default="", **personal("")),
    sa.Column("answered_at", Moment),
    sa.Column("answered_by", sa.String, nullable=False, server_default="", info=refers("person")),
    **whose("person"),
)
