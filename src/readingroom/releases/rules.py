"""Decisions of the stage machine: pure, with `now` as a parameter.

A moment that passes opens nothing: opening is a person's act, and time can only end a waiver (promise 5).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from readingroom.core.clock import rfc3339
from readingroom.core.errors import Problem
from readingroom.core.refusal import Refusal
from readingroom.dossier.model import ModelVersion
from readingroom.people.model import Actor
from readingroom.releases.model import (
    Action,
    ClauseStatus,
    EngineLook,
    Reason,
    Signature,
    StageRecord,
    StageState,
    Waiver,
)
from readingroom.strategy.facts import Facts
from readingroom.strategy.gates import sign_off
from readingroom.strategy.model import Channel, Stage, Verdict, gate_version

S, A = StageState, Action
TRANSITIONS: tuple[tuple[StageState, Action, StageState], ...] = (
    (S.CLOSED, A.OPEN, S.OPEN),
    (S.CLOSED, A.WITHDRAW, S.WITHDRAWN),
    (S.OPEN, A.OPEN, S.OPEN),  # only where it stands open and may not be used: a waiver has ended, a rule set changed
    (S.OPEN, A.HOLD, S.HELD),
    (S.OPEN, A.ROLLBACK, S.ROLLED_BACK),
    (S.OPEN, A.CLOSE, S.CLOSED),
    (S.OPEN, A.WITHDRAW, S.WITHDRAWN),
    (S.HELD, A.OPEN, S.OPEN),  # the gate is judged anew
    (S.HELD, A.ROLLBACK, S.ROLLED_BACK),
    (S.HELD, A.CLOSE, S.CLOSED),
    (S.HELD, A.WITHDRAW, S.WITHDRAWN),
    (S.ROLLED_BACK, A.OPEN, S.OPEN),  # and with new signatures only
    (S.ROLLED_BACK, A.WITHDRAW, S.WITHDRAWN),
)
FINAL = frozenset({S.WITHDRAWN})
LONGEST_WAIVER = timedelta(days=90)


def mermaid() -> str:
    """Return the stage machine as a Mermaid state diagram, from the transition table."""
    lines = ["stateDiagram-v2", f"    [*] --> {_word(S.CLOSED)}"]
    lines += [f"    {_word(start)} --> {_word(end)}: {action}" for start, action, end in TRANSITIONS]
    lines += [f"    {_word(state)} --> [*]" for state in S if state in FINAL]
    return "\n".join(lines) + "\n"


def diagrams() -> dict[str, str]:
    """Return every state machine of this room, by name."""
    return {"stage": mermaid()}


def _word(state: StageState) -> str:
    return state.value.replace("-", "_")  # Mermaid reads a hyphen as part of an arrow


def after(state: StageState, action: Action) -> StageState | None:
    """Return the state that an action leads to, or None where it leads nowhere."""
    return next((end for start, does, end in TRANSITIONS if (start, does) == (state, action)), None)


def check_move(stage: Stage, record: StageRecord, action: Action) -> Refusal | None:
    """Refuse an action that this state, or this channel, does not allow."""
    if action is A.ROLLBACK and stage.irreversible:
        return Refusal(
            "releases/irreversible",
            f"{stage.name} gives out weights, and no copy can be called back; hold or withdraw it to give out no more.",
            {"stage": stage.name},
        )
    if after(record.state, action) is not None:
        return None
    allowed = [does.value for start, does, _ in TRANSITIONS if start is record.state and does is not A.CLOSE]
    cure = f"From here: {', '.join(allowed)}." if allowed else "That is final; write a plan with another stage."
    return Refusal(
        "releases/not-from-here",
        f"{stage.name} is {record.state} and cannot {action}. {cure}",
        {"stage": stage.name, "state": record.state.value, "action": action.value},
    )


def clauses(stage: Stage, facts: Facts, waivers: Iterable[Waiver], now: datetime) -> tuple[ClauseStatus, ...]:
    """Judge each clause of a stage's gate; a waiver counts until its end and under its own gate version only."""
    valid = {
        each.clause: each
        for each in waivers
        if each.gate_version == facts.gate_version and now < each.until and not stage.irreversible
    }
    made = []
    for clause in stage.gate.clauses:
        judged = clause.judge(facts)
        waiver = valid.get(clause.label) if judged.verdict is not Verdict.MET else None
        made.append(
            ClauseStatus(clause.label, clause.describe(), judged.verdict, judged.sentence, judged.missing, waiver)
        )
    return (*made, *_engine_clause(stage, facts))


def _engine_clause(stage: Stage, facts: Facts) -> tuple[ClauseStatus, ...]:
    """Add a condition that no plan can leave out, where it does not hold: no waiver and no signature replaces it."""
    if stage.channel is not Channel.API or not facts.engine:
        return ()
    requires = "its engine has no other door, and answers as when it was tested"
    missing = "a look at the engine that finds nothing; `readingroom doctor` says what is to be done"
    return (ClauseStatus("engine", requires, Verdict.INCONCLUSIVE, facts.engine, missing),)


def engine_trouble(look: EngineLook | None) -> str:
    """Say what the last look at an engine found, or nothing; for everybody, so that no door is named."""
    if look is None or look.sound:
        return ""
    if look.doors:
        return "its engine was found to answer by another way than this house"
    return "its engine answers otherwise than when it was tested"


def why_engine(stage: Stage, look: EngineLook | None, opened: int) -> str:
    """Say why the engine behind a stage keeps it shut, or nothing.

    That an open door was shut opens nothing by itself: what went out by it is for a person to find out.

    Args:
        stage: as it stands in the plan in force.
        look: the last look at the engine of its model; None if there was none yet.
        opened: the ledger's entry of the stage's last opening.
    """
    if stage.channel is not Channel.API or look is None:
        return ""
    found = engine_trouble(look)
    if found:
        return f"it is inconclusive: {found}"
    if look.trouble > opened:
        return "it is inconclusive: something was wrong with its engine and is mended; a steward has to open it anew"
    return ""


def settled(
    before: EngineLook, doors: Iterable[str], unclear: Collection[str], *, same: bool | None
) -> tuple[tuple[str, ...], bool]:
    """Say what holds after a look: the doors that are open, and whether the engine answers otherwise.

    Args:
        before: what held.
        doors: that were found open.
        unclear: those of which it could not be told: one that was open is not shut because it was too busy to answer.
        same: whether it answers as it was tested; None if that could not be asked, and what held goes on holding.
    """
    still = {each for each in before.doors if each in unclear}
    return tuple(sorted(still.union(doors))), before.changed if same is None else not same


def gate_met(stage: Stage, judged: Sequence[ClauseStatus]) -> bool:
    """Tell whether the gate lets the stage open. A gate without clauses does so only where the plan says why."""
    if not stage.gate.clauses:
        return stage.channel is Channel.SAMPLES and bool(stage.gate.ungated)
    return len(judged) == len(stage.gate.clauses) and all(each.passed for each in judged)


def check_open(
    stage: Stage, record: StageRecord, model: ModelVersion | None, judged: Sequence[ClauseStatus], shut: str
) -> Refusal | None:
    """Refuse to open: the state does not allow it, the model is not registered, or the gate is not met.

    `shut` says why the stage may not be used now: one that stands open, and may be used, need not be opened.
    """
    refusal = check_move(stage, record, A.OPEN) or check_model(stage, model)
    if record.state is S.OPEN and not shut:
        reason = f"{stage.name} is open already."
        refusal = Refusal("releases/not-from-here", reason, {"stage": stage.name, "state": record.state.value})
    if refusal is not None or gate_met(stage, judged):
        return refusal
    open_points = [each for each in judged if not each.passed]
    told = "; ".join(f"{each.label} is {each.verdict}: {each.sentence}" for each in open_points)
    return Refusal(
        "releases/gate-not-met",
        f"The gate of {stage.name} is not met. {told or 'It has no condition at all'}.",
        {
            "stage": stage.name,
            "clauses": [
                {"label": each.label, "verdict": each.verdict.value, "sentence": each.sentence, "missing": each.missing}
                for each in open_points
            ],
        },
    )


def check_model(stage: Stage, model: ModelVersion | None) -> Refusal | None:
    """Refuse to serve what is not registered, and to give out weights whose bytes nobody here has seen."""
    if stage.channel is Channel.SAMPLES:
        return None
    name = stage.model.artifact
    if model is None:
        reason = f"The model {name} is not registered; add it with `readingroom model add PATH --name {name}`."
    elif stage.channel is Channel.WEIGHTS and not model.pinned:
        reason = f"The bytes of {name} are not known here, only its address; register the file itself."
    else:
        return None
    return Refusal("releases/model-not-registered", reason, {"stage": stage.name, "model": name})


def may_open(
    stage: Stage, record: StageRecord, model: ModelVersion | None, judged: Sequence[ClauseStatus], shut: str
) -> bool:
    """Tell whether the stage could be opened now: the twin of `check_open`, for a page's button."""
    return check_open(stage, record, model, judged, shut) is None


def why_not_open(stage: Stage, record: StageRecord, now: datetime | None, screening: str | None = None) -> str:
    """Say why a stage may not be used now, or nothing if it may; whatever is uncertain keeps it shut.

    Args:
        stage: as it stands in the plan in force.
        record: its state.
        now: the moment; without one, a stage that was opened by a waiver counts as shut.
        screening: the digest of its rule sets as they are now; None where who asks compares it later, as the gateway
            does with the sets that it has loaded.
    """
    if record.state is not S.OPEN:
        why = f" ({record.reason})" if record.reason else ""
        return f"it is {record.state}{why}"
    if record.gate_version != gate_version(stage):
        return "the plan in force changed it, and it was not opened since"
    if record.open_until is not None and (now is None or now >= record.open_until):
        return f"it was opened by a waiver that ends on {rfc3339(record.open_until)}"
    if record.screening and screening is not None and screening != record.screening:
        return "its screening rules are not those that it was opened with: put them back, or open it anew"
    return ""


def signing_role(by: Actor, stage: Stage, record: StageRecord, signed: Sequence[Signature]) -> str | Refusal:
    """Return the role in which this actor would sign, or refuse.

    One person signs once, in one role: the first that is wanted, held, and still short of its quorum.
    """
    wanted = [clause for clause in stage.gate.clauses if isinstance(clause, sign_off.SignOff)]
    facts = {"stage": stage.name, "roles": [clause.role for clause in wanted]}
    if record.state in FINAL:
        return Refusal("releases/not-from-here", f"{stage.name} is {record.state}; that is final.", facts)
    if not wanted:
        return Refusal("releases/nothing-to-sign", f"The gate of {stage.name} asks for no signature.", facts)
    if any(each.person == by.id for each in signed):
        reason = f"You have signed for {stage.name}; a second signature must be a second person's."
        return Refusal("releases/already-signed", reason, facts)
    trial = by.is_operator and by.dev
    held = [clause for clause in wanted if trial or clause.role in {role.value for role in by.roles}]
    if not held:
        roles = " or ".join(clause.role for clause in wanted)
        return Refusal("releases/not-a-signer", f"{stage.name} is signed for by a {roles}.", facts)
    short = [clause for clause in held if sum(each.role == clause.role for each in signed) < clause.quorum]
    return (short or held)[0].role


def may_sign(by: Actor, stage: Stage, record: StageRecord, signed: Sequence[Signature]) -> bool:
    """Tell whether this actor could sign now: the twin of `signing_role`."""
    return isinstance(signing_role(by, stage, record, signed), str)


def in_round(signatures: Iterable[Signature], stage: Stage, record: StageRecord) -> list[Signature]:
    """Keep the signatures that count: under this gate version, since the last rollback."""
    version = gate_version(stage)
    return [each for each in signatures if each.gate_version == version and each.round == record.round]


def check_waive(stage: Stage, label: str) -> Refusal | None:
    """Refuse a waiver that there cannot be.

    Weights are never let out by a waiver, whoever signs it: a waiver ends, and what it let out does not. Nor is a
    signature waived, or one person could do what two must.
    """
    clause = next((each for each in stage.gate.clauses if each.label == label), None)
    facts = {"stage": stage.name, "clause": label, "clauses": [each.label for each in stage.gate.clauses]}
    if clause is None:
        known = ", ".join(each.label for each in stage.gate.clauses) or "none"
        return Refusal("releases/clause-unknown", f"{stage.name} has no clause {label!r}; it has: {known}.", facts)
    if stage.irreversible:
        reason = f"{stage.name} cannot be undone when the waiver ends, so no clause of it can be waived."
        return Refusal("releases/cannot-waive", reason, facts)
    if isinstance(clause, sign_off.SignOff):
        return Refusal("releases/cannot-waive", "A signature cannot be waived; let the persons sign.", facts)
    return None


def waiver_problems(until: datetime, reason: str, now: datetime) -> list[Problem]:
    """Tell what is wrong with a waiver's end and reason."""
    problems = []
    if not now < until <= now + LONGEST_WAIVER:
        cure = f"Choose a moment within {LONGEST_WAIVER.days} days; a longer exception belongs into the plan"
        problems.append(Problem("until", "a waiver ends, and in the future", cure))
    if not reason.strip():
        problems.append(Problem("reason", "a waiver needs a reason", "Say why it is safe to open without this"))
    return problems


def reason_problems(code: str, note: str) -> list[Problem]:
    """Tell what is wrong with the reason for a hold, rollback or withdrawal."""
    known = [each.value for each in Reason if each is not Reason.PLAN_CHANGED]
    if code not in known:
        return [Problem("reason", f"{code[:80]!r} is no reason code", f"Known: {', '.join(known)}")]
    if code == Reason.OTHER and not note.strip():
        return [Problem("note", "the reason 'other' needs a note", "Say in a sentence what it is")]
    return []


def label_for(stage: Stage, wanted: str) -> str:
    """Return the clause that is meant by its label, or by its kind where only one clause is of that kind."""
    of_kind = [each.label for each in stage.gate.clauses if each.kind == wanted]
    return of_kind[0] if len(of_kind) == 1 else wanted


def earliest_end(judged: Collection[ClauseStatus]) -> datetime | None:
    """Return when the first waiver that the gate rests on ends, if it rests on any."""
    return min((each.waiver.until for each in judged if each.waiver is not None), default=None)
