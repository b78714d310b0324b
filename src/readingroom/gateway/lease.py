"""A worker's lease on one grant's meter: what it may spend without asking the database. Pure.

    leased = free + held + spent          free: may still be held
                                          held: by open requests
                                          spent: settled, on its way into the database

A lease is drawn for a request, and larger the more often it was drawn within a second: who asks once holds nothing
back from the others, and who asks a thousand times a second asks the database only now and then. Unused leases
return: after a short rest, and at once when somebody recalls them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from readingroom.gateway.model import UNITS, Amount, Hold, Limits, Reading

BUSY_SECONDS = 1.0  # two draws within so long: this grant is busy
REST_SECONDS = 0.25  # without a request, after which the free part returns
MOST_AHEAD = 1024  # requests like the last one that a lease is drawn for at most
SHARE = 8  # of what nobody holds, one part in so many may be drawn ahead


@dataclass(slots=True)
class Lease:
    """What this worker has of one grant.

    Attributes:
        free: may be held without asking.
        held: by open requests.
        spent: charged, and not in the database yet.
        posting: charged, and on its way into the database.
        stated: what the database was told is held.
        limits: of the meter.
        used: of the meter, as the database said it last.
        others: what other workers had leased then.
        answered: the last recall that was heard of.
    """

    free: Amount = field(default_factory=Amount)
    held: Amount = field(default_factory=Amount)
    spent: Amount = field(default_factory=Amount)
    posting: Amount = field(default_factory=Amount)
    stated: Amount = field(default_factory=Amount)
    limits: Limits = field(default_factory=lambda: Limits(0, 0, 0))
    used: Amount = field(default_factory=Amount)
    others: Amount = field(default_factory=Amount)
    answered: int = 0
    ahead: int = 0
    drawn_at: float = -BUSY_SECONDS
    asked_at: float = -BUSY_SECONDS

    def take(self, amount: Amount) -> None:
        """Hold an amount that is free."""
        self.free -= amount
        self.held += amount

    def settle(self, hold: Hold, used: Amount) -> Amount:
        """End a hold: charge what was used, at most what was held; the rest is free again."""
        charged = used.at_most(hold.amount)
        self.held -= hold.amount
        self.spent += charged
        self.free += hold.amount - charged
        return charged

    def reading(self) -> Reading:
        """Return the meter as far as this worker knows it."""
        return Reading(self.limits, self.used + self.posting + self.spent, self.others + self.held)

    def wants_ahead(self, now: float) -> int:
        """Return for how many more requests to draw, and remember that a draw was made."""
        busy = now - self.drawn_at < BUSY_SECONDS
        self.ahead = min(MOST_AHEAD, max(1, self.ahead * 2)) if busy else 0
        self.drawn_at = now
        return self.ahead

    def rests(self, now: float) -> bool:
        """Tell whether the free part should return."""
        return self.free != Amount() and now - self.asked_at > REST_SECONDS

    @property
    def idle(self) -> bool:
        """Tell whether there is nothing to remember."""
        return self.free == self.held == self.stated == self.spent == self.posting == Amount()


def spare(wanted: Amount, free: Reading) -> Amount:
    """Return what may be drawn ahead of need: a part of what nobody holds, and only if it serves all units alike."""
    bounds = []
    for unit in UNITS:
        left, want = free.left(unit), int(getattr(wanted, unit))
        bounds.append(want if left is None else min(want, max(0, left) // SHARE))
    return Amount(*bounds)
