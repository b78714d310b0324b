"""The steward's page: stages with their gates, grants with their sanctions, the register.

What stops somebody or something is asked for on a page of its own, where no key but the button's sends it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.access.model import Grant, GrantState, Reason
from readingroom.access.rules import may_change_grant
from readingroom.core.errors import BadInput, Problem
from readingroom.core.refusal import Refused
from readingroom.gateway import queries as gateway
from readingroom.people import queries as people
from readingroom.people.rules import Permission
from readingroom.releases.model import Reason as StageReason
from readingroom.releases.model import StageStatus
from readingroom.strategy.model import Verdict
from readingroom.web.browser import Form, Visitor, back_to, check_form, page
from readingroom.web.forms import Confirmation, confirm, told
from readingroom.web.listing import PAGE, From
from readingroom.web.pages.account import Posted
from readingroom.web.waits import waits

SANCTIONS = ("suspend", "reinstate", "revoke")
STOPS = {"hold": "Hold", "rollback": "Roll back", "withdraw": "Withdraw"}
_STAGE_REASONS = [each.value for each in StageReason if each is not StageReason.PLAN_CHANGED]
_LABELS = {"reason": ("reason", "Reason"), "note": ("note", "Note"), "do": ("", "")}


@get("/steward", sync_to_thread=True)
def steward(who: Visitor, only: str = "", begin: From = 0) -> Template:
    """Show the stages and a page of the grants, all or of one state, with the buttons that one may press now."""
    who.needs(Permission.STAGE_SIGN, Permission.STAGE_MOVE, Permission.GRANT_READ)
    house = who.house
    state = GrantState(only) if only in set(GrantState) else None
    grants, counts = (
        house.access.grants_page(who.actor, state, PAGE, begin) if who.may(Permission.GRANT_READ) else ([], {})
    )
    stages = house.releases.status(who.actor)
    with house.db.read() as tx:
        readings = gateway.readings(tx, [each.id for each in grants])
    return page(
        who,
        "steward/steward.html",
        waits=waits(who),
        stages=stages,
        grants=[(each, readings.get(each.id), _acts(who, each)) for each in grants],
        states={each.value: count for each, count in counts.items()},
        only=state.value if state else "",
        names=_names(who, grants),
        at=begin,
        size=PAGE,
        total=counts.get(state, 0) if state else sum(counts.values()),
        stops=STOPS,
        unsigned={each.stage.name for each in stages if _unsigned(each)},
    )


def _unsigned(status: StageStatus) -> bool:
    """Tell whether a signature is still waited for: one beyond the quorum would change nothing."""
    asked = [each for each in status.clauses if each.label.startswith("sign_off")]
    return any(each.verdict is not Verdict.MET for each in asked)


def _acts(who: Visitor, grant: Grant) -> list[str]:
    return [act for act in SANCTIONS if who.may(Permission.GRANT_SANCTION) and may_change_grant(grant.state, act)]


def _names(who: Visitor, grants: Sequence[Grant]) -> Mapping[str, str]:
    """Return each grant's reader by name, for who may read the register."""
    if not who.may(Permission.REGISTER_READ):
        return {}
    with who.house.db.read() as tx:
        names = people.names(tx, [each.holder for each in grants])
    return {each.id: names.get(each.holder, "(erased)") for each in grants}


@post("/steward/stages/{name:str}", sync_to_thread=True)
def move(who: Visitor, name: str, data: Posted) -> Response[Any]:
    """Sign for a stage, or open it."""
    check_form(who, data)
    releases, act = who.house.releases, data.get("do", "")
    acts = {"sign": releases.sign, "open": releases.open}
    if act not in acts:
        raise _unknown(act, acts)
    acts[act](who.actor, name)
    return back_to("/steward#stages")


@get("/steward/stages/{name:str}/stop", sync_to_thread=True)
def stop_page(who: Visitor, name: str) -> Template:
    """Ask how and why to stop a stage."""
    who.needs(Permission.STAGE_MOVE)
    return confirm(who, _stopping(who.house.releases.stage(name, who.actor)))


def _stopping(status: StageStatus) -> Confirmation:
    name = status.stage.name
    said = {
        "hold": "On hold, it can be opened again as it is.",
        "rollback": "Rolled back, it must be signed for anew first.",
        "withdraw": "Withdrawn, it is closed for good.",
    }
    acts = [act for act in STOPS if act in status.actions]
    return Confirmation(
        heading=f"Stop {name}?",
        said=["Nobody reads in this stage from then on; answers that are flowing stop.", *(said[act] for act in acts)],
        action=f"/steward/stages/{name}/stop",
        acts=[(act, f"{STOPS[act]} {name}") for act in acts],
        back="/steward#stages",
        reasons=_STAGE_REASONS,
    )


@post("/steward/stages/{name:str}/stop", sync_to_thread=True)
def stop(who: Visitor, name: str, data: Posted) -> Response[Any] | Template:
    """Stop a stage."""
    check_form(who, data)
    releases, act = who.house.releases, data.get("do", "")
    acts = {"hold": releases.hold, "rollback": releases.rollback, "withdraw": releases.withdraw}
    try:
        if act not in acts:
            raise _unknown(act, acts)
        acts[act](who.actor, name, _reason(data, _STAGE_REASONS), data.get("note", ""))
    except (BadInput, Refused) as fault:
        who.needs(Permission.STAGE_MOVE)
        return confirm(who, _stopping(releases.stage(name, who.actor)), data, told(fault, _LABELS))
    return back_to("/steward#stages")


@get("/steward/grants/{grant:str}/sanction", sync_to_thread=True)
def sanction_page(who: Visitor, grant: str) -> Template:
    """Ask how and why to sanction a grant."""
    who.needs(Permission.GRANT_SANCTION)
    return confirm(who, _sanctioning(who, grant))


def _sanctioning(who: Visitor, grant_id: str) -> Confirmation:
    grant = who.house.access.grant(who.actor, grant_id)
    with who.house.db.read() as tx:
        reading = gateway.reading(tx, grant_id)
    name = _names(who, [grant]).get(grant.id, grant.holder)
    of = f"{grant.allocation.passes:,}" if grant.allocation.passes is not None else "unmetered"
    acts = _acts(who, grant)
    words = {
        "suspend": "Suspended, its keys are refused and answers that are flowing stop, until it is reinstated.",
        "reinstate": "Reinstated, its keys work again.",
        "revoke": "Revoked, its keys are refused and answers that are flowing stop. Revoking is final.",
    }
    return Confirmation(
        heading=f"{name}'s grant",
        said=[words[act] for act in acts] or [f"It is {grant.state.value}; nothing more can be done to it."],
        action=f"/steward/grants/{grant.id}/sanction",
        acts=[(act, f"{act.capitalize()} {name}'s grant") for act in acts],
        back="/steward#grants",
        facts=[
            ("Reader", name),
            ("State", grant.state.value),
            ("For", grant.purpose or "not said"),
            ("Passes", f"{reading.used.passes if reading else 0:,} used of {of}"),
            ("Grant", grant.id),
        ],
        reasons=[each.value for each in Reason] if acts else [],
    )


@post("/steward/grants/{grant:str}/sanction", sync_to_thread=True)
def sanction(who: Visitor, grant: str, data: Posted) -> Response[Any] | Template:
    """Suspend, reinstate or revoke a grant."""
    check_form(who, data)
    access, act = who.house.access, data.get("do", "")
    acts = {"suspend": access.suspend, "reinstate": access.reinstate, "revoke": access.revoke}
    try:
        if act not in acts:
            raise _unknown(act, acts)
        reason = Reason(_reason(data, [each.value for each in Reason]))
        acts[act](who.actor, grant, reason, data.get("note", ""))
    except (BadInput, Refused) as fault:
        who.needs(Permission.GRANT_SANCTION)
        return confirm(who, _sanctioning(who, grant), data, told(fault, _LABELS))
    return back_to("/steward#grants")


def _reason(data: Form, reasons: list[str]) -> str:
    """Return the reason that was chosen: it stands in the ledger for ever, so none is taken for granted."""
    if (chosen := data.get("reason", "")) not in reasons:
        raise BadInput([Problem("reason", "a reason is needed", f"Choose one of: {', '.join(reasons)}")])
    return chosen


def _unknown(act: str, acts: Mapping[str, object]) -> BadInput:
    what = f"{act[:40]!r} is nothing that can be done here"
    return BadInput([Problem("do", what, f"It can be: {', '.join(acts)}")])


_STAGES = [move, stop_page, stop]
router = Router("/", route_handlers=[steward, *_STAGES, sanction_page, sanction], include_in_schema=False)
