"""Revoking many: what was shown is what is done, in one entry, or nothing is."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from access.conftest import READER, STEWARD, Room, stage
from readingroom.access import many
from readingroom.access.many import By, Choice
from readingroom.access.model import Amounts, Award, Reason
from readingroom.access.tables import sanction as table
from readingroom.core.refusal import Refused
from readingroom.people.model import Actor, Role

TEXT = Choice(By.TIER, "text")


def issue(room: Room, holder: str, award: str | None = None) -> str:
    ends = room.clock.now() + timedelta(days=30)
    made = Award(holder, "room", "text", Amounts(passes=5), ends, "why", award_id=award)
    with room.db.decide() as tx:
        return room.access.issue_within(tx, STEWARD, made, stage()).id


def look(room: Room, choice: Choice, by: Actor = STEWARD) -> many.Shown:
    return room.access.look_at_many(by, choice, Reason.SECURITY, lambda _tx, grants: 2 * len(grants))


def test_all_of_a_tier_end_in_one_act_that_is_one_entry(room: Room) -> None:
    grants = sorted(issue(room, f"person_{n}") for n in range(3))
    room.access.revoke(STEWARD, room.issue(passes=5).id, Reason.LEGAL)
    shown = look(room, TEXT)
    assert (list(shown.grants), shown.readers, shown.streams) == (grants, 3, 6)
    with room.db.read() as tx:
        before = tx.execute(sa.text("select count(*) from ledger_entry")).scalar_one()
    heard: list[dict[str, object]] = []
    room.ledger.on("access.grants.revoked", lambda _tx, entry: heard.append(dict(entry.data)))
    act, done = room.access.revoke_many(STEWARD, TEXT, Reason.SECURITY, "", shown.digest)
    assert "offers" not in done.to_json(), "the act counts none, and says of none that there are none"
    with room.db.read() as tx:
        assert tx.execute(sa.text("select count(*) from ledger_entry")).scalar_one() == before + 1
        salts = {row.grant_id: row.salt for row in tx.execute(sa.select(table).where(table.c.batch == act))}
    assert {room.access.grant(STEWARD, each).state.value for each in grants} == {"revoked"}
    (entry,) = heard
    assert (entry["count"], entry["act"], entry["shown"]) == (3, act, shown.digest)
    assert entry["grants"] == many.root([(salts[each], each) for each in grants])
    assert not any(each in str(entry) for each in grants), "which ones is committed to, not told"


def test_what_is_offered_is_chosen_by_the_same_names() -> None:
    offer = {"tier": "text", "stage": "room", "call": "call_1", "terms": "sha256:1"}
    for by in By:
        assert Choice(by, offer[by.value]).is_promised(**offer)
        assert not Choice(by, "another").is_promised(**offer)


def test_what_changed_since_it_was_shown_undoes_the_act(room: Room) -> None:
    issue(room, "person_1")
    shown = look(room, TEXT)
    late = issue(room, "person_2")
    for digest in (shown.digest, "", "sha256:x"):
        with pytest.raises(Refused, match="access/not-what-was-shown"):
            room.access.revoke_many(STEWARD, TEXT, Reason.SECURITY, "", digest)
    of_another_reason = look(room, TEXT).digest
    with pytest.raises(Refused, match="access/not-what-was-shown"):
        room.access.revoke_many(STEWARD, TEXT, Reason.LEGAL, "", of_another_reason)
    assert room.access.grant(STEWARD, late).state == "active"


def test_grants_are_chosen_by_call_and_by_the_terms_that_their_holder_reads_under(room: Room) -> None:
    first, second = issue(room, "person_1", "award_1"), issue(room, "person_2", "award_2")
    assert look(room, Choice(By.CALL, "call_1", frozenset({"award_2"}))).grants == (second,)
    for person in ("person_1", "person_2"):
        room.agreements.accept(Actor(person), room.terms.hash)
    newer = room.agreements.publish(STEWARD, "Be kinder.", material=True, reason="a loophole")
    room.agreements.accept(Actor("person_2"), newer.hash)
    assert look(room, Choice(By.TERMS, room.terms.hash)).grants == (first,)
    assert look(room, Choice(By.STAGE, "elsewhere")).grants == ()
    nothing = Choice(By.STAGE, "elsewhere")
    digest = look(room, nothing).digest
    with pytest.raises(Refused, match="access/nothing-to-revoke"):
        room.access.revoke_many(STEWARD, nothing, Reason.SECURITY, "", digest)


@pytest.mark.parametrize("role", [None, *(each for each in Role if each is not Role.STEWARD)])
def test_it_is_for_the_steward_alone(room: Room, role: Role | None) -> None:
    issue(room, READER.id)
    by = Actor("person_x", frozenset({role} if role else ()))
    with pytest.raises(Refused, match="people/not-allowed"):
        look(room, TEXT, by)
    digest = look(room, TEXT).digest
    with pytest.raises(Refused, match="people/not-allowed"):
        room.access.revoke_many(by, TEXT, Reason.SECURITY, "", digest)


@given(st.sets(st.text("abc", min_size=1), min_size=1), st.sets(st.text("abc", min_size=1), min_size=1))
def test_a_digest_names_its_grants_and_their_order_does_not_matter(one: set[str], other: set[str]) -> None:
    made = [many.shown(TEXT, Reason.SECURITY, list(each), 1, n).digest for n, each in enumerate((one, other))]
    assert (made[0] == made[1]) == (one == other)
