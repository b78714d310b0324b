"""One answer on its way from the engine to the reader: forwarded, screened, counted, stoppable, settled once.

The engine is read by a task of its own; the reader's side takes from a queue. So a stop (a revocation, a lost
database, a closing server) reaches a reader at once, also while the engine is silent, and a reader who leaves stops
the engine.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from time import monotonic

from readingroom.core.refusal import Refusal, Refused
from readingroom.engines.model import (
    Chunk,
    Engine,
    EngineFault,
    EngineRefused,
    EngineTimeout,
    EngineUnavailable,
    ForwardRequest,
    Usage,
)
from readingroom.gateway.exits import ChoiceExit
from readingroom.gateway.frames import PAUSE, Delta, End, Finish, Frame, InLine, Pause
from readingroom.gateway.gate import Gate
from readingroom.gateway.model import Amount, Ended, Hold
from readingroom.gateway.pace import Standing
from readingroom.gateway.rules import charge
from readingroom.gateway.turns import Turns
from readingroom.gateway.verdicts import Verdicts, added

log = logging.getLogger("readingroom.gateway")
GRACE_SECONDS = 1.0  # that a reader has to take the end of a stopped answer
_BEHIND = 16  # pieces that wait, from which on they are joined
_AHEAD = 256  # pieces that the engine may be ahead of the reader
Settle = Callable[["Flow", Amount, Ended, Refusal | None], End]
Spell = Callable[[End], bytes]


@dataclass(eq=False)
class Flow:
    """One answer.

    Attributes:
        key_hash: whose entitlement is watched while it flows.
        prompt: tokens of the prompt, or their bound where the engine cannot count.
        exits: one per choice.
        gate: what judges must let through, behind the exits; None where the stage has no judges.
        settle: settles the hold and records the call; called exactly once.
        turns: the line in front of the engine.
        standing: of the grant's minute as the request was let in; None where nothing is limited by the minute.
        waited_from: the place in line that was told first; 0 if it waited for no more than a moment.
        reached: whether the request came to the engine; before that nothing is charged.
        began: when the call was opened, in monotonic seconds.
        first_after: seconds from then to the first piece that left; 0 until one does.
        overdue: the door's: called when a stop has not reached the reader in time, because he does not read.
    """

    engine: Engine
    request: ForwardRequest
    hold: Hold
    key_hash: str
    prompt: int
    exits: list[ChoiceExit]
    settle: Settle
    gate: Gate | None = None
    generated: dict[int, int] = field(default_factory=dict)
    usage: Usage | None = None
    streamed: bool = False  # whether pieces reach the reader as they come
    spell: Spell | None = None  # the door's: the bytes by which the record commits to the answer as it was sent
    overdue: Callable[[], object] | None = None
    pauses: bool = False  # whether the door wants to know when nothing more comes for the moment
    delivered: bool = False
    last: Delta | None = None
    turns: Turns = field(default_factory=lambda: Turns(0))
    standing: Standing | None = None
    waited_from: int = 0
    reached: bool = False
    began: float = 0.0
    first_after: float = 0.0
    _queue: asyncio.Queue[Chunk | InLine | BaseException | None] = field(default_factory=asyncio.Queue)
    _kept: list[Chunk | InLine | BaseException | None] = field(default_factory=list)  # taken, and its turn is next
    _room: asyncio.Event = field(default_factory=asyncio.Event)
    _overrun: bool = False
    _stop: tuple[Refusal, Ended] | None = None
    _pumping: asyncio.Task[None] | None = None
    _judging: asyncio.Task[list[Delta]] | None = None

    def stop(self, refusal: Refusal, ended: Ended = Ended.STOPPED) -> bool:
        """End this answer now, whatever the engine or the reader is doing; tell whether it was not stopped before."""
        if self._stop is not None:
            return False
        self._stop = refusal, ended
        self._queue.put_nowait(None)
        if self._pumping is not None:
            self._pumping.cancel()
        if self._judging is not None:  # a judge who never answers does not keep a stop waiting
            self._judging.cancel()
        if self.overdue is not None:
            asyncio.get_running_loop().call_later(GRACE_SECONDS, self.overdue)
        return True

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """Yield what may leave, then exactly one `End`. Leaving early stops the engine and settles all the same."""
        self._pumping = pump = asyncio.create_task(self._pump())
        ended, refusal = Ended.HUNG_UP, None
        try:
            try:
                async for delta in self._deltas():
                    if isinstance(delta, InLine | Pause):
                        yield delta
                        continue
                    free: Delta | None = delta
                    if delta.finish and all(each.finished for each in self.exits):
                        # The end of the answer waits until it is on record; a gate may let several choices end at once.
                        free, self.last = self.last, delta
                    if free is not None:
                        if not self.delivered:
                            self.delivered = True
                            self.first_after = monotonic() - self.began
                        yield free
                ended = Ended.SCREENED if self._screened else Ended.COMPLETE
            except _Stopped as stopped:
                refusal, ended = stopped.refusal, stopped.ended
        finally:
            if ended is Ended.HUNG_UP and self._stop is not None:
                refusal, ended = self._stop  # stopped, and the reader never took it
            pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await pump
            end = self.settle(self, self._used(ended), ended, refusal)  # waits for nothing: who left is charged
        if end.last is not None:
            yield end.last
        yield end

    async def _pump(self) -> None:
        try:
            async with (
                self.turns.turn(self.hold.grant, self._told),
                contextlib.aclosing(self.engine.stream(self.request)) as stream,
            ):
                self.reached = True
                async for chunk in stream:
                    self._queue.put_nowait(chunk)
                    if self._queue.qsize() > _AHEAD:  # a slow reader slows the engine; a stop still finds its way
                        self._room.clear()
                        await self._room.wait()
            self._queue.put_nowait(None)
        except (EngineFault, Refused) as fault:
            self._queue.put_nowait(fault)
        except Exception as fault:
            log.exception("the engine's adapter failed")
            self._queue.put_nowait(EngineUnavailable(type(fault).__name__))

    def _told(self, place: int) -> None:
        self.waited_from = self.waited_from or place
        if place:
            self._queue.put_nowait(InLine(place))

    async def _deltas(self) -> AsyncGenerator[Delta | InLine | Pause, None]:
        said = False
        while not all(each.finished for each in self.exits) or self._wants_usage:
            if said and self.pauses and not self._kept and self._queue.empty():
                said = False
                yield PAUSE
            item = self._checked(self._kept.pop() if self._kept else await self._queue.get())
            if item is None:
                return
            said = True
            if isinstance(item, InLine):
                yield item
                continue
            made = self._take(self._joined(item))
            for delta in made if self.gate is None else await self._judged(self.gate, made):
                yield delta

    def _joined(self, chunk: Chunk) -> Chunk:
        """Join a piece with those that wait behind it, where many do: who has fallen behind catches up.

        Only pieces that say nothing but text, and none beyond what is held: what is cut is cut to the token.
        """
        if self._queue.qsize() < _BEHIND or not _only_text(chunk):
            return chunk
        texts, tokens, finish = [chunk.text], chunk.tokens, chunk.finish_reason
        room = self.hold.maximum - self.generated.get(chunk.index, 0)
        while finish is None and not self._queue.empty():
            item = self._queue.get_nowait()
            fits = isinstance(item, Chunk) and item.index == chunk.index and tokens + item.tokens <= room
            if not (fits and isinstance(item, Chunk) and _only_text(item)):
                self._kept.append(item)
                break
            texts.append(item.text)
            tokens, finish = tokens + item.tokens, item.finish_reason
        return Chunk(chunk.index, "".join(texts), tokens, finish_reason=finish)

    def _checked(self, item: Chunk | InLine | BaseException | None) -> Chunk | InLine | None:
        """Return what came, None at the engine's end; whatever stops the answer is raised."""
        if self._queue.qsize() < _AHEAD // 2:
            self._room.set()
        if self._stop is not None:
            raise _Stopped(*self._stop)
        if item is None and not all(each.finished for each in self.exits):
            item = EngineUnavailable("ended early")  # an answer without its own end is no answer
        if isinstance(item, Refused):  # there was no room in the line
            raise _Stopped(item.refusal, Ended.BROKEN)
        if isinstance(item, EngineFault):
            # Its kind alone: what an engine says of a request may hold the request.
            log.warning("engine: %s in the answer %s", type(item).__name__, self.hold.id)
            raise _Stopped(as_refusal(item, self.request), Ended.BROKEN)
        assert not isinstance(item, BaseException)  # noqa: S101 - no other is put
        return item

    async def _judged(self, gate: Gate, made: list[Delta]) -> list[Delta]:
        """Take what the exits let go of through the gate; a stop does not wait for the judges."""
        self._judging = asyncio.create_task(gate.through(made, more=not self._queue.empty()))
        try:
            return await self._judging
        except asyncio.CancelledError:
            if self._stop is None:
                raise
            raise _Stopped(*self._stop) from None
        except Refused as refused:
            raise _Stopped(refused.refusal, Ended.UNSCREENED) from None
        finally:
            self._judging = None

    @property
    def texts(self) -> list[str]:
        """The text of each choice that has left."""
        return [each.text for each in self.exits] if self.gate is None else self.gate.texts

    @property
    def verdicts(self) -> Verdicts:
        """What the screens of the exit leave on record."""
        judged = [self.gate.verdicts] if self.gate else []
        return added([*(each.verdicts for each in self.exits), *judged])

    @property
    def _wants_usage(self) -> bool:
        """A whole answer waits for the engine's own count, which comes last; a stopped one does not."""
        return self.usage is None and not self._screened and not self._overrun

    @property
    def _screened(self) -> bool:
        return any(each.finished is Finish.CONTENT_FILTER for each in self.exits)

    def _take(self, chunk: Chunk) -> list[Delta]:
        if chunk.usage is not None:
            self.usage = chunk.usage
        if chunk.index >= len(self.exits):
            return []
        out = self.exits[chunk.index]
        if out.finished:
            return []
        so_far = self.generated.get(chunk.index, 0) + chunk.tokens
        if so_far > self.hold.maximum:  # an engine that ignores the limit is cut where the reservation ends
            self._overrun = True
            delta = out.finish(Finish.LENGTH)
        else:
            self.generated[chunk.index] = so_far
            delta = out.push(chunk)
        return [] if delta.empty else [delta]

    def _used(self, ended: Ended) -> Amount:
        """What the engine did for this answer: its own usage for a whole one, the running count for a cut one."""
        if not self.reached:
            return Amount()  # it was still in line
        if ended in {Ended.BROKEN, Ended.UNSCREENED} and not (self.streamed and self.delivered):
            return Amount()  # the reader got an error and nothing else
        if ended is Ended.HUNG_UP and not self.generated and self.engine.gives_whole(self.request):
            return self.hold.amount  # what it made is not known, and would have been his
        counted = charge(self.prompt, self.generated, len(self.exits))
        if ended is not Ended.COMPLETE or self.usage is None or self._overrun:
            return counted
        passes = max(counted.passes, self.usage.completion_tokens)  # a choice that said nothing is a pass as well
        return Amount(passes, self.usage.prompt_tokens + self.usage.completion_tokens, 1)


def _only_text(chunk: Chunk) -> bool:
    return not (chunk.logprobs or chunk.tool_calls or chunk.reasoning or chunk.usage)


class _Stopped(Exception):  # noqa: N818 - carries why
    def __init__(self, refusal: Refusal, ended: Ended) -> None:
        self.refusal, self.ended = refusal, ended


def as_refusal(fault: EngineFault, request: ForwardRequest) -> Refusal:
    """Tell the reader what kind of fault it was, and nothing of the engine's inside."""
    if isinstance(fault, EngineRefused):
        reason = "The engine cannot do this request; a field of it, or its length, is not supported."
        return Refusal("gateway/bad-request", reason, {"param": fault.param if fault.param in request.body else None})
    if isinstance(fault, EngineTimeout):
        return Refusal("engine/timeout", "The engine was silent for too long; try again.")
    return Refusal("engine/unavailable", "The engine did not answer as it should; try again.")
