"""Reads of the people room, open to the rooms on its left."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.people.address import fold
from readingroom.people.model import MAIL, Actor, Fact, FactKind, How, Identity, Person, Role
from readingroom.people.tables import fact as fact_table
from readingroom.people.tables import identity as identity_table
from readingroom.people.tables import link as link_table
from readingroom.people.tables import merge as merge_table
from readingroom.people.tables import person as person_table
from readingroom.people.tables import role as role_table

_FEW = 500  # persons asked for by name: above, reading all is no slower, and no database minds


def persons(tx: Connection) -> dict[str, Person]:
    """Return everyone, by id; who turned out to be somebody else is not there twice."""
    return {each.id: each for each in _people(tx, person_table.c.id.not_in(sa.select(merge_table.c.person_id)))}


def listed(tx: Connection, text: str, limit: int, offset: int = 0, *, acting: bool) -> tuple[list[Person], int]:
    """Return a page of everyone whose address, name or institution holds a text, oldest first, and how many there are.

    Of those who hold a role (`acting`), or of those who hold none.
    """
    c = person_table.c
    held = sa.select(role_table.c.person_id)
    where = c.id.not_in(sa.select(merge_table.c.person_id)) & (c.id.in_(held) if acting else c.id.not_in(held))
    if text:
        where &= sa.or_(*(each.icontains(text, autoescape=True) for each in (c.email, c.name, c.affiliation)))
    total = tx.execute(sa.select(sa.func.count()).select_from(person_table).where(where)).scalar_one()
    page = sa.select(c.id).where(where).order_by(c.created_at, c.id).limit(limit).offset(offset)
    return _people(tx, c.id.in_(list(tx.execute(page).scalars()))), total


class Known(NamedTuple):
    """What a list of many says of a person."""

    name: str
    email: str
    affiliation: str


def known(tx: Connection, wanted: Collection[str] | None = None) -> dict[str, Known]:
    """Return name, address and institution, by id: of everyone, or of some. Less than `persons`, and so much faster."""
    c = person_table.c
    query = sa.select(c.id, c.name, c.email, c.affiliation)
    if wanted is not None and len(wanted) <= _FEW:
        query = query.where(c.id.in_(wanted))
    return {row[0]: Known(row[1], row[2], row[3]) for row in tx.execute(query).all()}


def names(tx: Connection, wanted: Collection[str] | None = None) -> dict[str, str]:
    """Return what people are called, by id: of everyone, or of some. Who has no name is called by their address."""
    return {person: each.name or each.email for person, each in known(tx, wanted).items()}


def by_id(tx: Connection, person_id: str) -> Person | None:
    """Return one person by pseudonym, also by one that they had before two accounts of theirs were merged."""
    return next(iter(_people(tx, person_table.c.id == canonical(tx, person_id))), None)


def some(tx: Connection, persons: Collection[str]) -> dict[str, Person]:
    """Return those of several persons that there are, by the pseudonym each was asked for with, of now or of before."""
    into = merged(tx)
    now = {each: into.get(each, each) for each in persons}
    found = {each.id: each for each in _people(tx, person_table.c.id.in_(sorted(set(now.values()))))}
    return {each: found[to] for each, to in now.items() if to in found}


def canonical(tx: Connection, person_id: str) -> str:
    """Return the pseudonym that a person has now, by any that they ever had; what is none comes back as it is."""
    into = tx.execute(sa.select(merge_table.c.into_id).where(merge_table.c.person_id == person_id)).scalar()
    return into or person_id


def ids(tx: Connection, person_id: str) -> frozenset[str]:
    """Return every pseudonym that a person has or had: what the ledger says of any of them it says of this person."""
    now = canonical(tx, person_id)
    before = tx.execute(sa.select(merge_table.c.person_id).where(merge_table.c.into_id == now)).scalars()
    return frozenset({now, *before})


def merged(tx: Connection) -> dict[str, str]:
    """Return every pseudonym that leads to another, with that other."""
    found = tx.execute(sa.select(merge_table.c.person_id, merge_table.c.into_id))
    return {row.person_id: row.into_id for row in found}


def identity(tx: Connection, issuer: str, subject: str) -> Identity | None:
    """Return an identity, whosever it is, also one that signs nobody in any more."""
    here = (identity_table.c.issuer == issuer) & (identity_table.c.subject == subject)
    return next(iter(_identities(tx, here)), None)


def identities(tx: Connection, person_id: str) -> list[Identity]:
    """Return a person's identities, those that ended too, addresses last."""
    return _identities(tx, identity_table.c.person_id == canonical(tx, person_id))


def facts(tx: Connection, person_id: str) -> list[Fact]:
    """Return what is known of a person, oldest first; whether it holds is `rules.holds`'s to say."""
    return facts_of(tx, [person_id])[person_id]


def facts_of(tx: Connection, persons: Iterable[str]) -> dict[str, list[Fact]]:
    """Return what is known of several persons, by the id each was asked for with."""
    now = {each: canonical(tx, each) for each in persons}
    found: dict[str, list[Fact]] = {each: [] for each in now.values()}
    wanted = fact_table.c.person_id.in_(list(found))
    for row in tx.execute(sa.select(fact_table).where(wanted).order_by(fact_table.c.since, fact_table.c.id)):
        found[row.person_id].append(fact_of(row))
    return {each: found[to] for each, to in now.items()}


def fact(tx: Connection, fact_id: str) -> Fact | None:
    """Return one fact."""
    row = tx.execute(sa.select(fact_table).where(fact_table.c.id == fact_id)).first()
    return None if row is None else fact_of(row)


def fact_of(row: Row[Any]) -> Fact:
    """Read a fact from a row of its table."""
    return Fact(
        id=row.id,
        person_id=row.person_id,
        kind=FactKind(row.kind),
        body=row.body,
        how=How(row.how),
        source=row.source,
        since=row.since,
        until=row.until,
        confirmed_by=row.confirmed_by,
        ended_at=row.ended_at,
    )


def institutions(tx: Connection) -> dict[str, frozenset[str]]:
    """Return where each person is known to belong, or to have belonged; what they only claim is not known."""
    where = (fact_table.c.kind == FactKind.AFFILIATION.value) & (fact_table.c.how != How.CLAIMED.value)
    found: dict[str, set[str]] = {}
    for row in tx.execute(sa.select(fact_table.c.person_id, fact_table.c.body).where(where)):
        found.setdefault(row.person_id, set()).add(row.body)
    return {each: frozenset(bodies) for each, bodies in found.items()}


def _identities(tx: Connection, where: sa.ColumnElement[bool]) -> list[Identity]:
    order = (identity_table.c.issuer == MAIL, identity_table.c.added_at, identity_table.c.subject)
    rows = tx.execute(sa.select(identity_table).where(where).order_by(*order))
    return [Identity(r.issuer, r.subject, r.person_id, r.added_at, r.used_at, r.ended_at) for r in rows]


def actor_now(tx: Connection, by: Actor) -> Actor:
    """Return an actor with the roles held in this transaction: who lost one a moment ago does not decide with it."""
    found = by_id(tx, by.id)
    return by if found is None else replace(by, roles=found.roles)


def by_email(tx: Connection, email: str) -> Person | None:
    """Return one person by any address of theirs, also one that signs them in no more; case does not matter."""
    found = identity(tx, MAIL, fold(email))
    return None if found is None else by_id(tx, found.person_id)


def _people(tx: Connection, where: sa.ColumnElement[bool]) -> list[Person]:
    rows = tx.execute(sa.select(person_table).where(where).order_by(person_table.c.created_at)).all()
    wanted = [row.id for row in rows]
    roles: dict[str, set[Role]] = {}
    for held in tx.execute(sa.select(role_table).where(role_table.c.person_id.in_(wanted))):
        roles.setdefault(held.person_id, set()).add(Role(held.role))
    proved: dict[str, list[str]] = {}
    for each in _identities(tx, (identity_table.c.issuer == MAIL) & identity_table.c.person_id.in_(wanted)):
        proved.setdefault(each.person_id, []).append(each.subject)
    return [_person(row, frozenset(roles.get(row.id, ())), tuple(proved.get(row.id, ()))) for row in rows]


def _person(row: Row[Any], roles: frozenset[Role], addresses: tuple[str, ...]) -> Person:
    return Person(row.id, row.email, row.name, row.affiliation, roles, row.created_at, addresses)


def has_signed_in(tx: Connection, person_id: str) -> bool:
    """Tell whether a person has ever signed in."""
    return _anybody(tx, link_table.c.person_id == person_id, identity_table.c.person_id == person_id)


def has_a_steward_signed_in(tx: Connection) -> bool:
    """Tell whether anybody who is a steward now has ever signed in."""
    stewards = sa.select(role_table.c.person_id).where(role_table.c.role == Role.STEWARD.value)
    return _anybody(tx, link_table.c.person_id.in_(stewards), identity_table.c.person_id.in_(stewards))


def _anybody(tx: Connection, by_link: sa.ColumnElement[bool], by_identity: sa.ColumnElement[bool]) -> bool:
    handed = sa.select(link_table.c.hash).where(by_link, link_table.c.used_at.is_not(None)).limit(1)
    used = sa.select(identity_table.c.subject).where(by_identity, identity_table.c.used_at.is_not(None)).limit(1)
    return tx.execute(handed).first() is not None or tx.execute(used).first() is not None
