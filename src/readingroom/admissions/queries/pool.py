"""Reads of the reviewers' pool: invitations, declared ties, conflicts that were found, and the graph of a call."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.admissions import tables
from readingroom.admissions.call import Call
from readingroom.admissions.conflicts import Graph, Party, Side, fold_who
from readingroom.admissions.model import Application, ApplicationState, Conflict, ConflictKind, Disposition, Severity
from readingroom.admissions.pool import Finding, Invitation, InvitationState, Scope, Tie, TieKind
from readingroom.admissions.queries import teams
from readingroom.admissions.queries.applications import applications, of_person, some
from readingroom.people import queries as people
from readingroom.people.model import Person, Role

T = tables
STAFF = frozenset({Role.STEWARD, Role.TESTER, Role.PANEL, Role.SAFETY})
_GONE = frozenset({ApplicationState.WITHDRAWN, ApplicationState.DRAFT})


def asked(tx: Connection, call_id: str) -> list[Invitation]:
    """Return who was asked to review in a call."""
    return _invitations(tx, T.reviewer.c.call_id == call_id)


def asked_of(tx: Connection, person_id: str) -> list[Invitation]:
    """Return the calls in which a person was asked to review."""
    return _invitations(tx, T.reviewer.c.person_id == person_id)


def _invitations(tx: Connection, where: sa.ColumnElement[bool]) -> list[Invitation]:
    rows = tx.execute(sa.select(T.reviewer).where(where).order_by(T.reviewer.c.person_id, T.reviewer.c.call_id))
    return [
        Invitation(
            call=row.call_id,
            person=row.person_id,
            state=InvitationState(row.state),
            scope=Scope(tuple(row.topics), row.load),
            answer_by=row.answer_by,
            invited_at=row.invited_at,
            answered_at=row.answered_at,
        )
        for row in rows
    ]


def ties(tx: Connection, person_id: str = "") -> list[Tie]:
    """Return what a person declared, or what everybody did."""
    where = T.tie.c.person_id == person_id if person_id else sa.true()
    rows = tx.execute(sa.select(T.tie).where(where).order_by(T.tie.c.said_at, T.tie.c.id))
    return [
        Tie(row.id, row.person_id, TieKind(row.kind), row.who, row.reason, row.application_id or "") for row in rows
    ]


def findings(tx: Connection, call_id: str) -> list[Finding]:
    """Return the conflicts of a call as they were found, and what became of each."""
    joined = T.finding.join(T.application, T.application.c.id == T.finding.c.application_id)
    chosen = sa.select(T.finding).select_from(joined).where(T.application.c.call_id == call_id)
    ordered = chosen.order_by(T.finding.c.application_id, T.finding.c.person_id, T.finding.c.kind)
    return [_finding(row) for row in tx.execute(ordered)]


def _finding(row: Row[Any]) -> Finding:
    return Finding(
        application=row.application_id,
        person=row.person_id,
        conflict=Conflict(ConflictKind(row.kind), row.evidence, Severity(row.severity)),
        disposition=Disposition(row.disposition),
        reason=row.reason,
        decided_by=row.decided_by,
        found_at=row.found_at,
        decided_at=row.decided_at,
    )


def declared(tx: Connection, call_id: str) -> frozenset[tuple[str, str]]:
    """Return the conflicts that reviewers of a call declared, as pairs of application and person."""
    found = findings(tx, call_id)
    return frozenset((each.application, each.person) for each in found if each.conflict.kind is ConflictKind.DECLARED)


def graph(tx: Connection, call: Call) -> Graph:
    """Return who stands where in a call, as it is now."""
    return _graph(tx, call, applications(tx, call.id), people.persons(tx))


def graph_near(tx: Connection, call: Call, party: Party, wanted: Collection[str]) -> Graph:
    """Return the part of a call's graph in which the conflicts of one person with some applications show.

    That is: those applications, the person's own, and those that name the person; the rest plays no part.
    """
    found = {each.id: each for each in some(tx, wanted)}
    found |= {each.id: each for each in of_person(tx, party.person) if each.call == call.id}
    near = [each for address in sorted(party.addresses) for each in _naming(tx, call.id, address)]
    near += [each for each, _ in teams.joined(tx, party.person)]
    found |= {each.id: each for each in some(tx, near) if each.call == call.id}
    members = {who for inside in teams.members_of(tx, found).values() for who in inside}
    return _graph(tx, call, found.values(), people.some(tx, members | {each.person for each in found.values()}))


def _naming(tx: Connection, call_id: str, email: str) -> list[str]:
    """Return the applications of a call that name an address, or invited it; a superset of its teams."""
    joined = T.version.join(T.application, T.application.c.id == T.version.c.application_id)
    text = sa.cast(T.version.c.draft, sa.Text)
    where = (T.application.c.call_id == call_id) & text.contains(email, autoescape=True)
    named = tx.execute(sa.select(T.application.c.id).select_from(joined).where(where).distinct()).scalars()
    invited = sa.select(T.invitation.c.application_id).where(sa.func.lower(T.invitation.c.email) == email)
    return [*named, *tx.execute(invited).scalars()]


def _graph(tx: Connection, call: Call, found: Iterable[Application], known: dict[str, Person]) -> Graph:
    living = [each for each in found if each.submitted and each.state not in _GONE]
    said, works = _by_person(ties(tx)), people.institutions(tx)
    named: dict[str, set[str]] = {}
    for tie in (each for mine in said.values() for each in mine if each.kind is TieKind.NAMED):
        named.setdefault(tie.application, set()).add(fold_who(tie.who))
    asked_in = teams.addresses(tx, [each.id for each in living])
    inside = teams.members_of(tx, [each.id for each in living])
    made = {}
    for each in living:
        team = (*(each.submitted.draft.team if each.submitted else ()), *asked_in.get(each.id, ()))
        applicant = _party(each.person, known.get(each.person), said.get(each.person, ()), works)
        members = tuple(_party(who, known.get(who), said.get(who, ()), works) for who in inside.get(each.id, ()))
        spared = frozenset(named.get(each.id, ()))
        made[each.id] = Side(each.id, applicant, tuple(dict.fromkeys(team)), members, spared)
    severities = call.file.reviewing.severities if call.file.reviewing else {}
    return Graph(made, declared(tx, call.id), severities)


def parties(tx: Connection, persons: Collection[str]) -> dict[str, Party]:
    """Return what conflicts are judged on, as it is now, of several persons."""
    known, said, works = people.persons(tx), _by_person(ties(tx)), people.institutions(tx)
    return {each: _party(each, known.get(each), said.get(each, ()), works) for each in persons}


def _by_person(said: Iterable[Tie]) -> dict[str, list[Tie]]:
    found: dict[str, list[Tie]] = {}
    for each in said:
        found.setdefault(each.person, []).append(each)
    return found


def party(tx: Connection, person_id: str) -> Party:
    """Return what conflicts are judged on, as it is now."""
    return _party(person_id, people.by_id(tx, person_id), ties(tx, person_id), people.institutions(tx))


def _party(person_id: str, found: Person | None, said: Iterable[Tie], works: Mapping[str, frozenset[str]]) -> Party:
    # Somebody who is unknown now (erased, say) has no address and no affiliation to conflict by.
    if found is None:
        return Party(person_id, "", "")
    near = {kind: frozenset(fold_who(each.who) for each in said if each.kind is kind) for kind in TieKind}
    return Party(
        person=found.id,
        email=found.email,
        others=frozenset(found.addresses) - {found.email},
        affiliation=found.affiliation,
        name=found.name,
        coauthors=near[TieKind.COAUTHOR],
        supervisors=near[TieKind.SUPERVISOR],
        institutions=works.get(found.id, frozenset()),
        staff=not found.roles.isdisjoint(STAFF),
    )
