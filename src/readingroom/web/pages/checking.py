"""The desk's first looks: forms in order or not eligible, late ones admitted, the sift and who owes reviews."""

from __future__ import annotations

from typing import Any

from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.admissions.model import FORMAL, Reason
from readingroom.core.errors import BadInput, Problem
from readingroom.core.numbers import whole
from readingroom.core.refusal import Refused
from readingroom.people.rules import Permission
from readingroom.web.browser import Form, Visitor, back_to, check_form, page
from readingroom.web.forms import Told, told
from readingroom.web.pages.account import Posted

MOST = 200  # rows; the next come up as these are decided
_LABELS = {"note": ("note", "In words"), "reason": ("reason", "Reason")}
_HEADINGS = {
    "ineligible": "Not eligible?",
    "admit": "Admit this late application?",
    "sift-out": "Does it go no further?",
    "sift-keep": "Let it go on to full review?",
    "drop": "Take its place for reviews not given?",
}
_SAID = {
    "ineligible": "It is refused on its form alone, before anybody reviews it. The applicant is told the reason.",
    "admit": "It counts as if it had come in time. Whoever came in time may ask why.",
    "sift-out": "It is under the line of the sift. Only your decision ends it here; the applicant is told why.",
    "sift-keep": "It is under the line of the sift, and is reviewed in full all the same.",
    "drop": "Its applicant has not given the reviews that all applicants give. Only your decision takes the place.",
}


@post("/desk/calls/{call:str}/forms", sync_to_thread=True)
def forms(who: Visitor, call: str, data: Posted) -> Response[Any]:
    """Find forms in order: the one that is named, or all that the page listed."""
    check_form(who, data)
    named = [each for each in data.get("applications", "").split(",") if each]
    who.house.admissions.check_forms(who.actor, call, named)
    return back_to(f"/desk/calls/{call}")


@get("/desk/applications/{application:str}/{act:str}/why", sync_to_thread=True)
def why_page(who: Visitor, application: str, act: str) -> Template:
    """Ask for the reason before an act on one application."""
    return _why(who, application, act, {}, [])


def _why(who: Visitor, application: str, act: str, typed: Form, problems: list[Told]) -> Template:
    who.needs(Permission.CALL_OPEN if act == "admit" else Permission.CALL_DECIDE)
    _known(act)
    found = who.house.admissions.application(who.actor, application)
    shown = {
        "application": found,
        "call": who.house.admissions.call(found.call),
        "lacks": who.house.admissions.lacks(who.actor, application) if act == "ineligible" else (),
        "act": act,
        "heading": _HEADINGS[act],
        "said": _SAID[act],
        "reasons": sorted(each.value for each in FORMAL) if act == "ineligible" else [],
        "typed": typed,
        "problems": problems,
    }
    return page(who, "desk/why.html", 400 if problems else 200, **shown)


def _known(act: str) -> None:
    if act not in _HEADINGS:
        raise BadInput([Problem("act", "is nothing that can be done here", f"It can be: {', '.join(_HEADINGS)}")])


@post("/desk/applications/{application:str}/{act:str}/why", sync_to_thread=True)
def why(who: Visitor, application: str, act: str, data: Posted) -> Response[Any] | Template:
    """Do it, with the reason."""
    check_form(who, data)
    _known(act)
    note, admissions = data.get("note", ""), who.house.admissions
    acts = {
        "admit": admissions.admit_late,
        "sift-out": admissions.sift_out,
        "sift-keep": admissions.sift_keep,
        "drop": admissions.drop_for_debt,
    }
    try:
        if act == "ineligible":
            admissions.find_ineligible(who.actor, application, _reason(data), note)
        else:
            acts[act](who.actor, application, note)
    except (BadInput, Refused) as fault:
        return _why(who, application, act, data, told(fault, _LABELS))
    return back_to(f"/desk/calls/{admissions.application(who.actor, application).call}")


def _reason(data: Form) -> Reason:
    chosen = data.get("reason", "")
    if chosen not in {each.value for each in FORMAL}:
        raise BadInput([Problem("reason", "must be chosen", "The applicant is told")])
    return Reason(chosen)


@get("/desk/calls/{call:str}/sift", sync_to_thread=True)
def sift(who: Visitor, call: str) -> Template:
    """Show what the sift says: what is under the line waits for a person."""
    who.needs(Permission.APPLICATION_READ)
    tallies = who.house.admissions.sift_tally(who.actor, call)
    below = [each for each in tallies if each.below]
    unseen = sum(1 for each in tallies if each.mean is None)
    more = max(0, len(below) - MOST)
    found = who.house.admissions.call(call)
    return page(who, "desk/sift.html", call=found, below=below[:MOST], unseen=unseen, total=len(tallies), more=more)


@get("/desk/calls/{call:str}/debts", sync_to_thread=True)
def debts(who: Visitor, call: str) -> Template:
    """Show whose applicants owe reviews."""
    who.needs(Permission.APPLICATION_READ)
    owed = who.house.admissions.peer_debts(who.actor, call)
    return page(who, "desk/debts.html", call=who.house.admissions.call(call), owed=owed)


@post("/desk/looks/{look:str}", sync_to_thread=True)
def look(who: Visitor, look: str, data: Posted) -> Response[Any]:
    """Give one's first look."""
    check_form(who, data)
    score = whole(data.get("score", ""))
    if score is None:
        raise BadInput([Problem("score", "must be chosen", "Use the call's anchors")])
    who.house.admissions.sift(who.actor, look, score, data.get("comment", ""))
    return back_to("/desk#looks")


router = Router("/", route_handlers=[forms, why_page, why, sift, debts, look], include_in_schema=False)
