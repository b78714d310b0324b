r"""The meter: reserve the worst case, settle what was used, return the rest; each exactly once (promise 1).

    open --reserve--> held --settle--> used, the rest returned
                       |  \-refund--> all returned
                       \-- the worker dies --> used in full (`recover`)

A reservation is one conditional UPDATE that the database serialises per grant; the hold row is its proof, and
whoever deletes the hold row moves its amount. A dead worker's holds are charged in full: what it had already sent
is not known, and a grant must never get more than it was awarded.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.core.canonical import Json
from readingroom.core.clock import Clock
from readingroom.core.refusal import Refusal, Refused
from readingroom.gateway.model import UNITS, Amount, Hold, Limits, Reading, Wish
from readingroom.gateway.rules import exhausted, fit
from readingroom.gateway.tables import hold as hold_table
from readingroom.gateway.tables import meter as meter_table
from readingroom.store.db import Database


class Meter:
    """One worker's hand on all meters."""

    def __init__(self, db: Database, clock: Clock, worker: str) -> None:
        """Take the database, the clock, and the id of the worker that will own the holds."""
        self._db = db
        self._clock = clock
        self._worker = worker

    def reserve(self, grant: str, wish: Wish, *, hold_id: str, record: Json, salt: bytes) -> Hold:
        """Reserve the worst case of a request.

        Args:
            grant: whose meter.
            wish: what the request may cost.
            hold_id: the id of the hold and of the receipt.
            record: what is known of the call already, for its record should this process die.
            salt: of the record's commitments.

        Raises:
            Refused: `access/allocation-exhausted`, with what is left.
        """
        with self._db.write() as tx:
            reading = read_locked(tx, grant)
            if reading is None:
                raise Refused(exhausted(Reading(Limits(0, 0, 0), Amount(), Amount()), Amount(1, 1, 1)))
            found = fit(reading, wish)
            if isinstance(found, Refusal):
                raise Refused(found)
            amount, maximum = found
            if not _take(tx, grant, amount):
                raise Refused(exhausted(reading, amount))
            values = {
                "id": hold_id,
                "grant_id": grant,
                **amount.as_json(),
                "worker": self._worker,
                "created_at": self._clock.now(),
                "record": record,
                "salt": salt,
            }
            tx.execute(hold_table.insert().values(values))
            after = Reading(reading.limits, reading.used, reading.reserved + amount)
            return Hold(hold_id, grant, amount, maximum, after)


def open_meter(tx: Connection, grant: str, limits: Limits) -> None:
    """Open a grant's meter at nothing used."""
    values = {f"limit_{unit}": getattr(limits, unit) for unit in UNITS}
    tx.execute(meter_table.insert().values(grant_id=grant, **values))


def settle(tx: Connection, hold_id: str, used: Amount) -> Amount | None:
    """Charge what was used, at most what was held, and return the rest.

    Returns:
        What was charged; None if this hold was settled before, in which case nothing happens.
    """
    gone = hold_table.delete().where(hold_table.c.id == hold_id)
    row = tx.execute(gone.returning(hold_table.c.grant_id, *(hold_table.c[unit] for unit in UNITS))).first()
    if row is None:
        return None
    held = Amount(*(getattr(row, unit) for unit in UNITS))
    charged = used.at_most(held)
    moved: dict[str, Any] = {}
    for unit in UNITS:
        moved[f"used_{unit}"] = meter_table.c[f"used_{unit}"] + getattr(charged, unit)
        moved[f"reserved_{unit}"] = meter_table.c[f"reserved_{unit}"] - getattr(held, unit)
    tx.execute(meter_table.update().where(meter_table.c.grant_id == row.grant_id).values(moved))
    return charged


def read(tx: Connection, grant: str) -> Reading | None:
    """Read a meter; None if the grant has none."""
    row = tx.execute(sa.select(meter_table).where(meter_table.c.grant_id == grant)).first()
    return None if row is None else _reading(row)


def read_all(tx: Connection) -> dict[str, Reading]:
    """Read every meter, by grant."""
    return {row.grant_id: _reading(row) for row in tx.execute(sa.select(meter_table))}


def read_locked(tx: Connection, grant: str) -> Reading | None:
    """Read a meter and keep others from changing it until the transaction ends."""
    row = tx.execute(sa.select(meter_table).where(meter_table.c.grant_id == grant).with_for_update()).first()
    return None if row is None else _reading(row)


def _take(tx: Connection, grant: str, amount: Amount) -> bool:
    """Reserve an amount if it still fits: one statement, so that no two can both read the same balance."""
    columns, conditions, values = meter_table.c, [], {}
    for unit in UNITS:
        limit, used, reserved = (columns[f"{kind}_{unit}"] for kind in ("limit", "used", "reserved"))
        wanted = int(getattr(amount, unit))
        conditions.append(sa.or_(limit.is_(None), used + reserved + wanted <= limit))
        values[f"reserved_{unit}"] = reserved + wanted
    changed = tx.execute(meter_table.update().where(columns.grant_id == grant, *conditions).values(values))
    return changed.rowcount == 1


def _reading(row: Row[Any]) -> Reading:
    return Reading(
        Limits(*(getattr(row, f"limit_{unit}") for unit in UNITS)),
        Amount(*(getattr(row, f"used_{unit}") for unit in UNITS)),
        Amount(*(getattr(row, f"reserved_{unit}") for unit in UNITS)),
    )
