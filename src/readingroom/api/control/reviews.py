"""Reviews, without names."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from msgspec import Meta

from readingroom.admissions.model import Judgement, Risk
from readingroom.app import reviewing
from readingroom.app.house import House
from readingroom.people.model import Actor

Text = Annotated[str, Meta(max_length=20_000)]


class Declared(msgspec.Struct, forbid_unknown_fields=True):
    """A conflict of interest, in a few words."""

    reason: Annotated[str, Meta(max_length=2000)]


class Given(msgspec.Struct, forbid_unknown_fields=True):
    """A review."""

    scores: dict[str, int]
    comment: Text = ""
    risk: Risk = Risk.OK
    risk_reason: Text = ""
    comments: dict[str, Text] = {}
    why: Text = ""


@get("/reviews", sync_to_thread=True, summary="What I have to review, without names")
def reviews(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return the blind views of what the caller is to review."""
    return [reviewing.task_json(each) for each in house.admissions.reviews_to_do(actor)]


@post("/reviews/{review_id:str}", status_code=200, sync_to_thread=True, summary="Give or amend a review")
def review(review_id: str, data: Given, house: House, actor: Actor) -> dict[str, Any]:
    """Give a review."""
    given = Judgement(data.scores, data.comment, data.risk, data.risk_reason, data.comments)
    house.admissions.review(actor, review_id, given, data.why)
    return {"review": review_id, "given": True}


@post("/reviews/{review_id:str}/conflict", status_code=200, sync_to_thread=True, summary="Declare a conflict")
def conflict(review_id: str, data: Declared, house: House, actor: Actor) -> dict[str, Any]:
    """Step back from a review."""
    house.admissions.declare_conflict(actor, review_id, data.reason)
    return {"review": review_id, "recused": True}


@post("/reviews/{review_id:str}/release", status_code=200, sync_to_thread=True, summary="Let a silent reviewer go")
def release(review_id: str, house: House, actor: Actor) -> dict[str, Any]:
    """Let a reviewer go who has not reviewed, so that another can be assigned."""
    house.admissions.release_review(actor, review_id)
    return {"review": review_id, "released": True}


class Judged(msgspec.Struct, forbid_unknown_fields=True):
    """An opinion on misuse."""

    opinion: Risk
    reason: Text = ""


@get("/risks", sync_to_thread=True, summary="What I may judge for its risk of misuse")
def risks(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return applications without names, scores or others' words."""
    return [{"call": call.id, **reviewing.risk_json(case)} for call, case in house.admissions.risks_to_judge(actor)]


@post("/risks/{case:str}", status_code=200, sync_to_thread=True, summary="Judge a risk of misuse")
def risk(case: str, data: Judged, house: House, actor: Actor) -> dict[str, Any]:
    """Give an opinion, apart from merit."""
    return reviewing.opinion_json(house.admissions.judge_risk(actor, case, data.opinion, data.reason))


router = Router("/", route_handlers=[reviews, review, conflict, release, risks, risk], tags=["admissions"])
