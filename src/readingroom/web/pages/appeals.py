"""Appeals: lodged on the page of what was refused, heard by people who took no part in it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.admissions.after import Appeals, Ground
from readingroom.admissions.appeals.model import AppealState, Bar
from readingroom.admissions.appeals.rules import APPEAL, OUTCOMES, due, majority, outcomes
from readingroom.app.appealing import appeal_sanction, how_to_appeal, shown
from readingroom.core.errors import BadInput, Problem
from readingroom.core.numbers import whole
from readingroom.core.refusal import Refusal, Refused
from readingroom.people.rules import Permission
from readingroom.web.browser import Form, Visitor, back_to, check_form, page
from readingroom.web.forms import Told, act_of, one_of, told
from readingroom.web.pages.account import Posted
from readingroom.web.words import SANCTIONS, words

_LABELS = {
    "text": ("text", "What went wrong"),
    "ground": ("ground", "Ground"),
    "reason": ("reason", "Why"),
    "outcome": ("outcome", "What should become of it"),
    "note": ("note", "Why"),
    "bar": ("bar", "Why it is not heard"),
    "passes": ("passes", "Passes"),
}


@get("/applications/{application:str}/appeal", sync_to_thread=True)
def form(who: Visitor, application: str) -> Response[Any] | Template:
    """Show the form of an appeal; where there is one already, that."""
    who.signed_in()
    if (living := who.house.admissions.appeal_of(who.actor, application)) is not None:
        return back_to(f"/appeals/{living.id}")
    return _form(who, application, {}, [])


def _form(who: Visitor, application: str, typed: Form, problems: Collection[Told]) -> Template:
    mine = who.house.admissions.my_applications(who.actor)
    unknown = Refusal("admissions/application-unknown", "You have no application by this id.")
    found = one_of(mine, application, unknown)
    decision = who.house.admissions.decision(who.actor, application)
    if decision is None:
        raise Refused(Refusal("admissions/nothing-to-appeal", "Nothing has been decided on it that could be appealed."))
    call = who.house.admissions.call(found.call)
    return _lodging(
        who,
        Lodging("refusal", f"{call.file.title}: {decision.text}", f"/applications/{found.id}", call.file.after.appeals),
        due(call.file.after.appeals, decision.decided_at),
        (typed, problems),
    )


@dataclass(frozen=True, slots=True)
class Lodging:
    """What the form of an appeal shows: what is appealed, its page, and by which rules."""

    kind: str
    said: str
    back: str
    terms: Appeals


def _lodging(who: Visitor, what: Lodging, until: datetime, filled: tuple[Form, Collection[Told]]) -> Template:
    typed, problems = filled
    late = who.house.clock.now() > until
    status = 400 if problems else 200
    return page(who, "after/lodge.html", status, what=what, until=until, late=late, typed=typed, problems=problems)


@post("/applications/{application:str}/appeal", sync_to_thread=True)
def lodge(who: Visitor, application: str, data: Posted) -> Response[Any] | Template:
    """Lodge an appeal."""
    check_form(who, data)
    try:
        made = who.house.admissions.appeal_refusal(who.actor, application, _ground(data), data.get("text", ""))
    except (BadInput, Refused) as fault:
        return _form(who, application, data, told(fault, _LABELS))
    return back_to(f"/appeals/{made.id}")


@get("/my/sanctions/{sanction:str}/appeal", sync_to_thread=True)
def form_of_sanction(who: Visitor, sanction: str) -> Response[Any] | Template:
    """Show the form of an appeal of a sanction; where there is one already, that."""
    who.signed_in()
    mine = who.house.admissions.my_appeals(who.actor)
    for each in mine:
        if each.subject == sanction and each.state is not AppealState.WITHDRAWN:
            return back_to(f"/appeals/{each.id}")
    return _form_of_sanction(who, sanction, {}, [])


def _form_of_sanction(who: Visitor, sanction: str, typed: Form, problems: Collection[Told]) -> Template:
    found, terms = how_to_appeal(who.house, who.actor, sanction)
    said = f"{SANCTIONS[found.kind].capitalize()}, for {words(found.reason.value)}. {found.notice}".strip()
    what = Lodging("sanction", said, f"/my/sanctions/{found.id}", terms)
    return _lodging(who, what, due(terms, found.decided_at), (typed, problems))


@post("/my/sanctions/{sanction:str}/appeal", sync_to_thread=True)
def lodge_of_sanction(who: Visitor, sanction: str, data: Posted) -> Response[Any] | Template:
    """Lodge an appeal of a sanction."""
    check_form(who, data)
    try:
        made = appeal_sanction(who.house, who.actor, sanction, _ground(data), data.get("text", ""))
    except (BadInput, Refused) as fault:
        return _form_of_sanction(who, sanction, data, told(fault, _LABELS))
    return back_to(f"/appeals/{made.id}")


@get("/appeals", sync_to_thread=True)
def appeals(who: Visitor) -> Template:
    """Show the appeals that one may hear, and one's own."""
    who.signed_in()
    hears = who.may(Permission.APPEAL_HEAR)
    admissions = who.house.admissions
    found = admissions.appeals(who.actor) if hears else []
    calls = {each.id: each.file.title for each in admissions.calls()}
    mine = admissions.my_appeals(who.actor)
    waits = [each for each in found if each.state not in APPEAL.final]
    return page(who, "after/appeals.html", open=waits, appeals=found, mine=mine, hears=hears, calls=calls)


@get("/appeals/{appeal:str}", sync_to_thread=True)
def show(who: Visitor, appeal: str) -> Template:
    """Show one appeal: to its appellant, and to who may hear it."""
    return _show(who, appeal, {}, [])


def _show(who: Visitor, appeal: str, typed: Form, problems: Collection[Told]) -> Template:
    who.signed_in()
    admissions = who.house.admissions
    found, sanction = shown(who.house, who.actor, appeal)
    mine = found.person == who.actor.id
    refusal = None if mine or found.kind.value != "refusal" else admissions.decision(who.actor, found.subject)
    spoke = any(each.person == who.actor.id for each in found.voices)
    return page(
        who,
        "after/appeal.html",
        400 if problems else 200,
        appeal=found,
        mine=mine,
        call=admissions.call(found.call) if found.call else None,
        decision=refusal,
        sanction=sanction,
        spoke=spoke,
        agreed=majority(found.voices) if spoke and found.state is AppealState.HEARD else None,
        can={act: not mine and APPEAL.can(found.state, act) for act in ("admit", "speak")},
        withdraws=mine and APPEAL.can(found.state, "withdraw"),
        outcomes=outcomes(found.kind),
        bars=Bar,
        typed=typed,
        problems=problems,
    )


@post("/appeals/{appeal:str}", sync_to_thread=True)
def act(who: Visitor, appeal: str, data: Posted) -> Response[Any] | Template:
    """Admit, dismiss, speak, conclude, or take back; whatever is wrong is told beside what was typed."""
    check_form(who, data)
    admissions, note = who.house.admissions, data.get("note", "")
    acts: dict[str, Callable[[], object]] = {
        "withdraw": lambda: admissions.withdraw_appeal(who.actor, appeal),
        "admit": lambda: admissions.admit_appeal(who.actor, appeal, note),
        "dismiss": lambda: admissions.dismiss_appeal(who.actor, appeal, _bar(data), note),
        "speak": lambda: admissions.speak(who.actor, appeal, _outcome(data), data.get("reason", "")),
        "conclude": lambda: admissions.conclude_appeal(who.actor, appeal, note, _passes(data)),
    }
    try:
        act_of(acts, data.get("do", ""))()
    except (BadInput, Refused) as fault:
        return _show(who, appeal, data, told(fault, _LABELS))
    return back_to(f"/appeals/{appeal}")


def _ground(data: Form) -> Ground:
    if (chosen := data.get("ground", "")) not in set(Ground):
        raise BadInput([Problem("ground", "must be chosen", "It is what the appeal rests on")])
    return Ground(chosen)


def _bar(data: Form) -> Bar:
    if (chosen := data.get("bar", "")) not in set(Bar):
        raise BadInput([Problem("bar", "must be chosen", "It is on record")])
    return Bar(chosen)


def _outcome(data: Form) -> AppealState:
    if (chosen := data.get("outcome", "")) not in {each.value for each in OUTCOMES}:
        raise BadInput([Problem("outcome", "must be chosen", "Uphold it, uphold a part, or reject it")])
    return AppealState(chosen)


def _passes(data: Form) -> int | None:
    typed = data.get("passes", "").strip()
    found = whole(typed.replace(",", "")) if typed else None
    if typed and (found is None or found < 1):
        raise BadInput([Problem("passes", "must be a whole number from 1", "Write digits only")])
    return found


_LODGED = [form, lodge, form_of_sanction, lodge_of_sanction]
router = Router("/", route_handlers=[*_LODGED, appeals, show, act], include_in_schema=False)
