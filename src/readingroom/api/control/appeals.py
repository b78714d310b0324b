"""Appeals: lodged by whom a decision is about, heard by people who took no part in it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from msgspec import Meta

from readingroom.admissions.after import Ground
from readingroom.admissions.appeals.model import AppealState, Bar
from readingroom.app import holding
from readingroom.app.appealing import appeal_sanction, shown_json
from readingroom.app.house import House
from readingroom.people.model import Actor

Text = Annotated[str, Meta(max_length=20_000)]


class Lodged(msgspec.Struct, forbid_unknown_fields=True):
    """An appeal, as it is lodged."""

    ground: Ground
    text: Text


class Admitted(msgspec.Struct, forbid_unknown_fields=True):
    """Why an appeal is heard although it came late; empty for one that came in time."""

    note: Text = ""


class Dismissed(msgspec.Struct, forbid_unknown_fields=True):
    """Why an appeal is not heard."""

    reason: Bar
    note: Text


class Spoken(msgspec.Struct, forbid_unknown_fields=True):
    """What one of the panel says: upheld, partly or rejected."""

    outcome: AppealState
    reason: Text


class Concluded(msgspec.Struct, forbid_unknown_fields=True):
    """The reasons of an outcome, and how much it gives where it is upheld in part."""

    note: Text
    passes: Annotated[int, Meta(ge=1, le=2**53 - 1)] | None = None


@post("/applications/{refused:str}/appeal", sync_to_thread=True, summary="Appeal a refusal")
def lodge(refused: str, data: Lodged, house: House, actor: Actor) -> dict[str, Any]:
    """Appeal the refusal of one's application; what comes late is kept, and a person says whether it is heard."""
    return holding.appeal_json(house.admissions.appeal_refusal(actor, refused, data.ground, data.text))


@post("/sanctions/{sanction:str}/appeal", sync_to_thread=True, summary="Appeal a sanction")
def lodge_of_sanction(sanction: str, data: Lodged, house: House, actor: Actor) -> dict[str, Any]:
    """Appeal a sanction that is about the caller; where it is upheld, it is lifted in the same moment."""
    return holding.appeal_json(appeal_sanction(house, actor, sanction, data.ground, data.text))


@get("/appeals", sync_to_thread=True, summary="Appeals that one may hear")
def appeals(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return the appeals that the caller may hear: those in whose decision they took no part."""
    return [holding.appeal_json(each) for each in house.admissions.appeals(actor)]


@get("/appeals/mine", sync_to_thread=True, summary="My appeals")
def mine(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return the caller's own appeals."""
    return [holding.appeal_json(each) for each in house.admissions.my_appeals(actor)]


@get("/appeals/{appeal:str}", sync_to_thread=True, summary="One appeal")
def show(appeal: str, house: House, actor: Actor) -> dict[str, Any]:
    """Return one appeal: one's own, or one that the caller may hear."""
    return shown_json(house, actor, appeal)


@post("/appeals/{appeal:str}/withdraw", status_code=200, sync_to_thread=True, summary="Take an appeal back")
def withdraw(appeal: str, house: House, actor: Actor) -> dict[str, Any]:
    """Take one's own appeal back."""
    return holding.appeal_json(house.admissions.withdraw_appeal(actor, appeal))


@post("/appeals/{appeal:str}/admit", status_code=200, sync_to_thread=True, summary="Take an appeal to be heard")
def admit(appeal: str, data: Admitted, house: House, actor: Actor) -> dict[str, Any]:
    """Take an appeal to be heard; one that came late needs a note."""
    return holding.appeal_json(house.admissions.admit_appeal(actor, appeal, data.note))


@post("/appeals/{appeal:str}/dismiss", status_code=200, sync_to_thread=True, summary="Say that an appeal is not heard")
def dismiss(appeal: str, data: Dismissed, house: House, actor: Actor) -> dict[str, Any]:
    """Say that an appeal is not heard, and why."""
    return holding.appeal_json(house.admissions.dismiss_appeal(actor, appeal, data.reason, data.note))


@post("/appeals/{appeal:str}/voices", status_code=200, sync_to_thread=True, summary="Say what should become of it")
def speak(appeal: str, data: Spoken, house: House, actor: Actor) -> dict[str, Any]:
    """Say, as one of its panel, what should become of an appeal."""
    return holding.appeal_json(house.admissions.speak(actor, appeal, data.outcome, data.reason))


@post("/appeals/{appeal:str}/conclude", status_code=200, sync_to_thread=True, summary="Conclude an appeal")
def conclude(appeal: str, data: Concluded, house: House, actor: Actor) -> dict[str, Any]:
    """Conclude an appeal as its panel found; what it gives comes out of the reserve."""
    return holding.appeal_json(house.admissions.conclude_appeal(actor, appeal, data.note, data.passes))


_HEARING = [appeals, show, admit, dismiss, speak, conclude]
router = Router("/", route_handlers=[lodge, lodge_of_sanction, mine, withdraw, *_HEARING], tags=["admissions"])
