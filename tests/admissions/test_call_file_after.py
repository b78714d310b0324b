"""What a call file says of the time after an award: mistakes are named; what is left out is as in every call."""

from __future__ import annotations

import pytest

from admissions.test_call_file import problems
from admissions.world import call_text
from readingroom.admissions import call_file
from readingroom.admissions.after import After, Appeals, CallKind, Ground, IfShort, Supplements, Tranches
from readingroom.admissions.model import Amounts
from readingroom.core.canonical import Json


def test_all_of_it_is_read() -> None:
    text = call_text(
        of="call_x", kind="renewal", tranches={"first": "40%", "after": "report"},
        supplements={"at_most": "50 %", "times": 2}, second_chance=True,
        appeals={"days": 30, "grounds": ["procedure"], "panel": 3, "if_short": "next-call"},
    )  # fmt: skip
    appeals = Appeals(30, (Ground.PROCEDURE,), 3, IfShort.NEXT_CALL)
    expected = After("call_x", CallKind.RENEWAL, Tranches(40), Supplements(50, 2), second_chance=True, appeals=appeals)
    assert call_file.parse(text).after == expected


def test_a_call_that_says_nothing_of_it_has_appeals_all_the_same() -> None:
    assert call_file.parse(call_text()).after == After()
    assert After().appeals == Appeals(14, tuple(Ground), 2, IfShort.WHAT_IS_LEFT)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"of": "call_x"}, "'of' stands without 'kind'"),
        ({"kind": "round"}, "'kind' stands without 'of'"),
        ({"of": "call_x", "kind": "call"}, "kind 'call' is not known"),
        ({"tranches": {"first": "100%", "after": "report"}}, "tranches.first must be a share from 1% to 99%"),
        ({"tranches": {"first": "0.5", "after": "report"}}, "must be a share"),
        ({"tranches": {"first": "50%", "after": "a year"}}, "tranches.after 'a year' is not known"),
        ({"tranches": {"first": "50%"}}, "lacks 'after'"),
        ({"supplements": {"at_most": "101%"}}, "supplements.at_most must be a share from 1% to 100%"),
        ({"supplements": {"at_most": "50%", "times": 0}}, "times must be a whole number"),
        ({"second_chance": "maybe"}, "second_chance must be true or false"),
        ({"appeals": {"days": 0}}, "days must be a whole number"),
        ({"appeals": {"grounds": ["merit"]}}, "'merit' is not known"),
        ({"appeals": {"grounds": []}}, "appeals.grounds is empty"),
        ({"appeals": {"grounds": ["procedure", "procedure"]}}, "stands twice"),
        ({"appeals": {"panel": 0}}, "panel must be a whole number"),
        ({"appeals": {"if_short": "nothing"}}, "if_short 'nothing' is not known"),
    ],
)
def test_each_mistake_is_named(changes: dict[str, Json], what: str) -> None:
    assert any(what in each for each in problems(call_text(**changes))), problems(call_text(**changes))


def test_a_first_tranche_and_the_rest_are_the_award_in_every_unit() -> None:
    file = call_file.parse(call_text(tranches={"first": "33%", "after": "report"}))
    assert file.first_tranche(Amounts(10_001, 77, None)) == Amounts(3_300, 25, None)
