"""My account: ways to sign in, what is known of me, where I am signed in, and making two accounts one."""

from __future__ import annotations

from typing import Any

from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.core.errors import BadInput, Problem
from readingroom.core.refusal import Refusal, Refused
from readingroom.people.model import MAIL, Claim, FactKind
from readingroom.people.rules import standing
from readingroom.web.browser import COOKIE, AnyRequest, Form, Visitor, back_to, check_form, page, with_session
from readingroom.web.forms import last_moment, told
from readingroom.web.pages.account import Posted

OTHER = "rr_other"  # cookie: the session of an account that is to be merged, for half an hour
_OTHER_AT, _OTHER_LIFE = "/my/account", 1800
_LABELS = {
    "email": ("email", "E-mail address"),
    "kind": ("kind", "What it is"),
    "body": ("body", "Institution, or who issued it"),
    "until": ("until", "Valid until"),
}
KINDS = {
    FactKind.AFFILIATION: "an affiliation",
    FactKind.TRAINING: "a training",
    FactKind.LIBRARY_CARD: "a library card",
    FactKind.ETHICS_APPROVAL: "an ethics approval",
    FactKind.SIGNATORY: "the right to sign for an institution",
}


@get("/my/account", sync_to_thread=True)
def account(who: Visitor) -> Template:
    """Show one's account."""
    return _account(who, {}, [])


def _account(who: Visitor, typed: Form, problems: list[Any], sent: str = "", link: str = "") -> Template:
    person, now = who.signed_in(), who.house.clock.now()
    people = who.house.people
    mine = people.my_identities(who.actor)
    return page(
        who,
        "account/account.html",
        400 if problems else 200,
        addresses=[each for each in mine if each.issuer == MAIL],
        others=[each for each in mine if each.issuer != MAIL],
        label=who.house.sign_in.label,
        providers=who.house.sign_in.providers,
        facts=[(each, standing(each, now)) for each in people.my_facts(who.actor)],
        sessions=people.my_sessions(who.actor),
        MAIL=MAIL,
        kinds=KINDS,
        contact=person.email,
        sent=sent,
        link=link,
        typed=typed,
        problems=problems,
    )


@post("/my/account/address", status_code=200, sync_to_thread=True)
def ask_address(who: Visitor, data: Posted) -> Template:
    """Send a letter to an address that is to be added; in a house for trials, show its link."""
    check_form(who, data)
    email = data.get("email", "")
    try:
        link = who.house.ask_address(who.actor, email)
    except BadInput as bad:
        return _account(who, data, told(bad, _LABELS))
    return _account(who, {}, [], email, link if who.house.settings.dev else "")


@get("/my/account/address", sync_to_thread=True)
def address_page(who: Visitor, link: str = "") -> Template:
    """Ask whether the address that received this letter is to be added to the account that is signed in."""
    who.signed_in()
    return page(who, "account/address.html", link=link)


@post("/my/account/address/add", sync_to_thread=True)
def add_address(who: Visitor, data: Posted) -> Response[Any]:
    """Add it."""
    check_form(who, data)
    who.house.people.add_address(who.actor, data.get("link", ""))
    return back_to("/my/account")


@post("/my/account/address/choose", sync_to_thread=True)
def choose_address(who: Visitor, data: Posted) -> Response[Any]:
    """Let letters go to another address."""
    check_form(who, data)
    who.house.people.choose_address(who.actor, data.get("email", ""))
    return back_to("/my/account")


@post("/my/account/remove", sync_to_thread=True)
def remove(who: Visitor, data: Posted) -> Response[Any]:
    """Take a way to sign in off the account."""
    check_form(who, data)
    who.house.people.remove_identity(who.actor, data.get("issuer", ""), data.get("subject", ""))
    return back_to("/my/account")


@post("/my/account/facts", status_code=200, sync_to_thread=True)
def claim(who: Visitor, data: Posted) -> Response[Any] | Template:
    """Say something of oneself that a steward may confirm."""
    check_form(who, data)
    try:
        who.house.people.claim_fact(who.actor, claimed(data))
    except BadInput as bad:
        return _account(who, data, told(bad, _LABELS))
    return back_to("/my/account")


def claimed(data: Form) -> Claim:
    """Read what a form says of a person.

    Raises:
        BadInput: no kind was chosen, or the day is none.
    """
    kind, until = data.get("kind", ""), data.get("until", "").strip()
    if kind not in set(FactKind):
        raise BadInput([Problem("kind", "must be chosen", "Choose one of the list")])
    return Claim(FactKind(kind), data.get("body", ""), last_moment(until, "until") if until else None)


@post("/my/account/facts/{fact:str}/end", sync_to_thread=True)
def end_fact(who: Visitor, fact: str, data: Posted) -> Response[Any]:
    """End something that is known of oneself."""
    check_form(who, data)
    who.house.people.end_fact(who.actor, fact)
    return back_to("/my/account")


@post("/my/account/sign-out", sync_to_thread=True)
def sign_out_everywhere(who: Visitor, data: Posted) -> Response[Any]:
    """End every session, in every browser and terminal."""
    check_form(who, data)
    who.house.people.sign_out_everywhere(who.actor)
    answer = back_to("/")
    answer.delete_cookie(COOKIE, path="/")
    return answer


@get("/my/account/merge", sync_to_thread=True)
def merge_page(request: AnyRequest, who: Visitor) -> Template:
    """Say what merging is; or, signed in to both accounts in turn, ask."""
    person = who.signed_in()
    other = who.house.people.session_person(request.cookies.get(OTHER, ""))
    if other is not None and other.id == person.id:
        other = None
    return page(who, "account/merge.html", other=other)


@post("/my/account/merge/begin", sync_to_thread=True)
def begin_merge(request: AnyRequest, who: Visitor, data: Posted) -> Response[Any]:
    """Set this account aside, and sign in to the other."""
    check_form(who, data)
    answer = back_to("/register?next=/my/account/merge")
    secure = request.url.scheme == "https"
    answer.set_cookie(
        OTHER, who.secret, max_age=_OTHER_LIFE, path=_OTHER_AT, httponly=True, samesite="lax", secure=secure
    )
    answer.delete_cookie(COOKIE, path="/")
    return answer


@post("/my/account/merge", sync_to_thread=True)
def merge(request: AnyRequest, who: Visitor, data: Posted) -> Response[Any]:
    """Make the two accounts one, for good: both have been proved by signing in."""
    check_form(who, data)
    other = request.cookies.get(OTHER, "")
    if not other:
        raise Refused(Refusal("people/not-signed-in", "The other account is not signed in any more. Begin again."))
    _, session = who.house.people.merge_own(who.secret, other)
    answer = with_session(back_to("/my/account"), session, secure=request.url.scheme == "https")
    answer.delete_cookie(OTHER, path=_OTHER_AT)
    return answer


router = Router(
    "/",
    route_handlers=[
        account, ask_address, address_page, add_address, choose_address, remove, claim, end_fact, sign_out_everywhere,
        merge_page, begin_merge, merge,
    ],
    include_in_schema=False,
)  # fmt: skip
