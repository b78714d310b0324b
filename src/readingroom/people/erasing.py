"""What is held of a person: shown to them, and erased where the law says so, without breaking the ledger (promise 9).

The ledger holds pseudonyms and salted commitments; once the table that names the pseudonym, and the salts, are gone,
its entries speak of nobody. What a person decided at the lab stays decided: by a pseudonym.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.engine import Connection

from readingroom.core.canonical import Json
from readingroom.core.clock import Clock
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.ledger.service import Ledger
from readingroom.people import queries
from readingroom.people.model import Actor, Basis, Person
from readingroom.people.rules import Permission, check
from readingroom.store import personal
from readingroom.store.db import Database, metadata
from readingroom.store.personal import Someone


def check_erasing(person: Person, standing: Sequence[str]) -> Refusal | None:
    """Refuse to erase somebody who still acts here; `standing` says what, each with how to end it."""
    if person.roles:
        roles = ", ".join(sorted(each.value for each in person.roles))
        reason = f"This person holds a role here ({roles}); take it away first."
        return Refusal("people/still-in-office", reason, {"roles": sorted(each.value for each in person.roles)})
    if standing:
        reason = f"First end what still stands: {'; '.join(standing)}."
        return Refusal("people/still-reading", reason, {"standing": list(standing)})
    return None


class Held:
    """Use cases around what is held of a person."""

    def __init__(self, db: Database, ledger: Ledger, clock: Clock) -> None:
        """Take the database, the ledger and the clock."""
        self._db = db
        self._ledger = ledger
        self._clock = clock

    def show(self, by: Actor, person: str) -> dict[str, list[dict[str, Json]]]:
        """Return everything held of oneself; of somebody else, to who may erase them."""
        if by.id != person:
            require(check(by, Permission.PERSON_ERASE))
        with self._db.read() as tx:
            return personal.held(tx, metadata, someone(tx, _known(tx, person)))

    def erase_within(
        self, tx: Connection, by: Actor, person: str, basis: Basis, standing: Sequence[str]
    ) -> dict[str, int]:
        """Erase a person, in the transaction in which what still stands was read; return rows by table.

        Raises:
            Refused: by may not, or something still stands.
        """
        if by.id != person or by.is_operator:
            require(check(queries.actor_now(tx, by), Permission.PERSON_ERASE))
        found = _known(tx, person)
        require(check_erasing(found, standing))
        done = personal.erase(tx, metadata, someone(tx, found))
        self._ledger.append(tx, "people.person.erased", {"person": person, "basis": basis.value}, by=by.id)
        return done


def someone(tx: Connection, person: Person) -> Someone:
    """Return by what a person's rows are found: every pseudonym that they have or had, and every address."""
    return Someone(queries.ids(tx, person.id), frozenset({person.email, *person.addresses}))


def _known(tx: Connection, person: str) -> Person:
    found = queries.by_id(tx, person)
    if found is None:
        raise Refused(Refusal("people/person-unknown", f"No person {person[:80]!r} is known here."))
    return found
