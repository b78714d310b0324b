"""A small reading room: one stage, a steward, a reader, terms."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from readingroom.access import queries
from readingroom.access.agreements import Agreements
from readingroom.access.keys import key_hash
from readingroom.access.model import Amounts, Award, Entitlement, Facts, Grant, Need
from readingroom.access.rules import entitled
from readingroom.access.service import Access
from readingroom.core.clock import FixedClock
from readingroom.ledger.service import Ledger
from readingroom.people.model import Actor, Role
from readingroom.store.db import Database
from readingroom.strategy.model import Audience, Channel, StageFact, Tier

STEWARD = Actor("person_steward", frozenset({Role.STEWARD}))
READER = Actor("person_reader")
STRANGER = Actor("person_stranger")


def stage(*, is_open: bool = True, logprobs: int = 0) -> StageFact:
    return StageFact(
        name="room",
        channel=Channel.API,
        audience=Audience.GRANTED,
        open=is_open,
        reason="" if is_open else "held for an incident",
        model="small",
        tiers={"text": Tier("text", logprobs)},
        screening=(),
        max_tokens=1024,
    )


@dataclass
class Room:
    """The access room with its surroundings."""

    db: Database
    ledger: Ledger
    clock: FixedClock
    access: Access = field(init=False)
    agreements: Agreements = field(init=False)

    def __post_init__(self) -> None:
        self.access = Access(self.db, self.ledger, self.clock)
        self.agreements = Agreements(self.db, self.ledger, self.clock)
        self.terms = self.agreements.publish(STEWARD, "Be kind.", material=True, reason="clearer")

    def issue(self, days: int = 30, **amounts: int) -> Grant:
        ends = self.clock.now() + timedelta(days=days)
        award = Award(READER.id, "room", "text", Amounts(**amounts), ends, "a purpose")
        return self.access.issue(STEWARD, award, stage())

    def facts(self, key: str) -> Facts | None:
        with self.db.read() as tx:
            return queries.facts_for_key(tx, key_hash(key))

    def why(self, key: str, at: StageFact | None = None, need: Need | None = None) -> Entitlement:
        return entitled(self.facts(key), at or stage(), self.clock.now(), need)

    def code(self, key: str) -> str:
        refusal = self.why(key).refusal
        return refusal.code if refusal else "ok"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.deep)])
def db(request: pytest.FixtureRequest) -> Database:
    """Give a migrated, empty database of each kind; Postgres is tried with the deep tests."""
    found: Database = request.getfixturevalue(f"{request.param}_db")
    return found


@pytest.fixture
def room(db: Database, ledger: Ledger, clock: FixedClock) -> Room:
    return Room(db, ledger, clock)
