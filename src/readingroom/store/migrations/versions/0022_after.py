"""What follows an award: child calls, requests of holders, what was observed of them, appeals."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _admissions_appeal()
    _admissions_child()
    _admissions_voice()
    _admissions_observed()
    _admissions_request()


def _admissions_appeal() -> None:
    op.create_table(
        "admissions_appeal",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("ground", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("lodged_at", sa.String(length=27), nullable=False),
        sa.Column("due_at", sa.String(length=27), nullable=False),
        sa.Column("panel", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("bar", sa.String(), nullable=True),
        sa.Column("passes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("place", sa.Boolean(), nullable=False),
        sa.Column("admitted_by", sa.String(), server_default="", nullable=False),
        sa.Column("concluded_at", sa.String(length=27), nullable=True),
        sa.Column("involved", sa.JSON(), nullable=False),
        sa.Column("told", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admissions_appeal")),
    )
    op.create_index(op.f("ix_admissions_appeal_call_id"), "admissions_appeal", ["call_id"], unique=False)
    op.create_index(op.f("ix_admissions_appeal_person_id"), "admissions_appeal", ["person_id"], unique=False)
    op.create_index(op.f("ix_admissions_appeal_subject"), "admissions_appeal", ["subject"], unique=False)


def _admissions_child() -> None:
    op.create_table(
        "admissions_child",
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("parent_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["admissions_call.id"], name=op.f("fk_admissions_child_call_id")),
        sa.ForeignKeyConstraint(["parent_id"], ["admissions_call.id"], name=op.f("fk_admissions_child_parent_id")),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_admissions_child")),
    )
    op.create_index(op.f("ix_admissions_child_parent_id"), "admissions_child", ["parent_id"], unique=False)


def _admissions_voice() -> None:
    op.create_table(
        "admissions_voice",
        sa.Column("appeal_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(["appeal_id"], ["admissions_appeal.id"], name=op.f("fk_admissions_voice_appeal_id")),
        sa.PrimaryKeyConstraint("appeal_id", "person_id", name=op.f("pk_admissions_voice")),
    )


def _admissions_observed() -> None:
    op.create_table(
        "admissions_observed",
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("usage", sa.JSON(), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["admissions_application.id"], name=op.f("fk_admissions_observed_application_id")
        ),
        sa.PrimaryKeyConstraint("application_id", name=op.f("pk_admissions_observed")),
    )


def _admissions_request() -> None:
    op.create_table(
        "admissions_request",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("award_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("passes", sa.BigInteger(), nullable=False),
        sa.Column("given", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("observed", sa.JSON(), nullable=True),
        sa.Column("filed_at", sa.String(length=27), nullable=False),
        sa.Column("decided_at", sa.String(length=27), nullable=True),
        sa.Column("decided_by", sa.String(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["award_id"], ["admissions_award.id"], name=op.f("fk_admissions_request_award_id")),
        sa.ForeignKeyConstraint(["call_id"], ["admissions_call.id"], name=op.f("fk_admissions_request_call_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admissions_request")),
    )
    op.create_index(op.f("ix_admissions_request_award_id"), "admissions_request", ["award_id"], unique=False)
    op.create_index(op.f("ix_admissions_request_call_id"), "admissions_request", ["call_id"], unique=False)
    op.create_index(op.f("ix_admissions_request_person_id"), "admissions_request", ["person_id"], unique=False)
