"""Texts kept for investigations: sealed, with the grants' halves of their keys; who read them; what is agreed to."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("access_grant", sa.Column("retention", sa.String()))
    op.create_table(
        "gateway_half",
        sa.Column("grant_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("half", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("grant_id", name=op.f("pk_gateway_half")),
    )
    op.create_table(
        "gateway_text",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("grant_id", sa.String(), nullable=False),
        sa.Column("half_id", sa.String(), nullable=False),
        sa.Column("last_hour", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_text")),
    )
    op.create_index(op.f("ix_gateway_text_grant_id"), "gateway_text", ["grant_id"], unique=False)
    op.create_index(op.f("ix_gateway_text_last_hour"), "gateway_text", ["last_hour"], unique=False)
    op.create_table(
        "oversight_reading",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("grant_id", sa.String(), nullable=False),
        sa.Column("receipt", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oversight_reading")),
    )
    op.create_index(op.f("ix_oversight_reading_grant_id"), "oversight_reading", ["grant_id"], unique=False)
