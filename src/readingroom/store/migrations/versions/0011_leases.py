"""Meters are leased to workers; a hold stands in its worker's journal, no longer in a table."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

UNITS = ("passes", "tokens", "calls")


def upgrade() -> None:
    op.create_table(
        "gateway_lease",
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("grant_id", sa.String(), nullable=False),
        *(sa.Column(unit, sa.BigInteger(), server_default="0", nullable=False) for unit in UNITS),
        *(sa.Column(f"held_{unit}", sa.BigInteger(), server_default="0", nullable=False) for unit in UNITS),
        sa.Column("answered", sa.BigInteger(), server_default="0", nullable=False),
        *(
            sa.CheckConstraint(
                f"{unit} >= 0 and held_{unit} >= 0 and held_{unit} <= {unit}",
                name=op.f(f"ck_gateway_lease_{unit}_held"),
            )
            for unit in UNITS
        ),
        sa.PrimaryKeyConstraint("worker", "grant_id", name=op.f("pk_gateway_lease")),
    )
    op.create_index(op.f("ix_gateway_lease_grant_id"), "gateway_lease", ["grant_id"], unique=False)
    op.add_column("gateway_meter", sa.Column("recall", sa.BigInteger(), server_default="0", nullable=False))
    _charge_what_was_held()
    op.drop_index(op.f("ix_gateway_hold_grant_id"), table_name="gateway_hold")
    op.drop_index(op.f("ix_gateway_hold_worker"), table_name="gateway_hold")
    op.drop_table("gateway_hold")


def _charge_what_was_held() -> None:
    """Charge open holds in full: no worker of an earlier server runs while the schema is changed."""
    for unit in UNITS:
        meter, hold = sa.table("gateway_meter", *_columns(unit)), sa.table("gateway_hold", *_columns(unit))
        held = sa.select(sa.func.coalesce(sa.func.sum(hold.c[unit]), 0)).where(hold.c.grant_id == meter.c.grant_id)
        amount = held.scalar_subquery()
        used, reserved = meter.c[f"used_{unit}"], meter.c[f"reserved_{unit}"]
        op.execute(meter.update().values({used: used + amount, reserved: reserved - amount}))


def _columns(unit: str) -> list[sa.ColumnClause[int]]:
    return [sa.column(name) for name in ("grant_id", unit, f"used_{unit}", f"reserved_{unit}")]
