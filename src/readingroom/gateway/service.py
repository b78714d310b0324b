"""A call from key to receipt.

The steps, in their order, which is the same as in docs/explanation/a-call.md:

(1) the key names a grant; `access.rules.entitled` over facts that are read anew whenever anything was decided;
(2) the stage is open, its tier covers what is asked, the model is the stage's;
(3) entrance screening of everything that goes to the engine;
(4) the worst case is reserved, from what this worker has leased of the meter, and noted in its journal;
(5) the engine streams, watched over: whatever ends the grant ends the stream;
(6) exit screening with bounded hold-back;
(7) what was used is settled, the rest returned, exactly once;
(8) the usage record is in the journal before the end is sent; the database and the ledger are fed from there.

No HTTP here. What blocks (the database) runs in threads; a call whose facts are known and whose lease suffices asks
the database nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import monotonic

from msgspec import structs

from readingroom.access import queries as access
from readingroom.access.keys import key_hash
from readingroom.access.model import Entitlement, Left, Need
from readingroom.access.rules import entitled
from readingroom.core.canonical import Json
from readingroom.core.clock import Clock
from readingroom.core.errors import BadInput
from readingroom.core.ids import new_id, random_bytes
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.engines.model import Engine, EngineFault, EngineInfo, ForwardRequest, Kind
from readingroom.gateway import meter, usage
from readingroom.gateway.ask import Ask
from readingroom.gateway.batches import Batches
from readingroom.gateway.entrance import Entrance
from readingroom.gateway.exits import ChoiceExit
from readingroom.gateway.firsts import Firsts
from readingroom.gateway.flow import Flow, as_refusal
from readingroom.gateway.frames import End
from readingroom.gateway.gate import gate_of
from readingroom.gateway.journal import Journal
from readingroom.gateway.judges import Judges
from readingroom.gateway.keeping import Keeping
from readingroom.gateway.model import Amount, Call, Ended, Hold, Limits, Reading, Wish, made_of
from readingroom.gateway.observed import Observer
from readingroom.gateway.paces import Paces, Tickets
from readingroom.gateway.purse import Purse
from readingroom.gateway.rates import Rates
from readingroom.gateway.retaining import Retainer
from readingroom.gateway.spelling import spelled
from readingroom.gateway.standing import Admission, Standing
from readingroom.gateway.turns import Turns
from readingroom.gateway.watch import CANNOT_CONFIRM, SHUTTING_DOWN, Watch
from readingroom.gateway.workers import Workers
from readingroom.ledger.queries import LedgerReader
from readingroom.ledger.receipt import Receipt, seal
from readingroom.ledger.service import Ledger
from readingroom.releases import queries as releases
from readingroom.store.db import FAILED, Database
from readingroom.strategy.model import StageFact

FLUSH_SECONDS = 0.5
BEAT_SECONDS = 5.0
SHOWN_SECONDS = 0.2  # that another worker may take to bring a record to the database
THREADS = 32  # that may wait for the database at a time; by default there would be six on two cores
JOURNALS, KEYS = "journal", "keys"  # the folders in HOME of workers' journals and of the house's keys
_HIDDEN = frozenset({"access/terms-not-accepted", "releases/stage-not-open", "access/tier-too-low"})

log = logging.getLogger("readingroom.gateway")


class Gateway:
    """The data plane of one worker."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts that it is made of
        self,
        db: Database,
        ledger: Ledger,
        log_: LedgerReader,
        clock: Clock,
        engine: Engine,
        home: Path,
        served: str,
        places: int = 0,
        observer: Observer | None = None,
    ) -> None:
        """Take the parts; nothing runs before `start`.

        Args:
            db: the database.
            ledger: the log's writing end.
            log_: its reading end.
            clock: the time.
            engine: the engine, or a client of it.
            home: the folder of rule sets and journals.
            served: the digest of the model behind the engine.
            places: how many requests of this worker may be at the engine at a time; 0 for no bound.
            observer: sees what happens, for the operator.
        """
        self._db = db
        self._clock = clock
        self._engine = engine
        self._served = served
        self._entrance = Entrance(home)
        self._judges = Judges()
        self._workers = Workers(db, clock, home / JOURNALS)
        self._purse = Purse(db, clock, Journal(home / JOURNALS), self._workers)
        self._rates = Rates(db, clock, lambda: self._workers.id)
        self._firsts = Firsts(db, clock)
        self._paces = Paces(self._rates, clock, self._firsts)
        self._turns = Turns(places)
        self.keeping = Keeping(db, clock, lambda: self._workers.id)
        self._batches = Batches(db, ledger, log_)
        self._retainer = Retainer(db, clock, home / KEYS)
        self._standing = Standing(db, clock, served, self._firsts.note)
        self._watch = Watch(db, self._look, self._standing.confirm)
        self.observer = observer or Observer()
        self._info: EngineInfo | None = None
        self._chores: asyncio.Task[None] | None = None
        self._unsettled: list[tuple[Hold, Amount, dict[str, Json] | None]] = []

    async def start(self) -> None:
        """Register this worker and begin to watch."""
        self._loop = asyncio.get_running_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="gateway"))
        await asyncio.to_thread(self._workers.enter)
        await asyncio.to_thread(self._load_screens)
        self._purse.start()
        self._rates.start()
        self._watch.start()
        self.observer.start(self._watch, self._turns, self._purse)
        self._chores = asyncio.create_task(self._keep_house())

    def _load_screens(self) -> None:
        with self._db.read() as tx:
            stages = releases.stage_facts(tx, self._clock.now())
        self._entrance.load(stages)

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
        self._settle_late()
        with contextlib.suppress(Refused, *FAILED):
            await self._purse.stop()
            await self._rates.stop()
            for last in (self._batches.flush, self._firsts.flush, self._workers.leave):
                await asyncio.to_thread(last)
        await self.observer.stop()
        await self._judges.close()
        await self._engine.close()

    async def healthy(self) -> bool:
        """Tell whether calls can be served: the database answers, and so does the engine."""
        if self._watch.blind or self._watch.closing:
            return False
        try:
            self._info = await self._engine.info()
            await asyncio.to_thread(self._workers.recover)  # a dead peer's holds are cleared before this says yes
        except (EngineFault, *FAILED):
            return False
        return True

    async def admit(self, key: str, *, fresh: bool = False) -> Admission:
        """Read what stands behind a key (1), or remember it; it is not judged yet.

        Args:
            key: the reader's.
            fresh: read it in any case, where there is no hurry.
        """
        if self._watch.closing:
            raise Refused(SHUTTING_DOWN)
        if self._watch.blind:
            raise Refused(CANNOT_CONFIRM)
        return await self._standing.admit(key_hash(key), self._watch.seen, fresh=fresh)

    def _look(self) -> int:
        """Read the counter of decisions, and hear whether unused leases are wanted back."""
        with self._db.read() as tx:
            version, recalled = access.version(tx), meter.recalled(tx, self._workers.id)
        if recalled:
            self._loop.call_soon_threadsafe(self._purse.recall, recalled)
        return version

    async def shown(self, key: str) -> tuple[Admission, Reading, Entitlement]:
        """Admit a look at one's own grant: what only waits for the reader or the lab may still be looked at.

        Returns:
            What stands behind the key, its meter, and fact by fact whether a call would be served.
        """
        found = await self.admit(key, fresh=True)
        refusal = found.check(self._clock.now())
        if refusal is not None and refusal.code not in _HIDDEN:
            raise Refused(refusal)
        try:
            await self._purse.post()
            reading = await asyncio.to_thread(self._meter, found.grant.id)
        except FAILED:
            raise Refused(CANNOT_CONFIRM) from None
        why = entitled(found.facts, found.stage, self._clock.now(), Need(), Left(**reading.unused()))
        return found, reading, why

    def _meter(self, grant: str) -> Reading:
        with self._db.read() as tx:
            return meter.read(tx, grant) or Reading(Limits(0, 0, 0), Amount(), Amount())

    async def stands(self, key: str, ask: Ask, *, anew: bool) -> bytes:
        """Name the stage, model and rules under which a request would be answered; refuses as `open` does."""
        admission = await self.admit(key)
        stage = admission.serves(ask, self._clock.now())
        if anew:
            require(self._paces.look(admission) or self._turns.refusal(admission.grant.id))
        return f"{stage.name} {stage.digest} {self._entrance.of(stage).digest}".encode()

    async def open(self, key: str, ask: Ask, admission: Admission | None = None) -> Flow:
        """Open an answer: steps (1) to (4). Its frames are steps (5) to (8).

        Args:
            key: the reader's.
            ask: the checked request.
            admission: what was read of the key before the request was; read anew if it may be out of date.

        Raises:
            Refused: with the code that the outside contract names.
        """
        began = monotonic()
        if admission is None or not admission.stands(self._watch.seen):
            admission = await self.admit(key)  # (1)
        grant, stage = admission.grant, admission.serves(ask, self._clock.now())  # (2)
        require(self._paces.look(admission) or self._turns.refusal(grant.id))
        screens = self._entrance.of(stage)
        seen = await self._judges.look(screens, ask)  # (3)
        salt, receipt = random_bytes(32), new_id("receipt")
        facts = usage.Facts(receipt, grant.id, stage.name, stage.digest, screens.digest, ask.committed)
        retained = await self._retainer.begin(stage.retention, facts, admission.version) if stage.retention else None
        record = {**usage.begun(facts, salt, seen.verdicts), "salt": seal(salt)}
        call = Call(receipt, grant.id, record, salt, retained.sealed if retained else bytes, admission.key_id)
        if seen.refusal is not None:
            self._note_refused(call)
            raise Refused(seen.refusal)
        request, wish = await self._wish(ask, stage)
        hold = await self._reserve(wish, call)  # (4)
        tickets = await self._take(hold, admission)
        body = {**request.body, "max_tokens": hold.maximum}
        way = retained.exit if retained else ChoiceExit
        exits = [way(index, screens.exit, request.kind, ask.top_logprobs) for index in range(ask.choices)]

        def settle(flow: Flow, used: Amount, ended: Ended, refusal: Refusal | None) -> End:
            if retained is not None:
                retained.left = flow.texts
            last = flow.last if refusal is None and ended is not Ended.HUNG_UP else None
            end = self._settle(flow, record, salt, used, End(ended, refusal, 0, 0, used, None, last))
            if flow.reached:
                tickets.end(end.charged.tokens)
            else:
                tickets.undo()
            return end

        forward = structs.replace(request, body=body)
        gate = gate_of(screens, self._judges, exits, ask)
        flow = Flow(self._engine, forward, hold, key_hash(key), wish.prompt, exits, settle, gate, streamed=ask.streamed)
        flow.turns, flow.standing, flow.began = self._turns, tickets.standing, began
        self._watch.enter(flow, admission.version)
        return flow

    def _note_refused(self, call: Call) -> None:
        """Put a refusal by the entrance on record; one that cannot be written down is a refusal all the same."""
        now = self._clock.now()
        done = usage.finished(call.record, Amount(), Ended.REFUSED, now)
        self.observer.ended(done)
        try:
            self._purse.note(made_of(call, spelled(done), Amount(), now))
        except OSError as fault:
            log.warning("a refusal by the entrance is not on record: %s", fault)

    async def _wish(self, ask: Ask, stage: StageFact) -> tuple[ForwardRequest, Wish]:
        request = ask.for_engine()
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

    async def _reserve(self, wish: Wish, call: Call) -> Hold:
        try:
            return await self._purse.reserve(wish, call)
        except FAILED:
            raise Refused(CANNOT_CONFIRM) from None

    async def _take(self, hold: Hold, admission: Admission) -> Tickets:
        """Let a request in at every pace that it must keep; if that cannot be, what was reserved for it returns."""
        try:
            return await self._paces.take(admission, hold.amount.tokens)
        except BaseException as fault:
            self._unsettled.append((hold, Amount(), None))
            self._settle_late()
            if isinstance(fault, FAILED):
                raise Refused(CANNOT_CONFIRM) from None
            raise

    def waits(self, grant: str) -> int:
        """Return how many requests of a grant wait in this worker's line."""
        return self._turns.waits(grant)

    def _settle(self, flow: Flow, record: dict[str, Json], salt: bytes, used: Amount, end: End) -> End:
        """Steps (7) and (8). What cannot be written down now stays held, and is settled as soon as it can be."""
        self._watch.leave(flow)
        self._firsts.note(end.refusal)
        most = flow.hold.amount  # what an engine claims beyond it is neither charged nor shown
        whole = flow.usage if end.ended is Ended.COMPLETE else None
        generated = min(whole.completion_tokens, most.passes) if whole else sum(flow.generated.values())
        prompt = flow.usage.prompt_tokens if flow.usage else flow.prompt
        end = structs.replace(end, prompt=min(prompt, most.tokens - generated), generated=generated)
        done = None
        if used != Amount() or end.ended is Ended.UNSCREENED:  # what closed the way is on record, charged or not
            done = usage.finished(record, used.at_most(most), end.ended, self._clock.now(), flow.verdicts)
            done |= usage.left(salt, flow.texts, flow.spell(end) if flow.spell else None)
        try:
            charged = self._purse.settle(flow.hold, used, done)
        except OSError as fault:
            log.warning("settling waits for the journal: %s", fault)
            self._unsettled.append((flow.hold, used, done))
            end = structs.replace(end, refusal=end.refusal or CANNOT_CONFIRM, last=None)
        else:
            end = structs.replace(end, charged=charged or Amount(), reading=self._purse.reading(flow.hold.grant))
        self.observer.ended(done or record, flow, end)
        return end

    def _settle_late(self) -> None:
        waiting, self._unsettled = self._unsettled, []
        for each in waiting:
            try:
                self._purse.settle(*each)
            except OSError as fault:  # this one waits on; the others do not wait for it
                log.warning("settling waits for the journal: %s", fault)
                self._unsettled.append(each)

    async def receipt(self, key: str, receipt_id: str) -> Receipt:
        """Return a receipt of the key's own grant, also of one that has ended; a revoked key opens nothing."""
        admission = await self.admit(key, fresh=True)
        grant, refusal = admission.grant, admission.check(self._clock.now())
        if refusal is not None and refusal.code == "access/key-revoked":
            raise Refused(refusal)
        try:
            await self._purse.post()
            return await asyncio.to_thread(self._batches.receipt, receipt_id, grant.id)
        except FAILED:
            raise Refused(CANNOT_CONFIRM) from None
        except Refused as refused:
            if refused.refusal.code != "gateway/receipt-unknown":
                raise
        await asyncio.sleep(SHOWN_SECONDS)
        return await asyncio.to_thread(self._batches.receipt, receipt_id, grant.id)

    async def _keep_house(self) -> None:
        """Flush records, settle what had to wait, show signs of life, bury the dead; none waits for another."""
        beaten = 0.0
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            beaten += FLUSH_SECONDS
            self._settle_late()
            chores: list[Callable[[], Awaitable[object]]] = []
            looks: list[Callable[[], object]] = [self._batches.flush, self._firsts.flush]
            if beaten >= BEAT_SECONDS:
                beaten = 0.0
                chores = [lambda: self._purse.post(beat=True)]
                looks += [self._workers.recover, self.keeping.sweep, self._retainer.turn]
            chores += [partial(asyncio.to_thread, each) for each in looks]
            for chore in chores:
                try:
                    await chore()
                except (Refused, BadInput, *FAILED) as fault:
                    log.warning("housekeeping waits: %s", type(fault).__name__)
