"""Letters on their way, and dates as calendar files."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from litestar import Response, Router, get, post

from readingroom.app import mailroom
from readingroom.app.house import House
from readingroom.core.clock import rfc3339
from readingroom.people.model import Actor
from readingroom.post.model import Standing

CALENDAR = "text/calendar"


@get("/mail", sync_to_thread=True, summary="Letters that wait or are stuck, and why")
def unsent(house: House, actor: Actor) -> list[dict[str, Any]]:
    """List letters that wait or are stuck, the stuck ones first; never their texts."""
    return [_json(each) for each in mailroom.unsent(house, actor)]


@post("/mail/{letter:str}/retry", status_code=200, sync_to_thread=True, summary="Try a letter anew")
def retry(letter: str, house: House, actor: Actor) -> dict[str, Any]:
    """Have a letter tried anew at once."""
    return {"retried": mailroom.retry(house, actor, letter)}


@post("/mail/{letter:str}/drop", status_code=200, sync_to_thread=True, summary="Remove a stuck letter")
def drop(letter: str, house: House, actor: Actor) -> dict[str, Any]:
    """Remove a letter that is stuck and will not be sent."""
    mailroom.drop(house, actor, letter)
    return {"dropped": letter}


@get("/calls/{call:str}/calendar.ics", sync_to_thread=True, summary="A call's dates", media_type=CALENDAR)
def call_dates(call: str, house: House) -> Response[str]:
    """Return when a call's window opens and closes, as a calendar file."""
    return calendar_file(mailroom.call_calendar(house, call), "call")


@get("/calendar/mine.ics", sync_to_thread=True, summary="Your own dates", media_type=CALENDAR)
def my_dates(house: House, actor: Actor) -> Response[str]:
    """Return every date of yours: applications, awards and grants."""
    return calendar_file(mailroom.my_calendar(house, actor), "reading-room")


def calendar_file(made: str, name: str) -> Response[str]:
    """Return a calendar file to be saved."""
    headers = {"content-disposition": f'attachment; filename="{name}.ics"'}
    return Response(made, media_type=CALENDAR, headers=headers)


def _json(each: Standing) -> dict[str, Any]:
    moments = {"made_at": rfc3339(each.made_at), "next_at": rfc3339(each.next_at) if each.next_at else None}
    return asdict(each) | moments


router = Router("/", route_handlers=[unsent, retry, drop, call_dates, my_dates], tags=["mail"])
