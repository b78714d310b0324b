"""The members of a grant's project."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Router, delete, get, post
from msgspec import Meta

from readingroom.access.model import Member
from readingroom.app.house import House
from readingroom.app.projects import invite, team
from readingroom.people.model import Actor


class Invited(msgspec.Struct, forbid_unknown_fields=True):
    """Whom to invite."""

    email: Annotated[str, Meta(max_length=254)]


@get("/grants/{grant:str}/members", sync_to_thread=True, summary="Who is of a grant's project")
def members(grant: str, house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return the members, to the holder and the lab with what each used, to a member with their own."""
    return [each.to_json() for each in team(house, actor, house.access.grant(actor, grant))]


@post("/grants/{grant:str}/members", sync_to_thread=True, summary="Invite somebody to the project")
def add(grant: str, data: Invited, house: House, actor: Actor) -> dict[str, Any]:
    """Invite somebody; they are of the project once they say yes."""
    return _shown(invite(house, actor, grant, data.email))


@delete("/grants/{grant:str}/members/{person:str}", status_code=200, sync_to_thread=True, summary="Remove a member")
def remove(grant: str, person: str, house: House, actor: Actor) -> dict[str, Any]:
    """Remove a member, or leave oneself; their keys end at once."""
    return _shown(house.access.remove(actor, grant, person))


@post("/grants/{grant:str}/join", status_code=200, sync_to_thread=True, summary="Say yes to an invitation")
def join(grant: str, house: House, actor: Actor) -> dict[str, Any]:
    """Join a project to which one was invited."""
    return _shown(house.access.join(actor, grant))


@post("/grants/{grant:str}/decline", status_code=200, sync_to_thread=True, summary="Say no to an invitation")
def decline(grant: str, house: House, actor: Actor) -> dict[str, Any]:
    """Decline an invitation."""
    return _shown(house.access.decline(actor, grant))


@get("/invitations/mine", sync_to_thread=True, summary="Invitations that wait for my answer")
def invitations(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return the projects to which the caller is invited."""
    return [{**_shown(member), "project": grant.name} for member, grant in house.access.invitations(actor)]


def _shown(member: Member) -> dict[str, Any]:
    state = "member" if member.belongs else "invited" if member.is_asked else "left"
    return {"grant": member.grant_id, "person": member.person, "state": state}


router = Router("/", route_handlers=[members, add, remove, join, decline, invitations], tags=["access"])
