"""The terms with what enforces each clause, and what one has signed."""

from __future__ import annotations

from typing import Any

from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.access.clauses import parse_stored
from readingroom.app.lending import agree
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.web.browser import Visitor, back_to, check_form, page
from readingroom.web.forms import Told, told
from readingroom.web.pages.account import Posted
from readingroom.web.pages.reader import my_reading

_LABELS = {"name": ("name", "Your name")}


@get("/terms", sync_to_thread=True)
def terms(who: Visitor) -> Template:
    """Show the terms in force, and the map from clause to enforcement."""
    found = who.house.agreements.in_force()
    read = parse_stored(found.text) if found else None
    return page(who, "access/terms.html", terms=found, read=read, links=who.house.agreements.map())


@get("/my/agreements", sync_to_thread=True)
def agreements(who: Visitor) -> Template:
    """Show what one has signed: when, and each very text."""
    who.signed_in()
    house = who.house
    signed = [(made, text, parse_stored(text.text)) for made, text in house.agreements.signed(who.actor)]
    return page(who, "access/agreements.html", signed=signed, in_force=house.agreements.in_force())


@post("/my/terms", sync_to_thread=True)
def accept_terms(who: Visitor, data: Posted) -> Response[Any] | Template:
    """Accept the terms by the hash of the text that was shown, signed with one's typed name."""
    check_form(who, data)
    name = data.get("name", "")
    if not name.strip():
        return my_reading(who, problems=[Told("name", "Your name", "Type it to sign.")], typed=data)
    try:
        who.house.agreements.accept(who.actor, data.get("hash", ""), name)
    except (BadInput, Refused) as fault:
        return my_reading(who, problems=told(fault, _LABELS), typed=data)
    return back_to("/my")


@post("/my/grants/{grant:str}/retention", sync_to_thread=True)
def agree_to_retention(who: Visitor, grant: str, data: Posted) -> Response[Any]:
    """Agree to what the grant's stage keeps, by the digest of what was shown."""
    check_form(who, data)
    agree(who.house, who.actor, grant, data.get("digest", ""))
    return back_to("/my")


router = Router("/", route_handlers=[terms, agreements, accept_terms, agree_to_retention], include_in_schema=False)
