"""The matching of reviewers: equal to brute force on small instances, and never a pair that is not allowed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, product
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from readingroom.admissions import matching
from readingroom.admissions.call import Objective
from readingroom.admissions.matching import Lack, Matching, Task, check, match

NAMES, WHO = ["x", "y", "z"], ["a", "b", "c", "d"]


@st.composite
def tasks(draw: st.DrawFn) -> Task:
    """Draw an instance of up to three applications and four reviewers."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    level = st.sampled_from([0, 25, 50, 100])
    allowed = {a: draw(st.dictionaries(st.sampled_from(WHO), level, max_size=4)) for a in names}
    room = draw(st.dictionaries(st.sampled_from(WHO), st.none() | st.integers(0, 3)))
    held = {a: draw(st.lists(level, max_size=1)) for a in names}
    needs = {a: draw(st.integers(0, 2)) for a in names}
    return Task(needs, allowed, room, {}, held, len(WHO), draw(st.sampled_from(Objective)))


def every(task: Task) -> Iterator[tuple[tuple[str, str], ...]]:
    """Return every matching there is."""
    ways = [[[(a, r) for r in chosen] for chosen in combinations(sorted(task.allowed[a]), n)]
            for a, n in sorted(task.needs.items())]  # fmt: skip
    for picked in product(*ways):
        edges = tuple(edge for part in picked for edge in part)
        loads = {r: sum(1 for _, who in edges if who == r) for r in WHO}
        if all((most := task.room.get(r)) is None or loads[r] <= most for r in WHO):
            yield edges


def worth(task: Task, edges: tuple[tuple[str, str], ...]) -> tuple[Fraction, int, int]:
    """Return what is made as large as it can be, in its order."""
    gained = {a: sum(task.allowed[a][r] for x, r in edges if x == a) for a in task.needs}
    means = [
        Fraction(gained[a] + sum(task.held[a]), n + len(task.held[a])) for a, n in task.needs.items() if n
    ]  # fmt: skip
    worst = min(means, default=Fraction(0)) if task.objective is Objective.MAXIMIN else Fraction(0)
    loads = [sum(1 for _, who in edges if who == r) for r in WHO]
    return worst, sum(gained.values()), -max(loads)


@given(tasks())
@settings(max_examples=50, deadline=None)
def test_the_matching_is_as_good_as_the_best_of_all_and_a_lack_is_told_exactly(task: Task) -> None:
    found, all_of_them = match(task, "salt"), list(every(task))
    if isinstance(found, Matching):
        assert found.proved
        assert worth(task, found.edges) == max(worth(task, each) for each in all_of_them)
        return
    assert all_of_them == []
    fewer = [dict(zip(sorted(task.needs), cut, strict=True))
             for cut in product(*(range(task.needs[a] + 1) for a in sorted(task.needs)))]  # fmt: skip
    possible = [each for each in fewer if next(every(_with(task, needs=each)), None) is not None]
    assert sum(found.missing.values()) == sum(task.needs.values()) - max(sum(each.values()) for each in possible)
    assert found.too_few == {a: n - len(task.allowed[a]) for a, n in sorted(task.needs.items())
                             if n > len(task.allowed[a])}  # fmt: skip
    raised = {r: None if (most := task.room.get(r)) is None else most + found.loads.get(r, 0) for r in WHO}
    enough = {a: n - found.too_few.get(a, 0) for a, n in task.needs.items()}
    assert next(every(_with(task, needs=enough, room=raised)), None) is not None, "raising these loads would do"
    assert found.beyond_loads == sum(found.missing.values()) - sum(found.too_few.values())


def _with(task: Task, **changed: Any) -> Task:
    return replace(task, **changed)


@given(tasks(), st.randoms())
@settings(max_examples=30, deadline=None)
def test_the_order_in_which_things_came_does_not_matter(task: Task, chance: Random) -> None:
    def shuffled(mapping: dict[str, object]) -> dict[str, object]:
        keys = sorted(mapping)
        chance.shuffle(keys)
        return {key: mapping[key] for key in keys}

    other = _with(task, needs=shuffled(dict(task.needs)), allowed=shuffled({a: shuffled(dict(v)) for a, v in
                  task.allowed.items()}), room=shuffled(dict(task.room)))  # fmt: skip
    assert match(other, "salt") == match(task, "salt")


def test_no_expertise_brings_a_conflict_back_and_the_worst_served_comes_first() -> None:
    allowed = {"x": {"a": 100, "b": 0}, "y": {"a": 75, "b": 50}}
    room: dict[str, int | None] = {"a": 1, "b": 1}
    needs = {"x": 1, "y": 1}
    assert match(Task(needs, allowed, room, pool=2), "s") == Matching((("x", "a"), ("y", "b")))
    without = {"x": {"b": 0}, "y": allowed["y"]}
    assert match(Task(needs, without, room, pool=2), "s") == Matching((("x", "b"), ("y", "a")))
    greedy = {"x": {"a": 100, "b": 50}, "y": {"a": 75, "b": 0}}
    assert match(Task(needs, greedy, room, pool=2), "s") == Matching((("x", "b"), ("y", "a")))
    by_sum = Task(needs, {"x": {"a": 100, "b": 20}, "y": {"a": 25, "b": 0}}, room, pool=2, objective=Objective.SUM)
    assert match(by_sum, "s") == Matching((("x", "a"), ("y", "b")))
    assert match(_with(by_sum, objective=Objective.MAXIMIN), "s") == Matching((("x", "b"), ("y", "a")))
    mirrored = {"x": {"b": 100, "a": 20}, "y": {"b": 25, "a": 0}}
    worst_first = _with(by_sum, allowed=mirrored, objective=Objective.MAXIMIN)
    assert match(worst_first, "s") == Matching((("x", "a"), ("y", "b")))


def test_work_is_spread_and_what_is_held_counts() -> None:
    allowed = {f"application_{i}": dict.fromkeys("abcd", 0) for i in range(6)}
    made = match(Task(dict.fromkeys(allowed, 2), allowed, pool=4), "call_x")
    assert isinstance(made, Matching)
    assert [sum(1 for _, r in made.edges if r == each) for each in "abcd"] == [3, 3, 3, 3]
    loaded = match(Task({"application_0": 1}, allowed, loads={"a": 5, "b": 5, "c": 5}, pool=4), "call_x")
    assert loaded == Matching((("application_0", "d"),))


def test_a_lack_says_which_constraint_and_by_how_much() -> None:
    found = match(Task({"x": 2, "y": 1}, {"x": {"a": 0}, "y": {"a": 0}}, {"a": 1}, pool=5), "s")
    assert isinstance(found, Lack)
    assert (sum(found.missing.values()), found.too_few, found.loads) == (2, {"x": 1}, {"a": 1})
    said = " ".join(found.sentences())
    assert "x lacks 1 reviewer(s): of 5 in the pool, 1 may still be asked" in said
    assert "Beyond the load limits: 1 review; raising a by 1 would do" in said


@pytest.mark.parametrize(
    "edges",
    [[("x", "b")], [("x", "a"), ("x", "a")], [("x", "a"), ("y", "a")], [("x", "a")]],
    ids=["not allowed", "twice", "over the load", "short"],
)
def test_what_a_solver_returned_wrongly_is_caught(
    edges: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    task = Task({"x": 1, "y": 1}, {"x": {"a": 0, "c": 0}, "y": {"a": 0, "c": 0}}, {"a": 1}, pool=3)
    with pytest.raises(AssertionError):
        check(task, edges)
    monkeypatch.setattr(matching._Model, "solve", lambda _self: Matching(tuple(edges)))
    with pytest.raises(AssertionError):
        match(task, "s")


def test_a_stage_that_ran_out_of_time_leaves_a_sound_matching_and_says_so() -> None:
    allowed = {f"application_{i}": {f"r{j}": (i * j * 25) % 125 % 101 for j in range(30)} for i in range(60)}
    task = Task(dict.fromkeys(allowed, 3), allowed, {f"r{j}": 7 for j in range(30)}, pool=30)
    made = match(task, "s", seconds=1e-9)
    assert isinstance(made, Matching)
    assert not made.proved
    check(task, made.edges)


@pytest.mark.deep
@pytest.mark.parametrize("objective", Objective)
def test_hundreds_of_applications_and_reviewers_are_matched_soundly(objective: Objective) -> None:
    chance, who = Random(1), [f"person_{i}" for i in range(80)]  # noqa: S311 - the same in every run
    allowed = {
        f"application_{i}": {r: chance.choice([0, 0, 25, 25, 50, 100]) for r in who if chance.random() > 0.1}
        for i in range(200)
    }
    task = Task(dict.fromkeys(allowed, 3), allowed, dict.fromkeys(who, 10), pool=80, objective=objective)
    made = match(task, "salt")
    assert isinstance(made, Matching)
    assert len(made.edges) == sum(task.needs.values())
    scarce = match(replace(task, room=dict.fromkeys(task.room, 7)), "salt")
    assert isinstance(scarce, Lack)
    assert scarce.beyond_loads == sum(scarce.missing.values()) == 3 * 200 - 7 * 80
