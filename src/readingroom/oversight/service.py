"""Use cases of the oversight room: the register, composed from what the rooms on its right have on record."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.engine import Connection

from readingroom.access import queries as access
from readingroom.access.model import Grant
from readingroom.core.clock import Clock
from readingroom.core.refusal import require
from readingroom.gateway import queries as gateway
from readingroom.gateway.model import Amount, Limits, Reading
from readingroom.oversight.flags import Flag, fold
from readingroom.oversight.register import PublicRow, Row, public
from readingroom.people import queries as people
from readingroom.people.model import Actor, Person
from readingroom.people.rules import Permission, check
from readingroom.store.db import Database

_NOTHING = Reading(Limits(), Amount(), Amount())


class Oversight:
    """Reports."""

    def __init__(self, db: Database, clock: Clock) -> None:
        """Take the database and the clock."""
        self._db = db
        self._clock = clock

    def register(self, by: Actor) -> list[Row]:
        """Return the whole register, for who may read it."""
        require(check(by, Permission.REGISTER_READ))
        with self._db.read() as tx:
            return self._rows(tx)

    def public_register(self) -> list[PublicRow]:
        """Return the public register."""
        with self._db.read() as tx:
            return public(self._rows(tx))

    def flags(
        self, by: Actor, weights: Mapping[tuple[str, str], tuple[str, str]], since: datetime | None = None
    ) -> list[Flag]:
        """Return what screening found, by grant and rule, for who may read the register.

        Args:
            by: who asks.
            weights: severity and clause of each `(stage, rule)`, from the rule files.
            since: from when on; None is from the beginning.
        """
        require(check(by, Permission.REGISTER_READ))
        with self._db.read() as tx:
            return fold(gateway.records(tx, since), weights)

    def _rows(self, tx: Connection) -> list[Row]:
        persons, readings = people.persons(tx), gateway.readings(tx)
        return [self._row(each, persons, readings.get(each.id, _NOTHING)) for each in access.grants(tx)]

    def _row(self, grant: Grant, persons: dict[str, Person], reading: Reading) -> Row:
        holder = persons.get(grant.holder)
        expired = grant.state.value == "active" and grant.expires_at <= self._clock.now()
        return Row(
            grant=grant.id,
            reader=holder.name if holder else "(erased)",
            email=holder.email if holder else "",
            institution=holder.affiliation if holder else "",
            stage=grant.stage,
            tier=grant.tier,
            state="expired" if expired else grant.state.value,
            purpose=grant.purpose,
            decided_by=grant.issued_by,
            award=grant.award_id or "",
            since=grant.issued_at,
            until=grant.expires_at,
            ended_for=grant.changed_reason or "",
            awarded_passes=grant.allocation.passes,
            used_passes=reading.used.passes,
            used_tokens=reading.used.tokens,
            used_calls=reading.used.calls,
        )
