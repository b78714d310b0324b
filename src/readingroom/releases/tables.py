"""Tables of the releases room."""

from __future__ import annotations

import sqlalchemy as sa

from readingroom.store.db import Moment, metadata
from readingroom.store.moving import OLDER, refers

plan = sa.Table(
    "releases_plan",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("digest", sa.String, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("salt", sa.LargeBinary, nullable=False),
    sa.Column("adopted_at", Moment, nullable=False),
    sa.Column("adopted_by", sa.String, nullable=False, info=refers("person")),
)
stage = sa.Table(
    "releases_stage",
    metadata,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("gate_version", sa.String, nullable=False),
    sa.Column("round", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("open_until", Moment),
    sa.Column("screening", sa.String, nullable=False),
)
interval = sa.Table(
    "releases_interval",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("stage", sa.String, nullable=False, index=True),
    sa.Column("gate_version", sa.String, nullable=False),
    sa.Column("opened_at", Moment, nullable=False),
    sa.Column("open_until", Moment),
    sa.Column("closed_at", Moment),
    sa.Column("entry", sa.BigInteger, nullable=False),  # of the ledger, that says it was opened
)
signature = sa.Table(
    "releases_signature",
    metadata,
    sa.Column("stage", sa.String, primary_key=True),
    sa.Column("gate_version", sa.String, primary_key=True),
    sa.Column("round", sa.BigInteger, primary_key=True, autoincrement=False),
    # Of the key, so that nobody can sign twice, whatever the roles.
    sa.Column("person", sa.String, primary_key=True, info=refers("person", of_two=OLDER)),
    sa.Column("role", sa.String, nullable=False),
    sa.Column("signed_at", Moment, nullable=False),
)
waiver = sa.Table(
    "releases_waiver",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("stage", sa.String, nullable=False, index=True),
    sa.Column("gate_version", sa.String, nullable=False),
    sa.Column("clause", sa.String, nullable=False),
    sa.Column("until", Moment, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("salt", sa.LargeBinary, nullable=False),
    sa.Column("given_by", sa.String, nullable=False, info=refers("person")),
    sa.Column("given_at", Moment, nullable=False),
)
engine = sa.Table(  # what is known of the engine that answers as a model, by the model's digest
    "releases_engine",
    metadata,
    sa.Column("model_digest", sa.String, primary_key=True),
    sa.Column("doors", sa.JSON, nullable=False),  # names of those that were open at the last look
    sa.Column("changed", sa.Boolean, nullable=False),  # whether it answered otherwise than when it was tested
    sa.Column("begun_at", Moment),
    sa.Column("looked_at", Moment),
    sa.Column("trouble", sa.BigInteger, nullable=False),  # the ledger's entry that last told of any; 0: none
    sa.Column("fingerprint", sa.JSON),
    sa.Column("fingerprinted_at", Moment),
    sa.Column("passes", sa.BigInteger, nullable=False),  # that fingerprints took, metered on no grant
)
note = sa.Table(
    "releases_note",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("stage", sa.String, nullable=False, index=True),
    sa.Column("action", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("text", sa.String, nullable=False),
    sa.Column("salt", sa.LargeBinary, nullable=False),
    sa.Column("noted_by", sa.String, nullable=False, info=refers("person")),
    sa.Column("noted_at", Moment, nullable=False),
)
