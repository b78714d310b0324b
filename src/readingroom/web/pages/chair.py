"""The pages of whoever leads a review, and of the panel: what is to do, conflicts, ranks and comments."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.admissions.call import Call, Phase
from readingroom.admissions.model import Conflict, ConflictKind, Disposition
from readingroom.admissions.phases import OVER, aliased, check_shown, hides_applicants
from readingroom.admissions.pool import Disposal, Finding, InvitationState, check_expiring
from readingroom.admissions.rules import check_reviewable, check_reviews
from readingroom.app.reviewing import invite
from readingroom.core.errors import BadInput, Problem
from readingroom.core.numbers import whole
from readingroom.core.refusal import Refused, require
from readingroom.people.rules import Permission
from readingroom.web.browser import Form, Visitor, back_to, check_form, page
from readingroom.web.forms import Told, last_moment, told
from readingroom.web.listing import PAGE, From
from readingroom.web.pages.account import Posted
from readingroom.web.pages.review import scope_of

LOOKED_AT_ONCE = 500  # applications up to which a call's conflicts are looked for whenever its page is opened
_INVITE = {"email": ("email", "E-mail address"), "topics": ("topics", "Knows"), "due": ("due-assign", "Due"),
           "load": ("load", "At most so many applications"), "answer_by": ("answer_by", "Answer by")}  # fmt: skip


@get("/desk/calls/{call:str}/review", sync_to_thread=True)
def lead_page(who: Visitor, call: str, conflicts: str = "") -> Template:
    """Show how far a call's review is, its reviewers and its conflicts."""
    return _lead(who, call, {}, [], anew=conflicts == "anew")


def _lead(who: Visitor, name: str, typed: Form, problems: Collection[Told], *, anew: bool = False) -> Template:
    who.needs(Permission.APPLICATION_READ)
    admissions, opens = who.house.admissions, who.may(Permission.CALL_OPEN)
    call = _reviewed(who, name)
    pool = admissions.invitations(who.actor, name) if opens else []
    asked = opens and (anew or admissions.submitted_counts([name]).get(name, 0) <= LOOKED_AT_ONCE)
    found, arisen = admissions.conflicts_of_call(who.actor, name) if asked else ([], [])
    now = who.house.clock.now()
    late = {e.person for e in pool if e.state is InvitationState.INVITED and check_expiring(e, now) is None}
    known = _with_arisen(found, [(e.application, e.person, e.conflict) for e in arisen])
    progress = admissions.progress(who.actor, name)
    named = {each.person for each in pool} | {each.person for each in known}
    named |= {reviewer for reviewer, _, _ in progress.reviewers}
    shown: dict[str, Any] = {
        "call": call,
        "progress": progress,
        "over": call.state in OVER,
        "opens": opens,
        "may_assign": opens and check_reviewable(call) is None,
        "pool": pool,
        "late": late if opens else set(),
        "looked": asked,
        "known": known,
        "arisen": arisen,
        "hidden": aliased(call),
        "names": names(who, named),
    }
    return page(who, "review/call.html", 400 if problems else 200, **shown, typed=typed, problems=problems)


def _with_arisen(found: list[Finding], arisen: list[tuple[str, str, Conflict]]) -> list[Finding]:
    """List what arose since with what is kept, so that it can be decided; it is kept once it is."""
    known = {(each.application, each.person, each.conflict.kind) for each in found}
    return [*found, *(Finding(*each) for each in arisen if (each[0], each[1], each[2].kind) not in known)]


def _reviewed(who: Visitor, name: str) -> Call:
    call = who.house.admissions.call(name)
    require(check_reviews(call))
    return call


def names(who: Visitor, persons: Collection[str]) -> dict[str, str]:
    """Return people's names, for who may manage persons; others see pseudonyms."""
    if not persons or not who.may(Permission.PERSON_MANAGE):
        return {}
    return who.house.people.names(who.actor, persons)


@post("/desk/calls/{call:str}/review", sync_to_thread=True)
def lead(who: Visitor, call: str, data: Posted) -> Response[Any] | Template:
    """Invite, assign, move on, or wait no longer; what is wrong is told beside what was typed."""
    check_form(who, data)
    acts: dict[str, Callable[[Visitor, str, Form], object]] = {
        "invite": _invite,
        "assign": lambda w, c, f: w.house.admissions.assign_reviewers(w.actor, c, due=_day(f, "due")),
        "phase": _move,
        "expire": lambda w, c, f: w.house.admissions.expire_invitation(w.actor, c, f.get("person", "")),
    }
    if (does := acts.get(data.get("do", ""))) is None:
        raise BadInput([Problem("do", "is nothing that can be done here", f"It can be: {', '.join(acts)}")])
    who.needs(Permission.CALL_OPEN)
    try:
        does(who, call, data)
    except (BadInput, Refused) as fault:
        return _lead(who, call, data, told(fault, _INVITE))
    return back_to(f"/desk/calls/{call}/review")


def _invite(who: Visitor, call: str, data: Form) -> None:
    asked = (scope_of(data), _day(data, "answer_by"))
    invite(who.house, who.actor, call, data.get("email", ""), asked)


def _move(who: Visitor, call: str, data: Form) -> None:
    if data.get("to", "") not in set(Phase):
        raise BadInput([Problem("to", "is no phase", f"Write one of: {', '.join(Phase)}")])
    who.house.admissions.move_phase(who.actor, call, Phase(data["to"]), _day(data, "due"))


def _day(data: Form, name: str) -> datetime | None:
    return last_moment(data[name], name) if data.get(name, "").strip() else None


@get("/desk/conflicts/{application:str}/{person:str}/{kind:str}", sync_to_thread=True)
def dispose_page(who: Visitor, application: str, person: str, kind: str) -> Template:
    """Ask what becomes of a conflict, and why."""
    return _disposing(who, (application, person, kind), {}, [])


def _disposing(who: Visitor, what: tuple[str, str, str], typed: Form, problems: Collection[Told]) -> Template:
    who.needs(Permission.CALL_OPEN)
    application, person, kind = what
    found = who.house.admissions.application(who.actor, application)
    shown = {"application": found, "about": person, "kind": kind, "reviewer": names(who, [person]).get(person, person)}
    return page(who, "review/dispose.html", 400 if problems else 200, **shown, typed=typed, problems=problems)


@post("/desk/conflicts/{application:str}/{person:str}/{kind:str}", sync_to_thread=True)
def dispose(who: Visitor, application: str, person: str, kind: str, data: Posted) -> Response[Any] | Template:
    """Waive a conflict, or recuse the reviewer."""
    check_form(who, data)
    who.needs(Permission.CALL_OPEN)
    if kind not in set(ConflictKind) or data.get("do", "") not in set(Disposition):
        raise BadInput([Problem("do", "is nothing that becomes of a conflict", "It is waived, or recused")])
    disposal = Disposal(ConflictKind(kind), Disposition(data["do"]), data.get("reason", ""))
    try:
        who.house.admissions.dispose(who.actor, application, person, disposal)
    except (BadInput, Refused) as fault:
        return _disposing(who, (application, person, kind), data, told(fault, {"reason": ("reason", "Why")}))
    call = who.house.admissions.application(who.actor, application).call
    return back_to(f"/desk/calls/{call}/review#conflicts")


@get("/desk/calls/{call:str}/panel", sync_to_thread=True)
def panel_page(who: Visitor, call: str, begin: From = 0) -> Template:
    """Show a call's applications as the panel sees them, a page at a time."""
    return _panel(who, call, begin, [])


def _panel(who: Visitor, name: str, begin: int, problems: Collection[Told]) -> Template:
    who.needs(Permission.APPLICATION_READ)
    call, now = _reviewed(who, name), who.house.admissions.phase(name)
    cases, total = who.house.admissions.cases_page(who.actor, name, PAGE, begin)
    seen = {each.application for each in cases if each.application}
    named = {review.reviewer for each in cases for review in each.reviews}
    named |= {note.person for each in cases for note in each.notes}
    shown: dict[str, Any] = {
        "call": call,
        "now": now,
        "over": call.state in OVER,
        "cases": cases,
        "observed": who.house.admissions.observed_of(who.actor, seen),
        "at": begin,
        "size": PAGE,
        "total": total,
        "shown": check_shown(call, now.phase) is None,
        "blind": hides_applicants(who.actor, call),
        "may_note": who.may(Permission.CALL_DECIDE) and check_reviewable(call) is None,
        "labels": {each.name: each.label for each in call.file.form},
        "names": names(who, named),
    }
    return page(who, "review/panel.html", 400 if problems else 200, **shown, problems=problems)


@post("/desk/calls/{call:str}/panel", sync_to_thread=True)
def panel(who: Visitor, call: str, data: Posted, begin: From = 0) -> Response[Any] | Template:
    """Keep one's rank and comment on an application, and go back to its page."""
    check_form(who, data)
    case = data.get("case", "")
    try:
        who.house.admissions.note_case(who.actor, case, _rank(data.get("rank", "").strip()), data.get("comment", ""))
    except (BadInput, Refused) as fault:
        return _panel(who, call, begin, told(fault, {}))
    return back_to(f"/desk/calls/{call}/panel?from={begin}#{case}" if begin else f"/desk/calls/{call}/panel#{case}")


def _rank(typed: str) -> int | None:
    rank = whole(typed)
    if typed and rank is None:
        raise BadInput([Problem("rank", f"{typed[:40]!r} is no whole number", "1 is the best; or leave it empty")])
    return rank


_HANDLERS = [lead_page, lead, dispose_page, dispose, panel_page, panel]
router = Router("/", route_handlers=_HANDLERS, include_in_schema=False)
