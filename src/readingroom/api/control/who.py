"""Who calls: a session, sent as `Authorization: Bearer SESSION`. Cookies are not read here, so no page can forge it."""

from __future__ import annotations

from typing import Any

from litestar import Request

from readingroom.app.house import House
from readingroom.core.refusal import Refusal, Refused
from readingroom.people.model import Actor


def bearer(request: Request[Any, Any, Any]) -> str:
    """Return the secret of the session that this request carries; empty where it carries none."""
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" else ""


def caller(request: Request[Any, Any, Any], house: House) -> Actor:
    """Return the person whose session this request carries, or refuse."""
    secret = bearer(request)
    person = house.people.session(secret) if secret else None
    if person is None:
        reason = "Sign in first: POST /api/sign-in with a one-time link, then send `Authorization: Bearer SESSION`."
        raise Refused(Refusal("people/not-signed-in", reason))
    return house.people.actor(person.id)
