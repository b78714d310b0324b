"""Texts that are kept for investigations: what a reader agrees to; what is kept, read on record, and erased."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from msgspec import Meta

from readingroom.app.house import House
from readingroom.app.lending import agree
from readingroom.app.views import grant_json
from readingroom.core.clock import rfc3339
from readingroom.oversight.model import MOST, as_json
from readingroom.people.model import Actor

Reason = Annotated[str, Meta(max_length=10_000)]


class Agreed(msgspec.Struct, forbid_unknown_fields=True):
    """The digest of what was shown: `retention.digest` of the grant."""

    digest: Annotated[str, Meta(max_length=100)]


class Why(msgspec.Struct, forbid_unknown_fields=True):
    """Why a text is erased."""

    reason: Reason


class Reading(Why, forbid_unknown_fields=True, kw_only=True):
    """Which texts are read, and why."""

    receipts: Annotated[list[Annotated[str, Meta(max_length=100)]], Meta(max_length=MOST)]


@post("/grants/{grant:str}/retention/agree", status_code=200, sync_to_thread=True, summary="Agree to what is kept")
def agree_to(grant: str, data: Agreed, house: House, actor: Actor) -> dict[str, Any]:
    """Agree, as the grant's holder, that its stage keeps prompts and answers as it says."""
    return grant_json(house, agree(house, actor, grant, data.digest))


@get("/grants/{grant:str}/texts", sync_to_thread=True, summary="What is kept of a grant, without the texts")
def listed(grant: str, house: House, actor: Actor) -> list[dict[str, Any]]:
    """List what is kept: when, how each call ended, which rules flagged or stopped it."""
    return [{**asdict(each), "until": rfc3339(each.until)} for each in house.investigations.listed(actor, grant)]


@post("/texts/read", status_code=200, sync_to_thread=True, summary="Read kept texts, on record")
def read(data: Reading, house: House, actor: Actor) -> list[dict[str, Any]]:
    """Read texts; each reading is in the ledger before anything is shown."""
    return [as_json(each) for each in house.investigations.read(actor, data.receipts, data.reason)]


@post("/grants/{grant:str}/texts/erase", status_code=200, sync_to_thread=True, summary="Erase what is kept of a grant")
def erase(grant: str, data: Why, house: House, actor: Actor) -> dict[str, Any]:
    """Erase all that is kept of a grant, by destroying its part of the keys."""
    return {"grant": grant, "erased": house.investigations.erase(actor, grant, data.reason)}


@get("/texts/readings", sync_to_thread=True, summary="Who read or erased what, and why")
def readings(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return every reading and erasing, newest first, for who may read the register."""
    return [{**asdict(each), "at": rfc3339(each.at)} for each in house.investigations.readings(actor)]


router = Router("/", route_handlers=[agree_to, listed, read, erase, readings], tags=["kept texts"])
