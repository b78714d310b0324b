"""How faults look to programs: one JSON shape, `{"error": {"code", "message", "type", ...}}`, for every route.

A refusal keeps its code and facts; a bad input lists its problems, each with its place and cure; what is broken on
our side says so without telling how the house is built inside.
"""

from __future__ import annotations

import logging
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from readingroom.app.refusals import ending
from readingroom.core.errors import BadInput, Broken
from readingroom.core.refusal import Refused

log = logging.getLogger("readingroom.api")
AnyRequest = Request[Any, Any, Any]
Answer = Response[dict[str, Any]]


def _answer(status: int, code: str, message: str, kind: str, **more: Any) -> Answer:  # noqa: ANN401 - JSON
    return Response({"error": {"code": code, "message": message, "type": kind, **more}}, status_code=status)


def on_refused(_request: AnyRequest, fault: Refused) -> Answer:
    """Answer a refusal with its ending."""
    end = ending(fault.refusal.code)
    return _answer(end.status, fault.refusal.code, fault.refusal.reason, end.type, facts=dict(fault.refusal.facts))


def on_bad_input(_request: AnyRequest, fault: BadInput) -> Answer:
    """Answer an unusable input with all its problems."""
    problems = [{"where": p.where, "what": p.what, "cure": p.cure} for p in fault.problems]
    return _answer(400, "app/bad-input", str(fault.problems[0]), "invalid_request_error", problems=problems)


def on_broken(_request: AnyRequest, fault: Broken) -> Answer:
    """Answer that nothing was decided, since it could not be recorded."""
    log.error("%s", fault)
    message = "This house cannot record decisions at the moment; nothing was changed. Try again later."
    return _answer(503, "ledger/cannot-record", message, "server_error")


def on_http(_request: AnyRequest, fault: HTTPException) -> Answer:
    """Answer what the framework refused (no such route, wrong method, malformed body)."""
    more = {"problems": fault.extra} if isinstance(fault, ValidationException) and fault.extra else {}
    kind = "server_error" if fault.status_code >= 500 else "invalid_request_error"  # noqa: PLR2004 - HTTP's own
    return _answer(fault.status_code, "app/bad-request", fault.detail, kind, **more)


def on_anything(request: AnyRequest, fault: Exception) -> Answer:
    """Answer a fault of ours without its inside; the log has the rest."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=fault)
    return _answer(500, "app/broken", "Something of ours is broken; it has been logged.", "server_error")


def on_recursion(_request: AnyRequest, _fault: RecursionError) -> Answer:
    """Answer a body that nests beyond all sense: the reader of JSON gives up on it."""
    return _answer(400, "app/bad-request", "The body nests too deep.", "invalid_request_error")


def on_no_text(_request: AnyRequest, _fault: UnicodeDecodeError) -> Answer:
    """Answer a body that is not UTF-8: the reader of JSON says so in Python's words, not in its own."""
    return _answer(400, "app/bad-request", "The body is not UTF-8 text.", "invalid_request_error")


HANDLERS: dict[int | type[Exception], Any] = {
    Refused: on_refused,
    BadInput: on_bad_input,
    Broken: on_broken,
    HTTPException: on_http,
    RecursionError: on_recursion,
    UnicodeDecodeError: on_no_text,
    Exception: on_anything,
}
