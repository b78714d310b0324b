"""The desk's lists and first looks: forms, late ones, the sift, applicants who review one another, what is overdue."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from litestar.params import QueryParameter
from msgspec import Meta

from readingroom.admissions.allocation import decimal
from readingroom.admissions.model import ApplicationState, Reason
from readingroom.api.control.calls import Limit, Offset
from readingroom.app import desk
from readingroom.app.house import House
from readingroom.people.model import Actor

Wanted = Annotated[ApplicationState | None, QueryParameter(name="state", description="Only these")]
Text = Annotated[str, Meta(max_length=20_000)]
Id = Annotated[str, Meta(max_length=100)]


class Forms(msgspec.Struct, forbid_unknown_fields=True):
    """The applications whose forms are in order."""

    applications: Annotated[list[Id], Meta(max_length=200)]


class Ineligible(msgspec.Struct, forbid_unknown_fields=True):
    """Why an application is refused on its form alone."""

    reason: Reason
    note: Text


class Why(msgspec.Struct, forbid_unknown_fields=True):
    """Why, in words; the applicant is told."""

    note: Text


class Confirmed(Why, forbid_unknown_fields=True):
    """A person's word on an application under the line of the sift."""

    out: bool


class Look(msgspec.Struct, forbid_unknown_fields=True):
    """A first look."""

    score: Annotated[int, Meta(ge=0, le=999)]
    comment: Text


@get("/calls/{call:str}/desk", sync_to_thread=True, summary="A page of a call's applications, in order of arrival")
def desk_page(  # noqa: PLR0913, PLR0917 - what a list can be asked, each by its name
    call: str,
    house: House,
    actor: Actor,
    wanted: Wanted = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> dict[str, Any]:
    """Return what the desk sorts by, without answers, and the counts of the whole call."""
    states = [wanted] if wanted else []
    return desk.page_json(house.admissions.desk_page(actor, call, states, limit, offset))


@get("/calls/{call:str}/overdue", sync_to_thread=True, summary="What was to be decided by now")
def overdue(call: str, house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return what a person meant to have decided, the oldest first; nothing happens to it by itself."""
    found = house.admissions.overdue(actor, call)
    return [{"id": a.id, "state": a.state.value, "passes": a.passes, "submitted_at": a.since} for a in found]


@post("/calls/{call:str}/forms", status_code=200, sync_to_thread=True, summary="Find forms in order")
def check_forms(call: str, data: Forms, house: House, actor: Actor) -> dict[str, Any]:
    """Find the forms of these applications in order, before they are reviewed."""
    return {"checked": house.admissions.check_forms(actor, call, data.applications)}


@post("/applications/{application:str}/ineligible", status_code=200, sync_to_thread=True, summary="Not eligible")
def ineligible(application: str, data: Ineligible, house: House, actor: Actor) -> dict[str, Any]:
    """Refuse an application on its form alone."""
    made = house.admissions.find_ineligible(actor, application, data.reason, data.note)
    return {"application": application, "outcome": made.outcome.value, "reason": made.reason.value}


@post("/applications/{application:str}/admit", status_code=200, sync_to_thread=True, summary="Admit a late one")
def admit(application: str, data: Why, house: House, actor: Actor) -> dict[str, Any]:
    """Let a late application count as if it had come in time."""
    return desk.application_json(house.admissions.admit_late(actor, application, data.note))


@post("/applications/{application:str}/next-round", status_code=200, sync_to_thread=True, summary="To the next round")
def next_round(application: str, house: House, actor: Actor) -> dict[str, Any]:
    """Move one's late application into the next round, as a draft."""
    return desk.application_json(house.admissions.move_to_next_round(actor, application))


@post("/calls/{call:str}/sift", status_code=200, sync_to_thread=True, summary="Assign the sift")
def assign_sift(call: str, house: House, actor: Actor) -> dict[str, Any]:
    """Share a closed call's applications out for a first look."""
    return {"assigned": house.admissions.assign_sift(actor, call)}


@get("/calls/{call:str}/sift", sync_to_thread=True, summary="What the sift says")
def sift_tally(call: str, house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return each application's mean, the lowest first, and whether it waits under the line for a person."""
    return [
        {"application": t.application, "mean": None if t.mean is None else decimal(t.mean), "below": t.below}
        for t in house.admissions.sift_tally(actor, call)
    ]


@post("/applications/{application:str}/sift", status_code=200, sync_to_thread=True, summary="Confirm the sift")
def confirm_sift(application: str, data: Confirmed, house: House, actor: Actor) -> dict[str, Any]:
    """Confirm that one under the line goes no further, or let it go on."""
    if data.out:
        house.admissions.sift_out(actor, application, data.note)
    else:
        house.admissions.sift_keep(actor, application, data.note)
    return {"application": application, "out": data.out}


@get("/looks", sync_to_thread=True, summary="What I am asked to take a first look at")
def looks(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return one's looks to give, without names."""
    return [desk.sift_json(each) for each in house.admissions.sifts_to_do(actor)]


@post("/looks/{look:str}", status_code=200, sync_to_thread=True, summary="Give a first look")
def give_look(look: str, data: Look, house: House, actor: Actor) -> dict[str, Any]:
    """Score one application on the sift's criterion."""
    house.admissions.sift(actor, look, data.score, data.comment)
    return {"look": look, "score": data.score}


@post("/calls/{call:str}/peers", status_code=200, sync_to_thread=True, summary="Let applicants review one another")
def assign_peers(call: str, house: House, actor: Actor) -> dict[str, Any]:
    """Give each half's applications to the applicants of the other."""
    return {"assigned": house.admissions.assign_peers(actor, call)}


@get("/calls/{call:str}/peers", sync_to_thread=True, summary="Whose applicants owe reviews")
def debts(call: str, house: House, actor: Actor) -> dict[str, int]:
    """Return application to the number of reviews that its applicant still owes."""
    return house.admissions.peer_debts(actor, call)


@post("/applications/{application:str}/drop", status_code=200, sync_to_thread=True, summary="Refuse for reviews owed")
def drop(application: str, data: Why, house: House, actor: Actor) -> dict[str, Any]:
    """Refuse an application whose applicant has not given the reviews that all give."""
    made = house.admissions.drop_for_debt(actor, application, data.note)
    return {"application": application, "outcome": made.outcome.value, "reason": made.reason.value}


_DESK = [desk_page, overdue, check_forms, ineligible, admit, next_round]
_REVIEW = [assign_sift, sift_tally, confirm_sift, looks, give_look, assign_peers, debts, drop]
router = Router("/", route_handlers=[*_DESK, *_REVIEW], tags=["admissions"])
