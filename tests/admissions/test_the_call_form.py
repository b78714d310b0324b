"""A call file as a form: described once, as the parser reads it; filled in and written back as the same call."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from readingroom.admissions import call_file
from readingroom.admissions.call import BY_PERSON
from readingroom.admissions.call_file import filled
from readingroom.admissions.call_file.described import CALL, SECTIONS, SENTENCES
from readingroom.admissions.form import FileKind, Kind
from readingroom.admissions.policies.registry import POLICIES
from readingroom.admissions.shape import Field, Holds
from readingroom.app.calls import KINDS, template
from readingroom.core.errors import BadInput

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ASKED = ("purpose", "asks", "why", "risks", "machine")


def full() -> dict[str, Any]:
    """Return a call file in which every field stands that can stand beside the others."""
    form: list[dict[str, Any]] = [{"name": each, "type": "text", "words": 100, "label": f"{each}?"} for each in ASKED]
    form += [
        {"name": "egress", "type": "choice", "options": ["text only", "no"], "label": "What leaves?", "help": "H"},
        {"name": "n", "type": "number", "minimum": -3, "maximum": 9, "label": "N", "required": False, "section": "S"},
        {"name": "m", "type": "multiple-choice", "options": ["a", "b: c"], "at_most": 1, "label": "M"},
        {"name": "d", "type": "date", "earliest": "2026-01-01", "latest": "2026-12-31", "label": "D"},
        {"name": "y", "type": "yes-no", "label": "Y", "shown_to_reviewers": False, "shown_if": {"n": [5, 6]}},
        {"name": "f", "type": "attachment", "types": ["txt", "pdf"], "files": 3, "megabytes": 4, "label": "F",
         "shown_if": {"y": "yes"}},
    ]  # fmt: skip
    return {
        "title": "T", "purpose": "One.\n\n  Two: #3\n", "stage": "reading-room", "tiers": ["text", "logprobs"],
        "terms": "t", "budget": {"passes": 100_000, "tokens": 900_000, "calls": 5_000}, "appeal_reserve": 1_000,
        "award": {"minimum": 1_000, "maximum": 9_000, "days": 30, "accept_within_days": 9,
                  "tiers": {"logprobs": {"minimum": 2_000, "maximum": 3_000}, "text": {}}},
        "window": {"opens": "2026-03-01T01:00:00+01:00", "closes": "2026-04-01T00:00:30.25Z", "may_close_early": True},
        "form": form,
        "eligibility": {"affiliations": ["confirmed"], "credentials": ["training"], "desk": True},
        "guarantor": "required",
        "review": {
            "per_application": 3, "scale": {1: "bad", 5: "good"}, "floor": 2.5, "misuse_vetoes": 2, "load": 7,
            "criteria": [{"name": "merit", "question": "?", "weight": 3},
                         {"name": "need", "question": "?", "weight": 2, "scale": {1: "a", 3: "b", 5: "c"}}],
            "objective": "sum", "conflicts": {"staff": "none", "domain": "apparent"}, "double_blind": True,
            "phases": ["independent", "panel"], "safety_opinions": 1,
        },
        "sift": {"reviews": 1, "criterion": "merit", "line": 2},
        "allocation": {"policy": "rank-and-cut", "at_line": "skip", "adjust": "additive", "interval": 80},
        "quotas": [{"name": "q", "question": "egress", "answer": "no", "percent": 20}],
        "draw": {"source": "nist-beacon", "at": "2026-05-01T12:00:00Z"},
        "tranches": {"first": "50%", "after": "report"}, "supplements": {"at_most": "30 %", "times": 2},
        "second_chance": True, "reapply_after_days": 5,
        "appeals": {"days": 9, "grounds": ["procedure", "factual-error"], "panel": 3, "if_short": "next-call"},
        "expects": {"applications": 50, "reviewers": 9, "reviews_each": 8, "minutes_per_review": 7,
                    "minutes_per_sift": 6, "minutes_at_desk": 5, "minutes_in_panel": 4, "panel": 3},
    }  # fmt: skip


def others() -> Iterator[dict[str, Any]]:
    """Return calls with what cannot stand beside the rest: each policy, each source, rounds, a standing window."""
    for policy in (*POLICIES, BY_PERSON):
        made = full()
        made["allocation"] = {"policy": policy}
        if policy == "tiers":
            del made["tranches"]
            made["award"].pop("tiers")
            sizes = [{"passes": 1_000}, {"passes": 4_000, "score": 3.5}]
            made["allocation"] |= {"sizes": sizes, "first_tranche": 60}
        if policy == BY_PERSON:
            made = {k: each for k, each in made.items() if k not in {"quotas", "draw", "review", "sift"}}
            made |= {"window": {"standing": True, "opens": "2026-03-01T00:00:00Z"}, "decide_within": "24h"}
        yield made
    for draw in (
        {"source": "drand-quicknet", "round": 10**8},
        {"source": "other", "at": "2026-05-01T00:00:00Z", "named": "N"},
    ):
        yield full() | {"draw": draw}
    rounds = [{"name": n, "opens": f"2026-0{m}-01T00:00:00Z", "closes": f"2026-0{m}-20T00:00:00Z", "passes": 50_000}
              for n, m in (("a", 3), ("b", 4))]  # fmt: skip
    rounds[0]["may_close_early"] = True
    made = full() | {"rounds": rounds, "of": "call_x", "kind": "round"}
    del made["window"]
    yield made
    yield {k: each for k, each in full().items() if k != "window"} | {"window": full()["window"], "distributed": True}


def spelled(raw: dict[str, Any]) -> str:
    return yaml.safe_dump(raw, sort_keys=False, allow_unicode=True)


def round_trip(text: str) -> None:
    """See that a form made of a call file is the same call, and that it has one spelling."""
    written = filled.write(filled.read(text).values)
    assert call_file.parse(written) == call_file.parse(text)
    assert filled.write(filled.read(written).values) == written


def shipped() -> list[str]:
    other = (files("readingroom.app") / "templates" / "call.yaml").read_text(encoding="utf-8")
    return [*(template(each, NOW) for each in KINDS), other]


@pytest.mark.parametrize("text", [*shipped(), *map(spelled, (full(), *others()))])
def test_a_call_file_that_is_filled_into_a_form_comes_back_as_the_same_call(text: str) -> None:
    round_trip(text)


AWKWARD = st.text(st.sampled_from("a B:#-'\"\\n\n\t&*!|>%@`{}[],?~=<1.0é字🙂\u2028\u00a0"), min_size=1, max_size=12)
WORDS = AWKWARD.filter(lambda each: bool(each.strip()))
QUESTION = st.fixed_dictionaries(
    {"label": WORDS, "kind": st.sampled_from(Kind), "required": st.booleans(), "shown_to_reviewers": st.booleans()},
    optional={"help": WORDS, "section": WORDS, "condition": st.booleans()},
)


@st.composite
def calls(draw: st.DrawFn) -> str:
    """Make call files that can be opened, out of the texts that forms and YAML most often spoil."""
    raw = draw(st.sampled_from([full(), *others()]))
    raw = copy.deepcopy(raw)
    for name in ("title", "purpose", "terms"):
        raw[name] = draw(WORDS)
    for left_out in draw(st.lists(st.sampled_from(["expects", "appeals", "eligibility", "supplements", "sift"]))):
        raw.pop(left_out, None)
    for number, each in enumerate(draw(st.lists(QUESTION, max_size=4))):
        kind, condition = Kind(str(each.pop("kind"))), each.pop("condition", False)
        made = {"name": f"{draw(WORDS)}{number}", "type": kind.value, **each}
        if kind in {Kind.TEXT, Kind.LONG_TEXT}:
            made["words"] = draw(st.integers(1, 3_000))
        if kind in {Kind.CHOICE, Kind.MULTIPLE_CHOICE}:
            made["options"] = draw(st.lists(WORDS, min_size=1, max_size=4, unique=True))
        if kind is Kind.ATTACHMENT:
            made["types"] = draw(st.lists(st.sampled_from([k.value for k in FileKind]), min_size=1, unique=True))
        if condition:
            made["shown_if"] = {"egress": draw(st.sampled_from(["no", ["text only", "no"]]))}
        raw["form"].append(made)
    if "review" in raw:
        raw["review"]["scale"] = {draw(st.integers(0, 1)): draw(WORDS), draw(st.integers(5, 999)): draw(WORDS)}
        raw["review"]["criteria"] = [{"name": "merit", "question": draw(WORDS), "weight": draw(st.integers(1, 1_000))}]
        raw["review"]["floor"] = draw(st.sampled_from([2, 2.5, 3.25, 4.0, 1.1]))
    return spelled(raw)


@settings(max_examples=20, deadline=None)
@given(calls())
def test_no_text_of_a_call_is_changed_by_the_form(text: str) -> None:
    round_trip(text)


def places(asked: Field, raw: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Field, tuple[Any, ...]]]:
    """Return every mapping of known keys in a document, with its place."""
    if asked.holds is Holds.GROUP and isinstance(raw, dict):
        yield asked, at
        for each in asked.of:
            yield from places(each, raw.get(each.name), (*at, each.name))
    elif asked.holds is Holds.LIST and raw:
        yield from places(Field("", "", Holds.GROUP, of=asked.of), raw[0], (*at, 0))
    elif asked.holds is Holds.MAP and raw:
        key = next(iter(raw))
        yield from places(asked.of[1], raw[key], (*at, key))


def inside(raw: Any, at: tuple[Any, ...]) -> Any:
    for step in at:
        raw = raw[step]
    return raw


def known_to_the_parser(raw: dict[str, Any], at: tuple[Any, ...]) -> set[str]:
    """Ask the parser itself which keys it knows at a place, by one that it does not."""
    spoiled = copy.deepcopy(raw)
    inside(spoiled, at)["0"] = 1
    with pytest.raises(BadInput) as caught:
        call_file.parse(spelled(spoiled))
    said = next(each.cure for each in caught.value.problems if each.what == "unknown key '0'")
    return set(said.removeprefix("Known here: ").split(", "))


@pytest.mark.parametrize("raw", [full(), *others()], ids=lambda raw: str(raw["allocation"]["policy"]))
def test_the_form_has_every_field_that_the_parser_reads_and_no_other(raw: dict[str, Any]) -> None:
    values = filled.read(spelled(raw)).values
    seen, usual = 0, {at: inside(full(), at) for _, at in places(CALL, full())}
    for asked, at in places(CALL, raw):
        if raw != full() and at in usual and usual[at] == inside(raw, at):
            continue  # asked once is enough
        path = filled.join(*at) if "tiers" not in at else "award.tiers.0.value"
        fitting = {each.name for each in filled.fitting(asked.of, values, path)}
        known, names = known_to_the_parser(raw, at), {each.name for each in asked.of}
        if raw["window"].get("standing") if at == ("window",) else False:
            assert known <= names
            continue
        assert known in (fitting, names), at
        seen += 1
    assert seen >= (10 if raw == full() else 1)


def test_every_policy_says_what_it_serves() -> None:
    assert set(SENTENCES) == {*POLICIES, BY_PERSON}
    assert all(len(each) > 20 for each in SENTENCES.values())
    assert not {"token", "do", "revision"} & {each.name for section in SECTIONS.values() for each in section}


def all_leaves(asked: Field, path: str = "") -> Iterator[str]:
    for each in asked.of:
        at = filled.join(path, each.name)
        if each.holds in {Holds.LIST, Holds.MAP}:
            inside = Field("", "", Holds.GROUP, of=each.of)
            yield from (leaf for n in (0, 1) for leaf in all_leaves(inside, filled.join(at, n)))
        elif each.holds in {Holds.GROUP, Holds.PAIR}:
            yield from all_leaves(each, at)
        else:
            yield at


TYPED = st.one_of(AWKWARD, st.sampled_from(["", "yes", "no", "12", "1,000", "3,5", "1e3", "50%", "tiers", "choice"]))


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(all_leaves(CALL))), TYPED, max_size=12))
def test_whatever_is_typed_can_be_kept_and_shown_again(typed: dict[str, str]) -> None:
    text = filled.write(typed)
    again = filled.read(text).values
    assert filled.write(again) == text
    try:
        call_file.check(text)
    except BadInput as bad:
        found = filled.read(text)
        for each in bad.problems:
            path = found.at(each)
            assert path == "" or filled.at(path) is not None, (str(each), path)


def test_figures_and_days_are_read_as_people_write_them() -> None:
    values = {"budget.passes": "2 000,000", "appeal_reserve": "100'000", "review.floor": "3,5", "tranches.first": "50"}
    values |= {"window.opens": "2026-03-01 09:30", "award.minimum": "many", "title": " 12 "}
    raw = yaml.safe_load(filled.write(values | {"budget.passes": "2,000,000"}))
    assert raw["budget"]["passes"] == 2_000_000
    assert raw["appeal_reserve"] == 100_000
    assert raw["review"]["floor"] == 3.5
    assert raw["tranches"]["first"] == "50%"
    assert raw["window"]["opens"] == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    assert raw["award"]["minimum"] == "many"
    assert raw["title"] == " 12 "


def test_each_problem_is_told_at_its_field() -> None:
    raw = full()
    raw["budget"]["passes"] = "many"
    raw["form"][6]["maximum"] = -9
    raw["review"]["criteria"][1].pop("question")
    raw["review"]["scale"] = {1: "bad"}
    raw["window"]["closes"] = "2026-01-01T00:00:00Z"
    raw["quotas"].append(dict(raw["quotas"][0]))
    raw["appeals"]["grounds"] = ["taste"]
    raw["form"][0].pop("words")
    raw.pop("title")
    found = filled.read(spelled(raw))
    with pytest.raises(BadInput) as caught:
        call_file.parse(spelled(raw))
    told = {found.at(each) for each in caught.value.problems}
    assert told >= {"budget.passes", "form.6.maximum", "review.criteria.1.question", "review.scale", "window.closes",
                    "quotas", "appeals.grounds", "form.0.words", "title"}  # fmt: skip


def test_entries_are_added_removed_and_moved() -> None:
    values = filled.read(spelled(full())).values
    labels = [each["label"] for each in full()["form"]]

    def now(made: dict[str, str]) -> list[str]:
        return [made.get(f"{each}.label", "") for each in filled.entries(made, "form")]

    added, at = filled.change(values, "add", "form")
    assert (at, now(added)) == ("form.11", [*labels, ""])
    assert added["form.11.required"] == filled.YES
    down, at = filled.change(values, "down", "form.0")
    assert (at, now(down)[:2]) == ("form.1", labels[1::-1])
    assert filled.change(down, "up", at)[0] == values
    removed, _ = filled.change(values, "remove", "form.3")
    assert now(removed) == labels[:3] + labels[4:]
    nested, at = filled.change(values, "add", "review.criteria.1.scale")
    assert at == "review.criteria.1.scale.3"
    assert filled.read(filled.write(nested)).values[f"{at}.key"] == ""  # kept, though nothing is in it yet
    for act, path in (("up", "form.0"), ("down", "form.10"), ("remove", "form.99"), ("add", "title"), ("add", "x.y"),
                      ("add", ""), ("remove", "budget.passes"), ("up", "form")):  # fmt: skip
        assert filled.change(values, act, path)[0] == values


NO_ROOM = (
    "[1, 2]", "title: {a: b}", "budget: 5", "surprise: 1", "form: [{name: {}}]", "a: *b", "second_chance: perhaps",
    "form: [{shown_if: {a: b, c: d}}]", "window: [1]",
)  # fmt: skip


@pytest.mark.parametrize("text", NO_ROOM)
def test_what_the_form_has_no_room_for_is_told_and_not_dropped(text: str) -> None:
    with pytest.raises(BadInput, match=r"call\.yaml:1:"):
        filled.read(text)


def test_a_moment_finer_than_browsers_can_pick_is_kept() -> None:
    at = (NOW + timedelta(microseconds=1)).isoformat()
    values = filled.read(f"window: {{opens: '{at}'}}").values
    assert values["window.opens"].endswith("00.000001Z")
