"""Letters in an outbox; looks at the register on record; works that readers hand in."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "post_letter",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("entry", sa.BigInteger()),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("once", sa.String()),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("calendar", sa.Text(), nullable=False),
        sa.Column("made_at", sa.String(length=27), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("since", sa.String(length=27), nullable=False),
        sa.Column("next_at", sa.String(length=27)),
        sa.Column("lease", sa.String(), server_default="", nullable=False),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.Column("sent_at", sa.String(length=27)),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_post_letter")),
        sa.UniqueConstraint("once", name=op.f("uq_post_letter_once")),
    )
    op.create_index("ix_post_letter_state_next_at", "post_letter", ["state", "next_at"], unique=False)
    op.create_index(op.f("ix_post_letter_person"), "post_letter", ["person"], unique=False)
    op.create_table(
        "oversight_look",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oversight_look")),
    )
    op.create_index(op.f("ix_oversight_look_person"), "oversight_look", ["person"], unique=False)
    op.create_table(
        "oversight_work",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("grant_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("work", sa.JSON(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("submitted_at", sa.String(length=27), nullable=False),
        sa.Column("decided_at", sa.String(length=27)),
        sa.Column("decided_by", sa.String(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oversight_work")),
    )
    op.create_index(op.f("ix_oversight_work_grant_id"), "oversight_work", ["grant_id"], unique=False)
    op.create_index(op.f("ix_oversight_work_person"), "oversight_work", ["person"], unique=False)
