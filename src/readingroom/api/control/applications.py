"""Applications: filled in, submitted, returned, decided."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get, patch, post
from msgspec import UNSET, Meta, UnsetType

from readingroom.admissions.model import Answer, Draft, Outcome, Reason, Ruling
from readingroom.api.control.calls import Limit, Offset
from readingroom.app import applying, desk
from readingroom.app.house import House
from readingroom.core.errors import BadInput, Problem
from readingroom.core.numbers import whole
from readingroom.people.model import Actor

Text = Annotated[str, Meta(max_length=20_000)]


class Filled(msgspec.Struct, forbid_unknown_fields=True):
    """An application as it is filled in."""

    answers: dict[str, Answer] | UnsetType = UNSET
    passes: Annotated[int, Meta(ge=0, le=2**53 - 1)] | UnsetType = UNSET
    tier: Annotated[str, Meta(max_length=100)] | UnsetType = UNSET
    team: list[Annotated[str, Meta(max_length=254)]] | UnsetType = UNSET

    def over(self, known: Draft) -> Draft:
        """Return a draft in which what was sent replaces what was known; of the answers, each by itself."""
        answers = {} if self.answers is UNSET else self.answers
        return Draft(
            answers={**known.answers, **answers},
            passes=known.passes if self.passes is UNSET else self.passes,
            tier=known.tier if self.tier is UNSET else self.tier,
            team=known.team if self.team is UNSET else tuple(self.team),
        )


class Correction(msgspec.Struct, forbid_unknown_fields=True):
    """What is to be corrected, and by when."""

    note: Text
    until: Annotated[datetime, Meta(tz=True)]


class Ruled(msgspec.Struct, forbid_unknown_fields=True):
    """A person's decision on one application."""

    outcome: Outcome
    reason: Reason
    note: Text = ""
    passes: Annotated[int, Meta(ge=1)] | None = None


@get("/calls/{call:str}/applications", sync_to_thread=True, summary="A call's applications, for the desk")
def applications(call: str, house: House, actor: Actor, limit: Limit = 500, offset: Offset = 0) -> list[dict[str, Any]]:
    """Return the applications of a call with their answers, a page at a time."""
    return [desk.application_json(each) for each in house.admissions.applications(actor, call, limit, offset)]


@post("/calls/{call:str}/applications", sync_to_thread=True, summary="Start an application")
def start(call: str, data: Filled, house: House, actor: Actor) -> dict[str, Any]:
    """Start an application; it counts once it is submitted."""
    tiers = house.admissions.call(call).file.tiers
    return desk.application_json(house.admissions.start(actor, call, data.over(Draft({}, 0, tiers[0], ()))))


@get("/applications/mine", sync_to_thread=True, summary="My applications")
def mine(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return the caller's applications."""
    return [desk.application_json(each) for each in house.admissions.my_applications(actor)]


@get("/applications/{application:str}", sync_to_thread=True, summary="An application, with its revision as etag")
def show(application: str, house: House, actor: Actor) -> Response[dict[str, Any]]:
    """Return one's own or one's team's application, or any as it was submitted for who may see names."""
    return tagged(desk.application_json(house.admissions.application(actor, application)))


@patch("/applications/{application:str}", sync_to_thread=True, summary="Save an application")
def save(
    application: str, data: Filled, house: House, actor: Actor, request: Request[Any, Any, Any]
) -> Response[dict[str, Any]]:
    """Save what is filled in so far; with `If-Match: ETAG`, only if nobody has changed it since."""
    found = house.admissions.application(actor, application)
    based_on = etag(request.headers.get("if-match", ""), found.revision)
    return tagged(desk.application_json(house.admissions.save(actor, application, data.over(found.draft), based_on)))


def etag(sent: str, now: int) -> int:
    """Read the revision that a change is based on; none, or `*`, is whatever there is now.

    Raises:
        BadInput: it is no etag of ours.
    """
    plain = sent.strip().removeprefix("W/").strip('"')
    if plain in {"", "*"}:
        return now
    found = whole(plain)
    if found is None:
        cure = "Send the etag that GET answered with, or leave it out"
        raise BadInput([Problem("if-match", "is no etag of an application", cure)])
    return found


def tagged(document: dict[str, Any]) -> Response[dict[str, Any]]:
    """Answer with a document's revision as its etag."""
    return Response(document, headers={"etag": f'"{document["revision"]}"'})


@post("/applications/{application:str}/submit", status_code=200, sync_to_thread=True, summary="Submit an application")
def submit(application: str, house: House, actor: Actor) -> dict[str, Any]:
    """Freeze and submit an application."""
    return desk.application_json(house.admissions.submit(actor, application))


@post("/applications/{application:str}/withdraw", status_code=200, sync_to_thread=True, summary="Withdraw it")
def withdraw(application: str, house: House, actor: Actor) -> dict[str, Any]:
    """Withdraw an application."""
    return desk.application_json(house.admissions.withdraw(actor, application))


@post(
    "/applications/{application:str}/decide",
    status_code=200,
    sync_to_thread=True,
    summary="Decide without a competition",
)
def decide(application: str, data: Ruled, house: House, actor: Actor) -> dict[str, Any]:
    """Decide one application of a call that holds no competition."""
    ruling = Ruling(data.outcome, data.reason, data.note, data.passes)
    made = house.admissions.decide(actor, application, ruling)
    return {"application": application, "outcome": made.outcome.value, "reason": made.reason.value, "text": made.text}


@post("/applications/{application:str}/return", status_code=200, sync_to_thread=True, summary="Ask for a correction")
def return_(application: str, data: Correction, house: House, actor: Actor) -> dict[str, Any]:
    """Return an application until a date; what was submitted is kept."""
    return desk.application_json(house.admissions.return_application(actor, application, data.note, data.until))


@get("/applications/{application:str}/decision", sync_to_thread=True, summary="What was decided, and why")
def decision(application: str, house: House, actor: Actor) -> dict[str, Any]:
    """Return the decision on one's application, with what would have had to differ."""
    return applying.decision_json(house, actor, application)


router = Router(
    "/",
    route_handlers=[applications, start, mine, show, save, submit, withdraw, decide, return_, decision],
    tags=["admissions"],
)
