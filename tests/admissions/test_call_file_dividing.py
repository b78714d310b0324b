"""What a call file says of its allocation: every mistake is named at its place."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction

import pytest

from admissions.world import call_text
from readingroom.admissions import call_file
from readingroom.admissions.after import Tranches
from readingroom.admissions.dividing import Quota, Scoring, Source
from readingroom.admissions.policies.tiers import Size, Tiers
from readingroom.core.canonical import Json
from readingroom.core.errors import BadInput

WINDOW = {"opens": "2026-01-01T00:00:00Z", "closes": "2026-02-01T00:00:00Z"}
QUOTA = {"name": "text only", "question": "egress", "answer": "text only", "percent": 30}
SIZED = {
    "policy": "tiers", "sizes": [{"passes": 2_000}, {"passes": 5_000, "score": 3.5}], "first_tranche": 50,
}  # fmt: skip
BOUNDS = {"minimum": 2_000, "maximum": 15_000, "days": 90}


def problems(**changes: Json) -> list[str]:
    with pytest.raises(BadInput) as caught:
        call_file.parse(call_text(**changes))
    return [str(each) for each in caught.value.problems]


def test_policy_scoring_quotas_and_draw_are_read() -> None:
    sizes = [{"passes": 2_000}, {"passes": 5_000, "score": 3.5}]
    tiers = {"policy": "tiers", "sizes": sizes, "first_tranche": 50, "adjust": "additive", "interval": 90}
    draw = {"source": "drand-quicknet", "round": 30_000_000}
    made = call_file.parse(call_text(allocation=tiers, window=WINDOW, quotas=[QUOTA], draw=draw))
    assert made.after.tranches == Tranches(50), "one rule of release, wherever it is written"
    assert made.policy == Tiers((Size(2_000), Size(5_000, Fraction(7, 2))), 50)
    assert made.scoring == Scoring(additive=True, level=90)
    assert made.quotas == (Quota("text only", "egress", "text only", 30),)
    assert made.draw is not None
    assert (made.draw.source, made.draw.round, made.draw.size) == (Source.DRAND_QUICKNET, 30_000_000, 32)
    assert made.draw.at == datetime.fromtimestamp(1692803367 + 3 * 29_999_999, UTC)


@pytest.mark.parametrize("source", ["nist-beacon", "other"])
def test_a_draw_may_name_another_source_by_its_moment(source: str) -> None:
    named = {"named": "the numbers of a lottery"} if source == "other" else {}
    draw = {"source": source, "at": "2026-03-01T12:00:00Z"} | named
    made = call_file.parse(call_text(window=WINDOW, draw=draw))
    assert made.draw is not None
    assert made.draw.at == datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"draw": {"source": "drand-quicknet", "round": 1}}, "before the window closes"),
        ({"draw": {"source": "nist-beacon", "at": "2026-01-15T00:00:00Z"}}, "before the window closes"),
        ({"draw": {"source": "nist-beacon", "at": "2026-03-01T00:00:01Z"}}, "whole minute"),
        ({"draw": {"source": "dice"}}, "'dice' is not known"),
        ({"draw": {"source": "other", "at": "2026-03-01T00:00:00Z"}}, "lacks 'named'"),
        ({"draw": "drand"}, "must be a mapping"),
        ({"quotas": [QUOTA | {"answer": "weights"}]}, "rests on no choice"),
        ({"quotas": [QUOTA | {"question": "purpose"}]}, "rests on no choice"),
        ({"quotas": [QUOTA, QUOTA | {}]}, "stands twice"),
        ({"quotas": [QUOTA | {"percent": 70}, QUOTA | {"name": "b", "percent": 31}]}, "more than the whole"),
        ({"quotas": [QUOTA | {"percent": 1}]}, "does not reach one minimum award"),
        ({"allocation": {"policy": "by-person"}, "quotas": [QUOTA]}, "quotas go with a competition"),
        ({"allocation": {"policy": "rank-and-cut", "interval": 60}}, "no interval of 60 %"),
        ({"allocation": {"policy": "rank-and-cut", "adjust": "bayes"}}, "'bayes' is not known"),
        ({"allocation": {"policy": "knapsack", "at_line": "stop"}}, "unknown key 'at_line'"),
        ({"allocation": {"policy": "tiers"}}, "lacks 'sizes'"),
        ({"allocation": SIZED, "tranches": {"first": "50%", "after": "report"}}, "has 'first_tranche' already"),
        ({"allocation": SIZED, "award": BOUNDS | {"tiers": {"base": {"minimum": 2_500}}}}, "no size of that many"),
        ({"allocation": SIZED, "award": BOUNDS | {"tiers": {"base": {"minimum": 5_000}}}}, "without a score"),
        ({"award": BOUNDS | {"tiers": {"base": {"minimum": 14_000}}}, "budget": {"passes": 15_000}}, "award of 'base'"),
        ({"allocation": {"policy": "tiers", "sizes": []}}, "there are no sizes"),
        ({"allocation": {"policy": "tiers", "sizes": [{"passes": 3_000}]}}, "do not fit awards"),
        ({"allocation": {"policy": "tiers", "sizes": [{"passes": 2_000, "score": 3}]}}, "has a score of its own"),
        ({"allocation": {"policy": "tiers", "sizes": [{"passes": 9_000}, {"passes": 2_000}]}}, "from the smallest"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(changes: dict[str, Json], what: str) -> None:
    found = problems(window=WINDOW, **changes)
    assert any(what in each and "call.yaml:" in each for each in found), found
