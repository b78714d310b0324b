"""Usage as a plot: inline SVG made here, with its figures as text beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

WIDTH, HEIGHT, LEFT = 640, 160, 8
MAX_DAYS = 60


@dataclass(frozen=True, slots=True)
class Bar:
    """One day."""

    x: float
    y: float
    width: float
    height: float
    label: str


@dataclass(frozen=True, slots=True)
class Plot:
    """Bars per day and the figures as rows."""

    bars: tuple[Bar, ...]
    rows: tuple[tuple[str, int], ...]
    highest: int
    title: str
    width: int = WIDTH
    height: int = HEIGHT


def usage(days: Sequence[tuple[date, int]], today: date) -> Plot:
    """Plot the passes of the last days, from the first one with any (at least a week, at most sixty days)."""
    first = min((day for day, _ in days), default=today)
    start = max(min(first, today - timedelta(days=6)), today - timedelta(days=MAX_DAYS - 1))
    passes = dict(days)
    span = [start + timedelta(days=n) for n in range((today - start).days + 1)]
    highest = max((passes.get(day, 0) for day in span), default=0)
    step = (WIDTH - 2 * LEFT) / len(span)
    bars = []
    for n, day in enumerate(span):
        height = (HEIGHT - 24) * passes.get(day, 0) / highest if highest else 0.0
        label = f"{day:%d %b}: {passes.get(day, 0):,} passes"
        bars.append(Bar(LEFT + n * step + 1, HEIGHT - 16 - height, step - 2, height, label))
    total = sum(passes.get(day, 0) for day in span)
    title = f"{total:,} passes in {len(span)} days, {highest:,} on the busiest"
    return Plot(tuple(bars), tuple((f"{day:%Y-%m-%d}", passes[day]) for day in span if day in passes), highest, title)
