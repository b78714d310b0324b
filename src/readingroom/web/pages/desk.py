"""The desk: calls, applications, their reviews, allocation and awards."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.admissions import machines
from readingroom.admissions.allocation import Sheet
from readingroom.admissions.call import Call
from readingroom.admissions.model import BY_PERSON, Application, Outcome, Reason, Review, Ruling
from readingroom.admissions.rules import IN_PLAY, check_reviewed, may_decide, may_lapse, may_release, may_return
from readingroom.app.desk import open_call
from readingroom.core.errors import BadInput, Problem
from readingroom.core.numbers import whole
from readingroom.core.refusal import Refused
from readingroom.people.model import Actor
from readingroom.people.rules import Permission
from readingroom.web.browser import Form, Visitor, back_to, check_form, page
from readingroom.web.forms import Confirmation, Told, confirm, told
from readingroom.web.pages import dossier, review, waiting
from readingroom.web.pages.account import Posted

_RULING = {"outcome": ("outcome", "Outcome"), "reason": ("reason", "Reason"), "passes": ("passes", "Passes")}


OUTCOMES = (("awarded", "award", "award it"), ("refused", "refuse", "refuse it"))  # value, act and words of each


@get("/desk", sync_to_thread=True)
def desk(who: Visitor) -> Template:
    """Show the calls, and what the visitor has to review."""
    return _desk(who)


def _desk(who: Visitor, text: str = "", problems: Collection[Told] = ()) -> Template:
    who.needs(Permission.APPLICATION_REVIEW, Permission.APPLICATION_READ)
    admissions = who.house.admissions
    tasks = admissions.reviews_to_do(who.actor) if who.may(Permission.APPLICATION_REVIEW) else []
    shown = {"calls": admissions.calls(), "tasks": tasks, "text": text, "problems": problems}
    return page(who, "desk/desk.html", 400 if problems else 200, **shown)


@post("/desk/calls", sync_to_thread=True)
def open_(who: Visitor, data: Posted) -> Response[Any] | Template:
    """Open a call from its file's text."""
    check_form(who, data)
    text = data.get("text", "")
    try:
        made = open_call(who.house, who.actor, text, "call.yaml")
    except (BadInput, Refused) as fault:
        who.needs(Permission.CALL_OPEN)
        return _desk(who, text, told(fault, {}))
    return back_to(f"/desk/calls/{made.id}")


@dataclass(frozen=True, slots=True)
class Line:
    """One application in the allocation, with its score as people read it."""

    sheet: Sheet
    score: str


def _line(sheet: Sheet) -> Line:
    # Less than nothing is the mark of an application that nobody has scored.
    return Line(sheet, f"{float(sheet.score):.2f}" if sheet.score >= 0 else "–")  # noqa: RUF001 - a dash


@get("/desk/calls/{call:str}", sync_to_thread=True)
def show(who: Visitor, call: str) -> Template:
    """Show a call with its applications and their reviews, and what an allocation would give."""
    who.needs(Permission.APPLICATION_READ)
    admissions = who.house.admissions
    found = admissions.call(call)
    applications = admissions.applications(who.actor, call)
    reviews = admissions.reviews(who.actor, call)
    fixed = admissions.allocation(who.actor, call)
    awards, now = admissions.awards(who.actor, call), who.house.clock.now()
    opens, decides = who.may(Permission.CALL_OPEN), who.may(Permission.CALL_DECIDE)
    lines, why_none = _preview(who, found) if fixed is None else ([_line(Sheet.read(s)) for s in fixed["sheets"]], "")
    return page(
        who,
        "desk/call.html",
        call=found,
        applications=applications,
        reviews=reviews,
        names=_names(who),
        budget=admissions.budget(call),
        awards=awards,
        decidable={each.id for each in applications if decides and may_decide(found, each, now)},
        returnable={each.id for each in applications if opens and may_return(found, each, now)},
        releasable={each.id for each in reviews if opens and may_release(found, each)},
        overdue={each.id for each in awards if decides and may_lapse(each, now)},
        lines=lines,
        fixed=fixed is not None,
        fixed_quotas=fixed.get("quotas", []) if fixed else [],
        why_none=why_none,
        ready=_ready(found, applications, reviews),
    )


def _names(who: Visitor) -> dict[str, str]:
    """Return reviewers' names, for who may manage persons; others see pseudonyms."""
    if not who.may(Permission.PERSON_MANAGE):
        return {}
    return {each.id: each.name for each in who.house.people.everyone(who.actor)}


def _preview(who: Visitor, call: Call) -> tuple[list[Line], str]:
    if not who.may(Permission.CALL_DECIDE) or call.state.value not in {"open", "closed"}:
        return [], ""
    try:
        return [_line(each) for each in who.house.admissions.allocate(who.actor, call.id, dry_run=True).sheets], ""
    except Refused as refused:
        return [], refused.refusal.reason


def _ready(call: Call, applications: Collection[Application], reviews: Collection[Review]) -> bool:
    """Tell whether an allocation can be fixed now: the rule's own twin, for the button."""
    in_play = {
        each.id: [r for r in reviews if r.application == each.id] for each in applications if each.state in IN_PLAY
    }
    return call.file.competitive and bool(in_play) and check_reviewed(call.file, in_play) is None


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
    if (does := acts.get(data.get("do", ""))) is None:
        raise BadInput([Problem("do", "is nothing that can be done to a call", f"It can be: {', '.join(acts)}")])
    if data["do"] == "allocate":
        admissions.allocate(who.actor, call, public_value=data.get("public_value", "").strip().lower())
    else:
        does(who.actor, call)
    return back_to(f"/desk/calls/{call}")


@get("/desk/calls/{call:str}/publish", sync_to_thread=True)
def publish_page(who: Visitor, call: str) -> Template:
    """Ask before the awards are published."""
    who.needs(Permission.CALL_DECIDE)
    found = who.house.admissions.call(call)
    asked = Confirmation(
        heading="Publish the awards?",
        said=["Every applicant is told: awards are offered, all others are refused with reasons. It is final."],
        action=f"/desk/calls/{call}",
        acts=[("publish", f"Publish the awards of {found.file.title}")],
        back=f"/desk/calls/{call}",
    )
    return confirm(who, asked)


@get("/desk/applications/{application:str}/decide", sync_to_thread=True)
def decide_page(who: Visitor, application: str) -> Template:
    """Show the form by which a person decides one application, in a call that holds no competition."""
    return _deciding(who, application, {}, [])


def _deciding(who: Visitor, application: str, typed: Form, problems: Collection[Told]) -> Template:
    who.needs(Permission.CALL_DECIDE)
    found = who.house.admissions.application(who.actor, application)
    call = who.house.admissions.call(found.call)
    reasons = [each.value for each in Reason if each in BY_PERSON]
    outcomes = [each for each in OUTCOMES if machines.APPLICATION.can(found.state, each[1])]
    shown = {"outcomes": [(value, word) for value, _, word in outcomes]} | {
        "application": found,
        "call": call,
        "reasons": reasons,
        "typed": typed,
        "problems": problems,
    }
    return page(who, "desk/decide.html", 400 if problems else 200, **shown)


@post("/desk/applications/{application:str}/decide", sync_to_thread=True)
def decide(who: Visitor, application: str, data: Posted) -> Response[Any] | Template:
    """Decide one application."""
    check_form(who, data)
    try:
        who.house.admissions.decide(who.actor, application, _ruling(data))
    except (BadInput, Refused) as fault:
        return _deciding(who, application, data, told(fault, _RULING))
    return back_to(f"/applications/{application}")


def _ruling(data: Form) -> Ruling:
    outcome, reason, passes = data.get("outcome", ""), data.get("reason", ""), data.get("passes", "").strip()
    problems = []
    if outcome not in set(Outcome):
        problems.append(Problem("outcome", "must be chosen", "Award it or refuse it"))
    if reason not in {each.value for each in BY_PERSON}:
        problems.append(Problem("reason", "must be chosen", "It is on record"))
    if passes and whole(passes.replace(",", "")) is None:
        problems.append(Problem("passes", f'"{passes[:40]}" is not a whole number', "Write digits only"))
    if problems:
        raise BadInput(problems)
    amount = whole(passes.replace(",", "")) if passes and outcome == Outcome.AWARDED else None
    return Ruling(Outcome(outcome), Reason(reason), data.get("note", ""), amount)


_CALLS = [desk, open_, show, act, publish_page]
router = Router(
    "/",
    route_handlers=[*_CALLS, decide_page, decide, review.router, waiting.router, dossier.router],
    include_in_schema=False,
)
