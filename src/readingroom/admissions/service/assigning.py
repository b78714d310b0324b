"""Assigning reviewers: the matching is solved outside any transaction, and judged again inside the one it enters by."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from readingroom.admissions import machines, queries, rules, tables
from readingroom.admissions.call import Call, Phase, Reviewing
from readingroom.admissions.matching import Lack, Matching, Task, check, match
from readingroom.admissions.model import Application, ApplicationState, Conflict, Review, ReviewState
from readingroom.admissions.pool import Invitation, expertise, limit
from readingroom.admissions.service.interests import Interests, standing
from readingroom.admissions.service.inviting import chosen, pool
from readingroom.core.canonical import Json, canonical, commitment
from readingroom.core.ids import new_id, random_bytes
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.people.model import Actor
from readingroom.people.rules import Permission
from readingroom.people.rules import check as check_permission

TRIES = 3
Edge = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a matching was computed from; where it has changed since, the matching is computed anew."""

    task: Task
    found: tuple[tuple[str, str, Conflict], ...]


class Assigning(Interests):
    """Use cases of whoever assigns reviewers."""

    def assign_reviewers(
        self, by: Actor, call: str, reviewers: Collection[str] | None = None, due: datetime | None = None
    ) -> list[Review]:
        """Give every submitted application the reviews it needs; who is assigned already stays.

        Args:
            by: who assigns.
            call: its id.
            reviewers: ids of persons with the role of reviewer; None takes who accepted an invitation to this call,
                or, where nobody was invited, everybody with the role.
            due: by when the reviews should be given; shown, and no more.

        Raises:
            Refused: there is no matching; says which applications lack how many reviewers by which constraint.
        """
        require(check_permission(by, Permission.CALL_OPEN))
        for _ in range(TRIES):
            with self._db.read() as tx:
                seen = self._see(tx, by, call, reviewers)
            result = match(seen.task, call)
            if isinstance(result, Lack):
                raise Refused(_lacking(result))
            with self._db.decide() as tx:
                now = self._see(tx, by, call, reviewers)
                if now.task == seen.task:
                    self._begin(tx, by, call, due)
                    return self._assign(tx, by, call, now, result)
        reason = "Applications, reviewers or conflicts keep changing; try again."
        raise Refused(Refusal("admissions/keeps-changing", reason, {"call": call}))

    def _see(self, tx: Connection, by: Actor, call: str, reviewers: Collection[str] | None) -> Seen:
        """Gather what is to be matched, with every conflict as it is now."""
        found = self._call(tx, call)
        require(rules.check_reviewable(found))
        self._impartial(tx, by, call)
        everyone = queries.applications(tx, call)
        require(rules.check_corrected(everyone, self._clock.now()))
        require(self._before_review(tx, found))
        in_play = {each.id: each for each in everyone if each.state in rules.IN_PLAY}
        asked, known = pool(tx, call, reviewers), queries.reviews(tx, call)
        anybody = chosen(tx, None)
        parties, graph = queries.parties(tx, asked.keys() | anybody), queries.graph(tx, found)
        waived = self._waived(tx, call)
        conflicts: list[tuple[str, str, Conflict]] = []
        free: dict[str, set[str]] = {each: set() for each in in_play}
        for who in sorted(asked.keys() | anybody):
            between = graph.between(parties[who])
            for application in in_play:
                if not (stands := standing(between(application), waived, application, who)):
                    free[application].add(who)
                elif who in asked:
                    conflicts += [(application, who, each) for each in stands]
        return Seen(_task(found, in_play, asked, known, free), tuple(conflicts))

    def _assign(self, tx: Connection, by: Actor, call: str, seen: Seen, result: Matching) -> list[Review]:
        check(seen.task, result.edges)  # against the facts of this transaction: a conflict is never entered
        salt = random_bytes(32)
        for application, reviewer in result.edges:
            self._enter(tx, call, application, reviewer, salt)
        going = [each for each in queries.applications(tx, call) if each.id in seen.task.needs]
        self._begin_review(tx, call, going)
        kept = self._record(tx, seen.found, call)
        # Who reviews what is not for the public log, in which an applicant could look it up.
        sealed = commitment(salt, canonical([list(edge) for edge in result.edges]))
        data: dict[str, Json] = {"call": call, "count": len(result.edges), "commitment": sealed}
        data |= {"conflicts": kept, "optimal": result.proved}
        self._say(tx, by, "admissions.review.assigned", data)
        return queries.reviews(tx, call)

    def _begin_review(self, tx: Connection, call: str, going: Collection[Application]) -> None:
        """Move applications into review, each as a case: what the panel and others call it, in place of its id."""
        cases = queries.cases(tx, call)
        for each in going:
            if each.state is ApplicationState.SUBMITTED:
                self._move(tx, each, "review")
            if each.id not in cases:
                tx.execute(tables.case.insert().values(application_id=each.id, id=new_id("case")))

    def _begin(self, tx: Connection, by: Actor, call: str, due: datetime | None) -> None:
        """Write down when the reviews are due; with the first assignment the first phase begins."""
        now = queries.phase(tx, call)
        if now.moved_at is None:
            first = {"call_id": call, "number": 1, "phase": Phase.INDEPENDENT.value, "due": due}
            tx.execute(tables.phase.insert().values(**first, moved_at=self._clock.now(), moved_by=by.id))
        elif due is not None:
            where = (tables.phase.c.call_id == call) & (tables.phase.c.phase == now.phase.value)
            tx.execute(tables.phase.update().where(where).values(due=due))

    def _enter(self, tx: Connection, call: str, application: str, reviewer: str, salt: bytes) -> None:
        ids = {"id": new_id("review"), "call_id": call, "application_id": application, "reviewer_id": reviewer}
        rest = {"state": machines.REVIEW.start.value, "assigned_salt": salt}
        tx.execute(tables.review.insert().values(ids | rest))


def _task(
    call: Call,
    in_play: dict[str, Application],
    asked: dict[str, Invitation | None],
    known: list[Review],
    free: dict[str, set[str]],
) -> Task:
    """Return what is to be matched: an edge for each pair without a standing conflict, and no other."""
    reviewing = call.file.reviewing
    assert reviewing is not None  # noqa: S101 - `check_reviewable` has looked
    of: dict[str, list[Review]] = {}
    loads: dict[str, int] = {}
    for review in known:
        of.setdefault(review.application, []).append(review)
        if review.state in rules.ASKED:
            loads[review.reviewer] = loads.get(review.reviewer, 0) + 1
    fits = {(a, who): _fit(call, each, asked.get(who)) for a, each in in_play.items() for who in free[a]}
    held = {a: [r.reviewer for r in of.get(a, ()) if _holds(r, free[a])] for a in in_play}
    return Task(
        needs={a: max(0, reviewing.per_application - len(held[a])) for a in in_play},
        # Nobody is asked twice about the same.
        allowed={
            a: {who: fits[a, who] for who in free[a] & asked.keys() - {r.reviewer for r in of.get(a, ())}}
            for a in in_play
        },
        room={who: _room(reviewing, each, loads.get(who, 0)) for who, each in asked.items()},
        loads=loads,
        held={a: [fits.get((a, who), 0) for who in held[a]] for a in in_play},
        pool=len(asked),
        objective=reviewing.objective,
    )


def _fit(call: Call, application: Application, invitation: Invitation | None) -> int:
    if invitation is None or not invitation.scope.topics or application.submitted is None:
        return 0
    shown = [each.name for each in call.file.form if each.shown]
    return expertise(invitation.scope.topics, application.submitted.draft.answers, shown)


def _room(reviewing: Reviewing, invitation: Invitation | None, load: int) -> int | None:
    most = limit(invitation.scope.load if invitation else None, reviewing.load)
    return None if most is None else max(0, most - load)


def _holds(review: Review, able: Collection[str]) -> bool:
    """Tell whether a review takes a place: given, or still to come from somebody who may give it."""
    waiting = review.state is ReviewState.ASSIGNED and review.reviewer in able
    return waiting or review.state is ReviewState.SUBMITTED


def _lacking(lack: Lack) -> Refusal:
    said = lack.sentences()
    rest = len(said) - 3
    text = " ".join(said[:3]) + (f" And {rest} more." if rest > 0 else "")
    facts: Json = {
        "lacking": dict(lack.missing),
        "too_few": dict(lack.too_few),
        "loads": dict(lack.loads),
        "pool": lack.pool,
    }
    return Refusal("admissions/reviewers-missing", text, facts)
