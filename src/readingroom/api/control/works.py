"""Works: what readers made of the model."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Response, Router, get, post
from msgspec import Meta

from readingroom.app.house import House
from readingroom.app.works import own_json, public_json
from readingroom.oversight.citing import bibtex, csl
from readingroom.oversight.work import Kind, Work
from readingroom.people.model import Actor

Line = Annotated[str, Meta(max_length=1_000)]


class HandedIn(msgspec.Struct, forbid_unknown_fields=True):
    """A work, made under one of your own grants."""

    grant: Annotated[str, Meta(max_length=100)]
    kind: Kind
    title: Line
    authors: Annotated[list[Line], Meta(max_length=100)]
    year: int
    doi: Line = ""
    url: Line = ""
    licence: Line = ""
    abstract: Annotated[str, Meta(max_length=10_000)] = ""
    facsimiles: Annotated[list[Line], Meta(max_length=200)] = []
    receipts: Annotated[list[Line], Meta(max_length=200)] = []


class WhyNot(msgspec.Struct, forbid_unknown_fields=True):
    """Why a work is not on the page."""

    reason: Annotated[str, Meta(max_length=10_000)] = ""


@get("/works", sync_to_thread=True, summary="The works on the public page")
def shown(house: House) -> list[dict[str, Any]]:
    """Return what readers made of the model, as far as it is published."""
    return [public_json(each) for each in house.works.shown()]


@get("/works/csl", sync_to_thread=True, summary="The same as CSL-JSON")
def as_csl(house: House) -> list[dict[str, Any]]:
    """Return the published works for a reference manager."""
    return csl(house.works.shown())


@get("/works/bibtex", sync_to_thread=True, summary="The same as BibTeX", media_type="application/x-bibtex")
def as_bibtex(house: House) -> Response[str]:
    """Return the published works as a BibTeX file."""
    return Response(bibtex(house.works.shown()), media_type="application/x-bibtex; charset=utf-8")


@get("/works/mine", sync_to_thread=True, summary="Your own works, and how each stands")
def mine(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return your own works."""
    return [own_json(each) for each in house.works.mine(actor)]


@get("/works/waiting", sync_to_thread=True, summary="Works that wait for a steward")
def waiting(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return what was handed in and not yet looked at."""
    return [own_json(each) for each in house.works.waiting(actor)]


@post("/works", sync_to_thread=True, summary="Hand a work in")
def submit(data: HandedIn, house: House, actor: Actor) -> dict[str, Any]:
    """Hand a work in; a steward puts it on the page, or says why not."""
    given = {name: value for name, value in msgspec.structs.asdict(data).items() if name != "grant"}
    return own_json(house.works.submit(actor, data.grant, Work.from_json(given)))


@post("/works/{work:str}/publish", status_code=200, sync_to_thread=True, summary="Put a work on the page")
def publish(work: str, house: House, actor: Actor) -> dict[str, Any]:
    """Put a work on the public page."""
    return own_json(house.works.publish(actor, work))


@post("/works/{work:str}/decline", status_code=200, sync_to_thread=True, summary="Do not, and say why")
def decline(work: str, data: WhyNot, house: House, actor: Actor) -> dict[str, Any]:
    """Decline a work, with a reason that its author is told."""
    return own_json(house.works.decline(actor, work, data.reason))


@post("/works/{work:str}/withdraw", status_code=200, sync_to_thread=True, summary="Take a work off the page")
def withdraw(work: str, data: WhyNot, house: House, actor: Actor) -> dict[str, Any]:
    """Take off a work of your own; or another's, with a reason, if you may publish."""
    return own_json(house.works.withdraw(actor, work, data.reason))


router = Router(
    "/",
    route_handlers=[shown, as_csl, as_bibtex, mine, waiting, submit, publish, decline, withdraw],
    tags=["works"],
)
