"""What a call promises for the time after an award."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from readingroom.admissions.after import After, Appeals, CallKind, Ground, IfShort, Supplements, Tranches
from readingroom.admissions.call_file.fields import MAX_DAYS, distinct
from readingroom.core.document import Node

KEYS = ("of", "kind", "tranches", "supplements", "second_chance", "appeals")
_PERCENT = re.compile(r"([1-9][0-9]{0,2})\s?%")
_MOST = 20  # persons on a panel, and supplements of one grant


def tranches(node: Node) -> Tranches | None:
    """Read in how many parts an award is released."""
    fields = node.fields(["first", "after"])
    if "after" in fields:
        fields["after"].choice(["report"])
    return Tranches(_percent(fields["first"], 99)) if "first" in fields else None


def supplements(node: Node) -> Supplements | None:
    """Read how much more a holder may ask for."""
    fields = node.fields(["at_most"], ["times"])
    times = fields["times"].integer(1, _MOST) if "times" in fields else 1
    return Supplements(_percent(fields["at_most"], 100), times) if "at_most" in fields else None


def appeals(node: Node) -> Appeals:
    """Read how decisions are appealed; what is left out is as in every call."""
    usual = Appeals()
    fields = node.fields([], ["days", "grounds", "panel", "if_short"])
    known = [each.value for each in Ground]
    if "grounds" in fields:
        distinct(fields["grounds"])
        grounds = tuple(Ground(each.choice(known, known[0])) for each in fields["grounds"].items()) or usual.grounds
    else:
        grounds = usual.grounds
    short = usual.if_short
    if "if_short" in fields:
        short = IfShort(fields["if_short"].choice([each.value for each in IfShort], short.value))
    return Appeals(
        days=fields["days"].integer(1, MAX_DAYS) if "days" in fields else usual.days,
        grounds=grounds,
        panel=fields["panel"].integer(1, _MOST) if "panel" in fields else usual.panel,
        if_short=short,
    )


def kind(node: Node) -> CallKind:
    """Read what a child call is to its parent."""
    return CallKind(node.choice([each.value for each in CallKind if each is not CallKind.CALL], CallKind.ROUND.value))


def after(fields: Mapping[str, Node], read: Mapping[str, Any]) -> After:
    """Put what was read together; a child call needs both its parent and its kind."""
    for one, other in (("of", "kind"), ("kind", "of")):
        if one in fields and other not in fields:
            cure = "Name the funding call with 'of: call_...' and what this is to it with 'kind: round'"
            fields[one].problem(f"{one!r} stands without {other!r}", cure)
    given = {key: read[key] for key in KEYS if read.get(key) is not None}
    return After(**given)


def _percent(node: Node, most: int) -> int:
    raw = str(getattr(node.raw, "value", ""))
    found = _PERCENT.fullmatch(raw.strip())
    if found and int(found[1]) <= most:
        return int(found[1])
    node.problem(f"{node.path} must be a share from 1% to {most}%", f"Write it as 50%, not {raw[:20]!r}")
    return most
