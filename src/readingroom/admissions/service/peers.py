"""Applicants who review one another: each half by the applicants of the other; see `admissions.distributed`."""

from __future__ import annotations

import hashlib

from sqlalchemy.engine import Connection

from readingroom.admissions import distributed, machines, notices, queries, rules, tables
from readingroom.admissions.call import Call
from readingroom.admissions.model import CallState, Decision, Outcome, Reason, ReviewState, Ruling
from readingroom.admissions.service.deciding import Deciding
from readingroom.admissions.service.sifting import lacking
from readingroom.core.canonical import canonical, commitment
from readingroom.core.errors import BadInput
from readingroom.core.ids import new_id, random_bytes
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.core.text import needed_problem
from readingroom.people import queries as people
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check


class Peers(Deciding):
    """Use cases of distributed review."""

    def assign_peers(self, by: Actor, call: str) -> int:
        """Give each application of both halves its reviewers out of the other half; returns how many are new.

        Who is assigned already stays. A conflict is never assigned, and nobody reviews in their own half.
        """
        require(check(by, Permission.CALL_OPEN))
        with self._db.decide() as tx:
            series = self._halves(tx, call)
            salt, count = random_bytes(32), 0
            for here, there in ((series[0], series[1]), (series[1], series[0])):
                self._impartial(tx, by, here.id)
                require(rules.check_reviewable(here))
                require(rules.check_corrected(queries.applications(tx, here.id), self._clock.now()))
                require(self._before_review(tx, here))
                edges = self._peer_edges(tx, here, there)
                self._enter_all(tx, here, edges, salt)
                sealed = commitment(salt, canonical([list(edge) for edge in edges]))
                data = {"call": here.id, "count": len(edges), "commitment": sealed}
                self._say(tx, by, "admissions.review.assigned", data)
                count += len(edges)
            return count

    def peer_debts(self, by: Actor, call: str) -> dict[str, int]:
        """Return which applications of a half belong to somebody who still owes reviews, and how many."""
        require(check(by, Permission.APPLICATION_READ))
        with self._db.read() as tx:
            found = self._call(tx, call)
            self._unblinded(tx, by, found)
            others = [each.id for each in self._halves(tx, call) if each.id != call]
            return queries.peer_debts(tx, found, others)

    def drop_for_debt(self, by: Actor, application: str, note: str) -> Decision:
        """Take an applicant's place for reviews that were not given: a person's decision, with reasons.

        No date does this. Whoever gives the reviews late keeps the place, unless somebody decides so.
        """
        if problem := needed_problem("note", note, "Say why; the applicant is told"):
            raise BadInput([problem])
        with self._db.decide() as tx:
            require(check(people.actor_now(tx, by), Permission.CALL_DECIDE))
            found = self._application(tx, application)
            call = self._call(tx, found.call)
            self._impartial(tx, by, call.id, application)
            others = [each.id for each in self._halves(tx, call.id) if each.id != call.id]
            owed = queries.peer_debts(tx, call, others).get(application, 0)
            if not owed or call.state is not CallState.CLOSED:
                reason = "This applicant owes no review, or the call is no longer in review."
                raise Refused(Refusal("admissions/no-debt", reason, {"owed": owed, "state": call.state.value}))
            ruling = Ruling(Outcome.REFUSED, Reason.NO_REVIEWS_GIVEN, note)
            decided = notices.by_person(call.file, application, ruling, self._clock.now(), by.id)
            self._decide(tx, by, found, decided)
            # What is owed is asked of others; what was given stays: it concerns the other half alone.
            where = (tables.review.c.reviewer_id == found.person) & tables.review.c.call_id.in_(others)
            where &= tables.review.c.state == ReviewState.ASSIGNED.value
            state = machines.REVIEW.after(ReviewState.ASSIGNED, "release").value
            tx.execute(tables.review.update().where(where).values(state=state))
            return decided

    def is_peer(self, by: Actor) -> bool:
        """Tell whether somebody has applied to a call whose applicants review one another."""
        with self._db.read() as tx:
            return queries.applies_to_a_half(tx, by.id)

    def _halves(self, tx: Connection, call: str) -> list[Call]:
        found = self._call(tx, call)
        if not found.file.distributed:
            reason = "In this call applicants do not review one another (`distributed: true`)."
            raise Refused(Refusal("admissions/no-peers", reason))
        return queries.series(tx, found)

    def _peer_edges(self, tx: Connection, here: Call, there: Call) -> tuple[tuple[str, str], ...]:
        graph = queries.graph(tx, here)
        going = [each.id for each in queries.applications(tx, here.id) if each.state in rules.IN_PLAY]
        others = [each for each in queries.applications(tx, there.id) if each.state in rules.IN_PLAY]
        competing = {who for each in graph.sides.values() for who in each.persons}
        known = queries.parties(tx, {each.person for each in others} - competing)
        asked: dict[str, set[str]] = {each: set() for each in going}
        held: dict[str, int] = dict.fromkeys(going, 0)
        loads = dict.fromkeys(known, 0)
        for review in queries.reviews(tx, here.id):
            asked.setdefault(review.application, set()).add(review.reviewer)
            if review.state in rules.ASKED and review.application in held:
                held[review.application] += 1
                if review.reviewer in loads:
                    loads[review.reviewer] += 1
        needs = {each: max(0, here.file.reviews_needed - held[each]) for each in going}
        between = {who: graph.between(party) for who, party in known.items()}

        def allowed(application: str, reviewer: str) -> bool:
            if reviewer in asked[application]:
                return False
            return not between[reviewer](application)

        shuffle = hashlib.sha256(b"peers" + queries.seed(tx, here.id)).digest()
        made = distributed.peers(needs, loads, allowed, shuffle)
        require(lacking(made.lacking))
        return made.edges

    def _enter_all(self, tx: Connection, call: Call, edges: tuple[tuple[str, str], ...], salt: bytes) -> None:
        rows = [
            {"id": new_id("review"), "call_id": call.id, "application_id": application, "reviewer_id": reviewer,
             "state": machines.REVIEW.start.value, "assigned_salt": salt}
            for application, reviewer in edges
        ]  # fmt: skip
        if rows:
            tx.execute(tables.review.insert(), rows)
        going = [each for each in queries.applications(tx, call.id) if each.state in rules.IN_PLAY]
        self._begin_review(tx, call.id, going)
