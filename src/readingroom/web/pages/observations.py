"""Reports of readers: the form and one's own, and the lab's list."""

from __future__ import annotations

from typing import Any

from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.core.errors import BadInput, Problem
from readingroom.core.refusal import Refused
from readingroom.oversight.observation import Kind
from readingroom.people import queries as people
from readingroom.people.rules import Permission
from readingroom.web.browser import Form, Visitor, back_to, check_form, page
from readingroom.web.forms import Told, told
from readingroom.web.pages.account import Posted

_LABELS = {"kind": ("kind", "What it is"), "text": ("text", "What you saw"), "answer": ("answer", "Answer")}


@get("/my/reports", sync_to_thread=True)
def mine(who: Visitor) -> Template:
    """Show one's own reports with what became of each, and the form for another."""
    return _mine(who)


def _mine(who: Visitor, typed: Form | None = None, problems: list[Told] | None = None) -> Template:
    who.signed_in()
    return page(
        who,
        "observations/mine.html",
        400 if problems else 200,
        found=who.house.observations.mine(who.actor),
        grants=who.house.access.my_grants(who.actor),
        kinds=list(Kind),
        typed=typed or {},
        problems=problems or [],
    )


@post("/my/reports", sync_to_thread=True)
def report(who: Visitor, data: Posted) -> Response[Any] | Template:
    """Report what one saw."""
    check_form(who, data)
    try:
        who.house.observations.report(who.actor, _kind(data), data.get("text", ""), data.get("grant", ""))
    except (BadInput, Refused) as fault:
        return _mine(who, data, told(fault, _LABELS))
    return back_to("/my/reports")


def _kind(data: Form) -> Kind:
    if (chosen := data.get("kind", "")) not in set(Kind):
        raise BadInput([Problem("kind", "what it is must be chosen", f"Choose one of: {', '.join(Kind)}")])
    return Kind(chosen)


@get("/steward/reports", sync_to_thread=True)
def waiting(who: Visitor) -> Template:
    """Show what readers reported, what waits for an answer first."""
    return _waiting(who)


def _waiting(who: Visitor, typed: Form | None = None, problems: list[Told] | None = None) -> Template:
    who.needs(Permission.OBSERVATION_HANDLE)
    found = who.house.observations.all(who.actor)
    with who.house.db.read() as tx:
        persons = people.persons(tx)
    names = {each.person: persons[each.person].name for each in found if each.person in persons}
    status = 400 if problems else 200
    return page(
        who, "observations/all.html", status, found=found, names=names, typed=typed or {}, problems=problems or []
    )


@post("/steward/reports/{observation:str}", sync_to_thread=True)
def answer(who: Visitor, observation: str, data: Posted) -> Response[Any] | Template:
    """Answer a report."""
    check_form(who, data)
    try:
        who.house.observations.answer(who.actor, observation, data.get("answer", ""))
    except (BadInput, Refused) as fault:
        return _waiting(who, {**data, "observation": observation}, told(fault, _LABELS))
    return back_to("/steward/reports")


router = Router("/", route_handlers=[mine, report, waiting, answer], include_in_schema=False)
