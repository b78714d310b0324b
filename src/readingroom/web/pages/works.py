"""Works: the public page of what readers made of the model, one's own, and the steward's table."""

from __future__ import annotations

from typing import Any

from litestar import Response, Router, get, post
from litestar.response import Template

from readingroom.app.works import from_form
from readingroom.core.errors import BadInput, Problem
from readingroom.core.refusal import Refused
from readingroom.oversight.citing import bibtex, csl_text, key, line
from readingroom.oversight.work import Kind, together
from readingroom.people.rules import Permission
from readingroom.web.browser import Form, Visitor, back_to, check_form, page
from readingroom.web.forms import Told, told
from readingroom.web.pages.account import Posted

_LABELS = {
    name: (name, label)
    for name, label in (
        ("kind", "Kind"), ("title", "Title"), ("authors", "Authors"), ("year", "Year"), ("doi", "DOI"),
        ("url", "Address"), ("licence", "Licence"), ("abstract", "Abstract"), ("facsimiles", "Facsimiles"),
        ("receipts", "Receipts"), ("reason", "Reason"),
    )
}  # fmt: skip

_SHOWN = 30  # facsimiles to choose from by their prompt; of others the id is typed


@get("/works", sync_to_thread=True)
def works(who: Visitor) -> Template:
    """Show what readers made of the model, and side by side what several made of the same facsimile."""
    found = who.house.works.shown()
    samples = {each.id: each for each in who.house.samples.all()}
    readings = {name: each for name, each in together(found).items() if name in samples}
    return page(who, "works/works.html", found=found, readings=readings, samples=samples, line=line, key=key)


@get("/works.bib", sync_to_thread=True)
def as_bibtex(who: Visitor) -> Response[str]:
    """Give out the published works as BibTeX."""
    headers = {"content-disposition": 'attachment; filename="works.bib"'}
    return Response(bibtex(who.house.works.shown()), media_type="application/x-bibtex; charset=utf-8", headers=headers)


@get("/works.json", sync_to_thread=True)
def as_csl(who: Visitor) -> Response[str]:
    """Give out the published works as CSL-JSON."""
    headers = {"content-disposition": 'attachment; filename="works.json"'}
    kind = "application/vnd.citationstyles.csl+json; charset=utf-8"
    return Response(csl_text(who.house.works.shown()), media_type=kind, headers=headers)


@get("/my/works", sync_to_thread=True)
def mine(who: Visitor) -> Template:
    """Show one's own works and how each stands, and the form to hand one in."""
    return _mine(who)


def _mine(who: Visitor, typed: Form | None = None, problems: list[Told] | None = None) -> Template:
    who.signed_in()
    return page(
        who,
        "works/mine.html",
        400 if problems else 200,
        found=who.house.works.mine(who.actor),
        grants=who.house.access.my_grants(who.actor),
        kinds=list(Kind),
        samples=who.house.samples.all(),
        shown=_SHOWN,
        typed=typed or {},
        problems=problems or [],
        line=line,
    )


@post("/my/works", sync_to_thread=True)
def submit(who: Visitor, data: Posted) -> Response[Any] | Template:
    """Hand a work in."""
    check_form(who, data)
    try:
        who.house.works.submit(who.actor, data.get("grant", ""), from_form(data | {"facsimiles": _facsimiles(data)}))
    except (BadInput, Refused) as fault:
        return _mine(who, data, told(fault, _LABELS))
    return back_to("/my/works")


def _facsimiles(data: Form) -> str:
    """Return the ids of those chosen and of those typed, one on a line."""
    chosen = [name.removeprefix("facsimile-") for name in data if name.startswith("facsimile-")]
    return "\n".join([*chosen, data.get("facsimiles", "")])


@post("/my/works/{work:str}/withdraw", sync_to_thread=True)
def withdraw(who: Visitor, work: str, data: Posted) -> Response[Any]:
    """Take a work of one's own off."""
    check_form(who, data)
    who.house.works.withdraw(who.actor, work)
    return back_to("/my/works")


@get("/steward/works", sync_to_thread=True)
def waiting(who: Visitor) -> Template:
    """Show which works wait, and which are on the page."""
    return _waiting(who)


def _waiting(who: Visitor, typed: Form | None = None, problems: list[Told] | None = None) -> Template:
    who.needs(Permission.WORK_PUBLISH)
    found = who.house.works.waiting(who.actor)
    status, shown = 400 if problems else 200, who.house.works.shown()
    return page(
        who, "works/waiting.html", status, found=found, shown=shown, typed=typed or {}, problems=problems or [],
        line=line,
    )  # fmt: skip


@post("/steward/works/{work:str}", sync_to_thread=True)
def decide(who: Visitor, work: str, data: Posted) -> Response[Any] | Template:
    """Publish a work, decline it, or take it off the page."""
    check_form(who, data)
    room, reason = who.house.works, data.get("reason", "")
    try:
        match data.get("do", ""):
            case "publish":
                room.publish(who.actor, work)
            case "decline":
                room.decline(who.actor, work, reason)
            case "withdraw":
                who.needs(Permission.WORK_PUBLISH)
                room.withdraw(who.actor, work, reason)
            case other:
                raise _unknown(other)
    except BadInput as fault:
        return _waiting(who, {**data, "work": work}, told(fault, _LABELS))
    return back_to("/steward/works")


def _unknown(act: str) -> BadInput:
    what = f"{act[:40]!r} is nothing that can be done here"
    return BadInput([Problem("do", what, "It can be: publish, decline, withdraw")])


_HANDLERS = [works, as_bibtex, as_csl, mine, submit, withdraw, waiting, decide]
router = Router("/", route_handlers=_HANDLERS, include_in_schema=False)
