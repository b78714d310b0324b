"""Identities of persons, what is known of them, and accounts that turned out to be one person's."""

import sqlalchemy as sa
from alembic import op

import readingroom.store.db

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "people_identity",
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("added_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("used_at", readingroom.store.db.Moment(length=27), nullable=True),
        sa.Column("ended_at", readingroom.store.db.Moment(length=27), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people_person.id"], name=op.f("fk_people_identity_person_id")),
        sa.PrimaryKeyConstraint("issuer", "subject", name=op.f("pk_people_identity")),
    )
    op.create_index(op.f("ix_people_identity_person_id"), "people_identity", ["person_id"], unique=False)
    # Until now an address was the only way to know a person.
    op.execute(
        "insert into people_identity (issuer, subject, person_id, added_at) "
        "select 'mailto:', email, id, created_at from people_person"
    )
    op.create_table(
        "people_proof",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("institution", sa.String(), nullable=False),
        sa.Column("expires_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_people_proof")),
    )
    op.create_table(
        "people_fact",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("source", sa.String(), server_default="", nullable=False),
        sa.Column("since", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("until", readingroom.store.db.Moment(length=27), nullable=True),
        sa.Column("confirmed_by", sa.String(), nullable=True),
        sa.Column("ended_at", readingroom.store.db.Moment(length=27), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people_person.id"], name=op.f("fk_people_fact_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_fact")),
    )
    op.create_index(op.f("ix_people_fact_person_id"), "people_fact", ["person_id"], unique=False)
    op.create_table(
        "people_merge",
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("into_id", sa.String(), nullable=False),
        sa.Column("how", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("merged_by", sa.String(), nullable=False),
        sa.Column("merged_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.ForeignKeyConstraint(["into_id"], ["people_person.id"], name=op.f("fk_people_merge_into_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people_person.id"], name=op.f("fk_people_merge_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_people_merge")),
    )
    op.create_index(op.f("ix_people_merge_into_id"), "people_merge", ["into_id"], unique=False)
    op.add_column("people_session", sa.Column("issuer", sa.String(), server_default="", nullable=False))
    op.add_column("people_session", sa.Column("subject", sa.String(), server_default="", nullable=False))
