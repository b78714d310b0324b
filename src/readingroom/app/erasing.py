"""Erasing a person over all rooms: what still stands is read, the database is emptied, then files."""

from __future__ import annotations

from email import message_from_bytes, policy

from sqlalchemy.engine import Connection

from readingroom.access import queries as access
from readingroom.access.model import GrantState
from readingroom.admissions import queries as admissions
from readingroom.admissions.appeals.rules import APPEAL
from readingroom.admissions.model import ApplicationState, AwardState
from readingroom.app import remembering
from readingroom.app.house import House
from readingroom.app.mail import STUCK
from readingroom.core.errors import BadInput, Problem
from readingroom.people import queries as people
from readingroom.people.model import MAIL, Actor, Basis
from readingroom.store.compact import compact

_OVER = {ApplicationState.WITHDRAWN, ApplicationState.AWARDED, ApplicationState.REFUSED}


def standing(house: House, tx: Connection, person: str) -> list[str]:
    """Say what of somebody's still stands, and how it is ended."""
    now = house.clock.now()
    found = [
        f"application {each.id} is {each.state.value.replace('-', ' ')}: withdraw it"
        for each in admissions.of_person(tx, person)
        if each.state not in _OVER
    ]
    found += [
        f"award {each.id} is offered: decline it"
        for each in admissions.awards_of(tx, person)
        if each.state is AwardState.OFFERED
    ]
    found += [
        f"grant {each.id} is in force: ask the lab to end it"
        for each in access.grants(tx)
        if each.holder == person and each.state is not GrantState.REVOKED and now < each.expires_at
    ]
    found += [
        f"grant {each.id} has this member: leave its project"
        for each in access.grants_with(tx, person)
        if each.holder != person and each.state is not GrantState.REVOKED and now < each.expires_at
    ]
    found += [
        f"appeal {each.id} is {each.state.value}: take it back, or wait until it is concluded"
        for each in admissions.appeals_of(tx, person)
        if each.state not in APPEAL.final
    ]
    return found


def erase(house: House, by: Actor, person: str, basis: Basis) -> dict[str, int]:
    """Erase what is held of a person; return how many rows of each table, and how many letters.

    Backups made before still hold it: the docs say how long to keep those.
    """
    with house.db.read() as tx:
        person = people.canonical(tx, person)  # what still stands is the person's of now, whatever they are named by
    held = house.held.show(by, person)
    addresses = {row["email"] for row in held.get("people_person", [])}
    addresses |= {row["subject"] for row in held.get("people_identity", []) if row["issuer"] == MAIL}
    with house.db.decide() as tx:
        if (until := access.barred_until(tx, person)) and until > house.clock.now():
            remembers = house.access.remembers_within(tx)
            kept = remembering.digests(house.settings.keys, frozenset(map(str, addresses)), make=not remembers)
            house.access.remember_bar_within(tx, person, kept)
        done = house.held.erase_within(tx, by, person, basis, standing(house, tx, person))
        access.bump(tx)  # so that every worker forgets the keys of kept texts
    compact(house.db, done)
    letters = _burn(house, {str(each) for each in addresses})
    return {**done, "letters": letters} if letters else done


def _burn(house: House, addresses: set[str]) -> int:
    """Delete letters to these addresses from the outbox folder and those below it."""
    count = 0
    outbox = house.settings.outbox
    for path in [*outbox.rglob("*.eml"), *outbox.rglob(f"*{STUCK}")]:  # and those that wait for a mail server
        to = message_from_bytes(path.read_bytes(), policy=policy.default).get("to")
        if to is not None and any(each.addr_spec in addresses for each in to.addresses):
            path.unlink(missing_ok=True)
            count += 1
    return count


def erase_self(house: House, by: Actor, email: str) -> dict[str, int]:
    """Erase oneself, with one's address typed again: a click is too little for what cannot be undone.

    Raises:
        BadInput: it is not one's address.
    """
    person = house.people.find(email)
    if person is None or person.id != by.id:
        raise BadInput([Problem("email", "is not the address of your account", "Type it as it stands there")])
    return erase(house, by, by.id, Basis.REQUEST)
