"""Reviewers: reading without names, judging on their own, then, where the call says so, reading each other."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from readingroom.admissions import answers, machines, phases, queries, rules, tables
from readingroom.admissions.blind import Peer, ReviewTask, ReviewVersion, blind_view
from readingroom.admissions.call import Call
from readingroom.admissions.conflicts import DEFAULT
from readingroom.admissions.model import (
    Application,
    ApplicationState,
    Conflict,
    ConflictKind,
    Disposition,
    Judgement,
    Review,
)
from readingroom.admissions.pool import Finding
from readingroom.admissions.service.assigning import Assigning
from readingroom.core.canonical import canonical, commitment
from readingroom.core.errors import BadInput
from readingroom.core.ids import random_bytes
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.core.text import needed_problem
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check


class Reviewing(Assigning):
    """Use cases of reviewers, and of whoever waits for them."""

    def reviews_to_do(self, by: Actor) -> list[ReviewTask]:
        """Return what one is asked to review, in calls that are in review; without names, others' reviews or counts.

        What a conflict has come between since is not shown.
        """
        with self._db.read() as tx:
            require(rules.check_asks(by, peer=queries.applies_to_a_half(tx, by.id)))
            mine = queries.reviews_by(tx, by.id)
            party = queries.party(tx, by.id)
            tasks = []
            for call in {each.call for each in mine}:
                found = self._call(tx, call)
                here = [each for each in mine if each.call == call and each.state in rules.ASKED]
                barred = self._standing(tx, found, party, [each.application for each in here])
                tasks += [self._task(tx, found, each) for each in here if each.application not in barred]
        return sorted((each for each in tasks if each), key=lambda task: task.view.review)

    def review(self, by: Actor, review: str, judgement: Judgement, why: str = "") -> None:
        """Submit a review, or amend one's own: freely while all judge alone, saying why once others are read.

        Args:
            by: the reviewer.
            review: its id, which stands nowhere beside the application's.
            judgement: scores, comments, and, apart from merit, an opinion on misuse.
            why: why it is amended, where the reviewer has read the others meanwhile.

        Raises:
            BadInput: with what is missing or off the scale, field by field.
        """
        with self._db.decide() as tx:
            mine, found, call = self._asked(tx, by, review)
            require(rules.check_reviewable(call))
            self._check_conflicts(tx, by, call, found)
            phase = queries.phase(tx, call.id).phase
            require(phases.check_amending(phase, mine.state, why))
            problems = answers.judgement_problems(call.file, judgement)
            if problems:
                raise BadInput(problems)
            require(machines.REVIEW.check(mine.state, "submit"))
            salt, now = random_bytes(32), self._clock.now()
            state = machines.REVIEW.after(mine.state, "submit").value
            said = {"judgement": judgement.to_json(), "salt": salt, "submitted_at": now}
            tx.execute(tables.review.update().where(tables.review.c.id == mine.id).values(state=state, **said))
            number = len(queries.versions_of(tx, [mine.id]).get(mine.id, ())) + 1
            key = {"review_id": mine.id, "number": number, "phase": phase.value, "why": why.strip()}
            tx.execute(tables.review_version.insert().values(key | said))
            # Neither scores nor the application: other reviewers can read the log.
            sealed = commitment(salt, canonical({"application": found.id, "why": why.strip(), **judgement.to_json()}))
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
            kind = ConflictKind.DECLARED
            declared = Conflict(kind, "the reviewer declared it", DEFAULT[kind])
            self._keep_finding(tx, Finding(found.id, by.id, declared, Disposition.RECUSED, reason.strip(), by.id))
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

    def _asked(self, tx: Connection, by: Actor, review: str) -> tuple[Review, Application, Call]:
        """Find one's own review; every other case has the same answer."""
        mine = next((each for each in queries.reviews_by(tx, by.id) if each.id == review), None)
        found = queries.application(tx, mine.application) if mine else None
        call = self._call(tx, found.call) if found else None
        require(rules.check_assigned(by, mine, found, peer=bool(call and queries.is_peer(tx, by.id, call))))
        assert mine is not None  # noqa: S101 - `check_assigned` has looked
        assert found is not None  # noqa: S101 - likewise
        return mine, found, self._call(tx, found.call)

    def _check_conflicts(self, tx: Connection, by: Actor, call: Call, found: Application) -> None:
        """Judge conflicts again at the moment of review: an address or affiliation may have changed since."""
        if found.state not in rules.IN_PLAY:
            return
        if self._standing(tx, call, queries.party(tx, by.id), [found.id]):
            # Not which: that would tell the reviewer about the applicant.
            reason = "A conflict of interest stands between you and this application."
            raise Refused(Refusal("admissions/conflict", reason))

    def _task(self, tx: Connection, call: Call, mine: Review) -> ReviewTask | None:
        found = self._application(tx, mine.application)
        open_to_review = rules.check_reviewable(call) is None and found.state is ApplicationState.UNDER_REVIEW
        if not open_to_review or not found.submitted or not call.file.reviewing:
            return None
        now = queries.phase(tx, call.id)
        beside = phases.sees_peers(now.phase, mine.state)
        peers = self._peers(tx, call, found.id, but=mine.id, aliased=True) if beside else ()
        return ReviewTask(
            call=call.id,
            view=blind_view(mine.id, found.submitted, call.file),
            criteria=call.file.reviewing.criteria,
            anchors=tuple(sorted(call.file.reviewing.anchors.items())),
            state=mine.state,
            mine=mine.judgement,
            phase=now,
            peers=peers,
        )

    def _peers(self, tx: Connection, call: Call, application: str, *, but: str = "", aliased: bool) -> tuple[Peer, ...]:
        """Return the reviews of an application that count, each under its alias or its reviewer's pseudonym."""
        counted = [each for each in rules.counted(queries.reviews(tx, call.id)) if each.application == application]
        said = queries.versions_of(tx, [each.id for each in counted])
        return tuple(
            _peer(each, said.get(each.id, []), phases.alias(place) if aliased else each.reviewer)
            for place, each in enumerate(counted)  # by their random ids
            if each.id != but
        )


def _peer(review: Review, said: list[ReviewVersion], name: str) -> Peer:
    assert review.judgement is not None  # noqa: S101 - it is counted
    amended = len(said) > 1
    return Peer(name, review.judgement, said[-1].why if amended else "", said[0].judgement if amended else None)
