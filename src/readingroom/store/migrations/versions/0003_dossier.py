"""The first tables of the dossier room."""

import sqlalchemy as sa
from alembic import op

import readingroom.store.db

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "dossier_evidence",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("model_digest", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("gate_version", sa.String(), nullable=False),
        sa.Column("claim", sa.String(), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("filed_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dossier_evidence")),
        sa.UniqueConstraint(
            "model_digest",
            "gate_version",
            "claim",
            "digest",
            name=op.f("uq_dossier_evidence_model_digest_gate_version_claim_digest"),
        ),
    )
    op.create_index(op.f("ix_dossier_evidence_model_digest"), "dossier_evidence", ["model_digest"], unique=False)
    op.create_table(
        "dossier_model",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("registered_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dossier_model")),
        sa.UniqueConstraint("name", name=op.f("uq_dossier_model_name")),
    )
    op.create_index(op.f("ix_dossier_model_digest"), "dossier_model", ["digest"], unique=False)
    op.create_table(
        "dossier_document",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("model_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("filed_at", readingroom.store.db.Moment(length=27), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["dossier_model.id"], name=op.f("fk_dossier_document_model_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dossier_document")),
    )
    op.create_index(op.f("ix_dossier_document_model_id"), "dossier_document", ["model_id"], unique=False)
