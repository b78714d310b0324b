"""The line in front of the engine: bounded, and fair by grant. Pure asyncio; nothing here waits for anything else.

At most `places` requests of this worker are at the engine. The others wait, each behind the earlier ones of its own
grant, and the grants take turns: whoever comes with one request waits for at most one request of each other grant that
waits, however many those have. So a reader with sixty-four requests at once does not stop the room; he waits behind
himself.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import ceil
from typing import Self

from readingroom.core.refusal import Refusal, Refused

WAITING = 256  # in line at one worker
SHARE = 64  # of them, of one grant
TELL_SECONDS = 0.25  # between two words to those in line about their place
LONGEST_SECONDS = 60  # that anybody is told to stay away for
_WEIGHT = 0.2  # of the latest turn in the mean length of a turn

Tell = Callable[[int], object]


@dataclass(eq=False, slots=True)
class Turn:
    """One request's turn: `async with turn:` waits for it, and leaves the engine to the next at its end."""

    grant: str
    _turns: Turns
    _tell: Tell | None = None
    _called: asyncio.Future[None] | None = None  # while it waits
    _began: float | None = None  # while it is at the engine
    _told: int = 0

    @property
    def place(self) -> int:
        """The place in line now: 1 is next, 0 does not wait."""
        return self._turns.place_of(self)

    async def __aenter__(self) -> Self:
        await self._turns.enter(self)
        return self

    async def __aexit__(self, *_fault: object) -> None:
        self._turns.leave(self)

    def tells(self, tell: Tell) -> None:
        """Have the place in line told from now on."""
        self._tell = tell

    def tell(self, place: int) -> None:
        """Tell the place in line, if it is another than was told last."""
        if self._tell is not None and place != self._told:
            self._told = place
            self._tell(place)


@dataclass(slots=True)
class Turns:
    """The line of one worker.

    Attributes:
        places: how many may be at the engine at a time; 0 for no bound.
        waiting: how many may wait in all.
        share: how many of one grant may wait.
    """

    places: int
    waiting: int = WAITING
    share: int = SHARE
    inside: int = 0
    _line: dict[str, deque[Turn]] = field(default_factory=dict)  # by grant, in the order in which they are served
    _count: int = 0
    _mean: float = 1.0  # seconds that a turn takes
    _telling: asyncio.TimerHandle | None = None

    def turn(self, grant: str, tell: Tell | None = None) -> Turn:
        """Make a turn for a request; nothing waits before it is entered.

        Args:
            grant: whose.
            tell: called from the event loop with the place in line as it changes, and with 0 when the turn has come.
        """
        return Turn(grant, self, tell)

    def refusal(self, grant: str) -> Refusal | None:
        """Tell whether one more request of a grant would find no room in the line."""
        if self.is_free:
            return None
        after = {"retry_after": self._soon()}
        if len(self._line.get(grant, ())) >= self.share:
            reason = f"{self.share} requests of this grant wait in line already; wait until some are answered."
            return Refusal("gateway/busy", reason, after)
        if self._count >= self.waiting:
            return Refusal("gateway/busy", "The line in front of the engine is full; try again shortly.", after)
        return None

    @property
    def in_line(self) -> int:
        """How many requests wait here, of all grants."""
        return self._count

    def waits(self, grant: str) -> int:
        """Return how many requests of a grant wait here."""
        return len(self._line.get(grant, ()))

    async def enter(self, turn: Turn) -> None:
        """Wait for a turn.

        Raises:
            Refused: `gateway/busy`: there is no room in the line.
        """
        if self.is_free:
            self._begin(turn)
            return
        if (refusal := self.refusal(turn.grant)) is not None:
            raise Refused(refusal)
        turn._called = called = asyncio.get_running_loop().create_future()  # noqa: SLF001 - a turn is a part of this
        self._line.setdefault(turn.grant, deque()).append(turn)
        self._count += 1
        self._tell_soon()  # not at once: a wait of a moment is nobody's concern
        try:
            await called
        except asyncio.CancelledError:
            if called.done() and not called.cancelled():  # its turn had come, and it left before it heard of it
                self.leave(turn)
            else:
                self._give_up(turn)
            raise
        turn.tell(0)

    def leave(self, turn: Turn) -> None:
        """Leave the engine to the next in line."""
        began, turn._began = turn._began, None  # noqa: SLF001
        if began is None:
            return
        self.inside -= 1
        self._mean += _WEIGHT * (_now() - began - self._mean)
        self._call_next()

    def place_of(self, turn: Turn) -> int:
        """Return a turn's place in line: 1 is next, 0 does not wait."""
        if turn._called is None:  # noqa: SLF001
            return 0
        mine = self._line[turn.grant].index(turn)
        place, before = mine + 1, True
        for grant, line in self._line.items():
            if grant == turn.grant:
                before = False
            else:
                place += min(len(line), mine + before)
        return place

    @property
    def is_free(self) -> bool:
        """Tell whether nobody needs to wait."""
        return not self.places or self.inside < self.places  # who leaves calls the next: none waits beside a free place

    def _begin(self, turn: Turn) -> None:
        self.inside += 1
        turn._called, turn._began = None, _now()  # noqa: SLF001

    def _call_next(self) -> None:
        """Call whose turn it is, as far as there are places; the grant goes to the end of the line of grants."""
        while self._count and self.inside < self.places:
            grant = next(iter(self._line))
            line = self._line.pop(grant)
            turn = line.popleft()
            self._count -= 1
            called, turn._called = turn._called, None  # noqa: SLF001
            assert called is not None  # noqa: S101 - who is in line has one
            if called.cancelled():  # he left, and has not come to say so; it is the next one's turn of his grant
                self._line = {grant: line, **self._line} if line else self._line
                continue
            if line:
                self._line[grant] = line
            self._begin(turn)  # from here on the place is his, also if he is cancelled before he hears of it
            called.set_result(None)
        self._tell_soon()

    def _give_up(self, turn: Turn) -> None:
        if turn._called is None:  # noqa: SLF001 - passed over already
            return
        turn._called = None  # noqa: SLF001
        line = self._line[turn.grant]
        line.remove(turn)
        self._count -= 1
        if not line:
            del self._line[turn.grant]
        self._tell_soon()

    def _soon(self) -> int:
        """Guess in how many seconds there is room: when half of the line has been served."""
        return min(LONGEST_SECONDS, max(1, ceil(self._mean * self._count / max(1, self.places) / 2)))

    def _tell_soon(self) -> None:
        if self._count and self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(TELL_SECONDS, self._tell_all)

    def _tell_all(self) -> None:
        self._telling = None
        for place, turn in enumerate(self._in_order(), 1):
            turn.tell(place)

    def _in_order(self) -> Iterator[Turn]:
        """Yield those in line in the order in which they will be called, if nobody comes or goes."""
        lines = [list(line) for line in self._line.values()]
        for index in range(max(map(len, lines), default=0)):
            yield from (line[index] for line in lines if index < len(line))


def _now() -> float:
    return asyncio.get_running_loop().time()
