"""The first tables of the gateway room."""

import sqlalchemy as sa
from alembic import op

import readingroom.store.db

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _gateway_hold()
    _gateway_meter()
    _gateway_usage()
    _gateway_worker()


def _gateway_hold() -> None:
    op.create_table(
        "gateway_hold",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("grant_id", sa.String(), nullable=False),
        sa.Column("passes", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("created_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_hold")),
    )
    op.create_index(op.f("ix_gateway_hold_grant_id"), "gateway_hold", ["grant_id"], unique=False)
    op.create_index(op.f("ix_gateway_hold_worker"), "gateway_hold", ["worker"], unique=False)


def _gateway_meter() -> None:
    op.create_table(
        "gateway_meter",
        sa.Column("grant_id", sa.String(), nullable=False),
        sa.Column("limit_passes", sa.BigInteger(), nullable=True),
        sa.Column("limit_tokens", sa.BigInteger(), nullable=True),
        sa.Column("limit_calls", sa.BigInteger(), nullable=True),
        sa.Column("used_passes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("used_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("used_calls", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reserved_passes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reserved_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reserved_calls", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "limit_calls is null or used_calls + reserved_calls <= limit_calls",
            name=op.f("ck_gateway_meter_calls_limit"),
        ),
        sa.CheckConstraint(
            "limit_passes is null or used_passes + reserved_passes <= limit_passes",
            name=op.f("ck_gateway_meter_passes_limit"),
        ),
        sa.CheckConstraint(
            "limit_tokens is null or used_tokens + reserved_tokens <= limit_tokens",
            name=op.f("ck_gateway_meter_tokens_limit"),
        ),
        sa.CheckConstraint("used_calls >= 0 and reserved_calls >= 0", name=op.f("ck_gateway_meter_calls_sign")),
        sa.CheckConstraint("used_passes >= 0 and reserved_passes >= 0", name=op.f("ck_gateway_meter_passes_sign")),
        sa.CheckConstraint("used_tokens >= 0 and reserved_tokens >= 0", name=op.f("ck_gateway_meter_tokens_sign")),
        sa.PrimaryKeyConstraint("grant_id", name=op.f("pk_gateway_meter")),
    )


def _gateway_usage() -> None:
    op.create_table(
        "gateway_usage",
        sa.Column("row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("grant_id", sa.String(), nullable=False),
        sa.Column("passes", sa.BigInteger(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("entry_seq", sa.BigInteger(), nullable=True),
        sa.Column("place", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_gateway_usage")),
        sa.UniqueConstraint("id", name=op.f("uq_gateway_usage_id")),
    )
    op.create_index(op.f("ix_gateway_usage_entry_seq"), "gateway_usage", ["entry_seq"], unique=False)
    op.create_index(op.f("ix_gateway_usage_grant_id"), "gateway_usage", ["grant_id"], unique=False)


def _gateway_worker() -> None:
    op.create_table(
        "gateway_worker",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.Column("began", sa.BigInteger(), nullable=False),
        sa.Column("heartbeat", readingroom.store.db.Moment(length=27), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_worker")),
    )
