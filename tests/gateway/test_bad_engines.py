"""Engines that are slow, false or odd: what is charged, what is told, and what a decision in between does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.rooms import room
from readingroom.access.model import Reason
from readingroom.core.refusal import Refused
from readingroom.engines.echo import EchoEngine, EchoOptions
from readingroom.engines.model import Chunk, EngineRefused, EngineTimeout, ForwardRequest, Usage
from readingroom.gateway import watch
from readingroom.gateway.frames import End
from readingroom.gateway.model import Ended


class Slow(EchoEngine):
    """Takes its time to count a prompt."""

    def __init__(self) -> None:
        super().__init__(EchoOptions(hang_after=1))
        self.counting, self.go_on = asyncio.Event(), asyncio.Event()

    async def count_prompt(self, request: ForwardRequest) -> int | None:
        self.counting.set()
        await self.go_on.wait()
        return await super().count_prompt(request)


async def test_a_revocation_while_the_prompt_is_counted_is_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "RECHECK_SECONDS", 3600)  # it is not the next full check that finds it
    engine = Slow()
    async with room(tmp_path, engine=engine) as here:
        opening = asyncio.create_task(here.gateway.open(here.key, here.ask("word " * 500, maximum=20)))
        await engine.counting.wait()
        here.house.access.revoke(here.house.people.operator(), here.grant.id, Reason.SECURITY)
        await here.heard()  # the watch has seen the decision before the answer is there to be ended
        engine.go_on.set()
        async with asyncio.timeout(30):
            end = [frame async for frame in (await opening).frames()][-1]
        assert isinstance(end, End)
        assert end.refusal is not None
        assert end.refusal.code == "access/grant-revoked"


async def test_a_reader_who_takes_nothing_keeps_neither_engine_nor_hold_after_a_revocation(tmp_path: Path) -> None:
    async with room(tmp_path, EchoOptions(words_per_second=200)) as here:
        flow = await here.gateway.open(here.key, here.ask("word " * 400, maximum=20))
        overdue = asyncio.Event()
        flow.overdue = overdue.set
        frames = flow.frames()
        await anext(frames)  # ... and no further: the reader's side is stuck in sending
        here.house.access.revoke(here.house.people.operator(), here.grant.id, Reason.SECURITY)
        await asyncio.wait_for(overdue.wait(), 30)
        await frames.aclose()  # what the door does then
        assert here.engine.running == 0
        assert 1 <= await here.used() < 20
        with here.house.db.read() as tx:
            record = tx.execute(sa.text("select leaf from gateway_usage")).scalar_one()
        assert b'"ended":"stopped"' in record


class Says(EchoEngine):
    """Says what it was given to say."""

    def __init__(self, *chunks: Chunk) -> None:
        super().__init__()
        self.chunks = chunks

    async def stream(self, request: ForwardRequest) -> AsyncGenerator[list[Chunk], None]:  # noqa: ARG002
        for chunk in self.chunks:
            yield [chunk]


async def test_a_choice_that_says_nothing_is_a_pass_all_the_same(tmp_path: Path) -> None:
    said = Chunk(index=1, text="a", tokens=1), Chunk(index=1, text=" b", tokens=1)
    ends = Chunk(finish_reason="stop"), Chunk(index=1, finish_reason="stop")
    async with room(tmp_path, engine=Says(ends[0], *said, ends[1], Chunk(usage=Usage(1, 2)))) as here:
        _, end = await here.read(here.ask(choices=2))
        assert end.charged.passes == await here.used() == 3


async def test_maxima_beyond_all_bounds_hold_no_more_than_the_engine_could_say(tmp_path: Path) -> None:
    async with room(tmp_path, EchoOptions(context=50), passes=None) as here:
        asks = [here.ask(choices=128, maximum=2**53 - 1) for _ in range(3)]
        flows = [await here.gateway.open(here.key, ask) for ask in asks]
        assert {flow.hold.amount.passes for flow in flows} == {128 * (50 - 4)}
        for flow in flows:
            assert isinstance([frame async for frame in flow.frames()][-1], End)
        assert await here.used() == 3 * 128 * 4


class Fails(EchoEngine):
    """Fails to count."""

    def __init__(self, fault: Exception) -> None:
        super().__init__()
        self.fault = fault

    async def count_prompt(self, request: ForwardRequest) -> int | None:  # noqa: ARG002
        raise self.fault


@pytest.mark.parametrize(
    ("fault", "code", "param"),
    [
        (EngineTimeout("silent"), "engine/timeout", None),
        (EngineRefused("no tools here", "max_tokens"), "gateway/bad-request", None),
        (EngineRefused("no messages here", "messages"), "gateway/bad-request", "messages"),
        (EngineRefused("odd", "messages\r\nx-evil: 1"), "gateway/bad-request", None),
    ],
)
async def test_a_fault_before_the_answer_is_told_as_one_within_it(
    tmp_path: Path, fault: Exception, code: str, param: str | None
) -> None:
    async with room(tmp_path, engine=Fails(fault)) as here:
        with pytest.raises(Refused) as refused:
            await here.gateway.open(here.key, here.ask())
        assert refused.value.refusal.code == code
        assert refused.value.refusal.facts.get("param") == param
        assert await here.used() == 0


async def test_one_settlement_that_fails_holds_up_no_other_and_no_receipt(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        flows = [await here.gateway.open(here.key, here.ask("a b", maximum=2)) for _ in range(2)]
        stuck, other = (flow.hold.id for flow in flows)
        end = here.gateway._purse.journal.end

        def all_but_one(hold: str, made: object) -> None:
            if hold == stuck:
                raise OSError("no")
            end(hold, made)  # type: ignore[arg-type]

        here.gateway._purse.journal.end = all_but_one  # type: ignore[method-assign]
        for flow in flows:
            assert [type(frame) for frame in [each async for each in flow.frames()]][-1] is End
        for _ in range(600):
            await asyncio.sleep(0.05)
            with here.house.db.read() as tx:
                flushed = (
                    tx.execute(sa.text("select id from gateway_usage where entry_seq is not null")).scalars().all()
                )
            if flushed:
                break
        assert flushed == [other]
        assert set(here.gateway._purse._open) == {stuck}
        here.gateway._purse.journal.end = end  # type: ignore[method-assign]


async def test_a_revoked_key_opens_no_receipt(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        flow = await here.gateway.open(here.key, here.ask("a b", maximum=2))
        end = [frame async for frame in flow.frames()][-1]
        assert isinstance(end, End)
        assert end.ended is Ended.COMPLETE
        operator = here.house.people.operator()
        (key,) = here.house.access.keys(operator, here.grant.id)
        here.house.access.revoke_key(operator, key.id)
        with pytest.raises(Refused, match="access/key-revoked"):
            await here.gateway.receipt(here.key, flow.hold.id)
