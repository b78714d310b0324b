"""What a steward knows of persons: affiliations, credentials, and which accounts are one person's."""

from __future__ import annotations

from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.core.errors import BadInput, Problem
from readingroom.core.refusal import Refused
from readingroom.people.model import Person
from readingroom.web.browser import Visitor, back_to, check_form, page
from readingroom.web.forms import Told, told
from readingroom.web.pages.account import Posted
from readingroom.web.pages.my_account import claimed
from readingroom.web.pages.people import show_person, the_person

_FACT = {
    "kind": ("kind", "What it is"),
    "body": ("body", "Institution, or who issued it"),
    "until": ("valid-until", "Valid until"),
}
_MERGE = {"reason": ("reason", "How you know"), "other": ("other", "The other account")}


@post("/people/{person:str}/facts", status_code=200, sync_to_thread=True)
def add(who: Visitor, person: str, data: Posted) -> Response[None] | Template:
    """Add an affiliation or a credential of somebody."""
    check_form(who, data)
    the_person(who, person)
    try:
        who.house.people.add_fact(who.actor, person, claimed(data))
    except BadInput as bad:
        return show_person(who, person, data, told(bad, _FACT))
    return back_to(f"/people/{person}")


@post("/people/{person:str}/facts/{fact:str}", status_code=200, sync_to_thread=True)
def judge(who: Visitor, person: str, fact: str, data: Posted) -> Response[None] | Template:
    """Confirm what somebody said of themselves, or end what is known."""
    check_form(who, data)
    the_person(who, person)
    if data.get("do") not in {"confirm", "end"}:
        raise BadInput([Problem("do", "is nothing that can be done here", "Confirm it, or end it")])
    try:
        if data["do"] == "end":
            who.house.people.end_fact(who.actor, fact)
        else:
            who.house.people.confirm_fact(who.actor, fact)
    except (BadInput, Refused) as fault:
        return show_person(who, person, data, told(fault, _FACT))
    return back_to(f"/people/{person}")


@get("/people/{person:str}/merge", sync_to_thread=True)
def merge_page(who: Visitor, person: str, other: str = "") -> Template:
    """Ask before two accounts become one, showing both."""
    return _merge_page(who, the_person(who, person), other, "", [])


def _merge_page(who: Visitor, one: Person, typed: str, reason: str, problems: list[Told]) -> Template:
    everyone = who.house.people.everyone(who.actor)
    wanted = typed.strip().lower()
    other = next((each for each in everyone if wanted in {each.id, *each.addresses}), None) if wanted else None
    if wanted and other is None and not problems:
        problems = [
            Told("other", "The other account", "Nobody here has this address or id. Write it as the list has it.")
        ]
    return page(
        who, "people/merge.html", 400 if problems else 200, one=one, other=other, typed=typed, reason=reason,
        problems=problems,
    )  # fmt: skip


@post("/people/{person:str}/merge", status_code=200, sync_to_thread=True)
def merge(who: Visitor, person: str, data: Posted) -> Response[None] | Template:
    """Make two accounts one, for good."""
    check_form(who, data)
    one, other, reason = the_person(who, person), data.get("other", ""), data.get("reason", "")
    try:
        made = who.house.people.merge(who.actor, one.id, other, reason)
    except (BadInput, Refused) as fault:
        return _merge_page(who, one, other, reason, told(fault, _MERGE))
    return back_to(f"/people/{made.id}")


router = Router("/", route_handlers=[add, judge, merge_page, merge], include_in_schema=False)
