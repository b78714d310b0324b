"""The release: what the public sees, and the stage machine for those who may move it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from msgspec import Meta

from readingroom.app.house import House
from readingroom.app.views import model_json, stage_json
from readingroom.people.model import Actor
from readingroom.releases.model import Reason

Text = Annotated[str, Meta(max_length=10_000)]


class Stop(msgspec.Struct, forbid_unknown_fields=True):
    """Why a stage is stopped."""

    reason: Reason
    note: Text = ""


@get("/release", sync_to_thread=True, summary="The release as the public sees it")
def release(house: House) -> dict[str, Any]:
    """Return the plan in force, and each stage with its gate, clause by clause."""
    adopted = house.releases.in_force()
    if adopted is None:
        return {"release": None, "plan": None, "stages": []}
    plan = adopted.plan
    return {
        "release": plan.release,
        "plan": {"number": adopted.number, "digest": adopted.digest, "adopted_at": adopted.adopted_at},
        "benefits": list(plan.benefits),
        "hazards": [each.name for each in plan.hazards],
        "levers": list(plan.levers),
        "trial": house.settings.dev,
        "stages": [stage_json(each) for each in house.releases.status()],
    }


@get("/models", sync_to_thread=True, summary="The registered model versions")
def models(house: House) -> list[dict[str, Any]]:
    """Return every model version with its digest."""
    return [model_json(each) for each in house.dossier.models()]


@post("/stages/{name:str}/sign", status_code=200, sync_to_thread=True, summary="Sign for a stage, in person")
def sign(name: str, house: House, actor: Actor) -> dict[str, Any]:
    """Sign under the stage's gate as it is now; one person never counts twice."""
    return stage_json(house.releases.sign(actor, name))


@post("/stages/{name:str}/open", status_code=200, sync_to_thread=True, summary="Open a stage whose gate is met")
def open_stage(name: str, house: House, actor: Actor) -> dict[str, Any]:
    """Open a stage, or refuse with what is missing."""
    return stage_json(house.releases.open(actor, name))


@post("/stages/{name:str}/hold", status_code=200, sync_to_thread=True, summary="Stop serving a stage for now")
def hold(name: str, data: Stop, house: House, actor: Actor) -> dict[str, Any]:
    """Hold a stage; flowing streams end."""
    return stage_json(house.releases.hold(actor, name, data.reason.value, data.note))


@post("/stages/{name:str}/rollback", status_code=200, sync_to_thread=True, summary="Take a stage back")
def rollback(name: str, data: Stop, house: House, actor: Actor) -> dict[str, Any]:
    """Roll a stage back; opening it again needs new signatures."""
    return stage_json(house.releases.rollback(actor, name, data.reason.value, data.note))


@post("/stages/{name:str}/withdraw", status_code=200, sync_to_thread=True, summary="Close a stage for good")
def withdraw(name: str, data: Stop, house: House, actor: Actor) -> dict[str, Any]:
    """Withdraw a stage."""
    return stage_json(house.releases.withdraw(actor, name, data.reason.value, data.note))


router = Router("/", route_handlers=[release, models, sign, open_stage, hold, rollback, withdraw], tags=["release"])
