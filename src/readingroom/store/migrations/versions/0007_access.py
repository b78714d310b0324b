"""The first tables of the access room."""

import sqlalchemy as sa
from alembic import op

import readingroom.store.db

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _access_bar()
    _access_grant()
    _access_terms()
    _access_version()
    _access_acceptance()
    _access_key()


def _access_bar() -> None:
    op.create_table(
        "access_bar",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("until", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_access_bar")),
    )


def _access_grant() -> None:
    op.create_table(
        "access_grant",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("passes", sa.BigInteger(), nullable=True),
        sa.Column("tokens", sa.BigInteger(), nullable=True),
        sa.Column("calls", sa.BigInteger(), nullable=True),
        sa.Column("issued_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("expires_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("issued_by", sa.String(), nullable=False),
        sa.Column("award_id", sa.String(), nullable=True),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("changed_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("changed_reason", sa.String(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("dev", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_grant")),
        sa.UniqueConstraint("award_id", name=op.f("uq_access_grant_award_id")),
    )
    op.create_index(op.f("ix_access_grant_holder"), "access_grant", ["holder"], unique=False)


def _access_terms() -> None:
    op.create_table(
        "access_terms",
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("material", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("published_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_access_terms")),
        sa.UniqueConstraint("hash", name=op.f("uq_access_terms_hash")),
    )


def _access_version() -> None:
    op.create_table(
        "access_version",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_version")),
    )


def _access_acceptance() -> None:
    op.create_table(
        "access_acceptance",
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("accepted_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("on_behalf", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["position"], ["access_terms.position"], name=op.f("fk_access_acceptance_position")),
        sa.PrimaryKeyConstraint("person", "position", name=op.f("pk_access_acceptance")),
    )


def _access_key() -> None:
    op.create_table(
        "access_key",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("grant_id", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("hint", sa.String(), nullable=False),
        sa.Column("issued_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("ends_at", readingroom.store.db.Moment(length=27), nullable=True),
        sa.ForeignKeyConstraint(["grant_id"], ["access_grant.id"], name=op.f("fk_access_key_grant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_key")),
        sa.UniqueConstraint("hash", name=op.f("uq_access_key_hash")),
    )
    op.create_index(op.f("ix_access_key_grant_id"), "access_key", ["grant_id"], unique=False)
