"""What a call offers: budget, window, bounds of an award."""

from __future__ import annotations

from readingroom.admissions.call import (
    Limits,
    Window,
)
from readingroom.admissions.call_file.fields import (
    MAX_AMOUNT,
    MAX_DAYS,
    NO_TIME,
    integer,
    moment,
)
from readingroom.admissions.model import Amounts
from readingroom.core.document import Node


def amounts(node: Node) -> Amounts:
    """Read an amount in each metered unit."""
    fields = node.fields(["passes"], ["tokens", "calls"])
    read = {unit: fields[unit].integer(1, MAX_AMOUNT) for unit in fields}
    return Amounts(read.get("passes", 1), read.get("tokens"), read.get("calls"))


def window(node: Node) -> Window:
    """Read when applications are taken."""
    fields = node.fields(["opens", "closes"], ["may_close_early"])
    opens, closes = moment(fields.get("opens")), moment(fields.get("closes"))
    if NO_TIME not in (opens, closes) and closes <= opens:
        fields["closes"].problem("the window closes before it opens", "Write a later moment")
    return Window(opens, closes, "may_close_early" in fields and fields["may_close_early"].flag())


def limits(node: Node) -> Limits:
    """Read the bounds of one award."""
    fields = node.fields(["minimum", "maximum", "days"], ["accept_within_days"])
    minimum, maximum, days = (integer(fields, each, 1) for each in ("minimum", "maximum", "days"))
    if maximum < minimum and {"minimum", "maximum"} <= set(fields):
        fields["maximum"].problem("the maximum is less than the minimum", "Raise it, or lower the minimum")
    return Limits(minimum, maximum, min(days, MAX_DAYS), integer(fields, "accept_within_days", 14))
