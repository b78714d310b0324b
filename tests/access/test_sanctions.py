"""Sanctions over time: each stops whom it is of, from when it begins until it ends, and nobody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.conftest import READER, STEWARD, STRANGER, Room, stage
from access.test_entitlement import NOW, whole
from readingroom.access import queries
from readingroom.access.keys import Secret
from readingroom.access.model import Kind, Phase, Reason, Sanction, Subject
from readingroom.access.rules import entitled, stands_until
from readingroom.access.sanctions import RULES, Wanted, check_wanted, table
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.people.model import Actor, Role

COLLEAGUE = Actor("person_colleague")
DAY = timedelta(days=1)


def at_hour(hours: int) -> datetime:
    return NOW + timedelta(hours=hours)


def made(kind: Kind, begins: int, until: int | None, *, lifted: bool = False) -> Sanction:
    """Give a sanction of the reader's, with its moments in hours from NOW."""
    sanction = Sanction(
        "sanction_1", kind, Reason.OTHER, Subject.MEMBER, "grant_1", "p", "s", at_hour(-5), at_hour(begins)
    )
    return replace(
        sanction,
        until=None if until is None else at_hour(until),
        cure_by=at_hour(begins) if begins > 0 else None,
        lifted_at=at_hour(-5) if lifted else None,
    )


hours = st.integers(-5, 5)


@given(st.sampled_from([Kind.SUSPEND, Kind.REVOKE]), hours, st.one_of(st.none(), hours), st.booleans(), hours)
def test_a_sanction_stops_exactly_from_its_beginning_to_its_end(
    kind: Kind,
    begins: int,
    until: int | None,
    lifted: bool,  # noqa: FBT001 - drawn
    at: int,
) -> None:
    sanction = made(kind, begins, until, lifted=lifted)
    now = NOW + timedelta(hours=at)
    facts = replace(whole(), sanctions=(sanction,), grant=replace(whole().grant, expires_at=NOW + 9 * DAY))  # type: ignore[type-var]
    stopped = not lifted and begins <= at and (until is None or at < until)
    found = entitled(facts, stage(), now)
    assert found.ok == (not stopped)
    assert sanction.in_force(now) == stopped
    if stopped:
        assert found.refusal is not None
        assert found.refusal.code == ("access/grant-revoked" if kind is Kind.REVOKE else "access/grant-suspended")
        assert found.refusal.facts["sanction"] == "sanction_1"


@given(hours, st.one_of(st.none(), hours), st.lists(hours, min_size=2, max_size=2).map(sorted))
def test_a_yes_that_is_remembered_stays_true_until_it_is_looked_at_again(
    begins: int, until: int | None, moments: list[int]
) -> None:
    facts = replace(whole(), sanctions=(made(Kind.SUSPEND, begins, until),))
    asked, later = (NOW + timedelta(hours=each) for each in moments)
    if entitled(facts, stage(), asked).ok and later < stands_until(facts, stage(), asked):
        assert entitled(facts, stage(), later).ok


@given(st.sampled_from(Kind), st.sampled_from(Reason), st.sampled_from(Subject), st.integers(1, 3), st.booleans())
def test_what_a_rule_does_not_have_is_refused(
    kind: Kind,
    reason: Reason,
    subject: Subject,
    members: int,
    said: bool,  # noqa: FBT001 - drawn
) -> None:
    rule = RULES[kind]
    wanted = Wanted(
        kind,
        reason,
        grant_id=None if subject is Subject.PERSON else "grant_1",
        person=None if subject is Subject.GRANT else "p",
        notice="what was found" if said else "",
        until=NOW + DAY if rule.until == "must" else None,
        per_minute=6 if kind is Kind.THROTTLE else None,
    )
    fits = subject in rule.subjects and reason in rule.reasons
    of_all = subject is Subject.GRANT and reason is Reason.TERMS_BREACH and members > 1
    needs_words = reason is Reason.OTHER or of_all
    assert (check_wanted(wanted, NOW, members) is None) == (fits and (said or not needs_words))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": Kind.WARN, "until": NOW + DAY}, "access/bad-sanction"),
        ({"kind": Kind.SUSPEND, "until": NOW}, "access/already-expired"),
        ({"kind": Kind.SUSPEND, "cure_by": NOW + timedelta(hours=1)}, "access/bad-sanction"),
        ({"kind": Kind.SUSPEND, "cure_by": NOW + 91 * DAY}, "access/bad-sanction"),
        ({"kind": Kind.SUSPEND, "cure_by": NOW + 5 * DAY, "until": NOW + 4 * DAY}, "access/bad-sanction"),
        ({"kind": Kind.SUSPEND, "reason": Reason.SECURITY, "cure_by": NOW + 5 * DAY}, "access/bad-sanction"),
        ({"kind": Kind.REVOKE, "cure_by": NOW + 5 * DAY}, "access/bad-sanction"),
        ({"kind": Kind.THROTTLE}, "access/bad-sanction"),
        ({"kind": Kind.THROTTLE, "per_minute": 0}, "access/bad-sanction"),
        ({"kind": Kind.SUSPEND, "per_minute": 6}, "access/bad-sanction"),
        ({"kind": Kind.BAR, "grant_id": None}, "access/bad-sanction"),
    ],
)
def test_dates_and_paces_that_a_rule_does_not_have_are_refused(change: dict[str, object], code: str) -> None:
    right = Wanted(Kind.SUSPEND, Reason.TERMS_BREACH, "grant_1", "p")
    found = check_wanted(replace(right, **change), NOW)  # type: ignore[arg-type]
    assert found is not None
    assert found.code == code


@pytest.fixture
def team(room: Room) -> tuple[Room, str, Secret, Secret]:
    """Give a project of two who may both read."""
    grant = room.issue(passes=5)
    with room.db.decide() as tx:
        room.access.invite_within(tx, READER, grant.id, COLLEAGUE.id)
    room.access.join(COLLEAGUE, grant.id)
    secrets = []
    for each in (READER, COLLEAGUE):
        room.agreements.accept(each, room.terms.hash, "A Name")
        secrets.append(room.access.issue_key(each, grant.id)[1])
    assert [room.code(each.reveal()) for each in secrets] == ["ok", "ok"]
    return room, grant.id, secrets[0], secrets[1]


Team = tuple[Room, str, Secret, Secret]


@pytest.mark.parametrize("kind", [Kind.SUSPEND, Kind.REVOKE])
def test_a_member_is_sanctioned_and_the_others_read_on(team: Team, kind: Kind) -> None:
    room, grant, holders, colleagues = team
    found = room.access.impose(STEWARD, Wanted(kind, Reason.SECURITY, grant, COLLEAGUE.id))
    assert room.code(holders.reveal()) == "ok"
    assert room.code(colleagues.reveal()) == f"access/grant-{'suspended' if kind is Kind.SUSPEND else 'revoked'}"
    assert (found.collective, room.access.grant(READER, grant).state) == (False, "active")
    assert [each.id for each in room.access.my_sanctions(COLLEAGUE)] == [found.id]
    assert room.access.my_sanctions(READER) == []
    room.access.lift(STEWARD, found.id, "error-corrected")
    assert room.code(colleagues.reveal()) == "ok"


def test_what_falls_on_all_for_what_one_did_says_why(team: Team) -> None:
    room, grant, holders, colleagues = team
    with pytest.raises(Refused, match="all 2 members"):
        room.access.suspend(STEWARD, grant, Reason.TERMS_BREACH)
    assert room.code(colleagues.reveal()) == "ok"
    room.access.suspend(STEWARD, grant, Reason.TERMS_BREACH, "both wrote the script")
    assert {room.code(each.reveal()) for each in (holders, colleagues)} == {"access/grant-suspended"}
    (found,) = room.access.sanctions(STEWARD, grant)
    assert found.collective


def test_time_to_cure_begins_at_its_date_unless_a_person_found_it_cured(team: Team) -> None:
    room, grant, _, colleagues = team
    cure_by = room.clock.now() + 3 * DAY
    wanted = Wanted(Kind.SUSPEND, Reason.TERMS_BREACH, grant, COLLEAGUE.id, cure_by=cure_by)
    first = room.access.impose(STEWARD, wanted)
    assert (first.phase(room.clock.now()), room.code(colleagues.reveal())) == (Phase.CURING, "ok")
    room.clock.advance(days=2)
    room.access.acknowledge(COLLEAGUE, first.id, "the script is gone")  # a reply is read, and decides nothing
    room.access.lift(STEWARD, first.id, "cured")
    second = room.access.impose(STEWARD, replace(wanted, cure_by=room.clock.now() + 2 * DAY))
    room.clock.advance(days=1.5)
    assert room.code(colleagues.reveal()) == "ok"
    room.clock.advance(days=0.5)
    assert room.code(colleagues.reveal()) == "access/grant-suspended"
    room.access.lift(STEWARD, second.id, "cured")  # a person may find it cured late, too
    assert room.code(colleagues.reveal()) == "ok"


def test_a_bar_ends_by_itself_and_until_then_gives_no_key(room: Room) -> None:
    grant = room.issue(passes=5)
    room.agreements.accept(READER, room.terms.hash)
    _, secret = room.access.issue_key(READER, grant.id)
    until = room.clock.now() + 5 * DAY
    room.access.impose(STEWARD, Wanted(Kind.BAR, Reason.SECURITY, person=READER.id, until=until))
    room.clock.advance(days=4.9)
    assert room.code(secret.reveal()) == "access/grant-suspended"
    with pytest.raises(Refused, match="access/person-barred"):
        room.access.issue_key(READER, grant.id)
    room.clock.advance(days=0.1)
    assert room.code(secret.reveal()) == "ok"
    room.access.issue_key(READER, grant.id)


def test_a_warning_is_told_and_acknowledged_once_by_whom_it_is_about(room: Room) -> None:
    grant = room.issue(passes=5)
    words = {"notice": "too many at night", "note": "she said so", "evidence": "entry:3"}
    warned = room.access.impose(STEWARD, Wanted(Kind.WARN, Reason.SECURITY, grant.id, **words))  # type: ignore[arg-type]
    shown = room.access.sanction(READER, warned.id).to_json(room.clock.now())
    assert (shown["notice"], "note" in shown, "decided_by" in shown) == ("too many at night", False, False)
    for act in (room.access.acknowledge, room.access.sanction):
        with pytest.raises(Refused, match="access/no-such-sanction"):
            act(STRANGER, warned.id)
    assert room.access.acknowledge(READER, warned.id, "less now").reply == "less now"
    with pytest.raises(Refused, match="access/cannot-change-sanction"):
        room.access.acknowledge(READER, warned.id, "not so")


def test_evidence_is_a_hash_or_an_entry_and_words_stay_out_of_the_ledger(room: Room) -> None:
    grant = room.issue(passes=5)
    for bad in ("the log file", "sha256:abc", "entry:-1"):
        with pytest.raises(BadInput, match="is no hash and no entry"):
            room.access.impose(STEWARD, Wanted(Kind.WARN, Reason.SECURITY, grant.id, evidence=bad))
    wanted = Wanted(Kind.SUSPEND, Reason.SECURITY, grant.id, notice="Grete did it", evidence="sha256:" + "a" * 64)
    room.access.impose(STEWARD, wanted)
    with room.db.read() as tx:
        leaves = b"".join(tx.exec_driver_sql("select leaf from ledger_entry").scalars())
    assert b"Grete" not in leaves
    assert b"sha256:" + b"a" * 64 in leaves


def test_reinstating_lifts_the_suspension_that_stands_and_its_record_says_why(room: Room) -> None:
    grant = room.issue(passes=5)
    room.access.suspend(STEWARD, grant.id, Reason.SECURITY)
    room.access.reinstate(STEWARD, grant.id, Reason.ERROR_CORRECTED)
    room.clock.advance(hours=1)
    again = room.access.impose(STEWARD, Wanted(Kind.SUSPEND, Reason.LEGAL, grant.id))
    with pytest.raises(Refused, match="access/cannot-change-grant"):
        room.access.impose(STEWARD, Wanted(Kind.SUSPEND, Reason.SECURITY, grant.id))
    with pytest.raises(Refused, match="Only the people who hear an appeal"):
        room.access.lift(STEWARD, again.id, "appeal-upheld")
    assert room.access.lift(STEWARD, again.id, "cured").lifted_reason == "cured"
    assert room.access.grant(READER, grant.id).state == "active"
    room.clock.advance(hours=1)
    room.access.revoke(STEWARD, grant.id, Reason.LEGAL)
    with room.db.read() as tx:
        last, *others = queries.sanctions(tx, grant.id)
    assert [each.lifted_reason for each in others] == ["cured", "error-corrected"]
    with pytest.raises(Refused, match="That is final"):
        room.access.lift(STEWARD, last.id, "cured")


@pytest.mark.parametrize(("reason", "after"), [(Reason.KEY_LEAKED, "access/key-revoked"), (Reason.TERMS_BREACH, "ok")])
def test_a_leaked_key_does_not_come_back_with_its_reader(room: Room, reason: Reason, after: str) -> None:
    grant = room.issue(passes=5)
    room.agreements.accept(READER, room.terms.hash)
    _, stolen = room.access.issue_key(READER, grant.id)
    assert room.code(stolen.reveal()) == "ok"
    room.access.revoke(STEWARD, grant.id, reason)
    with room.db.read() as tx:
        (revoked,) = queries.sanctions(tx, grant.id)
    with room.db.decide() as tx:
        room.access.lift_within(tx, STRANGER, revoked.id)
    assert room.code(stolen.reveal()) == after
    _, fresh = room.access.issue_key(READER, grant.id)
    assert room.code(fresh.reveal()) == "ok"


def test_a_bar_keeps_its_notice_and_evidence_and_has_a_reason_of_its_rule(room: Room) -> None:
    until = room.clock.now() + timedelta(days=30)
    wanted = replace(Wanted(Kind.BAR, Reason.SECURITY, person=READER.id, until=until), evidence="entry:1")
    made = room.access.impose(STEWARD, replace(wanted, notice="You may appeal.", note="Ours."))
    assert (made.notice, made.note, made.evidence) == ("You may appeal.", "Ours.", "entry:1")
    for unruly in (replace(wanted, reason=Reason.KEY_LEAKED), replace(wanted, evidence="a rumour")):
        with pytest.raises((Refused, BadInput)):
            room.access.impose(STEWARD, unruly)
    with pytest.raises(Refused, match="There is no bar for key-leaked"):
        room.access.bar(STEWARD, READER.id, until + timedelta(days=1), Reason.KEY_LEAKED)


def test_each_kind_is_for_who_has_its_permission(room: Room) -> None:
    grant = room.issue(passes=5)
    for role in Role:
        by = Actor("person_x", frozenset({role}))
        for wanted in (Wanted(Kind.WARN, Reason.SECURITY, grant.id), Wanted(Kind.THROTTLE, Reason.SECURITY, grant.id)):
            if role in {Role.STEWARD, Role.SAFETY}:
                room.access.impose(by, replace(wanted, per_minute=6 if wanted.kind is Kind.THROTTLE else None))
            else:
                with pytest.raises(Refused, match="people/not-allowed"):
                    room.access.impose(by, wanted)


def test_the_table_of_rules_in_the_docs_is_the_one_that_the_code_obeys() -> None:
    from pathlib import Path

    text = (Path(__file__).parents[2] / "docs/explanation/sanctions.md").read_text(encoding="utf-8")
    assert table() in text, "write what `readingroom.access.sanctions.table()` returns into the page"
