"""Reads of what is known of a person, as far as a call may ask for it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.engine import Connection

from readingroom.admissions.eligibility import CONFIRMED, DECLARED, Held, Standing
from readingroom.people import queries as people
from readingroom.people.model import Fact, FactKind, How


def standing_of(tx: Connection, person_id: str) -> Standing:
    """Return a person's affiliations and credentials, each with its end.

    An affiliation that somebody only gives is `declared`; one that was confirmed is `confirmed`, and goes by its name.
    A credential counts once it is confirmed.
    """
    found = people.by_id(tx, person_id)
    facts = people.facts(tx, person_id)
    said = [Held(DECLARED)] if found and found.affiliation.strip() else []
    known = [each for each in facts if each.how is not How.CLAIMED]
    theirs = [each for each in facts if each.kind is FactKind.AFFILIATION]
    said += [Held(DECLARED, _end(each)) for each in theirs]
    for each in theirs:
        if each in known:
            said += [Held(CONFIRMED, _end(each)), Held(each.body.casefold(), _end(each))]
    credentials = [Held(each.kind.value, _end(each)) for each in known if each.kind is not FactKind.AFFILIATION]
    return Standing(tuple(said), tuple(credentials))


def _end(fact: Fact) -> datetime | None:
    return min((each for each in (fact.until, fact.ended_at) if each is not None), default=None)
