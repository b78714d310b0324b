"""A call's account at the desk: where its budget is, whose offers are overdue, what holders ask for, who is next."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.admissions.account import shares
from readingroom.admissions.requests import ASKED, Answer
from readingroom.app import sharing
from readingroom.core.errors import BadInput, Problem
from readingroom.core.numbers import whole as number
from readingroom.core.refusal import Refused
from readingroom.people.rules import Permission
from readingroom.web.browser import Form, Visitor, back_to, check_form, page
from readingroom.web.charts import whole
from readingroom.web.forms import Told, act_of, told
from readingroom.web.pages.account import Posted

_LABELS = {"passes": ("passes", "Passes"), "note": ("note", "Why")}


@get("/desk/calls/{call:str}/account", sync_to_thread=True)
def account(who: Visitor, call: str) -> Template:
    """Show a call's account as a bar that adds up, and what waits for a person."""
    return _account(who, call, [])


def _account(who: Visitor, call: str, problems: Collection[Told]) -> Template:
    who.needs(Permission.APPLICATION_READ)
    admissions = who.house.admissions
    found, held = admissions.call(call), admissions.budget(call)
    used = sharing.used_of_call(who.house, call)
    bars = {
        unit: whole(each.budget, {part.name: part.amount for part in shares(each, used if unit == "passes" else 0)})
        for unit, each in held.items()
    }
    decides = who.may(Permission.CALL_DECIDE)
    return page(
        who,
        "after/account.html",
        409 if problems else 200,
        call=found,
        bars=bars,
        held=held,
        overdue=[each for each in admissions.overdue(who.actor) if each.call == call] if decides else [],
        asked=admissions.requests(who.actor, call),
        problems=problems,
    )


@post("/desk/calls/{call:str}/account", sync_to_thread=True)
def act(who: Visitor, call: str, data: Posted) -> Response[Any] | Template:
    """Offer a second chance, give a child call's rest back, or free the reserve."""
    check_form(who, data)
    admissions = who.house.admissions
    acts: dict[str, Callable[[], object]] = {
        "second-chance": lambda: admissions.second_chance(who.actor, call),
        "give-back": lambda: admissions.give_back(who.actor, call),
        "free-reserve": lambda: admissions.free_reserve(who.actor, call),
    }
    try:
        act_of(acts, data.get("do", ""))()
    except Refused as refused:
        who.needs(Permission.CALL_DECIDE)
        return _account(who, call, told(refused, {}))
    return back_to(f"/desk/calls/{call}/account")


@get("/desk/requests/{request_id:str}", sync_to_thread=True)
def show(who: Visitor, request_id: str) -> Template:
    """Show what a holder asks for, beside what the house itself has seen used."""
    return _request(who, request_id, {}, [])


def _request(who: Visitor, request_id: str, typed: Form, problems: Collection[Told]) -> Template:
    who.needs(Permission.APPLICATION_READ)
    found = who.house.admissions.request(who.actor, request_id)
    call = who.house.admissions.call(found.call)
    shown = {"asked": found, "call": call, "questions": ASKED[found.kind], "typed": typed, "problems": problems}
    return page(who, "after/request.html", 400 if problems else 200, **shown)


@post("/desk/requests/{request_id:str}", sync_to_thread=True)
def answer(who: Visitor, request_id: str, data: Posted) -> Response[Any] | Template:
    """Release or withhold a tranche, grant or refuse a supplement."""
    check_form(who, data)
    who.needs(Permission.CALL_DECIDE)
    try:
        made = who.house.admissions.decide_request(who.actor, request_id, _answered(data))
    except (BadInput, Refused) as fault:
        return _request(who, request_id, data, told(fault, _LABELS))
    return back_to(f"/desk/calls/{made.call}/account")


def _answered(data: Form) -> Answer:
    passes = number(data.get("passes", "").strip().replace(",", ""))
    if passes is None or passes < 0:
        raise BadInput([Problem("passes", "must be a whole number from 0", "Write digits only")])
    return Answer(passes, data.get("note", ""))


router = Router("/", route_handlers=[account, act, show, answer], include_in_schema=False)
