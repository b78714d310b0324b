"""Reads of the releases room, open to the rooms on its left."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.core.document import read
from readingroom.core.errors import BadInput, Broken, Problem
from readingroom.dossier import queries as dossier
from readingroom.dossier.model import ModelVersion
from readingroom.releases import rules, tables
from readingroom.releases.model import AdoptedPlan, EngineLook, Signature, StageRecord, StageState, Waiver
from readingroom.strategy.facts import (
    DocumentFact,
    EvidenceFact,
    Facts,
    SignatureFact,
    StageHistory,
    UseFact,
)
from readingroom.strategy.gates.observed import Observed
from readingroom.strategy.gates.soak import Soak
from readingroom.strategy.gates.stress import Stress
from readingroom.strategy.model import Channel, Plan, Stage, StageFact, gate_version
from readingroom.strategy.parse import parse

_DAY = timedelta(days=1)


def plan_in_force(tx: Connection) -> AdoptedPlan | None:
    """Return the plan in force, or None where none was ever adopted.

    Raises:
        Broken: its text can no longer be read.
    """
    row = newest_plan(tx)
    if row is None:
        return None
    return AdoptedPlan(
        number=row.number,
        plan=_plan(row.text, row.digest),
        text=row.text,
        digest=row.digest,
        name=row.name,
        reason=row.reason,
        adopted_at=row.adopted_at,
        adopted_by=row.adopted_by,
    )


def newest_plan(tx: Connection) -> Row[Any] | None:
    """Return the row of the plan in force, whether or not its text can be read."""
    return tx.execute(sa.select(tables.plan).order_by(tables.plan.c.number.desc()).limit(1)).first()


@lru_cache(maxsize=8)
def _plan(text: str, digest: str) -> Plan:
    """Read an adopted plan again; it must still say what was adopted."""
    try:
        plan = parse(read(text, "the plan in force"))
    except BadInput as fault:
        raise Broken(
            Problem(
                "plan", f"cannot be read any more: {fault}", "Amend it, and adopt it anew: `readingroom plan adopt`"
            )
        ) from None
    if plan.digest != digest:
        raise Broken(
            Problem("plan", "does not say what was adopted", "Run `readingroom ledger verify`, and adopt it anew")
        )
    return plan


def stage_fact(tx: Connection, name: str, now: datetime | None = None) -> StageFact | None:
    """Return a stage as it stands in the plan in force, or None where there is none of that name.

    Args:
        tx: the transaction to read in.
        name: the stage's name.
        now: the moment; without one, a stage that was opened by a waiver is reported as not open.
    """
    return next((each for each in stage_facts(tx, now) if each.name == name), None)


def stage_facts(tx: Connection, now: datetime | None = None) -> list[StageFact]:
    """Return all stages of the plan in force, in its order."""
    adopted = plan_in_force(tx)
    if adopted is None:
        return []
    known, looks = records(tx), engine_looks(tx)
    return [_fact(tx, each, known.get(each.name, StageRecord(each.name)), now, looks) for each in adopted.plan.stages]


def _fact(
    tx: Connection, stage: Stage, record: StageRecord, now: datetime | None, looks: dict[str, EngineLook]
) -> StageFact:
    model = dossier.model_by_name(tx, stage.model.artifact)
    refusal = rules.check_model(stage, model)
    reason = rules.why_not_open(stage, record, now) or (refusal.reason if refusal else "")
    reason = reason or why_engine(tx, stage, model, looks)
    return StageFact(
        name=stage.name,
        channel=stage.channel,
        audience=stage.audience,
        open=not reason,
        reason=reason,
        model=stage.model.name,
        tiers=stage.tiers,
        screening=stage.screening,
        max_tokens=stage.default_max_tokens,
        artifact=stage.model.artifact,
        digest=model.digest if model else "",
        gate_version=gate_version(stage),
        open_until=record.open_until,
        screens=record.screening,
        retention=stage.retention,
    )


def engine_looks(tx: Connection) -> dict[str, EngineLook]:
    """Return what the last look at each engine found, by the digest of the model that it answers as."""
    table = tables.engine
    columns = [column for column in table.c if column.name not in {"fingerprint", "begun_at"}]
    rows = tx.execute(sa.select(*columns)).mappings()
    return {row["model_digest"]: EngineLook(**{**row, "doors": tuple(row["doors"])}) for row in rows}


def fingerprint(tx: Connection, model_digest: str) -> dict[str, Any] | None:
    """Return the fingerprint that was kept when a model was tested; None if none was."""
    table = tables.engine
    return tx.execute(sa.select(table.c.fingerprint).where(table.c.model_digest == model_digest)).scalar()


def why_engine(tx: Connection, stage: Stage, model: ModelVersion | None, looks: dict[str, EngineLook]) -> str:
    """Say why the engine behind a stage keeps it shut, or nothing."""
    look = looks.get(model.digest) if model else None
    opened = opening_entries(tx).get(stage.name, 0) if look and look.trouble else 0
    return rules.why_engine(stage, look, opened)


def records(tx: Connection) -> dict[str, StageRecord]:
    """Return the state of every stage that ever was in a plan, by name."""
    rows = tx.execute(sa.select(tables.stage)).mappings()
    return {row["name"]: StageRecord(**{**row, "state": StageState(row["state"])}) for row in rows}


def signatures(tx: Connection, stage: str) -> list[Signature]:
    """Return all signatures on a stage, of whatever version and round, oldest first."""
    found = sa.select(tables.signature).where(tables.signature.c.stage == stage)
    rows = tx.execute(found.order_by(tables.signature.c.signed_at, tables.signature.c.person))
    return [Signature(row.person, row.role, row.gate_version, row.round, row.signed_at) for row in rows]


def waivers(tx: Connection, stage: str) -> list[Waiver]:
    """Return all waivers of a stage, the one that ends last coming last."""
    found = sa.select(tables.waiver).where(tables.waiver.c.stage == stage).order_by(tables.waiver.c.until)
    return [
        Waiver(row.id, row.clause, row.gate_version, row.until, row.given_by, row.reason) for row in tx.execute(found)
    ]


def open_times(tx: Connection, stage: Stage, now: datetime) -> tuple[tuple[datetime, datetime], ...]:
    """Return the intervals in which a stage was open under the gate version that it has now."""
    table = tables.interval
    found = sa.select(table).where(table.c.stage == stage.name, table.c.gate_version == gate_version(stage))
    times = []
    for row in tx.execute(found.order_by(table.c.opened_at)):
        ends = [each for each in (row.closed_at, row.open_until, now) if each is not None]
        times.append((row.opened_at, max(row.opened_at, min(ends))))
    return tuple(times)


def opening_entries(tx: Connection) -> dict[str, int]:
    """Return, for each stage that ever opened, the ledger's entry of its last opening."""
    latest = sa.select(tables.interval.c.stage, sa.func.max(tables.interval.c.entry).label("entry"))
    return {row.stage: row.entry for row in tx.execute(latest.group_by(tables.interval.c.stage))}


def facts_for(
    tx: Connection, plan: Plan, stage: Stage, now: datetime, history: StageHistory
) -> tuple[Facts, ModelVersion | None]:
    """Gather what a stage's gate is judged on, and the registered model behind it."""
    version, record = gate_version(stage), records(tx).get(stage.name, StageRecord(stage.name))
    model = dossier.model_by_name(tx, stage.model.artifact)
    signed = [each for each in signatures(tx, stage.name) if each.round == record.round]
    facts = Facts(
        now=now,
        gate_version=version,
        model_digest=model.digest if model else None,
        pinned=model is not None and model.pinned,
        signatures=tuple(SignatureFact(each.person, each.role, each.gate_version) for each in signed),
        use=_use(tx, plan, stage, now, history),
        engine=rules.engine_trouble(engine_looks(tx).get(model.digest)) if model else "",
    )
    return (_with_dossier(tx, facts, stage, model, history), model) if model else (facts, None)


def _with_dossier(tx: Connection, facts: Facts, stage: Stage, model: ModelVersion, history: StageHistory) -> Facts:
    filed = dossier.evidence_on(tx, model.digest)
    claims = {clause.subject for clause in stage.gate.clauses if isinstance(clause, Stress)}
    runs = {claim: history.runs(tx, model.digest, claim) for claim in sorted(claims)}
    return replace(
        facts,
        evidence=tuple(EvidenceFact(e.id, e.gate_version, e.claim, e.payload, e.filed_at) for e in filed),
        documents=tuple(DocumentFact(each.kind, each.digest) for each in dossier.documents(tx, model.id)),
        runs={claim: fact for claim, fact in runs.items() if fact is not None},
    )


def _use(tx: Connection, plan: Plan, stage: Stage, now: datetime, history: StageHistory) -> dict[str, UseFact]:
    """Gather what the stages that a clause asks about have seen; days come from this room, the rest from the left."""
    made = {}
    asked = {each.stage for each in stage.gate.clauses if isinstance(each, (Soak, Observed))}
    for earlier in (each for each in plan.stages if each.name in asked):
        times = open_times(tx, earlier, now)
        days = sum((end - start for start, end in times), timedelta()) / _DAY
        seen = history.use(tx, earlier.name, times) if earlier.channel is Channel.API else None
        made[earlier.name] = replace(seen or UseFact(), days=days)
    return made
