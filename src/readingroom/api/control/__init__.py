"""The control API, `/api`: what the portal does with pages, for programs."""

from __future__ import annotations

from typing import Any

from litestar import Request, Router, get
from litestar.di import Provide

from readingroom.api.control import (
    access,
    account,
    appeals,
    applicants,
    applications,
    awards,
    calls,
    dossiers,
    handling,
    held,
    mail,
    observations,
    oversight,
    people,
    projects,
    release,
    requests,
    restoring,
    reviewers,
    reviews,
    sanctions,
    texts,
    works,
)
from readingroom.api.control.described import described
from readingroom.api.control.who import caller
from readingroom.api.errors import HANDLERS
from readingroom.app.house import House


@get("/openapi.json", include_in_schema=False, sync_to_thread=False)
def openapi(request: Request[Any, Any, Any]) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the control API."""
    return described(request.app.openapi_schema.to_schema())


def create_control(house: House) -> Router:
    """Return the control API of a house, to be mounted beside the portal."""

    def provide_house() -> House:
        return house

    def provide_actor(request: Request[Any, Any, Any]) -> object:
        return caller(request, house)

    return Router(
        "/api",
        route_handlers=[
            openapi,
            people.router,
            account.router,
            release.router,
            calls.router,
            held.router,
            dossiers.router,
            applications.router,
            applicants.router,
            handling.router,
            reviewers.router,
            reviews.router,
            awards.router,
            requests.router,
            appeals.router,
            access.router,
            projects.router,
            sanctions.router,
            restoring.router,
            texts.router,
            oversight.router,
            observations.router,
            works.router,
            mail.router,
        ],
        dependencies={
            "house": Provide(provide_house, sync_to_thread=False),
            "actor": Provide(provide_actor, sync_to_thread=True),
        },
        exception_handlers=HANDLERS,
    )
