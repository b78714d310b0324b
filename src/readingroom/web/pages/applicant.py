"""The applicant's and reader's pages: apply, status, award, terms, keys, usage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.access.model import Entitlement, Grant, Key
from readingroom.admissions.call import Call
from readingroom.admissions.model import Answer, Draft
from readingroom.app.lending import meter_of, why
from readingroom.core.errors import BadInput
from readingroom.gateway import queries as gateway
from readingroom.gateway.model import Reading
from readingroom.web.browser import Form, Visitor, back_to, check_form, page
from readingroom.web.pages.account import Posted
from readingroom.web.plot import Plot, usage


@dataclass(frozen=True, slots=True)
class Shown:
    """A grant with all that its page shows."""

    grant: Grant
    reading: Reading
    entitlement: Entitlement
    keys: list[Key]
    plot: Plot


@get("/apply", sync_to_thread=True)
def calls(who: Visitor) -> Template:
    """Show the open calls."""
    found = [each for each in who.house.admissions.calls() if each.state.value == "open"]
    return page(who, "applicant/calls.html", calls=found)


@get("/apply/{call:str}", sync_to_thread=True)
def form(who: Visitor, call: str) -> Template:
    """Show a call's form."""
    found = who.house.admissions.call(call)
    return page(who, "applicant/form.html", call=found, draft=Draft(), application=None, problems=[])


@post("/apply/{call:str}", sync_to_thread=True)
def apply(who: Visitor, call: str, data: Posted) -> Response[Any] | Template:
    """Save, or submit; whatever is wrong is told beside what was typed, and nothing of that is lost."""
    check_form(who, data)
    house, found = who.house, who.house.admissions.call(call)
    draft = read_draft(found, data)
    mine = [each for each in house.admissions.my_applications(who.actor) if each.call == call]
    living = next((each for each in mine if each.state.value in {"draft", "submitted", "returned"}), None)
    try:
        if living is None:
            living = house.admissions.start(who.actor, call, draft)
        else:
            living = house.admissions.save(who.actor, living.id, draft)
        if data.get("do") == "submit":
            living = house.admissions.submit(who.actor, living.id)
    except BadInput as bad:
        return page(who, "applicant/form.html", 400, call=found, draft=draft, application=living, problems=bad.problems)
    return back_to(f"/applications/{living.id}")


def read_draft(call: Call, data: Form) -> Draft:
    """Read a form as it was typed."""
    answers: dict[str, Answer] = {}
    for question in call.file.form:
        typed = data.get(f"answer-{question.name}", "").strip()
        if typed:
            number = question.kind.value == "number" and typed.isdecimal()
            answers[question.name] = int(typed) if number else typed
    passes = data.get("passes", "").strip().replace(",", "")
    team = tuple(each.strip() for each in data.get("team", "").split(",") if each.strip())
    return Draft(answers, int(passes) if passes.isdecimal() else 0, data.get("tier", ""), team)


@get("/applications/{application:str}", sync_to_thread=True)
def status(who: Visitor, application: str) -> Template:
    """Show where an application stands, what was decided and why."""
    admissions = who.house.admissions
    found = admissions.application(who.actor, application)
    return page(
        who,
        "applicant/application.html",
        application=found,
        call=admissions.call(found.call),
        decision=admissions.decision(who.actor, application) if found.person == who.actor.id else None,
    )


@get("/applications/{application:str}/edit", sync_to_thread=True)
def edit(who: Visitor, application: str) -> Template:
    """Show an application's form, filled in as it was saved."""
    found = who.house.admissions.application(who.actor, application)
    call = who.house.admissions.call(found.call)
    return page(who, "applicant/form.html", call=call, draft=found.draft, application=found, problems=[])


@post("/applications/{application:str}/withdraw", sync_to_thread=True)
def withdraw(who: Visitor, application: str, data: Posted) -> Response[Any]:
    """Withdraw an application."""
    check_form(who, data)
    who.house.admissions.withdraw(who.actor, application)
    return back_to(f"/applications/{application}")


@get("/my", sync_to_thread=True)
def mine(who: Visitor) -> Template:
    """Show one's applications, awards, agreements and grants."""
    who.signed_in()
    return _mine(who)


def _mine(who: Visitor, secret: str = "", key_of: str = "") -> Template:
    house = who.house
    terms = house.agreements.in_force()
    accepted = {each.terms_hash for each in house.agreements.mine(who.actor)}
    return page(
        who,
        "applicant/mine.html",
        applications=house.admissions.my_applications(who.actor),
        calls={each.id: each for each in house.admissions.calls()},
        awards=[each for each in house.admissions.my_awards(who.actor) if each.state.value == "offered"],
        grants=[_shown(who, each) for each in house.access.my_grants(who.actor)],
        terms=terms,
        accepted=terms is not None and terms.hash in accepted,
        changes=house.agreements.changes_since(next(iter(sorted(accepted)), "")) if accepted else "",
        secret=secret,
        key_of=key_of,
    )


def _shown(who: Visitor, grant: Grant) -> Shown:
    house = who.house
    with house.db.read() as tx:
        days = gateway.passes_by_day(tx, grant.id)
    return Shown(
        grant=grant,
        reading=meter_of(house, grant.id),
        entitlement=why(house, who.actor, grant.id),
        keys=house.access.keys(who.actor, grant.id),
        plot=usage(days, house.clock.now().date()),
    )


@post("/awards/{award:str}/accept", sync_to_thread=True)
def accept(who: Visitor, award: str, data: Posted) -> Response[Any]:
    """Accept an award; the grant is there at once."""
    check_form(who, data)
    who.house.admissions.accept_award(who.actor, award)
    return back_to("/my")


@post("/awards/{award:str}/decline", sync_to_thread=True)
def decline(who: Visitor, award: str, data: Posted) -> Response[Any]:
    """Decline an award."""
    check_form(who, data)
    who.house.admissions.decline_award(who.actor, award)
    return back_to("/my")


@post("/my/terms", sync_to_thread=True)
def accept_terms(who: Visitor, data: Posted) -> Response[Any]:
    """Accept the terms by the hash of the text that was shown."""
    check_form(who, data)
    who.house.agreements.accept(who.actor, data.get("hash", ""))
    return back_to("/my")


@post("/my/grants/{grant:str}/keys", status_code=200, sync_to_thread=True)
def issue_key(who: Visitor, grant: str, data: Posted) -> Template:
    """Make a key and show it, this once."""
    check_form(who, data)
    _, secret = who.house.access.issue_key(who.actor, grant)
    return _mine(who, secret.reveal(), grant)


@post("/my/keys/{key:str}/revoke", sync_to_thread=True)
def revoke_key(who: Visitor, key: str, data: Posted) -> Response[Any]:
    """End a key at once."""
    check_form(who, data)
    who.house.access.revoke_key(who.actor, key)
    return back_to("/my")


_APPLY = [calls, form, apply, status, edit, withdraw]
_MINE = [mine, accept, decline, accept_terms, issue_key, revoke_key]
router = Router("/", route_handlers=[*_APPLY, *_MINE], include_in_schema=False)
