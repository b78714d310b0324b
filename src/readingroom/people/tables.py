"""Tables of the people room: the only place where a pseudonym meets a name."""

from __future__ import annotations

import sqlalchemy as sa

from readingroom.core.ids import new_id
from readingroom.store.db import Moment, metadata
from readingroom.store.moving import OLDER, refers
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
    sa.Column("person_id", sa.ForeignKey("people_person.id"), primary_key=True, info=refers("person", of_two=OLDER)),
    sa.Column("role", sa.String, primary_key=True),
    **whose("person_id"),
)
link = sa.Table(
    "people_link",
    metadata,
    sa.Column("hash", sa.String, primary_key=True),
    # Null: whoever asked, until the link is used. With an address beside it: that address is to be added to the person.
    sa.Column("person_id", sa.ForeignKey("people_person.id"), info=refers("person")),
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
    sa.Column("person_id", sa.ForeignKey("people_person.id"), nullable=False, info=refers("person")),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("issuer", sa.String, nullable=False, server_default=""),  # what was signed in with: ends with it
    sa.Column("subject", sa.String, nullable=False, server_default="", **personal("")),
    **whose("person_id", gone=True),
)
identity = sa.Table(  # belongs to one person for good, also once it signs nobody in any more: so a bar finds them again
    "people_identity",
    metadata,
    sa.Column("issuer", sa.String, primary_key=True),
    sa.Column("subject", sa.String, primary_key=True, **personal("")),
    sa.Column("person_id", sa.ForeignKey("people_person.id"), nullable=False, index=True, info=refers("person")),
    sa.Column("added_at", Moment, nullable=False),
    sa.Column("used_at", Moment),
    sa.Column("ended_at", Moment),
    **whose("person_id", gone=True),
)
proof = sa.Table(  # an identity that a browser has proved and nobody has yet, for an hour
    "people_proof",
    metadata,
    sa.Column("hash", sa.String, primary_key=True),
    sa.Column("issuer", sa.String, nullable=False),
    sa.Column("subject", sa.String, nullable=False),
    sa.Column("institution", sa.String, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
)
fact = sa.Table(
    "people_fact",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("person_id", sa.ForeignKey("people_person.id"), nullable=False, index=True, info=refers("person")),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("body", sa.String, nullable=False, **personal("")),
    sa.Column("how", sa.String, nullable=False),
    sa.Column("source", sa.String, nullable=False, server_default="", **personal("")),
    sa.Column("since", Moment, nullable=False),
    sa.Column("until", Moment),
    sa.Column("confirmed_by", sa.String, info=refers("person")),
    sa.Column("ended_at", Moment),
    **whose("person_id"),
)
merge = sa.Table(  # an account that turned out to be another's: its old id leads to the other for good
    "people_merge",
    metadata,
    sa.Column("person_id", sa.ForeignKey("people_person.id"), primary_key=True),
    # Where that one is merged too, what led to it leads on.
    sa.Column("into_id", sa.ForeignKey("people_person.id"), nullable=False, index=True, info=refers("person")),
    sa.Column("how", sa.String, nullable=False),
    sa.Column("reason", sa.Text, nullable=False, **personal("")),
    sa.Column("salt", sa.LargeBinary, nullable=False, **personal(b"")),
    sa.Column("merged_by", sa.String, nullable=False, info=refers("person")),
    sa.Column("merged_at", Moment, nullable=False),
    **whose("person_id"),
)
