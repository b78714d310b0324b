"""Who calls: a session, sent as `Authorization: Bearer SESSION`. Cookies are not read here, so no page can forge it."""

from __future__ import annotations

from typing import Any

from litestar import Request

from readingroom.app.house import House
from readingroom.core.refusal import Refusal, Refused
from readingroom.people.model import Actor


def caller(request: Request[Any, Any, Any], house: House) -> Actor:
    """Return the person whose session this request carries, or refuse."""
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    person = house.people.session(secret.strip()) if kind.lower() == "bearer" and secret else None
    if person is None:
        reason = "Sign in first: POST /api/sign-in with a one-time link, then send `Authorization: Bearer SESSION`."
        raise Refused(Refusal("people/not-signed-in", reason))
    return house.people.actor(person.id)
