"""The browser's side: who is signed in, forms that another site cannot post, pages with what every page shows."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from litestar import Request, Response
from litestar.response import Redirect, Template

from readingroom.app.house import House
from readingroom.core.canonical import sha256
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.people.model import Actor, Person
from readingroom.people.rules import Permission, check, may

COOKIE = "rr_session"
_OWN = re.compile(r"/(?:appeals|apply|applications|awards|my|desk|reviews|steward|people)(?:/[A-Za-z0-9_-]+){0,4}")
AnyRequest = Request[Any, Any, Any]
Form = dict[str, str]
TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever looks at a page."""

    house: House
    secret: str
    person: Person | None
    actor: Actor

    @property
    def token(self) -> str:
        """What a form of this session must carry: only a page of ours could have put it there."""
        return sha256(f"form:{self.secret}".encode()).removeprefix("sha256:")

    def may(self, permission: Permission) -> bool:
        """Tell whether to show a button."""
        return may(self.actor, permission)

    def needs(self, *permissions: Permission) -> None:
        """Refuse whoever is not signed in, or has none of these permissions."""
        self.signed_in()
        if not any(map(self.may, permissions)):
            require(check(self.actor, permissions[0]))

    def signed_in(self) -> Person:
        """Return the person, or refuse."""
        if self.person is None:
            raise Refused(Refusal("people/not-signed-in", "Sign in first; ask for a link with your e-mail address."))
        return self.person


def visitor(request: AnyRequest, house: House) -> Visitor:
    """Read the session of a request."""
    secret = request.cookies.get(COOKIE, "")
    person = house.people.session(secret) if secret else None
    actor = house.people.actor(person.id) if person else Actor("visitor")
    return Visitor(house, secret if person else "", person, actor)


def check_origin(request: AnyRequest) -> None:
    """Refuse what another site sends, before any form is read: also the forms that need no session, as signing in.

    Browsers name the site that a form comes from; programs, which carry nobody's cookies, name none.
    """
    origin = request.headers.get("origin", "")
    site = request.headers.get("sec-fetch-site", "")
    ours = {request.headers.get("host", ""), urlsplit(request.app.state.house.settings.public_url).netloc} - {""}
    foreign = site == "cross-site" or (site != "same-origin" and origin != "" and urlsplit(origin).netloc not in ours)
    if request.method == "POST" and foreign:
        reason = "This form was sent by another site. Open the page here and send it again."
        raise Refused(Refusal("people/form-not-ours", reason))


def check_form(who: Visitor, form: Form) -> None:
    """Refuse a form that no page of this session has made (cross-site request forgery)."""
    who.signed_in()
    if not hmac.compare_digest(form.get("token", "").encode(), who.token.encode()):
        reason = "This form is out of date or was not made by this site. Go back, reload the page and send it again."
        raise Refused(Refusal("people/form-not-ours", reason))


def page(who: Visitor, name: str, status: int = 200, **shown: Any) -> Template:  # noqa: ANN401 - whatever the template shows
    """Return a page, with what every page shows beside its own."""
    note = who.house.log.checkpoint()
    lines = note.decode().split("\n") if note else ["", "0", ""]
    context: Mapping[str, Any] = {
        "who": who,
        "person": who.person,
        "token": who.token,
        "trial": who.house.settings.dev,
        "restored": who.house.restorations.pending(),
        "log_size": lines[1],
        "log_root": lines[2],
        "P": Permission,
        **shown,
    }
    return Template(name, context=dict(context), status_code=status)


def back_to(path: str) -> Redirect:
    """Send the browser on with GET after a form, so that reloading posts nothing twice."""
    return Redirect(path, status_code=303)


def own_path(path: str) -> str:
    """Return where to go on after signing in, if it is a page of ours; empty for anything else, as another site."""
    return path if _OWN.fullmatch(path) else ""


def with_session(answer: Response[Any], secret: str, *, secure: bool) -> Response[Any]:
    """Give the browser its session: no script can read it, no other site can send it along with a form."""
    answer.set_cookie(COOKIE, secret, httponly=True, samesite="lax", path="/", secure=secure, max_age=12 * 3600)
    return answer
