"""The portal as one Litestar application, with the control API and the log's tiles beside it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from litestar import Litestar, Request, Response
from litestar.contrib.jinja import JinjaTemplateEngine
from litestar.datastructures import ResponseHeader
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.static_files import create_static_files_router
from litestar.template.config import TemplateConfig

from readingroom.app.house import House
from readingroom.app.refusals import ending
from readingroom.core.errors import BadInput, Broken
from readingroom.core.refusal import Refused
from readingroom.web.browser import TEMPLATES, Visitor, page, visitor
from readingroom.web.pages import account, applicant, desk, log, public, steward

_CONTENT = (  # nothing but our own files is used; no other site may frame a page with a button that revokes
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = (
    ("content-security-policy", _CONTENT),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),  # a sign-in link in the address bar goes nowhere
    ("cache-control", "no-store"),
)
_STATUS = {400: "That cannot be used", 401: "Sign in", 403: "Not allowed", 404: "Not here", 409: "Not now"}


def create_web(house: House, others: Sequence[Any], openapi: OpenAPIConfig | None = None) -> Litestar:
    """Return the application of a house; `others` are the routers of the doors for programs."""

    def provide_visitor(request: Request[Any, Any, Any]) -> Visitor:
        return visitor(request, house)

    return Litestar(
        route_handlers=[
            *others,
            *(router for area in (public, account, applicant, desk, steward, log) for router in (area.router,)),
            create_static_files_router("/static", [Path(__file__).parent / "static"], include_in_schema=False),
        ],
        dependencies={"who": Provide(provide_visitor, sync_to_thread=True)},
        template_config=TemplateConfig(engine=_engine()),
        exception_handlers={
            Refused: _on_refused,
            BadInput: _on_bad_input,
            Broken: _on_broken,
            HTTPException: _on_http,
        },
        response_headers=[ResponseHeader(name=name, value=value) for name, value in _HEADERS],
        openapi_config=openapi,
        request_max_body_size=1_000_000,
        state=_state(house),
    )


def _engine() -> JinjaTemplateEngine:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    made.filters["day"] = lambda moment: f"{moment:%-d %B %Y}" if isinstance(moment, datetime) else ""
    made.filters["count"] = lambda number: "unmetered" if number is None else f"{number:,}"
    return JinjaTemplateEngine.from_environment(made)


def _state(house: House) -> Any:  # noqa: ANN401 - Litestar's State
    from litestar.datastructures import State

    return State({"house": house})


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


def _on_broken(request: Request[Any, Any, Any], _fault: Broken) -> Response[Any]:
    said = ["This house cannot record decisions at the moment; nothing was changed. Try again later."]
    return _problem(request, 503, "Out of order", said, "ledger/cannot-record")


def _on_http(request: Request[Any, Any, Any], fault: HTTPException) -> Response[Any]:
    if request.url.path.startswith(("/api/", "/ledger/")):  # a program asked, on a route that no door has
        error = {"code": "app/bad-request", "message": fault.detail, "type": "invalid_request_error"}
        return Response({"error": error}, status_code=fault.status_code)
    return _problem(request, fault.status_code, _STATUS.get(fault.status_code, "Not possible"), [fault.detail])
