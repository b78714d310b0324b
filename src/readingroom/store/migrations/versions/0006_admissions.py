"""The first tables of the admissions room."""

import sqlalchemy as sa
from alembic import op

import readingroom.store.db

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _admissions_call()
    _admissions_allocation()
    _admissions_application()
    _admissions_posting()
    _admissions_award()
    _admissions_conflict()
    _admissions_decision()
    _admissions_review()
    _admissions_version()


def _admissions_call() -> None:
    op.create_table(
        "admissions_call",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("seed", sa.LargeBinary(), nullable=False),
        sa.Column("seed_commitment", sa.String(), nullable=False),
        sa.Column("opened_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("opened_by", sa.String(), nullable=False),
        sa.Column("closed_at", readingroom.store.db.Moment(length=27), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admissions_call")),
    )


def _admissions_allocation() -> None:
    op.create_table(
        "admissions_allocation",
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("inputs", sa.JSON(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("allocated_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("allocated_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["admissions_call.id"], name=op.f("fk_admissions_allocation_call_id")),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_admissions_allocation")),
    )


def _admissions_application() -> None:
    op.create_table(
        "admissions_application",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("draft", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("correct_until", readingroom.store.db.Moment(length=27), nullable=True),
        sa.Column("created_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("updated_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["admissions_call.id"], name=op.f("fk_admissions_application_call_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admissions_application")),
    )
    op.create_index(op.f("ix_admissions_application_call_id"), "admissions_application", ["call_id"], unique=False)
    op.create_index(op.f("ix_admissions_application_person_id"), "admissions_application", ["person_id"], unique=False)


def _admissions_posting() -> None:
    op.create_table(
        "admissions_posting",
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("award_id", sa.String(), server_default="", nullable=False),
        sa.Column("posted_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_admissions_posting_positive")),
        sa.ForeignKeyConstraint(["call_id"], ["admissions_call.id"], name=op.f("fk_admissions_posting_call_id")),
        sa.PrimaryKeyConstraint("call_id", "number", name=op.f("pk_admissions_posting")),
    )


def _admissions_award() -> None:
    op.create_table(
        "admissions_award",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("passes", sa.BigInteger(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=True),
        sa.Column("calls", sa.BigInteger(), nullable=True),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("terms", sa.String(), nullable=False),
        sa.Column("accept_by", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("made_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("settled_at", readingroom.store.db.Moment(length=27), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"], ["admissions_application.id"], name=op.f("fk_admissions_award_application_id")
        ),
        sa.ForeignKeyConstraint(["call_id"], ["admissions_call.id"], name=op.f("fk_admissions_award_call_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admissions_award")),
        sa.UniqueConstraint("application_id", name=op.f("uq_admissions_award_application_id")),
    )
    op.create_index(op.f("ix_admissions_award_call_id"), "admissions_award", ["call_id"], unique=False)
    op.create_index(op.f("ix_admissions_award_person_id"), "admissions_award", ["person_id"], unique=False)


def _admissions_conflict() -> None:
    op.create_table(
        "admissions_conflict",
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("declared_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["admissions_application.id"], name=op.f("fk_admissions_conflict_application_id")
        ),
        sa.PrimaryKeyConstraint("application_id", "person_id", name=op.f("pk_admissions_conflict")),
    )


def _admissions_decision() -> None:
    op.create_table(
        "admissions_decision",
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("differ", sa.Text(), nullable=False),
        sa.Column("reapply_from", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("appeal", sa.Text(), nullable=False),
        sa.Column("decided_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("sheet", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"], ["admissions_application.id"], name=op.f("fk_admissions_decision_application_id")
        ),
        sa.PrimaryKeyConstraint("application_id", name=op.f("pk_admissions_decision")),
    )


def _admissions_review() -> None:
    op.create_table(
        "admissions_review",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("reviewer_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("assigned_salt", sa.LargeBinary(), nullable=False),
        sa.Column("judgement", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("submitted_at", readingroom.store.db.Moment(length=27), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"], ["admissions_application.id"], name=op.f("fk_admissions_review_application_id")
        ),
        sa.ForeignKeyConstraint(["call_id"], ["admissions_call.id"], name=op.f("fk_admissions_review_call_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admissions_review")),
        sa.UniqueConstraint(
            "application_id", "reviewer_id", name=op.f("uq_admissions_review_application_id_reviewer_id")
        ),
    )
    op.create_index(op.f("ix_admissions_review_call_id"), "admissions_review", ["call_id"], unique=False)
    op.create_index(op.f("ix_admissions_review_reviewer_id"), "admissions_review", ["reviewer_id"], unique=False)


def _admissions_version() -> None:
    op.create_table(
        "admissions_version",
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("draft", sa.JSON(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.String(), nullable=False),
        sa.Column("submitted_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["admissions_application.id"], name=op.f("fk_admissions_version_application_id")
        ),
        sa.PrimaryKeyConstraint("application_id", "number", name=op.f("pk_admissions_version")),
    )
