from __future__ import annotations

from fractions import Fraction

import pytest
import yaml

from admissions.world import CALL, TEMPLATES, call_text
from readingroom.admissions import answers, application_file, call_file
from readingroom.admissions.model import Amounts
from readingroom.admissions.policies.proportional import Proportional
from readingroom.core.canonical import Json
from readingroom.core.errors import BadInput


def problems(text: str) -> list[str]:
    with pytest.raises(BadInput) as caught:
        call_file.parse(text, "call.yaml")
    return [str(each) for each in caught.value.problems]


def test_the_shipped_call_and_application_fit_each_other() -> None:
    file = call_file.parse(CALL)
    draft = application_file.parse((TEMPLATES / "application.yaml").read_text(encoding="utf-8"))
    assert answers.submitting_problems(file, draft) == []
    assert file.budget == Amounts(40_000)
    assert file.reviews_needed == 2


def test_every_problem_is_named_by_line_and_column_in_one_run() -> None:
    text = (
        CALL.replace("passes: 40000", "passes: 4.5")
        .replace("closes: 2099-12-31T23:59:59Z", "closes: 2099-12-31")
        .replace("policy: rank-and-cut", "policy: rank-and-cat")
        .replace("weight: 2", "weight: heavy")
        .replace("reapply_after_days", "reaply_after_days")
        .replace("title: Reading tickets\n", "")
    )
    found = problems(text)
    for where, what in (
        ("call.yaml:3:1", "lacks 'title'"),
        ("call.yaml:10:11", "budget.passes must be a whole number"),
        ("call.yaml:21:11", "window.closes must be a moment with a time zone"),
        ("call.yaml:47:28", "weight must be a whole number"),
        ("call.yaml:53:11", "Did you mean 'rank-and-cut'?"),
        ("call.yaml:56:1", "Did you mean 'reapply_after_days'?"),
    ):
        assert any(each.startswith(where) and what in each for each in found), (where, found)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"form": []}, "does not ask 'purpose'"),
        ({"tiers": []}, "tiers is empty"),
        ({"tiers": ["text", "text"]}, "stands twice"),
        ({"appeal_reserve": 39_000}, "does not reach one minimum award"),
        ({"budget": {"passes": 40_000, "calls": 3}}, "a minimum award would hold no calls"),
        ({"budget": {"tokens": 5}}, "lacks 'passes'"),
        ({"budget": {"passes": 2**53}}, "must be a whole number"),
        ({"review": None}, "a competition needs reviews"),
        ({"allocation": "rank-and-cut"}, "must be a mapping"),
        ({"allocation": {"policy": "proportional", "at_line": "skip"}}, "unknown key 'at_line'"),
        ({"allocation": {"policy": "rank-and-cut", "at_line": "maybe"}}, "'maybe' is not known"),
        ({"award": {"minimum": 5, "maximum": 4, "days": 1}}, "the maximum is less than the minimum"),
        ({"award": {"minimum": 5}}, "lacks 'maximum'"),
        ({"window": {"opens": "2026-02-01T00:00:00Z", "closes": "2026-01-01T00:00:00Z"}}, "closes before it opens"),
        ({"window": {"opens": "now"}}, "lacks 'closes'"),
        ({"title": None}, "lacks 'title'"),
    ],
)
def test_a_call_that_cannot_work_is_refused_before_it_opens(changes: dict[str, Json], what: str) -> None:
    assert any(what in each for each in problems(call_text(**changes)))


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"scale": {1: "poor"}}, "a scale needs"),
        ({"scale": {"low": "poor", "high": "good"}}, "is no whole number"),
        ({"criteria": []}, "there are no criteria"),
        ({"floor": 9}, "review.floor must be a number from 1 to 5"),
        ({"floor": float("nan")}, "review.floor must be a number"),
        ({"misuse_vetoes": 3}, "review.misuse_vetoes must be a whole number from 1 to 2"),
        ({"misuse_vetoes": 0}, "review.misuse_vetoes must be a whole number"),
        ({"per_application": 0}, "review.per_application must be a whole number"),
    ],
)
def test_reviews_that_could_not_decide_are_refused(changes: dict[str, Json], what: str) -> None:
    review = yaml.safe_load(CALL)["review"] | changes
    assert any(what in each for each in problems(call_text(review=review)))


@pytest.mark.parametrize(
    ("question", "what"),
    [
        ({"name": "x", "label": "X", "type": "text"}, "words goes with the type 'text'"),
        ({"name": "x", "label": "X", "type": "choice"}, "options go with the type 'choice'"),
        ({"name": "x", "label": "X", "type": "number", "words": 3}, "words goes with"),
        ({"name": "purpose", "label": "Again", "type": "number"}, "'purpose' stands twice"),
        ({"name": "x", "label": "X", "type": "file"}, "'file' is not known"),
        ("x", "must be a mapping"),
    ],
)
def test_a_question_that_cannot_be_asked_is_refused(question: Json, what: str) -> None:
    form = [*yaml.safe_load(CALL)["form"], question]
    assert any(what in each for each in problems(call_text(form=form)))


def test_a_required_question_cannot_be_made_optional() -> None:
    form = yaml.safe_load(CALL)["form"]
    form[0]["required"] = False
    assert any("does not ask 'purpose'" in each for each in problems(call_text(form=form)))


def test_a_floor_is_the_decimal_that_was_written() -> None:
    review = yaml.safe_load(CALL)["review"] | {"floor": 3.3}
    file = call_file.parse(call_text(review=review, allocation={"policy": "proportional"}))
    assert file.reviewing is not None
    assert file.reviewing.floor == Fraction(33, 10)
    assert isinstance(file.policy, Proportional)
    assert "same fraction" in file.policy.describe()


def test_other_units_follow_passes_and_never_exceed_their_budget() -> None:
    file = call_file.parse(call_text(budget={"passes": 40_000, "tokens": 99_999, "calls": 1_000}))
    assert file.amounts(10_000) == Amounts(10_000, 24_999, 250)
    assert file.reserved() == Amounts(4_000, 10_000, 100)


@pytest.mark.parametrize(
    "text", ["", "[]", "passes: 1", "\x00", "a: &x 1\nb: *x", "passes: many\ntier: text\nanswers: {}"]
)
def test_a_bad_application_file_is_an_error_and_no_traceback(text: str) -> None:
    with pytest.raises(BadInput):
        application_file.parse(text)


@pytest.mark.parametrize("text", ["hello", "- a"])
def test_a_file_that_is_no_mapping_is_told_so_and_nothing_that_only_follows_from_it(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        call_file.parse(text)
    assert [each.what for each in caught.value.problems] == ["this must be a mapping"]
