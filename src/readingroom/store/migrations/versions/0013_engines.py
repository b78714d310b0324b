"""What the last look at the engine behind a stage found."""

import sqlalchemy as sa
from alembic import op

import readingroom.store.db

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "releases_engine",
        sa.Column("model_digest", sa.String(), nullable=False),
        sa.Column("doors", sa.JSON(), nullable=False),
        sa.Column("changed", sa.Boolean(), nullable=False),
        sa.Column("begun_at", readingroom.store.db.Moment(length=27), nullable=True),
        sa.Column("looked_at", readingroom.store.db.Moment(length=27), nullable=True),
        sa.Column("trouble", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.JSON(), nullable=True),
        sa.Column("fingerprinted_at", readingroom.store.db.Moment(length=27), nullable=True),
        sa.Column("passes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("model_digest", name=op.f("pk_releases_engine")),
    )
