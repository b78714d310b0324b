"""Reviewers: assigned where no conflict stands between, reading without names, judging on their own."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.engine import Connection

from readingroom.admissions import answers, conflicts, machines, queries, rules, tables
from readingroom.admissions.blind import ReviewTask, blind_view
from readingroom.admissions.call import Call
from readingroom.admissions.model import Application, ApplicationState, Conflict, Judgement, Review, ReviewState
from readingroom.admissions.service.base import Base
from readingroom.core.canonical import canonical, commitment
from readingroom.core.errors import BadInput
from readingroom.core.ids import new_id, random_bytes
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.core.text import needed_problem
from readingroom.people import queries as people
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check, may


class Reviewing(Base):
    """Use cases of reviewers, and of whoever assigns them."""

    def assign_reviewers(self, by: Actor, call: str, reviewers: Collection[str] | None = None) -> list[Review]:
        """Give every submitted application the reviews it needs; who is assigned already stays.

        Args:
            by: who assigns.
            call: its id.
            reviewers: ids of persons with the role of reviewer; None takes all of them.

        Raises:
            Refused: not enough reviewers without a conflict; says for which applications, and by how many.
        """
        require(check(by, Permission.CALL_OPEN))
        with self._db.decide() as tx:
            found = self._call(tx, call)
            require(rules.check_reviewable(found))
            self._impartial(tx, by, call)
            everyone = queries.applications(tx, call)
            require(rules.check_corrected(everyone, self._clock.now()))
            require(self._before_review(tx, found))
            in_play = {each.id: each for each in everyone if each.state in rules.IN_PLAY}
            edges = self._match(tx, found, in_play, _chosen(tx, reviewers))
            salt = random_bytes(32)
            for application, reviewer in edges:
                self._enter(tx, call, application, reviewer, salt)
            for each in in_play.values():
                if each.state is ApplicationState.SUBMITTED:
                    self._move(tx, each, "review")
            # Who reviews what is not for the public log, in which an applicant could look it up.
            sealed = commitment(salt, canonical([list(edge) for edge in edges]))
            self._say(tx, by, "admissions.review.assigned", {"call": call, "count": len(edges), "commitment": sealed})
            return queries.reviews(tx, call)

    def conflicts(self, by: Actor, call: str, reviewer: str) -> dict[str, tuple[Conflict, ...]]:
        """Look, with no effect, at what stands between a person and each application of a call."""
        require(check(by, Permission.CALL_OPEN))
        with self._db.read() as tx:
            found = self._call(tx, call)
            self._unblinded(tx, by, found)
            sides = queries.sides(tx, found.id)
            party, declared = queries.party(tx, reviewer), queries.declared(tx, call)
            everyone = tuple(sides.values())
            return {each: conflicts.conflicts(party, side, everyone, declared) for each, side in sides.items()}

    def reviews_to_do(self, by: Actor) -> list[ReviewTask]:
        """Return what one is asked to review, in calls that are in review; without names, others' reviews or counts."""
        with self._db.read() as tx:
            require(rules.check_asks(by, peer=queries.applies_to_a_half(tx, by.id)))
            tasks = [self._task(tx, each) for each in queries.reviews_by(tx, by.id)]
        return sorted((each for each in tasks if each), key=lambda task: task.view.review)

    def review(self, by: Actor, review: str, judgement: Judgement) -> None:
        """Submit a review, or amend one's own until the call is allocated.

        Args:
            by: the reviewer.
            review: its id, as one's list of what there is to do names it.
            judgement: scores, comment and risk.

        Raises:
            BadInput: with what is missing or off the scale, field by field.
        """
        with self._db.decide() as tx:
            mine, found, call = self._asked(tx, by, review)
            require(rules.check_reviewable(call))
            self._check_conflicts(tx, by, found)
            problems = answers.judgement_problems(call.file, judgement)
            if problems:
                raise BadInput(problems)
            require(machines.REVIEW.check(mine.state, "submit"))
            salt = random_bytes(32)
            values = {
                "state": machines.REVIEW.after(mine.state, "submit").value,
                "judgement": judgement.to_json(),
                "salt": salt,
                "submitted_at": self._clock.now(),
            }
            tx.execute(tables.review.update().where(tables.review.c.id == mine.id).values(values))
            # Neither scores nor the application: other reviewers can read the log.
            sealed = commitment(salt, canonical({"application": found.id, **judgement.to_json()}))
            self._say(tx, by, "admissions.review.submitted", {"call": call.id, "review": mine.id, "commitment": sealed})

    def declare_conflict(self, by: Actor, review: str, reason: str) -> None:
        """Step back from an application; what one had said of it no longer counts."""
        if problem := needed_problem("reason", reason, "Say what the conflict is"):
            raise BadInput([problem])
        with self._db.decide() as tx:
            mine, found, call = self._asked(tx, by, review)
            require(rules.check_reviewable(call) or machines.REVIEW.check(mine.state, "recuse"))
            state = machines.REVIEW.after(mine.state, "recuse").value
            tx.execute(tables.review.update().where(tables.review.c.id == mine.id).values(state=state))
            values = {"application_id": found.id, "person_id": by.id, "reason": reason.strip()}
            tx.execute(tables.conflict.insert().values(**values, declared_at=self._clock.now()))
            self._say(tx, by, "admissions.conflict.declared", {"call": call.id, "review": mine.id})

    def release_review(self, by: Actor, review: str) -> None:
        """Let a reviewer go who has not reviewed, so that another is assigned: one silent person blocks no call.

        What somebody has said stays: it is not the desk's to take out of the count.
        """
        require(check(by, Permission.CALL_OPEN))
        with self._db.decide() as tx:
            found = queries.review(tx, review)
            if found is None:
                raise Refused(Refusal("admissions/review-unknown", f"There is no review {review[:80]!r}."))
            require(rules.check_reviewable(self._call(tx, found.call)))
            self._impartial(tx, by, found.call, found.application)
            require(machines.REVIEW.check(found.state, "release"))
            state = machines.REVIEW.after(found.state, "release").value
            tx.execute(tables.review.update().where(tables.review.c.id == review).values(state=state))
            self._say(tx, by, "admissions.review.released", {"call": found.call, "review": review})

    def reviews(self, by: Actor, call: str) -> list[Review]:
        """Return all reviews of a call: to who may read applications and does not review in it."""
        require(check(by, Permission.APPLICATION_READ))
        with self._db.read() as tx:
            self._unblinded(tx, by, self._call(tx, call))
            return queries.reviews(tx, call)

    def reviews_of(self, by: Actor, call: str, applications: Collection[str]) -> list[Review]:
        """Return the reviews of some applications of a call, for a page of a list."""
        require(check(by, Permission.APPLICATION_READ))
        with self._db.read() as tx:
            self._unblinded(tx, by, self._call(tx, call))
            return [each for each in queries.reviews_of(tx, applications) if each.call == call]

    def _match(
        self, tx: Connection, call: Call, in_play: dict[str, Application], reviewers: Collection[str]
    ) -> tuple[tuple[str, str], ...]:
        sides, declared = queries.sides(tx, call.id), queries.declared(tx, call.id)
        parties = [queries.party(tx, each) for each in sorted(reviewers)]
        anybody = [queries.party(tx, each) for each in sorted(_chosen(tx, None))]
        known = queries.reviews(tx, call.id)
        allowed, held = {}, {}
        for each in in_play:
            able = conflicts.free(anybody, sides[each], sides.values(), declared)
            given = [review for review in known if review.application == each]
            # Nobody is asked twice about the same.
            asked = {review.reviewer for review in given}
            allowed[each] = conflicts.free(parties, sides[each], sides.values(), declared) - asked
            held[each] = frozenset(review.reviewer for review in given if _holds(review, able))
        result = conflicts.assign(allowed, held, call.file.reviews_needed, call.id)
        if result.lacking:
            text = f"{max(result.lacking.values())} more reviewer(s) without a conflict are needed; add some."
            lacking = dict(sorted(result.lacking.items()))
            raise Refused(Refusal("admissions/reviewers-missing", text, {"lacking": lacking}))
        return result.edges

    def _enter(self, tx: Connection, call: str, application: str, reviewer: str, salt: bytes) -> None:
        ids = {"id": new_id("review"), "call_id": call, "application_id": application, "reviewer_id": reviewer}
        rest = {"state": machines.REVIEW.start.value, "assigned_salt": salt}
        tx.execute(tables.review.insert().values(ids | rest))

    def _asked(self, tx: Connection, by: Actor, review: str) -> tuple[Review, Application, Call]:
        """Find one's own review; every other case has the same answer."""
        mine = next((each for each in queries.reviews_by(tx, by.id) if each.id == review), None)
        found = queries.application(tx, mine.application) if mine else None
        call = self._call(tx, found.call) if found else None
        require(rules.check_assigned(by, mine, found, peer=bool(call and queries.is_peer(tx, by.id, call))))
        assert mine is not None  # noqa: S101 - `check_assigned` has looked
        assert found is not None  # noqa: S101 - likewise
        assert call is not None  # noqa: S101 - likewise
        return mine, found, call

    def _check_conflicts(self, tx: Connection, by: Actor, found: Application) -> None:
        """Judge conflicts again at the moment of review: an address or affiliation may have changed since."""
        side = queries.side(tx, found.id)
        if side is None:
            return
        own = [queries.side(tx, each.id) for each in queries.of_person(tx, by.id) if each.call == found.call]
        competing = [each for each in own if each is not None]
        standing = conflicts.conflicts(queries.party(tx, by.id), side, competing)
        if standing:
            # Not which: that would tell the reviewer about the applicant.
            reason = "A conflict of interest stands between you and this application."
            raise Refused(Refusal("admissions/conflict", reason))

    def _task(self, tx: Connection, mine: Review) -> ReviewTask | None:
        found, call = self._application(tx, mine.application), self._call(tx, mine.call)
        open_to_review = rules.check_reviewable(call) is None and found.state is ApplicationState.UNDER_REVIEW
        if not open_to_review or mine.state not in rules.ASKED or not found.submitted or not call.file.reviewing:
            return None
        return ReviewTask(
            call=call.id,
            view=blind_view(mine.id, found.submitted, call.file),
            criteria=call.file.reviewing.criteria,
            anchors=tuple(sorted(call.file.reviewing.anchors.items())),
            state=mine.state,
            mine=mine.judgement,
        )


def _holds(review: Review, able: Collection[str]) -> bool:
    """Tell whether a review takes a place: given, or still to come from somebody who may give it."""
    waiting = review.state is ReviewState.ASSIGNED and review.reviewer in able
    return waiting or review.state is ReviewState.SUBMITTED


def _chosen(tx: Connection, reviewers: Collection[str] | None) -> Collection[str]:
    """Return the persons to assign; each must hold the role."""
    everyone = people.persons(tx).values()
    able = {each.id for each in everyone if may(Actor(each.id, each.roles), Permission.APPLICATION_REVIEW)}
    if reviewers is None:
        return able
    strange = sorted(set(reviewers) - able)
    if strange:
        reason = "These persons do not have the role of reviewer."
        raise Refused(Refusal("admissions/reviewer-unknown", reason, {"persons": strange}))
    return set(reviewers)
