"""What holds after a restoring from a backup."""

import sqlalchemy as sa
from alembic import op

import readingroom.store.db

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_restoration",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("restored_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("backup_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.String(), nullable=False),
        sa.Column("newer", sa.BigInteger(), nullable=True),
        sa.Column("lifted_at", readingroom.store.db.Moment(length=27), nullable=True),
        sa.Column("lifted_how", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_restoration")),
    )
    op.create_table(
        "access_restoration_word",
        sa.Column("restoration_id", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.ForeignKeyConstraint(
            ["restoration_id"],
            ["access_restoration.id"],
            name=op.f("fk_access_restoration_word_restoration_id"),
        ),
        sa.PrimaryKeyConstraint("restoration_id", "person", name=op.f("pk_access_restoration_word")),
    )
