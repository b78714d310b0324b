"""Revoking many grants in one act: what a call's awards are, and which answers would stop, is known here alone."""

from __future__ import annotations

from dataclasses import replace

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
    """Say what revoking would do and what it would leave open, and do nothing."""
    found = house.access.look_at_many(by, choice, reason, gateway.streams)
    with house.db.read() as tx:
        offered = admissions.awards_offered(tx)
    open_ = [a for a in offered if choice.is_promised(tier=a.tier, stage=a.stage, call=a.call, terms=a.terms)]
    return replace(found, offers=len(open_))
