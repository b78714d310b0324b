"""Tables of the dossier room."""

from __future__ import annotations

import sqlalchemy as sa

from readingroom.store.db import Moment, metadata

model = sa.Table(
    "dossier_model",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False, unique=True),
    sa.Column("source", sa.String, nullable=False),
    sa.Column("digest", sa.String, nullable=False, index=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("pinned", sa.Boolean, nullable=False),
    sa.Column("registered_at", Moment, nullable=False),
)
document = sa.Table(
    "dossier_document",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("model_id", sa.ForeignKey("dossier_model.id"), nullable=False, index=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("digest", sa.String, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("filed_at", Moment, nullable=False),
)
evidence = sa.Table(
    "dossier_evidence",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("model_digest", sa.String, nullable=False, index=True),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("gate_version", sa.String, nullable=False),
    sa.Column("claim", sa.String, nullable=False),
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Column("digest", sa.String, nullable=False),
    sa.Column("filed_at", Moment, nullable=False),
    sa.UniqueConstraint("model_digest", "gate_version", "claim", "digest"),
)
