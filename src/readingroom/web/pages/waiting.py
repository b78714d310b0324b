"""What waits on somebody: a silent reviewer is let go, an offer taken back, an application returned to be corrected."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.admissions.rules import check_returnable, may_return
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.people.rules import Permission
from readingroom.web.browser import Form, Visitor, back_to, check_form, page
from readingroom.web.forms import Confirmation, Told, confirm, last_moment, one_of, told
from readingroom.web.pages.account import Posted

_RETURN = {"note": ("note", "What is to be corrected"), "until": ("until", "Last day to correct it")}


@get("/desk/calls/{call:str}/reviews/{review_id:str}/release", sync_to_thread=True)
def release_page(who: Visitor, call: str, review_id: str) -> Template:
    """Ask before a reviewer is let go."""
    who.needs(Permission.CALL_OPEN)
    reviews = who.house.admissions.reviews(who.actor, call)
    unknown = Refusal("admissions/review-unknown", "This call has no review by this id.")
    review = one_of(reviews, review_id, unknown)
    asked = Confirmation(
        heading="Let this reviewer go?",
        said=[
            "The review is no longer asked for, and another reviewer can be assigned. Nothing that was said is lost."
        ],
        action=f"/desk/calls/{call}/reviews/{review_id}/release",
        acts=[("release", "Let this reviewer go")],
        back=f"/desk/calls/{call}#reviews",
        facts=[("Review", review.id), ("Application", review.application), ("State", review.state.value)],
    )
    return confirm(who, asked)


@post("/desk/calls/{call:str}/reviews/{review_id:str}/release", sync_to_thread=True)
def release(who: Visitor, call: str, review_id: str, data: Posted) -> Response[Any]:
    """Let a reviewer go who has not reviewed."""
    check_form(who, data)
    who.house.admissions.release_review(who.actor, review_id)
    return back_to(f"/desk/calls/{call}#reviews")


@get("/desk/awards/{award:str}/lapse", sync_to_thread=True)
def lapse_page(who: Visitor, award: str) -> Template:
    """Ask before an offer is taken back."""
    who.needs(Permission.CALL_DECIDE)
    found = who.house.admissions.award(who.actor, award)
    asked = Confirmation(
        heading="Take back this offer?",
        said=["It was not accepted in time. Its passes go back to the call, and it cannot be accepted any more."],
        action=f"/desk/awards/{award}/lapse",
        acts=[("lapse", f"Take back {found.amounts.passes:,} passes")],
        back=f"/desk/calls/{found.call}#awards",
        facts=[("Application", found.application), ("Accept by", f"{found.accept_by:%-d %B %Y}")],
    )
    return confirm(who, asked)


@post("/desk/awards/{award:str}/lapse", sync_to_thread=True)
def lapse(who: Visitor, award: str, data: Posted) -> Response[Any]:
    """Take back an offer whose date has passed."""
    check_form(who, data)
    made = who.house.admissions.lapse_award(who.actor, award)
    return back_to(f"/desk/calls/{made.call}#awards")


@get("/desk/applications/{application:str}/return", sync_to_thread=True)
def return_page(who: Visitor, application: str) -> Template:
    """Ask what is to be corrected, and until when."""
    return _returning(who, application, {}, [])


def _returning(who: Visitor, application: str, typed: Form, problems: Collection[Told]) -> Template:
    who.needs(Permission.CALL_OPEN)
    found = who.house.admissions.application(who.actor, application)
    call = who.house.admissions.call(found.call)
    now = who.house.clock.now()
    if not problems and not may_return(call, found, now):
        require(check_returnable(call, found, datetime.max.replace(tzinfo=UTC), now))
    shown = {"application": found, "call": call, "typed": typed, "problems": problems}
    return page(who, "desk/return.html", 400 if problems else 200, **shown)


@post("/desk/applications/{application:str}/return", sync_to_thread=True)
def return_(who: Visitor, application: str, data: Posted) -> Response[Any] | Template:
    """Return an application to be corrected; what is wrong with the form is told beside what was typed."""
    check_form(who, data)
    try:
        until = last_moment(data.get("until", ""), "until")
        made = who.house.admissions.return_application(who.actor, application, data.get("note", ""), until)
    except (BadInput, Refused) as fault:
        return _returning(who, application, data, told(fault, _RETURN))
    return back_to(f"/desk/calls/{made.call}#applications")


_HANDLERS = [release_page, release, lapse_page, lapse, return_page, return_]
router = Router("/", route_handlers=_HANDLERS, include_in_schema=False)
