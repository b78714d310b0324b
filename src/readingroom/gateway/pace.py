"""How fast a grant may read, over all workers of a house: pure decisions.

Requests and tokens a minute are counted in fixed minutes, each grant's beginning at a second of its own, so that not
all grants of a house begin anew at once. Fixed minutes and no token bucket, because

- what was drawn and not used lapses by itself when the minute ends, whatever became of the worker that drew it;
- `retry-after` is plainly true: when the minute is over, all of the next is there;
- a bucket of the same rate lets through as much at worst: a full bucket, and what flows in meanwhile.

The burst that this allows: the whole of a minute at its end and the whole of the next at its beginning, that is, twice
the limit within any sixty seconds that straddle the border, and never more than the limit in any one minute.

Each worker has a *share* of each grant: what it may let in without asking. It is drawn from the house's books for those
who wait, and ahead of need only where the limit is large and requests come fast; what is not used returns after a short
rest. Places (requests open at once) are drawn and returned alike, but do not lapse.

    the house's --draw--> free --take--> in use --end--> free, less what was used --return--> the house's
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from zlib import crc32

from readingroom.core.canonical import Json
from readingroom.core.refusal import Refusal
from readingroom.strategy.model import Pace

MINUTE = 60  # seconds
FEW = 240  # requests a minute, up to which each is drawn by itself: four trips a second at the very most
PART = 8  # of what is left, one part in so many may be drawn ahead of need
BUSY_SECONDS = 1.0  # two draws within so long: requests come fast
REST_SECONDS = 0.5  # without a request, after which what is free returns
MOST_AHEAD = 1024  # requests
UNITS = ("requests", "tokens", "places")


@dataclass(frozen=True, slots=True)
class Load:
    """What one request, or several, take up."""

    requests: int = 0
    tokens: int = 0
    places: int = 0

    def __add__(self, other: Load) -> Load:
        return Load(self.requests + other.requests, self.tokens + other.tokens, self.places + other.places)

    def __sub__(self, other: Load) -> Load:
        return Load(self.requests - other.requests, self.tokens - other.tokens, self.places - other.places)

    def holds(self, other: Load) -> bool:
        """Tell whether another load fits into this one."""
        return self.requests >= other.requests and self.tokens >= other.tokens and self.places >= other.places

    def at_most(self, other: Load) -> Load:
        """Return the lesser, unit by unit."""
        return Load(min(self.requests, other.requests), min(self.tokens, other.tokens), min(self.places, other.places))


def limits(pace: Pace) -> tuple[int | None, int | None, int | None]:
    """Return the limits in the order of a load's units."""
    return pace.requests_per_minute, pace.tokens_per_minute, pace.parallel


def load_of(pace: Pace, tokens: int) -> Load:
    """Return what a request takes up, in the units that are limited.

    Args:
        pace: the limits.
        tokens: the most that the request may come to.
    """
    requests, most, parallel = limits(pace)
    return Load(int(requests is not None), tokens if most is not None else 0, int(parallel is not None))


def minute_of(grant: str, now: float) -> int:
    """Return the number of a grant's minute at a moment, in Unix seconds."""
    return int(now + _offset(grant)) // MINUTE


def resets_in(grant: str, number: int, now: float) -> int:
    """Return the whole seconds, rounded up, after which a minute is over; at least one."""
    return max(1, ceil((number + 1) * MINUTE - _offset(grant) - now))


def _offset(grant: str) -> int:
    return crc32(grant.encode()) % MINUTE


@dataclass(frozen=True, slots=True)
class Books:
    """What the house's books say of a grant.

    Attributes:
        requests: drawn of a minute, by all workers.
        tokens: drawn of that minute, by all workers.
        others: places that other workers have.
    """

    requests: int = 0
    tokens: int = 0
    others: int = 0


@dataclass(frozen=True, slots=True)
class Trip:
    """What a worker takes along to the books.

    Attributes:
        minute: of which its free requests and tokens are, and which it draws from.
        free: what it has free, and takes along.
        places: all that it has: free ones, and those of open requests.
        wants: the loads of the requests that wait.
        ahead: for how many more requests to draw.
        returns: whether to give back what is free, rather than to draw.
    """

    grant: str
    minute: int
    free: Load
    places: int
    wants: tuple[Load, ...] = ()
    ahead: int = 0
    returns: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a trip brings home.

    Attributes:
        books: to be written.
        places: to be written as this worker's.
        free: what is free now, without what the answers gave away.
        answers: one per want: empty if it may begin, else the unit that is short.
    """

    books: Books
    places: int
    free: Load
    answers: tuple[str, ...] = ()


def visit(pace: Pace, books: Books, trip: Trip) -> Outcome:
    """Decide a trip: who waits is let in as far as the limits go; what is left over is drawn ahead or given back."""
    if trip.returns:
        left = replace(books, requests=books.requests - trip.free.requests, tokens=books.tokens - trip.free.tokens)
        return Outcome(left, trip.places - trip.free.places, Load())
    taken, free, answers = Load(books.requests, books.tokens, books.others + trip.places), trip.free, []
    for want in trip.wants:
        lacking = want - free.at_most(want)
        answers.append(_short(pace, taken, lacking))
        if not answers[-1]:
            taken, free = taken + lacking, free - (want - lacking)
    if trip.wants and not any(answers):
        more = _ahead(pace, taken, trip.wants[-1], trip.ahead)
        taken, free = taken + more, free + more
    written = replace(books, requests=taken.requests, tokens=taken.tokens)
    return Outcome(written, taken.places - books.others, free, tuple(answers))


def _short(pace: Pace, taken: Load, lacking: Load) -> str:
    for unit, limit in zip(UNITS, limits(pace), strict=True):
        more = int(getattr(lacking, unit))
        if limit is not None and more and int(getattr(taken, unit)) + more > limit:
            return unit
    return ""


def _ahead(pace: Pace, taken: Load, want: Load, count: int) -> Load:
    """Return what may be drawn ahead of need: only of what comes in large numbers, and only a part of what is left."""
    amounts = []
    for unit, limit in zip(UNITS[:2], limits(pace)[:2], strict=True):
        each = int(getattr(want, unit))
        plenty = limit is not None and limit > FEW * each
        amounts.append(min(count * each, max(0, (limit or 0) - getattr(taken, unit)) // PART) if plenty else 0)
    return Load(*amounts)


@dataclass(slots=True)
class Share:
    """What one worker has of one grant.

    Attributes:
        minute: of which the free requests and tokens are.
        free: what may be let in without asking.
        open: places of open requests.
        taken: by the whole house in this minute, as the books said last.
        others: places that other workers had then.
        short: until when, in loop seconds, the house is known not to have so much of a unit.
        doubtful: whether the books may have another figure than this.
    """

    grant: str
    minute: int = -1
    free: Load = field(default_factory=Load)
    open: int = 0
    taken: Load = field(default_factory=Load)
    others: int = 0
    short: dict[str, tuple[float, int]] = field(default_factory=dict)
    doubtful: bool = False
    asked_at: float = -BUSY_SECONDS
    _ahead: int = 0
    _drawn_at: float = -BUSY_SECONDS

    def turn_to(self, number: int) -> None:
        """Let what is free of an earlier minute lapse."""
        if number != self.minute:
            self.minute, self.free = number, Load(places=self.free.places)
            self.taken = Load(places=self.taken.places)
            self.short = {unit: known for unit, known in self.short.items() if unit == "places"}

    def take(self, load: Load) -> bool:
        """Let a request in if what it takes up is free."""
        if not self.free.holds(load):
            return False
        self.free -= load
        self.open += load.places
        return True

    def end(self, load: Load, number: int, kept: Load) -> None:
        """End a request: its place is free again, and of its own minute what it did not use.

        Args:
            load: what it took.
            number: the minute that it took it in.
            kept: what it used for good.
        """
        self.open -= load.places
        rest = load - kept.at_most(load) if number == self.minute else Load()
        self.free += Load(rest.requests, rest.tokens, load.places)

    def depart(self, wants: Sequence[Load], now: float, *, returns: bool = False) -> Trip:
        """Set out with all that is free."""
        free, self.free = self.free, Load()
        if not returns:
            busy = now - self._drawn_at < BUSY_SECONDS
            self._ahead = min(MOST_AHEAD, max(1, self._ahead * 2)) if busy else 0
            self._drawn_at = now
        places = self.open + free.places
        return Trip(self.grant, self.minute, free, places, tuple(wants), self._ahead, returns)

    def land(self, trip: Trip, outcome: Outcome, number: int) -> tuple[str | None, ...]:
        """Come home in the minute `number`; return the answers, None for one that must be asked for anew.

        A minute that ended on the way takes along what was drawn of it: nobody begins in one minute on another's books.
        """
        self.turn_to(number)
        self.doubtful, self.others = False, outcome.books.others
        let_in = [want for want, answer in zip(trip.wants, outcome.answers, strict=False) if not answer]
        if number != trip.minute:
            self.free += Load(places=outcome.free.places + sum(each.places for each in let_in))
            return tuple(answer if answer == "places" else None for answer in outcome.answers)
        self.free += outcome.free
        self.open += sum(each.places for each in let_in)
        self.taken = Load(outcome.books.requests, outcome.books.tokens, outcome.books.others + outcome.places)
        return outcome.answers

    def stranded(self, trip: Trip, number: int) -> None:
        """Come home without knowing whether the books were written.

        Who drew keeps what he had, and what he may have drawn lapses. Who gave back has nothing of it any more. Places
        are written as what a worker has in all, so the next trip puts them right.
        """
        self.turn_to(number)
        self.doubtful = True
        if not trip.returns:
            self.free += trip.free if number == trip.minute else Load(places=trip.free.places)

    def is_short(self, load: Load, now: float) -> str:
        """Return the unit of which the house is known to have less than a load needs; empty if none is."""
        for unit, (until, amount) in self.short.items():
            if now < until and getattr(load, unit) - getattr(self.free, unit) >= amount:
                return unit
        return ""

    def rests(self, now: float) -> bool:
        """Tell whether what is free should return, or the books be put right."""
        return (self.doubtful or self.free != Load()) and now - self.asked_at > REST_SECONDS

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to remember."""
        return self.free == Load() and not self.open and not self.doubtful


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a grant stands in its minute, as far as a worker knows.

    Attributes:
        requests: that are left, where they are limited.
        tokens: that are left, where they are limited.
        resets: seconds until the minute is over.
    """

    pace: Pace
    requests: int
    tokens: int
    resets: int

    def to_json(self) -> dict[str, Json]:
        """Return, of each unit that is limited by the minute, its limit, what is left, and when it begins anew."""
        found = {}
        for unit, limit, left in zip(UNITS, limits(self.pace)[:2], (self.requests, self.tokens), strict=False):
            if limit is not None:
                found[unit] = {"limit": limit, "remaining": left, "resets": self.resets}
        return found


def standing(pace: Pace, share: Share, now: float) -> Standing:
    """Return where a grant stands."""
    requests, tokens, _ = limits(pace)
    resets = resets_in(share.grant, share.minute, now)
    left = share.free - share.taken
    return Standing(pace, max(0, (requests or 0) + left.requests), max(0, (tokens or 0) + left.tokens), resets)


def too_large(pace: Pace, tokens: int) -> Refusal | None:
    """Refuse a request that is larger than a whole minute: no waiting makes it fit."""
    most = pace.tokens_per_minute
    if most is None or tokens <= most:
        return None
    reason = (
        f"This request could need {tokens} tokens; a minute of this grant has {most}. Ask for less (max_tokens, n)."
    )
    return Refusal("access/rate-limited", reason, {"unit": "tokens", "limit": most, "waiting_helps": False})


def too_fast(pace: Pace, unit: str, stands: Standing) -> Refusal:
    """Refuse for now, and say when to come back."""
    if unit == "places":
        reason = f"This grant may have {pace.parallel} requests open at once, and has; wait until one has ended."
        facts = {"unit": "parallel", "limit": pace.parallel, "retry_after": 1, "rates": stands.to_json()}
        return Refusal("access/rate-limited", reason, facts)
    limit = pace.requests_per_minute if unit == "requests" else pace.tokens_per_minute
    reason = f"This grant may use {limit} {unit} a minute; the next minute begins in {stands.resets} seconds."
    facts = {"unit": unit, "limit": limit, "retry_after": stands.resets, "rates": stands.to_json()}
    return Refusal("access/rate-limited", reason, facts)
