"""What stands behind the readers' keys: read when something was decided, and remembered until then.

Facts are good for as long as the counter of decisions stands where it stood when they were read, and for a second at
most, since some of them change by the clock alone. Whoever holds them judges them anew for each call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from readingroom.access import queries as access
from readingroom.access.model import Facts, Grant, Need
from readingroom.access.rules import entitled, stands_until
from readingroom.core.canonical import Json
from readingroom.core.clock import Clock
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.gateway.ask import Ask
from readingroom.gateway.rules import check_model
from readingroom.gateway.watch import CANNOT_CONFIRM
from readingroom.releases import queries as releases
from readingroom.store.db import FAILED, Database
from readingroom.strategy.model import Pace, StageFact

ADMIT_SECONDS = 5.0
KNOWN_SECONDS = 1.0
MOST_KNOWN = 10_000  # keys whose facts are kept
NO_NEED = Need()
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Admission:
    """What stands behind a key, as it was read when the counter of decisions stood at `version`."""

    facts: Facts | None
    stage: StageFact | None
    version: int
    read_at: float  # seconds of the event loop
    _note: Callable[[Refusal], object] = lambda _refusal: None  # told what it refuses
    _granted: dict[Need, datetime] = field(default_factory=dict)  # what was found entitled, and until when that holds

    def check(self, now: datetime, need: Need = NO_NEED) -> Refusal | None:
        """Judge it for what is needed; what was found good is not judged again while it must be."""
        until = self._granted.get(need)
        if until is not None and now < until:
            return None
        found = entitled(self.facts, self.stage, now, need)
        if found.refusal is None and self.facts is not None:
            self._granted[need] = stands_until(self.facts, self.stage, now)
        elif found.refusal is not None:
            self._note(found.refusal)
        return found.refusal

    def serves(self, ask: Ask, now: datetime) -> StageFact:
        """Return the stage that serves a request: it is open, its tier covers what is asked, the model is its own."""
        top = ask.top_logprobs
        require(self.check(now, NO_NEED if top is None else Need(top_logprobs=top, logprobs=True)))
        assert self.stage is not None  # noqa: S101 - else it would have been refused
        require(check_model(ask.model, self.stage))
        return self.stage

    def kept(self) -> Json:
        """Return, for its holder, what the grant's stage keeps of texts, and whether he agreed; None keeps nothing."""
        asked = self.stage.retention if self.stage else None
        agreed = self.facts.agreed if self.facts else ""
        return asked.shown(agreed) if asked else None

    @property
    def key_id(self) -> str:
        """The id of the key that was asked with."""
        return self.facts.key.id if self.facts and self.facts.key else ""

    @property
    def pace(self) -> Pace:
        """How fast the grant's tier may be read."""
        tier = self.stage.tiers.get(self.grant.tier) if self.stage else None
        return tier.pace if tier else Pace()

    def sanctions(self, now: datetime) -> list[Json]:
        """Return, for who reads by this key, the sanctions that stand about them or their project."""
        return [each.to_json(now) for each in self.facts.sanctions] if self.facts else []

    def stands(self, version: int) -> bool:
        """Tell whether nothing was decided since these facts were read, as far as this worker has heard."""
        return self.version == version and asyncio.get_running_loop().time() - self.read_at < KNOWN_SECONDS

    @property
    def grant(self) -> Grant:
        """The grant; refuses where the key names none."""
        if self.facts is None or self.facts.grant is None:
            raise Refused(entitled(None, None, _NEVER).refusal or CANNOT_CONFIRM)
        return self.facts.grant


class Standing:
    """The facts behind the keys of one worker's readers."""

    def __init__(
        self, db: Database, clock: Clock, served: str, note: Callable[[Refusal], object] = lambda _refusal: None
    ) -> None:
        """Take the database, the clock, the digest of the model behind the engine, and who is told of refusals."""
        self._note = note
        self._db = db
        self._clock = clock
        self._served = served
        self._known: dict[str, Admission] = {}
        self._reading: dict[str, asyncio.Task[Admission]] = {}

    async def admit(self, hashed: str, version: int, *, fresh: bool = False) -> Admission:
        """Return what stands behind a key, by its hash.

        Args:
            hashed: the key's hash.
            version: where the counter of decisions stands; facts of another version are read anew.
            fresh: read them in any case.

        Raises:
            Refused: they cannot be read.
        """
        found = self._known.get(hashed)
        if not fresh and found is not None and found.stands(version):
            return found
        try:
            async with asyncio.timeout(ADMIT_SECONDS):
                return await asyncio.shield(self._read(hashed))
        except (*FAILED, TimeoutError):
            raise Refused(CANNOT_CONFIRM) from None

    def confirm(self, hashes: list[str]) -> dict[str, Refusal | None]:
        """Judge keys whose answers flow; blocks on the database."""
        now = self._clock.now()
        _, found = self._facts(hashes)
        return {hashed: entitled(*each, now).refusal for hashed, each in found.items()}

    def _read(self, hashed: str) -> asyncio.Task[Admission]:
        """Read the facts of a key once for all who ask at the same time."""
        reading = self._reading.get(hashed)
        if reading is None:
            reading = self._reading[hashed] = asyncio.create_task(self._read_now(hashed))
            reading.add_done_callback(lambda _: self._reading.pop(hashed, None))
        return reading

    async def _read_now(self, hashed: str) -> Admission:
        began = asyncio.get_running_loop().time()
        version, found = await asyncio.to_thread(self._facts, [hashed])
        admission = Admission(*found[hashed], version, began, self._note)
        if admission.facts is not None:  # whoever guesses keys fills no memory
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[hashed] = admission
        return admission

    def _facts(self, hashes: list[str]) -> tuple[int, dict[str, tuple[Facts | None, StageFact | None]]]:
        """Read, in one snapshot, the counter and what stands behind some keys."""
        with self._db.read() as tx:
            version = access.version(tx)
            facts = access.facts_for_keys(tx, hashes)
            stages = {each.name: self._as_served(each) for each in releases.stage_facts(tx, self._clock.now())}
        found: dict[str, tuple[Facts | None, StageFact | None]] = {}
        for hashed in hashes:
            fact = facts.get(hashed)
            found[hashed] = fact, stages.get(fact.grant.stage) if fact and fact.grant else None
        return version, found

    def _as_served(self, stage: StageFact) -> StageFact:
        """Keep a stage shut whose registered model is not the one that would answer."""
        if not stage.open or stage.digest == self._served:
            return stage
        reason = f"the engine of this house does not serve {stage.artifact} as it is registered"
        return replace(stage, open=False, reason=reason)
