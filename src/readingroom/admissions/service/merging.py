"""What two accounts that turned out to be one person's mean for calls that are still undecided.

The rows were moved before (`people.service.merging`). What a merge may not bring about is undone here: two living
applications of one person in a call, and a review by somebody of their own application.
"""

from __future__ import annotations

from sqlalchemy.engine import Connection

from readingroom.admissions import machines, queries, rules, tables
from readingroom.admissions.model import Application, ApplicationState
from readingroom.admissions.service.base import Base
from readingroom.people import queries as people
from readingroom.people.model import Actor, Person

_ADVANCED = (ApplicationState.DRAFT, ApplicationState.RETURNED, ApplicationState.SUBMITTED)


class Merging(Base):
    """What is heard of persons."""

    def one_person_within(self, tx: Connection, by: Actor, person: str) -> None:
        """Leave a person one living application per call, and no review of what they have a part in.

        Of two applications the one that has come further stays, of equals the older; the other is withdrawn, and its
        text stays its person's. What is decided already stays as it is: a decision is a person's to change.
        """
        mine = queries.of_person(tx, person)
        for call in sorted({each.call for each in mine}):
            living = [each for each in mine if each.call == call and each.state is not ApplicationState.WITHDRAWN]
            for each in sorted(living, key=_rank)[1:]:
                if machines.APPLICATION.can(each.state, "withdraw"):
                    self._move(tx, each, "withdraw")
                    data = {"application": each.id, "call": call, "cause": "merged"}
                    self._say(tx, by, "admissions.application.withdrawn", {**data, "person": person})
        self._recuse_within(tx, by, person)

    def _recuse_within(self, tx: Connection, by: Actor, person: str) -> None:
        who = people.by_id(tx, person)
        for each in queries.reviews_by(tx, person):
            found = self._application(tx, each.application)
            open_ = rules.check_reviewable(self._call(tx, found.call)) is None
            if who is None or not open_ or not _part_of(who, found) or not machines.REVIEW.can(each.state, "recuse"):
                continue
            state = machines.REVIEW.after(each.state, "recuse").value
            tx.execute(tables.review.update().where(tables.review.c.id == each.id).values(state=state))
            self._say(tx, by, "admissions.conflict.found", {"call": found.call, "review": each.id, "cause": "merged"})


def _rank(each: Application) -> tuple[int, object, str]:
    further = _ADVANCED.index(each.state) if each.state in _ADVANCED else len(_ADVANCED)
    return -further, each.created_at, each.id


def _part_of(who: Person, found: Application) -> bool:
    team = found.submitted.draft.team if found.submitted else ()
    return found.person == who.id or bool(set(who.addresses) & set(team))
