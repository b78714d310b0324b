"""How a call is run: who may apply, the sift, what the lab reckons with, by when a person decides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction

from readingroom.admissions.call import Eligibility, Expectation, Sift
from readingroom.admissions.call_file.fields import distinct
from readingroom.core.document import Node

MAX_APPLICATIONS = 1_000_000
MAX_MINUTES = 10_000
_KIND = re.compile(r"[a-z0-9]+(?:[-_:.][a-z0-9]+)*")
_DURATION = re.compile(r"([1-9]\d{0,3})([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def eligibility(node: Node) -> Eligibility:
    """Read who may apply."""
    fields = node.fields([], ["affiliations", "credentials", "desk"])
    return Eligibility(
        affiliations=_kinds(fields, "affiliations"),
        credentials=_kinds(fields, "credentials"),
        desk="desk" in fields and fields["desk"].flag(),
    )


def _kinds(fields: Mapping[str, Node], name: str) -> tuple[str, ...]:
    if name not in fields:
        return ()
    kinds = distinct(fields[name])
    for each in kinds:
        if not _KIND.fullmatch(each):
            fields[name].problem(f"{each!r} is no kind", "Write it in small letters, as 'ethics-training'")
    return kinds


def sift(node: Node) -> Sift:
    """Read the first look; whether its criterion and line are the call's is judged with the whole."""
    fields = node.fields(["reviews", "criterion", "line"])
    return Sift(
        reviews=fields["reviews"].integer(1, 2) if "reviews" in fields else 1,
        criterion=fields["criterion"].text() if "criterion" in fields else "",
        line=Fraction(str(fields["line"].number(0, 999))) if "line" in fields else Fraction(0),
    )


def expectation(node: Node) -> Expectation:
    """Read what the lab reckons with."""
    names = ("minutes_per_review", "minutes_per_sift", "minutes_at_desk", "minutes_in_panel")
    fields = node.fields(["applications"], ["reviewers", "reviews_each", "panel", *names])
    known = {name: fields[name].integer(1, MAX_MINUTES) for name in names if name in fields}
    known |= {name: fields[name].integer(1, 100_000) for name in ("reviewers", "reviews_each") if name in fields}
    if "panel" in fields:
        known["panel"] = fields["panel"].integer(1, 100)
    return Expectation(fields["applications"].integer(1, MAX_APPLICATIONS) if "applications" in fields else 1, **known)


def duration(node: Node) -> timedelta:
    """Read a time as `24h`, `3d` or `2w`."""
    found = _DURATION.fullmatch(node.text("1d"))
    if found is None:
        node.problem(f"{node.path} is no duration", "Write 24h, 3d or 2w")
        return timedelta(days=1)
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
