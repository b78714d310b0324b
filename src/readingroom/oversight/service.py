"""Use cases of the oversight room: the register, composed from what the rooms on its right have on record."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.access import queries as access
from readingroom.access.model import Grant, Sanction
from readingroom.access.queries.issued import FirstHolders
from readingroom.admissions import queries as admissions
from readingroom.core.canonical import commitment, sha256
from readingroom.core.clock import Clock
from readingroom.core.ids import new_id, random_bytes
from readingroom.core.refusal import require
from readingroom.gateway import queries as gateway
from readingroom.gateway.model import Amount, Limits, Reading
from readingroom.ledger.service import Ledger
from readingroom.oversight.flags import Flag, fold
from readingroom.oversight.model import Look, Shape
from readingroom.oversight.register import Line, PublicRow, Row, document, public
from readingroom.oversight.tables import look as look_table
from readingroom.people import queries as people
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check
from readingroom.store.db import Database

_NOTHING = Reading(Limits(), Amount(), Amount())


class Oversight:
    """Reports."""

    def __init__(self, db: Database, ledger: Ledger, clock: Clock) -> None:
        """Take the database, the ledger and the clock."""
        self._db = db
        self._ledger = ledger
        self._clock = clock
        self._first_holders = FirstHolders()

    def register(self, by: Actor, form: Shape = Shape.PAGE) -> list[Row]:
        """Return the whole register, for who may read it. The look is in the ledger before anything is shown.

        Raises:
            Refused: it is not this actor's to read.
            Broken: the ledger cannot be written; nothing is shown.
        """
        require(check(by, Permission.REGISTER_READ))
        with self._db.decide() as tx:
            require(check(people.actor_now(tx, by), Permission.REGISTER_READ))
            rows = self._rows(tx)
            self._look(tx, by, form, rows)
        return rows

    def register_page(self, by: Actor, limit: int, offset: int = 0) -> tuple[list[Row], dict[str, int]]:
        """Return a page of the whole register, oldest first, as a look at what it shows; and how many grants stand how.

        Raises:
            Refused: it is not this actor's to read.
            Broken: the ledger cannot be written; nothing is shown.
        """
        require(check(by, Permission.REGISTER_READ))
        with self._db.decide() as tx:
            require(check(people.actor_now(tx, by), Permission.REGISTER_READ))
            rows = self._rows(tx, access.grants_page(tx, None, limit, offset))
            self._look(tx, by, Shape.PAGE, rows)
            return rows, access.standing_counts(tx, self._clock.now())

    def _look(self, tx: Connection, by: Actor, form: Shape, rows: Sequence[Row]) -> None:
        """Write down who looks, and a commitment to what is shown."""
        shown, salt = document(rows), random_bytes(32)
        values = {"id": new_id("look"), "at": self._clock.now(), "person": by.id, "form": form.value}
        values |= {"rows": len(rows), "digest": sha256(shown), "salt": salt}
        tx.execute(look_table.insert().values(values))
        data = {"form": form.value, "rows": len(rows), "shown": commitment(salt, shown)}
        self._ledger.append(tx, "oversight.register.read", data, by=by.id)

    def looks(self, by: Actor, most: int = 200) -> list[Look]:
        """Return who looked at the whole register, newest first, for who may do so."""
        require(check(by, Permission.REGISTER_READ))
        newest = sa.select(look_table).order_by(look_table.c.at.desc(), look_table.c.id).limit(most)
        with self._db.read() as tx:
            rows = tx.execute(newest).all()
        return [Look(row.at, row.person, Shape(row.form), row.rows, row.digest) for row in rows]

    def mine(self, by: Actor) -> list[Row]:
        """Return the entries of the projects that one is of, as they stand in the whole register.

        Of a project that another holds, its holder's address is left out: a member need not know it.
        """
        with self._db.read() as tx:
            found = access.grants_with(tx, by.id)
            theirs = {each.id for each in found if each.holder != by.id}
            rows = self._rows(tx, found)
        return [replace(each, email="") if each.grant in theirs else each for each in rows]

    def names(self, by: Actor) -> dict[str, str]:
        """Return who holds each grant, for the pages of those who may read the register."""
        require(check(by, Permission.REGISTER_READ))
        with self._db.read() as tx:
            known = people.known(tx)
            return {each.id: _name(known.get(each.holder)) for each in access.grants(tx)}

    def public_register(self) -> list[PublicRow]:
        """Return the public register."""
        with self._db.read() as tx:
            calls = [(each.file.title, each.file.stage) for each in admissions.calls(tx)]
            return public(self._lines(tx), calls)

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

    def _lines(self, tx: Connection) -> list[Line]:
        """Return of each grant what the public register counts, and no more: it is asked for by everyone."""
        known, used, titles = people.known(tx), gateway.passes_used(tx), self._titles(tx)
        nobody, merged = people.Known("", "", ""), people.merged(tx)
        first = self._first_holders.read(tx) if merged else {}
        return [
            Line(
                grant=each.id,
                email=known.get(each.holder, nobody).email,
                institution=known.get(each.holder, nobody).affiliation,
                stage=each.stage,
                call=titles.get(each.award_id or "", ""),
                since=each.issued_at,
                awarded_passes=each.passes,
                used_passes=used.get(each.id, 0),
                issued_to=first[each.id] if first.get(each.id) in merged else "",
            )
            for each in access.grant_lines(tx)
        ]

    @staticmethod
    def _titles(tx: Connection, wanted: Collection[str] | None = None) -> dict[str, str]:
        """Return the title of the call that made each award, or some."""
        titles = {call.id: call.file.title for call in admissions.calls(tx)}
        return {award: titles[call] for award, call in admissions.awarded_in(tx, wanted).items()}

    def _rows(self, tx: Connection, grants: Sequence[Grant] | None = None) -> list[Row]:
        only = None if grants is None else [each.id for each in grants]
        found = access.grants(tx) if grants is None else grants
        known, readings = people.known(tx, {each.holder for each in found}), gateway.readings(tx, only)
        against: dict[str | None, list[Sanction]] = {}
        for each in access.sanctions(tx):  # all at once: there are few, and many grants
            against.setdefault(each.grant_id, []).append(each)
        titles = self._titles(tx, None if grants is None else [each.award_id for each in grants if each.award_id])
        return [
            self._row(
                each,
                known.get(each.holder),
                readings.get(each.id, _NOTHING),
                titles.get(each.award_id or "", ""),
                against.get(each.id, ()),
            )
            for each in found
        ]

    def _row(
        self, grant: Grant, holder: people.Known | None, reading: Reading, call: str, against: Sequence[Sanction]
    ) -> Row:
        expired = grant.state.value == "active" and grant.expires_at <= self._clock.now()
        return Row(
            grant=grant.id,
            reader=_name(holder),
            email=holder.email if holder else "",
            institution=holder.affiliation if holder else "",
            stage=grant.stage,
            tier=grant.tier,
            state="expired" if expired else grant.state.value,
            purpose=grant.purpose,
            decided_by=grant.issued_by,
            award=grant.award_id or "",
            call=call,
            since=grant.issued_at,
            until=grant.expires_at,
            ended_for=grant.changed_reason or "",
            awarded_passes=grant.allocation.passes,
            awarded_tokens=grant.allocation.tokens,
            awarded_calls=grant.allocation.calls,
            used_passes=reading.used.passes,
            used_tokens=reading.used.tokens,
            used_calls=reading.used.calls,
            sanctions=_sanctions(against),
        )


def _name(person: people.Known | None) -> str:
    return (person.name or person.email) if person else "(erased)"


def _sanctions(found: Sequence[Sanction]) -> tuple[str, ...]:
    """Spell sanctions: what, why, since when; the oldest first."""
    return tuple(f"{each.kind.value}: {each.reason.value}, {each.begins_at:%Y-%m-%d}" for each in found)
