"""The closed registry of checks that a clause of the terms can name, and whether the plan in force has them. Pure.

A new check is one entry here: its name, what it does in words, and a function that says, of the plan in force, where
it holds for a clause, or why it does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from readingroom.core.canonical import Json
from readingroom.strategy.model import Channel, Plan, Stage


@dataclass(frozen=True, slots=True)
class InForce:
    """What the checks are looked up in.

    Attributes:
        plan: in force; None where none is.
        rules: of each stage, the screening rules by the clause that they say they enforce.
    """

    plan: Plan | None
    rules: Mapping[str, Mapping[str, tuple[str, ...]]]

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that are read over the API."""
        return tuple(each for each in self.plan.stages if each.channel is Channel.API) if self.plan else ()


@dataclass(frozen=True, slots=True)
class Found:
    """What a check says of a clause: where it holds, or why it is not there."""

    holds: bool
    where: str


Look = Callable[[InForce, str], Found]


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name in terms, what it does, and how to find it."""

    name: str
    says: str
    look: Look


def _built_in(where: str) -> Look:
    return lambda _in_force, _clause: Found(holds=True, where=where)


def _of_stages(lacking: Callable[[Stage, InForce, str], str], holds: str) -> Look:
    """Look at every API stage; the check holds where none lacks it."""

    def look(in_force: InForce, clause: str) -> Found:
        if not in_force.stages:
            return Found(holds=False, where="no plan with an API stage is in force")
        lacks = [f"{each.name}: {why}" for each in in_force.stages if (why := lacking(each, in_force, clause))]
        names = ", ".join(each.name for each in in_force.stages)
        return Found(holds=not lacks, where="; ".join(lacks) if lacks else f"{holds} ({names})")

    return look


_NO_RULE = 'no screening rule of {} that stops anything says `clause: "{}"`; one that only flags enforces nothing'


def _screening(in_force: InForce, clause: str) -> Found:
    if not in_force.stages:
        return Found(holds=False, where="no plan with an API stage is in force")
    ruled = {each.name: in_force.rules.get(each.name, {}).get(clause, ()) for each in in_force.stages}
    lacks = [name for name, rules in ruled.items() if not rules]
    if lacks:
        return Found(holds=False, where=_NO_RULE.format(", ".join(lacks), clause))
    return Found(holds=True, where="; ".join(f"{name}: {', '.join(rules)}" for name, rules in ruled.items()))


def _unpaced(stage: Stage, _in_force: InForce, _clause: str) -> str:
    free = [name for name, tier in stage.tiers.items() if not tier.pace.canonical()]
    return f"no limit in the tier {', '.join(free)}" if free else ""


def _unkept(stage: Stage, _in_force: InForce, _clause: str) -> str:
    return "" if stage.retention else "no `retention:`, so nothing is kept"


def _keeps(stage: Stage, _in_force: InForce, _clause: str) -> str:
    return f"`retention:` keeps texts for {stage.retention.days} days" if stage.retention else ""


def _untiered(stage: Stage, _in_force: InForce, _clause: str) -> str:
    return "" if stage.tiers else "no tiers"


def _unenrolled(_in_force: InForce, _clause: str) -> Found:
    return Found(holds=False, where="no machine is enrolled or asked for yet")


CHECKS: dict[str, Check] = {
    each.name: each
    for each in (
        Check("screening", "a rule of the screens that names this clause", _screening),
        Check("allocation", "the meter: never more than was awarded", _built_in("every grant has a meter")),
        Check("expiry", "keys are refused after the grant's last day", _built_in("every grant has an end")),
        Check(
            "membership", "keys of members alone, each their own", _built_in("every key is a member's of the project")
        ),
        Check("acceptance", "keys pause until the terms are accepted", _built_in("the entitlement function")),
        Check("sanctions", "warn, throttle, suspend, revoke, bar", _built_in("the entitlement function")),
        Check("receipts", "every answer leaves a receipt in the ledger", _built_in("the gateway")),
        Check("egress-tier", "no more of the distribution than the tier", _of_stages(_untiered, "tiers")),
        Check("rate-limits", "so many requests or tokens a minute", _of_stages(_unpaced, "every tier is paced")),
        Check("retention", "prompts and answers are kept for so long", _of_stages(_unkept, "kept as the plan says")),
        Check("no-retention", "no prompt and no answer is kept", _of_stages(_keeps, "nothing is kept")),
        Check("machine", "keys work from enrolled machines alone", _unenrolled),
    )
}
NAMES = tuple(CHECKS)


@dataclass(frozen=True, slots=True)
class Link:
    """One line of the map from clauses to their enforcement."""

    clause: str
    text: str
    check: str  # empty where it is unenforced
    says: str
    holds: bool
    where: str

    def to_json(self) -> dict[str, Json]:
        """Return it as JSON."""
        return {
            "clause": self.clause,
            "text": self.text,
            "check": self.check or None,
            "says": self.says,
            "holds": self.holds,
            "where": self.where,
        }
