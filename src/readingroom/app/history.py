"""Facts of use and of test runs, for the rooms that may not look to their left (`strategy.facts.StageHistory`)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from readingroom.access import queries as access
from readingroom.gateway import queries as gateway
from readingroom.strategy.facts import RunsFact, UseFact
from readingroom.stress import queries as stress
from readingroom.stress.suites import shipped


class History:
    """Reads what stages have seen and how often claims were tested."""

    def use(self, tx: Any, stage: str, intervals: tuple[tuple[datetime, datetime], ...]) -> UseFact | None:  # noqa: ANN401 - opaque in the protocol
        """Return passes and readers of a stage within its open times.

        Who got a grant at the lab's own discretion is no reader here: ten friends of the house are no experience.
        Incidents have no room yet, so their number stays unknown and whatever rests on it stays inconclusive.
        """
        made = gateway.passes_within(tx, intervals)
        used = [each for each in access.grants(tx) if each.stage == stage and each.id in made]
        readers = {each.holder for each in used if each.award_id is not None}
        return UseFact(passes=sum(made[each.id] for each in used), readers=len(readers))

    def runs(self, tx: Any, model_digest: str, claim: str) -> RunsFact | None:  # noqa: ANN401 - opaque in the protocol
        """Return how often the suite of a claim was run; what started and did not finish counts as abandoned."""
        suite = shipped().get(claim.partition("/")[0])
        if suite is None:
            return None
        started, finished = stress.tally(tx, model_digest, suite.digest)
        return RunsFact(started, finished, started - finished, suite.digest)
