"""Who may sign for an institution: confirmed by a steward, for one that the applicant names, and looked at again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from admissions.world import World
from readingroom.admissions.model import Application, Outcome, Reason, Ruling
from readingroom.admissions.teams import Part
from readingroom.core.refusal import Refused
from readingroom.people.model import Actor, Claim, FactKind

AWARD = Ruling(Outcome.AWARDED, Reason.SUITABLE)
DAY = timedelta(days=1)


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(Refused) as caught:
        yield
    assert caught.value.refusal.code == f"admissions/{code}"


def asked(world: World, guarantor: str, email: str = "dean@uni.example") -> tuple[Actor, Application, Actor, str]:
    who = world.person("ada@uni.example", "University of  Somewhere")
    made = world.apply(who, world.open_by_person(guarantor=guarantor))
    _, secret = world.desk.invite(who, made.id, email, Part.GUARANTOR)
    return who, made, world.person(email), secret


def signs(world: World, who: Actor, body: str, days: int = 30) -> str:
    said = Claim(FactKind.SIGNATORY, body, world.clock.now() + days * DAY)
    return world.people.confirm_fact(world.steward, world.people.claim_fact(who, said).id).id


def test_only_who_is_confirmed_as_signing_for_the_applicants_institution_vouches(lite: World) -> None:
    _, made, dean, secret = asked(lite, "listed")
    with refused("not-a-signatory"):
        lite.desk.answer(dean, secret, accept=True)
    lite.people.claim_fact(dean, Claim(FactKind.SIGNATORY, "University of Somewhere"))
    with refused("not-a-signatory"):  # a claim alone holds for nothing
        lite.desk.answer(dean, secret, accept=True)
    signs(lite, dean, "University of Elsewhere")
    with refused("not-a-signatory"):
        lite.desk.answer(dean, secret, accept=True)
    with refused("not-vouched"):
        lite.desk.decide(lite.panel, made.id, AWARD)
    signs(lite, dean, "university of somewhere")
    lite.desk.answer(dean, secret, accept=True)
    assert lite.desk.decide(lite.panel, made.id, AWARD).outcome is Outcome.AWARDED


@pytest.mark.parametrize("how", ["expired", "ended"])
def test_a_right_to_sign_that_is_over_when_it_is_decided_vouches_for_nothing(lite: World, how: str) -> None:
    who, made, dean, secret = asked(lite, "listed")
    fact = signs(lite, dean, "University of Somewhere", days=2)
    lite.desk.answer(dean, secret, accept=True)
    assert [each.who for each in lite.desk.history(who, made.id)[1]] == ["the panel"]
    if how == "expired":
        lite.clock.advance(days=2)
    else:
        lite.people.end_fact(lite.steward, fact)
    with refused("not-vouched"):
        lite.desk.decide(lite.panel, made.id, AWARD)
    assert "another guarantor" in lite.desk.history(who, made.id)[1][0].what
    signs(lite, dean, "University of Somewhere")
    assert lite.desk.decide(lite.panel, made.id, AWARD).outcome is Outcome.AWARDED


def test_who_refuses_to_vouch_needs_no_right_to(lite: World) -> None:
    _, _, dean, secret = asked(lite, "listed")
    assert lite.desk.answer(dean, secret, accept=False, words="I do not know them.").state.value == "declined"


@pytest.mark.parametrize("guarantor", ["required", "listed"])
def test_who_turns_out_to_be_the_applicant_has_vouched_for_nothing(world: World, guarantor: str) -> None:
    who, made, other, secret = asked(world, guarantor)
    signs(world, other, "University of Somewhere")
    world.desk.answer(other, secret, accept=True)
    world.people.merge(world.steward, who.id, other.id, "one person")
    with refused("not-vouched"):
        world.desk.decide(world.panel, made.id, AWARD)
