from __future__ import annotations

import pytest
import sqlalchemy as sa

from readingroom.core.clock import FixedClock
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.ledger.service import Ledger
from readingroom.people.model import Actor, Role
from readingroom.people.rules import BY_ROLE, OPERATOR, Permission, check, may
from readingroom.people.service import People
from readingroom.store.db import Database


@pytest.fixture
def people(db: Database, ledger: Ledger, clock: FixedClock) -> People:
    return People(db, ledger, clock)


def test_a_person_has_the_roles_given_and_loses_those_taken(people: People) -> None:
    operator = people.operator()
    added = people.add(operator, "Ada@Example.org ", name="Ada", roles=[Role.STEWARD, Role.REVIEWER])
    assert added.email == "ada@example.org"
    assert added.roles == {Role.STEWARD, Role.REVIEWER}
    assert people.change_role(operator, "ADA@example.org", Role.STEWARD, add=False).roles == {Role.REVIEWER}
    assert people.actor(added.id).roles == {Role.REVIEWER}


def test_adding_someone_again_makes_no_second_person(people: People) -> None:
    one = people.register("a@example.org", name="A")
    two = people.add(people.operator(), "A@EXAMPLE.ORG", roles=[Role.TESTER])
    assert one.id == two.id
    assert two.roles == {Role.TESTER}


@pytest.mark.parametrize("email", ["", "a", "a b@c", "@x", "a@", "a@b@c", "a\r\nBcc: x@y", "x" * 300 + "@y"])
def test_what_is_no_address_is_refused(people: People, email: str) -> None:
    with pytest.raises(BadInput, match="not an e-mail address"):
        people.register(email)


def test_a_link_signs_in_once_and_only_within_a_day(people: People, clock: FixedClock) -> None:
    person = people.register("a@example.org")
    secret = people.make_link(person.id)
    session = people.sign_in(secret)
    assert people.session(session) == person
    with pytest.raises(Refused, match="people/link-spent"):
        people.sign_in(secret)
    late = people.make_link(person.id)
    clock.advance(hours=24, seconds=1)
    with pytest.raises(Refused, match="people/link-spent"):
        people.sign_in(late)
    assert people.session(session) is None, "a session ends after twelve hours"


def test_a_signed_out_session_is_dead_and_an_unknown_one_is_nobody(people: People) -> None:
    session = people.sign_in(people.make_link(people.register("a@example.org").id))
    people.sign_out(session)
    assert people.session(session) is None
    assert people.session("") is None


def test_a_copy_of_the_database_signs_nobody_in(people: People, db: Database) -> None:
    secret = people.make_link(people.register("a@example.org").id)
    session = people.sign_in(people.make_link(people.register("a@example.org").id))
    with db.read() as tx:
        for table in ("people_link", "people_session"):
            stored = str(tx.execute(sa.text(f"select * from {table}")).all())  # noqa: S608 - fixed names
            assert secret not in stored
            assert session not in stored


def test_the_ledger_holds_no_name_and_no_address(people: People, db: Database) -> None:
    people.add(people.operator(), "canary@example.org", name="Canary Person", roles=[Role.PANEL])
    with db.read() as tx:
        leaves = b"".join(tx.execute(sa.text("select leaf from ledger_entry")).scalars()).lower()
    assert b"canary" not in leaves
    assert b"people.role.added" in leaves


def test_only_who_may_manage_persons_can(people: People) -> None:
    reviewer = people.add(people.operator(), "r@example.org", roles=[Role.REVIEWER])
    with pytest.raises(Refused, match="people/not-allowed"):
        people.add(people.actor(reviewer.id), "x@example.org")


def test_the_operator_runs_the_house_but_signs_reviews_and_decides_nothing() -> None:
    operator, trial = Actor("operator"), Actor("operator", dev=True)
    for permission in Permission:
        assert may(trial, permission)
        assert may(operator, permission) == (permission in OPERATOR)
    refused = check(operator, Permission.STAGE_SIGN)
    assert refused is not None
    assert "readingroom login" in refused.reason


def test_every_permission_is_held_by_some_role() -> None:
    assert frozenset().union(*BY_ROLE.values()) == frozenset(Permission)


def test_somebody_without_a_role_may_nothing() -> None:
    assert not any(may(Actor("person_x"), permission) for permission in Permission)
