"""Terms: versioned by the hash of their text, accepted by persons, paused for when they change materially.

Terms that have clauses say of each what enforces it, and are published only where every such claim is true.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.access import clauses, queries
from readingroom.access.checks import InForce, Link
from readingroom.access.clauses import Change
from readingroom.access.enforcement import check_links, links
from readingroom.access.model import Acceptance, Terms
from readingroom.access.tables import acceptance as acceptance_table
from readingroom.access.tables import terms as terms_table
from readingroom.core.canonical import commitment, sha256
from readingroom.core.clock import Clock
from readingroom.core.errors import BadInput, Problem
from readingroom.core.ids import random_bytes
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.core.text import line_problem, needed_problem, prose_problem
from readingroom.ledger.service import Ledger
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check
from readingroom.store.db import Database

MAX_TEXT = 100_000
Look = Callable[[Connection], InForce]


def no_plan(_tx: Connection) -> InForce:
    """Return what is in force where nobody says: no plan, so that only what is built in can be claimed."""
    return InForce(None, {})


class Agreements:
    """The terms, and who agreed to them."""

    def __init__(self, db: Database, ledger: Ledger, clock: Clock, in_force: Look = no_plan) -> None:
        """Take the database, the ledger, the clock, and what tells the checks of the plan in force."""
        self._db = db
        self._ledger = ledger
        self._clock = clock
        self._in_force = in_force

    def publish(self, by: Actor, text: str, *, material: bool, reason: str, name: str = "terms") -> Terms:
        """Put a new text in force. A material change pauses every key until its person accepts again.

        The ledger gets the text's hash and a salted commitment to the reason.

        Args:
            by: whoever publishes.
            text: plain, or with clauses.
            material: whether it pauses keys; the first text does in any case.
            reason: why, in words.
            name: of the file, for what is wrong in it.

        Raises:
            BadInput: a clause is wrong, or claims a check that is not in force.
        """
        require(check(by, Permission.TERMS_PUBLISH))
        if not text.strip():
            raise BadInput([Problem("terms", "are empty", f"Write 1 to {MAX_TEXT} characters")])
        why = "Say why in a sentence: it is kept with the text"
        _solve(prose_problem("terms", text, MAX_TEXT), needed_problem("reason", reason, why))
        read = clauses.parse(text, name)
        with self._db.decide() as tx:
            check_links(read, self._in_force(tx))
            versions = queries.terms_versions(tx)
            made, salt = sha256(text.encode()), random_bytes(32)
            if any(each.hash == made for each in versions):
                raise Refused(Refusal("access/terms-unchanged", "This very text was published before."))
            values = {
                "position": len(versions) + 1,
                "hash": made,
                "text": text,
                "material": material or not versions,
                "reason": reason.strip(),
                "salt": salt,
                "published_at": self._clock.now(),
            }
            tx.execute(terms_table.insert().values(values))
            sealed = commitment(salt, reason.strip().encode())
            data = {"terms": made, "material": values["material"], "reason": sealed}
            self._ledger.append(tx, "access.terms.published", data, by=by.id)
            queries.bump(tx)
            return queries.terms_versions(tx)[-1]

    def accept(self, by: Actor, terms_hash: str, name: str = "") -> Acceptance:
        """Accept the terms in force, by the hash of the text that was shown, signed with a typed name."""
        if problem := line_problem("name", name):
            raise BadInput([problem])
        with self._db.decide() as tx:
            return self.accept_within(tx, by, by.id, terms_hash, name.strip())

    def accept_for_within(self, tx: Connection, by: Actor, person: str) -> Acceptance:
        """Accept the terms in force for a service account, recorded as done on its behalf."""
        require(check(by, Permission.GRANT_ISSUE))
        return self.accept_within(tx, by, person, _in_force(tx).hash, None)

    def accept_within(self, tx: Connection, by: Actor, person: str, terms_hash: str, name: str | None) -> Acceptance:
        """Record an acceptance in a transaction that is open; accepting again changes nothing.

        Without a `name`, typed or left empty, it is one on the person's behalf.
        """
        on_behalf = name is None
        current = _in_force(tx)
        if current.hash != terms_hash:
            reason = "The terms have changed since you were shown them; read the new text and accept that."
            raise Refused(Refusal("access/terms-changed", reason, {"terms": current.hash}))
        position = tx.execute(sa.select(terms_table.c.position).where(terms_table.c.hash == terms_hash)).scalar_one()
        known = sa.select(acceptance_table.c.person).where(
            acceptance_table.c.person == person, acceptance_table.c.position == position
        )
        if tx.execute(known).first() is None:
            salt = random_bytes(32)
            values = {"person": person, "position": position, "accepted_at": self._clock.now(), "on_behalf": on_behalf}
            tx.execute(acceptance_table.insert().values(**values, name=name or None, salt=salt))
            signed = {"signed": commitment(salt, name.encode())} if name else {}
            data = {"person": person, "terms": terms_hash, "on_behalf": on_behalf, **signed}
            self._ledger.append(tx, "access.terms.accepted", data, by=by.id)
            queries.bump(tx)
        return queries.acceptances(tx, person)[-1]

    def in_force(self) -> Terms | None:
        """Return the terms in force, or None before the first were published."""
        with self._db.read() as tx:
            return next(reversed(queries.terms_versions(tx)), None)

    def mine(self, by: Actor) -> list[Acceptance]:
        """Return what the actor has accepted."""
        with self._db.read() as tx:
            return queries.acceptances(tx, by.id)

    def signed(self, by: Actor) -> list[tuple[Acceptance, Terms]]:
        """Return what the actor has accepted, each with its very text, newest first."""
        with self._db.read() as tx:
            texts = {each.hash: each for each in queries.terms_versions(tx)}
            return [(each, texts[each.terms_hash]) for each in reversed(queries.acceptances(tx, by.id))]

    def map(self) -> list[Link]:
        """Return what enforces each clause of the terms in force, as things stand now; plain terms have no map."""
        with self._db.read() as tx:
            versions = queries.terms_versions(tx)
            return links(clauses.parse_stored(versions[-1].text), self._in_force(tx)) if versions else []

    def compared(self, terms_hash: str) -> list[Change]:
        """Return what changed from a version to the one in force, clause by clause."""
        with self._db.read() as tx:
            versions = queries.terms_versions(tx)
        old = next((each.text for each in versions if each.hash == terms_hash), "")
        return clauses.changes(old, versions[-1].text if versions else "")

    def changes_since(self, terms_hash: str) -> str:
        """Return what changed from a version to the one in force, as a unified diff."""
        with self._db.read() as tx:
            versions = queries.terms_versions(tx)
        old = next((each.text for each in versions if each.hash == terms_hash), "")
        new = versions[-1].text if versions else ""
        lines = difflib.unified_diff(old.splitlines(), new.splitlines(), "accepted", "in force", lineterm="", n=1)
        return "\n".join(lines)


def _solve(*problems: Problem | None) -> None:
    if found := [each for each in problems if each]:
        raise BadInput(found)


def _in_force(tx: Connection) -> Terms:
    versions = queries.terms_versions(tx)
    if not versions:
        raise Refused(Refusal("access/no-terms", "No terms are published yet; the lab must publish them first."))
    return versions[-1]
