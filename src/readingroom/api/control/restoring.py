"""After a restoring from a backup: what is open, and the two ways to lift the suspension of every grant."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from msgspec import Meta

from readingroom.app.house import House
from readingroom.app.views import restoration_json
from readingroom.core.refusal import require
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check

Reason = Annotated[str, Meta(max_length=10_000)]


class Word(msgspec.Struct, forbid_unknown_fields=True):
    """What is known of the time after the backup."""

    reason: Reason


class Match(Word, forbid_unknown_fields=True, kw_only=True):
    """The newest checkpoint that ever left the house, as it was kept: a signed note."""

    checkpoint: Annotated[str, Meta(max_length=100_000)]


@get("/restoration", sync_to_thread=True, summary="Is this house restored from a backup, and what is open?")
def restoration(house: House, actor: Actor) -> dict[str, Any]:
    """Return what holds after a restoring, for who may read grants."""
    require(check(actor, Permission.GRANT_READ))
    return restoration_json(house)


@post("/restoration/confirm", status_code=200, sync_to_thread=True, summary="Confirm the gap, for oneself")
def confirm(data: Word, house: House, actor: Actor) -> dict[str, Any]:
    """Confirm that what was decided after the backup is lost; the second person's word lifts the suspension."""
    house.restorations.confirm(actor, data.reason)
    return restoration_json(house)


@post("/restoration/match", status_code=200, sync_to_thread=True, summary="Lift it by the newest checkpoint")
def match(data: Match, house: House, actor: Actor) -> dict[str, Any]:
    """Show the newest checkpoint that left the house; a newer one than the backup's proves the gap."""
    house.restorations.match(actor, data.checkpoint.encode(), data.reason)
    return restoration_json(house)


router = Router("/", route_handlers=[restoration, confirm, match], tags=["restoring"])
