"""Tables of the access room."""

from __future__ import annotations

import sqlalchemy as sa

from readingroom.store.db import Moment, metadata
from readingroom.store.moving import OLDER, refers
from readingroom.store.personal import personal, whose

grant = sa.Table(
    "access_grant",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("holder", sa.String, nullable=False, index=True, info=refers("person")),
    sa.Column("stage", sa.String, nullable=False),
    sa.Column("tier", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("passes", sa.BigInteger),
    sa.Column("tokens", sa.BigInteger),
    sa.Column("calls", sa.BigInteger),
    sa.Column("issued_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("issued_by", sa.String, nullable=False, info=refers("person")),
    sa.Column("award_id", sa.String, unique=True),  # an award becomes one grant, however often it is heard
    sa.Column("purpose", sa.Text, nullable=False, **personal("")),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("changed_reason", sa.String),
    sa.Column("note", sa.Text, **personal("")),
    sa.Column("dev", sa.Boolean, nullable=False),
    sa.Column("retention", sa.String),  # the digest of what its holder agreed may be kept; null: nothing
    sa.Column("title", sa.Text, **personal("")),
    sa.Column("machines", sa.Text, **personal("")),  # names, one a line; nothing enrols them yet
    **whose("holder"),
)
terms = sa.Table(
    "access_terms",
    metadata,
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("hash", sa.String, nullable=False, unique=True),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("material", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("salt", sa.LargeBinary, nullable=False),
    sa.Column("published_at", Moment, nullable=False),
)
acceptance = sa.Table(
    "access_acceptance",
    metadata,
    sa.Column("person", sa.String, primary_key=True, info=refers("person", of_two=OLDER)),
    sa.Column("position", sa.ForeignKey("access_terms.position"), primary_key=True),
    sa.Column("accepted_at", Moment, nullable=False),
    sa.Column("on_behalf", sa.Boolean, nullable=False),
    sa.Column("name", sa.Text, **personal(None)),  # as it was typed to sign
    sa.Column("salt", sa.LargeBinary, **personal(None)),  # of the ledger's commitment to it
    **whose("person"),
)
key = sa.Table(
    "access_key",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("hash", sa.String, nullable=False, unique=True),
    sa.Column("grant_id", sa.ForeignKey("access_grant.id"), nullable=False, index=True),
    sa.Column("person", sa.String, nullable=False, info=refers("person")),
    sa.Column("hint", sa.String, nullable=False),
    sa.Column("issued_at", Moment, nullable=False),
    sa.Column("ends_at", Moment),
    **whose("person"),
)
version = sa.Table(
    "access_version",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)
restoration = sa.Table(
    "access_restoration",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("restored_at", Moment, nullable=False),
    sa.Column("backup_at", Moment, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),  # of the log that came back
    sa.Column("root", sa.String, nullable=False),
    sa.Column("newer", sa.BigInteger),  # the size of a newer checkpoint that was shown: proof that history is lost
    sa.Column("lifted_at", Moment),
    sa.Column("lifted_how", sa.String),
)
restoration_word = sa.Table(
    "access_restoration_word",
    metadata,
    sa.Column("restoration_id", sa.ForeignKey("access_restoration.id"), primary_key=True),
    sa.Column("person", sa.String, primary_key=True, info=refers("person", of_two=OLDER)),  # nobody counts twice
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("salt", sa.LargeBinary, nullable=False),
    sa.Column("at", Moment, nullable=False),
)
member = sa.Table(
    "access_member",
    metadata,
    sa.Column("grant_id", sa.ForeignKey("access_grant.id"), primary_key=True),
    sa.Column("person", sa.String, primary_key=True, index=True, info=refers("person", of_two=OLDER)),
    sa.Column("invited_by", sa.String, nullable=False, info=refers("person")),
    sa.Column("invited_at", Moment, nullable=False),
    sa.Column("joined_at", Moment),
    sa.Column("left_at", Moment),
    sa.Column("retention", sa.String),  # the digest of what this person agreed may be kept; null: nothing
    **whose("person"),
)
sanction = sa.Table(
    "access_sanction",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("subject", sa.String, nullable=False),
    sa.Column("grant_id", sa.ForeignKey("access_grant.id"), index=True),  # null: of a person, whatever the grant
    sa.Column("person", sa.String, index=True, info=refers("person")),  # null: of the whole project
    sa.Column("holder", sa.String, info=refers("person")),  # who answers for the whole project; null: it is of a person
    sa.Column("decided_by", sa.String, nullable=False, info=refers("person")),
    sa.Column("decided_at", Moment, nullable=False),
    sa.Column("begins_at", Moment, nullable=False),
    sa.Column("until", Moment),
    sa.Column("cure_by", Moment),
    sa.Column("per_minute", sa.Integer),
    sa.Column("evidence", sa.String, nullable=False),  # SHA-256, or a ledger entry's place; never the thing itself
    sa.Column("note", sa.Text, nullable=False, **personal("")),
    sa.Column("notice", sa.Text, nullable=False, **personal("")),
    sa.Column("collective", sa.Boolean, nullable=False),
    sa.Column("acknowledged_at", Moment),
    sa.Column("reply", sa.Text, nullable=False, **personal("")),
    sa.Column("lifted_at", Moment),
    sa.Column("lifted_by", sa.String, nullable=False, info=refers("person")),
    sa.Column("lifted_reason", sa.String, nullable=False),
    sa.Column("lifted_note", sa.Text, nullable=False, **personal("")),
    sa.Column("batch", sa.String, nullable=False, index=True),  # of many in one act; empty for one alone
    sa.Column("salt", sa.LargeBinary, nullable=False, **personal(b"")),  # of the ledger's commitments
    **whose("person", "holder"),
)
barred_address = sa.Table(  # of who was erased while barred: so that a new account of the same address is barred too
    "access_barred_address",
    metadata,
    sa.Column("digest", sa.String, primary_key=True),  # HMAC with the house's key; gone once the bar is over
    sa.Column("sanction_id", sa.ForeignKey("access_sanction.id"), primary_key=True),
)
