"""The desk: calls, applications, their reviews, allocation and awards."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from litestar import Response, Router, get, post
from litestar.params import QueryParameter
from litestar.response import Template

from readingroom.admissions import machines
from readingroom.admissions.account import shares
from readingroom.admissions.allocation import Sheet
from readingroom.admissions.call import Call
from readingroom.admissions.desk import DeskPage, Listed, may_check
from readingroom.admissions.model import (
    BY_PERSON,
    Application,
    ApplicationState,
    CallState,
    Draft,
    Outcome,
    Reason,
    Ruling,
)
from readingroom.admissions.rules import IN_PLAY, may_decide, may_lapse, may_release, may_return
from readingroom.core.errors import BadInput, Problem
from readingroom.core.numbers import whole
from readingroom.core.refusal import Refused
from readingroom.people.model import Actor
from readingroom.people.rules import Permission
from readingroom.web import charts
from readingroom.web.allocated import scores_of
from readingroom.web.browser import Form, Visitor, back_to, check_form, page
from readingroom.web.forms import Confirmation, Told, confirm, told
from readingroom.web.listing import PAGE, From
from readingroom.web.pages import chair, checking, dossier, drafting, review, waiting
from readingroom.web.pages.account import Posted
from readingroom.web.waits import waits

_RULING = {"outcome": ("outcome", "Outcome"), "reason": ("reason", "Reason"), "passes": ("passes", "Passes")}

SHOWN_WHOLE = 200  # applications up to which a call's page shows what an allocation would give
FIXED = {CallState.ALLOCATED, CallState.PUBLISHED}
Offers = Annotated[int, QueryParameter(name="offers", ge=0, le=10_000_000)]
Tasks = Annotated[int, QueryParameter(name="tasks", ge=0, le=10_000_000)]
Looks = Annotated[int, QueryParameter(name="looks", ge=0, le=10_000_000)]
Only = Annotated[ApplicationState | None, QueryParameter(name="only")]

OUTCOMES = (("awarded", "award", "award it"), ("refused", "refuse", "refuse it"))  # value, act and words of each


@get("/desk", sync_to_thread=True)
def desk(who: Visitor, begin: From = 0, tasks_at: Tasks = 0, looks_at: Looks = 0) -> Template:
    """Show the calls and what the visitor has to review, each a page at a time."""
    may_review = who.may(Permission.APPLICATION_REVIEW)
    peer = who.person is not None and who.house.admissions.is_peer(who.actor)
    if not peer:
        who.needs(Permission.APPLICATION_REVIEW, Permission.APPLICATION_READ)
    admissions, now = who.house.admissions, who.house.clock.now()
    calls, total = admissions.calls_page(PAGE, begin)
    tasks, asked = admissions.reviews_page(who.actor, PAGE, tasks_at) if may_review or peer else ([], {})
    looks, looks_total = admissions.sifts_page(who.actor, PAGE, looks_at) if may_review else ([], 0)
    shown: dict[str, Any] = {
        "waits": waits(who, sum(each.all - each.given for each in asked.values())),
        "may_review": may_review or peer,
        "tasks": tasks,
        "tasks_at": tasks_at,
        "tasks_total": sum(each.all for each in asked.values()),
        "looks": looks,
        "looks_at": looks_at,
        "looks_total": looks_total,
        "calls": calls,
        "counts": admissions.submitted_counts([each.id for each in calls]),
        "calendar": charts.calendar([_span(each) for each in calls], now) if calls else None,
        "places": [f"/desk/calls/{each.id}" for each in calls],
        "at": begin,
        "size": PAGE,
        "total": total,
    }
    return page(who, "desk/desk.html", **shown)


def _span(call: Call) -> tuple[str, datetime, datetime | None]:
    """Return when a call takes applications; one that stands open has no end until it is closed."""
    window = call.file.window
    ends = call.closed_at if call.closed_at or window.standing else window.closes
    return call.file.name, min(max(window.opens, call.opened_at), ends or window.closes), ends


@dataclass(frozen=True, slots=True)
class Line:
    """One application in the allocation, with its score as people read it."""

    sheet: Sheet
    score: str


def _line(sheet: Sheet) -> Line:
    # Less than nothing is the mark of an application that nobody has scored.
    return Line(sheet, f"{float(sheet.score):.2f}" if sheet.score >= 0 else "–")  # noqa: RUF001 - a dash


@get("/desk/calls/{call:str}", sync_to_thread=True)
def show(who: Visitor, call: str, begin: From = 0, offers: Offers = 0, only: Only = None) -> Template:
    """Show a call: its budget, a page of its applications with their reviews, a page of its awards."""
    who.needs(Permission.APPLICATION_READ)
    admissions, now = who.house.admissions, who.house.clock.now()
    listed = admissions.desk_page(who.actor, call, [only] if only else [], PAGE, begin)
    found, ids = listed.call, [each.id for each in listed.rows]
    reviews = admissions.reviews_of(who.actor, call, ids)
    awards, awards_total = admissions.awards_page(who.actor, call, PAGE, offers)
    opens, decides = who.may(Permission.CALL_OPEN), who.may(Permission.CALL_DECIDE)
    small = sum(listed.counts.values()) <= SHOWN_WHOLE
    fixed, budget = found.state in FIXED, admissions.budget(call)
    sheets, why_none = _sheets(who, found) if small else ([], "")
    return page(
        who,
        "desk/call.html",
        call=found,
        series=admissions.series(call),
        listed=listed,
        abouts={each.id: each.about for each in listed.rows} if opens else {},
        only=only,
        states=[each for each in ApplicationState if listed.counts.get(each)],
        reviews=reviews,
        names=chair.names(who, {each.reviewer for each in reviews}),
        budget=budget,
        bar=charts.whole(budget["passes"].budget, {each.name: each.amount for each in shares(budget["passes"], 0)}),
        awards=awards,
        at=begin,
        offers=offers,
        awards_total=awards_total,
        size=PAGE,
        now=now,
        decidable={each.id for each in listed.rows if decides and may_decide(found, _as_ruled(each), now)},
        returnable={each.id for each in listed.rows if opens and may_return(found, _as_ruled(each), now)},
        admittable={each.id for each in listed.rows if opens and each.state is ApplicationState.LATE and not fixed},
        unchecked={each.id for each in listed.rows if opens and may_check(found, each)},
        releasable={each.id for each in reviews if opens and may_release(found, each)},
        overdue={each.id for each in awards if decides and may_lapse(each, now)},
        lines=[_line(each) for each in sheets],
        drawn=scores_of(found.file.reviewing, sheets),
        fixed=fixed,
        fixed_quotas=(admissions.allocation(who.actor, call) or {}).get("quotas", []) if fixed and small else [],
        small=small,
        why_none=why_none,
        ready=_ready(found, listed),
    )


@get("/desk/calls/{call:str}/allocation", sync_to_thread=True)
def allocation(who: Visitor, call: str, begin: From = 0) -> Template:
    """Show how a call was allocated, or what an allocation would give now, a page at a time."""
    who.needs(Permission.APPLICATION_READ)
    found = who.house.admissions.call(call)
    total = sum(who.house.admissions.desk_page(who.actor, call, (), 1).counts.values())
    if total > SHOWN_WHOLE and found.state not in FIXED:
        told = f"With {total:,} applications this takes seconds: `readingroom call allocate {call} --dry-run` shows it."
        return page(
            who,
            "desk/allocation.html",
            call=found,
            lines=[],
            drawn=None,
            why_none=told,
            fixed=False,
            **_place(begin, total),
        )
    sheets, why_none = _sheets(who, found)
    lines = [_line(each) for each in sheets[begin : begin + PAGE]]
    return page(
        who,
        "desk/allocation.html",
        call=found,
        lines=lines,
        drawn=scores_of(found.file.reviewing, sheets),
        why_none=why_none,
        fixed=found.state in FIXED,
        **_place(begin, len(sheets)),
    )


def _place(at: int, total: int) -> dict[str, int]:
    """Say which page of a list is shown."""
    return {"at": at, "size": PAGE, "total": total}


def _as_ruled(each: Listed) -> Application:
    """Return as much of an application as the rules of the desk look at."""
    return Application(each.id, "", each.person, each.state, Draft(), correct_until=each.correct_until)


def _sheets(who: Visitor, call: Call) -> tuple[Sequence[Sheet], str]:
    """Return the reason sheets of the allocation as it was fixed, or of a dry run; or why there are none."""
    if call.state in FIXED:
        return [Sheet.read(each) for each in who.house.admissions.allocation(who.actor, call.id)["sheets"]], ""
    if not who.may(Permission.CALL_DECIDE):
        return [], ""
    try:
        sheets = who.house.admissions.allocate(who.actor, call.id, dry_run=True).sheets
    except Refused as refused:
        return [], refused.refusal.reason
    if call.file.reviewing and not any(each.score >= 0 for each in sheets):
        return [], "No review has been given yet, so there is nothing that an allocation could go by."
    return sheets, ""


def _ready(call: Call, listed: DeskPage) -> bool:
    """Tell whether an allocation can be fixed now: the rule's own twin, for the button."""
    in_play = sum(listed.counts.get(each, 0) for each in IN_PLAY)
    return call.file.competitive and bool(in_play) and listed.fewest_reviews >= call.file.reviews_needed


@post("/desk/calls/{call:str}", sync_to_thread=True)
def act(who: Visitor, call: str, data: Posted) -> Response[Any]:
    """Close, assign, allocate or publish a call."""
    check_form(who, data)
    admissions = who.house.admissions
    acts: dict[str, Callable[[Actor, str], object]] = {
        "close": admissions.close_call,
        "sift": admissions.assign_sift,
        "assign": admissions.assign_reviewers,
        "peers": admissions.assign_peers,
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
        "observed": who.house.admissions.observed(who.actor, application) or [],
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


_CALLS = [desk, show, allocation, act, publish_page]
_BELOW = (drafting, review, chair, waiting, checking, dossier)
router = Router(
    "/",
    route_handlers=[*_CALLS, decide_page, decide, *(each.router for each in _BELOW)],
    include_in_schema=False,
)
