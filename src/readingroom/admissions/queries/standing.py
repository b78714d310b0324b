"""Reads of what is known of persons, as far as a call may ask for it: who may apply, and whose word counts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.engine import Connection

from readingroom.admissions import teams
from readingroom.admissions.call import CallFile
from readingroom.admissions.eligibility import CONFIRMED, DECLARED, Held, Standing
from readingroom.admissions.form import Guarantor
from readingroom.admissions.model import Application
from readingroom.admissions.queries.teams import invitations
from readingroom.admissions.teams import Invitation, Part, may_vouch
from readingroom.people import queries as people
from readingroom.people import rules
from readingroom.people.model import Fact, FactKind, How
from readingroom.people.model import Standing as Holding


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


def counting(tx: Connection, file: CallFile, application: Application, now: datetime) -> list[Invitation]:
    """Return an application's invitations without the words that do not count now; see `teams.may_vouch`."""
    return [
        each
        for each in invitations(tx, application.id)
        if not each.person or each.part is Part.MEMBER or word_counts(tx, file, application, each.person, now)
    ]


def word_counts(tx: Connection, file: CallFile, application: Application, who: str, now: datetime) -> bool:
    """Tell whether somebody's word counts for an application now."""
    inside = {application.person, *teams.members(invitations(tx, application.id))}
    if file.guarantor is not Guarantor.LISTED:
        return may_vouch(file, who, inside, (), ())
    applicant = people.by_id(tx, application.person)
    own = [applicant.affiliation] if applicant else []
    own += [each.body for each in _of_kind(tx, application.person, FactKind.AFFILIATION, now)]
    signs = _of_kind(tx, who, FactKind.SIGNATORY, now)
    signs_for = [each.body for each in signs if rules.standing(each, now) is Holding.HOLDS]
    return may_vouch(file, who, inside, signs_for, own)


def _of_kind(tx: Connection, person: str, kind: FactKind, now: datetime) -> list[Fact]:
    """Return what is said of a person and has not ended, confirmed or not."""
    over = {Holding.EXPIRED, Holding.ENDED}
    return [each for each in people.facts(tx, person) if each.kind is kind and rules.standing(each, now) not in over]


def _end(fact: Fact) -> datetime | None:
    return min((each for each in (fact.until, fact.ended_at) if each is not None), default=None)
