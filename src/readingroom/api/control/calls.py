"""Calls: opened, closed, allocated, published."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from msgspec import Meta

from readingroom.app import desk
from readingroom.app.house import House
from readingroom.core.refusal import require
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check


class CallText(msgspec.Struct, forbid_unknown_fields=True):
    """A call file."""

    text: Annotated[str, Meta(max_length=100_000)]


class Emails(msgspec.Struct, forbid_unknown_fields=True):
    """Reviewers, by e-mail; none means everyone with the role."""

    emails: list[Annotated[str, Meta(max_length=254)]] = []


class Allocating(msgspec.Struct, forbid_unknown_fields=True):
    """Whether to change nothing; and the public value that the call's `draw` names, in hex."""

    dry_run: bool = False
    public_value: Annotated[str, Meta(max_length=256)] = ""


@get("/calls", sync_to_thread=True, summary="All calls")
def calls(house: House) -> list[dict[str, Any]]:
    """Return every call with its budget, window and form."""
    return [desk.call_json(each) for each in house.admissions.calls()]


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
    made = house.admissions.assign_reviewers(actor, call, people or None)
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
    route_handlers=[calls, open_call, show_call, call_file, close_call, assign, allocate, publish],
    tags=["admissions"],
)
