"""Dates that are near: each person gets at most one such letter a day, with all of theirs in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from sqlalchemy.engine import Connection

from readingroom.access import queries as access
from readingroom.admissions import queries as admissions
from readingroom.admissions.call import Call
from readingroom.admissions.model import Application, ApplicationState, AwardState, CallState
from readingroom.app.letters.post import has_mailbox
from readingroom.app.letters.writing import harmless, in_words, write
from readingroom.core.ids import new_id
from readingroom.people import queries as people
from readingroom.post.model import Letter
from readingroom.post.service import Outbox
from readingroom.store.db import Database

DAYS = (14, 3, 1)  # before a date that one is reminded
EVENT = "reminder"  # no entry of the ledger: nothing was decided


def remind(db: Database, outbox: Outbox, address: Callable[[], str]) -> int:
    """Put the day's reminders into the outbox, once a day; return how many letters were new."""
    now, base = outbox.clock.now(), address()
    with db.read() as tx:
        lines: dict[str, list[str]] = defaultdict(list)
        for person, line in due(tx, now):
            lines[person].append(line)
        made = [_letter(tx, name, found, now, base) for name, found in lines.items()]
    return outbox.put([each for each in made if each is not None])


def due(tx: Connection, now: datetime) -> Iterator[tuple[str, str]]:
    """Yield what is near, each with its person: drafts, corrections, awards that wait, grants that end."""
    for call in admissions.calls(tx):
        title = call.file.title
        if call.state is not CallState.PUBLISHED:
            yield from _unfinished(admissions.applications(tx, call.id), call, now)
        for award in admissions.awards(tx, call.id):
            if award.state is AwardState.OFFERED and _near(award.accept_by, now):
                yield award.person, f"Your award in {title} is to be accepted by {in_words(award.accept_by)}."
    for grant in access.grants(tx):
        if grant.state.value != "revoked" and _near(grant.expires_at, now):
            yield grant.holder, f"Your grant to read {grant.stage} ends on {in_words(grant.expires_at)}."


def _unfinished(applications: Iterable[Application], call: Call, now: datetime) -> Iterator[tuple[str, str]]:
    title, closes = call.file.title, call.file.window.closes
    for each in applications:
        if each.state is ApplicationState.DRAFT and _near(closes, now):
            yield each.person, f"Your draft for {title} can be submitted until {in_words(closes)}."
        if each.state is ApplicationState.RETURNED and each.correct_until and _near(each.correct_until, now):
            yield each.person, f"Your application to {title} can be corrected until {in_words(each.correct_until)}."


def _near(moment: datetime, now: datetime) -> bool:
    return moment > now and (moment.date() - now.date()).days in DAYS


def _letter(tx: Connection, name: str, lines: list[str], now: datetime, base: str) -> Letter | None:
    person = people.by_id(tx, name)
    if person is None or not has_mailbox(person):
        return None
    subject, text, html = write("due", base, due=[harmless(line) for line in lines], person=person, told=_NO_PROOF)
    return Letter(
        new_id("letter"), EVENT, None, person.id, person.email, subject, text, html, now,
        once=f"due:{now:%Y-%m-%d}:{person.id}",
    )  # fmt: skip


_NO_PROOF = {"proof": False}
