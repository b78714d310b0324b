"""Two who act at once: one of them is refused, and the budget is not spent twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from admissions.world import World
from readingroom.admissions.model import Outcome, Reason, Ruling
from readingroom.core.refusal import Refused

OK = Ruling(Outcome.AWARDED, Reason.SUITABLE)


def at_once(acts: Sequence[Callable[[], object]]) -> int:
    """Run acts in threads and return how many were not refused."""

    def tried(act: Callable[[], object]) -> bool:
        try:
            act()
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(len(acts)) as pool:
        return sum(pool.map(tried, acts))


def test_an_award_accepted_and_declined_at_once_is_one_of_the_two(world: World) -> None:
    call = world.open_by_person()
    (who,) = world.applicants(1)
    world.desk.decide(world.steward, world.apply(who, call).id, OK)
    award = world.desk.my_awards(who)[0].id
    acts = [lambda: world.desk.accept_award(who, award), lambda: world.desk.decline_award(who, award)] * 2
    assert at_once(acts) == 1
    held = world.desk.budget(call.id)["passes"]
    assert held.conserved
    assert sorted([held.granted, held.rest]) in ([10_000, 26_000], [0, 36_000])


def test_the_last_of_a_budget_is_awarded_once(world: World) -> None:
    call = world.open_by_person(budget={"passes": 24_000})
    made = [world.apply(who, call).id for who in world.applicants(4)]
    assert at_once([partial(world.desk.decide, world.steward, each, OK) for each in made]) == 2
    held = world.desk.budget(call.id)["passes"]
    assert (held.offered, held.rest, held.reserve) == (20_000, 0, 4_000)


def test_one_person_starting_twice_at_once_has_one_application(world: World) -> None:
    call = world.open()
    (who,) = world.applicants(1)
    assert at_once([lambda: world.desk.start(who, call.id)] * 3) == 1
    assert len(world.desk.my_applications(who)) == 1
