"""How fast grants may read: the books of their minutes, and the places of requests open at once."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gateway_place",
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("grant_id", sa.String(), nullable=False),
        sa.Column("places", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("places > 0", name=op.f("ck_gateway_place_sign")),
        sa.PrimaryKeyConstraint("worker", "grant_id", name=op.f("pk_gateway_place")),
    )
    op.create_index(op.f("ix_gateway_place_grant_id"), "gateway_place", ["grant_id"], unique=False)
    op.create_table(
        "gateway_rate",
        sa.Column("grant_id", sa.String(), nullable=False),
        sa.Column("minute", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("requests >= 0 and tokens >= 0", name=op.f("ck_gateway_rate_sign")),
        sa.PrimaryKeyConstraint("grant_id", "minute", name=op.f("pk_gateway_rate")),
    )
