"""One answer on its way from the engine to the reader: forwarded, screened, counted, stoppable, settled once.

The reader's own task reads the engine. A stop (a revocation, a lost database, a closing server) wakes it where it
waits, so that it reaches a reader at once, also while the engine is silent; a reader who leaves stops the engine; and
one who reads slowly slows it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import TypeVar

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
from readingroom.gateway.frames import PAUSE, Delta, End, Finish, Frame, InLine
from readingroom.gateway.gate import Gate
from readingroom.gateway.model import Amount, Ended, Hold
from readingroom.gateway.pace import Standing
from readingroom.gateway.rules import charge
from readingroom.gateway.turns import Turn, Turns
from readingroom.gateway.verdicts import Verdicts, added

log = logging.getLogger("readingroom.gateway")
GRACE_SECONDS = 1.0  # that a reader has to take the end of a stopped answer
_BEHIND = 16  # pieces that came at once, from which on they are joined
Settle = Callable[["Flow", Amount, Ended, Refusal | None], End]
Spell = Callable[[End], bytes]
T = TypeVar("T")


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
    _overrun: bool = False
    _stop: tuple[Refusal, Ended] | None = None
    _waiting: asyncio.Task[object] | None = None  # the reader's, while it waits for somebody else than the reader

    def stop(self, refusal: Refusal, ended: Ended = Ended.STOPPED) -> bool:
        """End this answer now, whatever the engine or the reader is doing; tell whether it was not stopped before."""
        if self._stop is not None:
            return False
        self._stop = refusal, ended
        if self._waiting is not None:
            self._waiting.cancel()
        if self.overdue is not None:
            asyncio.get_running_loop().call_later(GRACE_SECONDS, self.overdue)
        return True

    async def frames(self) -> AsyncGenerator[Frame, None]:
        """Yield what may leave, then exactly one `End`. Leaving early stops the engine and settles all the same."""
        ended, refusal = Ended.HUNG_UP, None
        try:
            try:
                async with contextlib.aclosing(self._pieces()) as pieces:
                    async for piece in pieces:
                        yield piece
                ended = Ended.SCREENED if self._screened else Ended.COMPLETE
            except _Stopped as stopped:
                refusal, ended = stopped.refusal, stopped.ended
        finally:
            if ended is Ended.HUNG_UP and self._stop is not None:
                refusal, ended = self._stop  # stopped, and the reader never took it
            end = self.settle(self, self._used(ended), ended, refusal)  # waits for nothing: who left is charged
        if end.last is not None:
            yield end.last
        yield end

    async def _pieces(self) -> AsyncGenerator[Frame, None]:
        """Wait for the turn, then yield what the engine says, as far as it may leave, but for the answer's end."""
        turn = self.turns.turn(self.hold.grant)
        try:
            async with contextlib.aclosing(self._in_line(turn)) as line:  # who leaves has left the line, then and there
                async for place in line:
                    yield place
                    if self.pauses:
                        yield PAUSE
            self.reached = True
            async with contextlib.aclosing(self.engine.stream(self.request)) as stream:
                while not self._over and (came := await self._next(stream)) is not None:
                    for chunk, more in self._joined(came):
                        made = self._take(chunk)
                        if self.gate is not None:
                            made = await self._wait(self.gate.through(made, more=more))
                        for free in self._free(made):
                            yield free
                            self._check()
                    if self.pauses and not self._over:
                        yield PAUSE
        except Refused as refused:  # a judge gave no verdict
            raise _Stopped(refused.refusal, Ended.UNSCREENED) from None
        finally:
            self.turns.leave(turn)

    async def _in_line(self, turn: Turn) -> AsyncGenerator[InLine, None]:
        """Wait for the turn, and yield its place in line meanwhile."""
        if self.turns.is_free:
            await self.turns.enter(turn)
            return
        told: asyncio.Queue[int] = asyncio.Queue()
        turn.tells(told.put_nowait)
        entering = asyncio.create_task(self.turns.enter(turn))
        entering.add_done_callback(lambda _: told.put_nowait(0))
        try:
            while place := await self._wait(told.get()):
                self.waited_from = self.waited_from or place
                yield InLine(place)
            await entering
        except Refused as refused:  # there was no room in the line
            raise _Stopped(refused.refusal, Ended.BROKEN) from None
        finally:
            entering.cancel()
            await asyncio.wait([entering])

    async def _next(self, stream: AsyncGenerator[Sequence[Chunk], None]) -> Sequence[Chunk] | None:
        """Return what comes next, None at the engine's end."""
        fault: EngineFault | _Stopped
        try:
            came = await self._wait(anext(stream, None))
        except (EngineFault, _Stopped) as raised:
            fault = raised
        except Exception as raised:
            log.exception("the engine's adapter failed")
            fault = EngineUnavailable(type(raised).__name__)
        else:
            self._check()
            if came is not None or self._finished:
                return came
            fault = EngineUnavailable("ended early")  # an answer without its own end is no answer
        if isinstance(fault, _Stopped):
            raise fault
        self._check()  # what a stop made of the engine is no fault of it
        # Its kind alone: what an engine says of a request may hold the request.
        log.warning("engine: %s in the answer %s", type(fault).__name__, self.hold.id)
        raise _Stopped(as_refusal(fault, self.request), Ended.BROKEN)

    async def _wait(self, coming: Awaitable[T]) -> T:
        """Wait for somebody else than the reader; a stop does not wait along."""
        self._waiting = waiting = asyncio.current_task()
        try:
            if self._stop is None:
                return await coming
        except asyncio.CancelledError:
            if self._stop is None or waiting is None:
                raise
            waiting.uncancel()
        finally:
            self._waiting = None
        raise _Stopped(*self._stop)

    def _check(self) -> None:
        if self._stop is not None:
            raise _Stopped(*self._stop)

    def _joined(self, came: Sequence[Chunk]) -> Iterator[tuple[Chunk, bool]]:
        """Join pieces that came at once, where many did: who has fallen behind catches up; tell whether more follow.

        Only pieces that say nothing but text, and none beyond what is held: what is cut is cut to the token.
        """
        if len(came) < _BEHIND:
            for chunk in came:
                yield chunk, chunk is not came[-1]
            return
        run: list[Chunk] = []
        tokens = 0
        for chunk in came:
            if run and not self._goes_on(run[-1], chunk, tokens):
                yield _one(run, tokens), True
                run, tokens = [], 0
            run.append(chunk)
            tokens += chunk.tokens
        yield _one(run, tokens), False

    def _goes_on(self, before: Chunk, chunk: Chunk, tokens: int) -> bool:
        if before.index != chunk.index or before.finish_reason is not None:
            return False
        room = self.hold.maximum - self.generated.get(chunk.index, 0)
        return tokens + chunk.tokens <= room and _only_text(before) and _only_text(chunk)

    def _free(self, made: list[Delta]) -> Iterator[Delta]:
        """Hold back the end of the answer until it is on record; a gate may let several choices end at once."""
        for delta in made:
            free: Delta | None = delta
            if delta.finish and self._finished:
                free, self.last = self.last, delta
            if free is not None:
                if not self.delivered:
                    self.delivered = True
                    self.first_after = monotonic() - self.began
                yield free

    @property
    def _finished(self) -> bool:
        return all(each.finished for each in self.exits)

    @property
    def _over(self) -> bool:
        """Tell whether nothing more is wanted; a whole answer waits for the engine's own count, which comes last."""
        if not self._finished:
            return False
        return self.usage is not None or self._overrun or self._screened

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


def _one(run: list[Chunk], tokens: int) -> Chunk:
    if len(run) == 1:
        return run[0]
    return Chunk(run[0].index, "".join(each.text for each in run), tokens, finish_reason=run[-1].finish_reason)


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
