"""Use cases of the releases room: adopting a plan, signing, waiving, and moving stages.

Each decision and its ledger entry commit together. What is free text (the reason of an adoption or a waiver, a
note) stays in this room's tables; the ledger holds a salted commitment to it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.core.canonical import Json, commitment
from readingroom.core.clock import Clock, rfc3339
from readingroom.core.errors import BadInput, Broken, Problem
from readingroom.core.ids import new_id, random_bytes
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.dossier.model import ModelVersion
from readingroom.ledger.service import Ledger
from readingroom.people import queries as people
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check, may
from readingroom.releases import queries, rules, tables
from readingroom.releases.model import (
    Action,
    AdoptedPlan,
    ClauseStatus,
    Reason,
    Signature,
    StageRecord,
    StageState,
    StageStatus,
    Waiver,
)
from readingroom.store.db import Database
from readingroom.strategy.diff import Change, diff
from readingroom.strategy.facts import StageHistory
from readingroom.strategy.model import Plan, Stage, gate_version

PlanReader = Callable[[str, str], Plan]  # a plan's text and its file's name; knows which suites and rule sets there are
ScreensReader = Callable[[Stage], str]  # the digest of a stage's rule sets as they are now; raises BadInput
_ENTRIES = {
    Action.HOLD: "releases.stage.held",
    Action.ROLLBACK: "releases.stage.rolled-back",
    Action.WITHDRAW: "releases.stage.withdrawn",
}


class Releases:
    """The plan in force and the state of its stages."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts that it is made of
        self,
        db: Database,
        ledger: Ledger,
        clock: Clock,
        read_plan: PlanReader,
        history: StageHistory,
        read_screens: ScreensReader,
    ) -> None:
        """Take database, ledger and clock, how plans and rule sets are read, and whence use and test runs are known."""
        self._db = db
        self._ledger = ledger
        self._clock = clock
        self._read_plan = read_plan
        self._history = history
        self._read_screens = read_screens

    def adopt(self, by: Actor, text: str, name: str, reason: str) -> tuple[Change, ...]:
        """Put a plan in force and return what changes; stages that it changes or drops are closed.

        Where the plan in force cannot be read any more, everything is new, and every stage is closed.

        Raises:
            BadInput: the plan has problems (each with its place), or there is no reason.
            Refused: the actor may not.
        """
        require(check(by, Permission.PLAN_ADOPT))
        if not reason.strip():
            raise BadInput([Problem("--reason", "a plan is adopted for a reason", "Say why, in a sentence")])
        new = self._read_plan(text, name)
        with self._db.decide() as tx:
            row, old = queries.newest_plan(tx), _readable(tx)
            changes = diff(old, new)
            number, salt = (row.number if row else 0) + 1, random_bytes(32)
            values = {
                "number": number,
                "digest": new.digest,
                "text": text,
                "name": name,
                "reason": reason,
                "salt": salt,
                "adopted_at": self._clock.now(),
                "adopted_by": by.id,
            }
            tx.execute(tables.plan.insert().values(values))
            data = {
                "number": number,
                "plan": new.digest,
                "before": row.digest if row else "",
                "before_readable": row is None or old is not None,
                "changes": [each.to_ledger() for each in changes],
                "reason": commitment(salt, reason.encode()),
                "trial": by.dev,
            }
            self._ledger.append(tx, "releases.plan.adopted", data, by=by.id)
            self._close_changed(tx, by, new if old or row is None else None)
        return changes

    def preview(self, text: str, name: str) -> tuple[Change, ...]:
        """Return what adopting a plan would change, without adopting it."""
        new = self._read_plan(text, name)
        with self._db.read() as tx:
            return diff(_readable(tx), new)

    def in_force(self) -> AdoptedPlan | None:
        """Return the plan in force."""
        with self._db.read() as tx:
            return queries.plan_in_force(tx)

    def status(self, by: Actor | None = None) -> list[StageStatus]:
        """Say how every stage stands; with an actor, also what that actor may do to it now."""
        with self._db.read() as tx:
            adopted = queries.plan_in_force(tx)
            if adopted is None:
                return []
            return [self._status(tx, adopted.plan, stage, by) for stage in adopted.plan.stages]

    def stage(self, name: str, by: Actor | None = None) -> StageStatus:
        """Say how one stage stands."""
        with self._db.read() as tx:
            plan, stage = _stage(tx, name)
            return self._status(tx, plan, stage, by)

    def open(self, by: Actor, name: str) -> StageStatus:
        """Open a stage whose gate is met.

        Raises:
            Refused: `releases/gate-not-met` with each clause's sentence, or why it cannot be opened from here.
        """
        with self._db.decide() as tx:
            require(check(people.actor_now(tx, by), Permission.STAGE_MOVE))
            plan, stage = _stage(tx, name)
            now, record = self._clock.now(), _record(tx, name)
            facts, model = queries.facts_for(tx, plan, stage, now, self._history)
            judged = rules.clauses(stage, facts, queries.waivers(tx, name), now)
            require(rules.check_open(stage, record, model, judged, self._shut(tx, stage, record, model)))
            until = rules.earliest_end(judged)
            version, screens = gate_version(stage), "" if by.dev else self._read_screens(stage)
            opened = StageRecord(name, StageState.OPEN, version, record.round, open_until=until, screening=screens)
            self._save(tx, opened)
            named = {"stage": name, "gate_version": version}
            data = {
                **named,
                "plan": plan.digest,
                "model_digest": facts.model_digest or "",
                "screening": screens,
                "clauses": [_to_ledger(each) for each in judged],
                "trial": by.dev,
            }
            entry = self._ledger.append(tx, "releases.stage.opened", data, by=by.id)
            times = {"id": new_id("interval"), **named, "opened_at": now, "open_until": until, "entry": entry.seq}
            tx.execute(tables.interval.insert().values(times))
            return self._status(tx, plan, stage, by)

    def hold(self, by: Actor, name: str, reason: str, note: str = "") -> StageStatus:
        """Hold an open stage: nobody may use it until it is opened again."""
        return self._stop(by, name, Action.HOLD, reason, note)

    def rollback(self, by: Actor, name: str, reason: str, note: str = "") -> StageStatus:
        """Roll a stage back: to open it again, it must be signed for anew."""
        return self._stop(by, name, Action.ROLLBACK, reason, note)

    def withdraw(self, by: Actor, name: str, reason: str, note: str = "") -> StageStatus:
        """Withdraw a stage for good."""
        return self._stop(by, name, Action.WITHDRAW, reason, note)

    def sign(self, by: Actor, name: str) -> StageStatus:
        """Sign for a stage as it is now: its gate version, model, audience and limits."""
        with self._db.decide() as tx:
            by = people.actor_now(tx, by)
            require(check(by, Permission.STAGE_SIGN))
            plan, stage = _stage(tx, name)
            record = _record(tx, name)
            signed = rules.in_round(queries.signatures(tx, name), stage, record)
            role = rules.signing_role(by, stage, record, signed)
            if isinstance(role, Refusal):
                raise Refused(role)
            key = {"stage": name, "gate_version": gate_version(stage), "round": record.round, "person": by.id}
            tx.execute(tables.signature.insert().values(**key, role=role, signed_at=self._clock.now()))
            self._ledger.append(tx, "releases.stage.signed", {**key, "role": role, "trial": by.dev}, by=by.id)
            return self._status(tx, plan, stage, by)

    def waive(self, by: Actor, name: str, clause: str, until: datetime, reason: str) -> Waiver:
        """Waive one clause of a stage's gate until a moment; `clause` is its label, or its kind where unambiguous.

        Raises:
            BadInput: the end is not within 90 days from now, or there is no reason.
            Refused: the actor may not, there is no such clause, or it cannot be waived.
        """
        require(check(by, Permission.GATE_WAIVE))
        now = self._clock.now()
        _reject(rules.waiver_problems(until, reason, now))
        with self._db.decide() as tx:
            require(check(people.actor_now(tx, by), Permission.GATE_WAIVE))
            _, stage = _stage(tx, name)
            label = rules.label_for(stage, clause)
            require(rules.check_waive(stage, label))
            made = Waiver(new_id("waiver"), label, gate_version(stage), until, by.id, reason)
            salt = random_bytes(32)
            key = {"id": made.id, "stage": name, "gate_version": made.gate_version, "clause": label}
            more = {"until": until, "reason": reason, "salt": salt, "given_by": by.id, "given_at": now}
            tx.execute(tables.waiver.insert().values(**key, **more))
            data = {
                "waiver": made.id,
                "stage": name,
                "gate_version": made.gate_version,
                "clause": label,
                "until": rfc3339(until),
                "reason": commitment(salt, reason.encode()),
            }
            self._ledger.append(tx, "releases.gate.waived", data, by=by.id)
        return made

    def _stop(self, by: Actor, name: str, action: Action, reason: str, note: str) -> StageStatus:
        require(check(by, Permission.STAGE_MOVE))
        _reject(rules.reason_problems(reason, note))
        with self._db.decide() as tx:
            require(check(people.actor_now(tx, by), Permission.STAGE_MOVE))
            plan, stage = _stage(tx, name)
            record = _record(tx, name)
            require(rules.check_move(stage, record, action))
            turns = record.round + (action is Action.ROLLBACK)
            state = rules.after(record.state, action) or record.state
            self._save(tx, replace(record, state=state, round=turns, reason=reason, open_until=None))
            data: dict[str, Json] = {"stage": name, "gate_version": gate_version(stage), "reason": reason}
            if note.strip():
                salt = random_bytes(32)
                told = {"stage": name, "action": action.value, "reason": reason, "text": note, "salt": salt}
                now = self._clock.now()
                tx.execute(tables.note.insert().values(**told, id=new_id("note"), noted_by=by.id, noted_at=now))
                data["note"] = commitment(salt, note.encode())
            self._ledger.append(tx, _ENTRIES[action], data, by=by.id)
            return self._status(tx, plan, stage, by)

    def _close_changed(self, tx: Connection, by: Actor, plan: Plan | None) -> None:
        """Close each stage in use that the plan changes or drops (without one, all): its gate was met for another."""
        versions = {stage.name: gate_version(stage) for stage in plan.stages} if plan else {}
        for record in queries.records(tx).values():
            moved = rules.after(record.state, Action.CLOSE)
            if moved is None or versions.get(record.name) == record.gate_version:
                continue
            why = Reason.PLAN_CHANGED.value
            self._save(tx, replace(record, state=moved, reason=why, open_until=None))
            data = {"stage": record.name, "gate_version": record.gate_version, "reason": why}
            self._ledger.append(tx, "releases.stage.closed", data, by=by.id)

    def _save(self, tx: Connection, record: StageRecord) -> None:
        """Write a stage's new state; whatever it was before, that it was open ends here."""
        now, table = self._clock.now(), tables.interval
        still_open = (table.c.stage == record.name) & table.c.closed_at.is_(None)
        tx.execute(table.update().where(still_open).values(closed_at=now))
        tx.execute(tables.stage.delete().where(tables.stage.c.name == record.name))
        values = {each.name: getattr(record, each.name) for each in tables.stage.c}
        tx.execute(sa.insert(tables.stage).values(values | {"state": record.state.value, "changed_at": now}))

    def _shut(self, tx: Connection, stage: Stage, record: StageRecord, model: ModelVersion | None) -> str:
        """Say why a stage may not be used now; its rule sets are read as they are now, if it is bound to any."""
        try:
            screens = self._read_screens(stage) if record.screening else None
        except BadInput:
            screens = ""
        shut = rules.why_not_open(stage, record, self._clock.now(), screens)
        return shut or queries.why_engine(tx, stage, model, queries.engine_looks(tx))

    def _status(self, tx: Connection, plan: Plan, stage: Stage, by: Actor | None) -> StageStatus:
        now, record = self._clock.now(), _record(tx, stage.name)
        facts, model = queries.facts_for(tx, plan, stage, now, self._history)
        judged = rules.clauses(stage, facts, queries.waivers(tx, stage.name), now)
        signed = rules.in_round(queries.signatures(tx, stage.name), stage, record)
        unknown, shut = rules.check_model(stage, model), self._shut(tx, stage, record, model)
        reason = shut or (unknown.reason if unknown else "")
        return StageStatus(
            stage=stage,
            record=record,
            gate_version=gate_version(stage),
            open=not reason,
            reason=reason,
            clauses=judged,
            gate_met=rules.gate_met(stage, judged),
            signatures=tuple(signed),
            actions=_actions(by, stage, record, model, judged, signed, shut) if by else frozenset(),
        )


def _actions(  # noqa: PLR0913, PLR0917 - one fact each
    by: Actor,
    stage: Stage,
    record: StageRecord,
    model: ModelVersion | None,
    judged: Sequence[ClauseStatus],
    signed: Sequence[Signature],
    shut: str,
) -> frozenset[str]:
    """Say what this actor may do to the stage now: what a page shows buttons for."""
    allowed: set[str] = set()
    if may(by, Permission.STAGE_MOVE):
        stops = (Action.HOLD, Action.ROLLBACK, Action.WITHDRAW)
        allowed |= {each.value for each in stops if rules.check_move(stage, record, each) is None}
        allowed |= {"open"} if rules.may_open(stage, record, model, judged, shut) else set()
    if may(by, Permission.STAGE_SIGN) and rules.may_sign(by, stage, record, signed):
        allowed.add("sign")
    short = [each.label for each in judged if not each.passed]
    if may(by, Permission.GATE_WAIVE) and any(rules.check_waive(stage, label) is None for label in short):
        allowed.add("waive")
    return frozenset(allowed)


def _stage(tx: Connection, name: str) -> tuple[Plan, Stage]:
    adopted = queries.plan_in_force(tx)
    if adopted is None:
        reason = "No plan is in force; adopt one with `readingroom plan adopt FILE --reason TEXT`."
        raise Refused(Refusal("releases/no-plan", reason))
    stage = adopted.plan.stage(name)
    if stage is None:
        known = [each.name for each in adopted.plan.stages]
        reason = f"The plan in force has no stage {name[:80]!r}; it has: {', '.join(known)}."
        raise Refused(Refusal("releases/stage-unknown", reason, {"stages": known}))
    return adopted.plan, stage


def _readable(tx: Connection) -> Plan | None:
    """Return the plan in force; one that cannot be read any more must not keep a new one out."""
    try:
        adopted = queries.plan_in_force(tx)
    except Broken:
        return None
    return adopted.plan if adopted else None


def _record(tx: Connection, name: str) -> StageRecord:
    return queries.records(tx).get(name, StageRecord(name))


def _to_ledger(clause: ClauseStatus) -> Json:
    waiver = {"waiver": clause.waiver.id} if clause.waiver else {}
    return {"clause": clause.label, "verdict": clause.verdict.value, **waiver}


def _reject(problems: list[Problem]) -> None:
    if problems:
        raise BadInput(problems)
