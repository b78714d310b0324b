"""What comes back is offered down the published list: its order decides, and nobody on it is passed over."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admissions.world import World, call_text, judged
from readingroom.admissions import call_file
from readingroom.admissions.allocation import Sheet
from readingroom.admissions.model import Amounts, ApplicationState, Reason
from readingroom.admissions.second_chance import Next, next_in_line
from readingroom.core.refusal import Refused

FILE = call_file.parse(call_text(budget={"passes": 40_000, "tokens": 77_777}))


def sheet(number: int, rank: int | None, asked: int) -> Sheet:
    reason = Reason.BELOW_LINE if rank else Reason.VETOED
    return Sheet(f"application_{number}", asked, Fraction(3), rank, None, reason, "", "")


SHEETS = st.lists(st.tuples(st.booleans(), st.integers(2_000, 30_000), st.booleans()), max_size=8)


@given(SHEETS, st.integers(0, 40_000), st.integers(0, 77_777), st.randoms())
def test_the_best_ranked_of_those_who_wait_is_next_and_no_unit_is_overdrawn(
    drawn: list[tuple[bool, int, bool]], passes: int, tokens: int, random: object
) -> None:
    sheets = [sheet(n, n + 1 if ranked else None, asked) for n, (ranked, asked, _) in enumerate(drawn)]
    waiting = {each.application for each, (_, _, waits) in zip(sheets, drawn, strict=True) if waits}
    shuffled = list(sheets)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    found = next_in_line(FILE, shuffled, waiting, {"passes": passes, "tokens": tokens})
    line = [each for each in sheets if each.rank and each.application in waiting]
    if not isinstance(found, Next):
        assert not line or FILE.within({"passes": passes, "tokens": tokens}) < FILE.limits.minimum
        return
    assert found.application == line[0].application, "nobody is passed over"
    assert FILE.limits.minimum <= found.amounts.passes <= min(line[0].asked, FILE.limits.maximum)
    assert found.amounts.passes <= passes
    assert (found.amounts.tokens or 0) <= tokens
    cap = min(line[0].asked, FILE.limits.maximum)
    more = FILE.amounts(found.amounts.passes + 1)
    assert found.amounts.passes == cap or more.passes > passes or (more.tokens or 0) > tokens, "and gets what there is"


@given(st.integers(0, 50_000), st.integers(0, 90_000))
def test_within_is_the_most_passes_whose_other_units_fit(passes: int, tokens: int) -> None:
    most = FILE.within({"passes": passes, "tokens": tokens})
    assert most == 0 or (FILE.amounts(most).passes <= passes and (FILE.amounts(most).tokens or 0) <= tokens)
    assert most + 1 > passes or (FILE.amounts(most + 1).tokens or 0) > tokens


def test_what_was_declined_goes_to_the_next_of_the_list_by_a_persons_act(world: World) -> None:
    world.open = lambda **more: type(world).open(world, **{"second_chance": True} | more)  # type: ignore[method-assign]
    call, made = world.reviewed(
        [15_000, 15_000, 15_000, 9_000, 5_000],
        [judged(5, 5), judged(5, 4), judged(4, 4), judged(4, 3), judged(1, 1)],
    )
    world.desk.allocate(world.steward, call.id)
    awards = {each.application: each for each in world.desk.publish(world.steward, call.id)}
    assert set(awards) == {made[n].id for n in (0, 1, 2)}
    with pytest.raises(Refused) as caught:
        world.desk.second_chance(world.steward, call.id)
    assert caught.value.refusal.code == "admissions/pool-too-small", "nothing has come back yet"
    world.desk.decline_award(world.people.actor(made[0].person), awards[made[0].id].id)
    first = world.desk.second_chance(world.steward, call.id)
    assert (first.application, first.amounts.passes) == (made[3].id, 9_000)
    with pytest.raises(Refused) as caught:
        world.desk.second_chance(world.steward, call.id)
    assert caught.value.refusal.code == "admissions/nobody-waits", "who is under the floor, and who declined, is not"
    assert world.desk.application(world.steward, made[4].id).state is ApplicationState.REFUSED
    held = world.desk.budget(call.id)["passes"]
    assert held.conserved
    assert (held.pool, held.reserve) == (15_000 - 9_000, 4_000)


def test_a_returned_amount_is_spelled_in_the_units_of_its_call() -> None:
    assert replace(FILE).amounts(20_000) == Amounts(20_000, 38_888)
