"""Planning a call: what is seldom meant is told, what it needs is counted, a rehearsal is the same for a seed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import yaml

from admissions.world import CALL, call_text
from readingroom.admissions import call_file, planning, rehearsal
from readingroom.admissions.call import Expectation
from readingroom.app.calls import KINDS, template
from readingroom.core.canonical import Json
from readingroom.core.errors import BadInput

TODAY = datetime(2026, 5, 4, 12, tzinfo=UTC)
REVIEW: Json = {
    "per_application": 3,
    "scale": {1: "poor", 5: "excellent"},
    "criteria": [{"name": "merit", "weight": 3, "question": "?"}, {"name": "need", "weight": 2, "question": "?"}],
    "floor": 3,
}
STANDING: Json = {"standing": True}
PEOPLE: Json = {"policy": "by-person"}


def warned(**changes: Json) -> list[str]:
    return [str(each) for each in call_file.check(call_text(**changes), "call.yaml").warnings]


def refused(**changes: Json) -> str:
    with pytest.raises(BadInput) as caught:
        call_file.parse(call_text(**changes), "call.yaml")
    return str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_every_template_can_be_opened_and_says_nothing_that_is_seldom_meant(kind: str) -> None:
    read = call_file.check(template(kind, TODAY), f"{kind}.yaml")
    assert read.warnings == ()
    assert read.file.window.standing or read.file.window.closes > TODAY
    assert planning.needs(read.file).short == ()


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"review": REVIEW | {"floor": 5}}, "asks for the best score"),
        ({"review": REVIEW | {"floor": 1}}, "keeps nobody out"),
        ({"review": REVIEW | {"per_application": 1}}, "one review decides"),
        ({"review": REVIEW | {"misuse_vetoes": 3}}, "only if every reviewer"),
        ({"appeal_reserve": 0}, "nothing is kept for appeals"),
        ({"award": {"minimum": 2000, "maximum": 36_000, "days": 9}}, "one award take all 36000 passes"),
        ({"award": {"minimum": 2000, "maximum": 9000, "days": 9, "accept_within_days": 2}}, "after 2 days"),
        ({"window": {"opens": "2026-01-01T00:00:00Z", "closes": "2026-01-04T00:00:00Z"}}, "open for 3.0 days"),
    ],
)
def test_what_is_allowed_and_seldom_meant_is_told_at_its_place(changes: dict[str, Json], what: str) -> None:
    (told,) = [each for each in warned(**changes) if what in each]
    assert told.startswith("call.yaml:")
    assert not [each for each in warned() if what in each]


def test_a_criterion_that_its_weight_hides_is_named_with_what_it_can_move() -> None:
    hidden = [{"name": "merit", "weight": 60, "question": "?"}, {"name": "need", "weight": 1, "question": "?"}]
    found = "\n".join(warned(review=REVIEW | {"criteria": hidden}))
    assert "'need' has 2% of the weight: from worst to best it moves the mean by 0.07" in found
    assert "'merit' decides alone" in found


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"window": None}, "lacks 'window'"),
        ({"window": STANDING}, "a competition is judged together, so it needs an end"),
        ({"decide_within": "24h"}, "a published rule decides here"),
        ({"decide_within": "soon", "allocation": PEOPLE, "review": None}, "is no duration"),
        ({"sift": {"reviews": 1, "criterion": "luck", "line": 2}}, "'luck' is no criterion"),
        ({"sift": {"reviews": 1, "criterion": "merit", "line": 1}}, "is not on the scale"),
        ({"sift": {"reviews": 3, "criterion": "merit", "line": 2}}, "from 1 to 2"),
        ({"distributed": True, "allocation": PEOPLE}, "distributed review needs a competition"),
        ({"eligibility": {"credentials": ["Ethics Training"]}}, "is no kind"),
        ({"award": {"minimum": 9, "maximum": 99, "days": 9, "tiers": {"gold": {}}}}, "the tier 'gold' is not on offer"),
        (
            {"award": {"minimum": 9, "maximum": 99, "days": 9, "tiers": {"text": {"maximum": 100}}}},
            "can only be closer",
        ),
        ({"expects": {"applications": 0}}, "must be a whole number from 1"),
    ],
)
def test_what_cannot_be_is_refused_at_its_place(changes: dict[str, Json], what: str) -> None:
    assert what in refused(**changes)


def test_rounds_that_do_not_add_up_or_overlap_are_refused() -> None:
    one = {"name": "a", "opens": "2026-01-01T00:00:00Z", "closes": "2026-03-01T00:00:00Z", "passes": 20_000}
    two = {"name": "b", "opens": "2026-02-01T00:00:00Z", "closes": "2026-05-01T00:00:00Z", "passes": 20_000}
    assert "opens before 'a' has closed" in refused(window=None, rounds=[one, two])
    late = two | {"opens": "2026-03-01T00:00:00Z", "passes": 19_999}
    assert "add up to 39999, and the call's are 40000" in refused(window=None, rounds=[one, late])
    assert "not both" in refused(rounds=[one, late])


def test_a_criterion_may_have_anchors_of_its_own_on_the_same_scale() -> None:
    own = REVIEW | {"criteria": [REVIEW["criteria"][0] | {"scale": {1: "no", 5: "yes"}}]}
    reviewing = call_file.parse(call_text(review=own)).reviewing
    assert reviewing is not None
    assert reviewing.criteria[0].anchors == {1: "no", 5: "yes"}
    other = REVIEW | {"criteria": [REVIEW["criteria"][0] | {"scale": {0: "no", 5: "yes"}}]}
    assert "has other ends than the call's" in refused(review=other)


def test_persons_and_engine_days_are_counted() -> None:
    file = replace(call_file.parse(CALL), expects=Expectation(100, reviewers=10, reviews_each=10))
    found = planning.needs(file, speed=planning.Speed(1, "told"))
    lines = {each.what: each for each in found.lines}
    assert (lines["reviews"].count, lines["reviews"].hours) == (200, 200)
    assert lines["reviewers"].count == 20
    assert found.engine_days == pytest.approx(40_000 / 86_400)
    assert "20 reviewers are needed and 10 are there: 20 reviews each" in found.short[0]
    slow = planning.needs(file, applications=10, speed=planning.Speed(0.001, "told"))
    assert {each.what: each.count for each in slow.lines}["reviews"] == 20
    assert any("the engine needs 463.0 days" in each for each in slow.short)


def test_a_rehearsal_is_the_same_for_a_seed_and_another_for_another() -> None:
    file = call_file.parse(template("competition", TODAY))
    one, same, other = (json.dumps(rehearsal.document(rehearsal.rehearse(file, 40, seed=s))) for s in (1, 1, 2))
    assert one == same
    assert one != other


def test_a_rehearsal_keeps_the_budget_and_shows_what_luck_decides() -> None:
    file = call_file.parse(template("competition", TODAY))
    found = rehearsal.document(rehearsal.rehearse(file, 60, seed=3))
    (part,) = found["parts"]
    assert part["awarded"] + part["reserve"] + part["rest"] == part["budget"]
    assert part["applied"] == 60
    assert sum(b["funded"] for b in part["histogram"]) == part["funded"] > 0
    assert sum(each["passes"] for each in part["standings"]) == part["awarded"]
    assert all(20_000 <= each["passes"] <= 200_000 for each in part["standings"] if each["passes"])
    assert 0 < found["flips"] < 1
    assert found["form_problems"] == []
    changed = {each["change"]: each for each in part["what_if"]}
    assert changed["half the maximum"]["funded"] > changed["twice the maximum"]["funded"]


def test_a_rehearsal_answers_every_kind_of_question() -> None:
    form = """form:
  - {name: people, type: yes-no, label: "Do people take part?"}
  - {name: board, type: text, words: 60, label: "Which board agreed?", shown_if: {people: yes}}
  - {name: plan, type: attachment, label: "Your plan", types: [pdf]}
  - {name: begins, type: date, label: "When do you begin?", earliest: 2027-01-01}
  - {name: uses, type: multiple-choice, options: [text, numbers], label: "What do you use?"}
  - {name: crowd, type: number, minimum: 5, maximum: 9, label: "How many are you?"}
"""
    file = call_file.parse(template("competition", TODAY).replace("form:\n", form))
    assert rehearsal.document(rehearsal.rehearse(file, 20))["form_problems"] == []


def test_a_rehearsal_plays_halves_rounds_and_tickets_by_their_own_rules() -> None:
    bulk = rehearsal.rehearse(call_file.parse(template("bulk", TODAY)), 80)
    assert [len(each.standings) + each.sifted for each in bulk.parts] == [40, 40]
    assert sum(each.lacking for each in bulk.parts) == 0
    assert bulk.reviewers == 80
    ticket = rehearsal.rehearse(call_file.parse(template("ticket", TODAY)), 300)
    (part,) = ticket.parts
    assert ticket.flips is None
    assert part.awarded <= part.file.budget.passes - part.file.reserve
    assert {each.rule for each in part.standings} == {"suitable", "budget-spent"}


def test_a_rehearsal_shows_what_a_quota_binds_and_what_would_be_without_it() -> None:
    career: Json = {"name": "career", "type": "choice", "options": ["student", "other"], "label": "?"}
    quota: Json = {"name": "students", "question": "career", "answer": "student", "percent": 90}
    text = call_text(form=[*yaml.safe_load(CALL)["form"], career], quotas=[quota], review=REVIEW | {"floor": 1})
    found = rehearsal.rehearse(call_file.parse(text), 30, repeats=0)
    part = found.parts[0]
    assert part.result is not None
    (made,) = part.result.quotas
    assert made.bound
    assert made.given > part.awarded // 2
    assert "Quota students: keeps 32,400" in rehearsal.text(found)
    assert "it binds" in rehearsal.text(found)
    without = {each.change: each for each in part.what_if}["without the quotas"]
    assert without.awarded <= part.file.budget.passes - part.file.reserve


def test_a_rehearsal_takes_out_of_the_scores_what_the_call_would() -> None:
    scoring: Json = yaml.safe_load(CALL)["allocation"] | {"adjust": "additive"}
    found = rehearsal.rehearse(call_file.parse(call_text(review=REVIEW, allocation=scoring)), 12, repeats=0)
    result = found.parts[0].result
    assert result is not None
    assert any(each.adjusted not in {None, each.score} for each in result.sheets)


def test_too_few_reviewers_without_a_conflict_are_counted_as_lacking() -> None:
    found = rehearsal.rehearse(call_file.parse(CALL), 30, reviewers_there=1)
    assert found.parts[0].lacking >= 30
    assert "find more reviewers" in rehearsal.text(found)
