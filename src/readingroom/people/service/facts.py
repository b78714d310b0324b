"""What is known of persons: affiliations and credentials, each with an end of its own.

A person may claim; a steward confirms, adds or ends. Nothing here says whether a fact holds: `rules.holds` does, when
it is used.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.engine import Connection

from readingroom.core.errors import BadInput, Problem
from readingroom.core.ids import new_id
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.core.text import line_problem
from readingroom.people import queries
from readingroom.people.model import Actor, Claim, Fact, How, Person
from readingroom.people.rules import Permission, check, fact_data, may
from readingroom.people.service.base import Base, known
from readingroom.people.tables import fact

MOST = 50  # facts that a person may have claimed and nobody has confirmed


class Facts(Base):
    """Use cases around affiliations and credentials."""

    def claim_fact(self, by: Actor, said: Claim) -> Fact:
        """Say of oneself what a steward may confirm; until then it holds for nothing.

        Raises:
            BadInput: no body is named, or the end has passed.
        """
        with self._db.decide() as tx:
            owner = known(queries.by_id(tx, by.id), by.id)
            mine = [each for each in queries.facts(tx, owner.id) if each.how is How.CLAIMED and each.ended_at is None]
            if len(mine) >= MOST:
                cure = "End those that no longer matter"
                raise BadInput([Problem("kind", f"cannot be added: {MOST} wait to be confirmed already", cure)])
            return self._enter(tx, by, owner.id, said, How.CLAIMED)

    def add_fact(self, by: Actor, whose: str, said: Claim) -> Fact:
        """Add what a steward knows of a person: by id, or by address.

        Raises:
            BadInput: no body is named, or the end has passed.
        """
        with self._db.decide() as tx:
            require(check(queries.actor_now(tx, by), Permission.PERSON_MANAGE))
            return self._enter(tx, by, self._whoever(tx, whose).id, said, How.STEWARD)

    def confirm_fact(self, by: Actor, fact_id: str, until: datetime | None = None) -> Fact:
        """Confirm what a person claimed, with the end that the evidence has; nobody confirms their own."""
        with self._db.decide() as tx:
            require(check(queries.actor_now(tx, by), Permission.PERSON_MANAGE))
            found = self._fact(tx, fact_id)
            if found.person_id == by.id:
                reason = "Nobody confirms what they claim of themselves; another steward must."
                raise Refused(Refusal("people/own-fact", reason, {"fact": fact_id}))
            if found.how is not How.CLAIMED or found.ended_at is not None:
                reason = "This waits for nobody's word: it was confirmed, or ended, before."
                raise Refused(Refusal("people/fact-not-open", reason, {"fact": fact_id}))
            ends = until or found.until
            _check(found.body, ends, self._clock.now())
            values = {"how": How.STEWARD.value, "confirmed_by": by.id, "until": ends}
            tx.execute(fact.update().where(fact.c.id == fact_id).values(values))
            made = self._fact(tx, fact_id)
            self._say(tx, by, "people.fact.confirmed", dict(fact_data(made)))
            return made

    def end_fact(self, by: Actor, fact_id: str) -> Fact:
        """End a fact now: one's own, or, for who may manage persons, anybody's. What was is not rewritten."""
        with self._db.decide() as tx:
            found = self._fact(tx, fact_id)
            if found.person_id != by.id and not may(queries.actor_now(tx, by), Permission.PERSON_MANAGE):
                raise _unknown(fact_id)
            if found.ended_at is None:
                tx.execute(fact.update().where(fact.c.id == fact_id).values(ended_at=self._clock.now()))
                self._say(tx, by, "people.fact.ended", {"person": found.person_id, "fact": fact_id})
            return self._fact(tx, fact_id)

    def my_facts(self, by: Actor) -> list[Fact]:
        """Return what is known of oneself."""
        with self._db.read() as tx:
            return queries.facts(tx, by.id)

    def facts_of(self, by: Actor, person_id: str) -> list[Fact]:
        """Return what is known of a person, for who may manage persons."""
        require(check(by, Permission.PERSON_MANAGE))
        with self._db.read() as tx:
            return queries.facts(tx, person_id)

    def _whoever(self, tx: Connection, whose: str) -> Person:
        return known(queries.by_id(tx, whose) or queries.by_email(tx, whose), whose)

    def _fact(self, tx: Connection, fact_id: str) -> Fact:
        found = queries.fact(tx, fact_id)
        if found is None:
            raise _unknown(fact_id)
        return found

    def _enter(self, tx: Connection, by: Actor, person_id: str, said: Claim, how: How) -> Fact:
        now = self._clock.now()
        _check(said.body, said.until, now)
        confirmed = by.id if how is How.STEWARD else None
        made = Fact(new_id("fact"), person_id, said.kind, said.body.strip(), how, "", now, said.until, confirmed)
        self._insert_fact(tx, by, made)
        return made


def _check(body: str, until: datetime | None, now: datetime) -> None:
    problems = [] if body.strip() else [Problem("body", "is required", "Name the institution, or who issued it")]
    if (line := line_problem("body", body)) is not None:
        problems.append(line)
    if until is not None and until <= now:
        problems.append(Problem("until", "has passed", "Give the day until which it is valid"))
    if problems:
        raise BadInput(problems)


def _unknown(fact_id: str) -> Refused:
    return Refused(Refusal("people/fact-unknown", f"There is nothing by the id {fact_id[:80]!r}."))
