"""What a call offers: budget, windows and rounds, bounds of an award."""

from __future__ import annotations

from readingroom.admissions.call import UNTIL_CLOSED, Bounds, Limits, Round, Window
from readingroom.admissions.call_file.fields import (
    MAX_AMOUNT,
    MAX_DAYS,
    NO_TIME,
    integer,
    moment,
    once,
)
from readingroom.admissions.model import Amounts
from readingroom.core.document import Node


def amounts(node: Node) -> Amounts:
    """Read an amount in each metered unit."""
    fields = node.fields(["passes"], ["tokens", "calls"])
    read = {unit: fields[unit].integer(1, MAX_AMOUNT) for unit in fields}
    return Amounts(read.get("passes", 1), read.get("tokens"), read.get("calls"))


def window(node: Node) -> Window:
    """Read when applications are taken; a standing window ends when a person closes the call."""
    standing = standing_window(node)
    if standing:
        fields = node.fields(["standing"], ["opens"])
        return Window(moment(fields["opens"]) if "opens" in fields else NO_TIME, UNTIL_CLOSED, may_close_early=True)
    fields = node.fields(["opens", "closes"], ["may_close_early", "standing"])
    opens, closes = moment(fields.get("opens")), moment(fields.get("closes"))
    if NO_TIME not in (opens, closes) and closes <= opens:
        fields["closes"].problem("the window closes before it opens", "Write a later moment")
    return Window(opens, closes, "may_close_early" in fields and fields["may_close_early"].flag())


def standing_window(node: Node) -> bool:
    """Tell whether a window says that it stands open."""
    said = node.plain() if node.is_mapping() else {}
    return isinstance(said, dict) and said.get("standing") is True


def rounds(node: Node) -> tuple[Round, ...]:
    """Read a call's rounds: one after the other, each with its share of the call's passes."""
    read = [_round(each) for each in node.items()]
    if not read:
        node.problem("there are no rounds", "Leave 'rounds' out, or add '- {name: ..., opens: ..., closes: ...}'")
    once(node, [each.name for each in read], "round")
    for before, after, place in zip(read, read[1:], node.items()[1:], strict=False):
        if NO_TIME not in (before.window.closes, after.window.opens) and after.window.opens < before.window.closes:
            place.problem(f"opens before {before.name!r} has closed", "Let one round follow the other")
    return tuple(read)


def _round(node: Node) -> Round:
    fields = node.fields(["name", "opens", "closes", "passes"], ["may_close_early"])
    opens, closes = moment(fields.get("opens")), moment(fields.get("closes"))
    if NO_TIME not in (opens, closes) and closes <= opens:
        fields["closes"].problem("the round closes before it opens", "Write a later moment")
    early = "may_close_early" in fields and fields["may_close_early"].flag()
    name = fields["name"].text() if "name" in fields else ""
    return Round(name, Window(opens, closes, early), integer(fields, "passes", 1))


def limits(node: Node) -> Limits:
    """Read the bounds of one award."""
    fields = node.fields(["minimum", "maximum", "days"], ["accept_within_days", "tiers"])
    minimum, maximum, days = (integer(fields, each, 1) for each in ("minimum", "maximum", "days"))
    if maximum < minimum and {"minimum", "maximum"} <= set(fields):
        fields["maximum"].problem("the maximum is less than the minimum", "Raise it, or lower the minimum")
    own = fields["tiers"].fields([], None) if "tiers" in fields else {}
    tiers = {name: _bounds(each, Bounds(minimum, maximum)) for name, each in own.items()}
    return Limits(minimum, maximum, min(days, MAX_DAYS), integer(fields, "accept_within_days", 14), tiers)


def _bounds(node: Node, whole: Bounds) -> Bounds:
    fields = node.fields([], ["minimum", "maximum"])
    made = Bounds(integer(fields, "minimum", whole.minimum), integer(fields, "maximum", whole.maximum))
    if made.maximum < made.minimum:
        node.problem("the maximum is less than the minimum", "Raise it, or lower the minimum")
    elif made.minimum < whole.minimum or made.maximum > whole.maximum:
        what = f"is not within the call's own bounds, {whole.minimum} to {whole.maximum}"
        node.problem(f"{node.path} {what}", "A tier's bounds can only be closer")
    return made
