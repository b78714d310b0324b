"""What applicants do, as documents: the same for the command line and the control API; and the letters that go out."""

from __future__ import annotations

from typing import Any

from readingroom.admissions import queries
from readingroom.admissions.attachments import Attachment
from readingroom.admissions.differing import changes
from readingroom.admissions.form import Question
from readingroom.admissions.model import Version
from readingroom.admissions.service.teams import Asked
from readingroom.admissions.teams import Invitation, Part
from readingroom.app.house import House
from readingroom.core.clock import rfc3339
from readingroom.core.errors import BadInput, Problem
from readingroom.core.refusal import Refusal, Refused
from readingroom.people import queries as people
from readingroom.people.model import Actor


def invitation_path(secret: str) -> str:
    """Return where a letter's link leads: a page that asks, and uses nothing up by being looked at."""
    return f"/invitations/{secret}"


def invite(house: House, by: Actor, application: str, email: str, part: Part = Part.MEMBER) -> dict[str, Any]:
    """Ask an address to join an application or to vouch for it, and send the letter."""
    _address(house)
    return _sent(house, *house.admissions.invite(by, application, email, part))


def remind(house: House, by: Actor, invitation: str) -> dict[str, Any]:
    """Send another letter."""
    _address(house)
    return _sent(house, *house.admissions.remind(by, invitation))


def _address(house: House) -> str:
    base = house.address()
    if not base and not house.settings.dev:
        cure = "Set `public_url` in readingroom.toml, or run `readingroom serve` first"
        raise BadInput([Problem("public_url", "is not set, so the link in the letter would lead nowhere", cure)])
    return base


def _sent(house: House, made: Invitation, secret: str) -> dict[str, Any]:
    """Write the letter. Nothing in it is the applicant's to write: nobody sends mail of their own by us."""
    link = _address(house) + invitation_path(secret)
    with house.db.read() as tx:
        found = queries.application(tx, made.application)
        call = queries.call(tx, found.call) if found else None
        applicant = people.by_id(tx, found.person) if found else None
    asker, title = applicant.email if applicant else "", call.file.title if call else ""
    wants = (
        f"{asker} applies to read in {title!r} here, and asks you to join as a member of the team."
        if made.part is Part.MEMBER
        else f"{asker} applies to read in {title!r} here, and names you as the guarantor: somebody who signs for an "
        "institution, and vouches for applicant and purpose. Silence is no vouching."
    )
    text = (
        f"{wants}\n\nRead more, and accept or decline, until {made.expires_at:%-d %B %Y, %H:%M} UTC:\n\n{link}\n\n"
        "You will be asked to sign in with your own e-mail address. If you do not know the applicant, do nothing.\n"
    )
    subject = "You are asked to join a team" if made.part is Part.MEMBER else "You are asked to vouch"
    house.post.send(made.email, subject, text)
    return invitation_json(made) | ({"link": link} if house.settings.dev else {})


def invitation_json(each: Invitation) -> dict[str, Any]:
    """Return an invitation as JSON."""
    return {
        "id": each.id,
        "application": each.application,
        "part": each.part.value,
        "state": each.state.value,
        "email": each.email,
        "words": each.words,
        "version": each.version,
        "sent_at": rfc3339(each.sent_at),
        "expires_at": rfc3339(each.expires_at),
        "answered_at": rfc3339(each.answered_at) if each.answered_at else None,
    }


def asked_json(each: Asked) -> dict[str, Any]:
    """Return what the holder of a letter is asked."""
    version = each.version
    return {
        "part": each.invitation.part.value,
        "email": each.invitation.email,
        "call": each.call.id,
        "title": each.call.file.title,
        "applicant": each.applicant,
        "expires_at": rfc3339(each.invitation.expires_at),
        "version": version.number if version else None,
        "submitted": version.draft.to_json() if version else None,
    }


def attachment_json(each: Attachment) -> dict[str, Any]:
    """Return a file as JSON, without its bytes."""
    return {
        "digest": each.digest,
        "question": each.question,
        "name": each.name,
        "kind": each.kind.value,
        "size": each.size,
        "added_at": rfc3339(each.added_at),
    }


def version_json(each: Version) -> dict[str, Any]:
    """Return a version as JSON, with the salt: so who has it can check the commitment in the ledger."""
    return {
        "number": each.number,
        "submitted_at": rfc3339(each.submitted_at),
        "commitment": each.commitment,
        "salt": each.salt.hex(),
        **each.draft.to_json(),
    }


def history(house: House, by: Actor, application: str) -> dict[str, Any]:
    """Return what happened to an application, and who has it now."""
    steps, waiting = house.admissions.history(by, application)
    return {
        "application": application,
        "steps": [each.to_json() for each in steps],
        "waiting": [each.to_json() for each in waiting],
    }


def decision_json(house: House, by: Actor, application: str) -> dict[str, Any]:
    """Return what was decided on an application, and all that its applicant is told of it."""
    made = house.admissions.decision(by, application)
    if made is None:
        return {"application": application, "outcome": None}
    return {
        "application": application,
        "outcome": made.outcome.value,
        "reason": made.reason.value,
        "text": made.text,
        "differ": made.differ,
        "reapply_from": rfc3339(made.reapply_from),
        "appeal": made.appeal,
        "sheet": made.sheet,
    }


def versions_of(house: House, by: Actor, application: str, old: int, new: int) -> tuple[Version, Version]:
    """Return two versions of an application by their numbers."""
    known = {each.number: each for each in house.admissions.versions(by, application)}
    if not {old, new} <= known.keys():
        raise Refused(Refusal("admissions/version-unknown", "This application has no such version."))
    return known[old], known[new]


def difference(house: House, by: Actor, application: str, old: int, new: int) -> dict[str, Any]:
    """Return what differs between two versions."""
    before, after = versions_of(house, by, application, old, new)
    file = house.admissions.call(house.admissions.application(by, application).call).file
    found = [
        {
            "name": each.name,
            "label": each.label,
            "pieces": [{"mark": mark.value, "text": text} for mark, text in each.pieces],
        }
        for each in changes(file, before.draft, after.draft)
    ]
    return {"application": application, "old": old, "new": new, "changes": found}


def question_json(each: Question) -> dict[str, Any]:
    """Return a question as JSON: all that somebody needs to answer it."""
    condition = each.shown_if
    return {
        "name": each.name,
        "label": each.label,
        "kind": each.kind.value,
        "required": each.required,
        "options": list(each.options),
        "words": each.words or None,
        "help": each.help,
        "section": each.section,
        "shown_to_reviewers": each.shown,
        "bounds": {"least": each.least, "most": each.most} if each.kind.value == "number" else None,
        "days": {"earliest": each.earliest, "latest": each.latest} if each.kind.value == "date" else None,
        "files": {"kinds": [kind.value for kind in each.files.kinds], "most": each.files.most, "bytes": each.files.size}
        if each.kind.value == "attachment"
        else None,
        "shown_if": {"question": condition.question, "answers": list(condition.answers)} if condition else None,
    }
