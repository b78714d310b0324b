"""Use cases of the works page: readers hand works in, a steward puts them on the page or says why not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.access import queries as access
from readingroom.admissions import queries as admissions
from readingroom.core.canonical import Json, canonical, commitment
from readingroom.core.clock import Clock
from readingroom.core.errors import BadInput, Problem
from readingroom.core.ids import new_id, random_bytes
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.core.text import needed_problem
from readingroom.gateway import usage
from readingroom.ledger.service import Ledger
from readingroom.oversight.tables import work as table
from readingroom.oversight.work import Entry, Work, WorkState, after, check_change, problems
from readingroom.people import queries as people
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check, may
from readingroom.publication import queries as publication
from readingroom.store.db import Database

MOST_WAITING = 20  # works of one person that wait for a steward: more would be noise
_EVENTS = {
    "publish": "oversight.work.published",
    "decline": "oversight.work.declined",
    "withdraw": "oversight.work.withdrawn",
}


class Works:
    """What readers made of the model."""

    def __init__(self, db: Database, ledger: Ledger, clock: Clock) -> None:
        """Take the database, the ledger and the clock."""
        self._db = db
        self._ledger = ledger
        self._clock = clock

    def submit(self, by: Actor, grant: str, made: Work) -> Entry:
        """Hand a work in, made under a grant of whose project one is.

        It is shown to nobody but the stewards until they publish it.

        Raises:
            BadInput: with everything that is wrong in it; a receipt of another grant is told like one that is unknown.
            Refused: one is not of that grant's project, or too many works of one's own wait already.
        """
        if found := problems(made, self._clock.now().year):
            raise BadInput(found)
        with self._db.decide() as tx:
            held = access.grant(tx, grant)
            if held is None or held.id not in {each.id for each in access.grants_with(tx, by.id)}:
                raise Refused(Refusal("access/no-such-grant", f"You are of no grant {grant[:80]!r}."))
            if lacking := list(_lacking(tx, grant, made)):
                raise BadInput(lacking)
            waiting = [each for each in self._entries(tx, table.c.person == by.id) if each.state.value == "submitted"]
            if len(waiting) >= MOST_WAITING:
                reason = f"{MOST_WAITING} works of yours wait for the lab already; please wait with more."
                raise Refused(Refusal("oversight/too-many-works", reason))
            salt = random_bytes(32)
            sealed = commitment(salt, canonical(made.to_json()))
            work = new_id("work")
            whose = {"id": work, "person": by.id, "grant_id": grant, "state": WorkState.SUBMITTED.value}
            what = {"work": made.to_json(), "salt": salt, "commitment": sealed, "submitted_at": self._clock.now()}
            tx.execute(table.insert().values(whose | what))
            data: dict[str, Json] = {"work": work, "grant": grant, "person": by.id, "commitment": sealed}
            self._ledger.append(tx, "oversight.work.submitted", data, by=by.id)
            return self._entry(tx, work)

    def publish(self, by: Actor, work: str) -> Entry:
        """Put a work on the public page."""
        require(check(by, Permission.WORK_PUBLISH))
        return self._change(by, work, "publish", "")

    def decline(self, by: Actor, work: str, reason: str) -> Entry:
        """Do not put a work on the page, and say why."""
        require(check(by, Permission.WORK_PUBLISH))
        return self._change(by, work, "decline", reason)

    def withdraw(self, by: Actor, work: str, reason: str = "") -> Entry:
        """Take a work off: one's own at any time; another's by who may publish, with a reason."""
        return self._change(by, work, "withdraw", reason)

    def shown(self) -> list[Entry]:
        """Return what is on the public page, the newest work first."""
        with self._db.read() as tx:
            found = self._entries(tx, table.c.state == WorkState.PUBLISHED.value)
        return sorted(found, key=lambda each: (-each.work.year, each.work.title.casefold(), each.id))

    def waiting(self, by: Actor) -> list[Entry]:
        """Return what waits for a steward, the oldest first."""
        require(check(by, Permission.WORK_PUBLISH))
        with self._db.read() as tx:
            return self._entries(tx, table.c.state == WorkState.SUBMITTED.value)

    def mine(self, by: Actor) -> list[Entry]:
        """Return one's own works, with how each stands and why."""
        with self._db.read() as tx:
            return self._entries(tx, table.c.person == by.id)

    def _change(self, by: Actor, work: str, act: str, reason: str) -> Entry:
        with self._db.decide() as tx:
            now = people.actor_now(tx, by)
            found = next(iter(self._entries(tx, table.c.id == work)), None)
            if found is None or (found.person != by.id and not may(now, Permission.WORK_PUBLISH)):
                raise Refused(_unknown(work))
            own = found.person == by.id and act == "withdraw"
            if not own:
                require(check(now, Permission.WORK_PUBLISH))
                problem = needed_problem("reason", reason, "Say why, in words that its author can use")
                if act != "publish" and problem:
                    raise BadInput([problem])
            require(check_change(found.state, act))
            values = {"state": after(act).value, "reason": reason.strip(), "decided_at": self._clock.now()}
            tx.execute(table.update().where(table.c.id == work).values(values | {"decided_by": by.id}))
            data: dict[str, Json] = {"work": work, "person": found.person}
            self._ledger.append(tx, _EVENTS[act], data, by=by.id)
            return self._entry(tx, work)

    def _entry(self, tx: Connection, work: str) -> Entry:
        return self._entries(tx, table.c.id == work)[0]

    def _entries(self, tx: Connection, where: sa.ColumnElement[bool]) -> list[Entry]:
        rows = tx.execute(sa.select(table).where(where).order_by(table.c.submitted_at, table.c.id)).all()
        return [_read(tx, row) for row in rows]


def _read(tx: Connection, row: Row[Any]) -> Entry:
    grant = access.grant(tx, row.grant_id)
    award = admissions.award(tx, grant.award_id) if grant and grant.award_id else None
    call = admissions.call(tx, award.call) if award else None
    return Entry(
        id=row.id,
        person=row.person,
        grant=row.grant_id,
        state=WorkState(row.state),
        work=Work.from_json(row.work),
        submitted_at=row.submitted_at,
        reason=row.reason,
        decided_at=row.decided_at,
        call=call.file.title if call else "",
    )


def _lacking(tx: Connection, grant: str, made: Work) -> Sequence[Problem]:
    """Name the receipts that are not of this grant and the facsimiles that are not on show."""
    found = []
    for each in made.receipts:
        record = usage.find(tx, each)
        if record is None or record.grant_id != grant:
            found.append(Problem("receipts", f"{each!r} is no receipt of this grant", "Name those of the grant chosen"))
    known = publication.sample_ids(tx)
    cure = "Name those of the public page"
    away = (each for each in made.facsimiles if each not in known)
    return [*found, *(Problem("facsimiles", f"{each!r} is not on show", cure) for each in away)]


def _unknown(work: str) -> Refusal:
    return Refusal("oversight/no-such-work", f"There is no work {work[:80]!r} that you could change.")
