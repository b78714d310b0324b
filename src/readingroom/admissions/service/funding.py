"""Child calls: funded from a parent's rest or pool, giving back what they do not need. The sum is conserved."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from readingroom.admissions import account, queries, requests, rules, tables
from readingroom.admissions.account import Cause, Place
from readingroom.admissions.after import CallKind
from readingroom.admissions.appeals.rules import APPEAL, due
from readingroom.admissions.call import CallFile
from readingroom.admissions.model import Amounts, CallState
from readingroom.admissions.service.base import Base
from readingroom.core.canonical import Json
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.people import queries as people
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check


class Funding(Base):
    """Use cases around the budget that a call shares with others."""

    def give_back(self, by: Actor, call: str) -> Amounts:
        """Give what a child call did not award back to its parent, once it has decided."""
        with self._db.decide() as tx:
            require(check(people.actor_now(tx, by), Permission.CALL_DECIDE))
            found = self._call(tx, call)
            of = queries.parent(tx, call)
            require(requests.check_giving_back(found, of))
            self._impartial(tx, by, call)
            held = queries.budget(tx, call)
            pooled = account.of_units({unit: each.pool for unit, each in held.items()}, found.file.budget)
            whole = account.of_units({unit: each.pool + each.rest for unit, each in held.items()}, found.file.budget)
            drawn = account.postings(pooled, Cause.DRAWN)
            self._post(tx, call, [*drawn, *account.postings(whole, Cause.GIVEN_BACK, of)])
            back = account.postings(whole, Cause.REGAINED, call)
            if found.file.after.kind is CallKind.SECOND_CHANCE:  # it came out of the pool
                back += account.postings(whole, Cause.POOLED, call)
            self._post(tx, of, back)
            self._say(tx, by, "admissions.call.gave-back", {"call": call, "of": of, "amounts": whole.to_json()})
            return whole

    def free_reserve(self, by: Actor, call: str) -> Amounts:
        """Let a call's reserve be awarded, once no appeal can need it: none is open, and every window is over."""
        with self._db.decide() as tx:
            require(check(people.actor_now(tx, by), Permission.CALL_DECIDE))
            found = self._call(tx, call)
            self._impartial(tx, by, call)
            require(self._check_reserve_needed(tx, call))
            held = queries.budget(tx, call)
            freed = account.of_units({unit: each.reserve for unit, each in held.items()}, found.file.budget)
            self._post(tx, call, account.postings(freed, Cause.UNRESERVED))
            self._say(tx, by, "admissions.call.reserve-freed", {"call": call, "amounts": freed.to_json()})
            return freed

    def _check_reserve_needed(self, tx: Connection, call: str) -> Refusal | None:
        found = self._call(tx, call)
        waiting = any(each in rules.IN_PLAY for each in queries.counts(tx, call))
        living = [each for each in queries.appeals_in(tx, call) if each.state not in APPEAL.final]
        refused = queries.last_refused(tx, call)  # whose window is over last
        disputable = refused is not None and due(found.file.after.appeals, refused) >= self._clock.now()
        if not (waiting or living or disputable) and found.state is not CallState.OPEN:
            return None
        reason = "Decisions of this call can still be appealed, or are not made yet; its reserve stays until then."
        return Refusal("admissions/reserve-needed", reason, {"appeals": [each.id for each in living]})

    def _fund(self, tx: Connection, by: Actor, child: str, file: CallFile) -> None:
        """Take a child call's budget out of its parent's account; nothing for a call that stands alone."""
        of = file.after.of
        if not of:
            return
        parent = queries.call(tx, of)
        require(requests.check_parent(parent, queries.parent(tx, of), file, of))
        place = Place.POOL if file.after.kind is CallKind.SECOND_CHANCE else Place.REST
        held = queries.budget(tx, of)
        if not account.covers(held, file.budget, place):
            left = {unit: account.there(held, unit, place) for unit in file.budget.units()}
            reason = f"The {place.value} of {of} does not cover this call's budget."
            raise Refused(Refusal("admissions/budget-exhausted", reason, {"left": left}))
        drawn = account.postings(file.budget, Cause.DRAWN, child) if place is Place.POOL else []
        self._post(tx, of, [*drawn, *account.postings(file.budget, Cause.FUNDED, child)])
        tx.execute(tables.child.insert().values(call_id=child, parent_id=of))
        data: dict[str, Json] = {"call": child, "of": of, "kind": file.after.kind.value}
        self._say(tx, by, "admissions.call.funded", data | {"amounts": file.budget.to_json()})
