"""The sift: a first look at each application by one or two reviewers, on one criterion.

It sets nobody aside. What is under the call's line is put before a person, who confirms, with a reason, that it goes
no further, or lets it go on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from readingroom.admissions.call import Call, CallFile
from readingroom.admissions.model import Application, ApplicationState, CallState
from readingroom.core.errors import Problem
from readingroom.core.refusal import Refusal
from readingroom.core.text import many

MAX_COMMENT = 2_000  # characters


@dataclass(frozen=True, slots=True)
class Sifted:
    """One reviewer's look at one application; `score` is None until it was given."""

    id: str
    call: str
    application: str
    reviewer: str
    score: int | None = None
    comment: str = ""
    submitted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """What the sift says of one application; `mean` is None while a look is missing."""

    application: str
    mean: Fraction | None
    below: bool


def tally(file: CallFile, applications: Iterable[str], looks: Collection[Sifted]) -> list[Tally]:
    """Add the looks up, the lowest mean first, what is not yet looked at last."""
    given: dict[str, list[int]] = {}
    for each in looks:
        if each.score is not None:
            given.setdefault(each.application, []).append(each.score)
    made = [_tally(file, each, given.get(each, [])) for each in applications]
    return sorted(made, key=lambda one: (one.mean is None, one.mean or Fraction(0), one.application))


def _tally(file: CallFile, application: str, scores: list[int]) -> Tally:
    if file.sift is None or len(scores) < file.sift.reviews:
        return Tally(application, None, below=False)
    mean = Fraction(sum(scores), len(scores))
    return Tally(application, mean, mean < file.sift.line)


def check_siftable(call: Call) -> Refusal | None:
    """Refuse to sift where the call does not, or not yet, or no longer."""
    if call.file.sift is None:
        return Refusal("admissions/no-sift", "This call has no sift; assign its reviewers.")
    if call.state is CallState.CLOSED:
        return None
    reason = "The sift begins when the call is closed, and ends when it is allocated."
    return Refusal("admissions/not-in-review", reason, {"state": call.state.value})


def check_sifted(file: CallFile, tallies: Collection[Tally], kept: frozenset[str]) -> Refusal | None:
    """Refuse full reviews while a look is missing, or while what is under the line waits for a person."""
    if file.sift is None:
        return None
    unseen = [each.application for each in tallies if each.mean is None]
    unconfirmed = [each.application for each in tallies if each.below and each.application not in kept]
    if not unseen and not unconfirmed:
        return None
    reason = (
        f"The sift is not done: {many(len(unseen), 'application')} without a look, and {len(unconfirmed)} under the "
        "line waiting for a person to confirm (`readingroom call sift`)."
    )
    return Refusal("admissions/sift-pending", reason, {"unseen": len(unseen), "unconfirmed": len(unconfirmed)})


def check_confirmable(found: Application, one: Tally | None) -> Refusal | None:
    """Refuse to rule on what the sift does not put before a person."""
    if found.state is ApplicationState.SUBMITTED and one is not None and one.below:
        return None
    reason = "The sift has not put this application under the line, so there is nothing to confirm."
    return Refusal("admissions/not-below-the-line", reason, {"state": found.state.value})


def look_problems(file: CallFile, score: int, comment: str) -> list[Problem]:
    """Find what is wrong with a look."""
    found = []
    low, high = (file.reviewing.low, file.reviewing.high) if file.reviewing else (0, 0)
    if isinstance(score, bool) or not isinstance(score, int) or not low <= score <= high:
        found.append(Problem("score", f"must be a whole number from {low} to {high}", "Use the call's anchors"))
    if not comment.strip() or len(comment) > MAX_COMMENT:
        found.append(Problem("comment", f"is needed, up to {MAX_COMMENT} characters", "Say in a line why"))
    return found
