"""Tables of the people room: the only place where a pseudonym meets a name."""

from __future__ import annotations

import sqlalchemy as sa

from readingroom.core.ids import new_id
from readingroom.store.db import Moment, metadata
from readingroom.store.personal import personal, whose

person = sa.Table(
    "people_person",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("email", sa.String, nullable=False, unique=True, **personal(lambda _: f"erased:{new_id('person')}")),
    sa.Column("name", sa.String, nullable=False, **personal("Erased")),
    sa.Column("affiliation", sa.String, nullable=False, server_default="", **personal("")),
    sa.Column("created_at", Moment, nullable=False),
    **whose("id"),
)
role = sa.Table(
    "people_role",
    metadata,
    sa.Column("person_id", sa.ForeignKey("people_person.id"), primary_key=True),
    sa.Column("role", sa.String, primary_key=True),
    **whose("person_id"),
)
link = sa.Table(
    "people_link",
    metadata,
    sa.Column("hash", sa.String, primary_key=True),
    sa.Column("person_id", sa.ForeignKey("people_person.id")),  # null: whoever asked, until the link is used
    sa.Column("email", sa.String, nullable=False, server_default="", index=True, **personal("")),
    sa.Column("name", sa.String, nullable=False, server_default="", **personal("")),
    sa.Column("affiliation", sa.String, nullable=False, server_default="", **personal("")),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("used_at", Moment),
    **whose("person_id", address="email", gone=True),
)
session = sa.Table(
    "people_session",
    metadata,
    sa.Column("hash", sa.String, primary_key=True),
    sa.Column("person_id", sa.ForeignKey("people_person.id"), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    **whose("person_id", gone=True),
)
