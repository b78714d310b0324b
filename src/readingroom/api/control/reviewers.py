"""The pool of a call, its conflicts of interest, its phases and its panel."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Router, delete, get, post
from msgspec import Meta

from readingroom.admissions.call import Phase
from readingroom.admissions.model import ConflictKind, Disposition
from readingroom.admissions.pool import Disposal, Scope, TieKind
from readingroom.app import reviewing
from readingroom.app.house import House
from readingroom.core.refusal import require
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check

Line = Annotated[str, Meta(max_length=254)]
Text = Annotated[str, Meta(max_length=20_000)]
Moment = Annotated[datetime, Meta(tz=True)]


class Invited(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody to be asked."""

    email: Line
    topics: list[Line] = []
    load: int | None = None
    answer_by: Moment | None = None


class Answered(msgspec.Struct, forbid_unknown_fields=True):
    """An answer; without topics and load, they stay as asked."""

    accept: bool
    topics: list[Line] | None = None
    load: int | None = None


class Who(msgspec.Struct, forbid_unknown_fields=True):
    """A person, by e-mail."""

    email: Line


class Disposed(msgspec.Struct, forbid_unknown_fields=True):
    """What becomes of a conflict."""

    application: Line
    email: Line
    kind: ConflictKind
    disposition: Disposition
    reason: Text = ""


class Moved(msgspec.Struct, forbid_unknown_fields=True):
    """The next phase."""

    to: Phase
    due: Moment | None = None


class Noted(msgspec.Struct, forbid_unknown_fields=True):
    """A rank, as advice, and a comment."""

    rank: int | None = None
    comment: Text = ""


class Declared(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody near; or who should not review an application of one's own."""

    kind: TieKind
    who: Line
    reason: Text = ""
    application: Line = ""


@get("/calls/{call:str}/pool", sync_to_thread=True, summary="Who was asked to review")
def pool(call: str, house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return the invitations of a call."""
    return [reviewing.invitation_json(each) for each in house.admissions.invitations(actor, call)]


@post("/calls/{call:str}/pool", sync_to_thread=True, summary="Ask somebody to review")
def invite(call: str, data: Invited, house: House, actor: Actor) -> dict[str, Any]:
    """Invite a reviewer."""
    scope = Scope(tuple(data.topics), data.load)
    return reviewing.invitation_json(reviewing.invite(house, actor, call, data.email, (scope, data.answer_by)))


@post("/calls/{call:str}/pool/answer", status_code=200, sync_to_thread=True, summary="Accept or decline")
def answer(call: str, data: Answered, house: House, actor: Actor) -> dict[str, Any]:
    """Answer one's own invitation."""
    given = data.topics is not None or data.load is not None
    scope = Scope(tuple(data.topics or ()), data.load) if given else None
    return reviewing.invitation_json(house.admissions.answer_invitation(actor, call, scope, accept=data.accept))


@post("/calls/{call:str}/pool/expire", status_code=200, sync_to_thread=True, summary="Wait no longer for an answer")
def expire(call: str, data: Who, house: House, actor: Actor) -> dict[str, Any]:
    """Expire an invitation whose date is over."""
    require(check(actor, Permission.CALL_OPEN))  # before anybody is looked up by name
    person = house.people.named(data.email)
    return reviewing.invitation_json(house.admissions.expire_invitation(actor, call, person.id))


@get("/reviewers/mine", sync_to_thread=True, summary="Where I am asked to review")
def mine(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return one's own invitations."""
    return [reviewing.invitation_json(each) for each in house.admissions.my_invitations(actor)]


@get("/calls/{call:str}/conflicts", sync_to_thread=True, summary="Conflicts of interest, and what became of each")
def conflicts(call: str, house: House, actor: Actor) -> dict[str, Any]:
    """Return the conflicts that were found, and those that arose after assignment."""
    return reviewing.conflicts_json(*house.admissions.conflicts_of_call(actor, call))


@post("/calls/{call:str}/conflicts/check", status_code=200, sync_to_thread=True, summary="Look for conflicts")
def check_conflicts(call: str, data: Who, house: House, actor: Actor) -> dict[str, Any]:
    """Return what would stand between a person and each application; nothing is changed or kept."""
    return reviewing.look(house, actor, call, data.email)


@post("/conflicts", status_code=200, sync_to_thread=True, summary="Waive a conflict, or recuse a reviewer")
def dispose(data: Disposed, house: House, actor: Actor) -> dict[str, Any]:
    """Decide what becomes of a conflict, with a reason."""
    require(check(actor, Permission.CALL_OPEN))  # before anybody is looked up by name
    person = house.people.named(data.email)
    disposal = Disposal(data.kind, data.disposition, data.reason)
    house.admissions.dispose(actor, data.application, person.id, disposal)
    return {"application": data.application, "kind": data.kind.value, "disposition": data.disposition.value}


@get("/calls/{call:str}/progress", sync_to_thread=True, summary="How far a call's review is")
def progress(call: str, house: House, actor: Actor) -> dict[str, Any]:
    """Return the phase, its date and counts."""
    return reviewing.progress_json(house.admissions.progress(actor, call))


@post("/calls/{call:str}/phase", status_code=200, sync_to_thread=True, summary="Move to the next phase of review")
def phase(call: str, data: Moved, house: House, actor: Actor) -> dict[str, Any]:
    """Move a call's review on."""
    return reviewing.phase_json(house.admissions.move_phase(actor, call, data.to, data.due))


@get("/calls/{call:str}/reviews", sync_to_thread=True, summary="The reviews of a call, as far as they are shown")
def reviews(call: str, house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return a call's reviews."""
    return [reviewing.review_json(each) for each in house.admissions.reviews(actor, call)]


@get("/calls/{call:str}/cases", sync_to_thread=True, summary="A call's applications as the panel sees them")
def cases(call: str, house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return the panel's view."""
    return [reviewing.case_json(each) for each in house.admissions.cases(actor, call)]


@post("/cases/{case:str}/note", status_code=200, sync_to_thread=True, summary="Rank and comment, as one of the panel")
def note(case: str, data: Noted, house: House, actor: Actor) -> dict[str, Any]:
    """Write one's own note on an application."""
    return reviewing.note_json(house.admissions.note_case(actor, case, data.rank, data.comment))


@get("/ties/mine", sync_to_thread=True, summary="Whom I declared as near")
def ties(house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return what one declared."""
    return [reviewing.tie_json(each) for each in house.admissions.my_ties(actor)]


@post("/ties", sync_to_thread=True, summary="Declare a co-author or a supervisor, or who should not review mine")
def tie(data: Declared, house: House, actor: Actor) -> dict[str, Any]:
    """Declare somebody."""
    return reviewing.tie_json(house.admissions.declare_tie(actor, data.kind, data.who, data.reason, data.application))


@delete("/ties/{tie_id:str}", status_code=200, sync_to_thread=True, summary="Take a declaration back")
def untie(tie_id: str, house: House, actor: Actor) -> dict[str, Any]:
    """Take back what one declared."""
    house.admissions.withdraw_tie(actor, tie_id)
    return {"tie": tie_id, "withdrawn": True}


_POOL = [pool, invite, answer, expire, mine]
_CONFLICTS = [conflicts, check_conflicts, dispose, ties, tie, untie]
router = Router("/", route_handlers=[*_POOL, *_CONFLICTS, progress, phase, reviews, cases, note], tags=["admissions"])
