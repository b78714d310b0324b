"""One worker's purse: leases on the meters of its readers' grants, in memory (promise 1).

Whoever asks for what the lease of a grant covers is served at once; the rest waits for the next trip to the database
(`gateway.meter.trip`). One trip is made at a time and takes along all that waits: draws, charges, returns. What is
held and charged is on record in the journal first, so that this process may die at any point of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from readingroom.core.canonical import Json
from readingroom.core.clock import Clock
from readingroom.core.errors import Broken, Problem
from readingroom.core.refusal import Refusal, Refused
from readingroom.gateway import meter, usage
from readingroom.gateway.journal import Journal
from readingroom.gateway.lease import REST_SECONDS, Lease
from readingroom.gateway.meter import Draw, Outcome, Stand
from readingroom.gateway.model import Amount, Call, Hold, Limits, Reading, Usage, Wish, made_of
from readingroom.gateway.rules import Granted, cut_short, fit
from readingroom.gateway.spelling import spelled
from readingroom.gateway.workers import Workers
from readingroom.store.db import FAILED, Database

POST_SECONDS = 0.05  # that a charge may wait for company
RETRY_SECONDS = 0.5  # after a trip that failed
AGAIN_SECONDS = 0.02  # before a draw asks again for what was called back
_UNKNOWN = Amount(-1, -1, -1)  # what the database says is held: so the next trip tells it
PATIENCE_SECONDS = 3.0  # that a draw waits for what others return, which takes some hundredths where nobody is busy

log = logging.getLogger("readingroom.gateway")


@dataclass(eq=False)
class _Asking:
    """A request that waits for a trip."""

    wish: Wish
    until: float
    ahead: int
    answer: asyncio.Future[Granted]
    recalled: int = 0  # the recall whose answers it waits for


@dataclass
class _Trip:
    """What goes along on one trip."""

    stands: list[Stand]
    asking: dict[str, list[_Asking]]
    done: list[Usage]
    again: bool


@dataclass
class Purse:
    """The leases of one worker. All but the trips themselves happens on the event loop."""

    db: Database
    clock: Clock
    journal: Journal
    workers: Workers
    trips: int = 0  # that were made
    failures: int = 0  # of them
    _leases: dict[str, Lease] = field(default_factory=dict)
    _open: dict[str, Hold] = field(default_factory=dict)
    _asking: dict[str, list[_Asking]] = field(default_factory=dict)
    _done: list[Usage] = field(default_factory=list)
    _recalled: dict[str, int] = field(default_factory=dict)
    _doubt: bool = False  # whether the last trip may have been committed
    _wanted: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False
    _posted_at: float = 0.0
    _due: asyncio.TimerHandle | None = None
    _due_at: float = 0.0
    _task: asyncio.Task[None] | None = None
    _trips: asyncio.Lock = field(default_factory=asyncio.Lock)
    # Threads of its own: however many requests queue for the database, charges get through.
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="meter"))

    def start(self) -> None:
        """Open the journal and begin to make trips; the worker is registered already."""
        self.journal.open(self.workers.id)
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Make no more trips but one last, which posts and returns everything.

        Raises:
            Broken: the database cannot be reached: what is ours stays for whoever finds us gone.
        """
        self._stopping = True
        self._wanted.set()
        if self._task is not None:
            await self._task
        await self._trip(returns=True)
        self._threads.shutdown()

    async def reserve(self, wish: Wish, call: Call) -> Hold:
        """Reserve the worst case of a request.

        Raises:
            Refused: `access/allocation-exhausted`, with what is left.
            Broken: the database cannot be reached, or nothing can be written.
        """
        lease = self._leases.setdefault(call.grant, Lease())
        granted = self._from_lease(lease, wish) or await self._ask(call.grant, lease, wish)
        lease = self._leases[call.grant]
        amount, maximum = granted
        hold = Hold(call, amount, maximum, lease.reading(), self.workers.id)
        try:
            self.journal.begin(hold)
        except OSError as fault:
            self._leases[hold.grant].settle(hold, Amount())
            raise Broken(Problem("the journal", f"cannot be written ({fault})", "Free disk space")) from None
        self._open[hold.id] = hold
        return hold

    def settle(self, hold: Hold, used: Amount, record: Mapping[str, Json] | None) -> Amount | None:
        """End a hold: charge what was used, at most what was held, and let the rest be held again.

        Args:
            hold: which.
            used: by the call.
            record: of the call; None if it charges nothing and leaves none.

        Returns:
            What was charged; None if it was settled before, or charged in full because this worker was taken for
            dead: nothing happens then.

        Raises:
            OSError: it cannot be written down, and nothing has changed: try again.
        """
        if hold.id not in self._open:
            return None
        made = None
        if record is not None:
            charged = used.at_most(hold.amount)
            call, now = hold.call, self.clock.now()
            made = made_of(call, spelled(record), charged, now)
        self.journal.end(hold.id, made)
        del self._open[hold.id]
        if hold.worker != self.workers.id:
            return None
        charged = self._leases[hold.grant].settle(hold, made.charged if made else Amount())
        if made is not None:
            self._done.append(made)
        self._soon(self._posted_at + POST_SECONDS - asyncio.get_running_loop().time())  # at once, in a quiet house
        return charged

    def note(self, made: Usage) -> None:
        """Put a record on its way that charges nothing and had no hold: of a request that was turned away.

        Raises:
            OSError: it cannot be written down.
        """
        self.journal.end(made.id, made)
        self._done.append(made)
        self._soon(self._posted_at + POST_SECONDS - asyncio.get_running_loop().time())

    def reading(self, grant: str) -> Reading | None:
        """Return a grant's meter as far as this worker knows it without asking; None if it knows nothing."""
        lease = self._leases.get(grant)
        return lease.reading() if lease else None

    @property
    def unposted(self) -> int:
        """How many records wait for a trip to the database."""
        return len(self._done)

    def leased(self) -> tuple[Amount, Amount]:
        """Return what is held and what is free of all leases together."""
        leases = self._leases.values()
        return sum((each.held for each in leases), Amount()), sum((each.free for each in leases), Amount())

    def recall(self, recalled: Mapping[str, int]) -> None:
        """Return, with the next trip, what is not used of some grants: somebody else needs it."""
        if recalled:
            self._recalled |= recalled
            self._wanted.set()

    async def post(self, *, beat: bool = False) -> None:
        """Bring what was charged to the database now.

        Args:
            beat: go even if there is nothing to bring, to show that this worker lives.

        Raises:
            Broken: the database cannot be reached; it will be tried again.
        """
        await asyncio.shield(asyncio.ensure_future(self._trip(beat=beat)))  # a reader who leaves stops no trip

    def _from_lease(self, lease: Lease, wish: Wish) -> Granted | None:
        """Serve a request from what is free of a lease, if that covers all that it could use."""
        lease.asked_at = asyncio.get_running_loop().time()
        alone = Reading(Limits(lease.free.passes, lease.free.tokens, lease.free.calls), Amount(), Amount())
        found = fit(alone, wish)
        if isinstance(found, Refusal) or cut_short(found, wish):
            return None
        lease.take(found[0])
        return found

    async def _ask(self, grant: str, lease: Lease, wish: Wish) -> Granted:
        loop = asyncio.get_running_loop()
        now = loop.time()
        asking = _Asking(wish, now + PATIENCE_SECONDS, lease.wants_ahead(now), loop.create_future())
        self._asking.setdefault(grant, []).append(asking)
        self._wanted.set()
        try:
            return await asking.answer
        except asyncio.CancelledError:
            answer = asking.answer
            if not answer.cancelled() and answer.exception() is None:  # it was given something at the same moment
                lease = self._leases[grant]
                lease.held, lease.free = lease.held - answer.result()[0], lease.free + answer.result()[0]
                self._soon(REST_SECONDS)
            raise

    def _soon(self, seconds: float) -> None:
        """Make a trip within so many seconds."""
        if seconds <= 0:
            self._wanted.set()
            return
        loop = asyncio.get_running_loop()
        at = loop.time() + seconds
        if self._due is not None:
            if self._due_at <= at:
                return
            self._due.cancel()
        self._due, self._due_at = loop.call_later(seconds, self._is_due), at

    def _is_due(self) -> None:
        self._due = None
        self._wanted.set()

    async def _run(self) -> None:
        while not self._stopping:
            await self._wanted.wait()
            self._wanted.clear()
            try:
                await self._trip()
            except FAILED as fault:
                log.warning("charges wait for the database: %s", type(fault).__name__)
                self._soon(RETRY_SECONDS)
            except Exception:
                log.exception("a trip failed")
                self._soon(RETRY_SECONDS)

    async def _trip(self, *, returns: bool = False, beat: bool = False) -> None:
        """Make one trip; whatever fails, what it took along is here again afterwards."""
        async with self._trips:
            packed = self._pack(returns=returns)
            if packed.done:
                self._posted_at = asyncio.get_running_loop().time()
            if not (packed.stands or packed.done or beat):
                return
            self.journal.turn(self._open.values())
            self.trips += 1
            try:
                outcomes = await asyncio.get_running_loop().run_in_executor(self._threads, self._go, packed)
            except BaseException as fault:
                self.failures += 1
                self._restore(packed, fault)
                raise
            self._unpack(packed, outcomes)
            self.journal.posted()

    def _pack(self, *, returns: bool) -> _Trip:
        now = asyncio.get_running_loop().time()
        done, self._done = self._done, []
        asking, self._asking = self._asking, {}
        recalled, self._recalled = self._recalled, {}
        stands = []
        for grant, lease in self._leases.items():
            draws = [Draw(each.wish, each.ahead, now >= each.until, each.recalled) for each in asking.get(grant, ())]
            gives = returns or grant in recalled or lease.rests(now)
            if not gives and lease.free != Amount():
                self._soon(REST_SECONDS + POST_SECONDS)  # to return it then
            if not (draws or gives or lease.spent != Amount() or lease.held != lease.stated):
                continue
            taken = lease.free if draws else Amount()
            kept = Amount() if gives or draws else lease.free
            lease.answered = max(lease.answered, recalled.get(grant, 0))
            stands.append(Stand(grant, lease.held, kept, taken, lease.answered, tuple(draws)))
            lease.posting, lease.spent, lease.free = lease.spent, Amount(), kept
        return _Trip(stands, asking, done, self._doubt)

    def _go(self, packed: _Trip) -> dict[str, Outcome] | None:
        """Make a trip; None if this worker was taken for dead in the meantime, and is now registered anew."""
        self._doubt = True  # until we hear that it was committed
        with self.db.write() as tx:
            outcomes = None
            if self.workers.beat(tx):
                new, charged = usage.put(tx, packed.done, again=packed.again), dict[str, Amount]()
                for each in new:
                    charged[each.grant] = charged.get(each.grant, Amount()) + each.charged
                outcomes = meter.trip(tx, self.workers.id, packed.stands, charged)
            else:
                self.workers.register(tx)
        self._doubt = False
        return outcomes

    def _restore(self, packed: _Trip, fault: BaseException) -> None:
        """Take back what a trip that failed had with it; who waited for it is told."""
        self._done = packed.done + self._done
        for stand in packed.stands:
            lease = self._leases[stand.grant]
            # What was to return is neither free nor held now; the next trip, which says what is kept, returns it.
            lease.spent, lease.posting, lease.free = lease.posting + lease.spent, Amount(), lease.free + stand.free
            lease.stated = _UNKNOWN
        for each in (each for waiting in packed.asking.values() for each in waiting):
            if not each.answer.done():
                each.answer.set_exception(fault)

    def _unpack(self, packed: _Trip, outcomes: dict[str, Outcome] | None) -> None:
        if outcomes is None:
            self._forget(packed)
            return
        for stand in packed.stands:
            lease, found = self._leases[stand.grant], outcomes[stand.grant]
            lease.posting, lease.limits, lease.used, lease.others = Amount(), found.limits, found.used, found.others
            lease.free, lease.stated = lease.free + found.free, stand.held
            for asking, answer in zip(packed.asking.get(stand.grant, ()), found.answers, strict=True):
                asking.recalled = asking.recalled or found.recall
                self._answer(stand.grant, lease, asking, answer)
            if lease.free != Amount():
                self._soon(REST_SECONDS + POST_SECONDS)
            if lease.idle and stand.grant not in self._asking:
                del self._leases[stand.grant]

    def _answer(self, grant: str, lease: Lease, asking: _Asking, answer: Granted | Refusal | None) -> None:
        if answer is None:
            self._asking.setdefault(grant, []).append(asking)
            self._soon(AGAIN_SECONDS)
            return
        if isinstance(answer, Refusal):
            if not asking.answer.done():
                asking.answer.set_exception(Refused(answer))
            return
        lease.stated += answer[0]
        if asking.answer.done():  # it left
            lease.free += answer[0]
            return
        lease.held += answer[0]
        asking.answer.set_result(answer)

    def _forget(self, packed: _Trip) -> None:
        """Begin anew: a peer took us for dead, and charged all that we had leased; only who waits is served on."""
        log.warning("this worker was taken for dead; what it had leased was charged")
        self.journal.close()
        self.journal.open(self.workers.id)
        for grant, waiting in packed.asking.items():
            self._asking.setdefault(grant, []).extend(waiting)
        self._leases = {grant: Lease() for grant in self._asking}
        self._done.clear()
        self._wanted.set()
