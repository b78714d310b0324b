"""Accounts and sign-in."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from msgspec import Meta

from readingroom.app.house import House
from readingroom.people.model import Actor

Email = Annotated[str, Meta(max_length=254, description="an e-mail address", examples=["ada@example.org"])]
Line = Annotated[str, Meta(max_length=200)]


class Registration(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody who wants an account to apply with."""

    email: Email
    name: Line = ""
    affiliation: Line = ""


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    """The secret of a one-time sign-in link."""

    link: Annotated[str, Meta(max_length=200)]


@post("/register", status_code=202, sync_to_thread=True, summary="Ask for an account")
def register(data: Registration, house: House) -> dict[str, Any]:
    """Make an account and send a one-time sign-in link to its address; the answer is the same if there is one."""
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


router = Router("/", route_handlers=[register, sign_in, me], tags=["people"])
