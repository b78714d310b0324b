"""The mail as whoever runs the house sees it; and dates as calendar files, for whoever they concern."""

from __future__ import annotations

from email.utils import format_datetime

from readingroom.access import queries as access
from readingroom.admissions import queries as admissions
from readingroom.app.house import House
from readingroom.app.letters import dates
from readingroom.core.errors import BadInput, Broken, Problem
from readingroom.core.ids import new_id
from readingroom.core.refusal import require
from readingroom.core.settings import mail_password
from readingroom.people.address import address_problem
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check
from readingroom.post.calendar import Date, calendar
from readingroom.post.carriers import make_carrier
from readingroom.post.model import Letter, Standing, State, Undelivered
from readingroom.post.spelling import compose


def unsent(house: House, by: Actor) -> list[Standing]:
    """Return the letters that are on their way or stuck, the stuck ones first; never their texts."""
    require(check(by, Permission.LETTER_MANAGE))
    return house.outbox.unsent()


def counts(house: House, by: Actor) -> dict[State, int]:
    """Return how many letters wait, are stuck, and were sent in the last days."""
    require(check(by, Permission.LETTER_MANAGE))
    return house.outbox.counts()


def retry(house: House, by: Actor, letter: str = "") -> int:
    """Have a letter tried anew at once, or all that were tried in vain; return how many."""
    require(check(by, Permission.LETTER_MANAGE))
    return house.outbox.retry(letter)


def drop(house: House, by: Actor, letter: str) -> None:
    """Remove a stuck letter, once a person has seen that it cannot be sent."""
    require(check(by, Permission.LETTER_MANAGE))
    house.outbox.drop(letter)


def try_address(house: House, by: Actor, email: str) -> str:
    """Send one letter to an address now, past the outbox, and return where it was handed over.

    Raises:
        BadInput: it is no address.
        Broken: it was not taken; says why.
    """
    require(check(by, Permission.LETTER_MANAGE))
    if problem := address_problem(email):
        raise BadInput([problem])
    box, now = house.mailbox, house.clock.now()
    text = f"This is a trial of the reading room's mail, sent on {format_datetime(now)}. Letters arrive.\n"
    letter = Letter(new_id("letter"), "trial", None, "", email.strip(), "A trial letter", text, "", now)
    carrier = make_carrier(box, house.settings.outbox, mail_password())
    try:
        carrier.carry(compose(letter, box), letter.id)
    except Undelivered as why:
        cure = "Mend [mail] in readingroom.toml, or the mail server (docs/howto/send-mail.md)"
        raise Broken(Problem("mail", f"the letter was not taken: {why.said}", cure)) from None
    finally:
        carrier.close()
    return f"{box.host}:{box.port}" if box.host else str(house.settings.outbox)


def call_calendar(house: House, call: str) -> str:
    """Return a call's dates as a calendar file; calls are public."""
    return _spelled(house, dates.of_call(house.admissions.call(call), house.address()))


def application_calendar(house: House, by: Actor, application: str) -> str:
    """Return the dates of one's own application."""
    found = house.admissions.application(by, application)
    call = house.admissions.call(found.call)
    mine = [each for each in house.admissions.my_awards(by) if each.application == application]
    return _spelled(house, dates.of_application(found, call, mine, house.address()))


def my_calendar(house: House, by: Actor) -> str:
    """Return every date that concerns a person: applications, awards and grants."""
    base, found = house.address(), []
    with house.db.read() as tx:
        awards = admissions.awards_of(tx, by.id)
        for each in admissions.of_person(tx, by.id):
            if (call := admissions.call(tx, each.call)) is not None:
                mine = [award for award in awards if award.application == each.id]
                found += dates.of_application(each, call, mine, base)
        for grant in access.grants_of(tx, by.id):
            found += dates.of_grant(grant, base)
    return _spelled(house, found)


def _spelled(house: House, found: list[Date]) -> str:
    return calendar(found, house.mailbox.domain)
