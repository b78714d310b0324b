"""Calls as a timeline: one bar for each window on a common span, drawn here as plain figures for an inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from readingroom.admissions.call import Call

WIDTH = 640
ROW = 26
TOP = 20
LEAST = timedelta(days=14)  # the span is never shorter: a day would look like a year


@dataclass(frozen=True, slots=True)
class Bar:
    """One call's window.

    Attributes:
        x: where it begins, and `width` how long it is, in units of the drawing.
        y: its top.
        state: the call's, for its colour.
        label: the call's name, and its window in words.
    """

    x: float
    width: float
    y: float
    state: str
    label: str
    said: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """The drawing: bars, and where today is."""

    bars: tuple[Bar, ...]
    today: float
    begins: datetime
    ends: datetime
    height: int
    width: int = WIDTH


def timeline(calls: Sequence[Call], now: datetime) -> Timeline | None:
    """Draw the windows of calls; None where there is none. A standing window reaches to the end of the drawing."""
    if not calls:
        return None
    opens = [max(each.file.window.opens, each.opened_at) for each in calls]
    begins = min(*opens, now - LEAST)
    finite = [_end(each) for each in calls if not (each.file.window.standing and each.closed_at is None)]
    last = min(max([*finite, now + LEAST]), now + timedelta(days=730))
    span = (last - begins) / timedelta(seconds=1)

    def at(moment: datetime) -> float:
        return round(WIDTH * min(1.0, max(0.0, (moment - begins) / timedelta(seconds=1) / span)), 1)

    bars = []
    for row, (each, start) in enumerate(zip(calls, opens, strict=True)):
        end = _end(each)
        said = f"{start:%-d %b %Y} to {'whenever it is closed' if each.file.window.standing else f'{end:%-d %b %Y}'}"
        width = max(3.0, at(end) - at(start))
        bars.append(Bar(min(at(start), WIDTH - width), width, TOP + row * ROW, each.state.value, each.file.name, said))
    return Timeline(tuple(bars), at(now), begins, last, TOP + len(calls) * ROW + 4)


def _end(each: Call) -> datetime:
    return min(each.file.window.closes, each.closed_at) if each.closed_at else each.file.window.closes
