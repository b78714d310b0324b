"""An application's history, who has it now and by when, as its applicant and the desk are told. Pure.

The facts have no place for a review: whatever reviewers do, or leave undone, makes no difference to a byte of it. A
date here says until when somebody may act, or was asked to; none of them decides anything.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from readingroom.admissions.call import Call
from readingroom.admissions.form import Guarantor
from readingroom.admissions.model import Application, ApplicationState, Award, AwardState, CallState
from readingroom.admissions.teams import Invitation, InvitationState, Part, vouched
from readingroom.admissions.timing import due
from readingroom.core.canonical import Json
from readingroom.core.clock import rfc3339

_A = "admissions."
TOLD = {  # event to what the applicant is told, with the entry's own data in it
    f"{_A}application.started": "Begun",
    f"{_A}application.submitted": "Version {version} submitted",
    f"{_A}application.returned": "Returned for correction, which is no refusal",
    f"{_A}application.late": "The window closed first; it is kept as late, and nothing was decided",
    f"{_A}application.moved": "Moved into the next round",
    f"{_A}application.admitted": "Admitted, though it came late",
    f"{_A}application.withdrawn": "Withdrawn",
    f"{_A}application.decided": "Decided: {outcome}, {reason}",
    f"{_A}member.invited": "Somebody invited into the team",
    f"{_A}member.accepted": "Somebody joined the team",
    f"{_A}member.declined": "Somebody declined to join the team",
    f"{_A}member.left": "Somebody left the team",
    f"{_A}member.removed": "Somebody taken out of the team",
    f"{_A}guarantor.invited": "A guarantor asked",
    f"{_A}guarantor.accepted": "The guarantor vouched for version {version}",
    f"{_A}guarantor.declined": "The guarantor refused to vouch",
    f"{_A}guarantor.removed": "The guarantor no longer asked",
    f"{_A}award.made": "An award offered",
    f"{_A}award.accepted": "The award accepted",
    f"{_A}award.declined": "The award declined",
    f"{_A}award.lapsed": "The offer taken back, as it was not accepted in time",
    f"{_A}award.returned": "A part of the award returned",
}


@dataclass(frozen=True, slots=True)
class Told:
    """An entry of the ledger about one application."""

    at: datetime
    event: str
    by: str
    data: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened to an application, and who did it, by role and never by name."""

    at: datetime
    event: str
    text: str
    by: str

    def to_json(self) -> Json:
        """Return it as JSON."""
        return {"at": rfc3339(self.at), "event": self.event, "text": self.text, "by": self.by}


@dataclass(frozen=True, slots=True)
class Waiting:
    """Who has an application, and until when; a role, never a person.

    Attributes:
        who: `you` and not `the applicant`, where the applicant reads it, is the page's to say.
        what: what they are to do.
        until: the last moment for it; None where nobody named one.
    """

    who: str
    what: str
    until: datetime | None = None

    def to_json(self) -> Json:
        """Return it as JSON."""
        return {"who": self.who, "what": self.what, "until": rfc3339(self.until) if self.until else None}


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a history rests on.

    Attributes:
        counting: of the invitations, those whose answer counts now (`teams.may_vouch`).
    """

    call: Call
    application: Application
    told: Sequence[Told]
    invitations: Collection[Invitation] = ()
    counting: Collection[Invitation] = ()
    award: Award | None = None


APPLICANT, DESK, REVIEWERS, PANEL, GUARANTOR, NOBODY = (
    "the applicant",
    "the desk",
    "the reviewers",
    "the panel",
    "the guarantor",
    "nobody",
)


def steps(facts: Facts) -> list[Step]:
    """Return what happened, the oldest first; with the end of submission, which happens to all of a call at once."""
    found = [_step(facts, each) for each in facts.told if each.event in TOLD]
    closed = facts.call.closed_at
    alive = facts.application.submitted is not None and not any(
        each.event.endswith((".withdrawn", ".decided")) and closed and each.at < closed for each in facts.told
    )
    if closed and alive:
        found.append(Step(closed, f"{_A}call.closed", "Submission to the call ended", DESK))
    return sorted(found, key=lambda step: step.at)


def _step(facts: Facts, told: Told) -> Step:
    text = TOLD[told.event].format_map(_Known(told.data))
    return Step(told.at, told.event, text, _role(facts, told))


class _Known(dict[str, Json]):
    """Figures and codes of an entry, the codes in words; one may be missing from an old entry."""

    def __getitem__(self, key: str) -> Json:
        value = super().__getitem__(key)
        return value.replace("-", " ") if isinstance(value, str) else value

    def __missing__(self, key: str) -> str:
        return f"({key} not on record)"


def _role(facts: Facts, told: Told) -> str:
    if told.by == facts.application.person:
        return APPLICANT
    thing = told.event.split(".")[1]
    if thing == "guarantor":
        return GUARANTOR
    if thing == "member":
        return "a member"
    return PANEL if told.event.endswith((".decided", ".made")) else DESK


def waiting(facts: Facts, now: datetime) -> list[Waiting]:
    """Return who has an application now; several where several are to act. Empty is never: nobody is said so."""
    state = facts.application.state
    if state in {ApplicationState.DRAFT, ApplicationState.RETURNED}:
        return [_unsent(facts, now)]
    if state is ApplicationState.LATE:
        who = DESK if facts.application.submitted else APPLICANT
        return [Waiting(who, "it came late and is kept; it counts once a person admits it, or in the next round")]
    if state in {ApplicationState.SUBMITTED, ApplicationState.UNDER_REVIEW}:
        return [*_guaranteed(facts), _in_play(facts, now)]
    if state is ApplicationState.AWARDED:
        return [_awarded(facts.award)]
    return [Waiting(NOBODY, "it was withdrawn" if state is ApplicationState.WITHDRAWN else "it was decided")]


def _unsent(facts: Facts, now: datetime) -> Waiting:
    application, call = facts.application, facts.call
    if application.state is ApplicationState.RETURNED:
        until = application.correct_until
        if until is None or now <= until:
            return Waiting(APPLICANT, "to correct it and submit it again", until)
        return Waiting(DESK, "its time to be corrected is over, which decides nothing: a person will")
    if call.state is CallState.OPEN and now < call.file.window.closes:
        return Waiting(APPLICANT, "to finish and submit it", call.file.window.closes)
    return Waiting(NOBODY, "the call no longer takes applications; what was saved is kept, nothing was decided")


def _guaranteed(facts: Facts) -> list[Waiting]:
    needed, application = facts.call.file.guarantor, facts.application
    version = application.submitted.number if application.submitted else 0
    if needed is Guarantor.NONE or vouched(facts.counting, version):
        return []
    asked = [each for each in facts.invitations if each.part is Part.GUARANTOR]
    open_ = next((each for each in asked if each.state is InvitationState.INVITED), None)
    if open_ is not None:
        return [Waiting(GUARANTOR, "to vouch for it, or refuse; silence is no vouching", open_.expires_at)]
    if not needed.needed:
        return []
    if vouched(asked, version):
        return [
            Waiting(APPLICANT, "to ask another guarantor: who vouched may not sign for an institution of theirs now")
        ]
    if any(each.state is InvitationState.ACCEPTED for each in asked):
        return [Waiting(APPLICANT, "to ask the guarantor again: an earlier version was vouched for")]
    return [Waiting(APPLICANT, "to name a guarantor: nothing is awarded before one has vouched")]


def _in_play(facts: Facts, now: datetime) -> Waiting:
    call, file = facts.call, facts.call.file
    if call.state is CallState.OPEN and facts.application.state is ApplicationState.SUBMITTED:
        if file.competitive:
            what = "it waits for the window to close, and may be amended until then"
            return Waiting(DESK, what, file.window.closes if now < file.window.closes else None)
        arrived = facts.application.arrived_at
        promised = due(file, arrived) if arrived else None
        if file.reviewing:
            return Waiting(DESK, "to assign it", promised)
        what = "to decide it; a date that passes decides nothing" if promised else "to decide it"
        return Waiting(PANEL, what, promised)
    if call.state is CallState.ALLOCATED:
        return Waiting(PANEL, "to publish what the call's rule gave")
    if facts.application.state is ApplicationState.UNDER_REVIEW:
        return Waiting(REVIEWERS, "to review it; they see no names")
    return Waiting(DESK, "to give it to reviewers" if file.reviewing else "to decide it")


def _awarded(award: Award | None) -> Waiting:
    if award is None or award.state is not AwardState.OFFERED:
        return Waiting(NOBODY, f"the award was {award.state.value}" if award else "it was awarded")
    return Waiting(APPLICANT, "to accept the award, or decline it", award.accept_by)
