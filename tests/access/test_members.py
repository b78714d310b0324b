"""A grant is of a project: each member has keys of their own, and who leaves takes none along."""

from __future__ import annotations

from datetime import timedelta

import pytest

from access.conftest import READER, STEWARD, STRANGER, Room, stage
from readingroom.access.model import Amounts, Award, Kind, Reason
from readingroom.access.sanctions import Wanted
from readingroom.core.refusal import Refused
from readingroom.people.model import Actor

COLLEAGUE, OTHER = Actor("person_colleague"), Actor("person_other")


def project(room: Room, *members: str) -> str:
    """Issue a grant from an award whose team said yes already."""
    ends = room.clock.now() + timedelta(days=30)
    award = Award(READER.id, "room", "text", Amounts(passes=5), ends, "why", title="Shelf marks", members=members)
    return room.access.issue(STEWARD, award, stage()).id


def invite(room: Room, by: Actor, grant: str, person: Actor) -> None:
    with room.db.decide() as tx:
        room.access.invite_within(tx, by, grant, person.id)


def test_the_team_of_an_award_is_of_the_project_and_each_makes_their_own_keys(room: Room) -> None:
    grant = project(room, COLLEAGUE.id, READER.id)
    assert [each.person for each in room.access.members(READER, grant)] == [COLLEAGUE.id]
    mine, _ = room.access.issue_key(READER, grant)
    theirs, secret = room.access.issue_key(COLLEAGUE, grant)
    assert (mine.person, theirs.person) == (READER.id, COLLEAGUE.id)
    assert [each.id for each in room.access.keys(COLLEAGUE, grant)] == [theirs.id]
    assert {each.id for each in room.access.keys(READER, grant)} == {mine.id, theirs.id}
    room.agreements.accept(READER, room.terms.hash)
    assert room.code(secret.reveal()) == "access/terms-not-accepted", "each accepts for themselves"
    room.agreements.accept(COLLEAGUE, room.terms.hash)
    assert room.code(secret.reveal()) == "ok"


def test_a_member_rotates_their_own_key_and_no_member_another_s(room: Room) -> None:
    grant = project(room, COLLEAGUE.id, OTHER.id)
    theirs, _ = room.access.issue_key(COLLEAGUE, grant)
    for act in (room.access.rotate_key, room.access.revoke_key):
        with pytest.raises(Refused, match="people/not-allowed"):
            act(OTHER, theirs.id)
    with pytest.raises(Refused, match="people/not-allowed"):
        room.access.rotate_key(READER, theirs.id)  # the holder would hold a key in another's name
    new, _ = room.access.rotate_key(COLLEAGUE, theirs.id)
    assert new.person == COLLEAGUE.id
    assert room.access.revoke_key(READER, new.id).ends_at is not None  # but ending one is the holder's to do


def test_an_invitation_is_no_membership_until_it_is_answered(room: Room) -> None:
    grant = project(room)
    invite(room, READER, grant, COLLEAGUE)
    with pytest.raises(Refused, match="people/not-allowed"):
        room.access.issue_key(COLLEAGUE, grant)
    with pytest.raises(Refused, match="people/not-allowed"):
        room.access.grant(COLLEAGUE, grant)
    with pytest.raises(Refused, match="access/member-already"):
        invite(room, READER, grant, COLLEAGUE)
    assert [each.id for _, each in room.access.invitations(COLLEAGUE)] == [grant]
    room.access.decline(COLLEAGUE, grant)
    with pytest.raises(Refused, match="access/no-such-invitation"):
        room.access.join(COLLEAGUE, grant)
    invite(room, READER, grant, COLLEAGUE)
    room.access.join(COLLEAGUE, grant)
    assert [each.id for each in room.access.my_grants(COLLEAGUE)] == [grant]


def test_who_leaves_takes_no_key_along_and_asking_them_back_revives_none(room: Room) -> None:
    grant = project(room, COLLEAGUE.id)
    room.agreements.accept(COLLEAGUE, room.terms.hash)
    _, secret = room.access.issue_key(COLLEAGUE, grant)
    before = room.facts(secret.reveal())
    room.access.remove(READER, grant, COLLEAGUE.id)
    assert room.code(secret.reveal()) == "access/key-revoked"
    assert before is not None
    with pytest.raises(Refused, match="people/not-allowed"):
        room.access.issue_key(COLLEAGUE, grant)
    invite(room, READER, grant, COLLEAGUE)
    room.access.join(COLLEAGUE, grant)
    assert room.code(secret.reveal()) == "access/key-revoked"
    assert room.code(room.access.issue_key(COLLEAGUE, grant)[1].reveal()) == "ok"


def test_who_may_remove_whom(room: Room) -> None:
    grant = project(room, COLLEAGUE.id, OTHER.id)
    for by, person in ((OTHER, COLLEAGUE), (STRANGER, COLLEAGUE), (COLLEAGUE, READER)):
        with pytest.raises(Refused, match="people/not-allowed"):
            room.access.remove(by, grant, person.id)
    with pytest.raises(Refused, match="access/holder-stays"):
        room.access.remove(READER, grant, READER.id)
    room.access.remove(OTHER, grant, OTHER.id)
    room.access.remove(STEWARD, grant, COLLEAGUE.id)
    with pytest.raises(Refused, match="access/no-such-member"):
        room.access.remove(READER, grant, COLLEAGUE.id)


def test_who_is_barred_is_not_invited_and_a_revoked_member_gets_no_key(room: Room) -> None:
    grant = project(room, COLLEAGUE.id)
    room.access.bar(STEWARD, OTHER.id, room.clock.now() + timedelta(days=9), Reason.SECURITY)
    with pytest.raises(Refused, match="access/person-barred"):
        invite(room, READER, grant, OTHER)
    room.access.impose(STEWARD, Wanted(Kind.REVOKE, Reason.SECURITY, grant, COLLEAGUE.id))
    with pytest.raises(Refused, match="access/grant-revoked"):
        room.access.issue_key(COLLEAGUE, grant)
