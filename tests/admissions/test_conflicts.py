from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readingroom.admissions.conflicts import Party, Side, assign, conflicts, free, same_house
from readingroom.admissions.model import ConflictKind

REVIEWER = Party("person_r", "r@north.example", "North University")


def side(email: str = "a@east.example", work: str = "East", team: tuple[str, ...] = (), who: str = "person_a") -> Side:
    return Side("application_1", Party(who, email, work), team)


@pytest.mark.parametrize(
    ("against", "kinds"),
    [
        (side(), set()),
        (side(who="person_r", email="r@home.example"), {ConflictKind.OWN}),
        (side(team=("r@north.example",)), {ConflictKind.TEAM, ConflictKind.DOMAIN}),
        (side(email="a@north.example"), {ConflictKind.DOMAIN}),
        (side(email="a@cs.north.example"), {ConflictKind.DOMAIN}),
        (side(team=("x@NORTH.example".casefold(),)), {ConflictKind.DOMAIN}),
        (side(email="a@notnorth.example"), set()),
        (side(work="NORTH  university."), {ConflictKind.AFFILIATION}),
        (side(work=""), set()),
    ],
)
def test_a_conflict_is_found_by_what_it_rests_on(against: Side, kinds: set[ConflictKind]) -> None:
    assert {each.kind for each in conflicts(REVIEWER, against)} == kinds


def test_who_competes_in_a_call_judges_nobody_in_it() -> None:
    own = Side("application_2", Party("person_r", "x@west.example", ""))
    assert {each.kind for each in conflicts(REVIEWER, side(), [own])} == {ConflictKind.COMPETITOR}


def test_an_applicant_cannot_take_reviewers_from_others_by_naming_them_as_a_team() -> None:
    greedy = Side("application_2", Party("person_x", "x@west.example", ""), ("r@north.example",))
    assert conflicts(REVIEWER, side(), [greedy]) == ()
    assert conflicts(REVIEWER, greedy, [greedy]) != ()


def test_a_declared_conflict_stands_for_that_application_only() -> None:
    declared = frozenset({("application_1", "person_r")})
    assert [each.kind for each in conflicts(REVIEWER, side(), (), declared)] == [ConflictKind.DECLARED]
    other = Side("application_2", Party("person_b", "b@west.example", ""))
    assert conflicts(REVIEWER, other, (), declared) == ()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("gmail.com", "gmail.com", False),
        ("mit.example", "mit.example", True),
        ("a.mit.example", "mit.example", True),
        ("", "", False),
        ("a.example", "ba.example", False),
    ],
)
def test_public_mail_is_no_house(one: str, other: str, *, same: bool) -> None:
    assert same_house(one, other) is same
    assert same_house(other, one) is same


people = st.sets(st.sampled_from("abcdef"), max_size=6).map(frozenset)


@given(st.dictionaries(st.sampled_from(["x", "y", "z", "w"]), people, max_size=4), st.integers(1, 3), st.text())
def test_a_conflict_is_never_assigned_and_a_lack_is_told_exactly(
    allowed: dict[str, frozenset[str]], needed: int, salt: str
) -> None:
    made = assign(allowed, {}, needed, salt)
    chosen = {each: [r for a, r in made.edges if a == each] for each in allowed}
    for application, able in allowed.items():
        assert set(chosen[application]) <= able
        assert len(set(chosen[application])) == len(chosen[application])
        assert len(chosen[application]) + made.lacking.get(application, 0) == needed
        assert len(chosen[application]) == min(needed, len(able))
    reordered = dict(reversed(list(allowed.items())))
    assert assign(reordered, {}, needed, salt) == made


def test_work_is_spread_and_who_is_assigned_stays() -> None:
    allowed = {f"application_{i}": frozenset("abcd") for i in range(6)}
    made = assign(allowed, {}, 2, "call_x")
    load = [sum(1 for _, r in made.edges if r == each) for each in "abcd"]
    assert load == [3, 3, 3, 3]
    again = assign({"application_1": frozenset("abcd")}, {"application_1": frozenset("a")}, 2, "call_x")
    assert len(again.edges) == 1
    assert again.edges[0][1] != "a"


def test_the_free_are_those_without_any_conflict() -> None:
    others = [REVIEWER, Party("person_s", "s@east.example", ""), Party("person_t", "t@west.example", "")]
    assert free(others, side(), [side()], frozenset()) == {"person_r", "person_t"}
