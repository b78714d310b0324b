"""Awards: accepted, declined, taken back."""

from __future__ import annotations

from typing import Any

from litestar import Router, get, post

from readingroom.access import queries as access_queries
from readingroom.app import desk
from readingroom.app.house import House
from readingroom.people.model import Actor


@get("/awards/mine", sync_to_thread=True, summary="My awards")
def my_awards(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return the caller's awards."""
    return [desk.award_json(each) for each in house.admissions.my_awards(actor)]


@post("/awards/{award:str}/accept", status_code=200, sync_to_thread=True, summary="Accept an award")
def accept(award: str, house: House, actor: Actor) -> dict[str, Any]:
    """Accept an award; the grant is issued in the same transaction."""
    made = house.admissions.accept_award(actor, award)
    with house.db.read() as tx:
        grant = access_queries.grant_of_award(tx, made.id)
    return {**desk.award_json(made), "grant": grant.id if grant else None}


@post("/awards/{award:str}/decline", status_code=200, sync_to_thread=True, summary="Decline an award")
def decline(award: str, house: House, actor: Actor) -> dict[str, Any]:
    """Decline an award; its amount goes back to the call."""
    return desk.award_json(house.admissions.decline_award(actor, award))


@post("/awards/{award:str}/lapse", status_code=200, sync_to_thread=True, summary="Take back an offer that has run out")
def lapse(award: str, house: House, actor: Actor) -> dict[str, Any]:
    """Take back an offer whose date has passed; its amount goes back to the call."""
    return desk.award_json(house.admissions.lapse_award(actor, award))


router = Router("/", route_handlers=[my_awards, accept, decline, lapse], tags=["admissions"])
