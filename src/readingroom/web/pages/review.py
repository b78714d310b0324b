"""The reviewer's pages: what there is to do, an application without names, and whom one is close to."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Response, Router, get, post
from litestar.params import QueryParameter
from litestar.response import Template

from readingroom.admissions.blind import Opinion, ReviewTask, ToDo
from readingroom.admissions.call import Call, Phase
from readingroom.admissions.model import ApplicationState, Judgement, ReviewState, Risk
from readingroom.admissions.phases import PhaseNow, sees_peers
from readingroom.admissions.pool import InvitationState, Scope, TieKind
from readingroom.core.errors import BadInput, Problem
from readingroom.core.numbers import whole
from readingroom.core.refusal import Refusal, Refused
from readingroom.people.rules import Permission
from readingroom.web.browser import Form, Visitor, back_to, check_form, page
from readingroom.web.forms import Told, told
from readingroom.web.listing import PAGE, From
from readingroom.web.pages.account import Posted

TIES = {"co-author": "a collaborator or co-author", "supervisor": "a supervisor, or somebody supervised",
        "named": "somebody who should not review my application"}  # fmt: skip
_TIE = {"who": ("who", "Who"), "kind": ("kind", "As"), "reason": ("reason", "Why"),
        "application": ("application", "Which application")}  # fmt: skip
_GONE = frozenset({ApplicationState.WITHDRAWN, ApplicationState.AWARDED, ApplicationState.REFUSED})

Risks = Annotated[int, QueryParameter(name="risks", ge=0, le=10_000_000)]


@dataclass(frozen=True, slots=True)
class Heap:
    """A call's part of a page of what a reviewer has to do; the count is over all pages."""

    title: str
    phases: tuple[Phase, ...]
    now: PhaseNow
    tasks: tuple[ReviewTask, ...]
    count: ToDo

    @property
    def amend(self) -> bool:
        """Whether the others' reviews can be read, and one's own amended."""
        return self.now.phase is Phase.CONSOLIDATION

    @property
    def fixed(self) -> bool:
        """Whether reviews are no longer amended."""
        return self.now.phase is Phase.PANEL


@get("/reviews", sync_to_thread=True)
def home(who: Visitor, begin: From = 0, risks_at: Risks = 0) -> Template:
    """Show what one is asked to review, a page at a time, and was asked to join."""
    who.needs(Permission.APPLICATION_REVIEW, Permission.RISK_JUDGE)
    admissions = who.house.admissions
    invitations = admissions.my_invitations(who.actor)
    heaps, total = _heaps(who, begin) if who.may(Permission.APPLICATION_REVIEW) else ([], 0)
    judges = who.may(Permission.RISK_JUDGE)
    risks, risks_total = admissions.risks_page(who.actor, PAGE, risks_at) if judges else ([], 0)
    shown: dict[str, Any] = {
        "asked": [each for each in invitations if each.state is InvitationState.INVITED],
        "answered": [each for each in invitations if each.state is not InvitationState.INVITED],
        "titles": {each.call: admissions.call(each.call).file.title for each in invitations},
        "calls": heaps,
        "at": begin,
        "size": PAGE,
        "total": total,
        "risks": risks,
        "risks_at": risks_at,
        "risks_total": risks_total,
    }
    return page(who, "review/mine.html", **shown)


def _heaps(who: Visitor, begin: int) -> tuple[list[Heap], int]:
    by_call: dict[str, list[ReviewTask]] = {}
    found, counts = who.house.admissions.reviews_page(who.actor, PAGE, begin)
    for task in found:
        by_call.setdefault(task.call, []).append(task)
    calls = {each: who.house.admissions.call(each) for each in sorted(by_call)}
    heaps = [
        Heap(calls[each].file.title, _phases(calls[each]), tasks[0].phase, tuple(tasks), counts[each])
        for each, tasks in sorted(by_call.items())
    ]
    return heaps, sum(each.all for each in counts.values())


def _phases(call: Call) -> tuple[Phase, ...]:
    return call.file.reviewing.phases if call.file.reviewing else (Phase.INDEPENDENT,)


@post("/reviews/invitations/{call:str}", sync_to_thread=True)
def answer(who: Visitor, call: str, data: Posted) -> Response[Any]:
    """Accept or decline an invitation to review."""
    check_form(who, data)
    accept = data.get("do") == "accept"
    scope = scope_of(data) if accept else None
    who.house.admissions.answer_invitation(who.actor, call, scope, accept=accept)
    return back_to("/reviews")


def scope_of(data: Form) -> Scope:
    """Read topics and load from a form.

    Raises:
        BadInput: the load is no number.
    """
    typed = data.get("load", "").strip()
    load = whole(typed)
    if typed and load is None:
        raise BadInput([Problem("load", "must be a whole number from 1", "Or leave it empty: no limit of your own")])
    topics = tuple(each.strip() for each in data.get("topics", "").split(",") if each.strip())
    return Scope(topics, load)


@get("/reviews/{review_id:str}", sync_to_thread=True)
def review_page(who: Visitor, review_id: str) -> Template:
    """Show an application as its reviewer sees it: without names."""
    task = _task(who, review_id)
    mine = task.mine
    typed = {f"score-{name}": str(points) for name, points in mine.scores.items()} if mine else {}
    if mine:
        typed |= {"comment": mine.comment, "risk": mine.risk.value, "risk_reason": mine.risk_reason}
        typed |= {f"comment-{name}": text for name, text in mine.comments.items()}
    return _form(who, task, typed)


def _task(who: Visitor, review_id: str) -> ReviewTask:
    who.needs(Permission.APPLICATION_REVIEW)
    if (found := who.house.admissions.review_to_do(who.actor, review_id)) is None:
        raise Refused(Refusal("admissions/application-unknown", "You have no review to do by this name."))
    return found


def _form(who: Visitor, task: ReviewTask, typed: Form, problems: Collection[Told] = ()) -> Template:
    call = who.house.admissions.call(task.call)
    asked = {each.name: each.label for each in call.file.form}
    given = task.state is ReviewState.SUBMITTED
    shown = {"task": task, "asked": asked, "typed": typed, "problems": problems, "phases": _phases(call)}
    shown |= {"amending": sees_peers(task.phase.phase, task.state) and task.phase.phase is Phase.CONSOLIDATION}
    shown |= {"fixed": given and task.phase.phase is Phase.PANEL}
    return page(who, "desk/review.html", 400 if problems else 200, **shown)


@post("/reviews/{review_id:str}", sync_to_thread=True)
def review(who: Visitor, review_id: str, data: Posted) -> Response[Any] | Template:
    """Give or amend a review; what is wrong is told beside what was typed."""
    check_form(who, data)
    task = _task(who, review_id)
    try:
        who.house.admissions.review(who.actor, review_id, _judgement(data), data.get("why", ""))
    except (BadInput, Refused) as fault:
        labels = {f"scores.{each.name}": (f"score-{each.name}", each.name.capitalize()) for each in task.criteria}
        labels |= {f"comments.{each.name}": (f"comment-{each.name}", f"On {each.name}") for each in task.criteria}
        rest = {"comment": ("comment", "Comment"), "risk": ("risk", "Risk"), "risk_reason": ("risk_reason", "Why")}
        return _form(who, task, data, told(fault, labels | rest))
    return back_to("/reviews")


def _judgement(data: Form) -> Judgement:
    typed = {name.removeprefix("score-"): whole(value) for name, value in data.items() if name.startswith("score-")}
    if data.get("risk", "") not in set(Risk):
        raise BadInput([Problem("risk", "must be chosen", "Say whether misuse worries you")])
    scores = {name: points for name, points in typed.items() if points is not None}
    apart = {name.removeprefix("comment-"): text for name, text in data.items() if name.startswith("comment-")}
    comments = {name: text for name, text in apart.items() if text.strip()}
    return Judgement(scores, data.get("comment", ""), Risk(data["risk"]), data.get("risk_reason", ""), comments)


@post("/reviews/{review_id:str}/conflict", sync_to_thread=True)
def conflict(who: Visitor, review_id: str, data: Posted) -> Response[Any]:
    """Declare a conflict of interest."""
    check_form(who, data)
    who.house.admissions.declare_conflict(who.actor, review_id, data.get("reason", ""))
    return back_to("/reviews")


@get("/reviews/risks/{case:str}", sync_to_thread=True)
def risk_page(who: Visitor, case: str) -> Template:
    """Show an application whose risk of misuse is to be judged."""
    return _risk(who, case, None, [])


def _risk(who: Visitor, name: str, typed: Form | None, problems: Collection[Told]) -> Template:
    who.needs(Permission.RISK_JUDGE)
    if (found := who.house.admissions.risk_to_judge(who.actor, name)) is None:
        raise Refused(Refusal("admissions/case-unknown", "There is no application before you by this name."))
    call, case = found
    mine = case.mine if isinstance(case.mine, Opinion) else None
    shown = typed or ({"opinion": mine.opinion.value, "reason": mine.reason} if mine else {})
    labels = {each.name: each.label for each in call.file.form}
    filled = {"call": call, "case": case, "labels": labels, "typed": shown, "problems": problems}
    return page(who, "review/risk.html", 400 if problems else 200, **filled)


@post("/reviews/risks/{case:str}", sync_to_thread=True)
def risk(who: Visitor, case: str, data: Posted) -> Response[Any] | Template:
    """Give an opinion on misuse."""
    check_form(who, data)
    try:
        who.house.admissions.judge_risk(who.actor, case, _opinion(data), data.get("reason", ""))
    except BadInput as fault:
        return _risk(
            who, case, data, told(fault, {"opinion": ("opinion", "Your opinion"), "reason": ("reason", "Why")})
        )
    return back_to("/reviews")


def _opinion(data: Form) -> Risk:
    if data.get("opinion", "") not in set(Risk):
        raise BadInput([Problem("opinion", "must be chosen", "Say whether misuse worries you")])
    return Risk(data["opinion"])


@get("/my/ties", sync_to_thread=True)
def ties_page(who: Visitor) -> Template:
    """Show whom one declared as near."""
    return _ties(who, {}, [])


def _ties(who: Visitor, typed: Form, problems: Collection[Told]) -> Template:
    who.signed_in()
    admissions = who.house.admissions
    mine = [each for each in admissions.my_applications(who.actor) if each.state not in _GONE]
    shown = {"ties": admissions.my_ties(who.actor), "words": TIES, "applications": mine, "typed": typed}
    shown |= {"titles": {each.call: admissions.call(each.call).file.title for each in mine}, "problems": problems}
    return page(who, "review/ties.html", 400 if problems else 200, **shown)


@post("/my/ties", sync_to_thread=True)
def ties(who: Visitor, data: Posted) -> Response[Any] | Template:
    """Declare somebody, or take it back."""
    check_form(who, data)
    admissions = who.house.admissions
    if data.get("do") == "withdraw":
        admissions.withdraw_tie(who.actor, data.get("tie", ""))
        return back_to("/my/ties")
    try:
        said = (data.get("who", ""), data.get("reason", ""), data.get("application", ""))
        admissions.declare_tie(who.actor, _kind(data), *said)
    except (BadInput, Refused) as fault:
        return _ties(who, data, told(fault, _TIE))
    return back_to("/my/ties")


def _kind(data: Form) -> TieKind:
    if data.get("kind", "") not in set(TieKind):
        raise BadInput([Problem("kind", "must be chosen", "Say how you know them")])
    return TieKind(data["kind"])


_HANDLERS = [home, answer, review_page, review, conflict, risk_page, risk, ties_page, ties]
router = Router("/", route_handlers=_HANDLERS, include_in_schema=False)
