"""Awards: accepted or declined by their applicant, taken back by a person when nobody answered, returned early."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from readingroom.admissions import account, machines, queries, rules, tables
from readingroom.admissions.account import Cause
from readingroom.admissions.model import Amounts, Award, AwardState
from readingroom.admissions.service.base import Base
from readingroom.core.canonical import Json
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check, may

_CAUSES = {"decline": Cause.DECLINED, "lapse": Cause.LAPSED}
_EVENTS = {
    "accept": "admissions.award.accepted",
    "decline": "admissions.award.declined",
    "lapse": "admissions.award.lapsed",
}


class Awarding(Base):
    """Use cases around an award."""

    def accept_award(self, by: Actor, award: str) -> Award:
        """Accept one's award; whoever hears `admissions.award.accepted` issues the grant in the same transaction.

        An offer stands until a person takes it back, also after its date.
        """
        with self._db.decide() as tx:
            return self._settle(tx, by, self._award(tx, by, award), "accept")

    def decline_award(self, by: Actor, award: str) -> Award:
        """Decline one's award; its amount goes back to the call."""
        with self._db.decide() as tx:
            return self._settle(tx, by, self._award(tx, by, award), "decline")

    def lapse_award(self, by: Actor, award: str) -> Award:
        """Take back an offer whose date has passed; its amount goes back to the call."""
        require(check(by, Permission.CALL_DECIDE))
        with self._db.decide() as tx:
            found = self._known(tx, award)
            require(rules.check_lapsing(found, self._clock.now()))
            return self._settle(tx, by, found, "lapse")

    def return_within(self, tx: Connection, by: Actor, award: str, amounts: Amounts) -> None:
        """Put back what an accepted award's grant no longer needs.

        For the process that ends or shrinks the grant: it runs in that decision's transaction, and is to be
        given no more than the grant had left unused.

        Raises:
            Refused: the award was not accepted, or less than that is still granted under it.
        """
        found = self._known(tx, award)
        call = self._call(tx, found.call)
        held = account.granted(queries.postings(tx, found.call), award)
        units = amounts.units()
        if any(not 0 <= amount <= held.get(unit, 0) for unit, amount in units.items()):
            reason = "More cannot be returned than is granted under this award."
            raise Refused(Refusal("admissions/not-granted", reason, {"granted": held, "returned": units}))
        pooled = call.file.after.second_chance
        self._post(tx, found.call, account.freed(amounts, Cause.RETURNED, award, second_chance=pooled))
        data: dict[str, Json] = {"award": award, "call": found.call, "person": found.person}
        self._say(tx, by, "admissions.award.returned", data | {"amounts": amounts.to_json(), "pooled": pooled})

    def my_awards(self, by: Actor) -> list[Award]:
        """Return one's own awards."""
        with self._db.read() as tx:
            return queries.awards_of(tx, by.id)

    def award(self, by: Actor, award: str) -> Award:
        """Return one award: one's own, or any for who may read applications."""
        with self._db.read() as tx:
            found = self._known(tx, award)
            if found.person == by.id or not may(by, Permission.APPLICATION_READ):
                return self._award(tx, by, award)
            self._unblinded(tx, by, self._call(tx, found.call))
            return found

    def awards(self, by: Actor, call: str) -> list[Award]:
        """Return a call's awards."""
        require(check(by, Permission.APPLICATION_READ))
        with self._db.read() as tx:
            found = self._call(tx, call)
            self._unblinded(tx, by, found)
            return queries.awards(tx, found.id)

    def overdue(self, by: Actor) -> list[Award]:
        """Return the offers past their date, in all calls: until a person takes one back, it can still be accepted."""
        require(check(by, Permission.CALL_DECIDE))
        now = self._clock.now()
        with self._db.read() as tx:
            return [each for each in queries.awards_offered(tx) if rules.may_lapse(each, now)]

    def used_by_award(self, call: str) -> list[str]:
        """Return the awards of a call that were accepted: whose grants' meters say what was used of its budget."""
        with self._db.read() as tx:
            return [each.id for each in queries.awards(tx, call) if each.state is AwardState.ACCEPTED]

    def _settle(self, tx: Connection, by: Actor, found: Award, act: str) -> Award:
        require(machines.AWARD.check(found.state, act))
        values = {"state": machines.AWARD.after(found.state, act).value, "settled_at": self._clock.now()}
        tx.execute(tables.award.update().where(tables.award.c.id == found.id).values(values))
        file = self._call(tx, found.call).file
        now = file.first_tranche(found.amounts) if act == "accept" else found.amounts
        if act == "accept":
            moved = account.accepted(found.amounts, now, found.id)
        else:
            moved = account.freed(found.amounts, _CAUSES[act], found.id, second_chance=file.after.second_chance)
        self._post(tx, found.call, moved)
        decided = queries.decision(tx, found.application)
        data: dict[str, Json] = {
            "award": found.id,
            "application": found.application,
            "call": found.call,
            "person": found.person,
            "stage": found.stage,
            "tier": found.tier,
            "amounts": now.to_json(),  # of what was accepted, the first tranche: the rest is held
            "held": account.less(found.amounts, now).to_json(),
            "days": found.days,
            "terms": found.terms,
            "decided_by": decided.decided_by if decided else by.id,
        }
        self._say(tx, by, _EVENTS[act], data)
        return self._known(tx, found.id)
