"""The applicant's form: filled in, saved and submitted. What was typed is neither lost nor changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.admissions.answers import asked, saving_problems, submitting_problems, without_unasked
from readingroom.admissions.attachments import Attachment
from readingroom.admissions.call import Call
from readingroom.admissions.form import Kind, Question
from readingroom.admissions.model import Answer, Application, ApplicationState, Draft
from readingroom.app.refusals import ending
from readingroom.core.errors import BadInput, Problem
from readingroom.core.numbers import whole
from readingroom.core.refusal import Refusal, Refused
from readingroom.web.browser import Form, Visitor, back_to, check_form, page
from readingroom.web.forms import Told, one_of, told
from readingroom.web.pages.account import Posted

LIVING = {ApplicationState.DRAFT, ApplicationState.SUBMITTED, ApplicationState.RETURNED}  # may still be amended
NEW = "new"  # the revision of what is not begun


@dataclass(frozen=True, slots=True)
class Field:
    """A question as the form shows it.

    Attributes:
        begins: the heading above it; empty where it goes on under the one before.
        asked: whether the answers so far ask it; if not, it is folded away, and its answer counts for nothing.
        when: in words, when it is asked; empty for always.
    """

    question: Question
    id: str
    begins: str
    asked: bool
    when: str
    files: list[Attachment]


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
    return show_form(who, found, typed_of(found, who.house.admissions.prefilled(who.actor, call)), None)


@post("/apply/{call:str}", sync_to_thread=True)
def apply(who: Visitor, call: str, data: Posted) -> Response[Any] | Template:
    """Save, or submit; whatever is wrong is told beside what was typed, and nothing of that is lost."""
    found, saved = who.house.admissions.call(call), dict(data)
    try:
        check_form(who, data)
        living = _living(who, call)
        draft = _read(who, found, data)
        admissions = who.house.admissions
        if living is None:
            living = admissions.start(who.actor, call, draft)
        else:
            living = admissions.save(who.actor, living.id, draft, _revision(data))
        saved["revision"] = str(living.revision)  # from here on this window's own
        if data.get("do") == "submit":
            living = admissions.submit(who.actor, living.id, living.revision)
    except BadInput as bad:
        return show_form(who, found, saved, _living(who, call), told(bad, labels(found)))
    except Refused as refused:  # the window closed, the session ended, or another window saved meanwhile
        status = ending(refused.refusal.code).status
        return page(who, "applicant/unsaved.html", status, why=refused.refusal.reason, text=_as_text(found, data))
    then = {"files": "/files", "more": "/edit"}.get(data.get("do", ""), "")
    return back_to(f"/applications/{living.id}{then}")


def _revision(data: Form) -> int | None:
    """Return on what a form was based; -1, which nothing is, where it was opened before anything was begun."""
    typed = data.get("revision")
    return None if typed is None else whole(typed) if whole(typed) is not None else -1


def show_form(
    who: Visitor, call: Call, typed: Form, application: Application | None, problems: list[Told] | None = None
) -> Template:
    """Show a form as it was typed, with what is to be mended beside each field."""
    files = who.house.admissions.attachments(who.actor, application.id) if application else []
    revision = typed.get("revision") or (str(application.revision) if application else NEW)
    return page(
        who,
        "applicant/form.html",
        400 if problems else 200,
        call=call,
        typed=typed,
        fields=_fields(call, typed, files),
        revision=revision,
        application=application,
        problems=problems or [],
    )


def _fields(call: Call, typed: Form, files: list[Attachment]) -> list[Field]:
    now_asked = {each.name for each in asked(call.file.form, read_draft(call, typed)[0].answers)}
    return fields_of(call.file.form, now_asked, files)


def fields_of(
    form: Sequence[Question], now_asked: Collection[str] = (), files: Sequence[Attachment] = ()
) -> list[Field]:
    """Return the questions of a form as a page shows them."""
    labels_of = {each.name: each.label for each in form}
    found, section = [], ""
    for each in form:
        begins = each.section if each.section != section else ""
        section = each.section or section
        condition, when = each.shown_if, ""
        if condition is not None:
            answers = " or ".join(condition.answers)
            when = f"Only if you answered “{answers}” to “{labels_of.get(condition.question, '')}”"
        mine = [file for file in files if file.question == each.name]
        found.append(Field(each, f"answer-{each.name}", begins, each.name in now_asked, when, mine))
    return found


def _living(who: Visitor, call: str) -> Application | None:
    mine = who.house.admissions.my_applications(who.actor)
    return next((each for each in mine if each.call == call and each.state in LIVING), None)


def labels(call: Call) -> Mapping[str, tuple[str, str]]:
    """Return each place of a draft with its field's id and its label."""
    asked_ = {f"answers.{each.name}": (f"answer-{each.name}", each.label) for each in call.file.form}
    return asked_ | {
        "passes": ("passes", "Passes wanted"),
        "tier": ("tier", "Tier"),
        "team": ("team", "Your team"),
    }


def _as_text(call: Call, typed: Form) -> str:
    """Return what was typed, to be copied."""
    return "\n\n".join(f"{label}\n{typed.get(field, '')}" for field, label in labels(call).values() if field in typed)


def typed_of(call: Call, draft: Draft) -> Form:
    """Return a draft as its form would have been typed."""
    found: Form = {"passes": str(draft.passes or ""), "tier": draft.tier, "team": ", ".join(draft.team)}
    for each in call.file.form:
        given, name = draft.answers.get(each.name, ""), f"answer-{each.name}"
        if each.kind is Kind.MULTIPLE_CHOICE:
            chosen = given if isinstance(given, tuple) else ()
            found |= {f"{name}-{at}": option for at, option in enumerate(each.options) if option in chosen}
        elif each.kind is not Kind.ATTACHMENT:
            found[name] = str(given)
    return found


def _read(who: Visitor, call: Call, data: Form) -> Draft:
    """Read a form, or tell everything that is wrong with it at once: a number that is none must not become another."""
    draft, unread = read_draft(call, data)
    submits = data.get("do") == "submit"
    draft = without_unasked(call.file, draft) if submits else draft
    if unread:
        person = who.signed_in()
        identity = (person.email, person.name)
        more = submitting_problems(call.file, draft, identity) if submits else saving_problems(call.file, draft)
        places = {each.where for each in unread}
        raise BadInput([*unread, *(each for each in more if each.where not in places)])
    return draft


def read_draft(call: Call, data: Form) -> tuple[Draft, list[Problem]]:
    """Read a form as it was typed, with what in it is no number; files are attached on their own page."""
    answers: dict[str, Answer] = {}
    problems: list[Problem] = []
    for question in call.file.form:
        name = f"answer-{question.name}"
        if question.kind is Kind.MULTIPLE_CHOICE:
            boxes = [data.get(f"{name}-{at}", "") for at in range(len(question.options))]
            if chosen := tuple(each for each in boxes if each):
                answers[question.name] = chosen
        elif typed := data.get(name, "").strip():
            if question.kind is Kind.NUMBER:
                answers[question.name] = _number(typed, f"answers.{question.name}", problems)
            elif question.kind is not Kind.ATTACHMENT:
                answers[question.name] = typed
    passes = data.get("passes", "").strip()
    wanted = _number(passes, "passes", problems) if passes else 0
    team = tuple(each.strip() for each in data.get("team", "").split(",") if each.strip())
    counted = {f"answers.{each.name}" for each in asked(call.file.form, answers)} | {"passes"}
    return Draft(answers, wanted, data.get("tier", ""), team), [each for each in problems if each.where in counted]


def _number(typed: str, where: str, problems: list[Problem]) -> int:
    plain = typed.replace(",", "")
    found = whole(plain.removeprefix("-"))
    if found is None or (plain.startswith("-") and where == "passes"):
        problems.append(Problem(where, f'"{typed[:40]}" is not a whole number', "Write digits only"))
        return 0
    return -found if plain.startswith("-") else found


def own(who: Visitor, application: str) -> Application:
    """Find one's own application: whoever else may read it may not fill it in."""
    who.signed_in()
    mine = who.house.admissions.my_applications(who.actor)
    return one_of(mine, application, Refusal("admissions/application-unknown", "You have no application by this id."))


@get("/applications/{application:str}/edit", sync_to_thread=True)
def edit(who: Visitor, application: str) -> Response[Any] | Template:
    """Show an application's form, filled in as it was saved."""
    found = own(who, application)
    if found.state not in LIVING:
        return back_to(f"/applications/{application}")
    call = who.house.admissions.call(found.call)
    return show_form(who, call, typed_of(call, found.draft), found)


router = Router("/", route_handlers=[calls, form, apply, edit], include_in_schema=False)
