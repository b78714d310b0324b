"""The first tables of the people room."""

import sqlalchemy as sa
from alembic import op

import readingroom.store.db

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "people_person",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("affiliation", sa.String(), server_default="", nullable=False),
        sa.Column("created_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_person")),
        sa.UniqueConstraint("email", name=op.f("uq_people_person_email")),
    )
    op.create_table(
        "people_link",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=True),
        sa.Column("email", sa.String(), server_default="", nullable=False),
        sa.Column("name", sa.String(), server_default="", nullable=False),
        sa.Column("affiliation", sa.String(), server_default="", nullable=False),
        sa.Column("made_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("expires_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("used_at", readingroom.store.db.Moment(length=27), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people_person.id"], name=op.f("fk_people_link_person_id")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_people_link")),
    )
    op.create_index(op.f("ix_people_link_email"), "people_link", ["email"], unique=False)
    op.create_table(
        "people_role",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people_person.id"], name=op.f("fk_people_role_person_id")),
        sa.PrimaryKeyConstraint("person_id", "role", name=op.f("pk_people_role")),
    )
    op.create_table(
        "people_session",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("created_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("expires_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people_person.id"], name=op.f("fk_people_session_person_id")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_people_session")),
    )
