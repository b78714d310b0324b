"""Signing in through a provider (ORCID, an institution): the way there, and what comes back.

The way there is a plain link, as our own pages forbid forms to be sent on to other sites; what it begins is bound to
the browser by one secret in a cookie (`people.oidc`). What comes back signs in at most whom the provider vouches for:
whatever it is to change in an account is asked for first, by a form of ours.
"""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, Router, get, post
from litestar.params import QueryParameter
from litestar.response import Redirect, Template

from readingroom.app.refusals import ending
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.web.browser import AnyRequest, Visitor, back_to, check_form, own_path, page, with_session
from readingroom.web.pages.account import Posted, home

After = Annotated[str, QueryParameter(name="next")]
WAY, PROOF = "rr_way", "rr_proof"  # cookies: of a sign-in that is under way; of what was proved and nobody has added
_WAY_AT, _PROOF_AT = "/sign-in/from", "/my/account"
_WAY_LIFE, _PROOF_LIFE = 900, 3600


@get("/sign-in/with/{name:str}", sync_to_thread=True)
def leave(request: AnyRequest, who: Visitor, name: str, after: After = "") -> Response[Any]:
    """Send the browser to a provider."""
    from readingroom.app import signing_in

    way = signing_in.begin(who.house, name)
    answer = Redirect(way.url, status_code=303)
    kept = f"{way.browser}.{own_path(after)}"
    answer.set_cookie(WAY, kept, max_age=_WAY_LIFE, path=_WAY_AT, **_private(request))
    return answer


@get("/sign-in/from/{name:str}", sync_to_thread=True)
def arrive(request: AnyRequest, who: Visitor, name: str) -> Response[Any] | Template:
    """Take what the provider sent along: once, whatever comes of it."""
    from readingroom.app import signing_in

    browser, _, after = request.cookies.get(WAY, "").partition(".")
    present = who.actor if who.person else None
    answer: Response[Any]
    try:
        query = {key: value for key, value in request.query_params.items() if isinstance(value, str)}
        came = signing_in.come_back(who.house, name, browser, query, present)
    except (Refused, BadInput) as fault:
        answer = _failed(who, fault)
    else:
        if came.session:
            if who.secret:
                who.house.people.sign_out(who.secret)
            answer = back_to(own_path(after) or home(who, came.session))
            answer = with_session(answer, came.session, secure=request.url.scheme == "https")
        else:
            answer = back_to("/my/account/add") if present else _unknown(who, name)
            answer.set_cookie(PROOF, came.proof, max_age=_PROOF_LIFE, path=_PROOF_AT, **_private(request))
    answer.delete_cookie(WAY, path=_WAY_AT)
    return answer


def _unknown(who: Visitor, name: str) -> Template:
    found = who.house.sign_in.provider(name)
    return page(who, "account/unknown.html", label=found.label if found else name, typed={}, problems=[])


def _failed(who: Visitor, fault: Refused | BadInput) -> Template:
    if isinstance(fault, BadInput):
        return page(who, "problem.html", 400, heading="Not possible", said=[str(p) for p in fault.problems], code="")
    refusal = fault.refusal
    status, heading = ending(refusal.code).status, "You are not signed in"
    if who.person is not None:
        heading = "This was not added"
    return page(who, "problem.html", status, heading=heading, said=[refusal.reason], code=refusal.code)


@get("/my/account/add", sync_to_thread=True)
def add_page(request: AnyRequest, who: Visitor) -> Response[Any] | Template:
    """Ask whether what this browser has proved is to be added to the account that is signed in."""
    who.signed_in()
    proved = who.house.people.proof(request.cookies.get(PROOF, ""))
    if proved is None:
        return back_to("/my/account")
    label = who.house.sign_in.label(proved.issuer)
    return page(who, "account/add.html", label=label, proved=proved)


@post("/my/account/add", sync_to_thread=True)
def add(request: AnyRequest, who: Visitor, data: Posted) -> Response[Any]:
    """Add it."""
    check_form(who, data)
    if data.get("do") == "add":
        who.house.people.add_proven(who.actor, request.cookies.get(PROOF, ""))
    answer = back_to("/my/account")
    answer.delete_cookie(PROOF, path=_PROOF_AT)
    return answer


def _private(request: AnyRequest) -> dict[str, Any]:
    return {"httponly": True, "samesite": "lax", "secure": request.url.scheme == "https"}


router = Router("/", route_handlers=[leave, arrive, add_page, add], include_in_schema=False)
