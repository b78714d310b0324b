"""What the use cases share: the database, the ledger, the clock, and how a thing is found, moved and told."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.admissions import machines, movements, queries, rules, sifting, tables, timing
from readingroom.admissions.account import Posting
from readingroom.admissions.call import Call
from readingroom.admissions.history import TOLD
from readingroom.admissions.model import Application, ApplicationState, Award, Draft
from readingroom.core.canonical import Json
from readingroom.core.clock import Clock
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.ledger.service import Ledger
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, may
from readingroom.store.db import Database


def _no_bar(_tx: Connection, _person: str) -> datetime | None:
    return None


class Base:
    """The tools of a use case."""

    def __init__(
        self,
        db: Database,
        ledger: Ledger,
        clock: Clock,
        barred_until: Callable[[Connection, str], datetime | None] = _no_bar,
    ) -> None:
        """Take the database, the ledger, the clock, and what tells until when a person is barred from reading."""
        self._db = db
        self._ledger = ledger
        self._clock = clock
        self._barred_until = barred_until

    def _say(self, tx: Connection, by: Actor, event: str, data: dict[str, Json]) -> None:
        made = self._ledger.append(tx, event, data, by=by.id)
        if event in TOLD and isinstance(application := data.get("application"), str):
            number = sa.select(sa.func.coalesce(sa.func.max(tables.step.c.number), -1) + 1)
            number = number.where(tables.step.c.application_id == application)
            values = {"application_id": application, "number": number.scalar_subquery(), "at": made.at}
            tx.execute(tables.step.insert().values(values | {"event": event, "by_id": by.id, "data": data}))
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

    def _inside(self, tx: Connection, by: Actor, found: Application) -> bool:
        """Tell whether an application is somebody's own, or its team's."""
        return found.person == by.id or by.id in queries.members(tx, found.id)

    def _readable(self, tx: Connection, by: Actor, application_id: str) -> Application:
        """Find an application as it is shown to somebody: whole to its team, as submitted to who may see names."""
        found = queries.application(tx, application_id)
        if found is not None and self._inside(tx, by, found):
            return found
        if found is None or not found.submitted or not may(by, Permission.APPLICATION_READ):
            return self._own(tx, by, application_id)
        self._unblinded(tx, by, self._call(tx, found.call))
        return as_submitted(found)

    def _keep(self, tx: Connection, found: Application, draft: Draft) -> None:
        """Write a draft down, as one change more; of two at once, the second is refused and not lost unseen."""
        changed = {"draft": draft.to_json(), "updated_at": self._clock.now(), "revision": found.revision + 1}
        mine = (tables.application.c.id == found.id) & (tables.application.c.revision == found.revision)
        if tx.execute(tables.application.update().where(mine).values(changed)).rowcount != 1:
            raise Refused(rules.changed_meanwhile(found.revision + 1, found.revision))

    def _award(self, tx: Connection, by: Actor, award_id: str) -> Award:
        found = queries.award(tx, award_id)
        if found is None:
            raise Refused(Refusal("admissions/award-unknown", "You have no award by this id."))
        require(rules.check_awardee(by, found))
        return found

    def _not_barred(self, tx: Connection, person: str) -> None:
        """Refuse whoever is barred from reading to ask for more of it."""
        require(rules.check_not_barred(self._barred_until(tx, person), self._clock.now()))

    def _impartial(self, tx: Connection, by: Actor, call_id: str, application_id: str = "") -> None:
        """Refuse whoever applies in the call or, where it is about one application, is named in its team."""
        gone = ApplicationState.WITHDRAWN
        inside = [queries.application(tx, each) for each, _ in queries.joined(tx, by.id)]  # by their own word
        everyone = [*queries.of_person(tx, by.id), *(each for each in inside if each)]
        own = [a.id for a in everyone if a.call == call_id and a.state is not gone]
        if application_id:
            party = queries.party(tx, by.id)
            side = queries.graph_near(tx, self._call(tx, call_id), party, [application_id]).sides.get(application_id)
            own += [application_id] if side and side.includes(party) else []
        require(rules.check_impartial(own))

    def _unblinded(self, tx: Connection, by: Actor, found: Call) -> None:
        """Refuse names and others' reviews to who reviews in a call, until it is allocated."""
        require(rules.check_unblinded(by, found, {by.id} if queries.reviews_here(tx, found.id, by.id) else ()))

    def _move_call(self, tx: Connection, found: Call, act: str) -> None:
        require(machines.CALL.check(found.state, act))
        values = {"state": machines.CALL.after(found.state, act).value}
        tx.execute(tables.call.update().where(tables.call.c.id == found.id).values(values))

    def _move(self, tx: Connection, found: Application, act: str) -> None:
        require(machines.APPLICATION.check(found.state, act))
        values = {"state": machines.APPLICATION.after(found.state, act).value, "updated_at": self._clock.now()}
        tx.execute(tables.application.update().where(tables.application.c.id == found.id).values(values))

    def _tell_late(self, tx: Connection, by: Actor, found: Application, *, finished: bool) -> None:
        """Tell an applicant that the window has closed on an application, and that it is kept."""
        data: dict[str, Json] = {"application": found.id, "call": found.call, "person": found.person}
        self._say(tx, by, "admissions.application.late", data | {"finished": finished})

    def _unmark(self, tx: Connection, application_id: str) -> None:
        """Forget that the desk looked at a form: what it looked at has changed."""
        tx.execute(tables.desk_check.delete().where(tables.desk_check.c.application_id == application_id))

    def _has_room(self, tx: Connection, found: Call) -> Refusal | None:
        """Refuse a new application where a standing call's budget is spent."""
        return timing.check_room(found, queries.budget(tx, found.id)["passes"].rest)

    def _desk_done(self, tx: Connection, found: Call) -> Refusal | None:
        """Refuse reviews while the desk has not looked at every form, where the call has a desk."""
        left = queries.unchecked(tx, found.id) if found.file.eligibility.desk else 0
        if not left:
            return None
        reason = f"The desk has yet to look at {left} application(s): `readingroom call check-forms`."
        return Refusal("admissions/desk-pending", reason, {"unchecked": left})

    def _before_review(self, tx: Connection, found: Call) -> Refusal | None:
        """Refuse full reviews while desk or sift are not done; see `sifting`."""
        if found.file.sift is None:
            return self._desk_done(tx, found)
        going = [each.id for each in queries.applications(tx, found.id) if each.state in rules.IN_PLAY]
        tallies = sifting.tally(found.file, going, queries.sifts(tx, found.id))
        return self._desk_done(tx, found) or sifting.check_sifted(found.file, tallies, queries.sift_kept(tx, found.id))

    def _post(self, tx: Connection, call_id: str, entries: Iterable[Posting]) -> None:
        """Enter movements into a call's account, and into the ledger: without awards or persons, so for everybody."""
        moved = list(entries)
        last = sa.select(sa.func.max(tables.posting.c.number)).where(tables.posting.c.call_id == call_id)
        held = tx.execute(last).scalar() or 0
        for number, each in enumerate(moved, start=held + 1):
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
        if moved:
            said = movements.record(moved, held + 1, queries.budget(tx, call_id))
            made = self._ledger.append(tx, movements.EVENT, {"call": call_id, **said}, by=movements.BY)
            tx.execute(tables.entry.insert().values(call_id=call_id, seq=made.seq, event=made.event))


def as_submitted(found: Application) -> Application:
    """Hide what the applicant has not submitted: the draft shown is the version that counts."""
    return replace(found, draft=found.submitted.draft) if found.submitted else found


def _unknown_application() -> Refusal:
    return Refusal("admissions/application-unknown", "You have no application by this id.")
