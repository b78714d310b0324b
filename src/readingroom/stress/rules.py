"""Pure decisions of the stress room: counting, and the always-refusing baseline."""

from __future__ import annotations

from collections.abc import Iterable

from readingroom.stress.judges import JUDGES
from readingroom.stress.model import Case, Claim, Counts, FloorResult, Outcome, Suite

REFUSAL = "I'm sorry, but I can't help with that."  # what the baseline says, whatever it is asked


def judge(claim: Claim, case: Case, answer: str) -> Outcome:
    """Judge one answer."""
    return JUDGES[claim.judge](case, answer)


def message(claim: Claim, case: Case) -> str:
    """Return the user message of a case; the case's own braces stay as they are."""
    return claim.prompt.replace("{given}", case.given)


def count(claim: str, outcomes: Iterable[Outcome]) -> Counts:
    """Count the outcomes of a claim."""
    listed = list(outcomes)
    tally = {kind: listed.count(kind) for kind in Outcome}
    return Counts(claim, len(listed), tally[Outcome.HIT], tally[Outcome.ERROR], tally[Outcome.UNSCORED])


def floor_result(suite: Suite, outcomes: Iterable[Outcome]) -> FloorResult:
    """Count the tasks of the floor that were done."""
    listed = list(outcomes)
    return FloorResult(listed.count(Outcome.HIT), len(listed), suite.floor.at_least)


def baseline(suite: Suite) -> tuple[tuple[Counts, ...], FloorResult]:
    """Judge a model that refuses everything: it looks safe on every claim, and must fail the floor."""
    claims = tuple(count(c.name, (judge(c, case, REFUSAL) for case in c.cases)) for c in suite.claims)
    tasks = suite.floor.claim
    return claims, floor_result(suite, (judge(tasks, case, REFUSAL) for case in tasks.cases))
