"""A call with 2,000 applications through the whole path, and the desk's pages with thousands."""

from __future__ import annotations

import pytest
from benchmarks import many, pages
from benchmarks.bulk import Bulk

from readingroom.admissions import queries
from readingroom.admissions.model import CallState
from readingroom.core.clock import FixedClock


def test_a_small_call_goes_the_whole_path_of_a_large_one() -> None:
    with many.house(FixedClock()) as house:
        played = Bulk(house, quick=True)
        halves = played.play(24, 2)
        assert {each.state for each in halves} == {CallState.PUBLISHED}
        assert played.steps["review"][1] == 2 * (24 - played.steps["confirm under the line"][1])


@pytest.mark.deep
def test_two_thousand_applications_go_the_whole_path() -> None:
    with many.house(FixedClock()) as house:
        played = Bulk(house, quick=True)
        halves = played.play(2_000, 2)
        assert {each.state for each in halves} == {CallState.PUBLISHED}
        assert sum(each.file.budget.passes for each in halves) == 20_000_000


def test_a_page_asks_the_database_as_often_for_many_applications_as_for_few() -> None:
    with many.house(FixedClock()) as house:
        few, lots = many.bulk_call(house), many.bulk_call(house)
        names = [(f"B-{n}", 10_000) for n in range(60)]
        many.applications(house, few, names[:3])
        many.applications(house, lots, names[3:])
        asked = {}
        for call in (few, lots):
            with house.db.read() as tx:
                paths = pages.while_open(call, queries.listed(tx, call, limit=1)[0].id)
            measured = list(pages.Visits(house, 0).measure("steward@lab.example", paths))
            assert {each.status for each in measured} == {200}, [(e.path, e.status) for e in measured]
            asked[call] = [each.statements for each in measured]
        assert asked[few] == asked[lots]
