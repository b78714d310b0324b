"""Texts that are kept for investigations: how many, of whom; read on record; erased."""

from __future__ import annotations

from typing import Any

from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.people import queries as people
from readingroom.people.rules import Permission
from readingroom.web.browser import Form, Visitor, back_to, check_form, page
from readingroom.web.forms import Told, told
from readingroom.web.pages.account import Posted

_LABELS = {"reason": ("reason", "Reason"), "receipts": ("chosen", "Calls")}
MOST_READINGS = 100  # that the page shows; `readingroom text readings` shows all


@get("/steward/texts", sync_to_thread=True)
def texts(who: Visitor) -> Template:
    """Show how many texts are kept of each grant, and who read any."""
    who.needs(Permission.TEXT_READ, Permission.REGISTER_READ)
    found = who.house.investigations
    return page(
        who,
        "steward/texts.html",
        counts=found.counts(who.actor) if who.may(Permission.TEXT_READ) else {},
        readings=found.readings(who.actor)[:MOST_READINGS] if who.may(Permission.REGISTER_READ) else [],
        names=_names(who),
        persons=_persons(who),
    )


def _persons(who: Visitor) -> dict[str, str]:
    with who.house.db.read() as tx:
        return {name: each.name or each.email for name, each in people.persons(tx).items()}


def _names(who: Visitor) -> dict[str, str]:
    if not who.may(Permission.REGISTER_READ):
        return {}
    return who.house.oversight.names(who.actor)


@get("/steward/texts/{grant:str}", sync_to_thread=True)
def kept(who: Visitor, grant: str) -> Template:
    """Show what is kept of a grant, without the texts."""
    who.needs(Permission.TEXT_READ)
    return _kept(who, grant)


def _kept(who: Visitor, grant: str, typed: Form | None = None, problems: list[Told] | None = None) -> Template:
    found = who.house.investigations.listed(who.actor, grant)
    status = 400 if problems else 200
    given = typed or {}
    name = _names(who).get(grant, grant)
    return page(
        who, "steward/kept.html", status, grant=grant, reader=name, listed=found, typed=given, problems=problems or []
    )


@post("/steward/texts/{grant:str}/read", status_code=200, sync_to_thread=True)
def read(who: Visitor, grant: str, data: Posted) -> Template:
    """Read the chosen texts, on record."""
    check_form(who, data)
    # One field per call: a form that names the same field twice would keep only its last.
    chosen = [name.removeprefix("read-") for name in data if name.startswith("read-")]
    try:
        found = who.house.investigations.read(who.actor, chosen, data.get("reason", ""))
    except (BadInput, Refused) as fault:
        who.needs(Permission.TEXT_READ)
        return _kept(who, grant, data, told(fault, _LABELS))
    return page(who, "steward/opened.html", grant=grant, reader=_names(who).get(grant, grant), found=found)


@get("/steward/texts/{grant:str}/erase", sync_to_thread=True)
def erase_page(who: Visitor, grant: str) -> Template:
    """Ask before all that is kept of a grant is erased."""
    who.needs(Permission.TEXT_ERASE)
    return _erasing(who, grant)


def _erasing(who: Visitor, grant: str, typed: Form | None = None, problems: list[Told] | None = None) -> Template:
    count = len(who.house.investigations.listed(who.actor, grant))
    status, given = 400 if problems else 200, typed or {}
    name = _names(who).get(grant, grant)
    return page(
        who, "steward/erase.html", status, grant=grant, reader=name, count=count, typed=given, problems=problems or []
    )


@post("/steward/texts/{grant:str}/erase", sync_to_thread=True)
def erase(who: Visitor, grant: str, data: Posted) -> Response[Any] | Template:
    """Erase all that is kept of a grant."""
    check_form(who, data)
    try:
        who.house.investigations.erase(who.actor, grant, data.get("reason", ""))
    except (BadInput, Refused) as fault:
        who.needs(Permission.TEXT_ERASE)
        return _erasing(who, grant, data, told(fault, _LABELS))
    return back_to("/steward/texts")


router = Router("/", route_handlers=[texts, kept, read, erase_page, erase], include_in_schema=False)
