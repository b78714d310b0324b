"""Applicants: attachments, teams and guarantors by invitation, the steps of each application, a count of changes.

What was named as a team before stays in its draft and versions, where conflicts look for it: nobody was invited yet.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "admissions_attachment",
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("question", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.String(length=27), nullable=False),
        sa.Column("removed_at", sa.String(length=27)),
        sa.ForeignKeyConstraint(
            ["application_id"], ["admissions_application.id"], name=op.f("fk_admissions_attachment_application_id")
        ),
        sa.PrimaryKeyConstraint("application_id", "digest", name=op.f("pk_admissions_attachment")),
    )
    op.create_table(
        "admissions_invitation",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), server_default="", nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.Integer()),
        sa.Column("letters", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.String(length=27), nullable=False),
        sa.Column("sent_at", sa.String(length=27), nullable=False),
        sa.Column("expires_at", sa.String(length=27), nullable=False),
        sa.Column("answered_at", sa.String(length=27)),
        sa.ForeignKeyConstraint(
            ["application_id"], ["admissions_application.id"], name=op.f("fk_admissions_invitation_application_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admissions_invitation")),
        sa.UniqueConstraint("hash", name=op.f("uq_admissions_invitation_hash")),
    )
    for column in ("application_id", "person_id"):
        op.create_index(op.f(f"ix_admissions_invitation_{column}"), "admissions_invitation", [column])
    op.create_table(
        "admissions_step",
        sa.Column("application_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("by_id", sa.String(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["admissions_application.id"], name=op.f("fk_admissions_step_application_id")
        ),
        sa.PrimaryKeyConstraint("application_id", "number", name=op.f("pk_admissions_step")),
    )
    op.add_column("admissions_application", sa.Column("revision", sa.Integer(), server_default="0", nullable=False))
    as_json = "cast({} as json)" if op.get_bind().dialect.name == "postgresql" else "{}"
    for statement, data in BEFORE:
        op.execute(f"{INTO} {statement.format(data=as_json.format(data))}")


# What is known of the applications that are here already: begun, each version, decided. Numbers only order the steps.
INTO = "insert into admissions_step (application_id, number, at, event, by_id, data)"
STARTED = "select id, 0, created_at, 'admissions.application.started', person_id, {data} from admissions_application"
SUBMITTED = (
    "select v.application_id, v.number, v.submitted_at, 'admissions.application.submitted', a.person_id, {data} "
    "from admissions_version v join admissions_application a on a.id = v.application_id"
)
DECIDED = (
    "select application_id, 1000000, decided_at, 'admissions.application.decided', decided_by, {data} "
    "from admissions_decision"
)
BEFORE = (
    (STARTED, "'{}'"),
    (SUBMITTED, """'{"version": ' || v.number || '}'"""),
    (DECIDED, """'{"outcome": "' || outcome || '", "reason": "' || reason || '"}'"""),
)
