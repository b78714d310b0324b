"""What a reviewer sees of an application: a type with no place for a name.

The view is made of the submitted version and the call's form alone. It cannot carry the applicant, the team,
the times or the answers that the form keeps from reviewers, for it has no field for them; a property test holds
its bytes equal whoever the applicant is. It is named by its review and not by its application, whose id stands
beside its applicant's pseudonym in the public log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from readingroom.admissions.call import CallFile, Criterion
from readingroom.admissions.model import Answer, Judgement, ReviewState, Version
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
class ReviewTask:
    """Something to review, as its reviewer sees it: the blind view, the criteria, and one's own judgement."""

    call: str
    view: BlindView
    criteria: tuple[Criterion, ...]
    anchors: tuple[tuple[int, str], ...]
    state: ReviewState
    mine: Judgement | None


def blind_view(review: str, version: Version, file: CallFile) -> BlindView:
    """Show a submitted version to a reviewer."""
    given = version.draft.answers
    shown = {each.name: given[each.name] for each in file.form if each.shown and each.name in given}
    return BlindView(review, version.draft.passes, version.draft.tier, shown)
