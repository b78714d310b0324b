"""Use cases of reports: a reader says what they saw, the lab answers, and both stand on record by their kind alone."""

from __future__ import annotations

from readingroom.access import queries as access
from readingroom.core.canonical import Json, commitment
from readingroom.core.clock import Clock
from readingroom.core.errors import BadInput
from readingroom.core.ids import new_id, random_bytes
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.core.text import needed_problem
from readingroom.ledger.service import Ledger
from readingroom.oversight import queries
from readingroom.oversight.observation import Kind, Observation, check_answering, check_room
from readingroom.oversight.tables import observation as table
from readingroom.people import queries as people
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check
from readingroom.store.db import Database

_SOMEBODY = "reader"  # whoever reports is named to the lab, and to nobody who reads the ledger


class Observations:
    """What readers report."""

    def __init__(self, db: Database, ledger: Ledger, clock: Clock) -> None:
        """Take the database, the ledger and the clock."""
        self._db = db
        self._ledger = ledger
        self._clock = clock

    def report(self, by: Actor, kind: Kind, text: str, grant: str = "") -> Observation:
        """Report what one saw, if one likes of a grant of one's own; the stewards and safety officers read it.

        Raises:
            BadInput: it does not say what was seen.
            Refused: one is not of that grant's project, or too many reports of one's own wait already.
        """
        if problem := needed_problem("text", text, "Say what you saw, where and when"):
            raise BadInput([problem])
        with self._db.decide() as tx:
            if grant and grant not in {each.id for each in access.grants_with(tx, by.id)}:
                raise Refused(Refusal("access/no-such-grant", f"You are of no grant {grant[:80]!r}."))
            mine = queries.observations_of(tx, by.id)
            require(check_room(sum(1 for each in mine if each.answered_at is None)))
            made, salt = new_id("observation"), random_bytes(32)
            sealed = commitment(salt, text.strip().encode())
            values = {"id": made, "person": by.id, "kind": kind.value, "grant_id": grant, "text": text.strip()}
            tx.execute(table.insert().values(values | {"salt": salt, "reported_at": self._clock.now()}))
            data: dict[str, Json] = {"observation": made, "kind": kind.value, "commitment": sealed}
            self._ledger.append(tx, "oversight.observation.reported", data, by=_SOMEBODY)
            return self._one(queries.observation(tx, made), made)

    def answer(self, by: Actor, observation: str, words: str) -> Observation:
        """Tell who reported something what became of it."""
        require(check(by, Permission.OBSERVATION_HANDLE))
        with self._db.decide() as tx:
            require(check(people.actor_now(tx, by), Permission.OBSERVATION_HANDLE))
            found = self._one(queries.observation(tx, observation), observation)
            if problem := needed_problem("answer", words, "Say what you found, and what you do about it"):
                raise BadInput([problem])
            require(check_answering(found))
            values = {"answer": words.strip(), "answered_at": self._clock.now(), "answered_by": by.id}
            tx.execute(table.update().where(table.c.id == observation).values(values))
            data: dict[str, Json] = {"observation": observation, "kind": found.kind.value}
            self._ledger.append(tx, "oversight.observation.answered", data, by=by.id)
            return self._one(queries.observation(tx, observation), observation)

    def mine(self, by: Actor) -> list[Observation]:
        """Return one's own reports, the newest first."""
        with self._db.read() as tx:
            return queries.observations_of(tx, by.id)

    def all(self, by: Actor) -> list[Observation]:
        """Return every report, those that wait for an answer first."""
        require(check(by, Permission.OBSERVATION_HANDLE))
        with self._db.read() as tx:
            return queries.observations(tx)

    @staticmethod
    def _one(found: Observation | None, asked: str) -> Observation:
        if found is None:
            raise Refused(Refusal("oversight/no-such-observation", f"There is no report {asked[:80]!r}."))
        return found
