"""Reading a call file. Every problem is named by line and column, all in one run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from readingroom.admissions.call import BY_PERSON, CallFile, Eligibility, Round, Sift, Window
from readingroom.admissions.call_file import after, dividing
from readingroom.admissions.call_file.basics import amounts, limits, rounds, window
from readingroom.admissions.call_file.fields import MAX_DAYS, distinct, once
from readingroom.admissions.call_file.form import agree, guarantor, question
from readingroom.admissions.call_file.review import reviewing
from readingroom.admissions.call_file.running import duration, eligibility, expectation, sift
from readingroom.admissions.call_file.warnings import warnings
from readingroom.admissions.dividing import Scoring
from readingroom.admissions.form import Guarantor
from readingroom.core import document
from readingroom.core.document import Node
from readingroom.core.errors import Problem

_REQUIRED = ("title", "purpose", "stage", "tiers", "budget", "award", "appeal_reserve", "form", "allocation",
             "terms")  # fmt: skip


_OPTIONAL = ("window", "rounds", "review", "reapply_after_days", "eligibility", "sift", "expects", "decide_within",
             "distributed", "guarantor", "quotas", "draw", *after.KEYS)  # fmt: skip


def parse(text: str | bytes, name: str = "call.yaml") -> CallFile:
    """Read a call file.

    Raises:
        BadInput: with every problem found, each at `file:line:column`.
    """
    return from_node(document.read(text, name))


@dataclass(frozen=True)
class Checked:
    """A call file that can be opened.

    Attributes:
        warnings: what can be opened but is seldom meant.
        fields: its top-level fields, to say where something stands.
    """

    file: CallFile
    warnings: tuple[Problem, ...]
    fields: Mapping[str, Node]

    def where(self, name: str) -> str:
        """Return the place of a field as `file:line:column`."""
        return self.fields[name].where


def check(text: str | bytes, name: str = "call.yaml") -> Checked:
    """Read a call file, and say also what in it is allowed but seldom meant.

    Raises:
        BadInput: with every problem found, each at `file:line:column`.
    """
    made, fields = _read(document.read(text, name))
    return Checked(made, tuple(warnings(made, fields)), fields)


@lru_cache(maxsize=64)
def parse_stored(text: str, part: int = 0) -> CallFile:
    """Read one part of a call file that was accepted when it was opened; its text never changes, so it is kept."""
    return parse_part(text, part)


def parse_part(text: str, part: int, name: str = "call.yaml") -> CallFile:
    """Read one part of a call file that was accepted when it was opened.

    Raises:
        BadInput: it is no call file.
        IndexError: it has no such part.
    """
    return from_node(document.read(text, name), opening=False).parts[part]


def from_node(root: Node, *, opening: bool = True) -> CallFile:
    """Turn a document into a call; see `parse`. What was opened before is not held to what is asked of new calls."""
    return _read(root, opening=opening)[0]


def _read(root: Node, *, opening: bool = True) -> tuple[CallFile, Mapping[str, Node]]:
    fields = root.fields(_REQUIRED, _OPTIONAL)
    if not root.is_mapping():
        root.document.finish()
    if not {"window", "rounds"} & set(fields):
        root.problem("the document lacks 'window'", "Add 'window: ...', or 'rounds: ...'")
    elif {"window", "rounds"} <= set(fields):
        fields["rounds"].problem("a call has a window or rounds, not both", "Remove one of the two")
    # Whatever is there is read, so that one run shows every problem; what is missing was noted above.
    read = {each: _READERS.get(each, Node.text)(node) for each, node in fields.items()}
    scoring = dividing.scoring(fields["allocation"]) if "allocation" in fields else Scoring()
    follows = dividing.with_tranches(read.get("allocation"), after.after(fields, read), fields)
    root.document.finish()
    made = CallFile(
        title=read["title"],
        purpose=read["purpose"],
        stage=read["stage"],
        tiers=read["tiers"],
        budget=read["budget"],
        window=read["window"] if "window" in read else _span(read["rounds"]),
        limits=read["award"],
        reserve=read["appeal_reserve"],
        form=read["form"],
        reviewing=read.get("review"),
        policy=read["allocation"],
        terms=read["terms"],
        reapply_after_days=read.get("reapply_after_days", 0),
        eligibility=read.get("eligibility", Eligibility()),
        sift=read.get("sift"),
        expects=read.get("expects"),
        decide_within=read.get("decide_within"),
        rounds=read.get("rounds", ()),
        distributed=read.get("distributed", False),
        scoring=scoring,
        quotas=read.get("quotas", ()),
        draw=read.get("draw"),
        after=follows,
        guarantor=read.get("guarantor", Guarantor.NONE),
    )
    _agree(made, fields, opening=opening)  # only now: what follows from a wrong field would distract
    _parts_agree(made, fields)
    root.document.finish()
    return made, fields


def _span(rounds: tuple[Round, ...]) -> Window:
    """Return the window from the first round's opening to the last one's end."""
    early = all(each.window.may_close_early for each in rounds)
    return Window(rounds[0].window.opens, rounds[-1].window.closes, early)


def _agree(made: CallFile, fields: Mapping[str, Node], *, opening: bool) -> None:
    """Check what no field can say alone."""
    awardable = made.budget.passes - made.reserve
    if awardable < made.limits.minimum:
        what = f"the budget less the reserve ({awardable} passes) does not reach one minimum award"
        fields["budget"].problem(what, "Raise the budget, or lower the reserve or the minimum")
    for tier, bounds in made.limits.tiers.items():
        if awardable < bounds.minimum <= made.limits.maximum and awardable >= made.limits.minimum:
            what = f"the budget less the reserve ({awardable} passes) does not reach one minimum award of {tier!r}"
            fields["award"].problem(what, "Lower this tier's minimum, or raise the budget")
    for unit, amount in made.amounts(made.limits.minimum).units().items():
        if amount < 1:
            what = f"a minimum award would hold no {unit}"
            fields["budget"].problem(what, f"{unit} follow passes in proportion; raise them or award.minimum")
    agree(fields["form"], made.form, opening=opening)
    once(fields["form"], [each.name for each in made.form], "question")
    if made.competitive and made.reviewing is None:
        fields["allocation"].problem("a competition needs reviews", f"Add 'review:', or write 'policy: {BY_PERSON}'")
    dividing.agree(made, fields)


def _parts_agree(made: CallFile, fields: Mapping[str, Node]) -> None:
    """Check rounds, halves, the sift and the standing window against the rest of the call."""
    total = sum(each.passes for each in made.rounds)
    if made.rounds and total != made.budget.passes:
        what = f"the rounds' passes add up to {total}, and the call's are {made.budget.passes}"
        fields["rounds"].problem(what, "Make them equal: what is in no round could never be awarded")
        return
    if made.distributed and (made.rounds or not made.competitive or made.window.standing):
        what = "distributed review needs a competition with one window"
        fields["distributed"].problem(what, "Remove 'distributed', or the rounds, or the standing window")
        return
    for each in made.parts if len(made.parts) > 1 else ():
        if each.budget.passes - each.reserve < made.limits.minimum:
            what = f"{each.part!r} has {each.budget.passes - each.reserve} passes, fewer than one minimum award"
            fields["rounds" if made.rounds else "distributed"].problem(what, "Raise the budget or lower the minimum")
    if made.window.standing and made.competitive:
        cure = f"Give the window an end, or write 'policy: {BY_PERSON}'"
        fields["window"].problem("a competition is judged together, so it needs an end", cure)
    if made.decide_within and made.competitive:
        fields["decide_within"].problem("a published rule decides here, and no person", "Remove 'decide_within'")
    for tier in made.limits.tiers:
        if tier not in made.tiers:
            fields["award"].problem(f"the tier {tier!r} is not on offer", f"On offer: {', '.join(made.tiers)}")
    if made.sift:
        _sift_agrees(made, made.sift, fields["sift"])


def _sift_agrees(made: CallFile, asked: Sift, node: Node) -> None:
    if made.reviewing is None:
        node.problem("a sift needs criteria", "Add 'review:', or remove 'sift'")
        return
    known = [each.name for each in made.reviewing.criteria]
    if asked.criterion not in known:
        node.problem(f"{asked.criterion!r} is no criterion of this call", f"Criteria: {', '.join(known)}")
    if not made.reviewing.low < asked.line <= made.reviewing.high:
        what = f"a line of {float(asked.line):g} is not on the scale"
        node.problem(what, f"Write a number above {made.reviewing.low}, up to {made.reviewing.high}")


_READERS: Mapping[str, Callable[[Node], Any]] = {  # the rest is plain text
    "tiers": distinct,
    "budget": amounts,
    "window": window,
    "rounds": rounds,
    "eligibility": eligibility,
    "sift": sift,
    "expects": expectation,
    "decide_within": duration,
    "distributed": Node.flag,
    "award": limits,
    "appeal_reserve": Node.integer,
    "form": lambda node: tuple(question(each) for each in node.items()),
    "guarantor": guarantor,
    "review": reviewing,
    "allocation": dividing.policy,
    "quotas": dividing.quotas,
    "draw": dividing.draw,
    "reapply_after_days": lambda node: node.integer(0, MAX_DAYS),
    "kind": after.kind,
    "tranches": after.tranches,
    "supplements": after.supplements,
    "second_chance": Node.flag,
    "appeals": after.appeals,
}
