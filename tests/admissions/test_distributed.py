"""Distributed review: nobody reviews in their own half, and no review changes its author's own award."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admissions.world import World, judged
from readingroom.admissions import call_file, distributed, queries
from readingroom.admissions.allocation import Candidate, allocate
from readingroom.admissions.call import Call
from readingroom.admissions.model import Application, CallState, Judgement, Reason
from readingroom.core.refusal import Refused
from readingroom.people.model import Role

from admissions.world import CALL  # isort: skip

SEED = b"s" * 32


@given(st.integers(2, 60), st.binary(min_size=32, max_size=32))
@settings(max_examples=40, deadline=None)
def test_halves_are_of_one_size_whatever_the_order_of_arrival(count: int, seed: bytes) -> None:
    people = {f"a{n}": frozenset({f"p{n}"}) for n in range(count)}
    one, two = distributed.halves(people, seed)
    assert one | two == set(people)
    assert not one & two
    assert abs(len(one) - len(two)) <= 1
    assert distributed.halves(dict(reversed(people.items())), seed) == (one, two)


def test_who_works_on_several_applications_stays_on_one_side_with_all_of_them() -> None:
    people = {f"a{n}": frozenset({f"p{n}"}) for n in range(10)}
    people |= {"b1": frozenset({"p1", "q"}), "b2": frozenset({"q", "p2"})}
    for seed in range(20):
        one, _ = distributed.halves(people, bytes([seed]) * 32)
        assert len({each in one for each in ("a1", "a2", "b1", "b2")}) == 1


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_peers_never_take_a_forbidden_edge_and_share_the_load(data: st.DataObject) -> None:
    apps, people = data.draw(st.integers(1, 12)), data.draw(st.integers(4, 12))
    edges = [(f"a{a}", f"p{p}") for a in range(apps) for p in range(people)]
    forbidden = set(data.draw(st.lists(st.sampled_from(edges), max_size=apps)))
    made = distributed.peers(
        {f"a{a}": 2 for a in range(apps)},
        {f"p{p}": 0 for p in range(people)},
        lambda a, p: (a, p) not in forbidden,
        SEED,
    )
    assert not set(made.edges) & forbidden
    assert len(set(made.edges)) == len(made.edges)
    given_to = Counter(a for a, _ in made.edges)
    assert all(given_to[f"a{a}"] + made.lacking.get(f"a{a}", 0) == 2 for a in range(apps))
    loads = Counter(p for _, p in made.edges)
    assert max(loads.values()) <= -(-2 * apps // people)


def test_a_matching_that_exists_is_found_by_moving_others() -> None:
    only = {("a0", "p0"), ("a1", "p0"), ("a1", "p1")}
    made = distributed.peers({"a0": 1, "a1": 1}, {"p0": 0, "p1": 0}, lambda a, p: (a, p) in only, SEED)
    assert set(made.edges) == {("a0", "p0"), ("a1", "p1")}


@given(st.lists(st.integers(1, 5), min_size=12, max_size=12), st.integers(0, 5), st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_no_review_that_an_applicant_gives_changes_their_own_award(scores: list[int], who: int, other: int) -> None:
    file = replace(call_file.parse(CALL), distributed=True)
    people = {f"a{n}": frozenset({f"p{n}"}) for n in range(6)}
    sides = distributed.halves(people, SEED)

    def awards(changed: int | None) -> dict[str, int]:
        found: dict[str, int] = {}
        for part, here, there in zip(file.parts, sides, reversed(sides), strict=True):
            edges = distributed.peers(
                dict.fromkeys(here, 2), {f"p{each[1:]}": 0 for each in there}, lambda _a, _p: True, SEED
            ).edges
            said: dict[str, list[Judgement]] = {each: [] for each in here}
            for n, (a, p) in enumerate(edges):
                points = changed if changed and p == f"p{who}" else scores[n]
                said[a].append(judged(points, points))
            result = allocate(part, [Candidate(a, 5_000, tuple(j)) for a, j in said.items()], SEED)
            found |= {s.application: s.amounts.passes if s.amounts else 0 for s in result.sheets}
        return found

    assert awards(None)[f"a{who}"] == awards(other)[f"a{who}"]


def opened(world: World, count: int) -> tuple[list[Call], list[Application]]:
    call = world.open(distributed=True)
    made = [world.apply(each, call, 3_000) for each in world.applicants(count)]
    world.desk.close_call(world.steward, call.id)
    return world.desk.series(call.id), made


def test_a_call_whose_applicants_review_one_another_goes_the_whole_way(lite: World) -> None:
    halves, made = opened(lite, 8)
    assert [each.state for each in halves] == [CallState.CLOSED, CallState.CLOSED]
    with lite.db.read() as tx:
        inside = [{a.person for a in queries.applications(tx, half.id)} for half in halves]
    assert [len(each) for each in inside] == [4, 4]
    assert lite.desk.assign_peers(lite.steward, halves[0].id) == 16
    assert lite.desk.assign_peers(lite.steward, halves[1].id) == 0
    with lite.db.read() as tx:
        for half, mine in zip(halves, inside, strict=True):
            reviewers = Counter(each.reviewer for each in queries.reviews(tx, half.id))
            assert not set(reviewers) & mine
            assert set(reviewers.values()) == {2}
    for one in made:
        by = lite.people.actor(one.person)
        for task in lite.desk.reviews_to_do(by):
            lite.desk.review(by, task.view.review, judged(4, 4))
    given_out = 0
    for half in halves:
        lite.desk.allocate(lite.panel, half.id)
        given_out += sum(each.amounts.passes for each in lite.desk.publish(lite.panel, half.id))
        assert all(each.conserved for each in lite.desk.budget(half.id).values())
    assert given_out == 8 * 3_000
    assert sum(lite.desk.budget(half.id)["passes"].budget for half in halves) == 40_000


def test_the_second_half_takes_nothing_and_fixes_nothing_before_the_first_is_closed(lite: World) -> None:
    first = lite.open(distributed=True)
    second = lite.desk.series(first.id)[1]
    (one,) = lite.applicants(1)
    with pytest.raises(Refused, match="admissions/window-closed"):
        lite.desk.start(one, second.id)
    with pytest.raises(Refused, match="admissions/not-divided"):
        lite.desk.allocate(lite.panel, second.id)


def test_who_gives_no_reviews_keeps_the_place_until_a_person_decides_otherwise(lite: World) -> None:
    halves, made = opened(lite, 8)
    lite.desk.assign_peers(lite.steward, halves[0].id)
    silent = next(each for each in made if each.id in lite.desk.peer_debts(lite.steward, halves[0].id))
    for one in made:
        by = lite.people.actor(one.person)
        for task in lite.desk.reviews_to_do(by) if one.id != silent.id else ():
            lite.desk.review(by, task.view.review, judged(4, 4))
    lite.clock.advance(days=1000)
    assert lite.desk.peer_debts(lite.steward, halves[0].id) == {silent.id: 2}
    with pytest.raises(Refused, match="admissions/reviews-missing"):
        lite.desk.allocate(lite.panel, halves[1].id)
    other = next(each for each in made if each.id != silent.id)
    with pytest.raises(Refused, match="admissions/no-debt"):
        lite.desk.drop_for_debt(lite.panel, other.id, "they annoy me")
    told = lite.desk.drop_for_debt(lite.panel, silent.id, "Two reviews were not given.")
    assert told.reason is Reason.NO_REVIEWS_GIVEN
    assert lite.desk.assign_peers(lite.steward, halves[0].id) == 2  # asked of others, out of the same half


def test_the_sift_puts_what_is_under_the_line_before_a_person_and_sets_nothing_aside(lite: World) -> None:
    call = lite.open(sift={"reviews": 1, "criterion": "merit", "line": 3})
    made = [lite.apply(each, call) for each in lite.applicants(4)]
    with pytest.raises(Refused, match="admissions/not-in-review"):
        lite.desk.assign_sift(lite.steward, call.id)
    lite.desk.close_call(lite.steward, call.id)
    assert lite.desk.assign_sift(lite.steward, call.id) == 4
    assert lite.desk.assign_sift(lite.steward, call.id) == 0
    low = {made[0].id, made[1].id}
    with lite.db.read() as tx:
        about = {each.id: each.application for each in queries.sifts(tx, call.id)}
    with pytest.raises(Refused, match="admissions/sift-pending"):
        lite.desk.assign_reviewers(lite.steward, call.id)
    for by in lite.reviewers:
        for task in lite.desk.sifts_to_do(by):
            assert "machine" not in task.view.answers
            lite.desk.sift(by, task.id, 2 if about[task.id] in low else 4, "A first look.")
    tally = lite.desk.sift_tally(lite.steward, call.id)
    assert {each.application for each in tally if each.below} == low
    lite.clock.advance(days=1000)
    with pytest.raises(Refused, match="2 under the line"):
        lite.desk.assign_reviewers(lite.steward, call.id)
    with pytest.raises(Refused, match="admissions/not-below-the-line"):
        lite.desk.sift_out(lite.panel, made[2].id, "I do not like it")
    with pytest.raises(Refused, match="people/not-allowed"):
        lite.desk.sift_out(lite.reviewers[0], made[0].id, "no")
    assert lite.desk.sift_out(lite.panel, made[0].id, "Out of what we can serve.").reason is Reason.SIFTED_OUT
    lite.desk.sift_keep(lite.panel, made[1].id, "The reader missed the point.")
    assert len(lite.desk.assign_reviewers(lite.steward, call.id)) == 3 * 2


def test_a_look_is_ones_own_and_never_of_a_colleague(lite: World) -> None:
    call = lite.open(sift={"reviews": 1, "criterion": "merit", "line": 3})
    lite.person("three@north.example", "North", Role.REVIEWER)
    colleague = lite.apply(lite.person("applicant@north.example", "North"), call)
    lite.desk.close_call(lite.steward, call.id)
    lite.desk.assign_sift(lite.steward, call.id)
    with lite.db.read() as tx:
        (look,) = queries.sifts(tx, call.id)
    assert (look.application, look.reviewer) == (colleague.id, lite.reviewers[1].id)
    with pytest.raises(Refused, match="admissions/not-a-reviewer"):
        lite.desk.sift(lite.reviewers[0], look.id, 3, "mine now")
