"""Addresses of who was erased while barred, hashed."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_barred_address",
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("sanction_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sanction_id"], ["access_sanction.id"], name=op.f("fk_access_barred_address_sanction_id")
        ),
        sa.PrimaryKeyConstraint("digest", "sanction_id", name=op.f("pk_access_barred_address")),
    )
