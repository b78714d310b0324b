"""Usage by day as a plot: inline SVG made here, drawn for a broad and for a narrow screen, with its figures as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

HEIGHT, LEFT, TOP, BOTTOM = 180, 48, 14, 22
FLOOR = HEIGHT - BOTTOM
MAX_DAYS = 60
THICKEST = 14
_SHAPES = {"broad": (640, 6), "narrow": (330, 3)}  # the width, and how many dates fit under it


@dataclass(frozen=True, slots=True)
class Bar:
    """One day."""

    x: float
    y: float
    width: float
    height: float
    label: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A figure or a date on an axis, at its place along it."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """One width of the plot.

    Attributes:
        levels: the horizontal lines, from nothing up to the busiest day.
        dates: under the bars, the last one always today.
    """

    name: str
    width: int
    bars: tuple[Bar, ...]
    levels: tuple[Mark, ...]
    dates: tuple[Mark, ...]
    height: int = HEIGHT
    left: int = LEFT


@dataclass(frozen=True, slots=True)
class Plot:
    """The drawings, and the figures as rows; neither where nothing was used yet."""

    drawings: tuple[Drawing, ...]
    rows: tuple[tuple[str, int], ...]
    title: str


def usage(days: Sequence[tuple[date, int]], today: date) -> Plot:
    """Plot the passes of the last days, from the first one with any (at least a week, at most sixty days)."""
    oldest = today - timedelta(days=MAX_DAYS - 1)
    passes = {day: count for day, count in days if count and oldest <= day <= today}
    if not passes:
        return Plot((), (), "Not used yet." if not days else f"Not used in the last {MAX_DAYS} days.")
    start = min(*passes, today - timedelta(days=6))
    span = [start + timedelta(days=n) for n in range((today - start).days + 1)]
    total, most = sum(passes.values()), max(passes.values())
    title = f"{_passes(total)} in {len(span)} days, {most:,} on the busiest"
    drawings = tuple(_draw(name, width, fit, span, passes) for name, (width, fit) in _SHAPES.items())
    return Plot(drawings, tuple((f"{day:%Y-%m-%d}", passes[day]) for day in span if day in passes), title)


def _draw(name: str, width: int, fit: int, span: Sequence[date], passes: Mapping[date, int]) -> Drawing:
    step = (width - LEFT) / len(span)
    thick = min(THICKEST, 0.7 * step)
    most = max(passes.values())
    middles = [LEFT + (n + 0.5) * step for n in range(len(span))]
    bars = []
    for middle, day in zip(middles, span, strict=True):
        if count := passes.get(day, 0):
            height = max(1.0, (FLOOR - TOP) * count / most)
            bars.append(Bar(middle - thick / 2, FLOOR - height, thick, height, f"{day:%-d %b}: {_passes(count)}"))
    levels = sorted({0, most // 2, most})
    every = -(-len(span) // fit)
    dates = [Mark(middles[n], f"{span[n]:%-d %b}") for n in range(len(span) - 1, -1, -every) if middles[n] > LEFT + 12]
    return Drawing(
        name=name,
        width=width,
        bars=tuple(bars),
        levels=tuple(Mark(FLOOR - (FLOOR - TOP) * each / most, f"{each:,}") for each in levels),
        dates=tuple(reversed(dates)),
    )


def _passes(count: int) -> str:
    return f"{count:,} pass{'' if count == 1 else 'es'}"
