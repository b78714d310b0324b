"""How a grant's pace and its place in line are spelled in headers: OpenAI's names where it has them."""

from __future__ import annotations

from collections.abc import Mapping

from readingroom.core.canonical import Json
from readingroom.gateway.flow import Flow
from readingroom.gateway.pace import MINUTE

Headers = list[tuple[bytes, bytes]]


def pace_headers(rates: Mapping[str, Json]) -> Headers:
    """Spell where a grant stands in its minute, as `Standing.to_json` gives it."""
    headers = []
    for unit, found in rates.items():
        spelled = {"limit": str(found["limit"]), "remaining": str(found["remaining"]), "reset": _span(found["resets"])}
        headers += [(f"x-ratelimit-{what}-{unit}".encode(), said.encode()) for what, said in spelled.items()]
    return headers


def flow_headers(flow: Flow) -> Headers:
    """Spell an answer's pace, and from which place in line it came, if it had to wait."""
    place = [(b"x-readingroom-place", str(flow.waited_from).encode())] if flow.waited_from else []
    return [*(pace_headers(flow.standing.to_json()) if flow.standing else ()), *place]


def place_comment(place: int) -> bytes:
    """Spell a place in line as a comment of a stream, which clients pass over."""
    return f": place in line {place}\n\n".encode()


def _span(seconds: int) -> str:
    minutes, rest = divmod(seconds, MINUTE)
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
