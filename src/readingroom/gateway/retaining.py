"""Keeping texts for investigations, where a stage's plan says so and the reader has agreed.

A call's text is sealed in memory before anything of it is written, goes into the worker's journal in the line of its
record, and from there into the database in the record's own transaction: it is as sure as the record. What is kept:
the request, whatever became of it; what the engine said, before the exit screens; and what left, where that is less.
A request that leaves no record (a malformed one, or one without allocation) leaves no text.

A stage that keeps texts and cannot, does not serve.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from readingroom.core.canonical import Json
from readingroom.core.clock import Clock
from readingroom.core.errors import Broken
from readingroom.core.ids import random_bytes
from readingroom.core.refusal import Refusal, Refused
from readingroom.engines.model import Chunk
from readingroom.gateway import texts
from readingroom.gateway.exits import ChoiceExit
from readingroom.gateway.frames import Delta
from readingroom.gateway.ratchet import Ratchet
from readingroom.gateway.sealing import NONCE_BYTES, House, TextKey, Unopened, hour_of, last_hour
from readingroom.gateway.usage import Facts
from readingroom.store.db import FAILED, Database
from readingroom.strategy.model import Retention

MOST_KEYS = 10_000  # that are kept in memory
CANNOT_KEEP = Refusal("gateway/cannot-keep", "This stage keeps texts, and cannot at the moment; so nothing is served.")

log = logging.getLogger("readingroom.gateway")


@dataclass
class HeardExit(ChoiceExit):
    """An exit that remembers what the engine said, before any screen."""

    said: list[str] = field(default_factory=list)
    reasoned: list[str] = field(default_factory=list)
    called: list[Json] = field(default_factory=list)

    def push(self, chunk: Chunk) -> Delta:
        """Take a piece in, as every exit does."""
        if not self.finished:
            self.said.append(chunk.text)
            self.reasoned.append(chunk.reasoning)
            self.called += chunk.tool_calls
        return super().push(chunk)

    def heard(self) -> dict[str, Json]:
        """Return what the engine said in this choice."""
        reasoning = "".join(self.reasoned)
        return {
            "said": "".join(self.said),
            **({"reasoning": reasoning} if reasoning else {}),
            **({"tool_calls": self.called} if self.called else {}),
        }


@dataclass(slots=True)
class Retained:
    """What is kept of one call.

    Attributes:
        request: the bytes that its record commits to.
        left: the texts of the choices as they left; None until the answer has ended.
    """

    receipt: str
    grant: str
    request: bytes
    key: TextKey
    left: Sequence[str] | None = None
    _exits: list[HeardExit] = field(default_factory=list)

    def exit(self, *given: Any) -> ChoiceExit:  # noqa: ANN401 - as `ChoiceExit` takes them
        """Make the exit of a choice, which remembers what the engine says."""
        self._exits.append(HeardExit(*given))
        return self._exits[-1]

    def sealed(self) -> bytes:
        """Seal what is known of the call by now."""
        answers: list[dict[str, Json]] = [each.heard() for each in self._exits]
        if self.left is not None:
            answers = [{**each, "left": text} for each, text in zip(answers, self.left, strict=True)]
        document = {"v": 1, "request": self.request.decode(), "answers": answers}
        text = json.dumps(document, separators=(",", ":")).encode("ascii")
        return self.key.seal(self.receipt, self.grant, text, random_bytes(NONCE_BYTES))


class Retainer:
    """The keys of one worker's kept texts. Nothing here costs a stage that keeps none."""

    def __init__(self, db: Database, clock: Clock, keys: Path) -> None:
        """Take the database, the clock and the folder of the house's keys."""
        self._db = db
        self._clock = clock
        self._ratchet = Ratchet(keys, clock)
        self._known: dict[tuple[str, int], tuple[int, TextKey]] = {}
        self._turned: dict[int, House] = {}  # the house's secret as it will be in some hours

    async def begin(self, retention: Retention, facts: Facts, version: int) -> Retained:
        """Begin to keep a call.

        Args:
            retention: what its stage keeps.
            facts: of the call.
            version: where the counter of decisions stands: a key that was destroyed is not used beyond the decision.

        Raises:
            Refused: it cannot be kept.
        """
        grant, last = facts.grant, last_hour(self._clock.now(), retention.days)
        found = self._known.get((grant, last))
        if found is None or found[0] != version:
            try:
                found = version, await asyncio.to_thread(self._key, grant, last)
            except (Unopened, Broken, *FAILED) as fault:
                log.warning("texts cannot be kept: %s", fault if isinstance(fault, Unopened | Broken) else type(fault))
                raise Refused(CANNOT_KEEP) from None
            if len(self._known) >= MOST_KEYS:
                self._known.clear()
            self._known[grant, last] = found
        return Retained(facts.id, grant, facts.request, found[1])

    def _key(self, grant: str, last: int) -> TextKey:
        house, ahead = self._ratchet.made(), self._turned.get(last)
        if ahead is None or ahead.id != house.id:
            ahead = self._turned[last] = house.turned(last)
        with self._db.read() as tx:
            half = texts.half_of(tx, grant)
        if half is None:
            with self._db.decide() as tx:
                half = texts.make_half(tx, grant)
        return TextKey.of(ahead, half)

    def turn(self) -> int:
        """Turn the house's secret to this hour, and drop what can no longer be opened; return how many texts."""
        hour = hour_of(self._clock.now())
        self._known = {name: found for name, found in list(self._known.items()) if name[1] >= hour}
        self._turned = {last: house for last, house in list(self._turned.items()) if last >= hour}
        self._ratchet.turn()
        with self._db.read() as tx:
            if not texts.has_dead(tx, hour):
                return 0
        with self._db.write() as tx:
            return texts.drop_dead(tx, hour)
