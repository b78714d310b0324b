"""What came late: moved into the next round by its applicant, or admitted by a person with a reason."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from readingroom.admissions import queries, rules, tables, timing
from readingroom.admissions.call import Call
from readingroom.admissions.model import Application, ApplicationState
from readingroom.admissions.service.base import Base
from readingroom.core.canonical import Json, digest
from readingroom.core.errors import BadInput
from readingroom.core.refusal import require
from readingroom.core.text import needed_problem
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check


class Late(Base):
    """Use cases around applications on which the window closed."""

    def admit_late(self, by: Actor, application: str, note: str) -> Application:
        """Let a late application count as if it had come in time; the reason is kept, and its applicant told.

        Raises:
            BadInput: no reason was given.
            Refused: it was never submitted, or the call has been allocated.
        """
        require(check(by, Permission.CALL_OPEN))
        if problem := needed_problem("note", note, "Say why it is admitted; all who came in time may ask"):
            raise BadInput([problem])
        with self._db.decide() as tx:
            found = self._application(tx, application)
            call = self._call(tx, found.call)
            require(timing.check_admitting(call, found))
            self._unblinded(tx, by, call)
            self._impartial(tx, by, call.id, application)
            self._move(tx, found, "admit")
            where = tables.application.c.id == application
            tx.execute(tables.application.update().where(where).values(note=note.strip()))
            data: dict[str, Json] = {"application": application, "call": call.id, "person": found.person}
            self._say(tx, by, "admissions.application.admitted", data)
            self._add_ticket(tx, by, call)
            return self._application(tx, application)

    def _add_ticket(self, tx: Connection, by: Actor, call: Call) -> None:
        """Let what is admitted after the closing draw lots as well, and tell the ledger that it joined late."""
        if call.closed_at is None:
            return
        tickets = sorted(queries.tickets(tx, call.id).values())
        tx.execute(tables.call.update().where(tables.call.c.id == call.id).values(tickets=tickets))
        self._say(tx, by, "admissions.call.joined", {"call": call.id, "tickets": digest(tickets)})

    def move_to_next_round(self, by: Actor, application: str) -> Application:
        """Move one's late application into the next round, as a draft: it counts there once it is submitted again."""
        now = self._clock.now()
        with self._db.decide() as tx:
            found = self._own(tx, by, application)
            call = self._call(tx, found.call)
            target = timing.next_round(call, queries.series(tx, call), now)
            mine = [each for each in queries.of_person(tx, by.id) if target and each.call == target.id]
            require(timing.check_moving(found, target, mine))
            refused = queries.last_refusal(tx, by.id)
            require(rules.check_reapplying(refused.reapply_from if refused else None, now))
            assert target is not None  # noqa: S101 - `check_moving` has looked
            self._move(tx, found, "move")
            where = tables.application.c.id == application
            tx.execute(tables.application.update().where(where).values(call_id=target.id, arrived_at=None))
            data: dict[str, Json] = {"application": application, "call": call.id, "into": target.id}
            self._say(tx, by, "admissions.application.moved", data | {"person": by.id})
            return self._application(tx, application)

    def next_round(self, by: Actor, application: str) -> Call | None:
        """Return the round into which one's late application can be moved; None where there is none."""
        with self._db.read() as tx:
            found = self._own(tx, by, application)
            if found.state is not ApplicationState.LATE:
                return None
            call = self._call(tx, found.call)
            return timing.next_round(call, queries.series(tx, call), self._clock.now())
