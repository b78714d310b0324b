"""How applications are reviewed."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from readingroom.admissions.call import (
    Criterion,
    Reviewing,
)
from readingroom.admissions.call_file.fields import (
    once,
)
from readingroom.core.document import Node


def reviewing(node: Node) -> Reviewing | None:
    """Read how applications are reviewed; None where it lacks what it needs."""
    fields = node.fields(["per_application", "scale", "criteria", "floor"], ["misuse_vetoes"])
    if len(fields.keys() & {"per_application", "scale", "criteria", "floor"}) < 4:  # noqa: PLR2004 - all of them
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
    vetoes = fields["misuse_vetoes"].integer(1, per_application) if "misuse_vetoes" in fields else 1
    return Reviewing(per_application, anchors, criteria, floor, vetoes)


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
