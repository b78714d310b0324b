"""Dossiers of calls: all that an allocation rested on, signed; to be verified with `readingroom call verify`."""

from __future__ import annotations

from typing import Any

from litestar import Router, get

from readingroom.app.dossiers import call_dossier
from readingroom.app.house import House
from readingroom.people.model import Actor


@get("/calls/{call:str}/dossier", sync_to_thread=True, summary="A call's dossier, with ids")
def internal(call: str, house: House, actor: Actor) -> dict[str, Any]:
    """Return the signed dossier of a call that was allocated, for who may read applications."""
    return call_dossier(house, actor, call)


@get("/calls/{call:str}/dossier/public", sync_to_thread=True, summary="A call's dossier, with pseudonyms")
def public(call: str, house: House) -> dict[str, Any]:
    """Return the signed dossier of a call whose result is published, for anybody."""
    return call_dossier(house, None, call)


router = Router("/", route_handlers=[internal, public], tags=["admissions"])
