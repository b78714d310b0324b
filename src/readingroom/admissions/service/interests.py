"""Conflicts of interest: found from the call's own graph, kept with what became of each, judged again at every act."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from readingroom.admissions import machines, queries, rules, tables
from readingroom.admissions.call import Call
from readingroom.admissions.conflicts import Party, fold_who
from readingroom.admissions.model import Conflict, ConflictKind, Disposition, Severity
from readingroom.admissions.pool import MOST_TIES, Disposal, Finding, Tie, TieKind, tie_problems
from readingroom.admissions.service.base import Base
from readingroom.core.canonical import Json, canonical, commitment
from readingroom.core.errors import BadInput, Problem
from readingroom.core.ids import new_id, random_bytes
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.core.text import many, needed_problem
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check

Waived = frozenset[tuple[str, str, ConflictKind, str]]


@dataclass(frozen=True, slots=True)
class Arisen:
    """A conflict that stands between a reviewer and what they were assigned already."""

    review: str
    application: str
    person: str
    conflict: Conflict


class Interests(Base):
    """Use cases around conflicts of interest and what people declare of each other."""

    def conflicts(self, by: Actor, call: str, reviewer: str) -> dict[str, tuple[Conflict, ...]]:
        """Look, with no effect, at what stands between a person and each application of a call."""
        require(check(by, Permission.CALL_OPEN))
        with self._db.read() as tx:
            found = self._call(tx, call)
            self._unblinded(tx, by, found)
            graph = queries.graph(tx, found)
            between = graph.between(queries.party(tx, reviewer))
            return {each: between(each) for each in graph.sides}

    def conflicts_of_call(self, by: Actor, call: str) -> tuple[list[Finding], list[Arisen]]:
        """Return every conflict that was found, with what became of it, and those that arose after assignment."""
        require(check(by, Permission.CALL_OPEN))
        with self._db.read() as tx:
            found = self._call(tx, call)
            self._unblinded(tx, by, found)
            return queries.findings(tx, call), self._arisen(tx, found)

    def dispose(self, by: Actor, application: str, reviewer: str, disposal: Disposal) -> None:
        """Waive a conflict, or take a reviewer off for one; what is real can only be recused.

        Raises:
            BadInput: no reason is given, or the disposition is none that a person takes.
            Refused: there is no such conflict, or it is real and cannot be waived.
        """
        require(check(by, Permission.CALL_OPEN))
        if problem := needed_problem("reason", disposal.reason, "Say why: it is kept with the conflict"):
            raise BadInput([problem])
        if disposal.disposition is Disposition.STANDS:
            raise BadInput([Problem("disposition", "is how it was found", "Write waived or recused")])
        with self._db.decide() as tx:
            found = self._application(tx, application)
            call = self._call(tx, found.call)
            self._unblinded(tx, by, call)
            self._impartial(tx, by, call.id, application)
            party = queries.party(tx, reviewer)
            graph = queries.graph_near(tx, call, party, [application])
            known = graph.between(party)(application) if application in graph.sides else ()
            conflict = next((each for each in known if each.kind is disposal.kind), None)
            require(_check_disposing(conflict, disposal))
            assert conflict is not None  # noqa: S101 - `_check_disposing` has looked
            reason = disposal.reason.strip()
            self._keep_finding(tx, Finding(application, party.person, conflict, disposal.disposition, reason, by.id))
            if disposal.disposition is Disposition.RECUSED:
                self._take_off(tx, call, application, party.person)
            sealed = self._sealed(application, party.person, conflict, reason)
            data: dict[str, Json] = {"call": call.id, "kind": conflict.kind.value, "severity": conflict.severity.value}
            waived = disposal.disposition is Disposition.WAIVED
            event = "admissions.conflict.waived" if waived else "admissions.conflict.recused"
            self._say(tx, by, event, data | {"commitment": sealed})

    def declare_tie(self, by: Actor, kind: TieKind, who: str, reason: str = "", application: str = "") -> Tie:
        """Declare a collaborator or a supervisor; or, for one's own application, who should not review it, and why."""
        require(rules.check_person(by))
        if problems := tie_problems(kind, who, reason):
            raise BadInput(problems)
        if (kind is TieKind.NAMED) != bool(application):
            cure = "Name the application with 'named', and with nothing else"
            raise BadInput([Problem("application", "does not go with this kind", cure)])
        with self._db.decide() as tx:
            if application:
                self._own(tx, by, application)
            mine = queries.ties(tx, by.id)
            require(_check_room(mine))
            made, salt = new_id("tie"), random_bytes(32)
            who = fold_who(who) if "@" in who else who.strip()
            values: dict[str, object] = {"id": made, "person_id": by.id, "application_id": application or None}
            values |= {"kind": kind.value}
            values |= {"who": who, "reason": reason.strip(), "salt": salt, "said_at": self._clock.now()}
            tx.execute(tables.tie.insert().values(values))
            sealed = commitment(salt, canonical({"who": fold_who(who), "reason": reason.strip()}))
            data: dict[str, Json] = {"tie": made, "person": by.id, "kind": kind.value, "commitment": sealed}
            self._say(tx, by, "admissions.tie.declared", data)
            return Tie(made, by.id, kind, who, reason.strip(), application)

    def withdraw_tie(self, by: Actor, tie: str) -> None:
        """Take a declaration back; what was decided on it stays."""
        with self._db.decide() as tx:
            if not any(each.id == tie for each in queries.ties(tx, by.id)):
                raise Refused(Refusal("admissions/tie-unknown", "You declared nothing by this id."))
            tx.execute(tables.tie.delete().where(tables.tie.c.id == tie))
            self._say(tx, by, "admissions.tie.withdrawn", {"tie": tie, "person": by.id})

    def my_ties(self, by: Actor) -> list[Tie]:
        """Return what one declared oneself."""
        with self._db.read() as tx:
            return queries.ties(tx, by.id)

    # For the other use cases of review

    def _waived(self, tx: Connection, call: str) -> Waived:
        """Return what was waived. A waiver is of the fact it was found on: another fact is another conflict."""
        waived = Disposition.WAIVED
        found = [each for each in queries.findings(tx, call) if each.disposition is waived]
        return frozenset((e.application, e.person, e.conflict.kind, e.conflict.evidence) for e in found)

    def _standing(self, tx: Connection, call: Call, party: Party, applications: Collection[str]) -> set[str]:
        """Return those applications that somebody may not judge, as it is now."""
        graph, waived = queries.graph_near(tx, call, party, applications), self._waived(tx, call.id)
        between = graph.between(party)
        return {
            each
            for each in applications
            if each not in graph.sides or standing(between(each), waived, each, party.person)
        }

    def _arisen(self, tx: Connection, call: Call) -> list[Arisen]:
        living = [each for each in queries.reviews(tx, call.id) if each.state in rules.ASKED]
        if not living:
            return []
        graph, waived = queries.graph(tx, call), self._waived(tx, call.id)
        parties = queries.parties(tx, {each.reviewer for each in living})
        between = {name: graph.between(party) for name, party in parties.items()}  # their own places are found once
        return [
            Arisen(each.id, each.application, each.reviewer, conflict)
            for each in living
            if each.application in graph.sides
            for conflict in standing(between[each.reviewer](each.application), waived, each.application, each.reviewer)
        ]

    def _unconflicted(self, tx: Connection, call: Call, only: str = "") -> None:
        """Refuse to decide on a review between whom and whose application a conflict has arisen since."""
        found = [each for each in self._arisen(tx, call) if only in {"", each.application}]
        arisen = [each for each in found if self._counts(tx, each.review)]
        if arisen:
            count = len({each.review for each in arisen})
            reason = f"By somebody who has a conflict by now: {many(count, 'review')}; `call conflicts` lists them. "
            reason += "Waive each with a reason, or recuse the reviewer."
            facts: Json = {"reviews": sorted({each.review for each in arisen})}
            raise Refused(Refusal("admissions/conflict-unresolved", reason, facts))

    def _counts(self, tx: Connection, review: str) -> bool:
        found = queries.review(tx, review)
        return found is not None and bool(rules.counted([found]))

    def _record(self, tx: Connection, found: Iterable[tuple[str, str, Conflict]], call: str) -> int:
        """Keep conflicts that were not found before; return how many."""
        known = {(each.application, each.person, each.conflict.kind) for each in queries.findings(tx, call)}
        new = [each for each in found if (each[0], each[1], each[2].kind) not in known]
        for application, person, conflict in new:
            self._keep_finding(tx, Finding(application, person, conflict))
        return len(new)

    def _keep_finding(self, tx: Connection, found: Finding) -> None:
        """Write a conflict down, anew or with what became of it."""
        now, conflict = self._clock.now(), found.conflict
        key = {"application_id": found.application, "person_id": found.person, "kind": conflict.kind.value}
        what: dict[str, object] = {"severity": conflict.severity.value, "evidence": conflict.evidence}
        what |= {"disposition": found.disposition.value, "reason": found.reason, "decided_by": found.decided_by}
        what |= {"decided_at": now if found.decided_by else None}
        where = [tables.finding.c[name] == value for name, value in key.items()]
        if not tx.execute(tables.finding.update().where(*where).values(what)).rowcount:
            tx.execute(tables.finding.insert().values({**key, **what, "found_at": now}))

    def _take_off(self, tx: Connection, call: Call, application: str, person: str) -> None:
        """Take a reviewer off an application; what was said of it no longer counts."""
        for each in queries.reviews(tx, call.id):
            if each.application == application and each.reviewer == person and each.state in rules.ASKED:
                state = machines.REVIEW.after(each.state, "recuse").value
                tx.execute(tables.review.update().where(tables.review.c.id == each.id).values(state=state))

    def _sealed(self, application: str, person: str, conflict: Conflict, reason: str) -> str:
        # Who may not judge what is not for the public log, in which an applicant could look it up.
        said = {"application": application, "person": person, "evidence": conflict.evidence, "reason": reason}
        return commitment(random_bytes(32), canonical(said))


def standing(found: Iterable[Conflict], waived: Waived, application: str, person: str) -> tuple[Conflict, ...]:
    """Return the conflicts that nobody waived."""
    return tuple(each for each in found if (application, person, each.kind, each.evidence) not in waived)


def _check_disposing(conflict: Conflict | None, disposal: Disposal) -> Refusal | None:
    """Refuse to dispose of what is not there, or to waive what is real."""
    facts: Json = {"kind": disposal.kind.value}
    if conflict is None:
        return Refusal("admissions/conflict-unknown", "There is no such conflict between them.", facts)
    if disposal.disposition is Disposition.WAIVED and conflict.severity is Severity.REAL:
        text = f"A conflict of the kind {disposal.kind.value!r} is real in this call; it cannot be waived."
        return Refusal("admissions/conflict-real", text, facts)
    return None


def _check_room(mine: Collection[Tie]) -> Refusal | None:
    if len(mine) < MOST_TIES:
        return None
    reason = f"You have declared {MOST_TIES} already; take some back."
    return Refusal("admissions/too-many-ties", reason, {"most": MOST_TIES})
