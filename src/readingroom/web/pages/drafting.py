"""Writing a call in the browser: where to start, the form, a preview of all that it would do, and then opening it.

A draft is a call file, right or wrong, and the form is a view of it; so nothing here knows a field of a call by name
but those that the house has something to offer for. It is kept at each press of a button, on the server: what is
carried in the form alone is gone when the browser is closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Response, Router, get, post
from litestar.datastructures import UploadFile
from litestar.response import Template

from readingroom.admissions import rehearsal
from readingroom.admissions.call import CallDraft
from readingroom.admissions.call_file import filled
from readingroom.admissions.call_file.filled import Filled
from readingroom.admissions.rehearsal.play import Played
from readingroom.app import calls as planned
from readingroom.app.desk import open_call
from readingroom.core.errors import BadInput, Problem
from readingroom.core.numbers import whole
from readingroom.core.refusal import Refused
from readingroom.people.rules import Permission
from readingroom.strategy.model import Channel
from readingroom.web import charts
from readingroom.web.browser import AnyRequest, Form, Visitor, back_to, check_form, page
from readingroom.web.call_form import Form as CallForm
from readingroom.web.call_form import Options, beside, sentences
from readingroom.web.forms import Confirmation, Told, confirm, told
from readingroom.web.pages.account import Posted
from readingroom.web.pages.applicant import fields_of

NAME = "call.yaml"
MOST_PLAYED = 500  # synthetic applicants on a page, so that it comes at once; the command plays thousands
REPEATS = 10
EARLIER = 50  # calls to start from
_OWN = frozenset({"token", "do", "revision"})  # of the page, beside the form's fields
_STARTS = {
    "ticket": (
        "A reading ticket",
        "A standing call for small asks. First come, first served; one person decides each within a day. For students.",
    ),
    "competition": (
        "A competition",
        "One window, three reviews without names, and a published rule that divides the budget. For research groups.",
    ),
    "bulk": (
        "A call for thousands",
        "The desk looks at each form, one reader sifts, and applicants review one another. For a national call.",
    ),
}


@get("/desk/calls/new", sync_to_thread=True)
def start_page(who: Visitor) -> Template:
    """Show where a call can start from, and the drafts that wait to be gone on with."""
    return _start(who)


def _start(who: Visitor, text: str = "", problems: Sequence[Told] = ()) -> Template:
    who.needs(Permission.CALL_OPEN)
    drafts = who.house.admissions.call_drafts(who.actor)
    wrote = {each.updated_by for each in drafts}
    names = who.house.people.names(who.actor, wrote) if who.may(Permission.PERSON_MANAGE) else {}
    return page(
        who,
        "desk/new.html",
        400 if problems else 200,
        starts=[(kind, *_STARTS[kind]) for kind in planned.KINDS],
        calls=who.house.admissions.calls_page(EARLIER, 0)[0],
        drafts=[(each, _title(each.text), names.get(each.updated_by, "")) for each in drafts],
        text=text,
        problems=problems,
    )


def _title(text: str) -> str:
    return filled.read(text).values.get("title", "").strip() or "Without a title"


@post("/desk/calls/new")
async def start(request: AnyRequest, who: Visitor) -> Response[Any] | Template:
    """Begin a draft: from a template, an earlier call, or a file."""
    data = dict(await request.form())
    return await asyncio.to_thread(_begin, who, data)


def _begin(who: Visitor, data: Mapping[str, Any]) -> Response[Any] | Template:
    typed = {name: each for name, each in data.items() if isinstance(each, str)}
    check_form(who, typed)
    who.needs(Permission.CALL_OPEN)
    kind, _, which = typed.get("do", "").partition(" ")
    text = typed.get("text", "")
    try:
        if kind == "template":
            text = _fitted(who, planned.template(which, who.house.clock.now()))
        elif kind == "call":
            text = who.house.admissions.call_text(typed.get("call", ""))
        elif isinstance(given := data.get("file"), UploadFile) and given.filename:
            text = _decoded(given.file.read())
        made = who.house.admissions.begin_call_draft(who.actor, filled.write(filled.read(text, NAME).values))
    except (BadInput, Refused) as fault:
        return _start(who, text, told(fault, {}))
    return back_to(f"/desk/drafts/{made.id}")


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise BadInput([Problem(f"{NAME}:1:1", "the file is not a text in UTF-8", "Choose a call file")]) from None


def _fitted(who: Visitor, text: str) -> str:
    """Let a template lend a stage that this house has, at its first tier."""
    stages = _lent(who)
    values = dict(filled.read(text).values)
    if stages and values["stage"] not in stages:
        values["stage"] = next(iter(stages))
    tiers = stages.get(values["stage"], ())
    if tiers and not set(filled.chosen(values, "tiers")) <= set(tiers):
        values = {name: each for name, each in values.items() if not name.startswith("tiers.")}
        values[f"tiers.{tiers[0]}"] = "0"
    return filled.write(values)


def _lent(who: Visitor) -> dict[str, list[str]]:
    """Return the stages that can be lent, with their tiers."""
    stages = [each.stage for each in who.house.releases.status(who.actor)]
    return {each.name: list(each.tiers) for each in stages if each.channel is Channel.API}


@get("/desk/drafts/{draft:str}", sync_to_thread=True)
def draft_page(who: Visitor, draft: str, mend: bool = False, at: str = "", copy: bool = False) -> Template:  # noqa: FBT001, FBT002 - of the address
    """Show the form; with `mend`, what is wrong with it beside each field."""
    who.needs(Permission.CALL_OPEN)
    return _form(who, who.house.admissions.call_draft(who.actor, draft), mend=mend, at=at, copy=copy)


def _form(who: Visitor, found: CallDraft, *, mend: bool, at: str = "", copy: bool = False) -> Template:
    read = filled.read(found.text, NAME)
    report, problems = _checked(who, found.text)
    by_path, listed = beside(read, problems)
    form = CallForm(read.values, _offered(who, read.values), by_path if mend else {}, at)
    return page(
        who,
        "desk/draft.html",
        draft=found,
        title=read.values.get("title", "").strip() or "A new call",
        sections=form.sections(),
        sentences=sentences(),
        count=len(listed),
        listed=listed if mend else [],
        warnings=_warned(read, report),
        needs=report.needs if report else None,
        copy=copy,
    )


def _checked(who: Visitor, text: str) -> tuple[planned.Report | None, Sequence[Problem]]:
    try:
        report = planned.check(text, NAME, who.house)
    except BadInput as bad:
        return None, bad.problems
    return report, report.problems


def _warned(read: Filled, report: planned.Report | None) -> list[Told]:
    return beside(read, report.warnings)[1] if report else []


def _offered(who: Visitor, values: Form) -> dict[str, Options]:
    """Return what the house has to choose from."""
    stages = _lent(who)
    tiers = stages.get(values.get("stage", "")) or list(dict.fromkeys(t for each in stages.values() for t in each))
    calls = who.house.admissions.calls_page(EARLIER, 0)[0]
    return {
        "stage": [(each, each) for each in stages],
        "tiers": [(each, each) for each in tiers],
        "of": [(each.id, each.file.name) for each in calls],
    }


@post("/desk/drafts/{draft:str}", sync_to_thread=True)
def keep(who: Visitor, draft: str, data: Posted) -> Response[Any]:
    """Keep the form as it is typed; then do what the button says: change a list, show what is wrong, or preview."""
    check_form(who, data)
    who.needs(Permission.CALL_OPEN)
    values: dict[str, str] = {name: each for name, each in data.items() if name not in _OWN}
    if len(values) > filled.MAX_VALUES:
        raise BadInput([Problem("form", "it has more fields than a form can show", "Take some out")])
    act, _, where = data.get("do", "").partition(" ")
    at = ""
    if act in {"add", "remove", "up", "down"}:
        values, at = filled.change(values, act, where)
    text = filled.write(values)
    filled.read(text, NAME)  # what could not be shown again is not kept
    revision = whole(data.get("revision", ""))
    kept = who.house.admissions.keep_call_draft(who.actor, draft, text, -1 if revision is None else revision)
    here = f"/desk/drafts/{kept.id}"
    if kept.id != draft:
        return back_to(f"{here}?copy=true")
    if act == "preview":
        return back_to(f"{here}/preview" if not _checked(who, text)[1] else f"{here}?mend=true")
    return back_to(f"{here}?at={at}#{at}" if at else here)


@get("/desk/drafts/{draft:str}/preview", sync_to_thread=True)
def preview(who: Visitor, draft: str, applicants: str = "", seed: str = "") -> Response[Any] | Template:
    """Show what applicants will see, what the call needs, and how it goes on synthetic applicants."""
    who.needs(Permission.CALL_OPEN)
    found = who.house.admissions.call_draft(who.actor, draft)
    report, problems = _checked(who, found.text)
    if report is None or problems:
        return back_to(f"/desk/drafts/{draft}?mend=true")
    asked = whole(applicants)
    if asked:
        report = planned.check(found.text, NAME, who.house, asked)
    count = min(asked or report.needs.applications, MOST_PLAYED)
    played = rehearsal.rehearse(report.file, count, seed=whole(seed) or 0, repeats=REPEATS)
    return page(
        who,
        "desk/preview.html",
        draft=found,
        report=report,
        warnings=_warned(filled.read(found.text, NAME), report),
        rows=planned.needs_rows(report.needs),
        played=rehearsal.text(played),
        drawn=[(each.file.part, _scores(each)) for each in played.parts],
        fields=fields_of(report.file.form),
        asked={"applicants": applicants, "seed": seed or "0"},
    )


def _scores(part: Played) -> charts.Scores | None:
    """Draw how the scores of a rehearsal lie around the funding line."""
    reviewing = part.file.reviewing
    if reviewing is None:
        return None
    outcome = {True: "funded", False: "unfunded"}
    scored = [
        (float(s.score), "aside" if s.rank is None else outcome[s.passes > 0])
        for s in part.standings
        if s.score is not None
    ]
    line = None if part.line is None else float(part.line)
    return charts.scores(scored, (reviewing.low, reviewing.high), line)


@post("/desk/drafts/{draft:str}/open", sync_to_thread=True)
def open_(who: Visitor, draft: str, data: Posted) -> Response[Any] | Template:
    """Open the call, as it was shown; the draft is done with then."""
    check_form(who, data)
    who.needs(Permission.CALL_OPEN)
    found = who.house.admissions.call_draft(who.actor, draft)
    if data.get("revision") != str(found.revision):  # what is opened is what was looked at
        return back_to(f"/desk/drafts/{draft}/preview")
    try:
        made = open_call(who.house, who.actor, found.text, NAME)
    except BadInput:
        return back_to(f"/desk/drafts/{draft}?mend=true")
    who.house.admissions.drop_call_draft(who.actor, draft)
    return back_to(f"/desk/calls/{made.id}")


@get("/desk/drafts/{draft:str}/call.yaml", sync_to_thread=True)
def download(who: Visitor, draft: str) -> Response[str]:
    """Download the call file."""
    who.needs(Permission.CALL_OPEN)
    text = who.house.admissions.call_draft(who.actor, draft).text
    headers = {"content-disposition": f'attachment; filename="{NAME}"'}
    return Response(text, media_type="text/yaml; charset=utf-8", headers=headers)


@get("/desk/drafts/{draft:str}/drop", sync_to_thread=True)
def drop_page(who: Visitor, draft: str) -> Template:
    """Ask before a draft is thrown away."""
    who.needs(Permission.CALL_OPEN)
    found = who.house.admissions.call_draft(who.actor, draft)
    asked = Confirmation(
        heading=f"Throw away “{_title(found.text)}”?",
        said=["The draft is gone for good. Nothing was opened from it, and nobody was told of it."],
        action=f"/desk/drafts/{draft}/drop",
        acts=[("drop", "Throw it away")],
        back=f"/desk/drafts/{draft}",
    )
    return confirm(who, asked)


@post("/desk/drafts/{draft:str}/drop", sync_to_thread=True)
def drop(who: Visitor, draft: str, data: Posted) -> Response[Any]:
    """Throw a draft away."""
    check_form(who, data)
    who.house.admissions.drop_call_draft(who.actor, draft)
    return back_to("/desk/calls/new")


_DRAFT = [draft_page, keep, preview, open_, download, drop_page, drop]
router = Router("/", route_handlers=[start_page, start, *_DRAFT], include_in_schema=False)
