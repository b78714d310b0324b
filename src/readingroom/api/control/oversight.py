"""The register of readers and the facsimiles."""

from __future__ import annotations

from typing import Any

from litestar import Router, get

from readingroom.app.house import House
from readingroom.oversight.register import as_json
from readingroom.people.model import Actor


@get("/register/public", sync_to_thread=True, summary="The register of readers, without persons")
def public_register(house: House) -> list[dict[str, Any]]:
    """Return the public register."""
    return [as_json(each) for each in house.oversight.public_register()]


@get("/register/whole", sync_to_thread=True, summary="The whole register, for who may read it")
def whole_register(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return the whole register."""
    return [as_json(each) for each in house.oversight.register(actor)]


@get("/samples", sync_to_thread=True, summary="The facsimiles on show")
def samples(house: House) -> list[dict[str, Any]]:
    """Return the curated outputs that everyone may see."""
    return [
        {"id": s.id, "prompt": s.prompt, "output": s.output, "model": s.model, "note": s.note, "receipt": s.receipt}
        for s in house.samples.all()
    ]


router = Router("/", route_handlers=[public_register, whole_register, samples], tags=["oversight"])
