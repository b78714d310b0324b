"""Grants, keys and terms."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Router, delete, get, post
from msgspec import Meta

from readingroom.access.model import Reason
from readingroom.app.house import House
from readingroom.app.lending import why
from readingroom.app.projects import project_json
from readingroom.app.views import agreement_json, grant_json, terms_json
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check


class Sanction(msgspec.Struct, forbid_unknown_fields=True):
    """Why a grant is suspended, reinstated or revoked."""

    reason: Reason
    note: Annotated[str, Meta(max_length=10_000)] = ""


class Bar(Sanction, forbid_unknown_fields=True, kw_only=True):
    """Who is barred, until when, and why."""

    email: Annotated[str, Meta(max_length=254)]
    until: Annotated[datetime, Meta(tz=True)]


class Accepted(msgspec.Struct, forbid_unknown_fields=True):
    """The hash of the terms that were shown, and the name that was typed to sign."""

    hash: Annotated[str, Meta(max_length=100)]
    name: Annotated[str, Meta(max_length=200)] = ""


@get("/terms", sync_to_thread=True, summary="The terms in force")
def terms(house: House) -> dict[str, Any]:
    """Return the terms' text and its hash."""
    found = house.agreements.in_force()
    if found is None:
        raise Refused(Refusal("access/no-terms", "No terms are published yet; the lab must publish them first."))
    return {**terms_json(found), "published_at": found.published_at}


@get("/terms/map", sync_to_thread=True, summary="What enforces each clause of the terms, as things stand")
def enforcement(house: House) -> list[dict[str, Any]]:
    """Return the map from clauses to enforcement."""
    return [each.to_json() for each in house.agreements.map()]


@get("/terms/changes", sync_to_thread=True, summary="What changed since a version of the terms, clause by clause")
def changes(house: House, since: str = "") -> list[dict[str, Any]]:
    """Return the changes from a version, named by its hash, to the terms in force."""
    return [each.to_json() for each in house.agreements.compared(since)]


@post("/terms/accept", status_code=200, sync_to_thread=True, summary="Accept the terms in force")
def accept(data: Accepted, house: House, actor: Actor) -> dict[str, Any]:
    """Accept the terms, by the hash of the text that was shown."""
    made = house.agreements.accept(actor, data.hash, data.name)
    return {"hash": made.terms_hash, "accepted_at": made.accepted_at}


@get("/terms/mine", sync_to_thread=True, summary="What I have agreed to")
def agreements(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return what the caller has signed: when, by which name, and the very text."""
    return [agreement_json(made, text) for made, text in reversed(house.agreements.signed(actor))]


@get("/grants", sync_to_thread=True, summary="All grants")
def grants(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return every grant, for who may read them."""
    return [grant_json(house, each) for each in house.access.grants(actor)]


@get("/grants/mine", sync_to_thread=True, summary="My grants")
def mine(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return the caller's grants."""
    return [grant_json(house, each) for each in house.access.my_grants(actor)]


@get("/grants/{grant:str}", sync_to_thread=True, summary="One grant")
def show(grant: str, house: House, actor: Actor) -> dict[str, Any]:
    """Return a grant with its meter, its project, its members and its sanctions."""
    return project_json(house, actor, house.access.grant(actor, grant))


@get("/grants/{grant:str}/why", sync_to_thread=True, summary="Is it served now, fact by fact?")
def explain(grant: str, house: House, actor: Actor) -> dict[str, Any]:
    """Return the entitlement function's answer; the gateway asks the same one."""
    return {"grant": grant, **why(house, actor, grant).to_json()}


@post("/grants/{grant:str}/keys", sync_to_thread=True, summary="Make a key; it is shown once")
def issue_key(grant: str, house: House, actor: Actor) -> dict[str, Any]:
    """Make a key for a grant of one's own."""
    made, secret = house.access.issue_key(actor, grant)
    return {"id": made.id, "grant": made.grant_id, "key": secret.reveal()}


@delete("/keys/{key:str}", status_code=200, sync_to_thread=True, summary="End a key at once")
def revoke_key(key: str, house: House, actor: Actor) -> dict[str, Any]:
    """Revoke a key."""
    ended = house.access.revoke_key(actor, key)
    return {"id": ended.id, "grant": ended.grant_id, "ends_at": ended.ends_at}


@post("/grants/{grant:str}/suspend", status_code=200, sync_to_thread=True, summary="Stop a grant for now")
def suspend(grant: str, data: Sanction, house: House, actor: Actor) -> dict[str, Any]:
    """Suspend a grant; flowing streams end."""
    return grant_json(house, house.access.suspend(actor, grant, data.reason, data.note))


@post("/grants/{grant:str}/reinstate", status_code=200, sync_to_thread=True, summary="Put it back in force")
def reinstate(grant: str, data: Sanction, house: House, actor: Actor) -> dict[str, Any]:
    """Reinstate a suspended grant."""
    return grant_json(house, house.access.reinstate(actor, grant, data.reason, data.note))


@post("/grants/{grant:str}/revoke", status_code=200, sync_to_thread=True, summary="End a grant for good")
def revoke(grant: str, data: Sanction, house: House, actor: Actor) -> dict[str, Any]:
    """Revoke a grant; flowing streams end."""
    return grant_json(house, house.access.revoke(actor, grant, data.reason, data.note))


@post("/persons/bar", status_code=200, sync_to_thread=True, summary="Bar a person from all reading until a date")
def bar(data: Bar, house: House, actor: Actor) -> dict[str, Any]:
    """Bar a person; flowing streams end. The reason `error-corrected` puts a standing bar right."""
    require(check(actor, Permission.GRANT_SANCTION))  # before anybody is looked up by name
    person = house.people.named(data.email).id
    house.access.bar(actor, person, data.until, data.reason, data.note)
    return {"person": person, "until": data.until, "reason": data.reason.value}


_GRANTS = [bar, grants, mine, show, explain, issue_key, revoke_key, suspend, reinstate, revoke]
router = Router("/", route_handlers=[terms, enforcement, changes, accept, agreements, *_GRANTS], tags=["access"])
