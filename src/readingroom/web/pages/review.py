"""The reviewer's page: an application without names, its criteria, and one's own judgement."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.admissions.blind import ReviewTask
from readingroom.admissions.model import Judgement, Risk
from readingroom.core.errors import BadInput, Problem
from readingroom.core.numbers import whole
from readingroom.core.refusal import Refusal, Refused
from readingroom.people.rules import Permission
from readingroom.web.browser import Form, Visitor, back_to, check_form, page
from readingroom.web.forms import Told, told
from readingroom.web.pages.account import Posted


@get("/reviews/{review_id:str}", sync_to_thread=True)
def review_page(who: Visitor, review_id: str) -> Template:
    """Show an application as its reviewer sees it: without names."""
    task = _task(who, review_id)
    mine = task.mine
    typed = {f"score-{name}": str(points) for name, points in mine.scores.items()} if mine else {}
    if mine:
        typed |= {"comment": mine.comment, "risk": mine.risk.value, "risk_reason": mine.risk_reason}
    return _form(who, task, typed)


def _task(who: Visitor, review_id: str) -> ReviewTask:
    who.needs(Permission.APPLICATION_REVIEW)
    tasks = who.house.admissions.reviews_to_do(who.actor)
    if (found := next((each for each in tasks if each.view.review == review_id), None)) is None:
        raise Refused(Refusal("admissions/application-unknown", "You have no review to do by this name."))
    return found


def _form(who: Visitor, task: ReviewTask, typed: Form, problems: Collection[Told] = ()) -> Template:
    asked = {each.name: each.label for each in who.house.admissions.call(task.call).file.form}
    shown = {"task": task, "asked": asked, "typed": typed, "problems": problems}
    return page(who, "desk/review.html", 400 if problems else 200, **shown)


@post("/reviews/{review_id:str}", sync_to_thread=True)
def review(who: Visitor, review_id: str, data: Posted) -> Response[Any] | Template:
    """Give or amend a review; what is wrong is told beside what was typed."""
    check_form(who, data)
    task = _task(who, review_id)
    try:
        who.house.admissions.review(who.actor, review_id, _judgement(data))
    except (BadInput, Refused) as fault:
        labels = {f"scores.{each.name}": (f"score-{each.name}", each.name.capitalize()) for each in task.criteria}
        rest = {"comment": ("comment", "Comment"), "risk": ("risk", "Risk"), "risk_reason": ("risk_reason", "Why")}
        return _form(who, task, data, told(fault, labels | rest))
    return back_to("/desk")


def _judgement(data: Form) -> Judgement:
    typed = {name.removeprefix("score-"): whole(value) for name, value in data.items() if name.startswith("score-")}
    if data.get("risk", "") not in set(Risk):
        raise BadInput([Problem("risk", "must be chosen", "Say whether misuse worries you")])
    scores = {name: points for name, points in typed.items() if points is not None}
    return Judgement(scores, data.get("comment", ""), Risk(data["risk"]), data.get("risk_reason", ""))


@post("/reviews/{review_id:str}/conflict", sync_to_thread=True)
def conflict(who: Visitor, review_id: str, data: Posted) -> Response[Any]:
    """Declare a conflict of interest."""
    check_form(who, data)
    who.house.admissions.declare_conflict(who.actor, review_id, data.get("reason", ""))
    return back_to("/desk")


router = Router("/", route_handlers=[review_page, review, conflict], include_in_schema=False)
