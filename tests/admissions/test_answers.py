from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml

from admissions.world import ANSWERS, CALL, call_text, judged
from readingroom.admissions import answers, call_file
from readingroom.admissions.model import Draft, Judgement, Risk

FORM = [*yaml.safe_load(CALL)["form"], {"name": "age", "type": "number", "label": "How old?", "required": False}]
FILE = call_file.parse(call_text(form=FORM))
WHOLE = Draft(ANSWERS, 5_000, "text")


def wrong(draft: Draft, *identity: str) -> dict[str, str]:
    return {each.where: each.what for each in answers.submitting_problems(FILE, draft, identity)}


def test_a_whole_application_has_no_problems_and_an_empty_one_has_each_named() -> None:
    assert wrong(WHOLE) == {}
    assert set(wrong(Draft())) == {f"answers.{name}" for name in ANSWERS} | {"tier", "passes"}
    assert answers.saving_problems(FILE, Draft()) == [], "a draft may be kept half-finished"


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("purpose", "word " * 201),
        ("purpose", "x" * 20_001),
        ("purpose", "nul \x00 breaks Postgres"),
        ("purpose", "lone \ud800 surrogate"),
        ("purpose", 5),
        ("purpose", ["a"]),
        ("purpose", {"$ne": ""}),
        ("purpose", None),
        ("purpose", "   "),
        ("egress", "everything"),
        ("age", "old"),
        ("age", True),
        ("age", -1),
        ("age", 2**53),
        ("age", 1.5),
        ("state", "awarded"),
        ("x" * 500, "?"),
    ],
)
def test_an_answer_that_the_form_does_not_allow_is_named(name: str, answer: Any) -> None:
    found = wrong(replace(WHOLE, answers={**ANSWERS, name: answer}))
    assert [each[:20] for each in found] == [f"answers.{name}"[:20]]


@pytest.mark.parametrize("passes", [0, 1, 1_999, -5, True, 2.5e3, 2**53])
def test_an_ask_that_could_never_be_awarded_is_told_at_once(passes: Any) -> None:
    assert "passes" in wrong(replace(WHOLE, passes=passes))


@pytest.mark.parametrize("team", [("x",), ("a b@c.example",), ("a@b@c",), ("@x",), ("a@b\nBcc: c@d",), ("a@b",) * 51])
def test_a_team_is_made_of_addresses(team: tuple[str, ...]) -> None:
    assert "team" in wrong(replace(WHOLE, team=team))


def test_a_tier_must_be_on_offer() -> None:
    assert "tier" in wrong(replace(WHOLE, tier="logprobs"))


def test_applicants_are_warned_before_they_name_themselves_to_reviewers() -> None:
    named = replace(WHOLE, answers={**ANSWERS, "purpose": "I, ADA  KING... Ada King, ask"})
    assert set(wrong(named, "ada@x.example", "Ada King")) == {"answers.purpose"}
    assert wrong(named, "will@x.example", "ask") == {}, "a single word may be a word like any other"
    unseen = replace(WHOLE, answers={**ANSWERS, "machine": "ada@x.example's laptop"})
    assert wrong(unseen, "ada@x.example") == {}, "reviewers do not see this answer"


@pytest.mark.parametrize(
    ("given", "where"),
    [
        (Judgement({"merit": 5}, "x"), "scores.need"),
        (Judgement({"merit": 5, "need": 6}, "x"), "scores.need"),
        (Judgement({"merit": 5, "need": True}, "x"), "scores.need"),
        (Judgement({"merit": 5, "need": 5, "charm": 5}, "x"), "scores.charm"),
        (Judgement({"merit": 5, "need": 5}, " "), "comment"),
        (Judgement({"merit": 5, "need": 5}, "x" * 10_001), "comment"),
        (Judgement({"merit": 5, "need": 5}, "x", Risk.VETO), "risk_reason"),
        (Judgement({"merit": 5, "need": 5}, "x", Risk.CONCERN, " "), "risk_reason"),
        (Judgement({"merit": 5, "need": 5}, "x", Risk.VETO, "\x00"), "risk_reason"),
    ],
)
def test_a_review_off_the_scale_or_without_reasons_is_named(given: Judgement, where: str) -> None:
    assert [each.where for each in answers.judgement_problems(FILE, given)] == [where]


def test_a_review_as_the_call_asks_has_no_problems() -> None:
    assert answers.judgement_problems(FILE, judged(1, 5, Risk.VETO)) == []
