"""Calls: opened, closed, allocated, published."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from litestar.params import QueryParameter
from msgspec import Meta

from readingroom.admissions import call_file as call_files
from readingroom.admissions import rehearsal
from readingroom.app import calls as planned
from readingroom.app import desk
from readingroom.app.house import House
from readingroom.core.refusal import require
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check

Limit = Annotated[int, QueryParameter(ge=1, le=1000, description="At most so many")]
Offset = Annotated[int, QueryParameter(ge=0, le=10_000_000, description="Leave out so many first")]


class CallText(msgspec.Struct, forbid_unknown_fields=True):
    """A call file."""

    text: Annotated[str, Meta(max_length=100_000)]


class Planned(CallText, forbid_unknown_fields=True):
    """A call file, and what is reckoned with."""

    applications: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    passes_per_second: Annotated[float, Meta(ge=0.001, le=1e9)] | None = None


class Rehearsed(CallText, forbid_unknown_fields=True):
    """A call file, and how it is played."""

    applicants: Annotated[int, Meta(ge=1, le=2000)] | None = None
    reviewers: Annotated[int, Meta(ge=1, le=2000)] | None = None
    seed: Annotated[int, Meta(ge=0, le=2**53 - 1)] = 0
    repeats: Annotated[int, Meta(ge=0, le=50)] = 20


class Emails(msgspec.Struct, forbid_unknown_fields=True):
    """Reviewers, by e-mail; none means everyone with the role."""

    emails: list[Annotated[str, Meta(max_length=254)]] = []
    due: Annotated[datetime, Meta(tz=True)] | None = None


class Allocating(msgspec.Struct, forbid_unknown_fields=True):
    """Whether to change nothing; and the public value that the call's `draw` names, in hex."""

    dry_run: bool = False
    public_value: Annotated[str, Meta(max_length=256)] = ""


@get("/calls", sync_to_thread=True, summary="Calls, the newest first")
def calls(house: House, limit: Limit = 500, offset: Offset = 0) -> list[dict[str, Any]]:
    """Return calls with their budget, window and form, a page at a time."""
    return [desk.call_json(each) for each in house.admissions.calls_page(limit, offset)[0]]


@post("/calls/check", status_code=200, sync_to_thread=True, summary="Check a call file, and count what it needs")
def check_call(data: Planned, house: House, actor: Actor) -> dict[str, Any]:
    """Say what is wrong or seldom meant in a call file, and how many persons and engine days the call needs."""
    require(check(actor, Permission.CALL_OPEN))
    speed = planned.speed_of(data.passes_per_second)
    return planned.check(data.text, "call.yaml", house, data.applications, speed).to_json()


@post("/calls/rehearse", status_code=200, sync_to_thread=True, summary="Play a call on synthetic applicants")
def rehearse(data: Rehearsed, house: House, actor: Actor) -> dict[str, Any]:  # noqa: ARG001 - every route is given it
    """Show who would win, how close it is and what luck decides; changes nothing, the same for the same seed."""
    require(check(actor, Permission.CALL_OPEN))
    file = call_files.parse(data.text, "call.yaml")
    played = rehearsal.rehearse(
        file, data.applicants, seed=data.seed, reviewers_there=data.reviewers, repeats=data.repeats
    )
    shown: dict[str, Any] = rehearsal.document(played)
    return shown


@post("/calls", sync_to_thread=True, summary="Open a call")
def open_call(data: CallText, house: House, actor: Actor) -> dict[str, Any]:
    """Open a call from its file's text."""
    return desk.call_json(desk.open_call(house, actor, data.text, "call.yaml"))


@get("/calls/{call:str}", sync_to_thread=True, summary="One call")
def show_call(call: str, house: House) -> dict[str, Any]:
    """Return a call."""
    return desk.call_json(house.admissions.call(call))


@get("/calls/{call:str}/file", media_type="text/yaml", sync_to_thread=True, summary="A call's file, byte for byte")
def call_file(call: str, house: House) -> str:
    """Return the file as it was opened; its SHA-256 is the digest in the ledger."""
    return house.admissions.call_text(call)


@post("/calls/{call:str}/close", status_code=200, sync_to_thread=True, summary="End submission")
def close_call(call: str, house: House, actor: Actor) -> dict[str, Any]:
    """Close a call."""
    return desk.call_json(house.admissions.close_call(actor, call))


@post("/calls/{call:str}/reviewers", status_code=200, sync_to_thread=True, summary="Assign reviewers")
def assign(call: str, data: Emails, house: House, actor: Actor) -> dict[str, Any]:
    """Give every application its reviewers; a conflict is never assigned."""
    require(check(actor, Permission.CALL_OPEN))  # before anybody is looked up by name
    people = [house.people.named(each).id for each in data.emails]
    made = house.admissions.assign_reviewers(actor, call, people or None, data.due)
    return {"assigned": len(made)}


@post("/calls/{call:str}/allocate", status_code=200, sync_to_thread=True, summary="Compute the allocation")
def allocate(call: str, data: Allocating, house: House, actor: Actor) -> dict[str, Any]:
    """Fix how the budget is divided, or, as a dry run, only show it."""
    made = house.admissions.allocate(actor, call, public_value=data.public_value, dry_run=data.dry_run)
    return desk.allocation_json(made)


@post("/calls/{call:str}/publish", status_code=200, sync_to_thread=True, summary="Make the allocation binding")
def publish(call: str, house: House, actor: Actor) -> list[dict[str, Any]]:
    """Decide every application as it was allocated."""
    return [desk.award_json(each) for each in house.admissions.publish(actor, call)]


router = Router(
    "/",
    route_handlers=[
        calls,
        check_call,
        rehearse,
        open_call,
        show_call,
        call_file,
        close_call,
        assign,
        allocate,
        publish,
    ],
    tags=["admissions"],
)
