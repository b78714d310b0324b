"""Who is asked to join an application, or to vouch for it: invitations, and what may be done with one. Pure.

One letter, one answer, in both cases. An invitation that has run out can no longer be answered; that decides nothing:
another letter can be sent, and silence is neither a membership nor a vouching.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from readingroom.admissions.call import CallFile
from readingroom.admissions.form import Guarantor
from readingroom.admissions.machines import Machine
from readingroom.admissions.model import Application, ApplicationState, Outcome, Reason, Ruling
from readingroom.core.clock import rfc3339
from readingroom.core.refusal import Refusal
from readingroom.core.text import many
from readingroom.people.model import Person

LIFE = timedelta(days=14)  # of a letter's link
BETWEEN_LETTERS = timedelta(hours=24)
MOST_LETTERS = 5  # to one address about one application
MOST_AN_HOUR = 20  # letters that one person has sent by us: more would make a post office of the house
MOST_MEMBERS = 50
OVER = frozenset({ApplicationState.WITHDRAWN, ApplicationState.REFUSED})


class Part(StrEnum):
    """What somebody is asked to be."""

    MEMBER = "member"
    GUARANTOR = "guarantor"


class InvitationState(StrEnum):
    """Where an invitation stands."""

    INVITED = "invited"
    ACCEPTED = "accepted"  # of a guarantor: vouched
    DECLINED = "declined"  # of a guarantor: refused to vouch
    LEFT = "left"  # a member went
    REMOVED = "removed"  # the applicant took it back, or somebody out of the team


_S = InvitationState
INVITATION = Machine(
    "invitation",
    _S.INVITED,
    {
        (_S.INVITED, "remind"): _S.INVITED,
        (_S.INVITED, "accept"): _S.ACCEPTED,
        (_S.INVITED, "decline"): _S.DECLINED,
        (_S.INVITED, "remove"): _S.REMOVED,
        (_S.ACCEPTED, "leave"): _S.LEFT,
        (_S.ACCEPTED, "remove"): _S.REMOVED,
        (_S.ACCEPTED, "ask again"): _S.INVITED,  # of a guarantor, once another version counts than was vouched for
    },
)


@dataclass(frozen=True, slots=True)
class Invitation:
    """An address that was asked, and who answered.

    Attributes:
        person: who answered; empty until then.
        words: what a guarantor wrote.
        version: of the application, which a guarantor vouched for.
        letters: how many were sent.
        expires_at: until when the newest letter's link can be used.
    """

    id: str
    application: str
    part: Part
    state: InvitationState
    email: str
    person: str
    words: str
    version: int | None
    letters: int
    made_at: datetime
    sent_at: datetime
    expires_at: datetime
    answered_at: datetime | None = None


def members(found: Collection[Invitation]) -> tuple[str, ...]:
    """Return the persons who accepted to work with the applicant, and have not gone."""
    joined = [each for each in found if each.part is Part.MEMBER and each.state is _S.ACCEPTED]
    return tuple(sorted({each.person for each in joined}))


def vouched(found: Collection[Invitation], version: int) -> bool:
    """Tell whether a guarantor vouches for this version: a word for an earlier one is none for it."""
    return any(each.part is Part.GUARANTOR and each.state is _S.ACCEPTED and each.version == version for each in found)


def may_vouch(
    file: CallFile, who: str, inside: Collection[str], signs_for: Collection[str], own: Collection[str]
) -> bool:
    """Tell whether somebody's word counts for an application, whenever it is looked at.

    Args:
        file: of the call.
        who: vouches.
        inside: the applicant and the team: one of them may turn out to be the guarantor, after a merge of accounts.
        signs_for: institutions for which the guarantor may sign now, as a steward has confirmed.
        own: institutions that the applicant names as theirs; the word is what confirms it.
    """
    if who in inside:
        return False
    return file.guarantor is not Guarantor.LISTED or bool(_folded(signs_for) & _folded(own))


def _folded(names: Collection[str]) -> set[str]:
    return {" ".join(each.split()).casefold() for each in names}


def check_signing(counts: bool) -> Refusal | None:  # noqa: FBT001 - what `may_vouch` says
    """Refuse a word that would not count: the twin of `may_vouch`, once it is clear that they are not in the team."""
    if counts:
        return None
    reason = (
        "This call hears only who is confirmed as signing for an institution that the applicant names as theirs. Claim "
        "the right under My account (a steward confirms it); the applicant names the institution, spelled alike, under "
        "theirs."
    )
    return Refusal("admissions/not-a-signatory", reason)


def check_vouched(file: CallFile, application: Application, found: Collection[Invitation]) -> Refusal | None:
    """Refuse to award what a guarantor must vouch for, and does not; `found` are those whose word would count."""
    version = application.submitted.number if application.submitted else 0
    if not file.guarantor.needed or vouched(found, version):
        return None
    reason = "Nobody has vouched for this application, as its call asks. Silence is no vouching; remind the guarantor."
    return Refusal("admissions/not-vouched", reason, {"application": application.id, "version": version})


def check_ruling(ruling: Ruling, unvouched: Refusal | None) -> Refusal | None:
    """Refuse an award without a vouching that the call asks for, and a refusal for its lack where there is one."""
    if ruling.outcome is Outcome.AWARDED:
        return unvouched
    if ruling.reason is Reason.NOT_VOUCHED and unvouched is None:
        reason = "Somebody vouched for it, or nobody has to; give another reason."
        return Refusal("admissions/reason-not-fitting", reason, {"reason": ruling.reason.value})
    return None


def check_all_vouched(waiting: Collection[str]) -> Refusal | None:
    """Refuse to allocate past applications for which nobody vouched: no rule decides on them, so a person has to."""
    if not waiting:
        return None
    reason = (
        f"Nobody has vouched for {many(len(waiting), 'application')}, as this call asks. Have the guarantors reminded, "
        "or refuse each in person: `readingroom application decide ID refused --reason not-vouched --note TEXT`."
    )
    return Refusal("admissions/not-vouched", reason, {"applications": sorted(waiting)})


def check_asking(
    file: CallFile, application: Application, part: Part, found: Collection[Invitation], email: str
) -> Refusal | None:
    """Refuse an invitation of who was asked already, into what is over, or for what the call does not ask."""
    if application.state in OVER:
        return Refusal("admissions/application-over", "This application is over; nobody can be invited into it.")
    living = [each for each in found if each.state in {_S.INVITED, _S.ACCEPTED}]
    if any(each.email == email for each in living):
        reason = "This address was asked already; remind it, or take the invitation back first."
        return Refusal("admissions/already-invited", reason)
    if part is Part.MEMBER:
        full = sum(each.part is part for each in living) >= MOST_MEMBERS
        reason = f"A team has at most {MOST_MEMBERS} members besides the applicant."
        return Refusal("admissions/team-full", reason) if full else None
    return _check_guarantor(file, application, living)


def _check_guarantor(file: CallFile, application: Application, living: Collection[Invitation]) -> Refusal | None:
    if file.guarantor is Guarantor.NONE:
        return Refusal("admissions/no-guarantor", "This call asks for no guarantor.")
    if application.submitted is None:
        reason = "Submit the application first: a guarantor vouches for what was submitted."
        return Refusal("admissions/not-submitted", reason)
    if any(each.part is Part.GUARANTOR for each in living):
        reason = "A guarantor was asked already; take that back first to ask another."
        return Refusal("admissions/already-invited", reason)
    return None


def check_letter(found: Invitation, application: Application, now: datetime) -> Refusal | None:
    """Refuse another letter to who was just written to, or often, or has answered."""
    current = application.submitted.number if application.submitted else 0
    stale = found.part is Part.GUARANTOR and found.state is _S.ACCEPTED and found.version != current
    refusal = INVITATION.check(found.state, "ask again" if stale else "remind")
    if refusal is not None:
        return refusal
    again = found.sent_at + BETWEEN_LETTERS
    if not stale and found.letters >= MOST_LETTERS:
        return Refusal(
            "admissions/letters-spent", f"{MOST_LETTERS} letters were sent to this address, and no more are."
        )
    if not stale and now < again:
        reason = f"A letter was sent to this address within a day; another can be from {rfc3339(again)}."
        return Refusal("admissions/reminded-lately", reason, {"from": rfc3339(again)})
    return None


def letters_spent() -> Refusal:
    """Say that an address was written to often enough."""
    reason = f"{MOST_LETTERS} letters were sent to this address, and no more are."
    return Refusal("admissions/letters-spent", reason)


def check_answering(
    found: Invitation, application: Application, who: Person, team: Collection[str], *, reviews: bool
) -> Refusal | None:
    """Refuse an answer by who cannot be what they are asked to be.

    Args:
        found: the invitation.
        application: into which it is.
        who: answers, signed in.
        team: persons who are members already.
        reviews: whether this person is asked to review this application.
    """
    if who.id == application.person:
        return Refusal("admissions/own-application", "This is your own application; somebody else has to answer.")
    if reviews:  # nobody learns this but the reviewer
        reason = "You are asked to review this application. Declare the conflict first; then you may answer."
        return Refusal("admissions/conflict", reason)
    if found.part is Part.GUARANTOR and who.email != found.email:
        reason = "A guarantor vouches in person: sign in with the address to which this letter was sent."
        return Refusal("admissions/not-the-guarantor", reason)
    if who.id in team:
        reason = (
            "You are in the team already." if found.part is Part.MEMBER else "Who is in the team cannot vouch for it."
        )
        return Refusal("admissions/already-a-member", reason)
    return None


def usable(found: Invitation, application: Application, now: datetime) -> bool:
    """Tell whether a letter's link can still be used. That it cannot decides nothing: another can be sent."""
    return found.state is _S.INVITED and now <= found.expires_at and application.state not in OVER


def unusable() -> Refusal:
    """Return the one answer to every link that cannot be used: it tells nobody whether there ever was one."""
    reason = "This invitation was answered, taken back or has run out; ask who invited you for another letter."
    return Refusal("admissions/invitation-unknown", reason)
