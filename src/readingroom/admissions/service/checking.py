"""The desk's first look: is an application's form in order? And its lists, a page at a time."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from readingroom.admissions import desk, eligibility, notices, queries, rules, tables, timing
from readingroom.admissions.desk import Listed
from readingroom.admissions.model import (
    ApplicationState,
    Decision,
    Outcome,
    Reason,
    Ruling,
)
from readingroom.admissions.service.deciding import Deciding
from readingroom.core.errors import BadInput, Problem
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.people import queries as people
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check

MOST_AT_ONCE = 200  # in one act: what a person can have looked at, and what fits one entry of the ledger


class Checking(Deciding):
    """Use cases of the eligibility desk."""

    def check_forms(self, by: Actor, call: str, applications: Collection[str]) -> int:
        """Find forms in order; returns how many were not yet. What was amended since has to be looked at again."""
        require(check(by, Permission.CALL_OPEN))
        wanted = sorted(set(applications))
        if not 1 <= len(wanted) <= MOST_AT_ONCE:
            raise BadInput([Problem("applications", f"must be 1 to {MOST_AT_ONCE}", "Name those you looked at")])
        with self._db.decide() as tx:
            found = self._call(tx, call)
            require(desk.check_desk(found))
            self._unblinded(tx, by, found)
            self._impartial(tx, by, call)
            known = {each: queries.application(tx, each) for each in wanted}
            for each, one in known.items():
                if one is None or one.call != call or one.state is not ApplicationState.SUBMITTED:
                    reason = f"{each[:80]!r} is not submitted to this call."
                    raise Refused(Refusal("admissions/application-unknown", reason))
                self._impartial(tx, by, call, each)
            done = queries.checked_among(tx, wanted)
            fresh = [each for each in wanted if each not in done]
            for each in fresh:
                values = {"application_id": each, "call_id": call, "checked_at": self._clock.now()}
                tx.execute(tables.desk_check.insert().values(**values, checked_by=by.id))
            self._say(tx, by, "admissions.application.checked", {"call": call, "applications": fresh})
            return len(fresh)

    def find_ineligible(self, by: Actor, application: str, reason: Reason, note: str) -> Decision:
        """Refuse an application on its form alone, for one of a closed list of reasons; its applicant is told."""
        with self._db.decide() as tx:
            require(check(people.actor_now(tx, by), Permission.CALL_DECIDE))
            found = self._application(tx, application)
            call = self._call(tx, found.call)
            require(desk.check_desk(call))
            self._impartial(tx, by, call.id, application)
            require(desk.check_formal(found.state, reason, note))
            ruling = Ruling(Outcome.REFUSED, reason, note)
            decided = notices.by_person(call.file, application, ruling, self._clock.now(), by.id)
            self._decide(tx, by, found, decided)
            return decided

    def lacks(self, by: Actor, application: str) -> tuple[str, ...]:
        """Return what an applicant lacks of what the call asks for, as it is known now: for the desk."""
        require(check(by, Permission.APPLICATION_READ))
        with self._db.read() as tx:
            found = self._application(tx, application)
            call = self._call(tx, found.call)
            self._unblinded(tx, by, call)
            return eligibility.lacking(call.file.eligibility, queries.standing_of(tx, found.person), self._clock.now())

    def desk_page(
        self, by: Actor, call: str, states: Sequence[ApplicationState] = (), limit: int = 50, offset: int = 0
    ) -> desk.DeskPage:
        """Return a page of a call's applications, in the order in which they came."""
        require(check(by, Permission.APPLICATION_READ))
        with self._db.read() as tx:
            found = self._call(tx, call)
            self._unblinded(tx, by, found)
            rows = queries.listed(tx, call, states=states, limit=limit, offset=offset)
            held = queries.counts(tx, call)
            shown = [state for state in held if state is not ApplicationState.DRAFT and (not states or state in states)]
            ends = {each.id: timing.due(found.file, each.since) for each in rows if each.state in rules.IN_PLAY}
            return desk.DeskPage(
                call=found,
                rows=tuple(rows),
                total=queries.listed_count(tx, call, shown),
                counts=held,
                reviews=queries.review_states(tx, call),
                fewest_reviews=queries.fewest_reviews(tx, call),
                unchecked=queries.unchecked(tx, call) if found.file.eligibility.desk else 0,
                due={each: moment for each, moment in ends.items() if moment is not None},
            )

    def overdue(self, by: Actor, call: str) -> list[Listed]:
        """Return what a person meant to have decided by now, the oldest first. Nothing happens to it by itself."""
        require(check(by, Permission.APPLICATION_READ))
        with self._db.read() as tx:
            found = self._call(tx, call)
            self._unblinded(tx, by, found)
            if found.file.decide_within is None:
                return []
            return queries.waiting(tx, call, self._clock.now() - found.file.decide_within)
