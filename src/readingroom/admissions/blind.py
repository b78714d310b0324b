"""What a reviewer sees of an application: a type with no place for a name.

The view is made of the submitted version and the call's form alone. It cannot carry the applicant, the team,
the times or the answers that the form keeps from reviewers, for it has no field for them; a property test holds
its bytes equal whoever the applicant is. It is named by its review and not by its application, whose id stands
beside its applicant's pseudonym in the public log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from readingroom.admissions.call import CallFile, Criterion, Phase
from readingroom.admissions.model import Answer, Judgement, ReviewState, Risk, Version
from readingroom.admissions.phases import PhaseNow
from readingroom.core.canonical import Json


@dataclass(frozen=True, slots=True)
class BlindView:
    """An application without its applicant.

    Attributes:
        review: the id of this reviewer's review: random, and nowhere beside the application's.
        answers: only those that the call's form shows to reviewers, in the form's order.
    """

    review: str
    passes: int
    tier: str
    answers: Mapping[str, Answer]

    def to_json(self) -> Json:
        """Return it as JSON."""
        return {
            "review": self.review,
            "passes": self.passes,
            "tier": self.tier,
            "answers": dict(self.answers),
        }


@dataclass(frozen=True, slots=True)
class ReviewVersion:
    """What a review said at one time; the first is never lost.

    Attributes:
        why: why it was amended; empty for the first.
    """

    number: int
    phase: Phase
    judgement: Judgement
    why: str
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class Peer:
    """Another review of the same application: under an alias, and without its id or its time.

    Attributes:
        reviewer: the alias; or, for who may know, the person's pseudonym.
        why: why it was last amended, if it was.
        first: what it said at first, if it was amended.
    """

    reviewer: str
    judgement: Judgement
    why: str = ""
    first: Judgement | None = None


@dataclass(frozen=True, slots=True)
class Opinion:
    """What somebody with the role safety says of an application's risk of misuse, apart from its merit."""

    application: str
    person: str
    opinion: Risk
    reason: str
    given_at: datetime


@dataclass(frozen=True, slots=True)
class PanelNote:
    """What one of the panel says of an application; the rank is advice, 1 is the best."""

    application: str
    person: str
    rank: int | None
    comment: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Case:
    """An application as the panel, or who judges its risk, sees it.

    Attributes:
        view: named by the case, which stands in no log.
        application: its id; empty where names are hidden.
        person: who applies, a pseudonym; empty where names are hidden.
        reviews: what was said; empty before that is shown.
        given: how many reviews are given, and `needed` how many there must be.
        mine: what the one who looks has written.
    """

    view: BlindView
    application: str = ""
    person: str = ""
    reviews: tuple[Peer, ...] = ()
    opinions: tuple[Opinion, ...] = ()
    notes: tuple[PanelNote, ...] = ()
    given: int = 0
    needed: int = 0
    mine: PanelNote | Opinion | None = None


@dataclass(frozen=True, slots=True)
class ReviewTask:
    """Something to review, as its reviewer sees it: the blind view, the criteria, and one's own judgement.

    Attributes:
        phase: where the call's review is, and by when this phase should be done.
        peers: the other reviews of the same application, once the phase shows them and the own one is given.
    """

    call: str
    view: BlindView
    criteria: tuple[Criterion, ...]
    anchors: tuple[tuple[int, str], ...]
    state: ReviewState
    mine: Judgement | None
    phase: PhaseNow = field(default_factory=PhaseNow)
    peers: tuple[Peer, ...] = ()


class ToDo(NamedTuple):
    """How many reviews one is asked for in a call, and how many of them one has given."""

    all: int
    given: int


def blind_view(review: str, version: Version, file: CallFile) -> BlindView:
    """Show a submitted version to a reviewer."""
    given = version.draft.answers
    shown = {each.name: given[each.name] for each in file.form if each.shown and each.name in given}
    return BlindView(review, version.draft.passes, version.draft.tier, shown)
