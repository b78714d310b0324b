"""After a restoring: what came back, who has answered for the gap, and the forms that lift the suspension."""

from __future__ import annotations

from typing import Any

from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.access.rules import RESTORE_QUORUM, may_change_grant
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.gateway import queries as gateway
from readingroom.people.rules import Permission
from readingroom.web.browser import Form, Visitor, back_to, check_form, page
from readingroom.web.forms import Told, told
from readingroom.web.pages.account import Posted

_LABELS = {"reason": ("reason", "What is known"), "checkpoint": ("checkpoint", "Checkpoint")}
_MATCH_LABELS = {"reason": ("why", "Where it was kept"), "checkpoint": ("checkpoint", "Checkpoint")}


@get("/steward/restoration", sync_to_thread=True)
def restoration(who: Visitor) -> Template:
    """Show what came back, and who has confirmed the gap."""
    who.needs(Permission.RESTORE_LIFT)
    return _page(who)


def _page(who: Visitor, typed: Form | None = None, problems: list[Told] | None = None) -> Template:
    house = who.house
    with house.db.read() as tx:
        readings = gateway.readings(tx)
    names = house.oversight.names(who.actor)
    grants = [
        (each, names.get(each.id, each.holder), readings.get(each.id), may_change_grant(each.state, "revoke"))
        for each in house.access.grants(who.actor)
    ]
    return page(
        who,
        "steward/restoration.html",
        400 if problems else 200,
        grants=grants,
        needed=RESTORE_QUORUM,
        typed=typed or {},
        problems=problems or [],
    )


@post("/steward/restoration/confirm", sync_to_thread=True)
def confirm(who: Visitor, data: Posted) -> Response[Any] | Template:
    """Confirm the gap, for oneself."""
    check_form(who, data)
    try:
        who.house.restorations.confirm(who.actor, data.get("reason", ""))
    except (BadInput, Refused) as fault:
        who.needs(Permission.RESTORE_LIFT)
        return _page(who, data, told(fault, _LABELS))
    return back_to("/steward/restoration")


@post("/steward/restoration/match", sync_to_thread=True)
def match(who: Visitor, data: Posted) -> Response[Any] | Template:
    """Show the newest checkpoint that left the house."""
    check_form(who, data)
    note = data.get("checkpoint", "").replace("\r\n", "\n").strip() + "\n"  # as a browser sends what was pasted
    try:
        who.house.restorations.match(who.actor, note.encode(), data.get("reason", ""))
    except (BadInput, Refused) as fault:
        who.needs(Permission.RESTORE_LIFT)
        return _page(who, data, told(fault, _MATCH_LABELS))
    return back_to("/steward/restoration")


router = Router("/", route_handlers=[restoration, confirm, match], include_in_schema=False)
