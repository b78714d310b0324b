"""Persons: sign-in for everyone; who may act, for those who manage that."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from msgspec import Meta

from readingroom.api.control.account import FactSaid
from readingroom.app.house import House
from readingroom.app.views import fact_json, person_json, whole_person
from readingroom.people.model import Actor, Role

Email = Annotated[str, Meta(max_length=254, description="an e-mail address", examples=["ada@example.org"])]
Line = Annotated[str, Meta(max_length=200)]


class Registration(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody who wants an account to apply with."""

    email: Email
    name: Line = ""
    affiliation: Line = ""


class NewPerson(Registration, forbid_unknown_fields=True):
    """Somebody who gets roles, now or later; adding someone again adds the roles."""

    roles: Annotated[list[Role], Meta(max_length=20)] = []


class RoleChange(msgspec.Struct, forbid_unknown_fields=True):
    """One role, given or taken."""

    email: Email
    role: Role
    give: bool


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    """The secret of a one-time sign-in link."""

    link: Annotated[str, Meta(max_length=200)]


@post("/register", status_code=202, sync_to_thread=True, summary="Ask for a sign-in link")
def register(data: Registration, house: House) -> dict[str, Any]:
    """Send a link to an address; using it makes the account. The answer is the same where there is one already."""
    house.welcome(data.email, data.name, data.affiliation)
    return {"sent": True}


@post("/sign-in", status_code=200, sync_to_thread=True, summary="Turn a one-time link into a session")
def sign_in(data: SignIn, house: House) -> dict[str, Any]:
    """Redeem a link; it works once within 24 hours. The session lasts twelve hours."""
    session = house.people.sign_in(data.link)
    person = house.people.session(session)
    roles = sorted(role.value for role in person.roles) if person else []
    return {"session": session, "person": person.id if person else "", "roles": roles}


@get("/me", sync_to_thread=True, summary="Who am I?")
def me(actor: Actor) -> dict[str, Any]:
    """Return the caller's pseudonym and roles."""
    return {"person": actor.id, "roles": sorted(role.value for role in actor.roles)}


@get("/persons", sync_to_thread=True, summary="All persons and their roles")
def persons(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return everyone, for who may manage persons."""
    return [person_json(each) for each in house.people.everyone(actor)]


@post("/persons", sync_to_thread=True, summary="Add a person, or roles to one")
def add(data: NewPerson, house: House, actor: Actor) -> dict[str, Any]:
    """Add a person with roles; a name or affiliation that is given corrects the one on record."""
    made = house.people.add(actor, data.email, name=data.name, affiliation=data.affiliation, roles=data.roles)
    return person_json(made)


@post("/persons/role", status_code=200, sync_to_thread=True, summary="Give or take one role")
def change_role(data: RoleChange, house: House, actor: Actor) -> dict[str, Any]:
    """Give or take one role of a person who is known here."""
    return person_json(house.people.change_role(actor, data.email, data.role, add=data.give))


class Merge(msgspec.Struct, forbid_unknown_fields=True):
    """Two accounts, by ids or addresses, and how it is known that they are one person's."""

    one: Email
    other: Email
    reason: Annotated[str, Meta(max_length=10_000)]


class Confirmed(msgspec.Struct, forbid_unknown_fields=True):
    """Until when what was confirmed is valid; without, as it was said."""

    until: Annotated[datetime, Meta(tz=True)] | None = None


@get("/persons/{person:str}", sync_to_thread=True, summary="One person")
def show(person: str, house: House, actor: Actor) -> dict[str, Any]:
    """Return a person by any pseudonym of theirs, with ways to sign in and what is known of them."""
    return whole_person(house, actor, person)


@post("/persons/merge", status_code=200, sync_to_thread=True, summary="Make two accounts of one person one, for good")
def merge(data: Merge, house: House, actor: Actor) -> dict[str, Any]:
    """Merge; the older stays, and the younger one's ways to sign in are taken off. It cannot be undone."""
    return person_json(house.people.merge(actor, data.one, data.other, data.reason))


@post("/persons/{person:str}/facts", sync_to_thread=True, summary="Add an affiliation or a credential of somebody")
def add_fact(person: str, data: FactSaid, house: House, actor: Actor) -> dict[str, Any]:
    """Add what one has looked at."""
    return fact_json(house.people.add_fact(actor, person, data.claim()), house.clock.now())


@post("/facts/{fact:str}/confirm", status_code=200, sync_to_thread=True, summary="Confirm what somebody said")
def confirm_fact(fact: str, data: Confirmed, house: House, actor: Actor) -> dict[str, Any]:
    """Confirm a claim; nobody confirms their own."""
    return fact_json(house.people.confirm_fact(actor, fact, data.until), house.clock.now())


@post("/facts/{fact:str}/end", status_code=200, sync_to_thread=True, summary="End an affiliation or a credential")
def end_fact(fact: str, house: House, actor: Actor) -> dict[str, Any]:
    """End it now: one's own, or anybody's for who may manage persons."""
    return fact_json(house.people.end_fact(actor, fact), house.clock.now())


_FACTS = [add_fact, confirm_fact, end_fact]
router = Router(
    "/", route_handlers=[register, sign_in, me, persons, add, change_role, show, merge, *_FACTS], tags=["people"]
)
