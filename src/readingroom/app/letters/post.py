"""From an entry to letters in the outbox, in the transaction that appends the entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy.engine import Connection

from readingroom.app.letters.scene import Scene
from readingroom.app.letters.table import LETTERS, Told
from readingroom.app.letters.writing import write
from readingroom.core.ids import new_id
from readingroom.ledger.model import Entry
from readingroom.ledger.service import Ledger
from readingroom.people.address import address_problem
from readingroom.people.model import Person
from readingroom.post.calendar import calendar
from readingroom.post.model import Letter, Mailbox
from readingroom.post.service import Outbox

_NOWHERE = "@localhost"  # the operator of a house for trials


def listen(ledger: Ledger, outbox: Outbox, box: Mailbox, address: Callable[[], str]) -> None:
    """Write the letters of every event that has any; `address` says where readers reach this house."""

    def post(tx: Connection, entry: Entry) -> None:
        outbox.put_within(tx, letters(Scene(tx, entry, outbox.clock.now(), address()), box))

    for event in LETTERS:
        ledger.on(event, post)


def letters(scene: Scene, box: Mailbox) -> Iterator[Letter]:
    """Yield the letters that tell of an entry."""
    for told in LETTERS.get(scene.entry.event, ()):
        if not told.when(scene) or any(getattr(scene, each) is None for each in told.needs):
            continue
        for person in scene.persons(list(dict.fromkeys(told.who(scene)))):
            if has_mailbox(person):
                yield _letter(scene, told, person, box)


def has_mailbox(person: Person) -> bool:
    """Tell whether a letter could reach somebody: who was erased has no address any more."""
    return address_problem(person.email) is None and not person.email.endswith(_NOWHERE)


def _letter(scene: Scene, told: Told, person: Person, box: Mailbox) -> Letter:
    subject, text, html = write(told.template, scene.base, scene=scene, said=scene.data, person=person, told=told)
    dates = told.dates(scene)
    key = told.once.format(call=scene.said("call"), day=f"{scene.now:%Y-%m-%d}")
    return Letter(
        id=new_id("letter"),
        event=scene.entry.event,
        entry=scene.entry.seq,
        person=person.id,
        to=person.email,
        subject=subject,
        text=text,
        html=html,
        made_at=scene.now,
        calendar=calendar(dates, box.domain) if dates else "",
        once=f"{told.template}:{key}:{person.id}" if told.once else "",
    )
