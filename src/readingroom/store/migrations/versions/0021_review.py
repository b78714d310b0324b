"""Review: the pool, conflicts with what became of each, phases, versions of reviews, cases, opinions on misuse."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _part_1()
    _part_2()
    _part_3()


def _part_1() -> None:
    op.create_table(
        "admissions_reviewer",
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("load", sa.Integer(), nullable=True),
        sa.Column("answer_by", sa.String(length=27), nullable=True),
        sa.Column("invited_at", sa.String(length=27), nullable=False),
        sa.Column("answered_at", sa.String(length=27), nullable=True),
        sa.ForeignKeyConstraint(["call_id"], ["admissions_call.id"], name=op.f("fk_admissions_reviewer_call_id")),
        sa.PrimaryKeyConstraint("call_id", "person_id", name=op.f("pk_admissions_reviewer")),
    )
    op.create_index(op.f("ix_admissions_reviewer_person_id"), "admissions_reviewer", ["person_id"], unique=False)
    op.create_table(
        "admissions_phase",
        sa.Column("call_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("due", sa.String(length=27), nullable=True),
        sa.Column("moved_at", sa.String(length=27), nullable=False),
        sa.Column("moved_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["admissions_call.id"], name=op.f("fk_admissions_phase_call_id")),
        sa.PrimaryKeyConstraint("call_id", "number", name=op.f("pk_admissions_phase")),
    )
    op.create_table(
        "admissions_case",
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["admissions_application.id"], name=op.f("fk_admissions_case_application_id")
        ),
        sa.PrimaryKeyConstraint("application_id", name=op.f("pk_admissions_case")),
        sa.UniqueConstraint("id", name=op.f("uq_admissions_case_id")),
    )
    op.create_table(
        "admissions_finding",
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("disposition", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("found_at", sa.String(length=27), nullable=False),
        sa.Column("decided_by", sa.String(), server_default="", nullable=False),
        sa.Column("decided_at", sa.String(length=27), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"], ["admissions_application.id"], name=op.f("fk_admissions_finding_application_id")
        ),
        sa.PrimaryKeyConstraint("application_id", "person_id", "kind", name=op.f("pk_admissions_finding")),
    )


def _part_2() -> None:
    op.create_table(
        "admissions_panel_note",
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("written_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["admissions_application.id"], name=op.f("fk_admissions_panel_note_application_id")
        ),
        sa.PrimaryKeyConstraint("application_id", "person_id", name=op.f("pk_admissions_panel_note")),
    )
    op.create_table(
        "admissions_risk",
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("opinion", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("given_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["admissions_application.id"], name=op.f("fk_admissions_risk_application_id")
        ),
        sa.PrimaryKeyConstraint("application_id", "person_id", name=op.f("pk_admissions_risk")),
    )
    op.create_table(
        "admissions_tie",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("application_id", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("said_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["admissions_application.id"], name=op.f("fk_admissions_tie_application_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admissions_tie")),
    )
    op.create_index(op.f("ix_admissions_tie_application_id"), "admissions_tie", ["application_id"], unique=False)
    op.create_index(op.f("ix_admissions_tie_person_id"), "admissions_tie", ["person_id"], unique=False)


def _part_3() -> None:
    op.create_table(
        "admissions_review_version",
        sa.Column("review_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("judgement", sa.JSON(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("submitted_at", sa.String(length=27), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id"],
            ["admissions_review.id"],
            name=op.f("fk_admissions_review_version_review_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("review_id", "number", name=op.f("pk_admissions_review_version")),
    )
    op.execute(
        "INSERT INTO admissions_finding (application_id, person_id, kind, severity, evidence, disposition, reason, "
        "found_at, decided_by, decided_at) SELECT application_id, person_id, 'declared', 'real', "
        "'the reviewer declared it', 'recused', reason, declared_at, person_id, declared_at FROM admissions_conflict"
    )
    op.execute(
        "INSERT INTO admissions_review_version (review_id, number, phase, judgement, why, salt, submitted_at) "
        "SELECT id, 1, 'independent', judgement, '', salt, submitted_at FROM admissions_review "
        "WHERE judgement IS NOT NULL"
    )
    op.drop_table("admissions_conflict")
