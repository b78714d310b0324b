"""The plot of usage: true to its figures, whatever the days, and nothing where nothing was used."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as some

from readingroom.web.plot import FLOOR, LEFT, MAX_DAYS, TOP, usage

TODAY = date(2026, 5, 12)
DAYS = some.dictionaries(
    some.integers(0, 90).map(lambda ago: TODAY - timedelta(days=ago)), some.integers(0, 10**12), max_size=90
)


def test_nothing_used_is_said_in_words_and_not_drawn() -> None:
    assert usage([], TODAY).title == "Not used yet."
    assert usage([(TODAY - timedelta(days=80), 5)], TODAY).title == f"Not used in the last {MAX_DAYS} days."
    assert usage([(TODAY, 0)], TODAY).drawings == ()


def test_the_axes_say_how_much_and_when() -> None:
    plot = usage([(TODAY - timedelta(days=1), 1200), (TODAY, 300)], TODAY)
    assert plot.title == "1,500 passes in 7 days, 1,200 on the busiest"
    assert plot.rows == (("2026-05-11", 1200), ("2026-05-12", 300))
    for drawing in plot.drawings:
        assert [each.text for each in drawing.levels] == ["0", "600", "1,200"]
        assert drawing.dates[-1].text == "12 May"
        assert [bar.label for bar in drawing.bars] == ["11 May: 1,200 passes", "12 May: 300 passes"]


@given(DAYS)
def test_every_bar_and_mark_lies_within_the_drawing_and_bars_are_as_high_as_their_figures(
    days: dict[date, int],
) -> None:
    plot = usage(sorted(days.items()), TODAY)
    for drawing in plot.drawings:
        assert len(drawing.bars) == len(plot.rows)
        assert max(bar.height for bar in drawing.bars) == FLOOR - TOP
        for bar in drawing.bars:
            assert bar.x >= LEFT
            assert bar.x + bar.width <= drawing.width
            assert bar.y >= TOP
            assert abs(bar.y + bar.height - FLOOR) < 1e-6
        gaps = [b.at - a.at for a, b in zip(drawing.dates, drawing.dates[1:], strict=False)]
        assert min(gaps, default=99) > 40
