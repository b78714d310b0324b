"""How applications are reviewed."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from readingroom.admissions.call import Criterion, Objective, Phase, Reviewing
from readingroom.admissions.call_file.fields import once
from readingroom.admissions.conflicts import FIXED
from readingroom.admissions.model import ConflictKind, Severity
from readingroom.core.document import Node

_REQUIRED = ("per_application", "scale", "criteria", "floor")
_OPTIONAL = ("misuse_vetoes", "load", "objective", "conflicts", "phases", "double_blind", "safety_opinions")
_NOT_APPLIED = "none"


def reviewing(node: Node) -> Reviewing | None:
    """Read how applications are reviewed; None where it lacks what it needs."""
    fields = node.fields(_REQUIRED, _OPTIONAL)
    if not set(_REQUIRED) <= fields.keys():
        return None
    per_application = fields["per_application"].integer(1, 20)
    anchors = _anchors(fields["scale"])
    criteria = tuple(_criterion(each) for each in fields["criteria"].items())
    if not criteria:
        fields["criteria"].problem("there are no criteria", "Add '- {name: merit, question: ..., weight: 1}'")
    once(fields["criteria"], [each.name for each in criteria], "criterion")
    low, high = (min(anchors), max(anchors)) if anchors else (0, 0)
    for each, place in zip(criteria, fields["criteria"].items(), strict=True):
        if each.anchors and (min(each.anchors), max(each.anchors)) != (low, high):
            cure = f"Explain {low} and {high} there too: means over criteria need one scale"
            place.problem(f"the scale of {each.name!r} has other ends than the call's", cure)
    floor = Fraction(str(fields["floor"].number(low, high)))  # decimal as written: 3.3 is 33/10
    opinions = fields["safety_opinions"].integer(0, 5) if "safety_opinions" in fields else 0
    vetoes = fields["misuse_vetoes"].integer(1, per_application + opinions) if "misuse_vetoes" in fields else 1
    objectives = [each.value for each in Objective]
    return Reviewing(
        per_application=per_application,
        anchors=anchors,
        criteria=criteria,
        floor=floor,
        vetoes=vetoes,
        load=fields["load"].integer(1, 1000) if "load" in fields else None,
        objective=Objective(fields["objective"].choice(objectives, "maximin") if "objective" in fields else "maximin"),
        severities=_severities(fields["conflicts"]) if "conflicts" in fields else {},
        phases=_phases(fields["phases"]) if "phases" in fields else (Phase.INDEPENDENT,),
        double_blind="double_blind" in fields and fields["double_blind"].flag(),
        safety_opinions=opinions,
    )


def _severities(node: Node) -> Mapping[ConflictKind, Severity | None]:
    """Read how much each kind of conflict weighs; `none` does not apply it."""
    free = {each.value: each for each in ConflictKind if each not in FIXED}
    words = [*(each.value for each in Severity), _NOT_APPLIED]
    fields = node.fields([], list(free))
    chosen = {free[name]: each.choice(words, _NOT_APPLIED) for name, each in fields.items() if name in free}
    return {kind: None if word == _NOT_APPLIED else Severity(word) for kind, word in chosen.items()}


def _phases(node: Node) -> tuple[Phase, ...]:
    """Read the phases: the independent one, then consolidation, the panel, or both, in this order."""
    words = [each.value for each in Phase]
    found = tuple(Phase(each.choice(words, words[0])) for each in node.items())
    if not found or found != tuple(each for each in Phase if each in found) or found[0] is not Phase.INDEPENDENT:
        cure = "Write [independent], or add consolidation, panel, or both, in this order"
        node.problem("the phases of review are not in their order", cure)
        return (Phase.INDEPENDENT,)
    return found


def _anchors(node: Node) -> Mapping[int, str]:
    anchors: dict[int, str] = {}
    for key, meaning in node.fields([], None).items():
        if key.isascii() and key.isdigit() and len(key) <= 3:  # noqa: PLR2004 - scores up to 999
            anchors[int(key)] = meaning.text()
        else:
            meaning.problem(f"the score {key!r} is no whole number from 0 to 999", "Write it as '1: what it means'")
    if len(anchors) < 2:  # noqa: PLR2004 - a scale has two ends
        node.problem("a scale needs its lowest and its highest score explained", "Add '1: poor' and '5: excellent'")
    return anchors


def _criterion(node: Node) -> Criterion:
    fields = node.fields(["name", "question", "weight"], ["scale"])
    return Criterion(
        name=fields["name"].text() if "name" in fields else "",
        question=fields["question"].text() if "question" in fields else "",
        weight=fields["weight"].integer(1, 1000) if "weight" in fields else 1,
        anchors=_anchors(fields["scale"]) if "scale" in fields else {},
    )
