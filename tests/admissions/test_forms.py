"""Typed and conditional questions: what the file may ask, and what an answer may be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from admissions.world import ANSWERS, CALL, World, call_text
from readingroom.admissions import answers, application_file, call_file
from readingroom.admissions.call import CallFile
from readingroom.admissions.form import Guarantor, Kind
from readingroom.admissions.model import Draft
from readingroom.core.canonical import Json
from readingroom.core.errors import BadInput

MORE: list[dict[str, Json]] = [
    {"name": "people", "type": "yes-no", "label": "Do people take part?", "section": "People", "help": "Any at all."},
    {"name": "ethics", "type": "text", "words": 5, "label": "Which board?", "shown_if": {"people": "yes"}},
    {"name": "board", "type": "date", "label": "When?", "earliest": "2020-01-01", "latest": "2030-12-31",
     "shown_if": {"people": "yes"}, "required": False},
    {"name": "topics", "type": "multiple-choice", "options": ["a", "b", "c"], "at_most": 2, "label": "Topics?"},
    {"name": "why-c", "type": "long-text", "words": 900, "label": "Why c?", "shown_if": {"topics": ["b", "c"]}},
    {"name": "seats", "type": "number", "minimum": -2, "maximum": 9, "label": "Seats?", "required": False},
    {"name": "deep", "type": "text", "words": 5, "label": "Deep?", "shown_if": {"seats": 3}},
]  # fmt: skip
FORM = [*yaml.safe_load(CALL)["form"], *MORE]
FILE = call_file.parse(call_text(form=FORM, guarantor="optional"))
WHOLE = Draft({**ANSWERS, "people": "no", "topics": ("a",)}, 5_000, "text")


def wrong(draft: Draft) -> dict[str, str]:
    return {each.where: each.what for each in answers.submitting_problems(FILE, draft)}


def with_(**more: Any) -> Draft:
    return replace(WHOLE, answers={**WHOLE.answers, **{name.replace("_", "-"): each for name, each in more.items()}})


def problems(form: list[Json], **more: Json) -> str:
    with pytest.raises(BadInput) as caught:
        call_file.parse(call_text(form=form, **more))
    return str(caught.value)


def test_a_form_of_every_kind_is_read_and_a_whole_application_to_it_has_no_problems() -> None:
    kinds = {each.kind for each in FILE.form}
    assert kinds == set(Kind) - {Kind.ATTACHMENT}
    assert (FILE.guarantor, call_file.parse(CALL).guarantor) == (Guarantor.OPTIONAL, Guarantor.NONE)
    assert wrong(WHOLE) == {}


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"people": "maybe"}, "none of the options"),
        ({"topics": ("d",)}, "'d' is none of the options"),
        ({"topics": ("a", "b", "c"), "why_c": "x"}, "3 options, and 2 are allowed"),
        ({"topics": ("a", "a")}, "names an option twice"),
        ({"topics": "a"}, "must be a list"),
        ({"topics": ()}, "is required"),
        ({"people": "yes"}, "is required"),  # the board that is now asked for
        ({"people": "yes", "ethics": "a b c d e f"}, "6 words"),
        ({"people": "yes", "ethics": "x", "board": "2019-12-31"}, "must be a day from 2020-01-01 to 2030-12-31"),
        ({"people": "yes", "ethics": "x", "board": "31.12.2025"}, "is no day"),
        ({"people": "yes", "ethics": "x", "board": "20251231"}, "is no day"),
        ({"seats": 10}, "from -2 to 9"),
        ({"seats": -3}, "from -2 to 9"),
        ({"seats": True}, "from -2 to 9"),
    ],
)
def test_an_answer_outside_what_its_question_takes_is_told(changed: dict[str, Any], what: str) -> None:
    found = wrong(with_(**changed))
    assert len(found) == 1
    assert what in next(iter(found.values()))


def test_conditions_chain_and_an_answer_that_is_not_asked_asks_nothing() -> None:
    form = [*FORM, {"name": "deeper", "type": "text", "words": 5, "label": "?", "shown_if": {"seats": [3, 4]}}]
    file = call_file.parse(call_text(form=form))

    def names(given: dict[str, Any]) -> set[str]:
        return {each.name for each in answers.asked(file.form, given)}

    assert {"ethics", "board"} <= names({"people": "yes"})
    assert {"deep", "deeper"} & names({"seats": 4}) == {"deeper"}
    chained = [*FORM, {"name": "sure", "type": "yes-no", "label": "?", "shown_if": {"people": "yes"}},
               {"name": "then", "type": "text", "words": 5, "label": "?", "shown_if": {"sure": "yes"}}]  # fmt: skip
    file = call_file.parse(call_text(form=chained))
    assert "then" in names({"people": "yes", "sure": "yes"})
    assert "then" not in names({"people": "no", "sure": "yes"}), "an answer left over from before asks nothing"


@settings(max_examples=60, deadline=None)
@given(
    people=st.sampled_from(["yes", "no", ""]),
    hidden=st.dictionaries(
        st.sampled_from(["ethics", "board", "why-c", "deep"]),
        st.one_of(st.text("ab c", max_size=40), st.integers(-5, 5), st.lists(st.text("ab"), max_size=3).map(tuple)),
    ),
)
def test_what_is_not_asked_never_blocks_and_is_never_submitted(people: str, hidden: dict[str, Any]) -> None:
    draft = replace(WHOLE, answers={**WHOLE.answers, "people": people, **hidden})
    asked = {each.name for each in answers.asked(FILE.form, draft.answers)}
    sent = answers.without_unasked(FILE, draft)
    assert set(sent.answers) <= asked
    assert {each.removeprefix("answers.") for each in wrong(draft) if each.startswith("answers.")} <= asked
    assert wrong(draft) == wrong(sent)


@pytest.mark.parametrize(
    ("question", "what"),
    [
        ({"shown_if": {"nobody": "yes"}}, "which is not asked before it"),
        ({"shown_if": {"x": "yes"}}, "which is not asked before it"),
        ({"shown_if": {"purpose": "yes"}}, "cannot depend on a text"),
        ({"shown_if": {"egress": "the weights"}}, "is no option of it"),
        ({"shown_if": "egress"}, "shown_if names one earlier question"),
        ({"shown_if": {"egress": "logprobs", "why": "x"}}, "shown_if names one earlier question"),
        ({"minimum": 1}, "minimum goes with the type 'number'"),
        ({"type": "number", "minimum": 5, "maximum": 4, "words": None}, "the maximum is less than the minimum"),
        ({"type": "date", "words": None, "earliest": "soon"}, "must be a day"),
        ({"type": "date", "words": None, "earliest": "2026-01-02", "latest": "2026-01-01"}, "before the earliest"),
        ({"type": "attachment", "words": None, "types": ["zip"]}, "'zip' is not known"),
        ({"type": "attachment", "words": None, "megabytes": 6}, "from 1 to 5"),
        ({"type": "attachment", "words": None, "files": 11}, "from 1 to 10"),
        ({"type": "attachment", "words": None, "types": []}, "is empty"),
    ],
)
def test_a_question_that_cannot_be_asked_so_is_told_by_line(question: dict[str, Json], what: str) -> None:
    asked = {"name": "x", "label": "X", "type": "text", "words": 5} | question
    found = problems([*yaml.safe_load(CALL)["form"], {k: v for k, v in asked.items() if v is not None}])
    assert what in found
    assert "call.yaml:" in found


def test_what_leaves_is_chosen_from_a_closed_list_and_no_call_that_was_opened_before_is_broken_by_that() -> None:
    form: list[Any] = [each for each in yaml.safe_load(CALL)["form"] if each["name"] != "egress"]
    text = call_text(form=[*form, {"name": "egress", "type": "text", "words": 9, "label": "What leaves?"}])
    with pytest.raises(BadInput, match="chosen from a closed list"):
        call_file.parse(text)
    assert isinstance(call_file.parse_stored(text), CallFile)
    asked = [each if each["name"] != "risks" else each | {"shown_if": {"egress": "logprobs"}} for each in
             yaml.safe_load(CALL)["form"]]  # fmt: skip
    assert "'risks' is asked of everyone" in problems(asked)


def test_an_application_file_answers_every_kind() -> None:
    text = (
        "passes: 5000\ntier: text\nanswers: {people: yes, topics: [a, b], seats: 3, board: 2026-01-31, ethics: true}\n"
    )
    assert application_file.parse(text).answers == {
        "people": "yes", "topics": ("a", "b"), "seats": 3, "board": "2026-01-31", "ethics": "yes",
    }  # fmt: skip


def test_a_submission_is_frozen_without_what_was_not_asked(lite: World) -> None:
    call = lite.open(form=FORM)
    (who,) = lite.applicants(1)
    made = lite.desk.start(who, call.id, with_(ethics="left over " * 9))
    sent = lite.desk.submit(who, made.id)
    assert sent.submitted is not None
    assert "ethics" not in sent.submitted.draft.answers
    assert sent.draft == sent.submitted.draft, "nothing is told to be unsubmitted"
    assert sent.submitted.draft.answers["topics"] == ("a",)


def test_of_two_windows_none_overwrites_the_other_unseen(world: World) -> None:
    call = world.open()
    (who,) = world.applicants(1)
    made = world.desk.start(who, call.id, Draft(ANSWERS, 9_000))
    one = world.desk.save(who, made.id, Draft({**ANSWERS, "purpose": "one"}, 9_000), made.revision)
    with pytest.raises(Exception, match="admissions/changed-meanwhile"):
        world.desk.save(who, made.id, Draft({**ANSWERS, "purpose": "two"}, 9_000), made.revision)
    with pytest.raises(Exception, match="admissions/changed-meanwhile"):
        world.desk.submit(who, made.id, made.revision)
    assert world.desk.application(who, made.id).draft.answers["purpose"] == "one"
    assert world.desk.submit(who, made.id, one.revision).submitted is not None
