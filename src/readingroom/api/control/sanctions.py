"""Sanctions, and revoking many grants in one act."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Router, get, post
from msgspec import Meta

from readingroom.access.model import Kind, Lifting, Reason
from readingroom.access.sanctions import RULES, Wanted
from readingroom.app.house import House
from readingroom.app.many import chosen, look
from readingroom.app.projects import sanction_json
from readingroom.core.refusal import require
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check

Words = Annotated[str, Meta(max_length=10_000)]
Name = Annotated[str, Meta(max_length=200)]
Moment = Annotated[datetime, Meta(tz=True)]


class Imposed(msgspec.Struct, forbid_unknown_fields=True):
    """A sanction; of a grant's project, of the member of it with this address, or of the person everywhere."""

    kind: Kind
    reason: Reason
    grant: Name = ""
    email: Annotated[str, Meta(max_length=254)] = ""
    until: Moment | None = None
    cure_by: Moment | None = None
    per_minute: int | None = None
    evidence: Annotated[str, Meta(max_length=100)] = ""
    notice: Words = ""
    note: Words = ""


class Lifted(msgspec.Struct, forbid_unknown_fields=True):
    """Why a sanction is lifted."""

    reason: Lifting
    note: Words = ""


class Reply(msgspec.Struct, forbid_unknown_fields=True):
    """What one has done about it, if one likes to say so."""

    reply: Words = ""


class Chosen(msgspec.Struct, forbid_unknown_fields=True):
    """Which grants, by exactly one of these, and why."""

    reason: Reason
    tier: Name = ""
    stage: Name = ""
    call: Name = ""
    terms: Name = ""


class Done(Chosen, forbid_unknown_fields=True, kw_only=True):
    """The same, with the digest of what was shown."""

    digest: Name
    note: Words = ""


@post("/sanctions", sync_to_thread=True, summary="Impose a sanction")
def impose(data: Imposed, house: House, actor: Actor) -> dict[str, Any]:
    """Impose a sanction, as its rule has it; flowing streams end where it stops reading."""
    require(check(actor, RULES[data.kind].permission))  # before anybody is looked up by name
    person = house.people.named(data.email).id if data.email else None
    wanted = Wanted(
        data.kind,
        data.reason,
        grant_id=data.grant or None,
        person=person,
        note=data.note,
        notice=data.notice,
        until=data.until,
        cure_by=data.cure_by,
        per_minute=data.per_minute,
        evidence=data.evidence,
    )
    return sanction_json(house, actor, house.access.impose(actor, wanted))


@get("/sanctions", sync_to_thread=True, summary="All sanctions, or those of a grant or of one act")
def every(house: House, actor: Actor, grant: str = "", act: str = "") -> list[dict[str, Any]]:
    """Return sanctions, newest first, for who may read grants."""
    found = house.access.sanctions(actor, grant or None, batch=act)
    return [each.to_json(house.clock.now(), inside=True) for each in found]


@get("/sanctions/mine", sync_to_thread=True, summary="Sanctions that are about me or my projects")
def mine(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return what the caller is to be told of."""
    return [each.to_json(house.clock.now()) for each in house.access.my_sanctions(actor)]


@get("/sanctions/rules", sync_to_thread=False, summary="Which sanctions there are, for what, and who may use them")
def rules() -> list[dict[str, Any]]:
    """Return the rules as they are published."""
    return [
        {
            "kind": rule.kind,
            "says": rule.says,
            "permission": rule.permission,
            "subjects": sorted(rule.subjects),
            "reasons": sorted(rule.reasons),
            "until": rule.until,
            "cure": sorted(rule.cure),
            "cure_days": list(rule.cure_days) if rule.cure else None,
        }
        for rule in RULES.values()
    ]


@get("/sanctions/{sanction:str}", sync_to_thread=True, summary="One sanction, and when it was first felt")
def show(sanction: str, house: House, actor: Actor) -> dict[str, Any]:
    """Return a sanction to whom it is about and to the lab, with when the first call was refused for it."""
    return sanction_json(house, actor, house.access.sanction(actor, sanction))


@post("/sanctions/{sanction:str}/lift", status_code=200, sync_to_thread=True, summary="Lift a sanction")
def lift(sanction: str, data: Lifted, house: House, actor: Actor) -> dict[str, Any]:
    """Lift a sanction: it was cured, an error, or an appeal was upheld."""
    return sanction_json(house, actor, house.access.lift(actor, sanction, data.reason.value, data.note))


@post("/sanctions/{sanction:str}/acknowledge", status_code=200, sync_to_thread=True, summary="Say that one has read it")
def acknowledge(sanction: str, data: Reply, house: House, actor: Actor) -> dict[str, Any]:
    """Acknowledge a sanction, as whom it is about."""
    return sanction_json(house, actor, house.access.acknowledge(actor, sanction, data.reply))


@post("/revocations/look", status_code=200, sync_to_thread=True, summary="What revoking many grants would end")
def look_at(data: Chosen, house: House, actor: Actor) -> dict[str, Any]:
    """Say what would end, and the digest that the act must be given; nothing is done."""
    require(check(actor, Permission.GRANT_REVOKE_MANY))
    choice = chosen(house, tier=data.tier, stage=data.stage, call=data.call, terms=data.terms)
    return {**look(house, actor, choice, data.reason).to_json(), "dry_run": True}


@post("/revocations", sync_to_thread=True, summary="Revoke many grants in one act, exactly as shown")
def revoke_many(data: Done, house: House, actor: Actor) -> dict[str, Any]:
    """Revoke all of a tier, a stage, a call or a version of the terms; flowing streams end."""
    require(check(actor, Permission.GRANT_REVOKE_MANY))
    choice = chosen(house, tier=data.tier, stage=data.stage, call=data.call, terms=data.terms)
    act, done = house.access.revoke_many(actor, choice, data.reason, data.note, data.digest)
    return {**done.to_json(), "dry_run": False, "act": act}


_ONE = [impose, every, mine, rules, show, lift, acknowledge]
router = Router("/", route_handlers=[*_ONE, look_at, revoke_many], tags=["access"])
