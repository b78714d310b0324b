"""The register of readers and the facsimiles."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from litestar import Router, get

from readingroom.app.house import House
from readingroom.core.clock import rfc3339
from readingroom.oversight.model import Shape
from readingroom.oversight.register import as_json
from readingroom.people.model import Actor


@get("/register/public", sync_to_thread=True, summary="The register of readers, without persons")
def public_register(house: House) -> list[dict[str, Any]]:
    """Return the public register."""
    return [as_json(each) for each in house.oversight.public_register()]


@get("/register/whole", sync_to_thread=True, summary="The whole register, for who may read it")
def whole_register(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return the whole register; that you looked is in the ledger first."""
    return [as_json(each) for each in house.oversight.register(actor, Shape.JSON)]


@get("/register/mine", sync_to_thread=True, summary="Your own entries in the register")
def own_register(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return what the whole register says of you."""
    return [as_json(each) for each in house.oversight.mine(actor)]


@get("/register/looks", sync_to_thread=True, summary="Who looked at the whole register")
def looks(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return the latest looks, newest first, each with the digest of what was shown."""
    return [{**asdict(each), "at": rfc3339(each.at)} for each in house.oversight.looks(actor)]


@get("/samples", sync_to_thread=True, summary="The facsimiles on show")
def samples(house: House) -> list[dict[str, Any]]:
    """Return the curated outputs that everyone may see."""
    return [
        {"id": s.id, "prompt": s.prompt, "output": s.output, "model": s.model, "note": s.note, "receipt": s.receipt}
        for s in house.samples.all()
    ]


router = Router("/", route_handlers=[public_register, whole_register, own_register, looks, samples], tags=["oversight"])
