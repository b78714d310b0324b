"""A grant as its holder's project: what is held of it, reports, supplements, what is given back or passed on."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.access.model import Grant
from readingroom.admissions import requests as asking
from readingroom.admissions.requests import RequestKind
from readingroom.app import sharing
from readingroom.app.lending import meter_of
from readingroom.core.errors import BadInput, Problem
from readingroom.core.numbers import whole
from readingroom.core.refusal import Refusal, Refused
from readingroom.web.browser import Form, Visitor, back_to, check_form, page
from readingroom.web.forms import Confirmation, Told, act_of, confirm, one_of, told
from readingroom.web.pages.account import Posted

_UNKNOWN = Refusal("access/no-such-grant", "You have no grant by this id.")
_LABELS = {name: (name, label) for kind in RequestKind for name, label in asking.ASKED[kind].items()} | {
    "passes": ("passes", "Passes"),
    "return-passes": ("return-passes", "Passes to give back"),
    "move-passes": ("move-passes", "Passes to move"),
}


def _mine(who: Visitor, grant: str) -> Grant:
    who.signed_in()
    found = one_of(who.house.access.my_grants(who.actor), grant, _UNKNOWN)
    sharing.award_of(who.house, who.actor, found.id)
    return found


@get("/my/grants/{grant:str}", sync_to_thread=True)
def project(who: Visitor, grant: str) -> Template:
    """Show one's project: what it has, what is held, and what can be asked for."""
    return _project(who, _mine(who, grant), {}, [])


def _project(who: Visitor, grant: Grant, typed: Form, problems: Collection[Told], status: int = 400) -> Template:
    admissions = who.house.admissions
    award = admissions.award(who.actor, grant.award_id or "")
    call = admissions.call(award.call)
    asked = admissions.requests_under(who.actor, award.id)
    others = [each for each in who.house.access.my_grants(who.actor) if each.id != grant.id and each.award_id]
    waiting = {each.kind for each in asked if each.state.value == "filed"}
    return page(
        who,
        "after/project.html",
        status if problems else 200,
        grant=grant,
        award=award,
        call=call,
        reading=meter_of(who.house, grant.id),
        held=admissions.held_under(award.id).get("passes", 0),
        more=asking.supplement_left(call.file, award, asked),
        asked=asked,
        waiting={each.value for each in waiting},
        questions=asking.ASKED,
        kinds=RequestKind,
        others=others,
        typed=typed,
        problems=problems,
    )


def _number(data: Form, name: str) -> int:
    found = whole(data.get(name, "").strip().replace(",", ""))
    if found is None or found < 1:
        raise BadInput([Problem(name, "must be a whole number from 1", "Write digits only")])
    return found


@post("/my/grants/{grant:str}", sync_to_thread=True)
def act(who: Visitor, grant: str, data: Posted) -> Response[Any] | Template:
    """Report, ask for more, give back, or pass on; whatever is wrong is told beside what was typed."""
    check_form(who, data)
    found = _mine(who, grant)
    award, admissions = found.award_id or "", who.house.admissions
    acts: dict[str, Callable[[], object]] = {
        "report": lambda: admissions.file_report(who.actor, award, data),
        "supplement": lambda: admissions.ask_supplement(who.actor, award, data, _number(data, "passes")),
        "return": lambda: sharing.give_up(who.house, who.actor, grant, _number(data, "return-passes")),
        "end": lambda: sharing.give_up(who.house, who.actor, grant, None),
        "move": lambda: sharing.transfer(who.house, who.actor, grant, data.get("to", ""), _number(data, "move-passes")),
        "withdraw": lambda: admissions.withdraw_request(who.actor, data.get("request", "")),
    }
    try:
        act_of(acts, data.get("do", ""))()
    except BadInput as fault:
        return _project(who, found, data, told(fault, _LABELS))
    except Refused as refused:
        return _project(who, _mine(who, grant), data, told(refused, {}), 409)
    return back_to(f"/my/grants/{grant}")


@get("/my/grants/{grant:str}/end", sync_to_thread=True)
def end_page(who: Visitor, grant: str) -> Template:
    """Ask before a project ends."""
    found = _mine(who, grant)
    asked = Confirmation(
        heading="End this project?",
        said=[
            "All that its grant has left goes back to the call, and so does what is still held of the award.",
            "Your keys stay, with nothing left to use.",
        ],
        action=f"/my/grants/{grant}",
        acts=[("end", f"Give back all that {found.name} has left")],
        back=f"/my/grants/{grant}",
    )
    return confirm(who, asked)


router = Router("/", route_handlers=[project, act, end_page], include_in_schema=False)
