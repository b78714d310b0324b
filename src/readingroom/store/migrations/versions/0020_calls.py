"""Calls: rounds and halves opened together, the terms in force at opening, the desk's look, the sift."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "admissions_desk_check",
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("checked_at", sa.String(length=27), nullable=False),
        sa.Column("checked_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["admissions_application.id"], name=op.f("fk_admissions_desk_check_application_id")
        ),
        sa.ForeignKeyConstraint(["call_id"], ["admissions_call.id"], name=op.f("fk_admissions_desk_check_call_id")),
        sa.PrimaryKeyConstraint("application_id", name=op.f("pk_admissions_desk_check")),
    )
    op.create_index(op.f("ix_admissions_desk_check_call_id"), "admissions_desk_check", ["call_id"], unique=False)
    op.create_table(
        "admissions_sift",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("reviewer_id", sa.String(), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("submitted_at", sa.String(length=27), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"], ["admissions_application.id"], name=op.f("fk_admissions_sift_application_id")
        ),
        sa.ForeignKeyConstraint(["call_id"], ["admissions_call.id"], name=op.f("fk_admissions_sift_call_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admissions_sift")),
        sa.UniqueConstraint(
            "application_id", "reviewer_id", name=op.f("uq_admissions_sift_application_id_reviewer_id")
        ),
    )
    op.create_index(op.f("ix_admissions_sift_call_id"), "admissions_sift", ["call_id"], unique=False)
    op.create_index(op.f("ix_admissions_sift_reviewer_id"), "admissions_sift", ["reviewer_id"], unique=False)
    op.create_table(
        "admissions_sift_ruling",
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("ruled_at", sa.String(length=27), nullable=False),
        sa.Column("ruled_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["admissions_application.id"], name=op.f("fk_admissions_sift_ruling_application_id")
        ),
        sa.PrimaryKeyConstraint("application_id", name=op.f("pk_admissions_sift_ruling")),
    )
    op.add_column("admissions_call", sa.Column("series", sa.String(), server_default="", nullable=False))
    op.add_column("admissions_call", sa.Column("part", sa.Integer(), server_default="0", nullable=False))
    op.add_column("admissions_call", sa.Column("terms_digest", sa.String(), server_default="", nullable=False))
    op.create_index(op.f("ix_admissions_call_series"), "admissions_call", ["series"], unique=False)
    # What was opened before stands alone.
    op.execute("update admissions_call set series = id where series = ''")
    op.add_column("admissions_application", sa.Column("arrived_at", sa.String(length=27), nullable=True))
    columns = ["call_id", "arrived_at", "id"]
    op.create_index("ix_admissions_application_arrived", "admissions_application", columns, unique=False)
    op.execute(
        "update admissions_application set arrived_at = (select min(submitted_at) from admissions_version "
        "where application_id = admissions_application.id)"
    )
