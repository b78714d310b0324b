"""Accounts: asking for a link, signing in and out."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, Router, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body, QueryParameter
from litestar.response import Template

from readingroom.app.house import sign_in_path
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.people.model import Role
from readingroom.web.browser import COOKIE, AnyRequest, Form, Visitor, back_to, check_form, own_path, page, with_session
from readingroom.web.forms import told

Posted = Annotated[Form, Body(media_type=RequestEncodingType.URL_ENCODED)]
After = Annotated[str, QueryParameter(name="next")]  # where to go on once signed in


LABELS = {
    "email": ("email", "E-mail address"),
    "name": ("name", "Name"),
    "affiliation": ("affiliation", "Institution"),
}


@get("/register", sync_to_thread=True)
def register_page(who: Visitor, after: After = "") -> Template:
    """Ask for an e-mail address."""
    return page(
        who,
        "account/register.html",
        typed={"next": own_path(after)},
        problems=[],
        providers=who.house.sign_in.providers,
    )


@post("/register", status_code=200, sync_to_thread=True)
def register(who: Visitor, data: Posted) -> Template:
    """Send a sign-in link; in a house for trials, show it."""
    email, after = data.get("email", ""), own_path(data.get("next", ""))
    try:
        secret = who.house.welcome(email, data.get("name", ""), data.get("affiliation", ""), after)
    except (BadInput, Refused) as fault:
        return page(
            who,
            "account/register.html",
            400,
            typed={**data, "next": after},
            problems=told(fault, LABELS),
            providers=who.house.sign_in.providers,
        )
    return page(
        who,
        "account/sent.html",
        sent=email,
        link=sign_in_path(secret, after) if secret and who.house.settings.dev else "",
    )


@get("/sign-in", sync_to_thread=True)
def sign_in_page(who: Visitor, link: str = "", after: After = "") -> Template:
    """Ask to confirm, and say as whom: a mail scanner that follows the link must not use it up."""
    found = who.house.people.whose_link(link)
    after = own_path(after)
    return page(who, "account/sign_in.html", 200 if found or not link else 403, link=link, found=found, after=after)


@post("/sign-in", sync_to_thread=True)
def sign_in(request: AnyRequest, who: Visitor, data: Posted) -> Response[Any] | Template:
    """Redeem a one-time link and start a session."""
    link, after = data.get("link", ""), own_path(data.get("next", ""))
    try:
        session = who.house.people.sign_in(link)
    except Refused as fault:
        if fault.refusal.code != "people/link-spent":
            raise
        return page(who, "account/sign_in.html", 403, link=link, found=None, after=after)
    if who.secret:  # of whoever used this browser before
        who.house.people.sign_out(who.secret)
    return with_session(back_to(after or home(who, session)), session, secure=request.url.scheme == "https")


def home(who: Visitor, session: str) -> str:
    """Return where somebody who has just signed in begins."""
    person = who.house.people.session(session)
    if person is None or not person.roles:
        return "/my"
    return "/desk" if person.roles & {Role.REVIEWER, Role.PANEL} else "/steward"


@post("/sign-out", sync_to_thread=True)
def sign_out(who: Visitor, data: Posted) -> Response[Any]:
    """End the session."""
    check_form(who, data)
    who.house.people.sign_out(who.secret)
    answer = back_to("/")
    answer.delete_cookie(COOKIE, path="/")
    return answer


router = Router("/", route_handlers=[register_page, register, sign_in_page, sign_in, sign_out], include_in_schema=False)
