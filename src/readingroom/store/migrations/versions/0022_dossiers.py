"""Decision dossiers of calls: where a call's entries stand in the ledger, and the tickets that lots are drawn by."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("admissions_call", sa.Column("tickets", sa.JSON()))
    op.create_table(
        "admissions_entry",
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["call_id"], ["admissions_call.id"], name=op.f("fk_admissions_entry_call_id_admissions_call")
        ),
        sa.PrimaryKeyConstraint("call_id", "seq", name=op.f("pk_admissions_entry")),
    )
