"""Synthetic applicants and reviewers. Their answers fit the form; their worth and the reviewers' opinions are drawn.

An applicant's worth on each criterion is drawn around the applicant's own, that around the scale's middle and a bit.
A reviewer adds a leniency of their own and a noise for each score. The spreads are, as parts of the scale's width: 0.16
of worth, 0.10 of leniency, 0.17 of noise; they give about the agreement that panels have (correlation of two reviewers
of one application near 0.4).
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass

from readingroom.admissions.answers import without_unasked
from readingroom.admissions.call import CallFile, Reviewing
from readingroom.admissions.conflicts import Party, Side
from readingroom.admissions.form import Kind, Question
from readingroom.admissions.model import Answer, Draft, Judgement, Risk

WORTH, TASTE, LENIENCY, NOISE = 0.16, 0.08, 0.10, 0.17
MISUSE = 0.03  # of applicants whose use worries reviewers; each of their reviewers vetoes with even odds
DAY, NO_FILE = "2026-01-01", "sha256:" + "0" * 64  # what stands for a day, and for a file that nobody attached
PLACES_PER_HUNDRED = 40  # institutions; several people of one place are what conflicts are made of


@dataclass(frozen=True, slots=True)
class Applicant:
    """One synthetic applicant.

    Attributes:
        worth: criterion to what a reviewer without leniency or noise would score, as a real number.
        risky: whether reviewers worry about misuse.
    """

    name: str
    side: Side
    draft: Draft
    worth: Mapping[str, float]
    risky: bool


@dataclass(frozen=True, slots=True)
class Reviewer:
    """One synthetic reviewer; `leniency` is in points of the scale."""

    name: str
    party: Party


def applicants(file: CallFile, count: int, dice: random.Random) -> list[Applicant]:
    """Draw so many applicants."""
    places = max(2, count * PLACES_PER_HUNDRED // 100)
    wide = len(str(count)) if count > 999 else 3  # noqa: PLR2004 - A-001, as people write it
    return [_applicant(file, f"A-{n:0{wide}}", places, dice) for n in range(1, count + 1)]


def _applicant(file: CallFile, name: str, places: int, dice: random.Random) -> Applicant:
    place = int(places * dice.random() ** 2)  # some places send many
    party = Party(name, f"{name.casefold()}@place-{place}.example", f"Place {place}")
    tier = dice.choice(file.tiers)
    bounds = file.limits.of(tier)
    # Half ask for more than the most that anyone is given: people do.
    asked = int(bounds.minimum * (2 * bounds.maximum / bounds.minimum) ** dice.random())
    answers = {each.name: _answer(each, dice) for each in file.form}
    worth: Mapping[str, float] = {}
    if file.reviewing:
        width = file.reviewing.high - file.reviewing.low
        own = dice.gauss(file.reviewing.low + 0.6 * width, WORTH * width)
        worth = {each.name: dice.gauss(own, TASTE * width) for each in file.reviewing.criteria}
    draft = without_unasked(file, Draft(answers, max(asked, bounds.minimum), tier))
    return Applicant(name, Side(name, party), draft, worth, dice.random() < MISUSE)


def _answer(question: Question, dice: random.Random) -> Answer:
    """Draw an answer that the question takes: the form is played, too."""
    kind = question.kind
    if kind is Kind.NUMBER:
        least = max(1, question.least) if question.most else 0
        return dice.randrange(least, min(question.most, least + 998) + 1)
    if kind in {Kind.CHOICE, Kind.YES_NO}:
        return dice.choice(question.options)
    if kind is Kind.MULTIPLE_CHOICE:
        return (dice.choice(question.options),)
    if kind is Kind.DATE:
        return question.latest or question.earliest or DAY
    if kind is Kind.ATTACHMENT:
        return (NO_FILE,)
    return " ".join(["word"] * max(1, min(question.words, dice.randrange(5, 60))))


def reviewers(count: int, applicants_there: int, dice: random.Random) -> list[Reviewer]:
    """Draw so many reviewers, out of the places that applicants come from too."""
    places = max(2, applicants_there * PLACES_PER_HUNDRED // 100)
    made = []
    for n in range(1, count + 1):
        name, place = f"R-{n:0{max(2, len(str(count)))}}", dice.randrange(2 * places)
        made.append(Reviewer(name, Party(name, f"{name.casefold()}@place-{place}.example", f"Place {place}")))
    return made


class Opinions:
    """What one set of reviewers says: asked again with other dice, other reviewers answer."""

    def __init__(self, reviewing: Reviewing, dice: random.Random) -> None:
        """Take the scale, and the dice of this set."""
        self._reviewing, self._dice = reviewing, dice
        self._width = reviewing.high - reviewing.low
        self._leniency: dict[str, float] = {}

    def judge(self, reviewer: str, about: Applicant) -> Judgement:
        """Say what a reviewer says of an applicant."""
        dice = self._dice
        if reviewer not in self._leniency:
            self._leniency[reviewer] = dice.gauss(0, LENIENCY * self._width)
        bias = self._leniency[reviewer]
        scores = {
            name: self._on_scale(worth + bias + dice.gauss(0, NOISE * self._width))
            for name, worth in about.worth.items()
        }
        risk = Risk.VETO if about.risky and dice.random() < 0.5 else Risk.OK  # noqa: PLR2004 - even odds
        return Judgement(scores, "synthetic", risk, "synthetic" if risk is Risk.VETO else "")

    def _on_scale(self, value: float) -> int:
        return min(self._reviewing.high, max(self._reviewing.low, round(value)))
