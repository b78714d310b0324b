"""How an allocation's scores lie around its line, and where lots were drawn: a drawing made from its reason sheets."""

from __future__ import annotations

from collections.abc import Collection

from readingroom.admissions.allocation import Sheet
from readingroom.admissions.call import Reviewing
from readingroom.web import charts


def scores_of(reviewing: Reviewing | None, sheets: Collection[Sheet]) -> charts.Scores | None:
    """Draw the scores of an allocation; None where there is nothing to draw."""
    scored = [(float(each.score), _outcome(each)) for each in sheets if each.score >= 0]
    if reviewing is None or not scored:
        return None
    funded = [score for score, outcome in scored if outcome in {"funded", "drawn"}]
    lots = [float(each.score) for each in sheets if _drawn(each)]
    zone = (min(lots), max(lots)) if lots else None
    return charts.scores(scored, (reviewing.low, reviewing.high), min(funded, default=None), zone)


def _drawn(sheet: Sheet) -> bool:
    return sheet.chance is not None and 0 < sheet.chance < 1


def _outcome(sheet: Sheet) -> str:
    if sheet.rank is None:
        return "aside"
    if sheet.amounts is None:
        return "unfunded"
    return "drawn" if _drawn(sheet) else "funded"
