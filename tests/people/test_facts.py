"""Affiliations and credentials: whether one holds is computed at use, from its own dates and proof."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readingroom.core.clock import FixedClock
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.ledger.service import Ledger
from readingroom.people.model import Actor, Claim, Fact, FactKind, How, Role, Standing
from readingroom.people.providers import SignIn
from readingroom.people.rules import holds, missing, standing
from readingroom.people.service import People
from readingroom.store.db import Database

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
moments = st.integers(-40, 40).map(lambda days: START + timedelta(days=days))
facts = st.builds(
    Fact,
    id=st.just("fact_x"),
    person_id=st.just("person_x"),
    kind=st.sampled_from(FactKind),
    body=st.sampled_from(["North", "South"]),
    how=st.sampled_from(How),
    source=st.just(""),
    since=moments,
    until=st.none() | moments,
    confirmed_by=st.none(),
    ended_at=st.none() | moments,
)


@given(fact=facts, now=moments)
def test_a_fact_holds_from_its_beginning_to_its_end_if_anybody_but_its_person_says_so(
    fact: Fact, now: datetime
) -> None:
    ends = [each for each in (fact.until, fact.ended_at) if each is not None]
    expected = fact.since <= now and all(now < each for each in ends) and fact.how is not How.CLAIMED
    assert (standing(fact, now) is Standing.HOLDS) == expected
    assert holds([fact], now) == expected
    assert (missing([fact], now, fact.kind) is None) == expected


@given(fact=facts, now=moments, later=moments)
def test_what_has_ended_never_holds_again(fact: Fact, now: datetime, later: datetime) -> None:
    if standing(fact, now) in {Standing.ENDED, Standing.EXPIRED} and later >= now:
        assert not holds([fact], later)


@given(known=st.lists(facts, max_size=5), now=moments, kind=st.sampled_from(FactKind))
def test_any_one_that_holds_is_enough_and_only_of_what_was_asked_for(
    known: list[Fact], now: datetime, kind: FactKind
) -> None:
    wanted = [each for each in known if each.kind is kind and each.body == "North"]
    assert holds(known, now, kind, "NORTH") == any(holds([each], now) for each in wanted)


@pytest.fixture
def people(sqlite_db: Database, ledger: Ledger, clock: FixedClock) -> People:
    return People(sqlite_db, ledger, clock, sign_in=SignIn(institutions={"uni.example": "University"}, days=90))


def person(people: People, name: str, *roles: Role) -> Actor:
    return people.actor(people.add(people.operator(), f"{name}@place.example", roles=roles).id)


def test_what_somebody_says_of_themselves_holds_once_another_steward_has_looked(
    people: People, clock: FixedClock
) -> None:
    one, other = person(people, "one", Role.STEWARD), person(people, "other", Role.STEWARD)
    claim = people.claim_fact(one, Claim(FactKind.TRAINING, "An institute", clock.now() + timedelta(days=365)))
    assert standing(claim, clock.now()) is Standing.UNCONFIRMED
    with pytest.raises(Refused, match="people/own-fact"):
        people.confirm_fact(one, claim.id)
    with pytest.raises(Refused, match="people/not-allowed"):
        people.confirm_fact(person(people, "applicant"), claim.id)
    confirmed = people.confirm_fact(other, claim.id, clock.now() + timedelta(days=30))
    assert confirmed.confirmed_by == other.id
    assert holds([confirmed], clock.now(), FactKind.TRAINING)
    with pytest.raises(Refused, match="people/fact-not-open"):
        people.confirm_fact(other, claim.id)
    clock.advance(days=30)
    assert not holds(people.my_facts(one), clock.now(), FactKind.TRAINING)


def test_a_fact_is_ended_by_its_person_or_a_steward_and_by_nobody_else(people: People, clock: FixedClock) -> None:
    owner, steward = person(people, "owner"), person(people, "steward", Role.STEWARD)
    first, second = (people.add_fact(steward, owner.id, Claim(FactKind.LIBRARY_CARD, "A library")) for _ in range(2))
    with pytest.raises(Refused, match="people/fact-unknown"):
        people.end_fact(person(people, "stranger"), first.id)
    people.end_fact(owner, first.id)
    people.end_fact(steward, second.id)
    assert [standing(each, clock.now()) for each in people.my_facts(owner)] == [Standing.ENDED, Standing.ENDED]


def test_a_letter_to_an_institutions_address_shows_for_some_days_that_one_belongs_there(
    people: People, clock: FixedClock
) -> None:
    people.sign_in(people.ask("ada@uni.example"))
    people.sign_in(people.ask("eve@mail.uni.example"))
    ada = people.actor(people.named("ada@uni.example").id)
    assert holds(people.my_facts(ada), clock.now(), FactKind.AFFILIATION, "University")
    assert people.my_facts(people.actor(people.named("eve@mail.uni.example").id)) == []
    clock.advance(days=80)
    people.sign_in(people.ask("ada@uni.example"))
    assert len(people.my_facts(ada)) == 1, "it is renewed"
    clock.advance(days=89)
    assert holds(people.my_facts(ada), clock.now(), FactKind.AFFILIATION)
    clock.advance(days=1)
    assert not holds(people.my_facts(ada), clock.now(), FactKind.AFFILIATION)


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        (Claim(FactKind.TRAINING, "  "), "body: is required"),
        (Claim(FactKind.TRAINING, "a\nb"), "cannot be shown"),
        (Claim(FactKind.TRAINING, "x", START), "until: has passed"),
    ],
)
def test_what_cannot_be_a_fact_is_told(people: People, claim: Claim, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        people.claim_fact(person(people, "ada"), claim)


def test_the_address_for_letters_stays_and_another_can_be_chosen(people: People) -> None:
    ada = person(people, "ada")
    with pytest.raises(Refused, match="people/contact-address"):
        people.remove_identity(ada, "mailto:", "ada@place.example")
    with pytest.raises(Refused, match="people/identity-unknown"):
        people.choose_address(ada, "ada@second.example")
    people.add_address(ada, people.ask_address(ada, "Ada@second.example"))
    assert people.choose_address(ada, "ada@second.example").email == "ada@second.example"
    people.remove_identity(ada, "mailto:", "ada@place.example")
    with pytest.raises(Refused, match="people/identity-ended"):
        people.sign_in(people.ask("ada@place.example"))
    assert people.session(people.sign_in(people.ask("ada@second.example"))) is not None


def test_a_letter_that_adds_an_address_signs_nobody_in_and_works_for_who_asked(people: People) -> None:
    """Else whoever asks for a letter to somebody else's address is handed their account, or hands them theirs."""
    ada, eve = person(people, "ada"), person(people, "eve")
    secret = people.ask_address(eve, "ada@second.example")
    assert people.whose_link(secret) is None
    for act in (lambda: people.sign_in(secret), lambda: people.add_address(ada, secret)):
        with pytest.raises(Refused, match="people/link-spent"):
            act()
    assert people.add_address(eve, secret).person_id == eve.id
    with pytest.raises(Refused, match="people/link-spent"):
        people.add_address(eve, secret)


def test_signing_out_everywhere_ends_sessions_and_links(people: People) -> None:
    ada = person(people, "ada")
    sessions = [people.sign_in(people.ask("ada@place.example")) for _ in range(2)]
    link = people.make_link_for(people.operator(), "ada@place.example")
    assert len(people.my_sessions(ada)) == 2
    assert people.sign_out_everywhere(ada) == 2
    assert [people.session(each) for each in sessions] == [None, None]
    with pytest.raises(Refused, match="people/link-spent"):
        people.sign_in(link)
