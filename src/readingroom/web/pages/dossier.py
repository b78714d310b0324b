"""Downloads of calls' dossiers: the desk's with ids, everybody's with pseudonyms."""

from __future__ import annotations

from typing import Any

from litestar import Response, Router, get

from readingroom.app.dossiers import call_dossier
from readingroom.core.canonical import Json
from readingroom.people.rules import Permission
from readingroom.web.browser import Visitor


def _file(document: Json, name: str) -> Response[Any]:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(document, media_type="application/json", headers=headers)


@get("/desk/calls/{call:str}/dossier", sync_to_thread=True)
def internal(who: Visitor, call: str) -> Response[Any]:
    """Download a call's dossier with ids."""
    who.needs(Permission.APPLICATION_READ)
    return _file(call_dossier(who.house, who.actor, call), "dossier.json")


@get("/calls/{call:str}/dossier", sync_to_thread=True)
def public(who: Visitor, call: str) -> Response[Any]:
    """Download a call's public dossier."""
    return _file(call_dossier(who.house, None, call), "dossier-public.json")


router = Router("/", route_handlers=[internal, public], include_in_schema=False)
