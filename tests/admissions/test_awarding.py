from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.engine import Connection

from admissions.world import World, judged
from readingroom.admissions import queries
from readingroom.admissions.model import Amounts, AwardState, Outcome, Reason, Ruling
from readingroom.core.refusal import Refusal, Refused
from readingroom.ledger.model import Entry

SUITABLE = Ruling(Outcome.AWARDED, Reason.SUITABLE)


def test_an_accepted_award_is_heard_with_all_that_a_grant_needs(world: World) -> None:
    heard: list[Entry] = []
    world.ledger.on("admissions.award.accepted", lambda _tx, entry: heard.append(entry))
    call, made = world.reviewed([12_000], [judged(5, 5)])
    world.desk.allocate(world.steward, call.id)
    (award,) = world.desk.publish(world.steward, call.id)
    who = world.people.actor(award.person)
    assert world.desk.accept_award(who, award.id).state is AwardState.ACCEPTED
    assert heard[0].data == {
        "award": award.id,
        "application": made[0].id,
        "call": call.id,
        "person": who.id,
        "stage": "reading-room",
        "tier": "text",
        "amounts": {"passes": 12_000, "tokens": None, "calls": None},
        "held": {"passes": 0, "tokens": None, "calls": None},
        "days": 90,
        "terms": "reading-room",
        "decided_by": world.steward.id,
    }


def test_when_the_grant_cannot_be_issued_the_award_is_not_accepted_either(world: World) -> None:
    def refuse(_tx: Connection, _entry: Entry) -> None:
        raise Refused(Refusal("access/example", "No grant."))

    world.ledger.on("admissions.award.accepted", refuse)
    call = world.open_by_person()
    (who,) = world.applicants(1)
    application = world.apply(who, call)
    world.desk.decide(world.steward, application.id, SUITABLE)
    (award,) = world.desk.my_awards(who)
    with pytest.raises(Refused, match="access/example"):
        world.desk.accept_award(who, award.id)
    assert world.desk.award(who, award.id).state is AwardState.OFFERED
    assert world.desk.budget(call.id)["passes"].offered == 10_000


def test_an_award_is_accepted_or_declined_once_and_by_nobody_else(world: World) -> None:
    call = world.open_by_person()
    who, other = world.applicants(2)
    world.desk.decide(world.steward, world.apply(who, call).id, SUITABLE)
    (award,) = world.desk.my_awards(who)
    for thief in (other, world.steward, world.people.operator()):
        with pytest.raises(Refused, match="admissions/award-unknown"):
            world.desk.accept_award(thief, award.id)
    world.desk.accept_award(who, award.id)
    for again in (world.desk.accept_award, world.desk.decline_award):
        with pytest.raises(Refused, match="admissions/wrong-state"):
            again(who, award.id)


def test_a_declined_amount_can_be_awarded_again(world: World) -> None:
    call = world.open_by_person(budget={"passes": 12_000}, appeal_reserve=2_000)
    first, second = world.applicants(2)
    one, two = world.apply(first, call), world.apply(second, call)
    world.desk.decide(world.steward, one.id, SUITABLE)
    with pytest.raises(Refused, match="admissions/budget-exhausted"):
        world.desk.decide(world.steward, two.id, SUITABLE)
    world.desk.decline_award(first, world.desk.my_awards(first)[0].id)
    world.desk.decide(world.steward, two.id, SUITABLE)
    assert world.desk.budget(call.id)["passes"].offered == 10_000


def test_a_date_takes_no_offer_back_but_a_person_may_after_it(world: World) -> None:
    call = world.open_by_person()
    first, second = world.applicants(2)
    for who in (first, second):
        world.desk.decide(world.steward, world.apply(who, call).id, SUITABLE)
    offers = [world.desk.my_awards(who)[0] for who in (first, second)]
    with pytest.raises(Refused, match="admissions/offer-still-open"):
        world.desk.lapse_award(world.steward, offers[0].id)
    world.clock.moment = offers[0].accept_by + timedelta(days=1)
    assert world.desk.accept_award(first, offers[0].id).state is AwardState.ACCEPTED, "late, and still an offer"
    assert world.desk.lapse_award(world.steward, offers[1].id).state is AwardState.LAPSED
    with pytest.raises(Refused, match="admissions/wrong-state"):
        world.desk.accept_award(second, offers[1].id)
    with pytest.raises(Refused, match="people/not-allowed"):
        world.desk.lapse_award(first, offers[0].id)


def test_no_more_is_returned_than_is_granted(world: World) -> None:
    call = world.open_by_person(budget={"passes": 40_000, "calls": 400})
    (who,) = world.applicants(1)
    world.desk.decide(world.steward, world.apply(who, call).id, SUITABLE)
    (award,) = world.desk.my_awards(who)
    assert award.amounts == Amounts(10_000, None, 100)

    def give_back(amounts: Amounts) -> None:
        with world.db.decide() as tx:
            world.desk.return_within(tx, who, award.id, amounts)

    with pytest.raises(Refused, match="admissions/not-granted"):
        give_back(Amounts(1))
    world.desk.accept_award(who, award.id)
    give_back(Amounts(4_000, None, 100))
    for too_much in (Amounts(6_001), Amounts(0, None, 1), Amounts(-1)):
        with pytest.raises(Refused, match="admissions/not-granted"):
            give_back(too_much)
    give_back(Amounts(6_000))
    with world.db.read() as tx:
        held = queries.budget(tx, call.id)
    assert (held["passes"].granted, held["calls"].granted) == (0, 0)
    assert all(each.conserved for each in held.values())
