"""Keys are secrets shown once; terms are texts by hash; a stranger gets neither."""

from __future__ import annotations

import re
import threading
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from access.conftest import READER, STEWARD, STRANGER, Room
from readingroom.access import keys, queries
from readingroom.access.model import Amounts, Reason
from readingroom.access.rules import diagrams
from readingroom.access.tables import terms
from readingroom.core.canonical import commitment
from readingroom.core.clock import rfc3339
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.ledger.model import Entry
from readingroom.people.model import OPERATOR, Actor


def test_a_key_is_found_by_scanners_and_its_typing_errors_are_too() -> None:
    made = {keys.make().reveal() for _ in range(200)}
    assert len(made) == 200
    for each in made:
        assert re.fullmatch(r"rr_[0-9A-Za-z]{49}", each)
        assert keys.is_wellformed(each)
        flipped = each[:10] + ("a" if each[10] != "a" else "b") + each[11:]
        assert not keys.is_wellformed(flipped)


@given(st.text(max_size=60))
def test_no_text_that_is_no_key_looks_like_one(text: str) -> None:
    assert not keys.is_wellformed(text)


def test_a_keys_plaintext_is_nowhere_but_in_the_hand_that_got_it(room: Room) -> None:
    grant = room.issue(passes=5)
    _, secret = room.access.issue_key(READER, grant.id)
    plain = secret.reveal()
    assert plain[8:] not in f"{secret} {secret!r}"
    with room.db.read() as tx:
        tables = sa.inspect(tx).get_table_names()
        stored = " ".join(str(tx.execute(sa.text(f'select * from "{name}"')).all()) for name in tables)  # noqa: S608 - names from the schema
        leaves = b"".join(tx.execute(sa.text("select leaf from ledger_entry")).scalars())
    assert plain[8:] not in stored
    assert plain[8:].encode() not in leaves


def test_a_stranger_gets_no_key_ends_none_and_sees_no_grant(room: Room) -> None:
    grant = room.issue(passes=5)
    made, _ = room.access.issue_key(READER, grant.id)
    for attempt in (
        lambda: room.access.issue_key(STRANGER, grant.id),
        lambda: room.access.rotate_key(STRANGER, made.id),
        lambda: room.access.revoke_key(STRANGER, made.id),
        lambda: room.access.grant(STRANGER, grant.id),
        lambda: room.access.keys(STRANGER, grant.id),
        lambda: room.access.revoke(STRANGER, grant.id, Reason.OTHER, "mine now"),
        lambda: room.access.grants(READER),
    ):
        with pytest.raises(Refused, match="people/not-allowed"):
            attempt()
    assert room.access.grant(READER, grant.id) == grant


def test_a_rotated_key_may_have_a_bounded_grace(room: Room) -> None:
    grant = room.issue(passes=5)
    room.agreements.accept(READER, room.terms.hash)
    made, old = room.access.issue_key(READER, grant.id)
    _, new = room.access.rotate_key(READER, made.id, grace_hours=2)
    assert room.code(old.reveal()) == room.code(new.reveal()) == "ok"
    room.clock.advance(hours=2)
    assert room.code(old.reveal()) == "access/key-revoked"
    assert room.code(new.reveal()) == "ok"
    with pytest.raises(Refused, match="access/bad-grace"):
        room.access.rotate_key(READER, made.id, grace_hours=73)


def test_a_revoked_grant_gets_no_more_keys(room: Room) -> None:
    grant = room.issue(passes=5)
    room.access.revoke(STEWARD, grant.id, Reason.KEY_LEAKED)
    with pytest.raises(Refused, match="access/grant-revoked"):
        room.access.issue_key(READER, grant.id)


def test_two_revocations_at_once_are_one(room: Room) -> None:
    grant = room.issue(passes=5)
    outcomes: list[str] = []

    def revoke() -> None:
        try:
            room.access.revoke(STEWARD, grant.id, Reason.SECURITY)
            outcomes.append("done")
        except Refused as refused:
            outcomes.append(refused.refusal.code)

    threads = [threading.Thread(target=revoke) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(outcomes) == ["access/cannot-change-grant"] * 3 + ["done"]


def test_every_decision_moves_the_counter_that_workers_watch(room: Room) -> None:
    def counter() -> int:
        with room.db.read() as tx:
            return queries.version(tx)

    grant = room.issue(passes=5)
    seen = [counter()]
    for act in (
        lambda: room.access.suspend(STEWARD, grant.id, Reason.SECURITY),
        lambda: room.access.reinstate(STEWARD, grant.id, Reason.ERROR_CORRECTED),
        lambda: room.agreements.publish(STEWARD, "New.", material=True, reason="clearer"),
        lambda: room.access.issue_key(READER, grant.id),
        lambda: room.access.revoke(STEWARD, grant.id, Reason.LEGAL),
    ):
        act()
        seen.append(counter())
    assert seen == sorted(set(seen))


@pytest.mark.parametrize("amount", [0, -1, 2**53])
def test_an_amount_that_means_nothing_is_refused(room: Room, amount: int) -> None:
    with pytest.raises(Refused, match="access/bad-amount"):
        room.issue(passes=amount)


def test_a_grant_that_would_have_ended_already_is_refused(room: Room) -> None:
    with pytest.raises(Refused, match="access/already-expired"):
        room.issue(days=0)


def test_a_sanction_for_other_reasons_needs_a_note_and_the_operator_may_give_it(room: Room) -> None:
    grant = room.issue(passes=5)
    with pytest.raises(Refused, match="access/note-missing"):
        room.access.suspend(Actor(OPERATOR), grant.id, Reason.OTHER)
    assert room.access.suspend(Actor(OPERATOR), grant.id, Reason.OTHER, "a drill").state == "suspended"


def test_terms_that_changed_since_they_were_shown_cannot_be_accepted(room: Room) -> None:
    shown = room.terms.hash
    room.agreements.publish(STEWARD, "Be very kind.", material=True, reason="clearer")
    with pytest.raises(Refused, match="access/terms-changed"):
        room.agreements.accept(READER, shown)


def test_a_small_change_pauses_nobody_and_a_material_one_everybody(room: Room) -> None:
    grant = room.issue(passes=5)
    _, secret = room.access.issue_key(READER, grant.id)
    room.agreements.accept(READER, room.terms.hash)
    room.agreements.publish(STEWARD, "Be kind!", material=False, reason="clearer")
    assert room.code(secret.reveal()) == "ok"
    room.agreements.publish(STEWARD, "Be kind, always.", material=True, reason="clearer")
    assert room.code(secret.reveal()) == "access/terms-not-accepted"
    assert "+Be kind, always." in room.agreements.changes_since(room.terms.hash)
    newest = room.agreements.in_force()
    assert newest is not None
    room.agreements.accept(READER, newest.hash)
    assert room.code(secret.reveal()) == "ok"
    assert [each.terms_hash for each in room.agreements.mine(READER)] == [room.terms.hash, newest.hash]


def test_the_same_text_is_not_published_twice_and_nothing_is_no_text(room: Room) -> None:
    with pytest.raises(Refused, match="access/terms-unchanged"):
        room.agreements.publish(STEWARD, "Be kind.", material=True, reason="clearer")
    with pytest.raises(BadInput, match="empty"):
        room.agreements.publish(STEWARD, "  ", material=True, reason="clearer")
    with pytest.raises(BadInput, match="reason: is required"):
        room.agreements.publish(STEWARD, "Be kinder.", material=True, reason=" ")
    assert room.agreements.in_force() == room.terms


def test_a_barred_person_reads_nothing_and_gets_nothing(room: Room) -> None:
    grant = room.issue(passes=5)
    _, secret = room.access.issue_key(READER, grant.id)
    room.agreements.accept(READER, room.terms.hash)
    until = room.clock.now().replace(month=2)
    room.access.bar(STEWARD, READER.id, until, Reason.TERMS_BREACH)
    assert room.code(secret.reveal()) == "access/grant-suspended"
    with pytest.raises(Refused, match="access/person-barred"):
        room.issue(passes=5)


def test_a_bar_is_only_made_longer_unless_it_was_an_error_and_its_end_is_on_record(room: Room) -> None:
    heard: list[Entry] = []
    room.ledger.on("access.person.barred", lambda _tx, entry: heard.append(entry))
    now = room.clock.now()
    long, short = now + timedelta(days=300), now + timedelta(days=3)
    room.access.bar(STEWARD, READER.id, long, Reason.SECURITY)
    for until in (short, long):
        with pytest.raises(Refused, match="access/person-barred"):
            room.access.bar(STEWARD, READER.id, until, Reason.TERMS_BREACH)
    with pytest.raises(Refused, match="access/already-expired"):
        room.access.bar(STEWARD, STRANGER.id, now, Reason.SECURITY)
    with pytest.raises(Refused, match="access/note-missing"):
        room.access.bar(STEWARD, STRANGER.id, short, Reason.OTHER)
    with pytest.raises(Refused, match="people/not-allowed"):
        room.access.bar(READER, STRANGER.id, short, Reason.SECURITY)
    room.access.bar(STEWARD, READER.id, short, Reason.ERROR_CORRECTED)
    ends = [{"person": READER.id, "until": rfc3339(until), "reason": why} for until, why in
            ((long, "security"), (short, "error-corrected"))]  # fmt: skip
    assert [{name: each.data[name] for name in ends[0]} for each in heard] == ends
    with room.db.read() as tx:
        assert queries.barred_until(tx, READER.id) == short


def test_why_terms_were_published_is_kept_and_the_ledger_commits_to_it_without_telling(room: Room) -> None:
    heard: list[Entry] = []
    room.ledger.on("access.terms.published", lambda _tx, entry: heard.append(entry))
    made = room.agreements.publish(STEWARD, "Be kinder.", material=True, reason=" after an incident ")
    assert made.reason == "after an incident"
    assert "incident" not in str(heard[0].data)
    with room.db.read() as tx:
        salt = tx.execute(sa.select(terms.c.salt).where(terms.c.hash == made.hash)).scalar_one()
    assert heard[0].data["reason"] == commitment(salt, b"after an incident")


def test_terms_that_no_screen_can_show_are_not_published(room: Room) -> None:
    with pytest.raises(BadInput, match="cannot be shown"):
        room.agreements.publish(STEWARD, "Be \x00 kind.", material=True, reason="clearer")


def test_a_note_that_no_screen_can_show_is_not_kept_with_a_sanction(room: Room) -> None:
    grant = room.issue(passes=5)
    for act in (
        lambda: room.access.suspend(STEWARD, grant.id, Reason.SECURITY, "a\x00b"),
        lambda: room.access.bar(STEWARD, READER.id, grant.expires_at, Reason.SECURITY, "a\x00b"),
    ):
        with pytest.raises(BadInput, match="cannot be shown"):
            act()
    assert room.access.grant(STEWARD, grant.id).state.value == "active"


def test_the_diagrams_name_every_act() -> None:
    assert "active --> revoked: revoke" in diagrams()["grant"]
    assert Amounts(1).to_json() == {"passes": 1, "tokens": None, "calls": None}
