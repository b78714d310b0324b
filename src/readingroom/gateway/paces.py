"""The paces that a call must keep: its tier's, over the whole grant, and those of the throttles that stand.

A throttle has books of its own, under its sanction's id: so it holds over all workers as a tier's pace does, a member's
slows nobody else, and where several stand each is kept.
"""

from __future__ import annotations

from collections.abc import Iterator

from readingroom.access.model import Sanction
from readingroom.access.sanctions import throttles
from readingroom.core.clock import Clock, rfc3339
from readingroom.core.refusal import Refusal, Refused
from readingroom.gateway import pace
from readingroom.gateway.firsts import Firsts
from readingroom.gateway.rates import Rates, Ticket
from readingroom.gateway.standing import Admission
from readingroom.strategy.model import Pace


class Tickets:
    """What let a request in, of each pace; ended or taken back together."""

    def __init__(self, first: Ticket) -> None:
        """Take the ticket of the tier's pace."""
        self._all = [first]

    def add(self, ticket: Ticket) -> None:
        """Add one of a throttle."""
        self._all.append(ticket)

    @property
    def standing(self) -> pace.Standing | None:
        """Where the narrowest of them stands, for the answer's headers."""
        known = [each.standing for each in self._all if each.standing is not None]
        return min(known, key=lambda each: each.pace.requests_per_minute or 2**53) if known else None

    def end(self, tokens: int) -> None:
        """Settle all."""
        for each in self._all:
            each.end(tokens)

    def undo(self) -> None:
        """Take all back."""
        for each in self._all:
            each.undo()


class Paces:
    """The paces of one worker's calls."""

    def __init__(self, rates: Rates, clock: Clock, firsts: Firsts) -> None:
        """Take this worker's hand on the limits, the clock, and what notes the first refusal for each sanction."""
        self._rates = rates
        self._clock = clock
        self._firsts = firsts

    def look(self, admission: Admission) -> Refusal | None:
        """Tell without asking the books whether a request would certainly be refused now, whatever its size."""
        found = self._rates.look(admission.grant.id, admission.pace)
        for sanction, narrow in self._throttles(admission):
            slow = self._rates.look(sanction.id, narrow)
            found = found or (self._throttled(slow, sanction) if slow else None)
        return found

    async def take(self, admission: Admission, tokens: int) -> Tickets:
        """Let a request in by every pace, or by none.

        Raises:
            Refused: `access/rate-limited` by the tier, `access/throttled` by a throttle.
            FAILED: the books cannot be read; nothing was let in.
        """
        taken = Tickets(await self._rates.take(admission.grant.id, admission.pace, tokens))
        try:
            for sanction, narrow in self._throttles(admission):
                try:
                    taken.add(await self._rates.take(sanction.id, narrow, tokens))
                except Refused as slow:
                    raise Refused(self._throttled(slow.refusal, sanction)) from None
        except BaseException:
            taken.undo()
            raise
        return taken

    def _throttles(self, admission: Admission) -> Iterator[tuple[Sanction, Pace]]:
        if admission.facts is not None and admission.facts.sanctions:
            for each in throttles(admission.facts, self._clock.now()):
                yield each, Pace(requests_per_minute=each.per_minute)

    def _throttled(self, slow: Refusal, sanction: Sanction) -> Refusal:
        """Say of a throttle's refusal whose it is, and until when the throttle stands."""
        until = f" until {rfc3339(sanction.until)}" if sanction.until else ""
        reason = (
            f"This reading is throttled to {sanction.per_minute} requests a minute{until} ({sanction.reason}); the "
            f"next minute begins in {slow.facts.get('retry_after')} seconds."
        )
        refusal = Refusal("access/throttled", reason, {**slow.facts, "sanction": sanction.id})
        self._firsts.note(refusal)
        return refusal
