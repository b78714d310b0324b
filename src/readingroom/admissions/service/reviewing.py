"""Reviewers: reading without names, judging on their own, then, where the call says so, reading each other."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy.engine import Connection

from readingroom.admissions import answers, machines, phases, queries, rules, tables
from readingroom.admissions.blind import Peer, ReviewTask, ReviewVersion, ToDo, blind_view
from readingroom.admissions.call import Call
from readingroom.admissions.conflicts import DEFAULT
from readingroom.admissions.model import (
    Application,
    Conflict,
    ConflictKind,
    Disposition,
    Judgement,
    Review,
)
from readingroom.admissions.phases import PhaseNow
from readingroom.admissions.pool import Finding
from readingroom.admissions.service.assigning import Assigning
from readingroom.core.canonical import canonical, commitment
from readingroom.core.errors import BadInput
from readingroom.core.ids import random_bytes
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.core.text import needed_problem
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check

Peers = dict[str, list[tuple[str, Peer]]]  # by application: the id of each review, and how others read it


class Reviewing(Assigning):
    """Use cases of reviewers, and of whoever waits for them."""

    def reviews_to_do(self, by: Actor) -> list[ReviewTask]:
        """Return what one is asked to review, in calls that are in review; without names, others' reviews or counts.

        What a conflict has come between since is not shown.
        """
        with self._db.read() as tx:
            return self._tasks(tx, self._to_do(tx, by))

    def reviews_page(self, by: Actor, limit: int, offset: int = 0) -> tuple[list[ReviewTask], dict[str, ToDo]]:
        """Return a page of `reviews_to_do`, call after call; and, by call, how many there are and are given."""
        with self._db.read() as tx:
            mine = sorted(self._to_do(tx, by), key=lambda each: (each.call, each.id))
            counts: dict[str, ToDo] = {}
            for each in mine:
                before = counts.get(each.call, ToDo(0, 0))
                counts[each.call] = ToDo(before.all + 1, before.given + bool(each.judgement))
            tasks = self._tasks(tx, mine[offset : offset + limit])
        return sorted(tasks, key=lambda task: (task.call, task.view.review)), counts

    def review_to_do(self, by: Actor, review: str) -> ReviewTask | None:
        """Return one of `reviews_to_do`; None where there is none by this id."""
        with self._db.read() as tx:
            return next(iter(self._tasks(tx, self._to_do(tx, by, review))), None)

    def reviews_left(self, by: Actor) -> int:
        """Return how many of `reviews_to_do` are not given yet."""
        with self._db.read() as tx:
            return sum(each.judgement is None for each in self._to_do(tx, by))

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

    def _to_do(self, tx: Connection, by: Actor, only: str = "") -> list[Review]:
        """Return what one is asked to review and may, without what it is about: all of it or, by its id, one."""
        require(rules.check_asks(by, peer=queries.applies_to_a_half(tx, by.id)))
        mine = [each for each in queries.reviews_asked(tx, by.id) if only in {"", each.id}]
        party = queries.party(tx, by.id) if mine else None
        found = []
        for call in sorted({each.call for each in mine}):
            here = [each for each in mine if each.call == call]
            about = self._call(tx, call)
            if party and about.file.reviewing and rules.check_reviewable(about) is None:
                barred = self._standing(tx, about, party, [each.application for each in here])
                found += [each for each in here if each.application not in barred]
        return sorted(found, key=lambda each: each.id)

    def _tasks(self, tx: Connection, mine: Collection[Review]) -> list[ReviewTask]:
        """Compose what is to review: in so many queries for each call, however much there is."""
        about = {each.id: each for each in queries.some(tx, {each.application for each in mine})}
        made = []
        for call in sorted({each.call for each in mine}):
            found, now = self._call(tx, call), queries.phase(tx, call)
            here = [each for each in mine if each.call == call]
            beside = [each.application for each in here if phases.sees_peers(now.phase, each.state)]
            peers = self._peers(tx, beside, aliased=True)
            made += [_task(found, now, each, about[each.application], peers.get(each.application, ())) for each in here]
        return sorted(made, key=lambda task: task.view.review)

    def _peers(self, tx: Connection, applications: Collection[str], *, aliased: bool) -> Peers:
        """Return the reviews of applications that count, each under its alias or its reviewer's pseudonym."""
        counted = rules.counted(queries.reviews_of(tx, applications)) if applications else []  # by their random ids
        said = queries.versions_of(tx, [each.id for each in counted])
        peers: Peers = {}
        for each in counted:
            beside = peers.setdefault(each.application, [])
            name = phases.alias(len(beside)) if aliased else each.reviewer
            beside.append((each.id, _peer(each, said.get(each.id, []), name)))
        return peers


def _task(call: Call, now: PhaseNow, mine: Review, about: Application, peers: Sequence[tuple[str, Peer]]) -> ReviewTask:
    assert about.submitted is not None  # noqa: S101 - it is under review
    assert call.file.reviewing is not None  # noqa: S101 - likewise
    return ReviewTask(
        call=call.id,
        view=blind_view(mine.id, about.submitted, call.file),
        criteria=call.file.reviewing.criteria,
        anchors=tuple(sorted(call.file.reviewing.anchors.items())),
        state=mine.state,
        mine=mine.judgement,
        phase=now,
        peers=tuple(peer for review, peer in peers if review != mine.id),
    )


def _peer(review: Review, said: list[ReviewVersion], name: str) -> Peer:
    assert review.judgement is not None  # noqa: S101 - it is counted
    amended = len(said) > 1
    return Peer(name, review.judgement, said[-1].why if amended else "", said[0].judgement if amended else None)
