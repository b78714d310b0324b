"""Reads of the admissions room, open to the rooms on its left. Who may see what is judged in the service."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from readingroom.admissions import call_file, tables
from readingroom.admissions.account import Balance, Cause, Posting, balances
from readingroom.admissions.call import Call
from readingroom.admissions.conflicts import Party, Side
from readingroom.admissions.model import (
    Amounts,
    Application,
    ApplicationState,
    Award,
    AwardState,
    CallState,
    Decision,
    Draft,
    Judgement,
    Outcome,
    Reason,
    Review,
    ReviewState,
    Risk,
    Version,
)
from readingroom.core.canonical import Json
from readingroom.people import queries as people
from readingroom.people.model import Person

T = tables


def calls(tx: Connection) -> list[Call]:
    """Return all calls, the newest first."""
    rows = tx.execute(sa.select(T.call).order_by(T.call.c.opened_at.desc(), T.call.c.id))
    return [_call(row) for row in rows]


def call(tx: Connection, call_id: str) -> Call | None:
    """Return one call."""
    row = tx.execute(sa.select(T.call).where(T.call.c.id == call_id)).first()
    return _call(row) if row else None


def call_text(tx: Connection, call_id: str) -> str:
    """Return the file of a call as it was opened."""
    return str(tx.execute(sa.select(T.call.c.file).where(T.call.c.id == call_id)).scalar_one())


def application(tx: Connection, application_id: str) -> Application | None:
    """Return one application with the version that counts."""
    return next(iter(_applications(tx, T.application.c.id == application_id)), None)


def applications(tx: Connection, call_id: str) -> list[Application]:
    """Return a call's applications, drafts too, ordered by their random ids."""
    return _applications(tx, T.application.c.call_id == call_id)


def of_person(tx: Connection, person_id: str) -> list[Application]:
    """Return a person's applications."""
    return _applications(tx, T.application.c.person_id == person_id)


def versions(tx: Connection, application_id: str) -> list[Version]:
    """Return every submitted version of an application, the oldest first."""
    where = T.version.c.application_id == application_id
    return [_version(row) for row in tx.execute(sa.select(T.version).where(where).order_by(T.version.c.number))]


def team(tx: Connection, application_id: str) -> tuple[str, ...]:
    """Return the e-mail addresses of an application's team, as submitted."""
    found = application(tx, application_id)
    return found.submitted.draft.team if found and found.submitted else ()


def reviews(tx: Connection, call_id: str) -> list[Review]:
    """Return a call's reviews, ordered by their random ids."""
    return _reviews(tx, T.review.c.call_id == call_id)


def review(tx: Connection, review_id: str) -> Review | None:
    """Return one review."""
    return next(iter(_reviews(tx, T.review.c.id == review_id)), None)


def reviews_by(tx: Connection, reviewer_id: str) -> list[Review]:
    """Return what a person is asked to review."""
    return _reviews(tx, T.review.c.reviewer_id == reviewer_id)


def declared(tx: Connection, call_id: str) -> frozenset[tuple[str, str]]:
    """Return the conflicts that reviewers of a call declared, as pairs of application and person."""
    joined = T.conflict.join(T.application, T.application.c.id == T.conflict.c.application_id)
    columns = sa.select(T.conflict.c.application_id, T.conflict.c.person_id).select_from(joined)
    rows = tx.execute(columns.where(T.application.c.call_id == call_id))
    return frozenset((row.application_id, row.person_id) for row in rows)


def party(tx: Connection, person_id: str) -> Party:
    """Return what conflicts are judged on, as it is now."""
    return _party(person_id, people.by_id(tx, person_id))


def _party(person_id: str, found: Person | None) -> Party:
    # Somebody who is unknown now (erased, say) has no address and no affiliation to conflict by.
    return Party(person_id, found.email, found.affiliation) if found else Party(person_id, "", "")


def sides(tx: Connection, call_id: str) -> dict[str, Side]:
    """Return the people of each submitted, living application of a call."""
    gone = {ApplicationState.WITHDRAWN, ApplicationState.DRAFT}
    found = [each for each in applications(tx, call_id) if each.submitted and each.state not in gone]
    known = people.persons(tx)
    return {
        each.id: Side(
            each.id, _party(each.person, known.get(each.person)), each.submitted.draft.team if each.submitted else ()
        )
        for each in found
    }


def decision(tx: Connection, application_id: str) -> Decision | None:
    """Return the decision on an application."""
    row = tx.execute(sa.select(T.decision).where(T.decision.c.application_id == application_id)).first()
    return _decision(row) if row else None


def last_refusal(tx: Connection, person_id: str) -> Decision | None:
    """Return the refusal that asks a person to wait longest."""
    joined = T.decision.join(T.application, T.application.c.id == T.decision.c.application_id)
    where = (T.application.c.person_id == person_id) & (T.decision.c.outcome == Outcome.REFUSED.value)
    chosen = sa.select(T.decision).select_from(joined).where(where).order_by(T.decision.c.reapply_from.desc())
    row = tx.execute(chosen.limit(1)).first()
    return _decision(row) if row else None


def allocation(tx: Connection, call_id: str) -> Json:
    """Return a call's allocation as it was fixed, or None."""
    return tx.execute(sa.select(T.allocation.c.result).where(T.allocation.c.call_id == call_id)).scalar()


def award(tx: Connection, award_id: str) -> Award | None:
    """Return one award."""
    return next(iter(_awards(tx, T.award.c.id == award_id)), None)


def awards(tx: Connection, call_id: str) -> list[Award]:
    """Return a call's awards."""
    return _awards(tx, T.award.c.call_id == call_id)


def awards_of(tx: Connection, person_id: str) -> list[Award]:
    """Return a person's awards."""
    return _awards(tx, T.award.c.person_id == person_id)


def postings(tx: Connection, call_id: str) -> list[Posting]:
    """Return the movements of a call's budget, in order."""
    where = T.posting.c.call_id == call_id
    rows = tx.execute(sa.select(T.posting).where(where).order_by(T.posting.c.number))
    return [Posting(row.unit, row.amount, Cause(row.cause), row.award_id) for row in rows]


def budget(tx: Connection, call_id: str) -> dict[str, Balance]:
    """Return where each unit of a call's budget is now."""
    return dict(balances(postings(tx, call_id)))


def _call(row: Row[Any]) -> Call:
    return Call(
        id=row.id,
        state=CallState(row.state),
        file=call_file.parse_stored(row.file),
        digest=row.digest,
        seed_commitment=row.seed_commitment,
        opened_at=row.opened_at,
        opened_by=row.opened_by,
        closed_at=row.closed_at,
    )


def _applications(tx: Connection, where: sa.ColumnElement[bool]) -> list[Application]:
    rows = tx.execute(sa.select(T.application).where(where).order_by(T.application.c.id)).all()
    latest = _latest(tx, [row.id for row in rows])
    return [_application(row, latest.get(row.id)) for row in rows]


def _latest(tx: Connection, ids: Collection[str]) -> dict[str, Version]:
    found: dict[str, Version] = {}
    chosen = sa.select(T.version).where(T.version.c.application_id.in_(ids)).order_by(T.version.c.number)
    for row in tx.execute(chosen):
        found[row.application_id] = _version(row)
    return found


def _application(row: Row[Any], submitted: Version | None) -> Application:
    return Application(
        id=row.id,
        call=row.call_id,
        person=row.person_id,
        state=ApplicationState(row.state),
        draft=_draft(row.draft),
        submitted=submitted,
        note=row.note,
        correct_until=row.correct_until,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _version(row: Row[Any]) -> Version:
    return Version(row.number, _draft(row.draft), row.salt, row.commitment, row.submitted_at)


def _draft(raw: Json) -> Draft:
    return Draft(raw["answers"], raw["passes"], raw["tier"], tuple(raw["team"]))


def _reviews(tx: Connection, where: sa.ColumnElement[bool]) -> list[Review]:
    rows: Sequence[Row[Any]] = tx.execute(sa.select(T.review).where(where).order_by(T.review.c.id)).all()
    return [
        Review(
            id=row.id,
            call=row.call_id,
            application=row.application_id,
            reviewer=row.reviewer_id,
            state=ReviewState(row.state),
            judgement=judgement(row.judgement) if row.judgement else None,
            submitted_at=row.submitted_at,
        )
        for row in rows
    ]


def judgement(raw: Json) -> Judgement:
    """Read a judgement back from its JSON."""
    return Judgement(raw["scores"], raw["comment"], Risk(raw["risk"]), raw["risk_reason"])


def _decision(row: Row[Any]) -> Decision:
    return Decision(
        application=row.application_id,
        outcome=Outcome(row.outcome),
        reason=Reason(row.reason),
        text=row.text,
        differ=row.differ,
        reapply_from=row.reapply_from,
        appeal=row.appeal,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        sheet=row.sheet,
    )


def _awards(tx: Connection, where: sa.ColumnElement[bool]) -> list[Award]:
    rows = tx.execute(sa.select(T.award).where(where).order_by(T.award.c.id)).all()
    return [
        Award(
            id=row.id,
            call=row.call_id,
            application=row.application_id,
            person=row.person_id,
            state=AwardState(row.state),
            stage=row.stage,
            tier=row.tier,
            amounts=Amounts(row.passes, row.tokens, row.calls),
            days=row.days,
            terms=row.terms,
            accept_by=row.accept_by,
            made_at=row.made_at,
            settled_at=row.settled_at,
        )
        for row in rows
    ]
