"""What a member of a project does on their own page: invite, join, leave, remove, and acknowledge a sanction."""

from __future__ import annotations

from typing import Any

from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.access.model import Grant
from readingroom.app.projects import invite, team
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refusal, Refused
from readingroom.web.browser import Visitor, back_to, check_form
from readingroom.web.forms import Confirmation, confirm, told
from readingroom.web.pages.account import Posted
from readingroom.web.pages.reader import my_reading
from readingroom.web.pages.sanctions import show_sanction

_LABELS = {"email": ("email", "E-mail address"), "reply": ("reply", "What you have done about it")}


@post("/my/grants/{grant:str}/invite", sync_to_thread=True)
def invite_member(who: Visitor, grant: str, data: Posted) -> Response[Any] | Template:
    """Invite somebody to a project that one holds."""
    check_form(who, data)
    try:
        invite(who.house, who.actor, grant, data.get("email", ""))
    except (BadInput, Refused) as fault:
        return my_reading(who, problems=told(fault, _LABELS), typed=data)
    return back_to("/my")


@post("/my/grants/{grant:str}/join", sync_to_thread=True)
def join(who: Visitor, grant: str, data: Posted) -> Response[Any]:
    """Answer an invitation."""
    check_form(who, data)
    access = who.house.access
    (access.join if data.get("do") == "join" else access.decline)(who.actor, grant)
    return back_to("/my")


@get("/my/grants/{grant:str}/members/{person:str}/remove", sync_to_thread=True)
def remove_page(who: Visitor, grant: str, person: str) -> Template:
    """Ask before a member is removed, or leaves."""
    who.signed_in()
    found = _mine(who, grant)
    name = next((each.name for each in team(who.house, who.actor, found) if each.person == person), None)
    if name is None:
        raise Refused(Refusal("access/no-such-member", "That person is not a member of this grant's project."))
    leaves = person == who.actor.id
    asked = Confirmation(
        heading=f"Leave {found.name}?" if leaves else f"Remove {name}?",
        said=["Their keys are refused from then on, and answers that are flowing to them stop. Others read on."],
        action=f"/my/grants/{grant}/members/{person}/remove",
        acts=[("remove", f"Leave {found.name}" if leaves else f"Remove {name} from {found.name}")],
        back="/my",
    )
    return confirm(who, asked)


@post("/my/grants/{grant:str}/members/{person:str}/remove", sync_to_thread=True)
def remove(who: Visitor, grant: str, person: str, data: Posted) -> Response[Any]:
    """Remove a member, or leave."""
    check_form(who, data)
    _mine(who, grant)
    who.house.access.remove(who.actor, grant, person)
    return back_to("/my")


@get("/my/sanctions/{sanction:str}", sync_to_thread=True)
def sanction(who: Visitor, sanction: str) -> Template:
    """Show a sanction to whom it is about."""
    who.signed_in()
    return show_sanction(who, sanction, back="/my")


@post("/my/sanctions/{sanction:str}/acknowledge", sync_to_thread=True)
def acknowledge(who: Visitor, sanction: str, data: Posted) -> Response[Any] | Template:
    """Say that one has read it."""
    check_form(who, data)
    try:
        who.house.access.acknowledge(who.actor, sanction, data.get("reply", ""))
    except BadInput as fault:
        return show_sanction(who, sanction, back="/my", problems=told(fault, _LABELS), typed=data)
    return back_to(f"/my/sanctions/{sanction}")


def _mine(who: Visitor, grant_id: str) -> Grant:
    """Find a project of one's own; another's is answered like one that does not exist."""
    found = next((each for each in who.house.access.my_grants(who.actor) if each.id == grant_id), None)
    if found is None:
        raise Refused(Refusal("access/no-such-grant", "You have no grant by this id."))
    return found


_MEMBERS = [invite_member, join, remove_page, remove]
router = Router("/", route_handlers=[*_MEMBERS, sanction, acknowledge], include_in_schema=False)
