"""Appeals of sanctions: what the access room says of one, handed to the room that hears it."""

from __future__ import annotations

from typing import Any

from readingroom.access import queries as access
from readingroom.access.model import Sanction
from readingroom.admissions import queries as admissions
from readingroom.admissions.after import Appeals, Ground
from readingroom.admissions.appeals.model import Appeal, SanctionFact, Subject
from readingroom.app import holding
from readingroom.app.house import House
from readingroom.core.refusal import Refusal, Refused
from readingroom.people.model import Actor


def appeal_sanction(house: House, by: Actor, sanction_id: str, ground: Ground, text: str) -> Appeal:
    """Appeal a sanction that is about oneself, by the rules of the call that made the grant."""
    found, call = _about(house, by, sanction_id)
    fact = SanctionFact(
        id=found.id,
        person=by.id,
        grant=found.grant_id or "",
        kind=found.kind.value,
        reason=found.reason.value,
        decided_by=(found.decided_by,),
        decided_at=found.decided_at,
    )
    return house.admissions.appeal_sanction(by, fact, call, ground, text)


def how_to_appeal(house: House, by: Actor, sanction_id: str) -> tuple[Sanction, Appeals]:
    """Return a sanction that is about oneself, and by which rules it is appealed."""
    found, call = _about(house, by, sanction_id)
    return found, house.admissions.call(call).file.after.appeals if call else Appeals()


def shown(house: House, by: Actor, appeal: str) -> tuple[Appeal, Sanction | None]:
    """Return an appeal of one's own or that one may hear, and the sanction that it is about.

    Whoever hears it has to see what it rests on: the notice, the evidence and the lab's own note, without any other
    right to read sanctions.
    """
    found = house.admissions.appeal(by, appeal)
    if found.kind is not Subject.SANCTION:
        return found, None
    with house.db.read() as tx:
        return found, access.sanction(tx, found.subject)


def shown_json(house: House, by: Actor, appeal: str) -> dict[str, Any]:
    """Return the same as JSON; the lab's own note to who hears it alone."""
    found, sanction = shown(house, by, appeal)
    seen = sanction.to_json(house.clock.now(), inside=found.person != by.id) if sanction else found.told
    return holding.appeal_json(found) | {"sanction": seen}


def _about(house: House, by: Actor, sanction_id: str) -> tuple[Sanction, str]:
    """Return a sanction that is about oneself, and the call that made the grant, if one did."""
    found = next((each for each in house.access.my_sanctions(by) if each.id == sanction_id), None)
    if found is None:
        raise Refused(Refusal("access/no-such-sanction", "No such sanction is about you."))
    with house.db.read() as tx:
        grant = access.grant(tx, found.grant_id) if found.grant_id else None
        award = admissions.award(tx, grant.award_id) if grant and grant.award_id else None
    return found, award.call if award else ""
