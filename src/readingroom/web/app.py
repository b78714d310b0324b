"""The portal as one Litestar application, with the control API and the log's tiles beside it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from litestar import Litestar, Request, Response, Router
from litestar.datastructures import CacheControlHeader, MutableScopeHeaders, State
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.static_files import create_static_files_router
from litestar.status_codes import HTTP_500_INTERNAL_SERVER_ERROR
from litestar.template.config import TemplateConfig
from litestar.types import Message, Scope

from readingroom.admissions.allocation import decimal
from readingroom.admissions.call import UNTIL_CLOSED
from readingroom.app.house import House
from readingroom.app.refusals import ending
from readingroom.core.errors import BadInput, Broken
from readingroom.core.refusal import Refused
from readingroom.web import words
from readingroom.web.browser import TEMPLATES, Visitor, check_origin, page, visitor
from readingroom.web.pages import (
    account,
    agreements,
    appeals,
    applicant,
    application,
    budget,
    desk,
    held,
    knowledge,
    log,
    mail,
    my_account,
    observations,
    people,
    project,
    projects,
    public,
    reader,
    register,
    restoration,
    sanctions,
    steward,
    texts,
    with_provider,
    works,
)
from readingroom.web.prose import prose

logger = logging.getLogger("readingroom.web")
_CONTENT = (  # nothing but our own files is used; no other site may frame a page with a button that revokes
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _CONTENT,
    "x-content-type-options": "nosniff",
    # A sign-in link in the address bar goes to no other site. (With `no-referrer`, browsers hide our own origin too.)
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}
_STATUS = {
    400: "That cannot be used", 401: "Sign in", 403: "Not allowed", 404: "Not here", 405: "Not here", 409: "Not now",
    413: "Too large",
}  # fmt: skip
_SAID = {
    400: "What was sent cannot be read as a form of this site. Go back, reload the page and send it again.",
    404: "There is no page at this address.",
    405: "This address cannot be used that way. Go back to the page with the form.",
    413: "What was sent is larger than this site takes: a megabyte at most, and of an attached file five.",
}
_BROKEN = "Something of ours is broken; it has been logged."
_AREAS = (
    public,
    account,
    applicant,
    reader,
    agreements,
    projects,
    project,
    desk,
    budget,
    appeals,
    steward,
    sanctions,
    restoration,
    texts,
    people,
    with_provider,
    my_account,
    knowledge,
    held,
    log,
    application,
    mail,
    register,
    observations,
    works,
)


def create_web(house: House, others: Sequence[Any], openapi: OpenAPIConfig | None = None) -> Litestar:
    """Return the application of a house; `others` are the routers of the doors for programs."""

    def provide_visitor(request: Request[Any, Any, Any]) -> Visitor:
        return visitor(request, house)

    static = create_static_files_router(
        "/static", [Path(__file__).parent / "static"], include_in_schema=False,
        cache_control=CacheControlHeader(public=True, max_age=3600),
    )  # fmt: skip
    return Litestar(
        route_handlers=[
            *others,
            Router("/", route_handlers=[area.router for area in _AREAS], before_request=check_origin),
            static,
        ],
        dependencies={"who": Provide(provide_visitor, sync_to_thread=True)},
        template_config=TemplateConfig(engine=_engine()),
        exception_handlers={
            Refused: _on_refused,
            BadInput: _on_bad_input,
            Broken: _on_broken,
            HTTPException: _on_http,
            Exception: _on_anything,
        },
        before_send=[_protect],
        openapi_config=openapi,
        request_max_body_size=1_000_000,
        state=State({"house": house}),
    )


async def _protect(message: Message, _scope: Scope) -> None:
    """Put the headers on every answer, whoever made it: a page, a file, or a fault on the way to either."""
    if message["type"] == "http.response.start":
        headers = MutableScopeHeaders.from_message(message)
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)


def _engine() -> JinjaTemplateEngine:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.filters["points"] = lambda text: decimal(Fraction(text))
    made.filters["percent"] = lambda text: f"{decimal(Fraction(text) * 100)} %"
    made.filters["moment"] = lambda moment: words.moment(moment) if isinstance(moment, datetime) else ""
    for spelling in (
        words.precise,
        words.dated,
        words.imposed,
        words.words,
        words.sanction,
        words.reviewer,
        words.coded,
    ):
        made.filters[spelling.__name__] = spelling
    made.filters["day"] = _day
    made.filters["prose"] = prose
    made.filters["count"] = lambda number: "unmetered" if number is None else f"{number:,}"
    return JinjaTemplateEngine.from_environment(made)


def _day(moment: object) -> str:
    """Spell a day; the end of a standing window is none."""
    if not isinstance(moment, datetime):
        return ""
    return "until it is closed" if moment == UNTIL_CLOSED else f"{moment:%-d %B %Y}"


def _problem(
    request: Request[Any, Any, Any], status: int, heading: str, said: Sequence[str], code: str = ""
) -> Response[Any]:
    who = visitor(request, request.app.state.house)
    return page(who, "problem.html", status, heading=heading, said=said, code=code)


def _on_refused(request: Request[Any, Any, Any], fault: Refused) -> Response[Any]:
    status = ending(fault.refusal.code).status
    heading = _STATUS.get(status, "Not possible")
    return _problem(request, status, heading, [fault.refusal.reason], fault.refusal.code)


def _on_bad_input(request: Request[Any, Any, Any], fault: BadInput) -> Response[Any]:
    return _problem(request, 400, "Something to mend", [str(each) for each in fault.problems])


def _on_broken(request: Request[Any, Any, Any], fault: Broken) -> Response[Any]:
    logger.error("%s", fault)
    said = ["This house cannot record decisions at the moment; nothing was changed. Try again later."]
    return _out_of_order(request, 503, said, "ledger/cannot-record")


def _on_http(request: Request[Any, Any, Any], fault: HTTPException) -> Response[Any]:
    answer = _told(request, fault)
    if allowed := (fault.headers or {}).get("allow"):  # a 405 must name the methods that there are (RFC 9110, 15.5.6)
        answer.headers["allow"] = allowed
    return answer


def _told(request: Request[Any, Any, Any], fault: HTTPException) -> Response[Any]:
    if request.url.path.startswith(("/api/", "/ledger/")):  # a program asked, on a route that no door has
        error = {"code": "app/bad-request", "message": fault.detail, "type": "invalid_request_error"}
        return Response({"error": error}, status_code=fault.status_code)
    status = fault.status_code
    if status >= HTTP_500_INTERNAL_SERVER_ERROR:
        return _on_anything(request, fault)
    return _problem(request, status, _STATUS.get(status, "Not possible"), [_SAID.get(status, fault.detail)])


def _on_anything(request: Request[Any, Any, Any], fault: Exception) -> Response[Any]:
    """Answer a fault of ours without its inside; the log has the rest."""
    logger.error("%s %s failed", request.method, request.url.path, exc_info=fault)
    return _out_of_order(request, 500, [_BROKEN], "app/broken")


def _out_of_order(request: Request[Any, Any, Any], status: int, said: Sequence[str], code: str) -> Response[Any]:
    """Show a fault of ours; where even our page cannot be made, as text."""
    try:
        return _problem(request, status, "Out of order", said, code)
    except Exception:
        logger.exception("the page of a fault failed too")
        return Response(f"{said[0]} ({code})", status_code=status, media_type="text/plain")
