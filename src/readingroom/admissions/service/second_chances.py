"""Second chances: what came back is offered down the published list, by a person's act."""

from __future__ import annotations

from readingroom.admissions import account, queries, second_chance
from readingroom.admissions.account import Cause
from readingroom.admissions.allocation import Sheet
from readingroom.admissions.model import ApplicationState, Award, CallState
from readingroom.admissions.service.deciding import Deciding
from readingroom.core.canonical import Json
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.people import queries as people
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check


class SecondChances(Deciding):
    """Use cases around the second-chance pool."""

    def second_chance(self, by: Actor, call: str) -> Award:
        """Offer what is in the pool to the next on the ranked list as it was fixed; the order decides, not who acts."""
        with self._db.decide() as tx:
            require(check(people.actor_now(tx, by), Permission.CALL_DECIDE))
            found = self._call(tx, call)
            self._impartial(tx, by, call)
            if found.state is not CallState.PUBLISHED:
                reason = (
                    "There is no published list here. Without a competition, open a child call: kind: second-chance."
                )
                raise Refused(Refusal("admissions/nobody-waits", reason, {"state": found.state.value}))
            sheets = [Sheet.read(each) for each in queries.allocation(tx, call)["sheets"]]
            applications = {each.id: each for each in queries.applications(tx, call)}
            waiting = [each.id for each in applications.values() if each.state is ApplicationState.REFUSED]
            pool = {unit: each.pool for unit, each in queries.budget(tx, call).items()}
            chosen = second_chance.next_in_line(found.file, sheets, waiting, pool)
            if isinstance(chosen, Refusal):
                raise Refused(chosen)
            application = applications[chosen.application]
            self._move(tx, application, "second-chance")
            drawn = account.postings(chosen.amounts, Cause.DRAWN)
            self._post(tx, call, [*drawn, *self._offer(tx, by, found, application, chosen.amounts)])
            data: dict[str, Json] = {"call": call, "application": application.id, "person": application.person}
            data |= {"rank": chosen.rank, "amounts": chosen.amounts.to_json()}
            self._say(tx, by, "admissions.application.second-chance", data)
            return next(each for each in queries.awards(tx, call) if each.application == application.id)
