"""A gateway on an echo engine of the test's choosing, in this process."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from readingroom.access import queries as access
from readingroom.access.model import Amounts, Award
from readingroom.app.founding import default_plan, found
from readingroom.app.house import House
from readingroom.app.lending import issue_discretionary, meter_of
from readingroom.core.settings import Settings
from readingroom.engines.echo import EchoEngine, EchoOptions
from readingroom.engines.identity import ECHO_DIGEST
from readingroom.gateway.ask import Ask, Kind
from readingroom.gateway.flow import Flow
from readingroom.gateway.frames import Delta, End
from readingroom.gateway.model import Amount
from readingroom.gateway.service import Gateway
from readingroom.store.db import FAILED


class Room:
    """A house for trials with a gateway on an echo engine of the test's choosing."""

    def __init__(self, house: House, gateway: Gateway, engine: EchoEngine, passes: int | None) -> None:
        self.house, self.gateway, self.engine = house, gateway, engine
        operator = house.people.operator()
        ends = house.clock.now() + timedelta(days=365)
        award = Award("", "", "text", Amounts(passes=passes), ends, "test")
        self.grant, _, secret = issue_discretionary(house, operator, "r@x.example", award, accept_terms=True)
        self.key = secret.reveal()

    def ask(self, text: str = "one two three four", kind: Kind = Kind.CHAT, **more: Any) -> Ask:
        body = {"messages": [{"role": "user", "content": text}]} if kind is Kind.CHAT else {"prompt": text}
        return Ask(kind, "echo", body, b"{}", **more)

    async def quiet(self) -> None:
        """Wait until nothing is held any more and all that was charged is in the database."""
        for _ in range(200):
            await asyncio.sleep(0.02)
            with contextlib.suppress(*FAILED):
                await self.gateway._purse.post()
                if meter_of(self.house, self.grant.id).reserved == Amount():
                    return
        raise AssertionError("something stays held")

    async def heard(self) -> None:
        """Wait until this worker has heard of all that was decided."""
        with self.house.db.read() as tx:
            version = access.version(tx)
        for _ in range(1000):
            if self.gateway._watch.seen == version:
                return
            await asyncio.sleep(0.005)
        raise AssertionError("this worker is deaf")

    async def read(self, ask: Ask, then: Callable[[Flow], None] = lambda _flow: None) -> tuple[str, End]:
        flow = await self.gateway.open(self.key, ask)
        text, end = "", None
        async for frame in flow.frames():
            if isinstance(frame, Delta):
                text += frame.text
                then(flow)
            elif isinstance(frame, End):
                end = frame
        assert end is not None
        return text, end

    async def used(self) -> int:
        """Return the passes that were used, once nothing is held any more."""
        await self.quiet()
        return meter_of(self.house, self.grant.id).used.passes


@asynccontextmanager
async def room(  # noqa: PLR0913 - what a test may choose
    folder: Path,
    options: EchoOptions | None = None,
    *,
    engine: EchoEngine | None = None,
    passes: int | None = 20,
    served: str = ECHO_DIGEST,
    top: int = 0,
    rules: str = "",
) -> AsyncIterator[Room]:
    settings = Settings(home=folder / "home", engine="echo", dev=True)
    if rules:  # the founding keeps what is there
        (settings.home / "rules").mkdir(parents=True)
        (settings.home / "rules" / "base.yaml").write_text(rules)
    house = found(settings, default_plan(settings).replace("text: {}", f"text: {{top_logprobs: {top}}}"))
    engine = engine or EchoEngine(options)
    gateway = Gateway(house.db, house.ledger, house.log, house.clock, engine, settings.home, served)
    await gateway.start()
    try:
        yield Room(house, gateway, engine, passes)
    finally:
        await gateway.stop()
        house.close()
