"""Facts of use and of test runs, for the rooms that may not look to their left (`strategy.facts.StageHistory`)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from readingroom.access import queries as access
from readingroom.gateway import queries as gateway
from readingroom.strategy.facts import RunsFact, UseFact
from readingroom.stress import queries as stress


class History:
    """Reads what stages have seen and how often claims were tested."""

    def use(self, tx: Any, stage: str, intervals: tuple[tuple[datetime, datetime], ...]) -> UseFact | None:  # noqa: ANN401 - opaque in the protocol
        """Return passes and readers of a stage within its open times.

        Incidents have no room yet, so their number stays unknown and whatever rests on it stays inconclusive.
        """
        grants = {each.id: each.holder for each in access.grants(tx) if each.stage == stage}
        passes, used = gateway.passes_within(tx, frozenset(grants), intervals)
        return UseFact(passes=passes, readers=len({grants[grant] for grant in used}))

    def runs(self, tx: Any, model_digest: str, claim: str, gate_version: str) -> RunsFact | None:  # noqa: ANN401 - opaque in the protocol
        """Return how often the suite of a claim was run; what started and did not finish counts as abandoned."""
        suite = claim.partition("/")[0]
        started, finished = stress.tally(tx, model_digest, suite, gate_version)
        return RunsFact(started=started, finished=finished, abandoned=started - finished)
