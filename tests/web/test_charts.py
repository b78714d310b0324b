"""Drawings of a call are true to their figures: parts add up, columns are as high as their counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as some

from readingroom.web.charts import OUTCOMES, WIDTH, calendar, scores, whole

NOW = datetime(2026, 5, 12, tzinfo=UTC)
SLACK = 1e-6


@given(some.dictionaries(some.text(min_size=1, max_size=9), some.integers(0, 2**53), max_size=7))
def test_the_parts_of_a_whole_fill_it_exactly_side_by_side(parts: dict[str, int]) -> None:
    drawn = whole(sum(parts.values()), parts)
    assert drawn.adds_up
    assert [(each.name, each.amount) for each in drawn.parts] == [each for each in parts.items() if each[1]]
    for one, other in zip(drawn.parts, drawn.parts[1:], strict=False):
        assert abs(one.x + one.width - other.x) < SLACK
    if drawn.parts:
        assert abs(drawn.parts[-1].x + drawn.parts[-1].width - WIDTH) < SLACK


def test_parts_that_do_not_add_up_are_told() -> None:
    assert not whole(10, {"granted": 4, "rest": 5}).adds_up


@given(some.lists(some.tuples(some.floats(1, 5), some.sampled_from(OUTCOMES)), max_size=60))
def test_every_application_is_in_one_column_and_columns_are_as_high_as_their_counts(
    scored: list[tuple[float, str]],
) -> None:
    drawn = scores(scored, (1, 5), line=3.2, zone=(3.0, 3.5))
    assert sum(each.count for each in drawn.columns) == len(scored) == sum(drawn.counts.values())
    assert max((each.count for each in drawn.columns), default=0) == drawn.most
    for column in drawn.columns:
        assert -SLACK <= column.x <= WIDTH - column.width + SLACK
        assert abs(sum(each.height for each in column.pieces) - WIDTH * column.count / drawn.most) < SLACK
        assert column.pieces[0].y + column.pieces[0].height <= WIDTH + SLACK
        assert min(each.y for each in column.pieces) >= -SLACK
    assert drawn.line == WIDTH * (3.2 - 1) / 4


@given(some.lists(some.tuples(some.integers(-400, 400), some.none() | some.integers(1, 200)), max_size=8))
def test_every_span_lies_under_the_calendar_and_says_whether_it_is_over(given_: list[tuple[int, int | None]]) -> None:
    spans = [
        (f"c{n}", NOW + timedelta(days=at), None if long is None else NOW + timedelta(days=at + long))
        for n, (at, long) in enumerate(given_)
    ]
    drawn = calendar(spans, NOW)
    assert 0 <= drawn.today <= WIDTH
    for each in drawn.spans:
        assert -SLACK <= each.x < each.x + each.width <= WIDTH + 0.8 + SLACK
        over = each.ends is not None and each.ends <= NOW
        assert each.state == ("to-come" if each.begins > NOW else "past" if over else "now")
