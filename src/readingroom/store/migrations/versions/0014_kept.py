"""Answers that can be asked for again, sealed with their readers' keys."""

import sqlalchemy as sa
from alembic import op

import readingroom.store.db

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gateway_kept",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("claim", sa.String(), nullable=False),
        sa.Column("worker", sa.String(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("under", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_kept")),
    )
    op.create_index(op.f("ix_gateway_kept_expires_at"), "gateway_kept", ["expires_at"], unique=False)
