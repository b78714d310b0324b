"""The log as C2SP tlog-tiles over HTTP: static resources that anyone may read and cache."""

from __future__ import annotations

from typing import Any

from litestar import MediaType, Request, Response, Router, get
from litestar.di import Provide

from readingroom.api.errors import HANDLERS
from readingroom.app.house import House
from readingroom.core.refusal import Refusal, Refused
from readingroom.ledger.tiles import Tile

_FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}
_BRIEFLY = {"cache-control": "no-cache"}


@get("/checkpoint", sync_to_thread=True, media_type=MediaType.TEXT, summary="The newest signed checkpoint")
def checkpoint(house: House) -> Response[bytes]:
    """Return the checkpoint as a C2SP signed note."""
    note = house.log.checkpoint()
    if note is None:
        raise Refused(Refusal("ledger/empty", "Nothing has been decided yet, so there is no checkpoint."))
    return Response(note, media_type=MediaType.TEXT, headers=_BRIEFLY)


@get("/key", sync_to_thread=True, media_type=MediaType.TEXT, summary="The log's public key")
def key(house: House) -> Response[str]:
    """Return the C2SP verifier key line."""
    return Response(house.verifier_key() + "\n", media_type=MediaType.TEXT, headers=_BRIEFLY)


@get(
    "/tile/{path:path}",
    sync_to_thread=True,
    media_type="application/octet-stream",
    summary="A tile, or a bundle of entries",
)
def tile(path: str, house: House, request: Request[Any, Any, Any]) -> Response[bytes]:
    """Return a tile by its path: `<L>/<N>[.p/<W>]` or `entries/<N>[.p/<W>]`."""
    asked = Tile.parse(f"tile/{path.lstrip('/')}")
    as_named = asked is not None and request.scope["raw_path"].endswith(asked.path().encode())  # caches know one name
    found = house.log.tile(asked) if asked is not None and as_named else None
    if found is None:
        raise Refused(Refusal("ledger/no-such-tile", "The log has no such tile; see its size in the checkpoint."))
    return Response(found, media_type="application/octet-stream", headers=_FOR_EVER)


def create_ledger(house: House) -> Router:
    """Return the routes of a house's log."""

    def provide_house() -> House:
        return house

    return Router(
        "/ledger",
        route_handlers=[checkpoint, key, tile],
        dependencies={"house": Provide(provide_house, sync_to_thread=False)},
        exception_handlers=HANDLERS,
        tags=["ledger"],
    )
