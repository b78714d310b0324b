"""Sanctions as records, members of a grant's project, signed names, whose key a call used."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("access_grant", sa.Column("title", sa.Text()))
    op.add_column("access_grant", sa.Column("machines", sa.Text()))
    op.add_column("access_acceptance", sa.Column("name", sa.Text()))
    op.add_column("access_acceptance", sa.Column("salt", sa.LargeBinary()))
    op.add_column("gateway_usage", sa.Column("key_id", sa.String()))
    op.create_index(op.f("ix_gateway_usage_key_id"), "gateway_usage", ["key_id"], unique=False)
    op.create_table(
        "gateway_first_refusal",
        sa.Column("sanction", sa.String(), nullable=False),
        sa.Column("at", sa.String(length=27), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("sanction", name=op.f("pk_gateway_first_refusal")),
    )
    _member()
    _sanction()
    _carry_over()


def _member() -> None:
    op.create_table(
        "access_member",
        sa.Column("grant_id", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("invited_by", sa.String(), nullable=False),
        sa.Column("invited_at", sa.String(length=27), nullable=False),
        sa.Column("joined_at", sa.String(length=27)),
        sa.Column("left_at", sa.String(length=27)),
        sa.Column("retention", sa.String()),
        sa.ForeignKeyConstraint(["grant_id"], ["access_grant.id"], name=op.f("fk_access_member_grant_id")),
        sa.PrimaryKeyConstraint("grant_id", "person", name=op.f("pk_access_member")),
    )
    op.create_index(op.f("ix_access_member_person"), "access_member", ["person"], unique=False)


def _sanction() -> None:
    op.create_table(
        "access_sanction",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("grant_id", sa.String()),
        sa.Column("person", sa.String()),
        sa.Column("holder", sa.String()),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("decided_at", sa.String(length=27), nullable=False),
        sa.Column("begins_at", sa.String(length=27), nullable=False),
        sa.Column("until", sa.String(length=27)),
        sa.Column("cure_by", sa.String(length=27)),
        sa.Column("per_minute", sa.Integer()),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False),
        sa.Column("collective", sa.Boolean(), nullable=False),
        sa.Column("acknowledged_at", sa.String(length=27)),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("lifted_at", sa.String(length=27)),
        sa.Column("lifted_by", sa.String(), nullable=False),
        sa.Column("lifted_reason", sa.String(), nullable=False),
        sa.Column("lifted_note", sa.Text(), nullable=False),
        sa.Column("batch", sa.String(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["grant_id"], ["access_grant.id"], name=op.f("fk_access_sanction_grant_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_sanction")),
    )
    for column in ("grant_id", "person", "batch"):
        op.create_index(op.f(f"ix_access_sanction_{column}"), "access_sanction", [column], unique=False)


def _carry_over() -> None:
    """Make records of what stands: bars, and grants that are suspended or revoked. Who decided is in the ledger."""
    tx, long_ago = op.get_bind(), "1970-01-01T00:00:00.000000Z"
    found = [
        {
            "id": f"sanction_of_{row.person}",
            "kind": "bar",
            "reason": row.reason,
            "subject": "person",
            "person": row.person,
            "at": long_ago,
            "until": row.until,
            "note": row.note,
        }
        for row in tx.execute(sa.text("select person, until, reason, note from access_bar"))
    ]
    stopped = "select id, holder, state, changed_at, changed_reason, note from access_grant where state <> 'active'"
    found += [
        {
            "id": f"sanction_of_{row.id}",
            "kind": "suspend" if row.state == "suspended" else "revoke",
            "reason": row.changed_reason or "other",
            "subject": "grant",
            "grant": row.id,
            "holder": row.holder,
            "at": row.changed_at,
            "note": row.note or "",
        }
        for row in tx.execute(sa.text(stopped))
    ]
    made = sa.text(
        "insert into access_sanction (id, kind, reason, subject, grant_id, person, holder, decided_by, decided_at, "
        "begins_at, until, evidence, note, notice, collective, reply, lifted_by, lifted_reason, lifted_note, batch, "
        "salt) values (:id, :kind, :reason, :subject, :grant, :person, :holder, '', :at, :at, :until, '', :note, '', "
        ":no, '', '', '', '', '', :salt)"
    ).bindparams(sa.bindparam("salt", type_=sa.LargeBinary), sa.bindparam("no", type_=sa.Boolean))
    absent = {"grant": None, "person": None, "holder": None, "until": None, "no": False, "salt": b""}
    for each in found:
        tx.execute(made, {**absent, **each})
    op.drop_table("access_bar")
