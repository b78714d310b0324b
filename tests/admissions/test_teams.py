"""Teams and guarantors by invitation: as oneself, once, and silence is neither a yes nor a no."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from admissions.world import ANSWERS, World
from readingroom.admissions import queries
from readingroom.admissions.model import (
    Application,
    ApplicationState,
    ConflictKind,
    Draft,
    Outcome,
    Reason,
    Ruling,
)
from readingroom.admissions.teams import LIFE, InvitationState, Part
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.ledger.queries import LedgerReader
from readingroom.people.model import Actor, Role
from readingroom.store import copy

AWARD = Ruling(Outcome.AWARDED, Reason.SUITABLE)
UNVOUCHED = Ruling(Outcome.REFUSED, Reason.NOT_VOUCHED, "Nobody has vouched.")


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(Refused) as caught:
        yield
    assert caught.value.refusal.code == f"admissions/{code}"


def applied(world: World, **changes: Any) -> tuple[Actor, Application]:
    call = world.open_by_person(**changes)
    (who,) = world.applicants(1)
    return who, world.apply(who, call)


def joined(world: World, who: Actor, application: str, email: str) -> Actor:
    _, secret = world.desk.invite(who, application, email)
    member = world.person(email)
    world.desk.answer(member, secret, accept=True)
    return member


def members(world: World, application: str) -> tuple[str, ...]:
    with world.db.read() as tx:
        return queries.members(tx, application)


def test_who_accepts_as_themselves_is_a_member_sees_it_and_may_leave(world: World) -> None:
    who, made = applied(world)
    asked, secret = world.desk.invite(who, made.id, "Bea@East.example")
    assert (asked.email, asked.state) == ("bea@east.example", InvitationState.INVITED)
    bea = world.person("bea@east.example", "East")
    assert members(world, made.id) == (), "silence is no yes"
    with refused("application-unknown"):
        world.desk.application(bea, made.id)
    assert world.desk.asked(bea, secret).applicant == "a@place0.example"
    world.desk.answer(bea, secret, accept=True)
    assert members(world, made.id) == (bea.id,)
    assert world.desk.application(bea, made.id).id == made.id
    assert [each.id for each in world.desk.joined(bea)] == [made.id]
    assert world.desk.versions(bea, made.id)
    for act in (world.desk.submit, world.desk.withdraw):
        with refused("application-unknown"):
            act(bea, made.id)
    with refused("invitation-unknown"):
        world.desk.answer(bea, secret, accept=True)
    world.desk.leave(bea, made.id)
    assert members(world, made.id) == ()
    with refused("application-unknown"):
        world.desk.application(bea, made.id)


def test_a_decline_a_removal_and_an_end_of_time_make_no_member_and_decide_nothing(lite: World) -> None:
    who, made = applied(lite)
    bea, cay = lite.person("bea@east.example"), lite.person("cay@west.example")
    _, first = lite.desk.invite(who, made.id, "bea@east.example")
    assert lite.desk.answer(bea, first, accept=False).state is InvitationState.DECLINED
    asked, second = lite.desk.invite(who, made.id, "cay@west.example")
    lite.desk.remove(who, asked.id)
    asked, third = lite.desk.invite(who, made.id, "dan@west.example")
    lite.clock.advance(days=LIFE.days, seconds=1)
    for by, secret in ((bea, first), (cay, second), (lite.person("dan@west.example"), third), (cay, "guessed")):
        with refused("invitation-unknown"):
            lite.desk.asked(by, secret)
        with refused("invitation-unknown"):
            lite.desk.answer(by, secret, accept=True)
    states = {each.email: each.state for each in lite.desk.team(who, made.id)}
    assert states["dan@west.example"] is InvitationState.INVITED, "the clock made no answer of it"
    _, fourth = lite.desk.remind(who, asked.id)
    lite.desk.answer(lite.person("dan@west.example"), fourth, accept=True)
    assert lite.desk.application(who, made.id).state is ApplicationState.SUBMITTED


def test_a_letters_secret_is_in_no_row_and_no_entry_and_the_address_in_no_entry(world: World) -> None:
    who, made = applied(world, guarantor="optional")
    secrets = [
        world.desk.invite(who, made.id, "bea@east.example")[1],
        world.desk.invite(who, made.id, "dean@uni.example", Part.GUARANTOR)[1],
    ]
    world.desk.answer(world.person("dean@uni.example"), secrets[1], accept=False, words="I do not know them.")
    with world.db.read() as tx:
        rows = b"".join(line for table in copy.tables(tx) for line in copy.rows_out(tx, table))
    for secret in secrets:
        assert secret.encode() not in rows
    log = LedgerReader(world.db)
    entries = b"".join(each.leaf() for each in log.entries(0, log.size()))
    for word in (b"bea@east.example", b"dean@uni.example", b"do not know"):
        assert word in rows
        assert word not in entries


def test_asking_tells_nobody_who_is_known_here_and_anothers_invitations_look_like_none(lite: World) -> None:
    who, made = applied(lite)
    thief = lite.person("thief@thief.example")
    lite.person("known@known.example")
    known, _ = lite.desk.invite(who, made.id, "known@known.example")
    unknown, _ = lite.desk.invite(who, made.id, "nobody@nowhere.example")
    assert (known.state, known.person, known.letters) == (unknown.state, unknown.person, unknown.letters)
    for target in (known.id, "invitation_x"):
        for act in (lite.desk.remind, lite.desk.remove):
            with refused("invitation-unknown"):
                act(thief, target)
    for look in (lite.desk.team, lite.desk.history, lite.desk.attachments):
        with refused("application-unknown"):
            look(thief, made.id)
    with refused("application-unknown"):
        lite.desk.invite(thief, made.id, "x@x.example")
    with refused("invitation-unknown"):
        lite.desk.leave(thief, made.id)
    with pytest.raises(Refused, match="not-signed-in"):
        lite.desk.asked(lite.people.operator(), "x")


def test_letters_are_bounded(lite: World) -> None:
    who, made = applied(lite)
    asked, _ = lite.desk.invite(who, made.id, "bea@east.example")
    with refused("already-invited"):
        lite.desk.invite(who, made.id, "BEA@east.example")
    with refused("reminded-lately"):
        lite.desk.remind(who, asked.id)
    for _ in range(4):
        lite.clock.advance(days=1)
        lite.desk.remind(who, asked.id)
    lite.clock.advance(days=1)
    with refused("letters-spent"):
        lite.desk.remind(who, asked.id)
    lite.desk.remove(who, asked.id)
    with refused("letters-spent"):
        lite.desk.invite(who, made.id, "bea@east.example")
    for number in range(20):
        lite.desk.invite(who, made.id, f"m{number}@east.example")
    with refused("too-many-letters"):
        lite.desk.invite(who, made.id, "one-more@east.example")
    for bad in ("x", "a@b\nBcc: c@d.example", "a b@c.example", "=?utf-8?q?x?=@c.example"):
        with pytest.raises(BadInput):
            lite.desk.invite(who, made.id, bad)


def test_whoever_was_asked_reviews_nothing_of_it_and_a_member_runs_no_call_of_theirs(lite: World) -> None:
    who, made = applied(lite)
    reviewer = lite.reviewers[0]
    lite.desk.invite(who, made.id, "one@north.example")

    def standing(by: Actor) -> set[ConflictKind]:
        with lite.db.read() as tx:
            graph = queries.graph(tx, lite.desk.call(made.call))
            return {each.kind for each in graph.between(queries.party(tx, by.id))(made.id)}

    assert ConflictKind.TEAM in standing(reviewer), "asked, and silent"
    assert standing(lite.reviewers[1]) == set()
    _, secret = lite.desk.invite(who, made.id, "private@mail.example")
    lite.desk.answer(lite.panel, secret, accept=True)  # under another address than the letter's
    assert ConflictKind.TEAM in standing(lite.panel)
    with refused("own-application"):
        lite.desk.decide(lite.panel, made.id, AWARD)
    lite.desk.leave(lite.panel, made.id)
    assert ConflictKind.TEAM in standing(lite.panel), "who was inside has read it"


def test_who_reviews_it_cannot_join_it_nor_can_its_applicant(lite: World) -> None:
    call = lite.open()
    who, other = lite.applicants(2)
    made = lite.apply(who, call)
    _, own = lite.desk.invite(who, made.id, "me@again.example")
    with refused("own-application"):
        lite.desk.answer(who, own, accept=True)
    lite.desk.close_call(lite.steward, call.id)
    lite.desk.assign_reviewers(lite.steward, call.id)
    _, secret = lite.desk.invite(who, made.id, "friend@mail.example")
    with refused("conflict"):
        lite.desk.answer(lite.reviewers[0], secret, accept=True)
    lite.desk.answer(other, secret, accept=True)
    _, twice = lite.desk.invite(who, made.id, "again@mail.example")
    with refused("already-a-member"):
        lite.desk.answer(other, twice, accept=True)


def vouching(world: World, who: Actor, application: str) -> tuple[Actor, str, str]:
    asked, secret = world.desk.invite(who, application, "dean@uni.example", Part.GUARANTOR)
    return world.person("dean@uni.example", "Uni"), secret, asked.id


def test_nothing_is_awarded_before_somebody_vouches_and_silence_is_no_vouching(world: World) -> None:
    who, made = applied(world, guarantor="required")
    with refused("not-vouched"):
        world.desk.decide(world.panel, made.id, AWARD)
    dean, secret, _ = vouching(world, who, made.id)
    world.clock.advance(days=LIFE.days // 2)
    with refused("not-vouched"):
        world.desk.decide(world.panel, made.id, AWARD)
    with refused("not-the-guarantor"):
        world.desk.answer(world.person("friend@mail.example"), secret, accept=True)
    asked = world.desk.asked(dean, secret)
    assert asked.version is not None
    assert asked.version.draft.answers == ANSWERS
    assert world.desk.answer(dean, secret, accept=True).version == 1
    assert members(world, made.id) == (), "who vouches is no member"
    with refused("application-unknown"):
        world.desk.application(dean, made.id)
    assert world.desk.decide(world.panel, made.id, AWARD).outcome is Outcome.AWARDED


def test_a_word_for_one_version_is_none_for_the_next(lite: World) -> None:
    who, made = applied(lite, guarantor="required")
    dean, secret, asked = vouching(lite, who, made.id)
    lite.desk.answer(dean, secret, accept=True)
    lite.desk.save(who, made.id, Draft({**ANSWERS, "purpose": "Something else"}, 10_000))
    lite.desk.submit(who, made.id)
    with refused("not-vouched"):
        lite.desk.decide(lite.panel, made.id, AWARD)
    _, secret = lite.desk.remind(who, asked)
    with pytest.raises(BadInput, match="words"):
        lite.desk.answer(dean, secret, accept=False)
    lite.desk.answer(dean, secret, accept=True)
    with refused("wrong-state"):
        lite.desk.remind(who, asked)
    with refused("reason-not-fitting"):
        lite.desk.decide(lite.panel, made.id, UNVOUCHED)
    assert lite.desk.decide(lite.panel, made.id, AWARD).outcome is Outcome.AWARDED


def test_a_competition_waits_for_the_word_or_for_a_person_to_refuse(lite: World) -> None:
    call = lite.open(guarantor="required")
    one, two = lite.applicants(2)
    good, silent = lite.apply(one, call), lite.apply(two, call)
    dean, secret, _ = vouching(lite, one, good.id)
    lite.desk.answer(dean, secret, accept=True)
    with refused("competition"):
        lite.desk.decide(lite.panel, silent.id, UNVOUCHED)  # the window is open: the word may still come
    lite.desk.close_call(lite.steward, call.id)
    lite.desk.assign_reviewers(lite.steward, call.id)
    lite.review_all({})
    with refused("not-vouched"):
        lite.desk.allocate(lite.panel, call.id)
    with refused("reason-not-fitting"):
        lite.desk.decide(lite.panel, good.id, UNVOUCHED)
    for ruling in (AWARD, Ruling(Outcome.REFUSED, Reason.UNCLEAR, "x")):
        with refused("competition"):
            lite.desk.decide(lite.panel, silent.id, ruling)
    assert lite.desk.decide(lite.panel, silent.id, UNVOUCHED).reason is Reason.NOT_VOUCHED
    assert [each.application for each in lite.desk.allocate(lite.panel, call.id).sheets] == [good.id]


def test_a_guarantor_is_asked_only_where_the_call_does_and_once_something_is_submitted(lite: World) -> None:
    who, made = applied(lite)
    with refused("no-guarantor"):
        vouching(lite, who, made.id)
    call = lite.open_by_person(guarantor="required")
    draft = lite.desk.start(who, call.id, Draft(ANSWERS, 9_000))
    with refused("not-submitted"):
        vouching(lite, who, draft.id)
    lite.desk.submit(who, draft.id)
    dean, secret, asked = vouching(lite, who, draft.id)
    with refused("already-invited"):
        lite.desk.invite(who, draft.id, "other@uni.example", Part.GUARANTOR)
    lite.desk.answer(dean, secret, accept=False, words="I do not know them.")
    lite.desk.invite(who, draft.id, "other@uni.example", Part.GUARANTOR)
    with lite.db.read() as tx:
        assert "dean@uni.example" in queries.graph(tx, lite.desk.call(call.id)).sides[draft.id].team
    lite.people.add(lite.people.operator(), "dean@uni.example", roles=[Role.REVIEWER])
    assert asked in {each.id for each in lite.desk.team(who, draft.id)}
