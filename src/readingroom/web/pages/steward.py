"""The steward's page: stages with their gates, grants with their sanctions, the register."""

from __future__ import annotations

from typing import Any

from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.access.model import Reason
from readingroom.access.rules import may_change_grant
from readingroom.app.lending import meter_of
from readingroom.oversight.register import Row, to_csv
from readingroom.people.rules import Permission
from readingroom.releases.model import Reason as StageReason
from readingroom.web.browser import Visitor, back_to, check_form, page
from readingroom.web.pages.account import Posted

SANCTIONS = ("suspend", "reinstate", "revoke")


@get("/steward", sync_to_thread=True)
def steward(who: Visitor) -> Template:
    """Show the stages and the grants, with the buttons that this person may press now."""
    who.signed_in()
    house = who.house
    grants = house.access.grants(who.actor) if who.may(Permission.GRANT_READ) else []
    persons = {each.id: each for each in house.people.everyone(who.actor)} if who.may(Permission.PERSON_MANAGE) else {}
    return page(
        who,
        "steward/steward.html",
        stages=house.releases.status(who.actor),
        grants=[(each, meter_of(house, each.id), _acts(who, each.state)) for each in grants],
        persons=persons,
        reasons=list(Reason),
        stage_reasons=[each for each in StageReason if each is not StageReason.PLAN_CHANGED],
    )


def _acts(who: Visitor, state: Any) -> list[str]:  # noqa: ANN401 - a grant's state
    return [act for act in SANCTIONS if who.may(Permission.GRANT_SANCTION) and may_change_grant(state, act)]


@post("/steward/stages/{name:str}", sync_to_thread=True)
def move(who: Visitor, name: str, data: Posted) -> Response[Any]:
    """Sign for a stage, open it, or stop it."""
    check_form(who, data)
    releases, act = who.house.releases, data.get("do", "")
    if act in {"sign", "open"}:
        {"sign": releases.sign, "open": releases.open}[act](who.actor, name)
    elif act in {"hold", "rollback", "withdraw"}:
        stop = {"hold": releases.hold, "rollback": releases.rollback, "withdraw": releases.withdraw}[act]
        stop(who.actor, name, data.get("reason", ""), data.get("note", ""))
    return back_to("/steward#stages")


@post("/steward/grants/{grant:str}", sync_to_thread=True)
def sanction(who: Visitor, grant: str, data: Posted) -> Response[Any]:
    """Suspend, reinstate or revoke a grant."""
    check_form(who, data)
    act = data.get("do", "")
    reason = Reason(data["reason"]) if data.get("reason") in set(Reason) else Reason.OTHER
    if act in SANCTIONS:
        access = who.house.access
        does = {"suspend": access.suspend, "reinstate": access.reinstate, "revoke": access.revoke}[act]
        does(who.actor, grant, reason, data.get("note", ""))
    return back_to("/steward#grants")


@get("/steward/register.csv", sync_to_thread=True)
def register(who: Visitor) -> Response[str]:
    """Give out the whole register, for who may read it."""
    rows = who.house.oversight.register(who.actor)
    headers = {"content-disposition": 'attachment; filename="register.csv"'}
    return Response(to_csv(rows, Row), media_type="text/csv", headers=headers)


router = Router("/", route_handlers=[steward, move, sanction, register], include_in_schema=False)
