"""Reading a release plan: strategy's parser, told which suites and which rule sets exist here."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from readingroom.access.checks import InForce
from readingroom.core.document import read, read_file
from readingroom.core.errors import BadInput
from readingroom.releases.model import AdoptedPlan
from readingroom.strategy.model import Plan, Stage, StageFact
from readingroom.strategy.parse import parse
from readingroom.stress.suites import known


def parse_plan(text: str, name: str) -> Plan:
    """Read a release plan, with the suites that exist here. Needs no house."""
    return parse(read(text, name), known())


def parse_plan_file(path: Path) -> Plan:
    """Read a release plan from a file. Needs no house."""
    return parse(read_file(path), known())


class RuleFiles:
    """The rule sets of one house, as a plan and its stages see them."""

    def __init__(self, home: Path) -> None:
        """Take the folder that rule sets are named from."""
        self._home = home

    def parse_plan(self, text: str, name: str) -> Plan:
        """Read a release plan; a rule set that it names must be there, and be good."""
        return parse(read(text, name), known(), self._problem)

    def screens(self, stage: Stage) -> str:
        """Return the digest of a stage's rule sets, as the gateway forms it of those that it loads.

        Raises:
            BadInput: one of them cannot be used.
        """
        from readingroom.gateway.screening.load import load_sets, sets_digest  # half of a command's start

        return sets_digest(load_sets(self._home, stage.screening))

    def weights(self, stages: Sequence[StageFact]) -> dict[tuple[str, str], tuple[str, str]]:
        """Return severity and clause of each `(stage, rule)`; a rule set that cannot be read has none."""
        from readingroom.gateway.screening.load import load_sets

        found: dict[tuple[str, str], tuple[str, str]] = {}
        for stage in stages:
            with contextlib.suppress(BadInput):
                for each in load_sets(self._home, stage.screening):
                    found |= {(stage.name, rule.id): (rule.severity.value, rule.clause) for rule in each.rules}
        return found

    def in_force(self, adopted: AdoptedPlan | None) -> InForce:
        """Return what the clauses of terms can rest on: the plan, and each stage's rules that stop, by clause."""
        from readingroom.gateway.screening.load import load_sets
        from readingroom.gateway.screening.model import Action

        plan = adopted.plan if adopted else None
        rules: dict[str, dict[str, tuple[str, ...]]] = {}
        for stage in plan.stages if plan else ():
            by_clause = rules.setdefault(stage.name, {})
            with contextlib.suppress(BadInput):
                for rule in (rule for each in load_sets(self._home, stage.screening) for rule in each.rules):
                    if rule.action is Action.FLAG:
                        continue  # it notes a match, and stops nothing
                    by_clause[rule.clause] = (*by_clause.get(rule.clause, ()), rule.id)
        return InForce(plan, rules)

    def _problem(self, name: str) -> str:
        from readingroom.gateway.screening.load import problems_in

        bad = problems_in(self._home / name)
        return str(bad.problems[0]) if bad else ""
