"""What the meter counts, and what a call leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from readingroom.core.canonical import Json

UNITS = ("passes", "tokens", "calls")


class Amount(Struct, frozen=True):
    """So many passes, tokens and calls.

    Attributes:
        passes: evaluations of the network: max(1, generated tokens), summed over choices.
        tokens: of the prompt and of the answers together.
        calls: requests that reached the engine.
    """

    passes: int = 0
    tokens: int = 0
    calls: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.passes + other.passes, self.tokens + other.tokens, self.calls + other.calls)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.passes - other.passes, self.tokens - other.tokens, self.calls - other.calls)

    def __mul__(self, times: int) -> Amount:
        return Amount(self.passes * times, self.tokens * times, self.calls * times)

    def holds(self, other: Amount) -> bool:
        """Tell whether another amount fits into this one, in every unit."""
        return self.passes >= other.passes and self.tokens >= other.tokens and self.calls >= other.calls

    def at_most(self, other: Amount) -> Amount:
        """Return the lesser, unit by unit."""
        return Amount(min(self.passes, other.passes), min(self.tokens, other.tokens), min(self.calls, other.calls))

    def as_json(self) -> dict[str, int]:
        """Return it as JSON."""
        return {"passes": self.passes, "tokens": self.tokens, "calls": self.calls}


class Limits(Struct, frozen=True):
    """The most a grant may use, ever; None is unmetered."""

    passes: int | None = None
    tokens: int | None = None
    calls: int | None = None

    def as_json(self) -> dict[str, int | None]:
        """Return it as JSON."""
        return {"passes": self.passes, "tokens": self.tokens, "calls": self.calls}


class Reading(Struct, frozen=True):
    """What a meter shows at one moment. Always: used + reserved <= limit, unit by unit."""

    limits: Limits
    used: Amount
    reserved: Amount

    def unused(self) -> dict[str, int | None]:
        """Return what is not used of each unit, reserved or not; None is unmetered."""
        limits, used = self.limits.as_json(), self.used.as_json()
        return {unit: None if limit is None else limit - used[unit] for unit, limit in limits.items()}

    def left(self, unit: str) -> int | None:
        """Return what may still be reserved of a unit; None is unmetered."""
        limit: int | None = getattr(self.limits, unit)
        if limit is None:
            return None
        return limit - int(getattr(self.used, unit)) - int(getattr(self.reserved, unit))


class Wish(Struct, frozen=True):
    """What a request may cost at worst.

    Attributes:
        prompt: tokens of the prompt: exact, or the context as their bound.
        choices: answers asked for (`n`).
        maximum: tokens of each answer as the request states them; None where it states none.
        default: the maximum where none is stated.
        room: tokens that the engine can add to the prompt: the context, less the prompt where it was counted.
    """

    prompt: int
    choices: int = 1
    maximum: int | None = None
    default: int = 1024
    room: int = 2**31


class Call(Struct, frozen=True):
    """What a request is on record with before it reaches the engine.

    Attributes:
        id: of the receipt, and of the hold.
        record: what is known already: should this process die, it is the record of a lost call.
        salt: of the record's commitments.
        sealed: returns what is kept of its texts, sealed, as far as they are known by now; nothing by default.
        key: the id of the key that was asked with; beside the record, never in it.
    """

    id: str
    grant: str
    record: Mapping[str, Json]
    salt: bytes
    sealed: Callable[[], bytes] = bytes
    key: str = ""


class Hold(Struct, frozen=True):
    """A reservation for one open request; settled or refunded exactly once.

    Attributes:
        call: whose it is.
        maximum: tokens that each answer may have.
        reading: the meter just after it.
        worker: who holds it; once that one was taken for dead, it has been charged in full.
    """

    call: Call
    amount: Amount
    maximum: int
    reading: Reading
    worker: str = ""

    @property
    def id(self) -> str:
        """Its id, which is the receipt's."""
        return self.call.id

    @property
    def grant(self) -> str:
        """Whose meter it is on."""
        return self.call.grant


class Worker(Struct, frozen=True):
    """A process that holds leases.

    Attributes:
        host: machine, its boot and its space of process ids: where `pid` has a meaning.
        pid: the process.
        began: when that process started, in the kernel's own count, so that a reused pid is another process.
        heartbeat: when it was last heard of.
    """

    id: str
    host: str
    pid: int
    began: int
    heartbeat: datetime


class Ended(StrEnum):
    """How an answer ended; each has its line in the docs on what it charges."""

    COMPLETE = "complete"  # the engine came to its own end
    REFUSED = "refused"  # turned away by the entrance screen: never asked, nothing is charged
    SCREENED = "screened"  # stopped by the exit screen
    UNSCREENED = "unscreened"  # a judge gave no verdict, so nothing more could leave
    HUNG_UP = "hung-up"  # the reader went away
    STOPPED = "stopped"  # the grant, its key or its stage is no longer in force, or could not be confirmed
    CLOSING = "closing"  # this server is shutting down
    BROKEN = "broken"  # the engine failed after it had begun
    LOST = "lost"  # the process died: what it held is charged in full


class Usage(Struct, frozen=True):
    """The record of one call. The reader can prove it; nobody can read the prompt or the answer in it.

    Attributes:
        id: of the receipt.
        leaf: the record's canonical JSON, which is hashed into a batch: commitments, figures and digests only.
        salt: opens the commitments; kept with the record and given to the grant's holder alone.
        charged: what the grant's meter moves by.
        at: when the call ended.
        sealed: what is kept of its texts for investigations, if anything is.
        key: the id of the key that was asked with; empty where it is not known.
    """

    id: str
    grant: str
    leaf: bytes
    salt: bytes
    charged: Amount
    at: datetime
    sealed: bytes = b""
    key: str = ""


def made_of(call: Call, leaf: bytes, charged: Amount, at: datetime) -> Usage:
    """Return the record of a call that is over."""
    return Usage(call.id, call.grant, leaf, call.salt, charged, at, call.sealed(), call.key)
