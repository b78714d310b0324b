"""Reports of readers: what they saw, and what the lab answers."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from msgspec import Meta

from readingroom.app.house import House
from readingroom.oversight.observation import Kind
from readingroom.people.model import Actor

Words = Annotated[str, Meta(max_length=20_000)]


class Seen(msgspec.Struct, forbid_unknown_fields=True):
    """What you saw; `grant` is one of your own that it is about, or empty."""

    kind: Kind
    text: Words
    grant: Annotated[str, Meta(max_length=100)] = ""


class Reply(msgspec.Struct, forbid_unknown_fields=True):
    """What who reported it is told."""

    text: Words


@get("/observations/mine", sync_to_thread=True, summary="Your own reports, and the lab's answers")
def mine(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return your own reports, the newest first."""
    return [each.to_json() for each in house.observations.mine(actor)]


@get("/observations", sync_to_thread=True, summary="What readers reported")
def everything(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return every report, those that wait for an answer first."""
    return [each.to_json(inside=True) for each in house.observations.all(actor)]


@post("/observations", sync_to_thread=True, summary="Report what you saw")
def report(data: Seen, house: House, actor: Actor) -> dict[str, Any]:
    """Report a leaked key, an unsafe answer or a breach of the terms; the stewards and safety officers read it."""
    return house.observations.report(actor, data.kind, data.text, data.grant).to_json()


@post("/observations/{observation:str}/answer", status_code=200, sync_to_thread=True, summary="Answer a report")
def answer(observation: str, data: Reply, house: House, actor: Actor) -> dict[str, Any]:
    """Tell who reported it what became of it."""
    return house.observations.answer(actor, observation, data.text).to_json(inside=True)


router = Router("/", route_handlers=[mine, everything, report, answer], tags=["oversight"])
