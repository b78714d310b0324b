"""Tables of the stress room."""

from __future__ import annotations

import sqlalchemy as sa

from readingroom.store.db import Moment, metadata

run = sa.Table(
    "stress_run",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("model", sa.String, nullable=False),
    sa.Column("model_digest", sa.String, nullable=False, index=True),
    sa.Column("suite", sa.String, nullable=False),
    sa.Column("suite_digest", sa.String, nullable=False),
    sa.Column("gate_versions", sa.JSON, nullable=False),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("finished_at", Moment),
    sa.Column("failed_at", Moment),
    sa.Column("counts", sa.JSON),
    sa.Column("floor", sa.JSON),
)
sample = sa.Table(
    "stress_sample",
    metadata,
    sa.Column("run_id", sa.ForeignKey("stress_run.id"), primary_key=True),
    sa.Column("claim", sa.String, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("outcome", sa.String, nullable=False),
    sa.Column("passes", sa.BigInteger, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
)
