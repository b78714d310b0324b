"""The pool: reviewers are invited to a call with what they know, and come in by their own act."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.engine import Connection

from readingroom.admissions import machines, queries, rules, tables
from readingroom.admissions.pool import Invitation, InvitationState, Scope, check_expiring, scope_problems
from readingroom.admissions.service.base import Base
from readingroom.core.canonical import Json
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.people import queries as people
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check, may


class Inviting(Base):
    """Use cases of whoever gathers reviewers, and of those who are asked."""

    def invite_reviewer(
        self, by: Actor, call: str, person: str, scope: Scope, answer_by: datetime | None = None
    ) -> Invitation:
        """Ask somebody with the role of reviewer to review in a call; again, after they declined, too.

        Args:
            by: who asks.
            call: its id.
            person: who is asked, by id.
            scope: what they know, and how much they are asked to take on; they may correct it.
            answer_by: until when an answer is asked for; nothing happens by it.
        """
        require(check(by, Permission.CALL_OPEN))
        _solve(scope)
        with self._db.decide() as tx:
            found = self._call(tx, call)
            require(rules.check_reviews(found))
            self._impartial(tx, by, call)
            chosen(tx, [person])
            known = _of(tx, call, person)
            if known is not None:
                require(machines.REVIEWER.check(known.state, "invite"))
            values = {"state": InvitationState.INVITED.value, **_tidy(scope), "answer_by": answer_by}
            values |= {"invited_at": self._clock.now(), "answered_at": None}
            self._enter_invitation(tx, call, person, values, new=known is None)
            data: dict[str, Json] = {"call": call, "person": person}
            self._say(tx, by, "admissions.reviewer.invited", data)
            return _sure(tx, call, person)

    def answer_invitation(self, by: Actor, call: str, scope: Scope | None, *, accept: bool) -> Invitation:
        """Accept or decline; who accepts may correct the topics and limit the load, None leaves both as asked."""
        _solve(scope or Scope())
        act = "accept" if accept else "decline"
        with self._db.decide() as tx:
            known = _sure(tx, call, by.id)
            require(machines.REVIEWER.check(known.state, act))
            values: dict[str, object] = {"state": machines.REVIEWER.after(known.state, act).value}
            values |= {"answered_at": self._clock.now(), **(_tidy(scope or known.scope) if accept else {})}
            self._enter_invitation(tx, call, by.id, values)
            event = "admissions.reviewer.accepted" if accept else "admissions.reviewer.declined"
            self._say(tx, by, event, {"call": call, "person": by.id})
            return _sure(tx, call, by.id)

    def expire_invitation(self, by: Actor, call: str, person: str) -> Invitation:
        """Give up waiting for an answer whose date is over: a person's act, for no date does it."""
        require(check(by, Permission.CALL_OPEN))
        with self._db.decide() as tx:
            known = _sure(tx, call, person)
            require(machines.REVIEWER.check(known.state, "expire"))
            require(check_expiring(known, self._clock.now()))
            self._enter_invitation(tx, call, person, {"state": InvitationState.EXPIRED.value})
            self._say(tx, by, "admissions.reviewer.expired", {"call": call, "person": person})
            return _sure(tx, call, person)

    def invitations(self, by: Actor, call: str) -> list[Invitation]:
        """Return who was asked to review in a call, and what became of it."""
        require(check(by, Permission.CALL_OPEN))
        with self._db.read() as tx:
            self._unblinded(tx, by, self._call(tx, call))
            return queries.asked(tx, call)

    def my_invitations(self, by: Actor) -> list[Invitation]:
        """Return the calls in which one is asked to review."""
        with self._db.read() as tx:
            return queries.asked_of(tx, by.id)

    def _enter_invitation(
        self, tx: Connection, call: str, person: str, values: dict[str, object], *, new: bool = False
    ) -> None:
        if new:
            key = {"call_id": call, "person_id": person}
            tx.execute(tables.reviewer.insert().values(key | values))
            return
        where = (tables.reviewer.c.call_id == call) & (tables.reviewer.c.person_id == person)
        tx.execute(tables.reviewer.update().where(where).values(values))


def _of(tx: Connection, call: str, person: str) -> Invitation | None:
    return next((each for each in queries.asked_of(tx, person) if each.call == call), None)


def _sure(tx: Connection, call: str, person: str) -> Invitation:
    """Find an invitation; nobody learns from the answer whether the call or the person exists."""
    found = _of(tx, call, person)
    if found is None:
        raise Refused(Refusal("admissions/invitation-unknown", "There is no such invitation to review."))
    return found


def _solve(scope: Scope) -> None:
    if problems := scope_problems(scope):
        raise BadInput(problems)


def _tidy(scope: Scope) -> dict[str, object]:
    topics = dict.fromkeys(each.strip() for each in scope.topics if each.strip())
    return {"topics": list(topics), "load": scope.load}


def chosen(tx: Connection, reviewers: Collection[str] | None) -> frozenset[str]:
    """Return the persons who could be assigned: these, or everyone with the role; each must hold it."""
    everyone = people.persons(tx).values()
    able = frozenset(each.id for each in everyone if may(Actor(each.id, each.roles), Permission.APPLICATION_REVIEW))
    if reviewers is None:
        return able
    strange = sorted(set(reviewers) - able)
    if strange:
        reason = "These persons do not have the role of reviewer."
        raise Refused(Refusal("admissions/reviewer-unknown", reason, {"persons": strange}))
    return frozenset(reviewers)


def pool(tx: Connection, call: str, reviewers: Collection[str] | None) -> dict[str, Invitation | None]:
    """Return who may be assigned in a call: those named; else who accepted; else, where nobody was asked, all.

    What somebody said of their topics and load holds in any case.
    """
    asked = {each.person: each for each in queries.asked(tx, call)}
    able = chosen(tx, reviewers)
    if reviewers is None and asked:
        able &= {who for who, each in asked.items() if each.state is InvitationState.ACCEPTED}
    return {who: asked.get(who) for who in sorted(able)}


__all__ = ["Inviting", "chosen", "pool"]
