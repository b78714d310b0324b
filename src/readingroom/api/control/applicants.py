"""What applicants have beside the form: files, versions, history, teams and guarantors."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Response, Router, delete, get, post
from msgspec import Meta

from readingroom.admissions.attachments import Handed
from readingroom.admissions.form import MAX_FILE
from readingroom.admissions.teams import Part
from readingroom.app import applying
from readingroom.app.house import House
from readingroom.people.model import Actor

_BODY = MAX_FILE * 4 // 3 + 10_000  # base64, and the words around it


class NewFile(msgspec.Struct, forbid_unknown_fields=True):
    """A file in answer to one question."""

    question: Annotated[str, Meta(max_length=200)]
    name: Annotated[str, Meta(max_length=1_000)]
    content: bytes  # base64


class Address(msgspec.Struct, forbid_unknown_fields=True):
    """Whom to ask, and to be what."""

    email: Annotated[str, Meta(max_length=254)]
    part: Part = Part.MEMBER


class Letter(msgspec.Struct, forbid_unknown_fields=True):
    """The secret of an invitation's link: the last part of its path."""

    secret: Annotated[str, Meta(max_length=200)]


class Reply(Letter, forbid_unknown_fields=True):
    """An answer to an invitation."""

    accept: bool
    words: Annotated[str, Meta(max_length=20_000)] = ""


@get("/applications/{application:str}/history", sync_to_thread=True, summary="What happened, who has it, by when")
def history(application: str, house: House, actor: Actor) -> dict[str, Any]:
    """Return every step of an application, and who has it now; nothing that reviewers do shows in it."""
    return applying.history(house, actor, application)


@get("/applications/{application:str}/versions", sync_to_thread=True, summary="Every submitted version")
def versions(application: str, house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return the versions as they were submitted, each with the salt of its commitment in the ledger."""
    return [applying.version_json(each) for each in house.admissions.versions(actor, application)]


@get("/applications/{application:str}/difference", sync_to_thread=True, summary="What differs between two versions")
def difference(application: str, house: House, actor: Actor, old: int = 1, new: int = 2) -> dict[str, Any]:
    """Return the answers that differ, in pieces: of the first two versions, if none are named."""
    return applying.difference(house, actor, application, old, new)


@get("/applications/{application:str}/attachments", sync_to_thread=True, summary="Its files")
def attachments(application: str, house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return the files of an application, without their bytes."""
    return [applying.attachment_json(each) for each in house.admissions.attachments(actor, application)]


@post(
    "/applications/{application:str}/attachments",
    sync_to_thread=True,
    summary="Attach a file",
    request_max_body_size=_BODY,
)
def attach(application: str, data: NewFile, house: House, actor: Actor) -> dict[str, Any]:
    """Keep a file as an answer; its bytes say what it is, and it counts once the application is submitted."""
    made = house.admissions.attach(actor, application, data.question, data.name, data.content)
    return applying.attachment_json(made)


@delete("/applications/{application:str}/attachments/{digest:str}", sync_to_thread=True, summary="Take a file out")
def detach(application: str, digest: str, house: House, actor: Actor) -> None:
    """Take a file out; one that a submitted version holds is kept for that version."""
    house.admissions.detach(actor, application, digest)


@get("/applications/{application:str}/attachments/{digest:str}", sync_to_thread=True, summary="Download a file")
def download(application: str, digest: str, house: House, actor: Actor) -> Response[bytes]:
    """Return a file's bytes, never to be shown under this address."""
    return handed_out(house.admissions.attachment(actor, application, digest))


@get("/reviews/{review_id:str}/attachments/{digest:str}", sync_to_thread=True, summary="Download a file to review")
def review_download(review_id: str, digest: str, house: House, actor: Actor) -> Response[bytes]:
    """Return a file of what one is asked to review, under a name that tells of nobody."""
    return handed_out(house.admissions.review_attachment(actor, review_id, digest))


def handed_out(found: Handed) -> Response[bytes]:
    """Answer with a file, as a download."""
    return Response(found.content, headers=found.headers, media_type=found.media)


@get("/applications/{application:str}/team", sync_to_thread=True, summary="Who was asked, and what they said")
def team(application: str, house: House, actor: Actor) -> list[dict[str, Any]]:
    """Return the invitations of an application, into the team and to vouch."""
    return [applying.invitation_json(each) for each in house.admissions.team(actor, application)]


@post("/applications/{application:str}/invitations", sync_to_thread=True, summary="Invite a member, or a guarantor")
def invite(application: str, data: Address, house: House, actor: Actor) -> dict[str, Any]:
    """Send a letter with a link; the answer is the same whether or not the address is known here."""
    return applying.invite(house, actor, application, data.email, data.part)


@post("/applications/{application:str}/leave", status_code=200, sync_to_thread=True, summary="Leave a team")
def leave(application: str, house: House, actor: Actor) -> dict[str, Any]:
    """Go out of an application's team."""
    return applying.invitation_json(house.admissions.leave(actor, application))


@post("/invitations/{invitation:str}/remind", status_code=200, sync_to_thread=True, summary="Send another letter")
def remind(invitation: str, house: House, actor: Actor) -> dict[str, Any]:
    """Send another letter, whose link takes the place of the last one's."""
    return applying.remind(house, actor, invitation)


@delete("/invitations/{invitation:str}", status_code=200, sync_to_thread=True, summary="Take an invitation back")
def remove(invitation: str, house: House, actor: Actor) -> dict[str, Any]:
    """Take an invitation back, or somebody out of the team."""
    return applying.invitation_json(house.admissions.remove(actor, invitation))


@post("/letters/read", status_code=200, sync_to_thread=True, summary="What a letter asks")
def read(data: Letter, house: House, actor: Actor) -> dict[str, Any]:
    """Return what the holder of a letter is asked; looking uses nothing up."""
    return applying.asked_json(house.admissions.asked(actor, data.secret))


@post("/letters/answer", status_code=200, sync_to_thread=True, summary="Accept or decline")
def answer(data: Reply, house: House, actor: Actor) -> dict[str, Any]:
    """Answer a letter, as oneself: to join a team, or to vouch."""
    made = house.admissions.answer(actor, data.secret, accept=data.accept, words=data.words)
    return applying.invitation_json(made)


_FILES = [attachments, attach, detach, download, review_download]
_TEAM = [team, invite, leave, remind, remove, read, answer]


@get("/applications/{application:str}/observed", sync_to_thread=True, summary="What the house saw used, at a renewal")
def observed(application: str, house: House, actor: Actor) -> dict[str, Any]:
    """Return what was used of the applicant's grants as a renewal was submitted; an empty list for other calls."""
    return {"application": application, "observed": house.admissions.observed(actor, application) or []}


router = Router("/", route_handlers=[history, observed, versions, difference, *_FILES, *_TEAM], tags=["admissions"])
