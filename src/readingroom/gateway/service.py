"""A call from key to receipt.

The steps, in their order, which is the same as in docs/explanation/a-call.md:

(1) the key names a grant; `access.rules.entitled` over live facts, read for this very request;
(2) the stage is open, its tier covers what is asked, the model is the stage's;
(3) entrance screening of everything that goes to the engine;
(4) the worst case is reserved;
(5) the engine streams, watched over: whatever ends the grant ends the stream;
(6) exit screening with bounded hold-back;
(7) what was used is settled, the rest returned, exactly once;
(8) the usage record is committed with the settling; its batch's root goes into the ledger.

No HTTP here; what blocks (the database) runs in threads.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from readingroom.access import queries as access
from readingroom.access.keys import key_hash
from readingroom.access.model import Entitlement, Facts, Grant, Left, Need
from readingroom.access.rules import entitled
from readingroom.core.canonical import commitment
from readingroom.core.clock import Clock
from readingroom.core.errors import BadInput, Broken
from readingroom.core.ids import new_id, random_bytes
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.engines.model import Engine, EngineFault, EngineInfo, ForwardRequest, Kind
from readingroom.gateway import meter, usage
from readingroom.gateway.ask import Ask
from readingroom.gateway.batches import Batches
from readingroom.gateway.entrance import Entrance, Screens, Seen
from readingroom.gateway.exits import ChoiceExit
from readingroom.gateway.flow import Flow, as_refusal
from readingroom.gateway.frames import End
from readingroom.gateway.meter import Meter
from readingroom.gateway.model import Amount, Ended, Hold, Limits, Reading, Usage, Wish
from readingroom.gateway.watch import CANNOT_CONFIRM, SHUTTING_DOWN, Watch
from readingroom.gateway.workers import Workers
from readingroom.ledger.queries import LedgerReader
from readingroom.ledger.receipt import Receipt, seal, text_form
from readingroom.ledger.service import Ledger
from readingroom.releases import queries as releases
from readingroom.store.db import Database
from readingroom.strategy.model import StageFact

ADMIT_SECONDS = 5.0
FLUSH_SECONDS = 0.5
BEAT_SECONDS = 5.0
LONG_BYTES = 16_384  # of a request, above which screening leaves the event loop
THREADS = 32  # that may wait for the database at a time; by default there would be six on two cores
_HIDDEN = frozenset({"access/terms-not-accepted", "releases/stage-not-open", "access/tier-too-low"})

log = logging.getLogger("readingroom.gateway")


@dataclass(frozen=True, slots=True)
class Admission:
    """What stands behind a key, as it was read for one request."""

    facts: Facts | None
    stage: StageFact | None
    at: datetime
    version: int  # of all that can end a grant, in the same snapshot
    reading: Reading

    def entitled(self, need: Need | None = None) -> Entitlement:
        """Judge it for what is needed."""
        return entitled(self.facts, self.stage, self.at, need or Need())

    def explained(self) -> Entitlement:
        """Say fact by fact what stands, with what is left: for its reader, not for a call."""
        return entitled(self.facts, self.stage, self.at, Need(), Left(**self.reading.unused()))

    @property
    def grant(self) -> Grant:
        """The grant; refuses where the key names none."""
        if self.facts is None or self.facts.grant is None:
            raise Refused(self.entitled().refusal or CANNOT_CONFIRM)
        return self.facts.grant


class Gateway:
    """The data plane of one worker."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts that it is made of
        self, db: Database, ledger: Ledger, log_: LedgerReader, clock: Clock, engine: Engine, home: Path, served: str
    ) -> None:
        """Take the parts, `served` being the digest of the model behind the engine; nothing runs before `start`."""
        self._db = db
        self._clock = clock
        self._engine = engine
        self._served = served
        self._entrance = Entrance(home)
        self._workers = Workers(db, clock)
        self._meter = Meter(db, clock, self._workers.id)
        self._batches = Batches(db, ledger, log_)
        self._watch = Watch(db, self._confirm)
        self._info: EngineInfo | None = None
        self._chores: asyncio.Task[None] | None = None
        self._unsettled: list[tuple[Hold, Usage | None, Amount]] = []

    async def start(self) -> None:
        """Register this worker and begin to watch."""
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="gateway"))
        await asyncio.to_thread(self._workers.enter)
        await asyncio.to_thread(self._load_screens)
        self._watch.start()
        self._chores = asyncio.create_task(self._keep_house())

    def _load_screens(self) -> None:
        """Read the rule sets of every stage now; one that cannot be used refuses its stage's calls, not the others'."""
        with self._db.read() as tx:
            stages = releases.stage_facts(tx, self._clock.now())
        for stage in stages:
            with contextlib.suppress(Refused):
                self._entrance.screens(stage.screening)

    def begin_stop(self) -> None:
        """End every flowing answer with its error; new ones are refused."""
        self._watch.close_all()

    async def stop(self) -> None:
        """Settle what is open, put the last records into the ledger, leave."""
        self.begin_stop()
        if self._chores is not None:
            self._chores.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._chores
        await self._watch.stop()
        with contextlib.suppress(Broken, Refused, sa.exc.SQLAlchemyError):
            await asyncio.to_thread(self._settle_late)
            await asyncio.to_thread(self._batches.flush)
            await asyncio.to_thread(self._workers.leave)
        await self._engine.close()

    async def healthy(self) -> bool:
        """Tell whether calls can be served: the database answers, and so does the engine."""
        if self._watch.blind or self._watch.closing:
            return False
        try:
            self._info = await self._engine.info()
            await asyncio.to_thread(self._workers.recover)  # a dead peer's holds are cleared before this says yes
        except (EngineFault, Broken, sa.exc.SQLAlchemyError):
            return False
        return True

    async def admit(self, key: str) -> Admission:
        """Read what stands behind a key (1); it is not judged yet."""
        if self._watch.closing:
            raise Refused(SHUTTING_DOWN)
        try:
            async with asyncio.timeout(ADMIT_SECONDS):
                return await asyncio.to_thread(self._admission, key_hash(key))
        except (sa.exc.SQLAlchemyError, Broken, TimeoutError):
            raise Refused(CANNOT_CONFIRM) from None

    def _admission(self, hashed: str) -> Admission:
        now = self._clock.now()
        with self._db.read() as tx:
            version = access.version(tx)
            facts = access.facts_for_key(tx, hashed)
            grant = facts.grant if facts else None
            stage = self._as_served(releases.stage_fact(tx, grant.stage, now)) if grant else None
            reading = meter.read(tx, grant.id) if grant else None
        nothing = Reading(Limits(0, 0, 0), Amount(), Amount())
        return Admission(facts, stage, now, version, reading or nothing)

    def _as_served(self, stage: StageFact | None) -> StageFact | None:
        """Keep a stage shut whose registered model is not the one that would answer."""
        if stage is None or not stage.open or stage.digest == self._served:
            return stage
        reason = f"the engine of this house does not serve {stage.artifact} as it is registered"
        return replace(stage, open=False, reason=reason)

    def _confirm(self, hashed: str) -> Refusal | None:
        return self._admission(hashed).entitled().refusal

    async def shown(self, key: str) -> Admission:
        """Admit a look at one's own grant: what only waits for the reader or the lab may still be looked at."""
        found = await self.admit(key)
        refusal = found.entitled().refusal
        if refusal is not None and refusal.code not in _HIDDEN:
            raise Refused(refusal)
        return found

    async def open(self, key: str, ask: Ask, admission: Admission | None = None) -> Flow:
        """Open an answer: steps (1) to (4). Its frames are steps (5) to (8).

        Args:
            key: the reader's.
            ask: the checked request.
            admission: what was read of the key before the request was; read anew if it may be out of date.

        Raises:
            Refused: with the code that the outside contract names.
        """
        if admission is None or admission.version != self._watch.seen:
            admission = await self.admit(key)  # (1)
        top = ask.top_logprobs
        require(admission.entitled(Need(top_logprobs=top or 0, logprobs=top is not None)).refusal)  # (2)
        grant, stage = admission.grant, admission.stage
        assert stage is not None  # noqa: S101 - else it would have been refused
        require(_check_model(ask.model, stage))
        screens = self._entrance.screens(stage.screening)
        require(_check_screens(stage, screens))
        seen = await _look(screens, ask)  # (3)
        require(seen.refusal)
        salt, receipt = random_bytes(32), new_id("receipt")
        facts = usage.Facts(receipt, grant.id, stage.name, stage.digest, screens.digest, ask.committed)
        record = {**usage.begun(facts, salt, seen.flags), "salt": seal(salt)}
        request, wish = await self._wish(ask, stage)
        hold = await self._reserve(grant.id, wish, receipt, record, salt)  # (4)
        body = {**request.body, "max_tokens": hold.maximum}
        exits = [ChoiceExit(index, screens.exit, request.kind, top) for index in range(ask.choices)]

        async def settle(flow: Flow, used: Amount, ended: Ended, refusal: Refusal | None) -> End:
            return await self._settle(flow, record, salt, used, End(ended, refusal, 0, 0, used, None))

        forward = replace(request, body=body)
        flow = Flow(self._engine, forward, hold, key_hash(key), wish.prompt, exits, settle, streamed=ask.streamed)
        self._watch.enter(flow, admission.version)
        return flow

    async def _wish(self, ask: Ask, stage: StageFact) -> tuple[ForwardRequest, Wish]:
        body = dict(ask.body)
        if ask.choices > 1:
            body["n"] = ask.choices
        if ask.top_logprobs is not None:
            # Never left to the engine, whose own default may be twenty; where none is asked for, none goes on.
            top = max(1, ask.top_logprobs)
            body |= {"logprobs": True, "top_logprobs": top} if ask.kind.value == Kind.CHAT.value else {"logprobs": top}
        request = ForwardRequest(Kind(ask.kind.value), body)
        try:
            self._info = self._info or await self._engine.info()
            prompt = await self._engine.count_prompt(request)
        except EngineFault as fault:
            log.warning("engine: %s before the answer", type(fault).__name__)
            raise Refused(as_refusal(fault, request)) from None
        context = self._info.context
        if prompt is not None and prompt >= context:
            param = "messages" if ask.kind.value == Kind.CHAT.value else "prompt"
            reason = f"The prompt has {prompt} tokens; the model can hold {context}. Shorten it."
            raise Refused(Refusal("gateway/bad-request", reason, {"param": param}))
        room = context - (prompt or 0)
        return request, Wish(
            prompt if prompt is not None else context, ask.choices, ask.maximum, stage.max_tokens, room
        )

    async def _reserve(self, grant: str, wish: Wish, receipt: str, record: dict[str, object], salt: bytes) -> Hold:
        def reserve() -> Hold:
            return self._meter.reserve(grant, wish, hold_id=receipt, record=record, salt=salt)

        try:
            return await asyncio.to_thread(reserve)
        except (sa.exc.SQLAlchemyError, Broken):
            raise Refused(CANNOT_CONFIRM) from None

    async def _settle(self, flow: Flow, record: dict[str, object], salt: bytes, used: Amount, end: End) -> End:
        """Steps (7) and (8). If the database is gone, the hold stays and is settled as soon as it is back."""
        self._watch.leave(flow)
        most = flow.hold.amount  # what an engine claims beyond it is neither charged nor shown
        whole = flow.usage if end.ended is Ended.COMPLETE else None
        generated = min(whole.completion_tokens, most.passes) if whole else sum(flow.generated.values())
        prompt = flow.usage.prompt_tokens if flow.usage else flow.prompt
        end = replace(end, prompt=min(prompt, most.tokens - generated), generated=generated)
        call = None
        if used != Amount():
            flags = [each.flags for each in flow.exits]
            done = usage.finished(record, used.at_most(flow.hold.amount), end.ended, self._clock.now(), flags)
            call = Usage(flow.hold.id, flow.hold.grant, done | _commitments(flow, end, salt), salt)
        try:
            charged, reading = await asyncio.to_thread(self._write, flow.hold, call, used)
        except (sa.exc.SQLAlchemyError, Broken) as fault:
            log.warning("settling waits for the database: %s", type(fault).__name__)
            self._unsettled.append((flow.hold, call, used))
            return replace(end, refusal=end.refusal or CANNOT_CONFIRM)
        return replace(end, charged=charged, reading=reading)

    def _write(self, hold: Hold, call: Usage | None, used: Amount) -> tuple[Amount, Reading | None]:
        with self._db.write() as tx:
            charged = meter.settle(tx, hold.id, used)
            if charged is not None and call is not None:
                usage.put(tx, call, self._clock.now())
            return charged or Amount(), meter.read(tx, hold.grant)

    def _settle_late(self) -> None:
        waiting, self._unsettled = self._unsettled, []
        for each in waiting:
            try:
                self._write(*each)
            except (sa.exc.SQLAlchemyError, Broken) as fault:  # this one waits on; the others do not wait for it
                log.warning("settling waits: %s", type(fault).__name__)
                self._unsettled.append(each)

    async def receipt(self, key: str, receipt_id: str) -> Receipt:
        """Return a receipt of the key's own grant, also of one that has ended; a revoked key opens nothing."""
        admission = await self.admit(key)
        grant, refusal = admission.grant, admission.entitled().refusal
        if refusal is not None and refusal.code == "access/key-revoked":
            raise Refused(refusal)
        return await asyncio.to_thread(self._batches.receipt, receipt_id, grant.id)

    async def _keep_house(self) -> None:
        """Flush records, settle what had to wait, show signs of life, bury the dead; none waits for another."""
        beaten = 0.0
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            beaten += FLUSH_SECONDS
            chores = [self._settle_late, self._batches.flush]
            if beaten >= BEAT_SECONDS:
                beaten = 0.0
                chores += [self._workers.beat, self._workers.recover]
            for chore in chores:
                try:
                    await asyncio.to_thread(chore)
                except (sa.exc.SQLAlchemyError, Broken, Refused, BadInput) as fault:
                    log.warning("housekeeping waits: %s: %s", chore.__name__, type(fault).__name__)


def _check_screens(stage: StageFact, screens: Screens) -> Refusal | None:
    """Serve a stage with the rule sets that it was opened with, and with no others."""
    if not stage.screens or stage.screens == screens.digest:
        return None
    reason = f"The screening rules of {stage.name} are not those that it was opened with, so nothing is served."
    return Refusal("releases/stage-not-open", reason, {"stage": stage.name})


async def _look(screens: Screens, ask: Ask) -> Seen:
    """Screen a long request in a thread, so that other readers' streams flow on; a short one here."""
    if len(ask.committed) > LONG_BYTES:
        return await asyncio.to_thread(screens.check, ask)
    return screens.check(ask)


def _check_model(name: str, stage: StageFact) -> Refusal | None:
    if name in {stage.artifact, stage.model}:
        return None
    reason = f"This grant may not call {name[:80]!r}; it may call {stage.artifact!r} (GET /v1/models)."
    return Refusal("gateway/model-unknown", reason, {"param": "model"})


def _commitments(flow: Flow, end: End, salt: bytes) -> dict[str, str]:
    """Commit to what left: the texts of the choices, and the answer as the door spelled it."""
    texts = [each.text for each in flow.exits]
    made = {"text": commitment(salt, text_form(texts))}
    if flow.spell is not None:
        made["answer"] = commitment(salt, flow.spell(end))
    return made
