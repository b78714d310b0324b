"""An application's own pages: where it stands, its history, versions, files, team and guarantor; and letters' links."""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Response, Router, get, post
from litestar.datastructures import UploadFile
from litestar.response import Template

from readingroom.admissions.attachments import Handed
from readingroom.admissions.call import Call
from readingroom.admissions.differing import changes as differing
from readingroom.admissions.form import MAX_FILE, Guarantor, Kind
from readingroom.admissions.history import APPLICANT
from readingroom.admissions.model import Application
from readingroom.admissions.teams import INVITATION, OVER, InvitationState, Part
from readingroom.app import applying
from readingroom.core.errors import BadInput, Problem
from readingroom.core.refusal import Refused
from readingroom.web.browser import AnyRequest, Form, Visitor, back_to, check_form, page
from readingroom.web.forms import Confirmation, Told, confirm, told
from readingroom.web.pages.account import Posted
from readingroom.web.pages.applicant import LIVING, labels, own, show_form, typed_of

_ROOM = 100_000  # bytes, around a file in its form


@get("/applications/{application:str}", sync_to_thread=True)
def status(who: Visitor, application: str) -> Template:
    """Show where an application stands, what was decided and why."""
    who.signed_in()
    return _status(who, application)


def _status(who: Visitor, application: str, problems: list[Told] | None = None, typed: Form | None = None) -> Template:
    admissions = who.house.admissions
    found = admissions.application(who.actor, application)
    call = admissions.call(found.call)
    mine, sent = found.person == who.actor.id, found.submitted
    team = admissions.team(who.actor, application)
    steps, waiting = admissions.history(who.actor, application)
    inside = mine or any(each.person == who.actor.id and each.state is InvitationState.ACCEPTED for each in team)
    return page(
        who,
        "applicant/application.html",
        400 if problems else 200,
        application=found,
        call=call,
        draft=sent.draft if sent else found.draft,
        changed=mine and sent is not None and found.draft != sent.draft and found.state in LIVING,
        decision=admissions.decision(who.actor, application),
        mine=mine,
        inside=inside,
        living=mine and found.state in LIVING,
        next_round=admissions.next_round(who.actor, application) if mine else None,
        inviting=mine and found.state not in OVER,
        steps=steps,
        waiting=[(("you" if mine and each.who == APPLICANT else each.who), each.what, each.until) for each in waiting],
        files={each.digest: each for each in admissions.attachments(who.actor, application)},
        members=[each for each in team if each.part is Part.MEMBER],
        guarantors=[each for each in team if each.part is Part.GUARANTOR],
        named=_named(found, {each.email for each in team}),
        can={
            each.id: [act for act in ("remind", "ask again", "remove") if INVITATION.can(each.state, act)]
            for each in team
        },
        wants_guarantor=call.file.guarantor is not Guarantor.NONE,
        problems=problems or [],
        typed=typed or {},
    )


@post("/applications/{application:str}/late", sync_to_thread=True)
def late(who: Visitor, application: str, data: Posted) -> Response[Any]:
    """Move a late application into the next round."""
    check_form(who, data)
    moved = who.house.admissions.move_to_next_round(who.actor, application)
    return back_to(f"/applications/{moved.id}")


def _named(found: Application, asked: set[str]) -> list[str]:
    """Return the addresses that the application names as a team, and that nobody has written to yet."""
    return [each for each in (found.submitted.draft if found.submitted else found.draft).team if each not in asked]


@post("/applications/{application:str}/changes", sync_to_thread=True)
def changes(who: Visitor, application: str, data: Posted) -> Response[Any] | Template:
    """Submit what was saved since the last submission, or discard it."""
    check_form(who, data)
    found = own(who, application)
    try:
        if data.get("do") == "discard" and found.submitted:
            who.house.admissions.save(who.actor, application, found.submitted.draft)
        elif data.get("do") == "submit":
            who.house.admissions.submit(who.actor, application)
    except BadInput as bad:
        call = who.house.admissions.call(found.call)
        return show_form(who, call, typed_of(call, found.draft), found, told(bad, labels(call)))
    return back_to(f"/applications/{application}")


@get("/applications/{application:str}/withdraw", sync_to_thread=True)
def withdraw_page(who: Visitor, application: str) -> Template:
    """Ask before an application is withdrawn."""
    found = own(who, application)
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


@get("/applications/{application:str}/versions", sync_to_thread=True)
def versions(who: Visitor, application: str, old: int = 0, new: int = 0) -> Template:
    """Show every submitted version, and what differs between two: the last two, if none are chosen."""
    who.signed_in()
    admissions = who.house.admissions
    found = admissions.application(who.actor, application)
    call, listed = admissions.call(found.call), admissions.versions(who.actor, application)
    last = listed[-1].number if listed else 0
    old, new = old or max(1, last - 1), new or last
    pair = applying.versions_of(who.house, who.actor, application, old, new) if listed else None
    shown = differing(call.file, pair[0].draft, pair[1].draft) if pair else []
    return page(
        who,
        "applicant/versions.html",
        application=found,
        call=call,
        versions=listed,
        old=old,
        new=new,
        changes=shown,
    )


@get("/applications/{application:str}/files", sync_to_thread=True)
def files(who: Visitor, application: str) -> Template:
    """Show the files of one's application, and where to add one."""
    return _files(who, own(who, application))


def _files(who: Visitor, found: Application, problems: list[Told] | None = None) -> Template:
    call = who.house.admissions.call(found.call)
    return page(
        who,
        "applicant/files.html",
        400 if problems else 200,
        application=found,
        call=call,
        questions=[each for each in call.file.form if each.kind is Kind.ATTACHMENT],
        files=who.house.admissions.attachments(who.actor, found.id),
        living=found.state in LIVING,
        problems=problems or [],
    )


@post("/applications/{application:str}/files", request_max_body_size=MAX_FILE + _ROOM)
async def attach(request: AnyRequest, who: Visitor, application: str) -> Response[Any] | Template:
    """Attach a file, or take one out."""
    data = dict(await request.form())
    return await asyncio.to_thread(_attach, who, application, data)


def _attach(who: Visitor, application: str, data: dict[str, Any]) -> Response[Any] | Template:
    typed = {name: each for name, each in data.items() if isinstance(each, str)}
    check_form(who, typed)
    found = own(who, application)
    admissions, call = who.house.admissions, who.house.admissions.call(found.call)
    try:
        if typed.get("do") == "remove":
            admissions.detach(who.actor, application, typed.get("digest", ""))
        else:
            question = typed.get("question", "")
            admissions.attach(who.actor, application, question, *_chosen(question, data.get("file")))
    except BadInput as bad:
        return _files(who, found, told(bad, labels(call)))
    return back_to(f"/applications/{application}/files")


def _chosen(question: str, given: object) -> tuple[str, bytes]:
    if not isinstance(given, UploadFile) or not given.filename:
        raise BadInput([Problem(f"answers.{question}", "holds no file", "Choose a file first")])
    return given.filename, given.file.read(MAX_FILE + 1)


@get("/applications/{application:str}/files/{digest:str}/file", sync_to_thread=True)
def download(who: Visitor, application: str, digest: str) -> Response[bytes]:
    """Download a file; a browser shows none of it under our address."""
    who.signed_in()
    return _handed_out(who.house.admissions.attachment(who.actor, application, digest))


@get("/reviews/{review:str}/files/{digest:str}/file", sync_to_thread=True)
def review_download(who: Visitor, review: str, digest: str) -> Response[bytes]:
    """Download a file of what one is asked to review, under a name that tells of nobody."""
    who.signed_in()
    return _handed_out(who.house.admissions.review_attachment(who.actor, review, digest))


def _handed_out(found: Handed) -> Response[bytes]:
    return Response(found.content, headers=found.headers, media_type=found.media)


@post("/applications/{application:str}/team", sync_to_thread=True)
def team(who: Visitor, application: str, data: Posted) -> Response[Any] | Template:
    """Invite somebody, send another letter, take one back, or leave."""
    check_form(who, data)
    what, which = data.get("do", ""), data.get("invitation", "")
    try:
        if what in {"member", "guarantor"}:
            applying.invite(who.house, who.actor, application, data.get("email", ""), Part(what))
        elif what == "remind":
            applying.remind(who.house, who.actor, which)
        elif what == "remove":
            who.house.admissions.remove(who.actor, which)
        elif what == "leave":
            who.house.admissions.leave(who.actor, application)
            return back_to("/my")
    except (BadInput, Refused) as fault:
        field = f"{what}-email" if what in {"member", "guarantor"} else ""
        return _status(who, application, told(fault, {"email": (field, "E-mail address")}), data)
    return back_to(f"/applications/{application}#team")


@get("/invitations/{secret:str}", sync_to_thread=True)
def invitation(who: Visitor, secret: str) -> Template:
    """Show what a letter asks, once somebody has signed in: until then nothing tells whether the link is one."""
    return _invitation(who, secret)


def _invitation(who: Visitor, secret: str, problems: list[Told] | None = None, words: str = "") -> Template:
    asked = who.house.admissions.asked(who.actor, secret) if who.person else None
    call: Call | None = asked.call if asked else None
    shown = {"asked": asked, "call": call, "secret": secret, "problems": problems or [], "words": words}
    return page(who, "applicant/invitation.html", 400 if problems else 200, **shown)


@post("/invitations/{secret:str}", sync_to_thread=True)
def answer(who: Visitor, secret: str, data: Posted) -> Response[Any] | Template:
    """Accept, or decline."""
    check_form(who, data)
    what, words = data.get("do", ""), data.get("words", "")
    if what not in {"accept", "decline"}:
        raise BadInput([Problem("do", "must be chosen", "Accept or decline")])
    try:
        made = who.house.admissions.answer(who.actor, secret, accept=what == "accept", words=words)
    except BadInput as bad:
        return _invitation(who, secret, told(bad, {"words": ("words", "In words")}), words)
    if made.part is Part.MEMBER and made.state is InvitationState.ACCEPTED:
        return back_to(f"/applications/{made.application}")
    return page(who, "applicant/answered.html", made=made)


_STANDS = [status, late, changes, withdraw_page, withdraw, versions]
_FILES = [files, attach, download, review_download]
router = Router("/", route_handlers=[*_STANDS, *_FILES, team, invitation, answer], include_in_schema=False)
