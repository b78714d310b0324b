"""Reads of the stress room, open to the rooms on its left."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.stress.model import Counts, FloorResult, Run
from readingroom.stress.tables import run as run_table
from readingroom.stress.tables import sample as sample_table


def runs(tx: Connection, model_digest: str | None = None) -> list[Run]:
    """Return all runs, or those on one model version, oldest first."""
    query = sa.select(run_table).order_by(run_table.c.started_at, run_table.c.id)
    if model_digest is not None:
        query = query.where(run_table.c.model_digest == model_digest)
    return [_run(row) for row in tx.execute(query)]


def run(tx: Connection, run_id: str) -> Run | None:
    """Return one run."""
    row = tx.execute(sa.select(run_table).where(run_table.c.id == run_id)).first()
    return None if row is None else _run(row)


def samples(tx: Connection, run_id: str) -> list[dict[str, Any]]:
    """Return the samples of a run with the model's answers, claim by claim."""
    query = sa.select(sample_table).where(sample_table.c.run_id == run_id)
    query = query.order_by(sample_table.c.claim, sample_table.c.position)
    return [dict(row._mapping) for row in tx.execute(query)]  # noqa: SLF001 - SQLAlchemy's public name for it


def tally(tx: Connection, model_digest: str, suite_digest: str) -> tuple[int, int]:
    """Return how many runs of a suite were started and finished on a model, under whatever gates and plans."""
    of_suite = (run_table.c.model_digest == model_digest) & (run_table.c.suite_digest == suite_digest)
    found = tx.execute(sa.select(sa.func.count(), sa.func.count(run_table.c.finished_at)).where(of_suite)).one()
    return found[0], found[1]


def _run(row: Row[Any]) -> Run:
    return Run(
        id=row.id,
        model=row.model,
        model_digest=row.model_digest,
        suite=row.suite,
        suite_digest=row.suite_digest,
        gate_versions=tuple(row.gate_versions),
        started_at=row.started_at,
        finished_at=row.finished_at,
        failed_at=row.failed_at,
        counts=tuple(Counts(**each) for each in row.counts or ()),
        floor=FloorResult(**row.floor) if row.floor else None,
    )
