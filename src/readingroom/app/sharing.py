"""What holders do with what they have of a call's budget: give back, pass on; and how much of it all was used."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.engine import Connection

from readingroom.access import queries as access
from readingroom.access.adjusting import is_over
from readingroom.access.model import Grant
from readingroom.admissions import queries as admissions
from readingroom.admissions.account import of_units
from readingroom.admissions.model import Amounts as Awarded
from readingroom.app.house import House
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.gateway import meter
from readingroom.gateway import queries as gateway
from readingroom.people import queries as people
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check


def award_of(house: House, by: Actor, grant_id: str) -> str:
    """Return the award from which a grant was made; one's own, or any for who may read grants."""
    grant = house.access.grant(by, grant_id)
    if grant.award_id is None:
        reason = "This grant was issued outside a call: nothing of a call's budget is in it."
        raise Refused(Refusal("admissions/no-award", reason, {"grant": grant_id}))
    return grant.award_id


def give_up(house: House, by: Actor, grant_id: str, passes: int | None) -> Grant:
    """Give back what a grant does not need, to its call: by its holder, or, of one that is over, by who decides.

    Args:
        house: the house.
        by: who gives it back.
        grant_id: of which grant.
        passes: how many; other units follow in proportion, as far as they are free. None ends the project: all that
            is free goes back, and so does what is held of later tranches.
    """
    award = award_of(house, by, grant_id)
    with house.db.decide() as tx:
        grant = access.grant(tx, grant_id)
        found = admissions.award(tx, award)
        call = admissions.call(tx, found.call) if found else None
        if grant is None or call is None:
            raise Refused(Refusal("access/no-such-grant", f"No grant {grant_id!r}."))
        if by.id != grant.holder:
            _check_over(tx, house, by, grant)
        free = meter.free(tx, grant_id)
        amounts = _portion(call.file.budget, free, free if passes is None else call.file.amounts(passes).units())
        if passes is None:
            house.admissions.give_up_held_within(tx, award)
        if passes is not None and passes > free.get("passes", 0):
            amounts = call.file.amounts(passes)  # the meter refuses it, and says what is free
        house.admissions.return_within(tx, by, award, amounts)
        return access.grant(tx, grant_id) or grant


def _check_over(tx: Connection, house: House, by: Actor, grant: Grant) -> None:
    require(check(people.actor_now(tx, by), Permission.CALL_DECIDE))
    if not is_over(grant, house.clock.now()):
        reason = "This grant is in force: what it has left is its holder's, who alone can give it back."
        raise Refused(Refusal("admissions/grant-in-force", reason, {"grant": grant.id}))


def _portion(like: Awarded, free: Mapping[str, int], wanted: Mapping[str, int]) -> Awarded:
    portion = {unit: min(wanted.get(unit, 0), free.get(unit, 0)) for unit in like.units()}
    return of_units(portion, like)


def transfer(house: House, by: Actor, source: str, target: str, passes: int) -> Grant:
    """Move unused passes from one own grant to another that lives from the same budget; recorded, and by its holder."""
    one, other = award_of(house, by, source), award_of(house, by, target)
    with house.db.decide() as tx:
        found = admissions.award(tx, one)
        call = admissions.call(tx, found.call) if found else None
        if call is None:
            raise Refused(Refusal("access/no-such-grant", f"No grant {source!r}."))
        free = meter.free(tx, source)
        wanted = call.file.amounts(passes)
        amounts = wanted if passes > free.get("passes", 0) else _portion(call.file.budget, free, wanted.units())
        house.admissions.transfer_within(tx, by, one, other, amounts)
        return _grant(tx, target)


def _grant(tx: Connection, grant_id: str) -> Grant:
    found = access.grant(tx, grant_id)
    assert found is not None  # noqa: S101 - it has just been changed
    return found


def used_of_call(house: House, call: str) -> int:
    """Return how many passes the readers of a call have used so far: the first piece of its budget's bar."""
    awards = house.admissions.used_by_award(call)
    with house.db.read() as tx:
        grants = [access.grant_of_award(tx, each) for each in awards]
        readings = [gateway.reading(tx, each.id) for each in grants if each is not None]
    return sum(each.used.passes for each in readings if each is not None)
