"""The first tables of the releases room."""

import sqlalchemy as sa
from alembic import op

import readingroom.store.db

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _releases_interval()
    _releases_note()
    _releases_plan()
    _releases_signature()
    _releases_stage()
    _releases_waiver()


def _releases_interval() -> None:
    op.create_table(
        "releases_interval",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("gate_version", sa.String(), nullable=False),
        sa.Column("opened_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("open_until", readingroom.store.db.Moment(length=27), nullable=True),
        sa.Column("closed_at", readingroom.store.db.Moment(length=27), nullable=True),
        sa.Column("entry", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_releases_interval")),
    )
    op.create_index(op.f("ix_releases_interval_stage"), "releases_interval", ["stage"], unique=False)


def _releases_note() -> None:
    op.create_table(
        "releases_note",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("noted_by", sa.String(), nullable=False),
        sa.Column("noted_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_releases_note")),
    )
    op.create_index(op.f("ix_releases_note_stage"), "releases_note", ["stage"], unique=False)


def _releases_plan() -> None:
    op.create_table(
        "releases_plan",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("adopted_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("adopted_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_releases_plan")),
    )


def _releases_signature() -> None:
    op.create_table(
        "releases_signature",
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("gate_version", sa.String(), nullable=False),
        sa.Column("round", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("signed_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.PrimaryKeyConstraint("stage", "gate_version", "round", "person", name=op.f("pk_releases_signature")),
    )


def _releases_stage() -> None:
    op.create_table(
        "releases_stage",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("gate_version", sa.String(), nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("changed_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("open_until", readingroom.store.db.Moment(length=27), nullable=True),
        sa.Column("screening", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_releases_stage")),
    )


def _releases_waiver() -> None:
    op.create_table(
        "releases_waiver",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("gate_version", sa.String(), nullable=False),
        sa.Column("clause", sa.String(), nullable=False),
        sa.Column("until", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("given_by", sa.String(), nullable=False),
        sa.Column("given_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_releases_waiver")),
    )
    op.create_index(op.f("ix_releases_waiver_stage"), "releases_waiver", ["stage"], unique=False)
