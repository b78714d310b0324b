"""Accounts: asking for a link, signing in and out."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, Router, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Template

from readingroom.web.browser import COOKIE, AnyRequest, Form, Visitor, back_to, check_form, page, with_session

Posted = Annotated[Form, Body(media_type=RequestEncodingType.URL_ENCODED)]


@get("/register", sync_to_thread=True)
def register_page(who: Visitor) -> Template:
    """Ask for an e-mail address."""
    return page(who, "account/register.html", sent="", link="")


@post("/register", status_code=200, sync_to_thread=True)
def register(who: Visitor, data: Posted) -> Template:
    """Send a sign-in link; in a house for trials, show it."""
    email = data.get("email", "")
    secret = who.house.welcome(email, data.get("name", ""), data.get("affiliation", ""))
    link = f"/sign-in?link={secret}" if who.house.settings.dev else ""
    return page(who, "account/register.html", sent=email, link=link)


@get("/sign-in", sync_to_thread=True)
def sign_in_page(who: Visitor, link: str = "") -> Template:
    """Ask to confirm: a mail scanner that follows the link must not use it up."""
    return page(who, "account/sign_in.html", link=link)


@post("/sign-in", sync_to_thread=True)
def sign_in(request: AnyRequest, who: Visitor, data: Posted) -> Response[Any]:
    """Redeem a one-time link and start a session."""
    session = who.house.people.sign_in(data.get("link", ""))
    if who.secret:  # of whoever used this browser before
        who.house.people.sign_out(who.secret)
    person = who.house.people.session(session)
    home = "/my" if person is None or not person.roles else "/desk" if "reviewer" in person.roles else "/steward"
    return with_session(back_to(home), session, secure=request.url.scheme == "https")


@post("/sign-out", sync_to_thread=True)
def sign_out(who: Visitor, data: Posted) -> Response[Any]:
    """End the session."""
    check_form(who, data)
    who.house.people.sign_out(who.secret)
    answer = back_to("/")
    answer.delete_cookie(COOKIE, path="/")
    return answer


router = Router("/", route_handlers=[register_page, register, sign_in_page, sign_in, sign_out], include_in_schema=False)
