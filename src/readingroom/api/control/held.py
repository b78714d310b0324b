"""What is held of a person: shown, and erased."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from msgspec import Meta

from readingroom.app import erasing
from readingroom.app.house import House
from readingroom.core.refusal import require
from readingroom.people.model import Actor, Basis
from readingroom.people.rules import Permission, check


class Erasure(msgspec.Struct, forbid_unknown_fields=True):
    """Whom to erase, and why."""

    email: Annotated[str, Meta(max_length=254)]
    basis: Basis


class Sure(msgspec.Struct, forbid_unknown_fields=True):
    """One's own address, typed again."""

    email: Annotated[str, Meta(max_length=254)]


@get("/me/held", sync_to_thread=True, summary="Everything held of me")
def held(house: House, actor: Actor) -> dict[str, Any]:
    """Return every row of the database that is the caller's, by table."""
    return house.held.show(actor, actor.id)


@post("/me/erase", status_code=200, sync_to_thread=True, summary="Erase me")
def erase_me(data: Sure, house: House, actor: Actor) -> dict[str, Any]:
    """Erase the caller, once nothing of theirs stands any more; it cannot be undone."""
    return {"erased": erasing.erase_self(house, actor, data.email)}


@post("/persons/erase", status_code=200, sync_to_thread=True, summary="Erase a person")
def erase(data: Erasure, house: House, actor: Actor) -> dict[str, Any]:
    """Erase somebody, once nothing of theirs stands any more; it cannot be undone."""
    require(check(actor, Permission.PERSON_ERASE))  # before anybody is looked up by name
    return {"erased": erasing.erase(house, actor, house.people.named(data.email).id, data.basis)}


router = Router("/", route_handlers=[held, erase_me, erase], tags=["people"])
