"""The sift: who takes the first look, what they say, and a person's word on what is under the line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from readingroom.admissions import distributed, notices, queries, rules, sifting, tables
from readingroom.admissions.blind import BlindView, blind_view
from readingroom.admissions.call import Call, Criterion
from readingroom.admissions.model import Application, ApplicationState, Decision, Outcome, Reason, Ruling
from readingroom.admissions.service.deciding import Deciding
from readingroom.admissions.sifting import Sifted, Tally
from readingroom.core.canonical import canonical, commitment, sha256
from readingroom.core.errors import BadInput
from readingroom.core.ids import new_id, random_bytes
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.core.text import many, needed_problem
from readingroom.people import queries as people
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check, may


@dataclass(frozen=True, slots=True)
class SiftTask:
    """Something to sift, as its reviewer sees it: without names, with the one criterion that is scored."""

    id: str
    call: str
    view: BlindView
    criterion: Criterion
    anchors: tuple[tuple[int, str], ...]

    @property
    def low(self) -> int:
        """The lowest score."""
        return self.anchors[0][0]

    @property
    def high(self) -> int:
        """The highest score."""
        return self.anchors[-1][0]

    @property
    def meanings(self) -> dict[int, str]:
        """What scores mean, those that are explained."""
        return dict(self.anchors)


class Sifting(Deciding):
    """Use cases of the sift."""

    def assign_sift(self, by: Actor, call: str) -> int:
        """Share a call's submitted applications out among the reviewers; a conflict is never assigned.

        Raises:
            Refused: for some application not enough reviewers without a conflict are there.
        """
        require(check(by, Permission.CALL_OPEN))
        with self._db.decide() as tx:
            found = self._call(tx, call)
            require(sifting.check_siftable(found))
            self._impartial(tx, by, call)
            require(self._desk_done(tx, found))
            edges = self._share_out(tx, found)
            salt = random_bytes(32)
            rows = [
                {"id": new_id("sift"), "call_id": call, "application_id": application, "reviewer_id": reviewer}
                for application, reviewer in edges
            ]
            if rows:
                tx.execute(tables.sift.insert(), rows)
            sealed = commitment(salt, canonical([list(edge) for edge in edges]))
            self._say(tx, by, "admissions.sift.assigned", {"call": call, "count": len(rows), "commitment": sealed})
            return len(rows)

    def sifts_to_do(self, by: Actor) -> list[SiftTask]:
        """Return what one is asked to take a first look at, without names."""
        return self.sifts_page(by, None)[0]

    def sifts_page(self, by: Actor, limit: int | None, offset: int = 0) -> tuple[list[SiftTask], int]:
        """Return a page of `sifts_to_do`, and how many there are over all pages."""
        require(check(by, Permission.APPLICATION_REVIEW))
        with self._db.read() as tx:
            mine = self._sifts_to_do(tx, by)
            shown = mine if limit is None else mine[offset : offset + limit]
            about = {each.id: each for each in queries.some(tx, {each.application for each in shown})}
            calls = {each: self._call(tx, each) for each in {each.call for each in shown}}
            tasks = [_sift_task(calls[each.call], each, about[each.application]) for each in shown]
            return [each for each in tasks if each], len(mine)

    def sifts_left(self, by: Actor) -> int:
        """Return how many looks one is asked for."""
        require(check(by, Permission.APPLICATION_REVIEW))
        with self._db.read() as tx:
            return len(self._sifts_to_do(tx, by))

    def sift(self, by: Actor, sift: str, score: int, comment: str) -> None:
        """Give one's look, or change it while the sift lasts.

        Raises:
            BadInput: the score is off the scale, or there is no comment.
        """
        with self._db.decide() as tx:
            mine = queries.sift(tx, sift)
            require(check(people.actor_now(tx, by), Permission.APPLICATION_REVIEW))
            if mine is None or mine.reviewer != by.id:
                raise Refused(Refusal("admissions/not-a-reviewer", "You are not asked for a look by this id."))
            call = self._call(tx, mine.call)
            require(sifting.check_siftable(call))
            if problems := sifting.look_problems(call.file, score, comment):
                raise BadInput(problems)
            salt = random_bytes(32)
            values = {"score": score, "comment": comment.strip(), "salt": salt, "submitted_at": self._clock.now()}
            tx.execute(tables.sift.update().where(tables.sift.c.id == sift).values(values))
            sealed = commitment(salt, canonical({"application": mine.application, "score": score}))
            self._say(tx, by, "admissions.sift.scored", {"call": call.id, "sift": sift, "commitment": sealed})

    def sift_tally(self, by: Actor, call: str) -> list[Tally]:
        """Return what the sift says, the lowest first; what a person has let go on counts as above the line."""
        require(check(by, Permission.APPLICATION_READ))
        with self._db.read() as tx:
            found = self._call(tx, call)
            self._unblinded(tx, by, found)
            kept = queries.sift_kept(tx, call)
            return [
                Tally(each.application, each.mean, each.below and each.application not in kept)
                for each in self._tally(tx, found)
            ]

    def sift_out(self, by: Actor, application: str, note: str) -> Decision:
        """Confirm that an application under the line goes no further: a decision, with its reason told."""
        with self._db.decide() as tx:
            found, call = self._ruled(tx, by, application, note)
            ruling = Ruling(Outcome.REFUSED, Reason.SIFTED_OUT, note)
            decided = notices.by_person(call.file, found.id, ruling, self._clock.now(), by.id)
            self._decide(tx, by, found, decided)
            return decided

    def sift_keep(self, by: Actor, application: str, note: str) -> None:
        """Let an application under the line go on to full review all the same."""
        with self._db.decide() as tx:
            found, call = self._ruled(tx, by, application, note)
            values = {"application_id": found.id, "note": note.strip(), "ruled_at": self._clock.now()}
            tx.execute(tables.sift_ruling.insert().values(**values, ruled_by=by.id))
            self._say(tx, by, "admissions.sift.overruled", {"call": call.id, "application": found.id})

    def _ruled(self, tx: Connection, by: Actor, application: str, note: str) -> tuple[Application, Call]:
        require(check(people.actor_now(tx, by), Permission.CALL_DECIDE))
        if problem := needed_problem("note", note, "Say why; the applicant is told"):
            raise BadInput([problem])
        found = self._application(tx, application)
        call = self._call(tx, found.call)
        self._impartial(tx, by, call.id, application)
        require(sifting.check_siftable(call))
        one = next((each for each in self._tally(tx, call) if each.application == application), None)
        kept = application in queries.sift_kept(tx, call.id)
        require(sifting.check_confirmable(found, None if kept else one))
        return found, call

    def _tally(self, tx: Connection, call: Call) -> list[Tally]:
        going = [each.id for each in queries.applications(tx, call.id) if each.state in rules.IN_PLAY]
        return sifting.tally(call.file, going, queries.sifts(tx, call.id))

    def _share_out(self, tx: Connection, call: Call) -> tuple[tuple[str, str], ...]:
        """Match looks with the lazily judged matching: a sift is of thousands, and no look is worth an optimum."""
        assert call.file.sift is not None  # noqa: S101 - `check_siftable` has looked
        graph, everyone = queries.graph(tx, call), people.persons(tx).values()
        able = [each.id for each in everyone if may(Actor(each.id, each.roles), Permission.APPLICATION_REVIEW)]
        applying = {who for each in graph.sides.values() for who in each.persons}
        parties = queries.parties(tx, {each for each in able if each not in applying})
        between = {who: graph.between(party) for who, party in parties.items()}
        asked: dict[str, set[str]] = {}
        for each in queries.sifts(tx, call.id):
            asked.setdefault(each.application, set()).add(each.reviewer)
        going = [a.id for a in queries.applications(tx, call.id) if a.state is ApplicationState.SUBMITTED]
        needs = {each: max(0, call.file.sift.reviews - len(asked.get(each, ()))) for each in going}
        loads = {each: sum(each in have for have in asked.values()) for each in parties}

        def allowed(application: str, reviewer: str) -> bool:
            if reviewer in asked.get(application, ()):
                return False
            return not between[reviewer](application)

        made = distributed.peers(needs, loads, allowed, sha256(call.id.encode()).encode())
        require(lacking(made.lacking))
        return made.edges

    def _sifts_to_do(self, tx: Connection, by: Actor) -> list[Sifted]:
        """Return what one is to look at first, without what it is about."""
        mine = queries.sifts_left(tx, by.id)
        going = {each for each in {each.call for each in mine} if sifting.check_siftable(self._call(tx, each)) is None}
        return [each for each in mine if each.call in going]


def _sift_task(call: Call, mine: Sifted, about: Application) -> SiftTask | None:
    if about.submitted is None or call.file.sift is None or call.file.reviewing is None:
        return None
    criterion = next(each for each in call.file.reviewing.criteria if each.name == call.file.sift.criterion)
    anchors = criterion.anchors or call.file.reviewing.anchors
    view = blind_view(mine.id, about.submitted, call.file)
    return SiftTask(mine.id, call.id, view, criterion, tuple(sorted(anchors.items())))


def lacking(found: Mapping[str, int]) -> Refusal | None:
    """Refuse a matching in which an application lacks a reviewer without a conflict."""
    if not found:
        return None
    reason = f"Without a reviewer who has no conflict: {many(len(found), 'application')}; add reviewers."
    return Refusal("admissions/reviewers-missing", reason, {"lacking": dict(sorted(found.items()))})
