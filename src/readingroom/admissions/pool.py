"""The reviewers of a call: invited with what they know, accepted by their own act, limited in load. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from readingroom.admissions.conflicts import fold_who, fold_words
from readingroom.admissions.model import Answer, Conflict, ConflictKind, Disposition
from readingroom.core.clock import rfc3339
from readingroom.core.errors import Problem
from readingroom.core.refusal import Refusal
from readingroom.core.text import line_problem, needed_problem

MOST_TOPICS = 20
MOST_LOAD = 1000
MOST_TIES = 500
POINTS = 25  # of expertise for each topic that is found
EXPERT = 100  # the most


class InvitationState(StrEnum):
    """Where an invitation to review stands; only persons move it."""

    INVITED = "invited"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a reviewer is asked for, or takes on.

    Attributes:
        topics: what the reviewer knows, in words that applicants would use.
        load: the most applications; None leaves it to the call.
    """

    topics: tuple[str, ...] = ()
    load: int | None = None


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody asked to review in a call.

    Attributes:
        answer_by: when an answer is asked for; nothing happens by it.
    """

    call: str
    person: str
    state: InvitationState
    scope: Scope = field(default_factory=Scope)
    answer_by: datetime | None = None
    invited_at: datetime | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """A conflict that was found once, and what became of it."""

    application: str
    person: str
    conflict: Conflict
    disposition: Disposition = Disposition.STANDS
    reason: str = ""
    decided_by: str = ""
    found_at: datetime | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Disposal:
    """What a person does with a conflict, and why."""

    kind: ConflictKind
    disposition: Disposition
    reason: str


class TieKind(StrEnum):
    """What somebody declares of somebody."""

    COAUTHOR = "co-author"
    SUPERVISOR = "supervisor"
    NAMED = "named"  # by an applicant: who should not review this application


@dataclass(frozen=True, slots=True)
class Tie:
    """A declaration: of a person about somebody, by address or full name."""

    id: str
    person: str
    kind: TieKind
    who: str
    reason: str = ""
    application: str = ""


def expertise(topics: Collection[str], answers: Mapping[str, Answer], shown: Iterable[str]) -> int:
    """Return how well a reviewer's topics fit an application, from 0 to 100.

    Each topic that stands, as whole words, in an answer that reviewers are shown adds 25: what nobody is shown, as
    the machine, matches nobody. Four are enough, so that a longer list gains nothing.
    """
    texts = [f" {fold_words(str(answers[name]))} " for name in shown if name in answers]
    found = sum(1 for topic in topics if (word := fold_words(topic)) and any(f" {word} " in text for text in texts))
    return min(EXPERT, POINTS * found)


def limit(own: int | None, call: int | None) -> int | None:
    """Return the most applications for a reviewer: the lesser of their own limit and the call's."""
    known = [each for each in (own, call) if each is not None]
    return min(known) if known else None


def scope_problems(scope: Scope) -> list[Problem]:
    """Find what is wrong with topics and load."""
    topics, load, found = scope.topics, scope.load, []
    if len(topics) > MOST_TOPICS:
        found.append(Problem("topics", f"are more than {MOST_TOPICS}", "Name what the reviewer knows best"))
    found += [problem for each in topics if (problem := line_problem("topics", each, 80))]
    if load is not None and not 1 <= load <= MOST_LOAD:
        found.append(Problem("load", f"must be a whole number from 1 to {MOST_LOAD}", "Or leave it out: no own limit"))
    return found


def tie_problems(kind: TieKind, who: str, reason: str) -> list[Problem]:
    """Find what is wrong with a declaration."""
    folded = fold_who(who)
    found = [line_problem("who", who)]
    if "@" not in folded and " " not in folded:
        cure = "Write an e-mail address, or a first and a last name"
        found.append(Problem("who", "is neither an address nor a full name", cure))
    if kind is TieKind.NAMED:
        found.append(needed_problem("reason", reason, "Say why this person should not review it"))
    return [each for each in found if each]


def check_expiring(invitation: Invitation, now: datetime) -> Refusal | None:
    """Refuse to take an invitation back before the date that it named."""
    if invitation.answer_by is None or now > invitation.answer_by:
        return None
    until = rfc3339(invitation.answer_by)
    return Refusal("admissions/invitation-open", f"An answer was asked for by {until}.", {"answer_by": until})
