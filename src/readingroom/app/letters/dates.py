"""The dates of calls, applications, awards and grants, as calendar files tell them."""

from __future__ import annotations

from collections.abc import Iterable

from readingroom.access.model import Grant
from readingroom.admissions.call import Call
from readingroom.admissions.model import Application, Award, AwardState
from readingroom.post.calendar import Date


def of_call(call: Call, base: str) -> list[Date]:
    """Return when a call's window opens, and when it closes if it has an end.

    A window that was closed early is moved to when it was: the file that is opened again says so.
    """
    window, title, page = call.file.window, call.file.name, f"{base}/apply/{call.id}"
    closed = call.closed_at if call.closed_at and call.closed_at < window.closes else None
    closes, changed = closed or window.closes, closed or call.opened_at
    nothing = "Closing decides nothing. What was submitted is read; a draft is kept and does not count."
    opens = Date(
        f"{call.id}/opens", window.opens, f"{title}: applications open", call.opened_at, call.opened_at, "", page
    )
    if window.standing and closed is None:  # it has no end until a person closes it
        return [opens]
    return [
        opens,
        Date(f"{call.id}/closes", closes, f"{title}: applications close", call.opened_at, changed, nothing, page),
    ]


def of_application(found: Application, call: Call, awards: Iterable[Award], base: str) -> list[Date]:
    """Return by when an application can be submitted or corrected, is meant to be decided, and its award accepted."""
    title, page = call.file.name, f"{base}/applications/{found.id}"
    made, changed = found.created_at or call.opened_at, found.updated_at or call.opened_at
    dates = []
    if found.state.value in {"draft", "submitted"}:
        about = f"{title}: last moment to submit or amend"
        closes = next((each for each in of_call(call, base) if each.uid.endswith("/closes")), None)
        if closes is not None:
            dates.append(Date(f"{found.id}/submit-by", closes.at, about, made, max(made, closes.changed_at), "", page))
    if found.state.value == "submitted" and found.arrived_at and call.file.decide_within:
        due = found.arrived_at + call.file.decide_within  # as the desk counts: an amendment does not put it off
        said = "The lab means to have decided by then. A date that passes decides nothing."
        dates.append(Date(f"{found.id}/decide-by", due, f"{title}: a decision is due", made, changed, said, page))
    if found.correct_until is not None:
        about = f"{title}: last moment to correct your application"
        dates.append(Date(f"{found.id}/correct-by", found.correct_until, about, made, changed, found.note, page))
    return dates + [each for award in awards for each in of_award(award, title, base)]


def of_award(award: Award, title: str, base: str) -> list[Date]:
    """Return by when an award is to be accepted; none once it is settled."""
    if award.state is not AwardState.OFFERED:
        return []
    page, about = f"{base}/applications/{award.application}", f"{title}: accept your award by now"
    said = "After this the lab may take the offer back; until somebody does, it stands."
    return [Date(f"{award.id}/accept-by", award.accept_by, about, award.made_at, award.made_at, said, page)]


def of_grant(grant: Grant, base: str) -> list[Date]:
    """Return when a grant ends."""
    ends = grant.changed_at if grant.state.value == "revoked" else grant.expires_at
    changed = max(grant.changed_at, grant.issued_at)
    about = f"Your reading of {grant.stage} ends"
    return [Date(f"{grant.id}/ends", ends, about, grant.issued_at, changed, "", f"{base}/my")]
