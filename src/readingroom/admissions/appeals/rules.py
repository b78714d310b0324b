"""The decisions about appeals: may it be lodged, who may hear it, what the panel found, what it gives. Pure.

The end of a window decides nothing: a late appeal is kept, and a person says whether it is heard.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from readingroom.admissions.after import Appeals, Ground, IfShort
from readingroom.admissions.allocation import Sheet
from readingroom.admissions.appeals.model import Appeal, AppealState, Bar, Part, Subject, Voice
from readingroom.admissions.call import CallFile
from readingroom.admissions.machines import Machine
from readingroom.admissions.model import Amounts
from readingroom.core.refusal import Refusal

_S = AppealState
APPEAL = Machine(
    "appeal",
    _S.LODGED,
    {
        (_S.LODGED, "admit"): _S.ADMITTED,
        (_S.LODGED, "dismiss"): _S.INADMISSIBLE,
        (_S.LODGED, "withdraw"): _S.WITHDRAWN,
        (_S.ADMITTED, "speak"): _S.ADMITTED,
        (_S.ADMITTED, "hear"): _S.HEARD,  # the last voice that was needed
        (_S.ADMITTED, "withdraw"): _S.WITHDRAWN,
        (_S.HEARD, "speak"): _S.HEARD,
        (_S.HEARD, "hear"): _S.HEARD,
        (_S.HEARD, "uphold"): _S.UPHELD,
        (_S.HEARD, "uphold-in-part"): _S.PARTLY,
        (_S.HEARD, "reject"): _S.REJECTED,
        (_S.HEARD, "withdraw"): _S.WITHDRAWN,
    },
)
ACTS = {_S.UPHELD: "uphold", _S.PARTLY: "uphold-in-part", _S.REJECTED: "reject"}
OUTCOMES = tuple(ACTS)


def outcomes(kind: Subject) -> tuple[AppealState, ...]:
    """Return what a panel can find: a refusal can be wrong in part, a sanction is lifted or stands."""
    return OUTCOMES if kind is Subject.REFUSAL else (_S.UPHELD, _S.REJECTED)


# Lodging


def due(terms: Appeals, decided_at: datetime) -> datetime:
    """Return until when an appeal is in time."""
    return decided_at + timedelta(days=terms.days)


def check_ground(terms: Appeals, ground: Ground) -> Refusal | None:
    """Refuse a ground that the call does not name."""
    if ground in terms.grounds:
        return None
    known = ", ".join(each.value for each in terms.grounds)
    reason = f"This call hears no appeal on {ground.value!r}. Its grounds: {known}."
    return Refusal("admissions/no-such-ground", reason, {"grounds": [each.value for each in terms.grounds]})


def check_first_appeal(earlier: Collection[Appeal]) -> Refusal | None:
    """Refuse somebody's second appeal of one thing; what was withdrawn may come again.

    A sanction of a project is about each of its members: nobody's appeal uses up another's.
    """
    living = [each for each in earlier if each.state is not _S.WITHDRAWN]
    if not living:
        return None
    reason = f"You have appealed this already ({living[0].id}: {living[0].state.value}); there is one appeal."
    return Refusal("admissions/already-appealed", reason, {"appeal": living[0].id})


# Who may hear


@dataclass(frozen=True, slots=True)
class Took:
    """Who took part in what is appealed, and how; and who stands too near to whom it is about."""

    parts: Mapping[str, frozenset[Part]]

    def of(self, person: str) -> frozenset[Part]:
        """Return how one person took part; nothing for who may hear it."""
        return self.parts.get(person, frozenset())


def took(found: Collection[tuple[str, Part]]) -> Took:
    """Gather who took part."""
    gathered: dict[str, set[Part]] = {}
    for person, part in found:
        gathered.setdefault(person, set()).add(part)
    return Took({person: frozenset(parts) for person, parts in gathered.items()})


def check_hearing(person: str, found: Took) -> Refusal | None:
    """Refuse whoever took part in what is appealed, or is too near: another panel hears it.

    The answer does not say how, since that could tell an applicant's name to a reviewer.
    """
    if not found.of(person):
        return None
    reason = "You took part in what is appealed, or stand too near to it; others hear this appeal."
    return Refusal("admissions/appeal-not-yours", reason)


def unfit(voices: Collection[Voice], found: Took) -> list[str]:
    """Return who has spoken and must not have: of an outcome this must be empty."""
    return sorted(each.person for each in voices if found.of(each.person))


def check_admitting(appeal: Appeal, note: str) -> Refusal | None:
    """Refuse to admit a late appeal without saying why."""
    refusal = APPEAL.check(appeal.state, "admit")
    if refusal or not appeal.late or note.strip():
        return refusal
    return Refusal("admissions/note-missing", "It came late; say why it is heard all the same.", {"late": True})


def check_dismissing(appeal: Appeal, bar: Bar, note: str) -> Refusal | None:
    """Refuse to dismiss an appeal as late that was not, or without reasons."""
    if refusal := APPEAL.check(appeal.state, "dismiss"):
        return refusal
    if bar is Bar.LATE and not appeal.late:
        return Refusal("admissions/reason-not-fitting", "It came in time.", {"due": appeal.due_at.isoformat()})
    if not note.strip():
        return Refusal("admissions/note-missing", "Say in words why it is not heard: the appellant is told.")
    return None


# What the panel found


def majority(voices: Collection[Voice]) -> AppealState | None:
    """Return what more than half of the voices say; None where they do not agree.

    Whoever would uphold it in full would rather have part of it upheld than nothing: the two count together.
    """
    half = len(voices) / 2
    count = {state: sum(1 for each in voices if each.outcome is state) for state in OUTCOMES}
    if count[_S.UPHELD] > half:
        return _S.UPHELD
    if count[_S.UPHELD] + count[_S.PARTLY] > half:
        return _S.PARTLY
    return _S.REJECTED if count[_S.REJECTED] > half else None


def check_concluding(appeal: Appeal, by: str) -> Refusal | None:
    """Refuse an outcome by who has not heard it, before enough have, or while the panel does not agree."""
    if refusal := APPEAL.check(appeal.state, "reject"):
        return refusal
    if all(each.person != by for each in appeal.voices):
        return Refusal("admissions/not-on-the-panel", "Only who has heard this appeal and spoken can conclude it.")
    if majority(appeal.voices) is None:
        count = {state.value: sum(1 for v in appeal.voices if v.outcome is state) for state in OUTCOMES}
        reason = "The panel does not agree. Another person has to hear it, or somebody has to change their mind."
        return Refusal("admissions/panel-divided", reason, {"voices": count})
    return None


# What it gives


@dataclass(frozen=True, slots=True)
class Effect:
    """What an upheld appeal of a refusal gives: an award out of the reserve, or a place in the next call."""

    amounts: Amounts | None
    full: int
    place: bool = False


def deserved(file: CallFile, asked: int, tier: str, sheets: Sequence[Sheet]) -> int:
    """Return the passes that an upheld appellant would have had: by the same rule as those who were awarded.

    The best-ranked award shows the fraction of its cap that this call gave; where nothing was awarded, or a person
    decided, the whole. At least the minimum, at most the cap.
    """
    bounds = file.limits.of(tier)
    cap = min(asked, bounds.maximum)
    ranked = sorted((each for each in sheets if each.amounts and each.rank), key=lambda each: each.rank or 0)
    if ranked and ranked[0].amounts:
        best = min(ranked[0].asked, file.limits.of(ranked[0].tier).maximum)
        cap = min(cap, cap * ranked[0].amounts.passes // best)
    return max(bounds.minimum, cap)


def effect(file: CallFile, full: int, tier: str, in_reserve: Mapping[str, int], part: int | None = None) -> Effect:
    """Return what is given. Nobody is unseated: it comes out of the reserve, and never from what others have.

    Args:
        file: the call.
        full: what the rule gives.
        tier: that it is of.
        in_reserve: what the reserve holds, by unit.
        part: what a panel gives that upholds it in part; None gives all.
    """
    wanted = full if part is None else min(part, full)
    can = file.within(in_reserve)
    if wanted <= can:
        return Effect(file.amounts(wanted), full)
    if can >= file.limits.of(tier).minimum and file.after.appeals.if_short is IfShort.WHAT_IS_LEFT:
        return Effect(file.amounts(can), full)
    return Effect(None, full, place=True)


def check_part(file: CallFile, full: int, tier: str, part: int | None) -> Refusal | None:
    """Refuse to uphold in part without saying how much, or with less than is useful."""
    least = min(file.limits.of(tier).minimum, full)
    if part is not None and least <= part <= full:
        return None
    reason = f"Say how many passes it gives: from {least} to {full}."
    return Refusal("admissions/amount-out-of-bounds", reason, {"least": least, "most": full})
