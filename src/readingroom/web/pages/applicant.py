"""The applicant's pages: apply, amend, withdraw, see where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.admissions.answers import saving_problems, submitting_problems
from readingroom.admissions.call import Call
from readingroom.admissions.model import Answer, Application, ApplicationState, Draft
from readingroom.app.refusals import ending
from readingroom.core.errors import BadInput, Problem
from readingroom.core.numbers import whole
from readingroom.core.refusal import Refusal, Refused
from readingroom.web.browser import Form, Visitor, back_to, check_form, page
from readingroom.web.forms import Confirmation, Told, confirm, one_of, told
from readingroom.web.pages.account import Posted

LIVING = {ApplicationState.DRAFT, ApplicationState.SUBMITTED, ApplicationState.RETURNED}  # may still be amended


@get("/apply", sync_to_thread=True)
def calls(who: Visitor) -> Template:
    """Show the open calls."""
    found = [each for each in who.house.admissions.calls() if each.state.value == "open"]
    return page(who, "applicant/calls.html", calls=found)


@get("/apply/{call:str}", sync_to_thread=True)
def form(who: Visitor, call: str) -> Response[Any] | Template:
    """Show a call's form; who has an application in it already is shown that."""
    found = who.house.admissions.call(call)
    if (living := _living(who, call)) is not None:
        return back_to(f"/applications/{living.id}/edit")
    return _form(who, found, typed_of(found, who.house.admissions.prefilled(who.actor, call)), None)


@post("/apply/{call:str}", sync_to_thread=True)
def apply(who: Visitor, call: str, data: Posted) -> Response[Any] | Template:
    """Save, or submit; whatever is wrong is told beside what was typed, and nothing of that is lost."""
    found = who.house.admissions.call(call)
    try:
        check_form(who, data)
        living = _living(who, call)
        draft = _read(who, found, data)
        admissions = who.house.admissions
        if living is None:
            living = admissions.start(who.actor, call, draft)
        else:
            living = admissions.save(who.actor, living.id, draft)
        if data.get("do") == "submit":
            living = admissions.submit(who.actor, living.id)
    except BadInput as bad:
        return _form(who, found, data, _living(who, call), told(bad, _labels(found)))
    except Refused as refused:  # the window closed, or the session ended, while this was being written
        status = ending(refused.refusal.code).status
        return page(who, "applicant/unsaved.html", status, why=refused.refusal.reason, text=_as_text(found, data))
    return back_to(f"/applications/{living.id}")


def _form(
    who: Visitor, call: Call, typed: Form, application: Application | None, problems: list[Told] | None = None
) -> Template:
    status = 400 if problems else 200
    shown = {"call": call, "typed": typed, "application": application, "problems": problems or []}
    return page(who, "applicant/form.html", status, **shown)


def _living(who: Visitor, call: str) -> Application | None:
    mine = who.house.admissions.my_applications(who.actor)
    return next((each for each in mine if each.call == call and each.state in LIVING), None)


def _labels(call: Call) -> Mapping[str, tuple[str, str]]:
    asked = {f"answers.{each.name}": (f"answer-{each.name}", each.label) for each in call.file.form}
    return asked | {
        "passes": ("passes", "Passes wanted"),
        "tier": ("tier", "Tier"),
        "team": ("team", "Your team"),
    }


def _as_text(call: Call, typed: Form) -> str:
    """Return what was typed, to be copied."""
    return "\n\n".join(f"{label}\n{typed.get(field, '')}" for field, label in _labels(call).values() if field in typed)


def typed_of(call: Call, draft: Draft) -> Form:
    """Return a draft as its form would have been typed."""
    answers = {f"answer-{each.name}": str(draft.answers.get(each.name, "")) for each in call.file.form}
    rest = {"passes": str(draft.passes or ""), "tier": draft.tier, "team": ", ".join(draft.team)}
    return answers | rest


def _read(who: Visitor, call: Call, data: Form) -> Draft:
    """Read a form, or tell everything that is wrong with it at once: a number that is none must not become another."""
    draft, unread = read_draft(call, data)
    if unread:
        person = who.signed_in()
        submits = data.get("do") == "submit"
        identity = (person.email, person.name)
        more = submitting_problems(call.file, draft, identity) if submits else saving_problems(call.file, draft)
        places = {each.where for each in unread}
        raise BadInput([*unread, *(each for each in more if each.where not in places)])
    return draft


def read_draft(call: Call, data: Form) -> tuple[Draft, list[Problem]]:
    """Read a form as it was typed, with what in it is no number."""
    answers: dict[str, Answer] = {}
    problems: list[Problem] = []
    for question in call.file.form:
        typed = data.get(f"answer-{question.name}", "").strip()
        if typed and question.kind.value == "number":
            answers[question.name] = _number(typed, f"answers.{question.name}", problems)
        elif typed:
            answers[question.name] = typed
    passes = data.get("passes", "").strip()
    wanted = _number(passes, "passes", problems) if passes else 0
    team = tuple(each.strip() for each in data.get("team", "").split(",") if each.strip())
    return Draft(answers, wanted, data.get("tier", ""), team), problems


def _number(typed: str, where: str, problems: list[Problem]) -> int:
    found = whole(typed.replace(",", ""))
    if found is None:
        problems.append(Problem(where, f'"{typed[:40]}" is not a whole number', "Write digits only"))
    return found or 0


@get("/applications/{application:str}", sync_to_thread=True)
def status(who: Visitor, application: str) -> Template:
    """Show where an application stands, what was decided and why."""
    who.signed_in()
    return _status(who, application)


def _status(who: Visitor, application: str, problems: list[Told] | None = None) -> Template:
    admissions = who.house.admissions
    found = admissions.application(who.actor, application)
    mine, sent = found.person == who.actor.id, found.submitted
    return page(
        who,
        "applicant/application.html",
        400 if problems else 200,
        application=found,
        call=admissions.call(found.call),
        draft=sent.draft if sent else found.draft,
        changed=mine and sent is not None and found.draft != sent.draft and found.state in LIVING,
        decision=admissions.decision(who.actor, application),
        mine=mine,
        living=mine and found.state in LIVING,
        problems=problems or [],
    )


def _own(who: Visitor, application: str) -> Application:
    """Find one's own application: whoever else may read it may not fill it in."""
    who.signed_in()
    mine = who.house.admissions.my_applications(who.actor)
    return one_of(mine, application, Refusal("admissions/application-unknown", "You have no application by this id."))


@get("/applications/{application:str}/edit", sync_to_thread=True)
def edit(who: Visitor, application: str) -> Response[Any] | Template:
    """Show an application's form, filled in as it was saved."""
    found = _own(who, application)
    if found.state not in LIVING:
        return back_to(f"/applications/{application}")
    call = who.house.admissions.call(found.call)
    return _form(who, call, typed_of(call, found.draft), found)


@post("/applications/{application:str}/changes", sync_to_thread=True)
def changes(who: Visitor, application: str, data: Posted) -> Response[Any] | Template:
    """Submit what was saved since the last submission, or discard it."""
    check_form(who, data)
    found = _own(who, application)
    try:
        if data.get("do") == "discard" and found.submitted:
            who.house.admissions.save(who.actor, application, found.submitted.draft)
        elif data.get("do") == "submit":
            who.house.admissions.submit(who.actor, application)
    except BadInput as bad:
        call = who.house.admissions.call(found.call)
        return _form(who, call, typed_of(call, found.draft), found, told(bad, _labels(call)))
    return back_to(f"/applications/{application}")


@get("/applications/{application:str}/withdraw", sync_to_thread=True)
def withdraw_page(who: Visitor, application: str) -> Template:
    """Ask before an application is withdrawn."""
    found = _own(who, application)
    title = who.house.admissions.call(found.call).file.title
    asked = Confirmation(
        heading="Withdraw this application?",
        said=["Nobody will decide on it, and it cannot be taken up again; while the call is open you may begin anew."],
        action=f"/applications/{application}/withdraw",
        acts=[("withdraw", f"Withdraw my application to {title}")],
        back=f"/applications/{application}",
        facts=[("Call", title), ("Passes asked", f"{found.draft.passes:,}")],
    )
    return confirm(who, asked)


@post("/applications/{application:str}/withdraw", sync_to_thread=True)
def withdraw(who: Visitor, application: str, data: Posted) -> Response[Any]:
    """Withdraw an application."""
    check_form(who, data)
    who.house.admissions.withdraw(who.actor, application)
    return back_to(f"/applications/{application}")


_HANDLERS = [calls, form, apply, status, edit, changes, withdraw_page, withdraw]
router = Router("/", route_handlers=_HANDLERS, include_in_schema=False)
