"""Names in the database, of both kinds: one is answered by one call, whoever comes and whoever dies."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from gateway.hands import KEY, Hand, rows
from readingroom.access.keys import make
from readingroom.core.clock import FixedClock
from readingroom.core.refusal import Refusal, Refused
from readingroom.gateway.ask import Ask, Kind
from readingroom.gateway.keeping import Claim
from readingroom.gateway.kept import KEPT_FOR
from readingroom.store.db import Database


async def test_of_many_who_come_at_once_one_answers(db: Database, clock: FixedClock) -> None:
    hands = [Hand(db, clock) for _ in range(4)]
    came = await asyncio.gather(*(hands[n % 4].begin() for n in range(32)), return_exceptions=True)
    assert sum(isinstance(each, Claim) for each in came) == 1
    others = [each for each in came if not isinstance(each, Claim)]
    assert all(isinstance(each, Refused) and each.refusal.facts["waiting_helps"] for each in others), others


async def test_of_many_who_find_a_dead_workers_question_one_answers(db: Database, clock: FixedClock) -> None:
    dead, hands = Hand(db, clock), [Hand(db, clock) for _ in range(4)]
    assert isinstance(await dead.begin(), Claim)
    dead.is_forgotten()
    came = await asyncio.gather(*(hands[n % 4].begin() for n in range(32)), return_exceptions=True)
    assert sum(isinstance(each, Claim) for each in came) == 1


async def test_who_was_taken_for_dead_keeps_nothing_in_the_place_of_who_came_after(
    db: Database, clock: FixedClock
) -> None:
    slow, quick = Hand(db, clock), Hand(db, clock)
    old = await slow.begin()
    slow.is_forgotten()
    new = await quick.begin()
    assert isinstance(old, Claim)
    assert isinstance(new, Claim)
    await slow.keeping.keep(old, b"late")
    await slow.keeping.drop(old)
    await quick.keeping.keep(new, b"right")
    assert await slow.begin() == b"right"


async def test_what_was_kept_is_for_its_reader_alone_and_for_a_day(db: Database, clock: FixedClock) -> None:
    hand = Hand(db, clock)
    claim = await hand.begin()
    assert isinstance(claim, Claim)
    await hand.keeping.keep(claim, b"answer")
    other = make().reveal()
    assert isinstance(await hand.begin(other), Claim)
    assert await hand.begin(KEY) == b"answer"
    clock.advance(seconds=KEPT_FOR.total_seconds())
    assert isinstance(await hand.begin(KEY), Claim)


async def test_housekeeping_forgets_what_expired_and_what_the_dead_had(db: Database, clock: FixedClock) -> None:
    hand, dead = Hand(db, clock), Hand(db, clock)
    for name in ("kept", "running"):
        claim = await hand.begin(name=name)
        assert isinstance(claim, Claim)
        if name == "kept":
            await hand.keeping.keep(claim, b"answer")
    await dead.begin(name="lost")
    dead.is_forgotten()
    hand.keeping.sweep()
    assert len(rows(db)) == 2
    clock.moment += KEPT_FOR + timedelta(seconds=1)
    hand.keeping.sweep()
    assert rows(db) == []


@pytest.mark.parametrize("kept", [True, False])
async def test_an_end_that_cannot_be_written_is_written_later(db: Database, clock: FixedClock, *, kept: bool) -> None:
    hand = Hand(db, clock)
    claim = await hand.begin()
    assert isinstance(claim, Claim)
    with db.write() as tx:
        tx.execute(sa.text("alter table gateway_kept rename to gateway_gone"))
    await (hand.keeping.keep(claim, b"answer") if kept else hand.keeping.drop(claim))
    with db.write() as tx:
        tx.execute(sa.text("alter table gateway_gone rename to gateway_kept"))
    hand.keeping.sweep()
    assert await hand.begin() == b"answer" if kept else isinstance(await hand.begin(), Claim)


async def test_a_seal_that_does_not_open_is_no_answer(db: Database, clock: FixedClock) -> None:
    hand = Hand(db, clock)
    claim = await hand.begin()
    assert isinstance(claim, Claim)
    await hand.keeping.keep(claim, b"answer")
    with db.write() as tx:
        tx.execute(sa.text("update gateway_kept set sealed = :other"), {"other": b"x" * 60})
    assert isinstance(await hand.begin(), Claim)


async def test_asking_again_does_not_wait_for_who_writes(db: Database, clock: FixedClock) -> None:
    """On SQLite there is one writer at a time, and a reader who asks again and again must not be that one."""
    hand = Hand(db, clock)
    claim = await hand.begin()
    assert isinstance(claim, Claim)
    with db.write() as tx:
        tx.execute(sa.text("update gateway_worker set pid = 2"))
        with pytest.raises(Refused):
            await asyncio.wait_for(hand.begin(), 5)
    await hand.keeping.keep(claim, b"answer")
    with db.write() as tx:
        tx.execute(sa.text("update gateway_worker set pid = 3"))
        assert await asyncio.wait_for(hand.begin(), 5) == b"answer"
    assert hand.asked == [False, True, False, False, False]


async def test_who_would_not_be_let_in_claims_nothing(db: Database, clock: FixedClock) -> None:
    async def stands(*, anew: bool) -> bytes:
        if anew:
            raise Refused(Refusal("access/rate-limited", "later"))
        return b""

    hand = Hand(db, clock)
    with pytest.raises(Refused, match="rate-limited"):
        await hand.keeping.begin(KEY, "n", Ask(Kind.CHAT, "echo", {}, b"{}"), stands)
    assert rows(db) == []
