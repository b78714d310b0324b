"""Answers end as they should, whatever the engine does, and are settled once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.rooms import room
from readingroom.access import queries as access
from readingroom.access.model import Reason
from readingroom.app.lending import meter_of
from readingroom.app.plans import RuleFiles
from readingroom.core.refusal import Refused
from readingroom.engines.echo import EchoEngine, EchoOptions
from readingroom.engines.identity import ECHO_DIGEST
from readingroom.engines.model import Chunk, EngineTimeout, ForwardRequest, Usage
from readingroom.gateway.flow import Flow
from readingroom.gateway.frames import End
from readingroom.gateway.model import Ended
from readingroom.gateway.service import Gateway
from readingroom.gateway.watch import BLIND_SECONDS, POLL_SECONDS, Watch


async def test_a_whole_answer_is_charged_by_the_engines_own_usage(tmp_path: Path) -> None:
    async with room(tmp_path, EchoOptions(claims=6)) as here:
        text, end = await here.read(here.ask())
        assert (text, end.ended, end.charged.passes, await here.used()) == ("one two three four", Ended.COMPLETE, 6, 6)


async def test_without_usage_the_frames_are_counted(tmp_path: Path) -> None:
    async with room(tmp_path, EchoOptions(no_usage=True)) as here:
        assert (await here.read(here.ask()))[1].charged.passes == await here.used() == 4


async def test_never_more_is_charged_than_was_reserved(tmp_path: Path) -> None:
    async with room(tmp_path, EchoOptions(claims=9999)) as here:
        assert (await here.read(here.ask(maximum=3)))[1].charged.passes == await here.used() == 3


async def test_an_engine_that_ignores_the_maximum_is_cut_there(tmp_path: Path) -> None:
    async with room(tmp_path, EchoOptions(extra_tokens=50)) as here:
        text, end = await here.read(here.ask("a b c d e f g", maximum=3))
        assert (text, end.ended, await here.used()) == ("a b c", Ended.COMPLETE, 3)
        assert here.engine.running == 0


@pytest.mark.parametrize(("how", "charged"), [("whole", 0), ("streamed", 2)])
async def test_an_engine_that_dies_charges_only_what_was_delivered(tmp_path: Path, how: str, charged: int) -> None:
    async with room(tmp_path, EchoOptions(fail_after=2)) as here:
        _, end = await here.read(here.ask(streamed=how == "streamed"))
        assert end.refusal is not None
        assert end.refusal.code == "engine/unavailable"
        assert await here.used() == charged


async def test_an_end_without_its_reason_is_no_clean_end(tmp_path: Path) -> None:
    async with room(tmp_path, EchoOptions(end_early=2)) as here:
        _, end = await here.read(here.ask())
        assert end.ended is Ended.BROKEN


async def test_where_prompts_cannot_be_counted_the_context_is_reserved(tmp_path: Path) -> None:
    async with room(tmp_path, EchoOptions(no_count=True, context=100)) as here:
        flow = await here.gateway.open(here.key, here.ask(maximum=2))
        assert flow.hold.amount.tokens == 100 + 2
        async for _ in flow.frames():
            pass
        assert await here.used() == 2


async def test_a_prompt_longer_than_the_context_is_a_bad_request(tmp_path: Path) -> None:
    async with room(tmp_path, EchoOptions(context=3)) as here:
        with pytest.raises(Refused, match="gateway/bad-request"):
            await here.gateway.open(here.key, here.ask())
        assert await here.used() == 0


async def test_a_revocation_reaches_a_reader_while_the_engine_is_silent(tmp_path: Path) -> None:
    async with room(tmp_path, EchoOptions(hang_after=1)) as here:

        def revoke(_: Flow) -> None:
            here.house.access.revoke(here.house.people.operator(), here.grant.id, Reason.SECURITY)

        text, end = await asyncio.wait_for(here.read(here.ask(), revoke), 30)
        assert text == "one"
        assert end.refusal is not None
        assert end.refusal.code == "access/grant-revoked"
        assert here.engine.running == 0
        assert await here.used() == 1


async def test_a_grant_that_expires_in_the_middle_ends_its_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with room(tmp_path, EchoOptions(hang_after=1)) as here:
        later = here.grant.expires_at
        ended = await asyncio.wait_for(
            here.read(here.ask(), lambda _: monkeypatch.setattr(here.house.clock, "now", lambda: later)), 30
        )
        assert ended[1].refusal is not None
        assert ended[1].refusal.code == "access/grant-expired"


async def test_a_reader_who_leaves_stops_the_engine_and_is_charged(tmp_path: Path) -> None:
    async with room(tmp_path, EchoOptions(words_per_second=200)) as here:
        flow = await here.gateway.open(here.key, here.ask("word " * 20, maximum=15))
        frames = flow.frames()
        for _ in range(3):
            await anext(frames)
        await frames.aclose()
        assert here.engine.running == 0
        assert 3 <= await here.used() <= 6


async def test_what_cannot_be_settled_now_is_settled_later(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        full = True
        end = here.gateway._purse.journal.end

        def sometimes(*said: Any) -> None:
            if full:
                raise OSError("the disk is full")
            end(*said)

        flow = await here.gateway.open(here.key, here.ask())
        here.gateway._purse.journal.end = sometimes  # type: ignore[method-assign,assignment]
        frames = [frame async for frame in flow.frames()]
        assert isinstance(frames[-1], End)
        assert frames[-1].refusal is not None
        assert frames[-1].refusal.code == "gateway/cannot-confirm-grant"
        assert meter_of(here.house, here.grant.id).reserved.passes > 0
        full = False
        assert await here.used() == 4


async def test_while_the_database_is_gone_for_a_moment_answers_end_well_and_are_charged_later(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        write, broken = here.house.db.write, True

        def sometimes() -> Any:
            if broken:
                raise sa.exc.OperationalError("gone", {}, Exception("gone"))
            return write()

        flow = await here.gateway.open(here.key, here.ask())
        here.house.db.write = sometimes  # type: ignore[method-assign]
        frames = [frame async for frame in flow.frames()]
        assert isinstance(frames[-1], End)
        assert (frames[-1].ended, frames[-1].charged.passes) == (Ended.COMPLETE, 4)
        broken = False
        assert await here.used() == 4


async def test_a_stage_whose_model_is_not_the_one_that_would_answer_is_not_served(tmp_path: Path) -> None:
    async with room(tmp_path, served="sha256:another") as here:
        with pytest.raises(Refused, match=r"releases/stage-not-open.*does not serve echo as it is registered"):
            await here.gateway.open(here.key, here.ask())
        assert await here.used() == 0
        assert here.engine.words_said == 0


async def test_a_stage_is_served_with_the_rules_that_it_was_opened_with_and_no_others(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        house = here.house
        with house.db.write() as tx:
            tx.execute(sa.text("update releases_stage set screening = 'sha256:other'"))
            access.bump(tx)
        await here.heard()
        with pytest.raises(Refused, match=r"releases/stage-not-open.*not those that it was opened with"):
            await here.gateway.open(here.key, here.ask())
        stage = house.releases.stage("reading-room").stage
        bound = RuleFiles(house.settings.home).screens(stage)
        with house.db.write() as tx:
            tx.execute(sa.text("update releases_stage set screening = :digest"), {"digest": bound})
            access.bump(tx)
        await here.heard()
        assert (await here.read(here.ask()))[1].ended is Ended.COMPLETE


async def test_broken_rules_close_the_way(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        (here.house.settings.home / "rules" / "base.yaml").write_text("rules: [")
        house = here.house
        home = house.settings.home
        gateway = Gateway(house.db, house.ledger, house.log, house.clock, EchoEngine(), home, ECHO_DIGEST)
        with pytest.raises(Refused, match="screening/failed"):
            await gateway.open(here.key, here.ask())
        assert await here.used() == 0


async def test_a_gateway_can_always_be_stopped(tmp_path: Path) -> None:
    """A stop at any moment of the watch's round ends it; for a hundred rounds it must not hang once."""
    async with room(tmp_path) as here:
        for moment in range(100):
            watch = Watch(here.house.db, lambda: 0, lambda _: {})
            watch.start()
            await asyncio.sleep(0.0005 * (moment % 20))
            await asyncio.wait_for(watch.stop(), 10)


async def test_when_nothing_can_be_confirmed_streams_end_calls_are_refused_and_health_says_so(tmp_path: Path) -> None:
    async with room(tmp_path, EchoOptions(words_per_second=50)) as here:
        read, gone = here.house.db.read, False

        def perhaps() -> Any:
            if gone:
                raise sa.exc.OperationalError("gone", {}, Exception("gone"))
            return read()

        here.house.db.read = perhaps  # type: ignore[method-assign]
        flow = await here.gateway.open(here.key, here.ask("word " * 800, maximum=19))
        frames = flow.frames()
        await anext(frames)
        assert await here.gateway.healthy()
        gone = True
        with pytest.raises(Refused, match="gateway/cannot-confirm-grant"):
            await here.gateway.shown(here.key)  # what must be read cannot be
        assert not await here.gateway.healthy()
        for _ in range(600):  # what is known serves on, for two seconds
            await asyncio.sleep(0.05)
            if here.gateway._watch.blind:
                break
        with pytest.raises(Refused, match="gateway/cannot-confirm-grant"):
            await here.gateway.open(here.key, here.ask())
        last = [frame async for frame in frames][-1]
        assert isinstance(last, End)
        assert last.refusal is None or last.refusal.code == "gateway/cannot-confirm-grant"
        gone = False
    assert BLIND_SECONDS == 2
    assert POLL_SECONDS + 0.1 < 0.25, "what the contract promises: in force everywhere within 250 ms"


async def test_a_stream_whose_grant_cannot_be_confirmed_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with room(tmp_path, EchoOptions(hang_after=1)) as here:
        flow = await here.gateway.open(here.key, here.ask())

        def gone(*_: object) -> int:
            raise sa.exc.OperationalError("gone", {}, Exception("gone"))

        monkeypatch.setattr(here.gateway._watch, "_look", gone)
        frames = [frame async for frame in flow.frames()]
        end = frames[-1]
        assert isinstance(end, End)
        assert end.refusal is not None
        assert end.refusal.code == "gateway/cannot-confirm-grant"


class Burst(EchoEngine):
    """Says all that it has at once."""

    async def stream(self, _request: ForwardRequest) -> AsyncGenerator[list[Chunk], None]:
        yield [Chunk(text=f"{n} ", tokens=1) for n in range(100)]
        yield [Chunk(finish_reason="stop"), Chunk(usage=Usage(4, 100))]


async def test_pieces_that_wait_are_joined_and_cut_to_the_token(tmp_path: Path) -> None:
    async with room(tmp_path, engine=Burst(), passes=200) as here:
        deltas = 0

        def count(_: Flow) -> None:
            nonlocal deltas
            deltas += 1

        text, end = await here.read(here.ask(maximum=57, streamed=True), count)
        assert text == "".join(f"{n} " for n in range(57))
        assert end.charged.passes == 57
        assert deltas < 57
        text, end = await here.read(here.ask(maximum=100, streamed=True))
        assert (text.split()[-1], end.charged.passes, await here.used()) == ("99", 100, 157)


class Stubborn(EchoEngine):
    """Makes a fault of its own of being stopped, or a piece."""

    fault = True

    async def stream(self, _request: ForwardRequest) -> AsyncGenerator[list[Chunk], None]:
        yield [Chunk(text="one", tokens=1)]
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if self.fault:
                raise EngineTimeout("stopped") from None
        yield [Chunk(text="two", tokens=1)]


@pytest.mark.parametrize("fault", [True, False])
async def test_a_stop_is_told_as_one_whatever_the_engine_makes_of_it(tmp_path: Path, *, fault: bool) -> None:
    engine = Stubborn()
    engine.fault = fault
    async with room(tmp_path, engine=engine) as here:

        def revoke(_: Flow) -> None:
            here.house.access.revoke(here.house.people.operator(), here.grant.id, Reason.SECURITY)

        text, end = await asyncio.wait_for(here.read(here.ask(), revoke), 30)
        assert text == "one"
        assert end.refusal is not None
        assert end.refusal.code == "access/grant-revoked"
