"""The first tables of the stress room."""

import sqlalchemy as sa
from alembic import op

import readingroom.store.db

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stress_run",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("model_digest", sa.String(), nullable=False),
        sa.Column("suite", sa.String(), nullable=False),
        sa.Column("suite_digest", sa.String(), nullable=False),
        sa.Column("gate_versions", sa.JSON(), nullable=False),
        sa.Column("started_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("finished_at", readingroom.store.db.Moment(length=27), nullable=True),
        sa.Column("failed_at", readingroom.store.db.Moment(length=27), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=True),
        sa.Column("floor", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stress_run")),
    )
    op.create_index(op.f("ix_stress_run_model_digest"), "stress_run", ["model_digest"], unique=False)
    op.create_table(
        "stress_sample",
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("claim", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("passes", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["stress_run.id"], name=op.f("fk_stress_sample_run_id")),
        sa.PrimaryKeyConstraint("run_id", "claim", "position", name=op.f("pk_stress_sample")),
    )
