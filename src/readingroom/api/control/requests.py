"""What holders do with a grant after the award: report, ask for more, give back, pass on; and who answers them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from msgspec import Meta

from readingroom.admissions.requests import Answer
from readingroom.app import holding, sharing
from readingroom.app.house import House
from readingroom.app.views import grant_json
from readingroom.people.model import Actor

Text = Annotated[str, Meta(max_length=20_000)]
Some = Annotated[int, Meta(ge=1, le=2**53 - 1)]


class Report(msgspec.Struct, forbid_unknown_fields=True):
    """A progress report."""

    text: Text
    found: Text
    used: Text


class Supplement(msgspec.Struct, forbid_unknown_fields=True):
    """What more is asked for."""

    passes: Some
    purpose: Text
    why: Text


class Returned(msgspec.Struct, forbid_unknown_fields=True):
    """What is given back; null ends the project, and gives back all that is free or held."""

    passes: Some | None


class Moved(msgspec.Struct, forbid_unknown_fields=True):
    """What is passed on, and to which of one's own grants."""

    to: Annotated[str, Meta(max_length=100)]
    passes: Some


class Answered(msgspec.Struct, forbid_unknown_fields=True):
    """An answer to a request: so many passes, 0 for none; less than was asked for needs a note."""

    passes: Annotated[int, Meta(ge=0, le=2**53 - 1)]
    note: Text = ""


@get("/grants/{project:str}/held", sync_to_thread=True, summary="A grant, what is held of it, and what was asked for")
def held(project: str, house: House, actor: Actor) -> dict[str, Any]:
    """Return a grant with what its award still holds back and what was asked for under it."""
    return holding.held_json(house, actor, project)


@post("/grants/{project:str}/reports", sync_to_thread=True, summary="File a progress report")
def report(project: str, data: Report, house: House, actor: Actor) -> dict[str, Any]:
    """File a progress report; a person then releases what is held."""
    award = sharing.award_of(house, actor, project)
    answers = {"text": data.text, "found": data.found, "used": data.used}
    return holding.request_json(house.admissions.file_report(actor, award, answers))


@post("/grants/{project:str}/supplements", sync_to_thread=True, summary="Ask for a supplement")
def supplement(project: str, data: Supplement, house: House, actor: Actor) -> dict[str, Any]:
    """Ask for more than was awarded, as far as the call allows it."""
    award = sharing.award_of(house, actor, project)
    answers = {"purpose": data.purpose, "why": data.why}
    return holding.request_json(house.admissions.ask_supplement(actor, award, answers, data.passes))


@post("/grants/{project:str}/return", status_code=200, sync_to_thread=True, summary="Give back what is not needed")
def give_up(project: str, data: Returned, house: House, actor: Actor) -> dict[str, Any]:
    """Give unused passes back to the call; what is used or in use stays."""
    return grant_json(house, sharing.give_up(house, actor, project, data.passes))


@post(
    "/grants/{project:str}/transfer", status_code=200, sync_to_thread=True, summary="Move passes to another own grant"
)
def transfer(project: str, data: Moved, house: House, actor: Actor) -> dict[str, Any]:
    """Move unused passes to another of one's own grants from the same budget; returns the one that has them now."""
    return grant_json(house, sharing.transfer(house, actor, project, data.to, data.passes))


@get("/requests", sync_to_thread=True, summary="Requests that wait for an answer")
def waiting(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return the reports and supplements of all calls that nobody has answered."""
    return [holding.request_json(each) for each in house.admissions.requests(actor)]


@get("/requests/{request_id:str}", sync_to_thread=True, summary="One request")
def show(request_id: str, house: House, actor: Actor) -> dict[str, Any]:
    """Return one request: one's own, or any for who may read applications."""
    return holding.request_json(house.admissions.request(actor, request_id))


@post("/requests/{request_id:str}/answer", status_code=200, sync_to_thread=True, summary="Answer a request")
def answer(request_id: str, data: Answered, house: House, actor: Actor) -> dict[str, Any]:
    """Release or withhold a tranche, grant or refuse a supplement; the grant grows in the same transaction."""
    return holding.request_json(house.admissions.decide_request(actor, request_id, Answer(data.passes, data.note)))


@post("/requests/{request_id:str}/withdraw", status_code=200, sync_to_thread=True, summary="Take a request back")
def withdraw(request_id: str, house: House, actor: Actor) -> dict[str, Any]:
    """Take back a request that nobody has answered."""
    return holding.request_json(house.admissions.withdraw_request(actor, request_id))


_HOLDERS = [held, report, supplement, give_up, transfer]
router = Router("/", route_handlers=[*_HOLDERS, waiting, show, answer, withdraw], tags=["admissions"])
