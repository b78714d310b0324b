"""What a grant's holder asks of its call afterwards: the next tranche after a report, or a supplement. Pure.

Both are small applications of their own against the same budget: in words, decided by a person, on record.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from readingroom.admissions import account
from readingroom.admissions.after import CallKind
from readingroom.admissions.call import Call, CallFile
from readingroom.admissions.machines import Machine
from readingroom.admissions.model import Amounts, Award, AwardState, CallState, Draft
from readingroom.core.canonical import Json
from readingroom.core.errors import Problem
from readingroom.core.refusal import Refusal
from readingroom.core.text import needed_problem


class RequestKind(StrEnum):
    """What is asked for."""

    REPORT = "report"  # a progress report, and with it the tranche that is held
    SUPPLEMENT = "supplement"


class RequestState(StrEnum):
    """Where a request stands."""

    FILED = "filed"
    GRANTED = "granted"
    REFUSED = "refused"  # of a report: the tranche is withheld
    WITHDRAWN = "withdrawn"


REQUEST = Machine(
    "request",
    RequestState.FILED,
    {
        (RequestState.FILED, "grant"): RequestState.GRANTED,
        (RequestState.FILED, "refuse"): RequestState.REFUSED,
        (RequestState.FILED, "withdraw"): RequestState.WITHDRAWN,
    },
)
ASKED = {
    RequestKind.REPORT: {
        "text": "What was done so far",
        "found": "What was found",
        "used": "What the passes were used for",
    },
    RequestKind.SUPPLEMENT: {"purpose": "What the supplement is for", "why": "Why so much more is needed"},
}


@dataclass(frozen=True, slots=True)
class Request:
    """A request with what became of it.

    Attributes:
        answers: by the names in `ASKED`; personal text, in this room's tables only.
        passes: how many are asked for: of a report, what is held.
        given: how many were given.
        note: why, in words; the holder is told.
        observed: what the house itself saw used when it was filed, by unit.
    """

    id: str
    kind: RequestKind
    call: str
    award: str
    person: str
    state: RequestState
    answers: Mapping[str, str]
    passes: int
    filed_at: datetime
    given: int = 0
    note: str = ""
    observed: Json = None
    decided_at: datetime | None = None
    decided_by: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person decides on a request: so many passes, 0 for none, and why."""

    passes: int
    note: str


def problems(kind: RequestKind, answers: Mapping[str, str]) -> list[Problem]:
    """Say what is missing of a request or cannot be kept, field by field."""
    found = [needed_problem(name, answers.get(name, ""), f"Say: {label}") for name, label in ASKED[kind].items()]
    return [each for each in found if each is not None]


def check_accepted(award: Award) -> Refusal | None:
    """Refuse what only an accepted award's holder can ask for."""
    if award.state is AwardState.ACCEPTED:
        return None
    return Refusal("admissions/not-granted", f"This award is {award.state.value}; it has no grant.")


def check_waiting(earlier: Collection[Request], kind: RequestKind) -> Refusal | None:
    """Refuse a second request while the first waits for its answer."""
    waiting = [each for each in earlier if each.kind is kind and each.state is RequestState.FILED]
    if not waiting:
        return None
    reason = f"A {kind.value} of this grant waits for its answer already ({waiting[0].id})."
    return Refusal("admissions/request-waits", reason, {"request": waiting[0].id})


def check_reporting(held: Mapping[str, int]) -> Refusal | None:
    """Refuse a report where nothing is held back: it would decide nothing."""
    if any(held.values()):
        return None
    return Refusal("admissions/nothing-held", "All of this award has been released; no report is asked for.")


def supplement_left(file: CallFile, award: Award, earlier: Collection[Request]) -> int:
    """Return how many passes a holder may still ask for on top of an award."""
    terms = file.after.supplements
    given = [each for each in earlier if each.kind is RequestKind.SUPPLEMENT and each.state is RequestState.GRANTED]
    if terms is None or len(given) >= terms.times:
        return 0
    return max(0, award.amounts.passes * terms.at_most // 100 - sum(each.given for each in given))


def check_supplement(call: Call, award: Award, earlier: Collection[Request], passes: int) -> Refusal | None:
    """Refuse a supplement that the call does not offer, or beyond what it offers."""
    terms = call.file.after.supplements
    if terms is None:
        reason = "This call gives no supplements. Apply to another call for more."
        return Refusal("admissions/no-supplements", reason)
    left = supplement_left(call.file, award, earlier)
    if 1 <= passes <= left:
        return None
    reason = (
        f"This call adds at most {terms.at_most}% of an award, {terms.times} time(s); {left} passes can be asked for."
    )
    return Refusal("admissions/supplement-too-large", reason, {"left": left, "asked": passes})


def check_answer(found: Request, answer: Answer) -> Refusal | None:
    """Refuse more than was asked for, and less without a reason."""
    if refusal := REQUEST.check(found.state, "grant" if answer.passes else "refuse"):
        return refusal
    if not 0 <= answer.passes <= found.passes:
        reason = f"From 0 to {found.passes} passes can be given."
        return Refusal("admissions/amount-out-of-bounds", reason, {"least": 0, "most": found.passes})
    if answer.passes < found.passes and not answer.note.strip():
        return Refusal("admissions/note-missing", "Say in words why it is less than was asked for: the holder is told.")
    return None


def check_held(held: Mapping[str, int], passes: int) -> Refusal | None:
    """Refuse to release more than is still held: the grant may have ended since the report was filed."""
    whole = held.get("passes", 0)
    if passes <= whole:
        return None
    reason = f"Of this award {whole} passes are still held; what it no longer needs went back to the call."
    return Refusal("admissions/amount-out-of-bounds", reason, {"least": 0, "most": whole})


def released(held: Mapping[str, int], passes: int, like: Amounts) -> Amounts:
    """Return what of a held tranche is released with so many of its passes: all units in proportion, rounded down."""
    whole = held.get("passes", 0)
    share = {unit: amount if passes == whole else amount * passes // max(whole, 1) for unit, amount in held.items()}
    return account.of_units(share, like)


# Transfers and child calls


def check_transfer(
    source: Award, target: Award, files: tuple[CallFile, CallFile], roots: tuple[str, str]
) -> Refusal | None:
    """Refuse to move passes between grants that do not draw on the same budget for the same thing.

    Args:
        source: the award that gives.
        target: the award that receives.
        files: of their calls.
        roots: the calls from whose budgets those calls were funded at last.
    """
    if source.id == target.id:
        return Refusal("admissions/no-transfer", "These are one and the same grant.")
    if roots[0] != roots[1]:
        reason = (
            "These two grants come from different calls. Each call's budget is its own, so what one project does not "
            "need goes back to its call, and another asks its own call for more."
        )
        return Refusal("admissions/no-transfer", reason, {"calls": list(roots)})
    if (source.stage, source.tier) != (target.stage, target.tier):
        one, other = f"{source.stage}/{source.tier}", f"{target.stage}/{target.tier}"
        reason = f"One grant is of {one}, the other of {other}: a pass of one is none of the other."
        return Refusal("admissions/no-transfer", reason)
    if set(files[0].budget.units()) != set(files[1].budget.units()):
        return Refusal("admissions/no-transfer", "These two calls meter different units.")
    return None


def check_receiving(file: CallFile, tier: str, now: int, passes: int) -> Refusal | None:
    """Refuse to raise a grant above what its call gives anyone of its tier."""
    most = file.limits.of(tier).maximum
    room = max(0, most - now)
    if 1 <= passes <= room:
        return None
    reason = f"The receiving grant has {now} passes, and its call gives nobody more than {most}."
    return Refusal("admissions/amount-out-of-bounds", reason, {"least": 1, "most": room})


def check_parent(parent: Call | None, parents_parent: str, file: CallFile, by_name: str) -> Refusal | None:
    """Refuse a child of a call that is unknown, is a child itself, lends something else, or meters otherwise."""
    if parent is None:
        return Refusal("admissions/call-unknown", f"There is no call {by_name[:80]!r} to fund this one.")
    if parents_parent:
        reason = f"{parent.id} is funded by {parents_parent} itself; write 'of: {parents_parent}'."
        return Refusal("admissions/cannot-fund", reason, {"of": parents_parent})
    if parent.file.competitive and parent.state is not CallState.PUBLISHED:
        reason = f"{parent.id} has not published its awards; what is left of it is not known before."
        return Refusal("admissions/cannot-fund", reason, {"state": parent.state.value})
    if parent.file.stage != file.stage:
        lends = parent.file.stage
        reason = f"{parent.id} lends {lends!r}, and this call {file.stage!r}: a pass of one is none of the other."
        return Refusal("admissions/cannot-fund", reason)
    if set(parent.file.budget.units()) != set(file.budget.units()):
        units = ", ".join(parent.file.budget.units())
        return Refusal("admissions/cannot-fund", f"The budget must meter what its parent's does: {units}.")
    return None


def check_giving_back(call: Call, parent: str) -> Refusal | None:
    """Refuse to give back what a child call may still need."""
    if not parent:
        return Refusal("admissions/cannot-fund", "This call has a budget of its own; there is nobody to give back to.")
    over = call.state is CallState.PUBLISHED or (call.state is CallState.CLOSED and not call.file.competitive)
    if over:
        return None
    reason = "This call has not decided yet; its rest may still be awarded."
    return Refusal("admissions/wrong-state", reason, {"state": call.state.value})


def check_holder(call: Call, family: Collection[Award]) -> Refusal | None:
    """Refuse whoever holds no grant of a call's family, where only holders may apply."""
    if not call.file.after.kind.for_holders or any(each.state is AwardState.ACCEPTED for each in family):
        return None
    what = "renewals" if call.file.after.kind is CallKind.RENEWAL else "supplements"
    reason = f"This call is for {what} of grants of {call.file.after.of}; you hold none."
    return Refusal("admissions/not-a-holder", reason, {"of": call.file.after.of})


def prefilled(file: CallFile, old: Draft) -> Draft:
    """Return an old application's draft as far as a new call's form asks the same; what is new is left open."""
    kinds = {each.name: each for each in file.form}
    same = {
        name: answer
        for name, answer in old.answers.items()
        if name in kinds and (not kinds[name].options or answer in kinds[name].options)
    }
    tier = old.tier if old.tier in file.tiers else ""
    return Draft(same, min(old.passes, file.limits.of(tier).maximum), tier, old.team)
