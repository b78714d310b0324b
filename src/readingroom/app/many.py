"""Revoking many grants in one act: what a call's awards are, and which answers would stop, is known here alone."""

from __future__ import annotations

from readingroom.access.many import By, Choice, Shown
from readingroom.access.model import Reason
from readingroom.admissions import queries as admissions
from readingroom.app.house import House
from readingroom.core.errors import BadInput, Problem
from readingroom.gateway import queries as gateway
from readingroom.people.model import Actor


def chosen(house: House, **given: str) -> Choice:
    """Return which grants are meant: exactly one of tier, stage, call and terms is given.

    Raises:
        BadInput: none is, or more than one.
    """
    named = [(By(by), name.strip()) for by, name in given.items() if name.strip()]
    if len(named) != 1:
        cure = "Give exactly one of: --tier, --stage, --call, --terms"
        raise BadInput([Problem("choice", f"{len(named)} ways to choose grants were given", cure)])
    by, name = named[0]
    awards: frozenset[str] = frozenset()
    if by is By.CALL:
        with house.db.read() as tx:
            awards = frozenset(each.id for each in admissions.awards(tx, name))
    return Choice(by, name, awards)


def look(house: House, by: Actor, choice: Choice, reason: Reason) -> Shown:
    """Say what revoking would do, and do nothing."""
    return house.access.look_at_many(by, choice, reason, gateway.streams)
