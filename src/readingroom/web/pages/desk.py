"""The desk: calls, applications, blind reviews, allocation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.admissions.model import Judgement, Risk
from readingroom.app.desk import open_call
from readingroom.core.refusal import Refused
from readingroom.people.model import Actor
from readingroom.people.rules import Permission
from readingroom.web.browser import Visitor, back_to, check_form, page
from readingroom.web.pages.account import Posted


@get("/desk", sync_to_thread=True)
def desk(who: Visitor) -> Template:
    """Show the calls, and what the visitor has to review."""
    who.needs(Permission.APPLICATION_REVIEW, Permission.APPLICATION_READ)
    tasks = who.house.admissions.reviews_to_do(who.actor) if who.may(Permission.APPLICATION_REVIEW) else []
    return page(who, "desk/desk.html", calls=who.house.admissions.calls(), tasks=tasks)


@post("/desk/calls", sync_to_thread=True)
def open_(who: Visitor, data: Posted) -> Response[Any]:
    """Open a call from its file's text."""
    check_form(who, data)
    made = open_call(who.house, who.actor, data.get("text", ""), "call.yaml")
    return back_to(f"/desk/calls/{made.id}")


@get("/desk/calls/{call:str}", sync_to_thread=True)
def show(who: Visitor, call: str) -> Template:
    """Show a call with its applications, and what an allocation would give."""
    who.needs(Permission.APPLICATION_READ)
    admissions = who.house.admissions
    found = admissions.call(call)
    applications = admissions.applications(who.actor, call)
    preview, why_none = None, ""
    if who.may(Permission.CALL_DECIDE) and found.state.value in {"open", "closed"}:
        try:
            preview = admissions.allocate(who.actor, call, dry_run=True)
        except Refused as refused:
            why_none = refused.refusal.reason
    return page(
        who,
        "desk/call.html",
        call=found,
        applications={each.id: each for each in applications},
        budget=admissions.budget(call),
        preview=preview,
        why_none=why_none,
        fixed=admissions.allocation(who.actor, call),
    )


@post("/desk/calls/{call:str}", sync_to_thread=True)
def act(who: Visitor, call: str, data: Posted) -> Response[Any]:
    """Close, assign, allocate or publish a call."""
    check_form(who, data)
    admissions = who.house.admissions
    acts: dict[str, Callable[[Actor, str], object]] = {
        "close": admissions.close_call,
        "assign": admissions.assign_reviewers,
        "allocate": admissions.allocate,
        "publish": admissions.publish,
    }
    if (does := acts.get(data.get("do", ""))) is not None:
        does(who.actor, call)
    return back_to(f"/desk/calls/{call}")


@get("/reviews/{review_id:str}", sync_to_thread=True)
def review_page(who: Visitor, review_id: str) -> Template:
    """Show an application as its reviewer sees it: without names."""
    who.signed_in()
    tasks = who.house.admissions.reviews_to_do(who.actor)
    task = next((each for each in tasks if each.view.review == review_id), None)
    return page(who, "desk/review.html", 200 if task else 404, task=task)


@post("/reviews/{review_id:str}", sync_to_thread=True)
def review(who: Visitor, review_id: str, data: Posted) -> Response[Any]:
    """Give or amend a review."""
    check_form(who, data)
    typed = {name.removeprefix("score-"): value for name, value in data.items() if name.startswith("score-")}
    scores = {name: int(value) for name, value in typed.items() if value.isdecimal()}
    risk = Risk(data["risk"]) if data.get("risk") in set(Risk) else Risk.OK
    given = Judgement(scores, data.get("comment", ""), risk, data.get("risk_reason", ""))
    who.house.admissions.review(who.actor, review_id, given)
    return back_to("/desk")


@post("/reviews/{review_id:str}/conflict", sync_to_thread=True)
def conflict(who: Visitor, review_id: str, data: Posted) -> Response[Any]:
    """Declare a conflict of interest."""
    check_form(who, data)
    who.house.admissions.declare_conflict(who.actor, review_id, data.get("reason", ""))
    return back_to("/desk")


router = Router("/", route_handlers=[desk, open_, show, act, review_page, review, conflict], include_in_schema=False)
