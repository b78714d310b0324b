"""Entitled is computed, never a flag (promise 7); what cannot be confirmed is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from access.conftest import READER, STEWARD, Room, stage
from readingroom.access.model import Amounts, Facts, Grant, GrantState, Key, Need, Reason
from readingroom.access.rules import entitled
from readingroom.core.clock import FixedClock
from readingroom.core.refusal import Refused
from readingroom.ledger.note import Signer
from readingroom.ledger.service import Ledger
from readingroom.store.db import Database

NOW = datetime(2026, 1, 5, tzinfo=UTC)


def whole() -> Facts:
    grant = Grant(
        "grant_1",
        "p",
        "room",
        "text",
        GrantState.ACTIVE,
        Amounts(10),
        NOW,
        NOW + timedelta(days=1),
        "s",
        None,
        "",
        NOW,
        None,
    )
    key = Key("key_1", "grant_1", "p", "rr_abcd", NOW, None)
    return Facts(grant, "p", key, terms_needed="sha256:x", terms_accepted=True)


def test_with_every_fact_in_place_it_is_entitled() -> None:
    found = entitled(whole(), stage(), NOW)
    assert found.ok
    assert all(fact.holds for fact in found.facts)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"key": None}, "access/key-unknown"),
        ({"key": Key("k", "g", "p", "rr_", NOW, NOW)}, "access/key-revoked"),
        ({"terms_accepted": False}, "access/terms-not-accepted"),
        ({"terms_needed": None}, "access/terms-not-accepted"),
        ({"barred_until": NOW + timedelta(hours=1)}, "access/grant-suspended"),
        ({"grant": None}, "access/key-unknown"),
    ],
)
def test_each_missing_fact_is_its_own_refusal(changed: dict[str, object], code: str) -> None:
    found = entitled(replace(whole(), **changed), stage(), NOW)  # type: ignore[arg-type]
    assert found.refusal is not None
    assert found.refusal.code == code


def test_the_grants_own_states_are_told_apart() -> None:
    facts = whole()
    assert facts.grant is not None
    for state, code in ((GrantState.SUSPENDED, "access/grant-suspended"), (GrantState.REVOKED, "access/grant-revoked")):
        refusal = entitled(replace(facts, grant=replace(facts.grant, state=state)), stage(), NOW).refusal
        assert refusal is not None
        assert refusal.code == code
    late = entitled(facts, stage(), NOW + timedelta(days=1)).refusal
    assert late is not None
    assert late.code == "access/grant-expired"


def test_no_stage_and_a_closed_one_fail_closed() -> None:
    for at in (None, stage(is_open=False)):
        refusal = entitled(whole(), at, NOW).refusal
        assert refusal is not None
        assert refusal.code == "releases/stage-not-open"


@given(st.integers(0, 5), st.integers(0, 5), st.booleans())
def test_a_tier_shows_what_it_has_and_not_more(has: int, asks: int, alone: bool) -> None:  # noqa: FBT001 - drawn
    found = entitled(whole(), stage(logprobs=has), NOW, Need(top_logprobs=asks, logprobs=alone))
    assert found.ok == (max(asks, int(alone)) <= has)


@given(st.sets(st.sampled_from(["key", "grant", "terms", "bar", "stage", "time"])))
def test_taking_more_facts_away_never_turns_a_refusal_into_a_yes(gone: set[str]) -> None:
    facts, at, now = whole(), stage(), NOW
    if "key" in gone:
        facts = replace(facts, key=None)
    if "grant" in gone:
        facts = replace(facts, grant=None)
    if "terms" in gone:
        facts = replace(facts, terms_accepted=False)
    if "bar" in gone:
        facts = replace(facts, barred_until=NOW + timedelta(days=9))
    now = NOW + timedelta(days=2) if "time" in gone else now
    assert entitled(facts, None if "stage" in gone else at, now).ok == (not gone)


class Life(RuleBasedStateMachine):
    """A grant's life, against the simplest model of it."""

    @initialize()
    def begin(self) -> None:
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.db = Database(f"sqlite:///{self.folder.name}/t.db")
        self.db.create()
        clock = FixedClock()
        self.room = Room(self.db, Ledger(clock, Signer.generate("test/log")), clock)
        self.grant = self.room.issue(days=30, passes=5)
        self.made, secret = self.room.access.issue_key(READER, self.grant.id)
        self.key = secret.reveal()
        self.state, self.accepted, self.live = "active", False, True
        self.ends = clock.now() + timedelta(days=30)

    def teardown(self) -> None:
        if hasattr(self, "db"):
            self.db.close()
            self.folder.cleanup()

    @rule(act=st.sampled_from(["suspend", "reinstate", "revoke"]))
    def sanction(self, act: str) -> None:
        allowed = {"suspend": "active", "reinstate": "suspended"}.get(act)
        possible = self.state == allowed if allowed else self.state != "revoked"
        try:
            getattr(self.room.access, act)(STEWARD, self.grant.id, Reason.SECURITY)
        except Refused:
            assert not possible
        else:
            assert possible
            self.state = {"suspend": "suspended", "reinstate": "active", "revoke": "revoked"}[act]

    @rule()
    def accept(self) -> None:
        terms = self.room.agreements.in_force()
        assert terms is not None
        self.room.agreements.accept(READER, terms.hash)
        self.accepted = True

    @rule(material=st.booleans(), text=st.text("abc", min_size=4, max_size=9))
    def publish(self, material: bool, text: str) -> None:  # noqa: FBT001 - drawn
        try:
            self.room.agreements.publish(STEWARD, text, material=material, reason="clearer")
        except Refused:
            return
        self.accepted = self.accepted and not material

    @precondition(lambda self: self.state != "revoked" and self.live)
    @rule()
    def rotate(self) -> None:
        old = self.key
        self.made, secret = self.room.access.rotate_key(READER, self.made.id)
        self.key, self.live = secret.reveal(), True
        assert self.room.code(old) != "ok"

    @rule()
    def end_the_key(self) -> None:
        if self.live:
            self.room.access.revoke_key(READER, self.made.id)
        self.live = False

    @precondition(lambda self: not self.live)
    @rule()
    def nothing_brings_an_ended_key_back(self) -> None:
        for act in (self.room.access.rotate_key, self.room.access.revoke_key):
            with pytest.raises(Refused, match="access/cannot-change-key"):
                act(READER, self.made.id)

    @rule(days=st.integers(1, 20))
    def wait(self, days: int) -> None:
        before = self.room.code(self.key)
        self.room.clock.advance(days=days)
        assert before == "ok" or self.room.code(self.key) != "ok", "time alone only takes away"

    @invariant()
    def the_function_agrees_with_the_model(self) -> None:
        if hasattr(self, "key"):
            now = self.room.clock.now()
            expected = self.state == "active" and self.accepted and self.live and now < self.ends
            assert (self.room.code(self.key) == "ok") == expected


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
