"""Names over every order of events: ask, ask something else, end, fail, crash, be buried, expire; two workers."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from gateway.hands import Hand, rows
from readingroom.access.keys import make
from readingroom.core.clock import FixedClock
from readingroom.core.refusal import Refused
from readingroom.gateway.keeping import Claim
from readingroom.gateway.kept import KEPT_FOR
from readingroom.store.db import Database

KEYS = [make().reveal(), make().reveal()]


@dataclass
class Known:
    """What must be so of one name of one reader."""

    name: tuple[str, str]
    body: str
    claim: Claim
    hand: Hand
    answer: bytes | None = None


class KeptStates(RuleBasedStateMachine):
    """Two real workers on a real database, beside a model that is a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = FixedClock()
        self.db = Database(f"sqlite:///{Path(self.folder.name) / 'test.db'}")
        self.db.create()
        self.loop = asyncio.new_event_loop()
        self.hands = [Hand(self.db, self.clock), Hand(self.db, self.clock)]
        self.known: dict[tuple[str, str], Known] = {}
        self.ghosts: list[Known] = []
        self.charged = 0

    def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(asyncio.wait_for(work, 30))

    def teardown(self) -> None:
        self.hands[0].keeping.sweep()
        assert len(rows(self.db)) == len(self.known)
        for (key, name), each in self.known.items():
            if each.answer is not None:
                assert self.wait(self.hands[1].begin(key, name, each.body)) == each.answer
        self.db.close()
        self.loop.close()
        self.folder.cleanup()

    @rule(hand=st.integers(0, 1), key=st.sampled_from(KEYS), name=st.sampled_from("ab"), body=st.sampled_from("xy"))
    def ask(self, hand: int, key: str, name: str, body: str) -> None:
        known = self.known.get((key, name))
        asking = self.hands[hand].begin(key, name, body)
        if known is not None and (known.answer is None or known.body != body):
            with pytest.raises(Refused) as refused:
                self.wait(asking)
            assert refused.value.refusal.code == "gateway/idempotency-conflict"
            assert refused.value.refusal.facts["waiting_helps"] is (known.body == body)
            return
        found = self.wait(asking)
        if isinstance(found, bytes):
            assert known is not None
            assert (known.body, known.answer) == (body, found)
            return
        assert known is None, "a name was answered twice"
        self.known[key, name] = Known((key, name), body, found, self.hands[hand])

    def running(self) -> list[tuple[str, str]]:
        return [name for name, each in self.known.items() if each.answer is None]

    @precondition(lambda self: self.running())
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        known = self.known[data.draw(st.sampled_from(self.running()))]
        self.charged += 1
        known.answer = b"answer %d" % self.charged
        self.wait(known.hand.keeping.keep(known.claim, known.answer))

    @precondition(lambda self: self.running())
    @rule(data=st.data())
    def fail(self, data: st.DataObject) -> None:
        known = self.known.pop(data.draw(st.sampled_from(self.running())))
        self.wait(known.hand.keeping.drop(known.claim))

    @rule(hand=st.integers(0, 1))
    def crash(self, hand: int) -> None:
        """A worker is taken for dead, and another comes."""
        dead, self.hands[hand] = self.hands[hand], Hand(self.db, self.clock)
        dead.is_forgotten()
        for name in self.running():
            if self.known[name].hand is dead:
                self.ghosts.append(self.known.pop(name))

    @precondition(lambda self: self.ghosts)
    @rule(kept=st.booleans(), data=st.data())
    def a_ghost_speaks(self, *, kept: bool, data: st.DataObject) -> None:
        """It was only slow; but nothing that it has to say counts any more."""
        ghost = data.draw(st.sampled_from(self.ghosts))
        told = ghost.hand.keeping.keep(ghost.claim, b"too late") if kept else ghost.hand.keeping.drop(ghost.claim)
        before = rows(self.db)
        self.wait(told)
        mine = [row for row in before if row.claim == ghost.claim.id]
        assert [row for row in rows(self.db) if row.claim != ghost.claim.id] == [
            row for row in before if row not in mine
        ]
        if kept and mine:  # nobody came in between: its answer is as good as any
            self.known[ghost.name] = Known(ghost.name, ghost.body, ghost.claim, ghost.hand, b"too late")
        self.ghosts.remove(ghost)

    @rule()
    def a_day_passes(self) -> None:
        self.clock.advance(seconds=KEPT_FOR.total_seconds())
        self.known = {}

    @rule(hand=st.integers(0, 1))
    def keep_house(self, hand: int) -> None:
        self.hands[hand].keeping.sweep()


TestKeptStates = KeptStates.TestCase
TestKeptStates.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
