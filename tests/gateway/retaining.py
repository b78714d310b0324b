"""Rooms whose stage keeps texts, for the tests of keeping and of investigations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.rooms import Room
from readingroom.app.founding import default_plan, found
from readingroom.app.house import House
from readingroom.core.canonical import canonical
from readingroom.core.clock import FixedClock, SystemClock
from readingroom.core.ids import new_id, random_bytes
from readingroom.core.settings import Settings
from readingroom.engines.echo import EchoEngine, EchoOptions
from readingroom.engines.identity import ECHO_DIGEST
from readingroom.engines.model import Chunk
from readingroom.gateway import service, usage
from readingroom.gateway.ask import Ask, Kind
from readingroom.gateway.model import Amount, Ended, Usage
from readingroom.gateway.retaining import Retainer
from readingroom.gateway.screening.model import Side
from readingroom.gateway.screening.stream import Screen
from readingroom.gateway.service import Gateway
from readingroom.people.model import Actor, Role
from readingroom.strategy.model import Retention

PURPOSE = "looking into reports of misuse"
PROMPT = "canary-prompt-4d1e one two"
RULES = """rules:
  - {id: no-swords, side: exit, literal: ["swordfish"], action: redact, clause: "3.2"}
  - {id: no-bombs, side: entrance, literal: ["bomb"], action: refuse, clause: "3.1"}
"""


def keeping_plan(settings: Settings, days: int = 2, purpose: str = PURPOSE) -> str:
    """Return the plan of a house for trials whose one API stage keeps texts for some days; 0 keeps none."""
    plan = default_plan(settings)
    assert plan.count("    screening:") == 1
    kept = f"    retention: {{days: {days}, purpose: {purpose}}}\n" if days else ""
    return plan.replace("    screening:", f"{kept}    screening:")


@asynccontextmanager
async def keeping(
    folder: Path, days: int = 2, *, database: str = "", engine: EchoEngine | None = None
) -> AsyncIterator[Room]:
    """Give a house whose stage keeps texts, on a clock that stands still, with a gateway on the echo engine."""
    settings = Settings(home=folder / "home", engine="echo", dev=True, database=database)
    (settings.home / "rules").mkdir(parents=True)
    (settings.home / "rules" / "base.yaml").write_text(RULES)
    found(settings, keeping_plan(settings, days)).close()
    house = House(settings, FixedClock(SystemClock().now().replace(minute=10)))
    engine = engine or EchoEngine(EchoOptions())
    gateway = Gateway(house.db, house.ledger, house.log, house.clock, engine, settings.home, ECHO_DIGEST)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service, "BEAT_SECONDS", 3600)  # keys are turned when a test says so, however long it takes
        await gateway.start()
        try:
            yield Room(house, gateway, engine, 500)
        finally:
            await gateway.stop()
            house.close()


def asked(text: str = PROMPT, **more: Any) -> Ask:
    """Return a request that commits to what it says."""
    body = {"messages": [{"role": "user", "content": text}]}
    return Ask(Kind.CHAT, "echo", body, canonical(body), **more)


def person(house: House, role: str) -> Actor:
    """Return somebody of a role."""
    email = f"{role}@{role}.example"
    known = house.people.find(email)
    if known is None:
        known = house.people.add(house.people.operator(), email, name=role, roles=[Role(role)])
    return house.people.actor(known.id)


def bytes_of(home: Path) -> bytes:
    """Return every byte of a house: its database with the log of writes, journals, keys, whatever there is."""
    return b"\n".join(path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file())


def keep_text(house: House, grant: str, said: str, answer: str | None = None) -> str:
    """Keep a call as a gateway does, without one; return its receipt."""
    receipt, salt, now = new_id("receipt"), random_bytes(32), house.clock.now()
    request, left = canonical({"messages": [{"role": "user", "content": said}]}), said if answer is None else answer
    facts = usage.Facts(receipt, grant, "reading-room", ECHO_DIGEST, "sha256:s", request)
    record = usage.finished(usage.begun(facts, salt), Amount(1, 2, 1), Ended.COMPLETE, now)
    record |= usage.left(salt, [left], None)
    keeper = Retainer(house.db, house.clock, house.settings.keys)
    kept = asyncio.run(keeper.begin(Retention(2, PURPOSE), facts, 0))
    way: Any = kept.exit(0, Screen((), Side.EXIT), Kind.CHAT)
    way.push(Chunk(0, said, 1))
    kept.left = [left]
    with house.db.write() as tx:
        usage.put(tx, [Usage(receipt, grant, canonical(record), salt, Amount(1, 2, 1), now, kept.sealed())])
    return receipt
