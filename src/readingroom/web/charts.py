"""Drawings of a call: where its budget is, how its scores lie around the line, and when its windows are.

Pure, and without text: figures go into drawings whose parts have places, in a box of 100 wide where they stretch with
the page. Templates (`charts.html`) draw them and set the same figures beside them in words, so that nothing is told by
colour or place alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate

BINS = 24
WIDTH = 100.0
OUTCOMES = ("funded", "drawn", "unfunded", "aside")  # from the bottom of a column up


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a whole: `amount` in its unit, drawn from `x`, `width` wide."""

    name: str
    amount: int
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole that its parts add up to; `adds_up` says whether they do."""

    total: int
    parts: tuple[Part, ...]

    @property
    def adds_up(self) -> bool:
        """Tell whether the parts are exactly the whole."""
        return sum(each.amount for each in self.parts) == self.total


def whole(total: int, parts: Mapping[str, int]) -> Whole:
    """Lay the parts of a whole side by side, in their order; a part of nothing is left out."""
    kept = [(name, amount) for name, amount in parts.items() if amount]
    starts = accumulate((amount for _, amount in kept), initial=0)
    scale = WIDTH / max(total, 1)
    return Whole(
        total, tuple(Part(name, n, at * scale, n * scale) for (name, n), at in zip(kept, starts, strict=False))
    )


@dataclass(frozen=True, slots=True)
class Piece:
    """The part of a column that shares an outcome; `y` from the top of the box."""

    outcome: str
    count: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """The applications whose scores lie from `low` to below `high`."""

    x: float
    width: float
    low: float
    high: float
    pieces: tuple[Piece, ...]

    @property
    def count(self) -> int:
        """How many applications it holds."""
        return sum(each.count for each in self.pieces)


@dataclass(frozen=True, slots=True)
class Scores:
    """A distribution of scores.

    Attributes:
        columns: from the lowest score to the highest; empty ones are left out.
        low: the lowest score of the scale.
        high: the highest.
        most: the count of the highest column, which fills the box.
        line: where the funding line stands, or None.
        zone: from where to where a draw decided, or None.
        counts: how many of each outcome.
    """

    columns: tuple[Column, ...]
    low: float
    high: float
    most: int
    line: float | None
    zone: tuple[float, float] | None
    counts: Mapping[str, int]


def scores(
    scored: Iterable[tuple[float, str]],
    scale: tuple[float, float],
    line: float | None = None,
    zone: tuple[float, float] | None = None,
) -> Scores:
    """Draw how scores lie.

    Args:
        scored: each application's score and its outcome, one of `OUTCOMES`.
        scale: the lowest and the highest score that can be given.
        line: the lowest score that was funded.
        zone: the lowest and the highest score that took part in a draw.
    """
    low, high = scale
    step = (high - low) / BINS
    tally: dict[int, dict[str, int]] = {}
    counts = dict.fromkeys(OUTCOMES, 0)
    for score, outcome in scored:
        held = tally.setdefault(min(BINS - 1, max(0, int((score - low) / step))), dict.fromkeys(OUTCOMES, 0))
        held[outcome] += 1
        counts[outcome] += 1
    most = max((sum(each.values()) for each in tally.values()), default=0)
    columns = tuple(_column(at, tally[at], most, low + at * step, step) for at in sorted(tally))

    def place(score: float) -> float:
        return WIDTH * (score - low) / (high - low)

    between = None if zone is None else (place(zone[0]), place(zone[1]))
    return Scores(columns, low, high, most, None if line is None else place(line), between, counts)


def _column(at: int, held: Mapping[str, int], most: int, low: float, step: float) -> Column:
    width = WIDTH / BINS
    pieces, top = [], WIDTH
    for outcome in OUTCOMES:
        if held[outcome]:
            height = WIDTH * held[outcome] / most
            top -= height
            pieces.append(Piece(outcome, held[outcome], top, height))
    return Column(at * width + 0.1 * width, 0.8 * width, low, low + step, tuple(pieces))


@dataclass(frozen=True, slots=True)
class Span:
    """Something that lasts: from `x`, `width` wide; `state` is `past`, `now` or `to-come`."""

    name: str
    begins: datetime
    ends: datetime | None
    x: float
    width: float
    state: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """Spans under one calendar, from `first` to `last`; `today` is where now is."""

    spans: tuple[Span, ...]
    first: datetime
    last: datetime
    today: float


def calendar(spans: Sequence[tuple[str, datetime, datetime | None]], now: datetime) -> Calendar:
    """Lay spans under one calendar that holds now; one without an end lasts on to the edge."""
    known = [moment for _, begins, ends in spans for moment in (begins, ends or now)]
    first, last = min(*known, now, now), max(*known, now, now) + timedelta(days=1)
    long = (last - first).total_seconds()

    def place(moment: datetime) -> float:
        return WIDTH * (moment - first).total_seconds() / long

    drawn = []
    for name, begins, ends in spans:
        state = "to-come" if now < begins else "past" if ends is not None and ends <= now else "now"
        x = place(begins)
        drawn.append(Span(name, begins, ends, x, max(0.8, place(ends or last) - x), state))
    return Calendar(tuple(drawn), first, last, place(now))
