"""Appeals of sanctions: what the access room says of one, handed to the room that hears it."""

from __future__ import annotations

from readingroom.access import queries as access
from readingroom.access.model import Sanction
from readingroom.admissions import queries as admissions
from readingroom.admissions.after import Appeals, Ground
from readingroom.admissions.appeals.model import Appeal, SanctionFact
from readingroom.app.house import House
from readingroom.core.refusal import Refusal, Refused
from readingroom.people.model import Actor


def sanction_terms(house: House, by: Actor, sanction_id: str) -> tuple[Sanction, Appeals]:
    """Return a sanction that is about oneself, and how it is appealed: as the call that made the grant says."""
    found, call = _mine(house, by, sanction_id)
    return found, house.admissions.call(call).file.after.appeals if call else Appeals()


def appeal_sanction(house: House, by: Actor, sanction_id: str, ground: Ground, text: str) -> Appeal:
    """Appeal a sanction that is about oneself, by the rules of the call that made the grant."""
    found, call = _mine(house, by, sanction_id)
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


def _mine(house: House, by: Actor, sanction_id: str) -> tuple[Sanction, str]:
    """Find a sanction that is about oneself, and the call whose grant it is on; no call for one at discretion."""
    found = next((each for each in house.access.my_sanctions(by) if each.id == sanction_id), None)
    if found is None:
        raise Refused(Refusal("access/no-such-sanction", "No such sanction is about you."))
    with house.db.read() as tx:
        grant = access.grant(tx, found.grant_id) if found.grant_id else None
        award = admissions.award(tx, grant.award_id) if grant and grant.award_id else None
    return found, award.call if award else ""
