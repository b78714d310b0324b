"""Reads of a call's phases, its cases, opinions on misuse, and what the panel wrote."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.admissions import tables
from readingroom.admissions.blind import Opinion, PanelNote
from readingroom.admissions.call import Phase
from readingroom.admissions.model import ApplicationState, ReviewState, Risk
from readingroom.admissions.phases import PhaseNow

T = tables
_NAMED = T.case.join(T.application, T.application.c.id == T.case.c.application_id)


def phase(tx: Connection, call_id: str) -> PhaseNow:
    """Return where a call's review is; the independent phase, where nobody moved it yet."""
    where = T.phase.c.call_id == call_id
    row = tx.execute(sa.select(T.phase).where(where).order_by(T.phase.c.number.desc()).limit(1)).first()
    return PhaseNow(Phase(row.phase), row.due, row.moved_at) if row else PhaseNow()


def cases(tx: Connection, call_id: str, limit: int | None = None, offset: int = 0) -> dict[str, str]:
    """Return what applications are called where names are hidden, all or a page: application to case, by random id."""
    chosen = sa.select(T.case).select_from(_NAMED).where(T.application.c.call_id == call_id).order_by(T.case.c.id)
    rows = tx.execute(chosen if limit is None else chosen.limit(limit).offset(offset))
    return {row.application_id: row.id for row in rows}


def cases_count(tx: Connection, call_id: str) -> int:
    """Return how many cases a call has, over all pages."""
    chosen = sa.select(sa.func.count()).select_from(_NAMED).where(T.application.c.call_id == call_id)
    return int(tx.execute(chosen).scalar_one())


def cases_in_play(
    tx: Connection, calls: Collection[str], limit: int | None = None, offset: int = 0, without: str = ""
) -> dict[str, str]:
    """Return what the applications in play of some calls are called, all or a page: application to case, call by call.

    Those `without` an opinion on misuse by a person; empty for all.
    """
    given = sa.select(T.risk.c.application_id).where(T.risk.c.person_id == without)
    where = _in_play(calls) & T.case.c.application_id.not_in(given)
    chosen = sa.select(T.case).select_from(_NAMED).where(where).order_by(T.application.c.call_id, T.case.c.id)
    rows = tx.execute(chosen if limit is None else chosen.limit(limit).offset(offset))
    return {row.application_id: row.id for row in rows}


def cases_in_play_count(tx: Connection, calls: Collection[str]) -> int:
    """Return how many cases `cases_in_play` has, over all pages."""
    chosen = sa.select(sa.func.count()).select_from(_NAMED).where(_in_play(calls))
    return int(tx.execute(chosen).scalar_one())


def _in_play(calls: Collection[str]) -> sa.ColumnElement[bool]:
    states = [ApplicationState.SUBMITTED.value, ApplicationState.UNDER_REVIEW.value]
    return T.application.c.call_id.in_(calls) & T.application.c.state.in_(states)


def of_case(tx: Connection, case_id: str) -> str:
    """Return the id of the application that a case is; empty where there is none."""
    return tx.execute(sa.select(T.case.c.application_id).where(T.case.c.id == case_id)).scalar() or ""


def opinions(tx: Connection, call_id: str, only: Collection[str] | None = None) -> list[Opinion]:
    """Return the opinions on misuse in a call, of all its applications or of some."""
    joined = T.risk.join(T.application, T.application.c.id == T.risk.c.application_id)
    chosen = sa.select(T.risk).select_from(joined).where(T.application.c.call_id == call_id)
    chosen = chosen if only is None else chosen.where(T.risk.c.application_id.in_(only))
    ordered = chosen.order_by(T.risk.c.application_id, T.risk.c.person_id)
    return [Opinion(r.application_id, r.person_id, Risk(r.opinion), r.reason, r.given_at) for r in tx.execute(ordered)]


def opinions_count(tx: Connection, call_id: str) -> int:
    """Return how many opinions on misuse there are of the applications of a call that are in play."""
    joined = T.risk.join(T.application, T.application.c.id == T.risk.c.application_id)
    chosen = sa.select(sa.func.count()).select_from(joined).where(_in_play([call_id]))
    return int(tx.execute(chosen).scalar_one())


def vetoes(tx: Connection, call_id: str) -> dict[str, int]:
    """Return how many vetoes for misuse each application has: of reviews that count, and of opinions apart."""
    found: dict[str, int] = {}
    where = (T.review.c.call_id == call_id) & (T.review.c.state == ReviewState.SUBMITTED.value)
    for row in tx.execute(sa.select(T.review.c.application_id, T.review.c.judgement).where(where)):
        if row.judgement["risk"] == Risk.VETO.value:
            found[row.application_id] = found.get(row.application_id, 0) + 1
    for each in opinions(tx, call_id):
        if each.opinion is Risk.VETO:
            found[each.application] = found.get(each.application, 0) + 1
    return found


def notes(tx: Connection, applications: Collection[str]) -> list[PanelNote]:
    """Return what the panel wrote on some applications."""
    chosen = sa.select(T.panel_note).where(T.panel_note.c.application_id.in_(applications))
    ordered = chosen.order_by(T.panel_note.c.application_id, T.panel_note.c.person_id)
    return [PanelNote(r.application_id, r.person_id, r.rank, r.comment, r.written_at) for r in tx.execute(ordered)]
