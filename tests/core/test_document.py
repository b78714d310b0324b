from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readingroom.core.document import MAX_BYTES, MAX_DEPTH, Node, read
from readingroom.core.errors import BadInput


def problems_of(text: str | bytes) -> list[str]:
    with pytest.raises(BadInput) as caught:
        finish(read(text, "plan.yaml"))
    return [str(problem) for problem in caught.value.problems]


def finish(root: Node) -> None:
    fields = root.fields(["name", "count"], ["kind", "share", "on"])
    if "name" in fields:
        fields["name"].text()
    if "count" in fields:
        fields["count"].integer(1, 10)
    if "kind" in fields:
        fields["kind"].choice(["stress", "soak"])
    if "share" in fields:
        fields["share"].number(0, 1)
    if "on" in fields:
        fields["on"].flag()
    root.document.finish()


def test_a_good_document_has_no_problems() -> None:
    finish(read("name: a\ncount: 3\nkind: soak\nshare: 0.5\non: true\n", "plan.yaml"))


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("name: a\ncont: 3\n", "plan.yaml:2:1", "Did you mean 'count'?"),
        ("name: a\n", "plan.yaml:1:1", "lacks 'count'"),
        ("name: a\ncount: 0\n", "plan.yaml:2:8", "from 1 to 10"),
        ("name: a\ncount: true\n", "plan.yaml:2:8", "whole number"),
        ("name: a\ncount: 1\ncount: 2\n", "plan.yaml:3:8", "stands twice"),
        ("name: a\ncount: 1\nkind: sok\n", "plan.yaml:3:7", "Did you mean 'soak'?"),
        ("name: a\ncount: 1\nshare: .nan\n", "plan.yaml:3:8", "number from 0 to 1"),
        ("name: a\ncount: 1\non: 1\n", "plan.yaml:3:5", "true or false"),
        ("name: ''\ncount: 1\n", "plan.yaml:1:7", "must be text"),
        ("name: a\ncount: 1:3\n", "plan.yaml:2:8", "must be a whole number"),
        ("name: a\ncount: 010\n", "plan.yaml:2:8", "not written as a plain number"),
        ("name: a\ncount: 0x5\n", "plan.yaml:2:8", "not written as a plain number"),
        ("name: a\ncount: 1\nshare: 0:0.5\n", "plan.yaml:3:8", "not written as a plain number"),
        ('name: "a\\uD800"\ncount: 1\n', "plan.yaml:1:7", "cannot be shown"),
        ('name: "\\e[2J"\ncount: 1\n', "plan.yaml:1:7", "cannot be shown"),
        ('name: a\ncount: 1\n"k\\e": 1\n', "plan.yaml:3:1", "cannot be shown"),
        ("name: [\n", "plan.yaml:2:1", "not YAML"),
        ("", "plan.yaml:1:1", "empty"),
        ("- 1\n", "plan.yaml:1:1", "must be a mapping"),
        ("a: &x [1]\nb: *x\n", "plan.yaml:2:4", "aliases"),
        (b"name: \xff\n", "plan.yaml:1:1", "not UTF-8 at byte 6"),
        ("x" * (MAX_BYTES + 1), "plan.yaml:1:1", "larger than"),
    ],
)
def test_each_mistake_is_told_with_its_place_and_cure(text: str | bytes, where: str, what: str) -> None:
    told = problems_of(text)
    assert any(each.startswith(where) and what in each for each in told), told


def test_all_mistakes_are_told_at_once() -> None:
    assert len(problems_of("nme: a\ncount: 99\nkind: x\n")) == 4


@pytest.mark.parametrize(
    "text", ["[" * 5000, "{a: " * 5000, "\n".join(" " * n + "- " for n in range(0, 200, 2)), "- " * 5000]
)
def test_deep_nesting_is_refused_by_its_place_before_it_is_read(text: str) -> None:
    (told,) = problems_of(text)
    assert f"nested more than {MAX_DEPTH} deep" in told
    assert told.startswith("plan.yaml:")


def test_lists_side_by_side_are_not_nested() -> None:
    assert len(read("\n".join("- [{a: [1]}]" for _ in range(200)), "x").items()) == 200


@given(st.text(max_size=300) | st.binary(max_size=300))
def test_any_input_is_read_or_refused_and_never_crashes(text: str | bytes) -> None:
    with contextlib.suppress(BadInput):
        finish(read(text, "any"))


@pytest.mark.parametrize(
    "value", ["!!python/object:x foo", "2026-99-99", "{[1]: 2}", "!!int zz", "9" * 5000, "!!binary zz~"]
)
def test_a_value_that_is_none_is_a_problem_and_not_a_crash(value: str) -> None:
    told = problems_of(f"count: {value}\nname: a\n")
    assert any(each.startswith("plan.yaml:1:8: count must be a whole number") for each in told), told
