"""Awards: accepted, declined, taken back; the account of the call that they come from."""

from __future__ import annotations

from typing import Any

from litestar import Router, get, post

from readingroom.access import queries as access_queries
from readingroom.app import desk, holding
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


@get("/awards/overdue", sync_to_thread=True, summary="Offers that nobody has answered in time")
def overdue(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return the offers past their date, in all calls: each can still be accepted until a person takes it back."""
    return [desk.award_json(each) for each in house.admissions.overdue(actor)]


@get("/calls/{call:str}/account", sync_to_thread=True, summary="Where each unit of a call's budget is")
def account(call: str, house: House) -> dict[str, Any]:
    """Return a call's account; it always adds up, and anyone may see that."""
    return holding.account_json(house, call)


@post("/calls/{call:str}/second-chance", status_code=200, sync_to_thread=True, summary="Offer to the next on the list")
def second_chance(call: str, house: House, actor: Actor) -> dict[str, Any]:
    """Offer what has come back to the next on the published list; its order decides, not who asks."""
    return desk.award_json(house.admissions.second_chance(actor, call))


@post("/calls/{call:str}/give-back", status_code=200, sync_to_thread=True, summary="Give a child call's rest back")
def give_back(call: str, house: House, actor: Actor) -> dict[str, Any]:
    """Give what a child call did not award back to the call that funded it."""
    return {"call": call, "amounts": house.admissions.give_back(actor, call).to_json()}


@post("/calls/{call:str}/free-reserve", status_code=200, sync_to_thread=True, summary="Free a call's reserve")
def free_reserve(call: str, house: House, actor: Actor) -> dict[str, Any]:
    """Let a call's reserve be awarded, once no appeal can need it any more."""
    return {"call": call, "amounts": house.admissions.free_reserve(actor, call).to_json()}


_BUDGET = [account, second_chance, give_back, free_reserve]
router = Router("/", route_handlers=[my_awards, accept, decline, lapse, overdue, *_BUDGET], tags=["admissions"])
