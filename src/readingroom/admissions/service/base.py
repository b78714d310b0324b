"""What the use cases share: the database, the ledger, the clock, and how a thing is found, moved and told."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.admissions import machines, queries, rules, tables
from readingroom.admissions.account import Posting
from readingroom.admissions.call import Call
from readingroom.admissions.model import Application, ApplicationState, Award
from readingroom.core.canonical import Json
from readingroom.core.clock import Clock
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.ledger.service import Ledger
from readingroom.people.model import Actor
from readingroom.store.db import Database


class Base:
    """The tools of a use case."""

    def __init__(self, db: Database, ledger: Ledger, clock: Clock) -> None:
        """Take the database, the ledger and the clock."""
        self._db = db
        self._ledger = ledger
        self._clock = clock

    def _say(self, tx: Connection, by: Actor, event: str, data: dict[str, Json]) -> None:
        made = self._ledger.append(tx, event, data, by=by.id)
        if event.startswith("admissions.call."):
            tx.execute(tables.entry.insert().values(call_id=data["call"], seq=made.seq, event=event))

    def _call(self, tx: Connection, call_id: str) -> Call:
        found = queries.call(tx, call_id)
        if found is None:
            reason = f"There is no call {call_id[:80]!r}."
            raise Refused(Refusal("admissions/call-unknown", reason))
        return found

    def _application(self, tx: Connection, application_id: str) -> Application:
        found = queries.application(tx, application_id)
        if found is None:
            raise Refused(_unknown_application())
        return found

    def _own(self, tx: Connection, by: Actor, application_id: str) -> Application:
        """Find one's own application; another's is answered like one that does not exist."""
        found = queries.application(tx, application_id)
        if found is None or found.person != by.id:
            raise Refused(_unknown_application())
        return found

    def _known(self, tx: Connection, award: str) -> Award:
        found = queries.award(tx, award)
        if found is None:
            raise Refused(Refusal("admissions/award-unknown", "You have no award by this id."))
        return found

    def _award(self, tx: Connection, by: Actor, award_id: str) -> Award:
        found = queries.award(tx, award_id)
        if found is None:
            raise Refused(Refusal("admissions/award-unknown", "You have no award by this id."))
        require(rules.check_awardee(by, found))
        return found

    def _impartial(self, tx: Connection, by: Actor, call_id: str, application_id: str = "") -> None:
        """Refuse whoever applies in the call or, where it is about one application, is named in its team."""
        party = queries.party(tx, by.id)
        sides = queries.sides(tx, call_id)
        gone = ApplicationState.WITHDRAWN
        own = [a.id for a in queries.of_person(tx, by.id) if a.call == call_id and a.state is not gone]
        if application_id in sides and sides[application_id].includes(party):
            own.append(application_id)
        require(rules.check_impartial(own))

    def _unblinded(self, tx: Connection, by: Actor, found: Call) -> None:
        """Refuse names and others' reviews to who reviews in a call, until it is allocated."""
        require(rules.check_unblinded(by, found, {each.reviewer for each in queries.reviews(tx, found.id)}))

    def _move_call(self, tx: Connection, found: Call, act: str) -> None:
        require(machines.CALL.check(found.state, act))
        values = {"state": machines.CALL.after(found.state, act).value}
        tx.execute(tables.call.update().where(tables.call.c.id == found.id).values(values))

    def _move(self, tx: Connection, found: Application, act: str) -> None:
        require(machines.APPLICATION.check(found.state, act))
        values = {"state": machines.APPLICATION.after(found.state, act).value, "updated_at": self._clock.now()}
        tx.execute(tables.application.update().where(tables.application.c.id == found.id).values(values))

    def _post(self, tx: Connection, call_id: str, entries: Iterable[Posting]) -> None:
        """Enter movements into a call's account."""
        last = sa.select(sa.func.max(tables.posting.c.number)).where(tables.posting.c.call_id == call_id)
        held = tx.execute(last).scalar() or 0
        for number, each in enumerate(entries, start=held + 1):
            values = {
                "call_id": call_id,
                "number": number,
                "unit": each.unit,
                "amount": each.amount,
                "cause": each.cause.value,
                "award_id": each.award,
                "posted_at": self._clock.now(),
            }
            tx.execute(tables.posting.insert().values(values))


def _unknown_application() -> Refusal:
    return Refusal("admissions/application-unknown", "You have no application by this id.")
