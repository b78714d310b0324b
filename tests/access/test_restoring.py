"""After a restoring no grant is in force, and nothing but the newest checkpoint or two persons lifts that."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from access.conftest import READER, STEWARD, Room, stage
from readingroom.access import queries
from readingroom.access.model import Reason
from readingroom.access.restored import Restoration
from readingroom.access.restoring import Restorations
from readingroom.access.rules import check_match, entitled
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.ledger.checkpoint import Checkpoint
from readingroom.ledger.note import Signer
from readingroom.ledger.queries import LedgerReader, checkpoint
from readingroom.people.model import OPERATOR, Actor, Role
from readingroom.people.service import People

WHY = "nothing was decided after it"


class Lab:
    """A reading room that was restored, with persons of several roles."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.people = People(room.db, room.ledger, room.clock)
        self.made = Restorations(room.db, room.ledger, room.clock)
        self.persons = {
            name: self.person(f"{name}@x.example", role)
            for name, role in (
                ("ann", Role.STEWARD),
                ("bob", Role.SAFETY),
                ("cid", Role.STEWARD),
                ("dot", Role.AUDITOR),
                ("eve", Role.PANEL),
            )
        }
        room.agreements.accept(READER, room.terms.hash)
        grant = room.issue(passes=10)
        _, secret = room.access.issue_key(STEWARD, grant.id)
        self.grant, self.key = grant.id, secret.reveal()
        self.earlier = self.checkpoint()
        self.room.access.suspend(STEWARD, grant.id, Reason.SECURITY)
        self.room.access.reinstate(STEWARD, grant.id, Reason.SECURITY)

    def person(self, email: str, role: Role) -> Actor:
        return self.people.actor(self.people.add(Actor(OPERATOR), email, roles=[role]).id)

    def checkpoint(self) -> bytes:
        with self.room.db.read() as tx:
            return checkpoint(tx) or b""

    def restore(self) -> bytes:
        """Mark it as restored from a backup of this moment; return the checkpoint of that."""
        note = self.checkpoint()
        with self.room.db.decide() as tx:
            came_back = Checkpoint.open_own(note, self.room.ledger.verifier)
            self.made.mark_within(tx, Actor(OPERATOR), self.room.clock.now(), came_back)
        self.room.clock.advance(seconds=1)
        return note

    def code(self) -> str:
        return self.room.code(self.key)

    def forge(self, size: int, root: bytes = b"\x07" * 32) -> bytes:
        """Sign a checkpoint as the lost end of this very log would have been."""
        signer = self.room.ledger._signer
        return Checkpoint(signer.name, size, root).sign(signer)


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as told:
        act()
    return told.value.refusal.code


@pytest.fixture
def lab(room: Room) -> Lab:
    return Lab(room)


def test_every_grant_is_suspended_and_the_fact_is_named(lab: Lab) -> None:
    assert lab.code() == "ok"
    lab.restore()
    found = lab.room.why(lab.key)
    assert found.refusal is not None
    assert found.refusal.code == "access/grant-suspended"
    assert "restored" in found.refusal.reason
    assert [fact.name for fact in found.facts if not fact.holds] == ["history-known"]
    with lab.room.db.read() as tx:  # as a page asks, without a key
        assert not entitled(queries.facts_for_grant(tx, lab.grant), stage(), lab.room.clock.now()).ok


def test_what_is_issued_meanwhile_waits_with_the_rest(lab: Lab) -> None:
    lab.restore()
    _, secret = lab.room.access.issue_key(STEWARD, lab.room.issue(passes=5).id)
    assert lab.room.code(secret.reveal()) == "access/grant-suspended"


def test_two_persons_lift_it_and_one_never_counts_twice(lab: Lab) -> None:
    lab.restore()
    ann, bob = lab.persons["ann"], lab.persons["bob"]
    still = lab.made.confirm(ann, "the disk died on Monday")
    assert still is not None
    assert [each.person for each in still.words] == [ann.id]
    assert lab.code() == "access/grant-suspended"
    assert refused(lambda: lab.made.confirm(ann, "again")) == "access/already-confirmed"
    assert lab.code() == "access/grant-suspended"
    assert lab.made.confirm(bob, "I know of it") is None
    assert lab.code() == "ok"
    assert refused(lambda: lab.made.confirm(lab.persons["cid"], "late")) == "access/not-restored"


@pytest.mark.parametrize("name", ["dot", "eve", "operator", "reader"])
def test_nobody_else_may(lab: Lab, name: str) -> None:
    note = lab.restore()
    who = {"operator": Actor(OPERATOR), "reader": READER}.get(name) or lab.persons[name]
    size = lab.checkpoint()
    assert refused(lambda: lab.made.confirm(who, WHY)) == "people/not-allowed"
    assert refused(lambda: lab.made.match(who, note, WHY)) == "people/not-allowed"
    assert lab.checkpoint() == size
    assert lab.code() == "access/grant-suspended"


def test_whoever_lost_the_role_meanwhile_does_not_count(lab: Lab) -> None:
    lab.restore()
    lab.made.confirm(lab.persons["ann"], WHY)
    lab.people.change_role(Actor(OPERATOR), "ann@x.example", Role.STEWARD, add=False)
    assert lab.made.confirm(lab.persons["bob"], WHY) is not None
    assert lab.code() == "access/grant-suspended"
    assert refused(lambda: lab.made.match(lab.persons["ann"], lab.earlier, WHY)) == "people/not-allowed"
    assert lab.made.confirm(lab.persons["cid"], WHY) is None


@pytest.mark.parametrize("reason", ["", "  ", "bell \x07", "x" * 200_000])
def test_a_word_needs_a_reason(lab: Lab, reason: str) -> None:
    note = lab.restore()
    with pytest.raises(BadInput):
        lab.made.confirm(lab.persons["ann"], reason)
    with pytest.raises(BadInput):
        lab.made.match(lab.persons["ann"], note, reason)
    assert lab.code() == "access/grant-suspended"


def test_the_very_checkpoint_of_the_backup_lifts_it(lab: Lab) -> None:
    note = lab.restore()
    lab.made.match(lab.persons["ann"], note, WHY)
    assert lab.code() == "ok"
    assert lab.made.pending() is None


def test_an_older_checkpoint_does_not_since_the_backup_itself_is_newer(lab: Lab) -> None:
    lab.restore()
    code = refused(lambda: lab.made.match(lab.persons["ann"], lab.earlier, WHY))
    assert code == "access/checkpoint-too-old"
    assert lab.code() == "access/grant-suspended"


def test_a_newer_one_is_put_on_record_and_closes_that_way_for_good(lab: Lab) -> None:
    note = lab.restore()
    size = Checkpoint.open(note, lab.room.ledger.verifier).size
    ann = lab.persons["ann"]
    assert refused(lambda: lab.made.match(ann, lab.forge(size + 7), WHY)) == "access/history-lost"
    known = lab.made.pending()
    assert known is not None
    assert known.newer == size + 7
    assert refused(lambda: lab.made.match(ann, note, WHY)) == "access/history-lost"
    assert refused(lambda: lab.made.match(ann, lab.forge(size + 3), WHY)) == "access/history-lost"
    assert lab.made.pending() == known  # a lesser one takes nothing back
    assert lab.code() == "access/grant-suspended"
    lab.made.confirm(ann, WHY)
    lab.made.confirm(lab.persons["bob"], WHY)
    assert lab.code() == "ok"


def test_a_checkpoint_of_another_history_or_of_another_key_proves_nothing(lab: Lab) -> None:
    note = lab.restore()
    size, ann = Checkpoint.open(note, lab.room.ledger.verifier).size, lab.persons["ann"]
    for forged in (lab.forge(size), lab.forge(size - 1)):
        assert refused(lambda forged=forged: lab.made.match(ann, forged, WHY)) == "access/other-history"  # type: ignore[misc]
    stranger = Signer.generate("test.example/log")
    for bad in (Checkpoint("test.example/log", size + 9, b"\x01" * 32).sign(stranger), b"nothing", note[:-9]):
        with pytest.raises(BadInput, match="proves nothing"):
            lab.made.match(ann, bad, WHY)
    known = lab.made.pending()
    assert known is not None
    assert known.newer is None  # a stranger's word is no evidence
    assert lab.code() == "access/grant-suspended"


def test_a_second_restoring_launders_no_first_gap(lab: Lab) -> None:
    lab.restore()
    lab.made.confirm(lab.persons["ann"], WHY)
    second = lab.restore()  # of a backup that was made while the first was open
    assert refused(lambda: lab.made.match(lab.persons["bob"], second, WHY)) == "access/history-lost"
    assert lab.made.confirm(lab.persons["bob"], WHY) is not None  # ann's word was for the first gap
    assert lab.code() == "access/grant-suspended"
    assert lab.made.confirm(lab.persons["ann"], "both times") is None
    assert lab.code() == "ok"


def test_every_worker_hears_of_it(lab: Lab) -> None:
    seen = []
    steps: list[Callable[[], object]] = [
        lab.restore,
        lambda: lab.made.confirm(lab.persons["ann"], WHY),
        lambda: lab.made.confirm(lab.persons["bob"], WHY),
    ]
    for step in steps:
        with lab.room.db.read() as tx:
            before = queries.version(tx)
        step()
        with lab.room.db.read() as tx:
            seen.append(queries.version(tx) > before)
    assert seen == [True, False, True]


def test_each_step_is_in_the_ledger_without_the_reasons(lab: Lab) -> None:
    note = lab.restore()
    size = Checkpoint.open(note, lab.room.ledger.verifier).size
    refused(lambda: lab.made.match(lab.persons["ann"], lab.forge(size + 1), "canary-reason"))
    lab.made.confirm(lab.persons["ann"], "canary-reason")
    lab.made.confirm(lab.persons["bob"], "canary-reason")
    log = LedgerReader(lab.room.db)
    entries = log.entries(size, log.size())
    steps = ["made", "gap-found", "confirmed", "confirmed", "lifted"]
    assert [each.event for each in entries] == [f"access.restore.{step}" for step in steps]
    assert [each.by for each in entries[2:]] == [lab.persons["ann"].id, lab.persons["bob"].id, lab.persons["bob"].id]
    assert "canary" not in str([each.data for each in entries])
    assert log.audit(lab.room.ledger.verifier).problems == ()


@pytest.mark.parametrize("newer", [None, 12])
@pytest.mark.parametrize("size", range(8, 14))
@pytest.mark.parametrize("same", [True, False])
def test_only_the_same_checkpoint_at_the_same_size_with_no_newer_known_matches(
    lab: Lab, newer: int | None, size: int, *, same: bool
) -> None:
    now = lab.room.clock.now()
    refusal = check_match(Restoration("r", now, now, 10, "root", newer), size, same=same)
    assert (refusal is None) == (size == 10 and same and newer is None)
