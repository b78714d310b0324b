"""Planning a call: its templates, the check of its file (with a house or without), what it needs, its rehearsal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any

from readingroom.access import queries as access
from readingroom.admissions import call_file, planning
from readingroom.admissions.call import CallFile, Window
from readingroom.admissions.planning import Needs, Speed
from readingroom.admissions.rules import check_opening
from readingroom.app.house import House
from readingroom.core.clock import rfc3339
from readingroom.core.errors import BadInput, Problem
from readingroom.gateway import queries as gateway
from readingroom.releases import queries as releases

KINDS = ("ticket", "competition", "bulk")
WINDOW = timedelta(days=42)  # of a template: six weeks
_PLACES = {
    "admissions/stage-unknown": "stage",
    "admissions/stage-not-lent": "stage",
    "admissions/tier-unknown": "tiers",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What `call check` says of a file that can be read.

    Attributes:
        problems: why it cannot be opened in this house; none where it can, or no house was asked.
        housed: whether a house was asked for its stage, tiers and terms.
    """

    file: CallFile
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    needs: Needs
    housed: bool

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "ok": not self.problems,
            "title": self.file.title,
            "parts": [
                {"part": each.part, "budget": each.budget.to_json(), "reserve": each.reserve}
                for each in self.file.parts
            ],
            "problems": [_told(each) for each in self.problems],
            "warnings": [_told(each) for each in self.warnings],
            "needs": self.needs.to_json(),
            "checked_against_house": self.housed,
        }


def _told(problem: Problem) -> dict[str, str]:
    return {"where": problem.where, "what": problem.what, "cure": problem.cure}


def template(kind: str, now: datetime) -> str:
    """Return a call file to edit, with a window of six weeks from today.

    Raises:
        BadInput: there is none of this kind.
    """
    if kind not in KINDS:
        raise BadInput([Problem("KIND", f"{kind!r} is no kind of call", f"One of: {', '.join(KINDS)}")])
    text = (files("readingroom.app") / "templates" / "calls" / f"{kind}.yaml").read_text(encoding="utf-8")
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for word, moment in (("OPENS", today), ("CLOSES", today + WINDOW)):
        text = text.replace(f" {word}\n", f" {moment:%Y-%m-%dT%H:%M:%SZ}\n")
    return text


def check(
    text: str, name: str, house: House | None = None, applications: int | None = None, speed: Speed | None = None
) -> Report:
    """Check a call file: what is wrong with it, what is seldom meant, and what the call will need.

    Args:
        text: the call file.
        name: its name, for errors.
        house: whose stage, tiers and terms are asked; None checks the file alone.
        applications: how many are expected; None takes the file's own number.
        speed: of the engine; None takes the house's record, if it has any.

    Raises:
        BadInput: the file is not a call; every problem with its place.
    """
    read = call_file.check(text, name)
    problems = tuple(_against(house, read)) if house else ()
    known = speed or (measured_speed(house) if house else None)
    found = planning.needs(read.file, applications, known)
    return Report(read.file, problems, read.warnings, found, housed=house is not None)


def _against(house: House, read: call_file.Checked) -> list[Problem]:
    """Ask a house whether it could open the call now: its stage and tiers, and whether any terms are in force."""
    now, file = house.clock.now(), read.file
    with house.db.read() as tx:
        stage = releases.stage_fact(tx, file.stage, now)
        terms = access.terms_versions(tx)
    found = []
    # The window is judged apart, so that one run tells both.
    refusal = check_opening(replace(file, window=_always(file, now), rounds=()), stage, now)
    if refusal:
        found.append(Problem(read.where(_PLACES.get(refusal.code, "stage")), refusal.reason.rstrip("."), refusal.code))
    if min(each.window.closes for each in file.parts) <= now:
        place = read.where("rounds" if file.rounds else "window")
        found.append(Problem(place, "a window of the call is already over", "Give it a later end"))
    pinned = planning.check_terms(file, terms[-1].hash if terms else "")
    if pinned:
        found.append(Problem(read.where("terms"), pinned.reason.rstrip("."), pinned.code))
    elif not terms:
        found.append(Problem(read.where("terms"), "no terms are in force here", "Put them in force: terms publish"))
    return found


def _always(file: CallFile, now: datetime) -> Window:
    return Window(file.window.opens, now + WINDOW)


def measured_speed(house: House) -> Speed | None:
    """Return the passes per second of the busiest minute on record; None where nothing was read yet."""
    with house.db.read() as tx:
        busiest = gateway.busiest_minute(tx)
    if busiest is None:
        return None
    minute, passes = busiest
    source = f"the busiest minute on record here, {rfc3339(minute)[:16]}Z; the engine may be faster"
    return Speed(passes / 60, source)


def needs_rows(needs: Needs) -> list[tuple[str, str, str, str]]:
    """Return the count as the rows of a table: what, how many, hours, how it was reckoned."""
    rows = [(e.what, f"{e.count:,.4g} {e.unit}", f"{e.hours:,.1f}" if e.hours else "", e.how) for e in needs.lines]
    return [*rows, ("persons, all together", "", f"{needs.hours:,.1f}", "the sum of the hours above")]


def speed_of(given: float | None) -> Speed | None:
    """Return a speed as it was given; None where none was."""
    return None if given is None else Speed(given, "--passes-per-second")
