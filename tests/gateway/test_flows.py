"""Answers end as they should, whatever the engine does, and are settled once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from readingroom.access.model import Amounts, Award, Reason
from readingroom.app.founding import default_plan, found
from readingroom.app.house import House
from readingroom.app.lending import issue_discretionary, meter_of
from readingroom.core.refusal import Refused
from readingroom.core.settings import Settings
from readingroom.engines.echo import EchoEngine, EchoOptions
from readingroom.gateway.ask import Ask, Kind
from readingroom.gateway.flow import Flow
from readingroom.gateway.frames import Delta, End
from readingroom.gateway.model import Ended
from readingroom.gateway.service import Gateway


class Room:
    """A house for trials with a gateway on an echo engine of the test's choosing."""

    def __init__(self, house: House, gateway: Gateway, engine: EchoEngine) -> None:
        self.house, self.gateway, self.engine = house, gateway, engine
        operator = house.people.operator()
        ends = house.clock.now().replace(year=house.clock.now().year + 1)
        award = Award("", (), "", "text", Amounts(passes=20), ends, "test")
        self.grant, _, secret = issue_discretionary(house, operator, "r@x.example", award, accept_terms=True)
        self.key = secret.reveal()

    def ask(self, text: str = "one two three four", **more: Any) -> Ask:
        body = {"messages": [{"role": "user", "content": text}]}
        return Ask(Kind.CHAT, "echo", body, b"{}", **more)

    async def read(self, ask: Ask, then: Callable[[Flow], None] = lambda _flow: None) -> tuple[str, End]:
        flow = await self.gateway.open(self.key, ask)
        text, end = "", None
        async for frame in flow.frames():
            if isinstance(frame, Delta):
                text += frame.text
                then(flow)
            else:
                end = frame
        assert end is not None
        return text, end

    @property
    def used(self) -> int:
        reading = meter_of(self.house, self.grant.id)
        assert reading.reserved.passes == 0
        return reading.used.passes


@asynccontextmanager
async def room(folder: Path, options: EchoOptions | None = None) -> AsyncIterator[Room]:
    settings = Settings(home=folder / "home", engine="echo", dev=True)
    house = found(settings, default_plan(settings))
    engine = EchoEngine(options)
    gateway = Gateway(house.db, house.ledger, house.log, house.clock, engine, settings.home)
    await gateway.start()
    try:
        yield Room(house, gateway, engine)
    finally:
        await gateway.stop()
        house.close()


async def test_a_whole_answer_is_charged_by_the_engines_own_usage(tmp_path: Path) -> None:
    async with room(tmp_path, EchoOptions(claims=6)) as here:
        text, end = await here.read(here.ask())
        assert (text, end.ended, end.charged.passes, here.used) == ("one two three four", Ended.COMPLETE, 6, 6)


async def test_without_usage_the_frames_are_counted(tmp_path: Path) -> None:
    async with room(tmp_path, EchoOptions(no_usage=True)) as here:
        assert (await here.read(here.ask()))[1].charged.passes == here.used == 4


async def test_never_more_is_charged_than_was_reserved(tmp_path: Path) -> None:
    async with room(tmp_path, EchoOptions(claims=9999)) as here:
        assert (await here.read(here.ask(maximum=3)))[1].charged.passes == here.used == 3


async def test_an_engine_that_ignores_the_maximum_is_cut_there(tmp_path: Path) -> None:
    async with room(tmp_path, EchoOptions(extra_tokens=50)) as here:
        text, end = await here.read(here.ask("a b c d e f g", maximum=3))
        assert (text, end.ended, here.used) == ("a b c", Ended.COMPLETE, 3)
        assert here.engine.running == 0


@pytest.mark.parametrize(("how", "charged"), [("whole", 0), ("streamed", 2)])
async def test_an_engine_that_dies_charges_only_what_was_delivered(tmp_path: Path, how: str, charged: int) -> None:
    async with room(tmp_path, EchoOptions(fail_after=2)) as here:
        _, end = await here.read(here.ask(streamed=how == "streamed"))
        assert end.refusal is not None
        assert end.refusal.code == "engine/unavailable"
        assert here.used == charged


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
        assert here.used == 2


async def test_a_prompt_longer_than_the_context_is_a_bad_request(tmp_path: Path) -> None:
    async with room(tmp_path, EchoOptions(context=3)) as here:
        with pytest.raises(Refused, match="gateway/bad-request"):
            await here.gateway.open(here.key, here.ask())
        assert here.used == 0


async def test_a_revocation_reaches_a_reader_while_the_engine_is_silent(tmp_path: Path) -> None:
    async with room(tmp_path, EchoOptions(hang_after=1)) as here:

        def revoke(_: Flow) -> None:
            here.house.access.revoke(here.house.people.operator(), here.grant.id, Reason.SECURITY)

        text, end = await asyncio.wait_for(here.read(here.ask(), revoke), 3)
        assert text == "one"
        assert end.refusal is not None
        assert end.refusal.code == "access/grant-revoked"
        assert here.engine.running == 0
        assert here.used == 1


async def test_a_grant_that_expires_in_the_middle_ends_its_stream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with room(tmp_path, EchoOptions(hang_after=1)) as here:
        later = here.grant.expires_at
        ended = await asyncio.wait_for(
            here.read(here.ask(), lambda _: monkeypatch.setattr(here.house.clock, "now", lambda: later)), 5
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
        assert 3 <= here.used <= 6


async def test_what_cannot_be_settled_now_is_settled_later(tmp_path: Path) -> None:
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
        assert frames[-1].refusal is not None
        assert frames[-1].refusal.code == "gateway/cannot-confirm-grant"
        assert meter_of(here.house, here.grant.id).reserved.passes > 0
        broken = False
        for _ in range(40):
            await asyncio.sleep(0.1)
            if meter_of(here.house, here.grant.id).reserved.passes == 0:
                break
        assert here.used == 4


async def test_broken_rules_close_the_way(tmp_path: Path) -> None:
    async with room(tmp_path) as here:
        (here.house.settings.home / "rules" / "base.yaml").write_text("rules: [")
        gateway = Gateway(
            here.house.db, here.house.ledger, here.house.log, here.house.clock, EchoEngine(), here.house.settings.home
        )
        with pytest.raises(Refused, match="screening/failed"):
            await gateway.open(here.key, here.ask())
        assert here.used == 0
