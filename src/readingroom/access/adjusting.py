"""A grant's allocation as it grows and shrinks after it was issued; its meter moves in the same transaction."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.engine import Connection

from readingroom.access import queries
from readingroom.access.model import Amounts, Grant, GrantState
from readingroom.access.tables import grant as grant_table
from readingroom.core.canonical import Json
from readingroom.core.clock import Clock, rfc3339
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.ledger.service import Ledger
from readingroom.people.model import Actor

UNITS = ("passes", "tokens", "calls")


def check_growing(grant: Grant, now: datetime) -> Refusal | None:
    """Refuse to add to a grant that is over: more of what nobody may use would only be locked away."""
    if grant.state is GrantState.REVOKED:
        return Refusal("access/grant-revoked", "This grant was revoked; nothing can be added to it.")
    if now >= grant.expires_at:
        reason = (
            f"This grant ended on {rfc3339(grant.expires_at)}; nothing can be added to it. A renewal is a new grant."
        )
        return Refusal("access/grant-expired", reason)
    return None


def is_over(grant: Grant, now: datetime) -> bool:
    """Tell whether nobody can use a grant any more: what it has left may go back without its holder."""
    return grant.state is GrantState.REVOKED or now >= grant.expires_at


def adjusted(allocation: Amounts, change: Amounts) -> Amounts | Refusal:
    """Return an allocation after a change: a unit that is unmetered stays so, and none falls below nothing.

    Args:
        allocation: as it is.
        change: by unit, what is added (or, below zero, taken away); None changes nothing.
    """
    after: dict[str, int | None] = {}
    for unit in UNITS:
        held, by = getattr(allocation, unit), getattr(change, unit)
        after[unit] = None if held is None else held + (by or 0)
    short = [unit for unit, amount in after.items() if amount is not None and amount < 0]
    if short:
        reason = f"This grant does not hold so many {', '.join(short)}."
        return Refusal("access/bad-amount", reason, {"allocation": allocation.to_json()})
    return Amounts(**after)


class Adjustments:
    """Use cases that change an allocation; each runs in the transaction of the decision that asks for it."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        """Take the ledger and the clock."""
        self._ledger = ledger
        self._clock = clock

    def adjust_within(self, tx: Connection, by: Actor, grant_id: str, change: Amounts, because: str) -> Grant:
        """Change an allocation; whoever hears `access.grant.adjusted` moves the meter's limits, or refuses.

        Args:
            tx: of the decision.
            by: who decided.
            grant_id: whose allocation.
            change: by unit, above zero to add, below zero to take away.
            because: the event of the decision, for the record.
        """
        grant = queries.grant(tx, grant_id)
        if grant is None:
            raise Refused(Refusal("access/no-such-grant", f"No grant {grant_id!r}."))
        if any((getattr(change, unit) or 0) > 0 for unit in UNITS):
            require(check_growing(grant, self._clock.now()))
        after = adjusted(grant.allocation, change)
        if isinstance(after, Refusal):
            raise Refused(after)
        tx.execute(grant_table.update().where(grant_table.c.id == grant_id).values(**after.to_json()))
        data: dict[str, Json] = {"grant": grant_id, "award": grant.award_id, "because": because, "person": grant.holder}
        data |= {"change": change.to_json(), "allocation": after.to_json()}
        self._ledger.append(tx, "access.grant.adjusted", data, by=by.id)
        queries.bump(tx)
        return queries.grant(tx, grant_id) or grant
