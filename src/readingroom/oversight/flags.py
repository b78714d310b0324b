"""What screening found, for those who review it: counts per grant and rule, never a text. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

UNKNOWN = ("unknown", "")  # of a rule that its stage no longer has
_WEIGHTS = ("high", "medium", "low", "unknown")


@dataclass(slots=True)
class Flag:
    """One rule's findings under one grant.

    Attributes:
        severity: as the rule set says that its stage has now.
        clause: of the terms; likewise.
        flagged: matches that only flag, at both sides.
        refused: requests turned away at the entrance.
        stopped: answers that the rule refused or cut at the exit.
        failed: times that its judge gave no verdict.
        calls: records in which it stands.
        last: when it was found last, as RFC 3339.
    """

    grant: str
    stage: str
    rule: str
    severity: str
    clause: str
    flagged: int = 0
    refused: int = 0
    stopped: int = 0
    failed: int = 0
    calls: int = 0
    last: str = ""


def fold(records: Iterable[tuple[str, Any]], weights: Mapping[tuple[str, str], tuple[str, str]]) -> list[Flag]:
    """Add up usage records; the gravest and most frequent first.

    Args:
        records: `(grant, record)`.
        weights: `(severity, clause)` of each `(stage, rule)`.
    """
    found: dict[tuple[str, str, str], Flag] = {}
    for grant, record in records:
        screened = record.get("screened") or {}
        entrance, leaving = screened.get("entrance") or {}, screened.get("exit") or {}
        flags = [record.get("flagged_entrance") or {}, record.get("flagged_exit") or {}]
        failures = [each.get("failed") or {} for each in (entrance, leaving)]
        stops = [each.get("stopped_by") for each in (entrance, leaving)]
        for rule in dict.fromkeys(rule for each in (*flags, *failures, [s for s in stops if s]) for rule in each):
            stage = str(record.get("stage", ""))
            flag = found.setdefault(
                (grant, stage, rule), Flag(grant, stage, rule, *weights.get((stage, rule), UNKNOWN))
            )
            failed = sum(int(each.get(rule, 0)) for each in failures)
            flag.flagged += sum(int(each.get(rule, 0)) for each in flags)
            flag.refused += entrance.get("stopped_by") == rule and entrance.get("action") != "failed"
            flag.stopped += leaving.get("stopped_by") == rule and leaving.get("action") != "failed"
            flag.failed += failed
            flag.calls += 1
            flag.last = max(flag.last, str(record.get("at", "")))
    return _gravest_first(list(found.values()))


def _gravest_first(flags: Sequence[Flag]) -> list[Flag]:
    def order(flag: Flag) -> tuple[object, ...]:
        return _WEIGHTS.index(flag.severity), -(flag.flagged + flag.refused + flag.stopped), flag.grant, flag.rule

    return sorted(flags, key=order)
