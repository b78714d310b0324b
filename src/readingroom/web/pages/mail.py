"""Letters that wait or are stuck, for the steward; dates as calendar files, for whoever they concern."""

from __future__ import annotations

from typing import Any

from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.app import mailroom
from readingroom.core.errors import BadInput, Problem
from readingroom.people.rules import Permission
from readingroom.web.browser import Visitor, back_to, check_form, page
from readingroom.web.pages.account import Posted


@get("/steward/letters", sync_to_thread=True)
def letters(who: Visitor) -> Template:
    """Show which letters are on their way and which are stuck, and why."""
    who.needs(Permission.LETTER_MANAGE)
    found, counts = mailroom.unsent(who.house, who.actor), mailroom.counts(who.house, who.actor)
    return page(who, "mail/letters.html", found=found, counts=counts, box=who.house.mailbox)


@post("/steward/letters/{letter:str}", sync_to_thread=True)
def act(who: Visitor, letter: str, data: Posted) -> Response[Any]:
    """Try a letter anew, or remove one that is stuck."""
    check_form(who, data)
    if (do := data.get("do", "")) == "retry":
        mailroom.retry(who.house, who.actor, letter)
    elif do == "drop":
        mailroom.drop(who.house, who.actor, letter)
    else:
        raise BadInput([Problem("do", f"{do[:40]!r} is nothing that can be done here", "It can be: retry, drop")])
    return back_to("/steward/letters")


def _file(made: str, name: str) -> Response[str]:
    headers = {"content-disposition": f'attachment; filename="{name}.ics"'}
    return Response(made, media_type="text/calendar", headers=headers)


@get("/apply/{call:str}/calendar.ics", sync_to_thread=True)
def call_dates(who: Visitor, call: str) -> Response[str]:
    """Give out a call's dates."""
    return _file(mailroom.call_calendar(who.house, call), "call")


@get("/applications/{application:str}/calendar.ics", sync_to_thread=True)
def application_dates(who: Visitor, application: str) -> Response[str]:
    """Give out the dates of one's own application."""
    who.signed_in()
    return _file(mailroom.application_calendar(who.house, who.actor, application), "application")


@get("/my/calendar.ics", sync_to_thread=True)
def my_dates(who: Visitor) -> Response[str]:
    """Give out every date of one's own."""
    who.signed_in()
    return _file(mailroom.my_calendar(who.house, who.actor), "reading-room")


router = Router("/", route_handlers=[letters, act, call_dates, application_dates, my_dates], include_in_schema=False)
