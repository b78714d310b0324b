r"""The meter in the database: leased to workers, posted by them, and never over its limit (promise 1).

    nobody's --draw--> leased --post--> used
                  \<--return-/

A worker goes on a *trip* whenever a request needs more than its lease has, or something was spent: one transaction
takes along everything that waits. It states what it keeps (an amount, not a difference) and brings the records of
what it spent, each by its id: so a trip whose commit was in doubt can be made again, and nothing moves twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.core.refusal import Refusal
from readingroom.gateway.lease import spare
from readingroom.gateway.model import UNITS, Amount, Limits, Reading, Wish
from readingroom.gateway.rules import Granted, draw, is_short
from readingroom.gateway.tables import lease as lease_table
from readingroom.gateway.tables import meter as meter_table
from readingroom.store.db import announce

_HELD = tuple(f"held_{unit}" for unit in UNITS)
_USED = tuple(f"used_{unit}" for unit in UNITS)
_RESERVED = tuple(f"reserved_{unit}" for unit in UNITS)
_LIMITS = tuple(f"limit_{unit}" for unit in UNITS)


@dataclass(frozen=True, slots=True)
class Draw:
    """What one request asks of the meter.

    Attributes:
        ahead: for how many more requests like it to draw, if there is plenty.
        last: whether it has waited long enough for what others return.
        recalled: the recall that it waits for; 0 if it asks for the first time.
    """

    wish: Wish
    ahead: int
    last: bool
    recalled: int = 0


@dataclass(frozen=True, slots=True)
class Stand:
    """Where one lease stands as its worker sets out on a trip.

    Attributes:
        held: by open requests.
        kept: free, and in use meanwhile.
        free: free, and taken along for the draws; what is left of it comes back.
        answered: the last recall that this answers.
    """

    grant: str
    held: Amount
    kept: Amount
    free: Amount
    answered: int
    draws: tuple[Draw, ...] = ()


@dataclass(slots=True)
class Outcome:
    """What a trip brought home for one grant.

    Attributes:
        limits: of the meter.
        used: of the meter, after the trip.
        others: what other workers have leased.
        recall: the last recall.
        free: what came back to be held without asking.
        answers: one per draw; None if unused leases are being called back: ask again in a moment.
    """

    limits: Limits
    used: Amount
    others: Amount
    recall: int
    free: Amount
    answers: list[Granted | Refusal | None]


def open_meter(tx: Connection, grant: str, limits: Limits) -> None:
    """Open a grant's meter at nothing used."""
    values = {f"limit_{unit}": getattr(limits, unit) for unit in UNITS}
    tx.execute(meter_table.insert().values(grant_id=grant, **values))


def trip(tx: Connection, worker: str, stands: Sequence[Stand], charged: Mapping[str, Amount]) -> dict[str, Outcome]:
    """Post what was charged, state what is kept, and draw.

    Args:
        tx: where the records of what was charged were stored just now.
        worker: whose leases these are.
        stands: one per grant.
        charged: by grant, of those records that were not there before.
    """
    grants = sorted(each.grant for each in stands)
    query = sa.select(meter_table).where(meter_table.c.grant_id.in_(grants)).order_by(meter_table.c.grant_id)
    meters = {row.grant_id: row for row in tx.execute(query.with_for_update())}
    query = sa.select(lease_table).where(lease_table.c.worker == worker, lease_table.c.grant_id.in_(grants))
    leases = {row.grant_id: row for row in tx.execute(query)}
    outcomes, moved, written = {}, [], []
    for stand in stands:
        row = meters.get(stand.grant)
        if row is None:
            outcomes[stand.grant] = _no_meter(stand)
            continue
        mine = leases.get(stand.grant)
        before = _amount(mine, UNITS) if mine is not None else Amount()
        known = mine.answered if mine is not None else row.recall  # what is leased only now is no leftover
        books = _Books(row, _amount(row, _USED) + charged.get(stand.grant, Amount()), _amount(row, _RESERVED) - before)
        found, after, held = _stand(tx, worker, stand, books)
        outcomes[stand.grant] = found
        reserved = found.others + after
        values = {**_named(_USED, found.used), **_named(_RESERVED, reserved)}
        moved.append({"which": stand.grant, "raised": found.recall, **values})
        values = {**after.as_json(), **_named(_HELD, held), "answered": max(stand.answered, known)}
        written.append((stand.grant, stand.grant in leases, values))
    _write(tx, worker, moved, written)
    return outcomes


@dataclass(frozen=True, slots=True)
class _Books:
    """A meter's row, what is used of it now, and what other workers have leased."""

    row: Row[Any]
    used: Amount
    others: Amount


def _stand(tx: Connection, worker: str, stand: Stand, books: _Books) -> tuple[Outcome, Amount, Amount]:
    """Settle one lease; return what came of it, the lease afterwards, and what of it is held."""
    limits, used, others = _limits(books.row), books.used, books.others
    lease, held, free = stand.held + stand.kept + stand.free, stand.held, stand.free
    answers: list[Granted | Refusal | None] = []
    heard: list[int] | None = None  # once something is short: the last recall that each of the others has answered
    for each in stand.draws:
        reading = Reading(limits, used, others + lease - free)
        if heard is None and is_short(reading, each.wish):
            heard = _heard_elsewhere(tx, worker, stand.grant)
        waits = heard is not None and any(answered < each.recalled or not each.recalled for answered in heard)
        answer = draw(reading, each.wish, idle=waits, last=each.last)
        answers.append(answer)
        if answer is None or isinstance(answer, Refusal):
            continue
        amount = answer[0]
        from_free = amount.at_most(free)
        free, held, lease = free - from_free, held + amount, lease + amount - from_free
        if heard is None:  # there is plenty
            ahead = spare(amount * each.ahead, Reading(limits, used, others + lease))
            free, lease = free + ahead, lease + ahead
    recall = books.row.recall
    if heard is not None:  # it is short: nobody keeps what he does not hold
        lease, free = lease - free, Amount()
        if None in answers and all(answered >= recall for answered in heard):
            recall += 1
            announce(tx)
    return Outcome(limits, used, others, recall, free, answers), lease, held


def _heard_elsewhere(tx: Connection, worker: str, grant: str) -> list[int]:
    """Return the last recall that each other worker with a lease has answered.

    What such a lease states as held may have been settled since; only an answer given after the question tells.
    """
    others = (lease_table.c.grant_id == grant) & (lease_table.c.worker != worker)
    return list(tx.execute(sa.select(lease_table.c.answered).where(others)).scalars())


def _write(
    tx: Connection, worker: str, moved: list[dict[str, Any]], written: list[tuple[str, bool, dict[str, Any]]]
) -> None:
    if moved:
        binds: dict[str, Any] = {name: sa.bindparam(name) for name in (*_USED, *_RESERVED)}
        update = meter_table.update().where(meter_table.c.grant_id == sa.bindparam("which"))
        tx.execute(update.values(recall=sa.bindparam("raised"), **binds), moved)
    mine = lease_table.c.worker == worker
    for grant, known, values in written:
        if not any(values[unit] for unit in UNITS):
            tx.execute(lease_table.delete().where(mine, lease_table.c.grant_id == grant))
        elif known:
            tx.execute(lease_table.update().where(mine, lease_table.c.grant_id == grant).values(values))
        else:
            tx.execute(lease_table.insert().values(worker=worker, grant_id=grant, **values))


def bury(tx: Connection, worker: str, grant: str, charged: Amount) -> None:
    """End a worker's lease: charge so much of it, and return the rest."""
    mine = (lease_table.c.worker == worker) & (lease_table.c.grant_id == grant)
    gone = tx.execute(lease_table.delete().where(mine).returning(*(lease_table.c[unit] for unit in UNITS))).one()
    leased = _amount(gone, UNITS)
    moved: dict[str, Any] = {}
    for unit in UNITS:
        moved[f"used_{unit}"] = meter_table.c[f"used_{unit}"] + getattr(charged, unit)
        moved[f"reserved_{unit}"] = meter_table.c[f"reserved_{unit}"] - getattr(leased, unit)
    tx.execute(meter_table.update().where(meter_table.c.grant_id == grant).values(moved))


def leased_by(tx: Connection, worker: str) -> list[str]:
    """Return the grants of which a worker has a lease."""
    query = sa.select(lease_table.c.grant_id).where(lease_table.c.worker == worker)
    return list(tx.execute(query.order_by(lease_table.c.grant_id)).scalars())


def lease_of(tx: Connection, worker: str, grant: str) -> Amount | None:
    """Return what a worker has leased of a grant, and keep others from ending it; None if it has nothing."""
    mine = (lease_table.c.worker == worker) & (lease_table.c.grant_id == grant)
    row = tx.execute(sa.select(lease_table).where(mine).with_for_update()).first()
    return None if row is None else _amount(row, UNITS)


def recalled(tx: Connection, worker: str) -> dict[str, int]:
    """Return the recalls that a worker has not answered, by grant."""
    joined = lease_table.join(meter_table, meter_table.c.grant_id == lease_table.c.grant_id)
    query = sa.select(meter_table.c.grant_id, meter_table.c.recall).select_from(joined)
    rows = tx.execute(query.where(lease_table.c.worker == worker, lease_table.c.answered < meter_table.c.recall))
    return {row.grant_id: row.recall for row in rows}


def read(tx: Connection, grant: str) -> Reading | None:
    """Read a meter; None if the grant has none. What is reserved is what open requests hold."""
    return _read(tx, (grant,)).get(grant)


def read_all(tx: Connection, grants: Iterable[str] | None = None) -> dict[str, Reading]:
    """Read every meter, by grant; or those of some grants."""
    return _read(tx, grants)


def passes_used(tx: Connection) -> dict[str, int]:
    """Read of every meter how many passes are used, by grant."""
    used = sa.select(meter_table.c.grant_id, meter_table.c.used_passes)
    return {row[0]: row[1] for row in tx.execute(used).all()}


def _read(tx: Connection, grants: Iterable[str] | None) -> dict[str, Reading]:
    held = [sa.func.coalesce(sa.func.sum(lease_table.c[name]), 0).label(name) for name in _HELD]
    joined = meter_table.outerjoin(lease_table, lease_table.c.grant_id == meter_table.c.grant_id)
    query = sa.select(meter_table, *held).select_from(joined).group_by(meter_table.c.grant_id)
    if grants is not None:
        query = query.where(meter_table.c.grant_id.in_(grants))
    return {row.grant_id: Reading(_limits(row), _amount(row, _USED), _amount(row, _HELD)) for row in tx.execute(query)}


def _no_meter(stand: Stand) -> Outcome:
    nothing = Limits(0, 0, 0)
    answers = [draw(Reading(nothing, Amount(), Amount()), each.wish, idle=False, last=True) for each in stand.draws]
    return Outcome(nothing, Amount(), Amount(), 0, Amount(), answers)


def _limits(row: Row[Any]) -> Limits:
    return Limits(*(getattr(row, name) for name in _LIMITS))


def _amount(row: Row[Any], names: Sequence[str]) -> Amount:
    return Amount(*(int(getattr(row, name)) for name in names))


def _named(names: Sequence[str], amount: Amount) -> dict[str, int]:
    return dict(zip(names, (amount.passes, amount.tokens, amount.calls), strict=True))


def move_limits(tx: Connection, grant: str, change: Mapping[str, int]) -> Refusal | None:
    """Raise or lower a grant's limits, in the transaction that decided it; refuse to go under what is used or leased.

    One statement judges and moves, so that no trip of a worker comes between: what a lease has taken along cannot be
    taken back, only awaited. A worker hears of a higher limit on its next trip.

    Args:
        tx: of the decision.
        grant: whose meter.
        change: by unit, what is added; below zero, what is taken away. A unit that is unmetered stays so.
    """
    moved, fits = {}, [meter_table.c.grant_id == grant]
    for unit, by in change.items():
        limit = meter_table.c[f"limit_{unit}"]
        moved[f"limit_{unit}"] = limit + by
        if by < 0:
            taken = meter_table.c[f"used_{unit}"] + meter_table.c[f"reserved_{unit}"]
            fits.append(sa.or_(limit.is_(None), limit + by >= taken))
    if not moved or tx.execute(meter_table.update().where(*fits).values(moved)).rowcount == 1:
        return None
    left = free(tx, grant)
    reason = (
        "So much is not free: the rest is used, or in use by requests that are open. What those do not need comes back "
        "when they end; try again then, or with less."
    )
    return Refusal("access/in-use", reason, {"free": left, "asked": {unit: -by for unit, by in change.items()}})


def free(tx: Connection, grant: str) -> dict[str, int]:
    """Return what of each metered unit is neither used nor leased now; nothing for a grant without a meter."""
    row = tx.execute(sa.select(meter_table).where(meter_table.c.grant_id == grant)).first()
    if row is None:
        return {}
    limits, taken = _limits(row).as_json(), (_amount(row, _USED) + _amount(row, _RESERVED)).as_json()
    return {unit: limit - taken[unit] for unit, limit in limits.items() if limit is not None}
