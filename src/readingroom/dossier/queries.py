"""Reads of the dossier room, open to the rooms on its left."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.dossier.model import Document, Evidence, ModelVersion
from readingroom.dossier.tables import document, evidence, model


def models(tx: Connection) -> list[ModelVersion]:
    """Return all model versions, oldest first."""
    rows = tx.execute(sa.select(model).order_by(model.c.registered_at, model.c.name))
    return [_model(row) for row in rows]


def model_by_name(tx: Connection, name: str) -> ModelVersion | None:
    """Return a model version by its name."""
    row = tx.execute(sa.select(model).where(model.c.name == name)).first()
    return _model(row) if row else None


def model_by_digest(tx: Connection, digest: str) -> ModelVersion | None:
    """Return the first model version that was registered with this digest."""
    found = sa.select(model).where(model.c.digest == digest).order_by(model.c.registered_at)
    row = tx.execute(found).first()
    return _model(row) if row else None


def documents(tx: Connection, model_id: str) -> list[Document]:
    """Return the newest document of each kind, by kind."""
    columns = [each for each in document.c if each.name != "content"]
    size = sa.func.length(document.c.content).label("size")
    found = sa.select(*columns, size).where(document.c.model_id == model_id).order_by(document.c.filed_at)
    newest = {row["kind"]: _document(row) for row in tx.execute(found).mappings()}
    return [newest[kind] for kind in sorted(newest)]


def document_content(tx: Connection, document_id: str) -> bytes | None:
    """Return a document's bytes."""
    found = tx.execute(sa.select(document.c.content).where(document.c.id == document_id)).scalar()
    return None if found is None else bytes(found)


def evidence_on(tx: Connection, model_digest: str) -> list[Evidence]:
    """Return all evidence on a model version, of whatever gate version, oldest first."""
    found = sa.select(evidence).where(evidence.c.model_digest == model_digest)
    return [_evidence(row) for row in tx.execute(found.order_by(evidence.c.filed_at, evidence.c.id))]


def _model(row: Row[Any]) -> ModelVersion:
    return ModelVersion(row.id, row.name, row.source, row.digest, row.size, row.registered_at, row.pinned)


def _document(row: sa.RowMapping) -> Document:
    return Document(**row)


def _evidence(row: Row[Any]) -> Evidence:
    return Evidence(
        id=row.id,
        model_digest=row.model_digest,
        kind=row.kind,
        gate_version=row.gate_version,
        claim=row.claim,
        payload=row.payload if isinstance(row.payload, dict) else {},
        digest=row.digest,
        filed_at=row.filed_at,
    )
