"""What a call will need: persons for desk, sift, reviews and panel, and days of the engine. Counted, not guessed.

The counts are of the worst case: every application passes the desk and the sift. What is reckoned with (minutes, how
many reviews one reviewer takes) stands in the call file under `expects`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from readingroom.admissions.call import CallFile, Expectation
from readingroom.core.canonical import Json
from readingroom.core.refusal import Refusal

DAY = 86_400  # seconds


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast the engine is, and where that is known from."""

    passes_per_second: float
    source: str


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the count.

    Attributes:
        count: of what `unit` names.
        hours: of persons' time, all of them together; 0 where it is none.
        how: the calculation, in words.
    """

    what: str
    count: float
    unit: str
    hours: float
    how: str


@dataclass(frozen=True, slots=True)
class Needs:
    """All that a call will need.

    Attributes:
        engine_days: of the engine running for nothing else; None where its speed is not known.
        short: what does not fit together, in words.
    """

    applications: int
    assumed: bool
    lines: tuple[Line, ...]
    engine_days: float | None
    speed: Speed | None
    short: tuple[str, ...]

    @property
    def hours(self) -> float:
        """Return the persons' hours, all together."""
        return sum(each.hours for each in self.lines)

    def to_json(self) -> Json:
        """Return it as JSON."""
        return {
            "applications": self.applications,
            "assumed": self.assumed,
            "lines": [
                {"what": e.what, "count": round(e.count, 2), "unit": e.unit, "hours": round(e.hours, 1), "how": e.how}
                for e in self.lines
            ],
            "person_hours": round(self.hours, 1),
            "engine_days": None if self.engine_days is None else round(self.engine_days, 3),
            "passes_per_second": self.speed.passes_per_second if self.speed else None,
            "speed_from": self.speed.source if self.speed else None,
            "short": list(self.short),
        }


def check_terms(file: CallFile, in_force: str) -> Refusal | None:
    """Refuse to open a call that pins its terms by digest where others are in force; a name pins nothing."""
    if not file.terms.startswith("sha256:") or file.terms == in_force:
        return None
    reason = f"The call is for the terms {file.terms}; in force are {in_force or 'none'}. Publish those, or name these."
    return Refusal("admissions/other-terms", reason, {"pinned": file.terms, "in_force": in_force})


def awards_at_most(file: CallFile) -> int:
    """Return how many awards the call can make, were all at the minimum."""
    return max(0, (file.budget.passes - file.reserve) // file.limits.minimum)


def needs(file: CallFile, applications: int | None = None, speed: Speed | None = None) -> Needs:
    """Count what a call needs.

    Args:
        file: the call.
        applications: how many are expected; None takes the file's own number, or as many as it could award.
        speed: of the engine; None leaves the engine days open.
    """
    said = file.expects or Expectation(applications=max(1, awards_at_most(file)))
    assumed = applications is None and file.expects is None
    expects = replace(said, applications=applications or said.applications)
    lines = [*_desk(file, expects), *_sift(file, expects), *_reviews(file, expects), *_panel(file, expects)]
    days = file.budget.passes / speed.passes_per_second / DAY if speed else None
    if speed and days is not None:
        how = f"{file.budget.passes:,} passes at {speed.passes_per_second:,.1f} a second ({speed.source})"
        lines.append(Line("engine", days, "days", 0, how))
    short = tuple(_short(file, expects, days))
    return Needs(expects.applications, assumed, tuple(lines), days, speed, short)


def _desk(file: CallFile, expects: Expectation) -> list[Line]:
    n, minutes = expects.applications, expects.minutes_at_desk
    if file.eligibility.desk or not file.competitive:
        what = "desk" if file.competitive else "desk, deciding"
        return [Line(what, n, "applications", n * minutes / 60, f"{n} x {minutes} minutes")]
    return []


def _sift(file: CallFile, expects: Expectation) -> list[Line]:
    if file.sift is None:
        return []
    count = expects.applications * file.sift.reviews
    how = f"{expects.applications} x {file.sift.reviews} x {expects.minutes_per_sift} minutes"
    return [Line("sift", count, "reviews", count * expects.minutes_per_sift / 60, how)]


def _reviews(file: CallFile, expects: Expectation) -> list[Line]:
    if not file.reviews_needed:
        return []
    count = expects.applications * file.reviews_needed
    hours = count * expects.minutes_per_review / 60
    how = f"{expects.applications} x {file.reviews_needed} x {expects.minutes_per_review} minutes"
    if file.distributed:
        how_many = f"each applicant gives {file.reviews_needed}"
        return [
            Line("reviews", count, "reviews", hours, how),
            Line("reviewers", expects.applications, "applicants", 0, how_many),
        ]
    people = reviewers_needed(file, expects)
    return [
        Line("reviews", count, "reviews", hours, how),
        Line("reviewers", people, "persons", 0, f"at most {expects.reviews_each} reviews each"),
    ]


def reviewers_needed(file: CallFile, expects: Expectation) -> int:
    """Return how many reviewers a call needs: never fewer than each application's, and one to spare for a conflict."""
    count = expects.applications * file.reviews_needed
    return max(-(-count // expects.reviews_each), file.reviews_needed + 1)


def _panel(file: CallFile, expects: Expectation) -> list[Line]:
    if not file.competitive:
        return []
    # Those well under the line are not discussed: twice as many as can be awarded the most are.
    discussed = min(expects.applications, max(1, 2 * (file.budget.passes - file.reserve) // file.limits.maximum))
    hours = expects.panel * discussed * expects.minutes_in_panel / 60
    how = f"{expects.panel} persons x {discussed} discussed x {expects.minutes_in_panel} minutes"
    return [Line("panel", expects.panel, "persons", hours, how)]


def _short(file: CallFile, expects: Expectation, days: float | None) -> list[str]:
    found = []
    needed = reviewers_needed(file, expects) if file.reviews_needed and not file.distributed else 0
    if expects.reviewers and needed > expects.reviewers:
        each = expects.applications * file.reviews_needed / expects.reviewers
        found.append(
            f"{needed} reviewers are needed and {expects.reviewers} are there: {each:.0f} reviews each. "
            "Find more, ask for fewer reviews, sift first, or let applicants review one another."
        )
    if days is not None and days > file.limits.days:
        found.append(
            f"the engine needs {days:,.1f} days for the budget, and an award lasts {file.limits.days}: "
            "lengthen the awards, lower the budget or add engines."
        )
    return found
