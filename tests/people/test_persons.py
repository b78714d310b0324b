from __future__ import annotations

from email import message_from_bytes, policy
from pathlib import Path

import pytest
import sqlalchemy as sa

from readingroom.app.mail import Post
from readingroom.core.clock import FixedClock
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.ledger.service import Ledger
from readingroom.people.model import Actor, Role
from readingroom.people.rules import BY_ROLE, OPERATOR, Permission, check, may
from readingroom.people.service import LETTERS_IN_ALL, LETTERS_PER_ADDRESS, People
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
    one = people.add(people.operator(), "a@example.org", name="A")
    two = people.add(people.operator(), "A@EXAMPLE.ORG", roles=[Role.TESTER])
    assert one.id == two.id
    assert two.roles == {Role.TESTER}


NO_ADDRESSES = ["", "a", "a b@c", "@x", "a@", "a@b@c", "a\r\nBcc: x@y", "x" * 65 + "@y", "a@" + "x." * 130 + "y"]
SOMETHING_ELSE = [
    "a@[b",
    "=?utf-8?q?x?=@b",
    "a:b@c",
    "a,b@c.d",
    '"a@c.d',
    "<a@c.d>",
    "a@-b",
    "a..b@c",
    "a@b..c",
    "a@b.",
]
OTHER_LETTERS = ["wei\u00df@c.d", "\u212aelvin@c.d", "a@m\u00fcnchen.example", "a\x00@c.d", "\ud800@c.d"]


@pytest.mark.parametrize("email", [*NO_ADDRESSES, *SOMETHING_ELSE, *OTHER_LETTERS])
def test_what_is_no_address_is_refused(people: People, email: str) -> None:
    with pytest.raises(BadInput, match="not an e-mail address"):
        people.ask(email)


def test_a_link_signs_in_once_and_only_within_a_day(people: People, clock: FixedClock) -> None:
    person = people.add(people.operator(), "a@example.org")
    secret = people.make_link_for(people.operator(), "a@example.org")
    session = people.sign_in(secret)
    assert people.session(session) == person
    with pytest.raises(Refused, match="people/link-spent"):
        people.sign_in(secret)
    late = people.ask("a@example.org")
    clock.advance(hours=24, seconds=1)
    with pytest.raises(Refused, match="people/link-spent"):
        people.sign_in(late)
    assert people.session(session) is None, "a session ends after twelve hours"


def test_a_signed_out_session_is_dead_and_an_unknown_one_is_nobody(people: People) -> None:
    session = people.sign_in(people.ask("a@example.org"))
    people.sign_out(session)
    assert people.session(session) is None
    assert people.session("") is None


def test_a_copy_of_the_database_signs_nobody_in(people: People, db: Database) -> None:
    secret = people.ask("a@example.org")
    session = people.sign_in(people.ask("a@example.org"))
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


@pytest.mark.parametrize(
    "email", ["ada@example.org", "a.b+c@x-y.example", "o'neil@localhost", "{x}|y@xn--mnchen-3ya.example"]
)
def test_what_is_an_address_gets_a_letter(people: People, email: str, tmp_path: Path, clock: FixedClock) -> None:
    assert people.ask(email)
    letter = message_from_bytes(Post(tmp_path, clock).send(email, "s", "t").read_bytes(), policy=policy.default)
    assert [each.addr_spec for each in letter["To"].addresses] == [email]


@pytest.mark.parametrize("field", ["name", "affiliation"])
def test_a_name_is_one_line_that_can_be_shown(people: People, field: str) -> None:
    for bad in ("a\x00", "a\nb", "\ud800", "x" * 201):
        with pytest.raises(BadInput, match=field):
            people.ask("a@example.org", **{field: bad})
        with pytest.raises(BadInput, match=field):
            people.add(people.operator(), "a@example.org", **{field: bad})  # type: ignore[arg-type]
    assert people.find("a@example.org") is None


def test_asking_for_a_link_leaves_no_trace_by_which_to_tell_who_is_known(people: People, db: Database) -> None:
    people.add(people.operator(), "known@example.org")
    before = size_of(db)
    for email in ("known@example.org", "unknown@example.org"):
        assert people.ask(email, name="N")
    assert size_of(db) == before
    assert people.find("unknown@example.org") is None


def test_who_uses_the_link_is_a_person_from_then_on_and_who_was_known_stays_the_same(
    people: People, db: Database
) -> None:
    known = people.add(people.operator(), "known@example.org", name="K", roles=[Role.AUDITOR])
    before = size_of(db)
    assert people.session(people.sign_in(people.ask("known@example.org", name="Other"))) == known
    assert size_of(db) == before
    links = [people.ask("New@example.org", name="N", affiliation="F") for _ in range(2)]
    asker = people.whose_link(links[0])
    assert asker is not None
    assert (asker.id, asker.email, asker.name) == ("", "new@example.org", "N")
    first, second = (people.session(people.sign_in(each)) for each in links)
    assert first == second
    assert first is not None
    assert (first.email, first.name, first.affiliation, first.roles) == ("new@example.org", "N", "F", frozenset())
    assert size_of(db) == before + 1


def test_letters_are_bounded_by_the_hour_for_an_address_and_in_all(people: People, clock: FixedClock) -> None:
    asked = [people.ask(email) for email in ("a@example.org", "A@example.org ") * LETTERS_PER_ADDRESS]
    assert sum(map(bool, asked)) == LETTERS_PER_ADDRESS
    others = [people.ask(f"a{n}@example.org") for n in range(LETTERS_IN_ALL)]
    assert sum(map(bool, others)) == LETTERS_IN_ALL - LETTERS_PER_ADDRESS
    assert people.add(people.operator(), "b@example.org")
    assert people.make_link_for(people.operator(), "b@example.org"), "the house itself is not bounded"
    clock.advance(hours=1)
    assert people.ask("a@example.org")


def test_a_flood_for_strangers_keeps_nobody_out_who_has_an_account(people: People) -> None:
    people.add(people.operator(), "reader@example.org")
    assert all(people.ask(f"a{n}@example.org") for n in range(LETTERS_IN_ALL))
    assert people.ask("stranger@example.org") == ""
    assert sum(bool(people.ask("Reader@example.org")) for _ in range(9)) == LETTERS_PER_ADDRESS


def test_a_link_is_shown_to_others_only_until_the_first_steward_came(people: People) -> None:
    operator = people.operator()
    steward = people.add(operator, "s@example.org", roles=[Role.STEWARD])
    people.add(operator, "t@example.org", roles=[Role.STEWARD])
    assert people.may_see_link(operator, "t@example.org")
    people.sign_in(people.make_link_for(operator, "s@example.org"))
    assert not people.may_see_link(operator, "t@example.org")
    assert not people.may_see_link(people.actor(steward.id), "t@example.org")
    assert people.may_see_link(people.actor(steward.id), "s@example.org")


def test_what_ended_is_not_kept(people: People, db: Database, clock: FixedClock) -> None:
    people.ask("never@example.org")
    people.sign_in(people.ask("a@example.org"))
    clock.advance(hours=25)
    people.sign_in(people.ask("a@example.org"))
    with db.read() as tx:
        assert tx.execute(sa.text("select count(*) from people_link where used_at is null")).scalar() == 0
        assert tx.execute(sa.text("select count(*) from people_session")).scalar() == 1


def size_of(db: Database) -> int:
    with db.read() as tx:
        return int(tx.execute(sa.text("select count(*) from ledger_entry")).scalar_one())
