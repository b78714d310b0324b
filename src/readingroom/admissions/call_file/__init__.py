"""Reading a call file. Every problem is named by line and column, all in one run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from readingroom.admissions.call import BY_PERSON, REQUIRED_QUESTIONS, CallFile, Scoring
from readingroom.admissions.call_file import after, dividing
from readingroom.admissions.call_file.basics import amounts, limits, window
from readingroom.admissions.call_file.fields import MAX_DAYS, distinct, once
from readingroom.admissions.call_file.form import question
from readingroom.admissions.call_file.review import reviewing
from readingroom.core import document
from readingroom.core.document import Node

_REQUIRED = ("title", "purpose", "stage", "tiers", "budget", "window", "award", "appeal_reserve", "form", "allocation",
             "terms")  # fmt: skip


_OPTIONAL = ("review", "reapply_after_days", "quotas", "draw", *after.KEYS)


def parse(text: str | bytes, name: str = "call.yaml") -> CallFile:
    """Read a call file.

    Raises:
        BadInput: with every problem found, each at `file:line:column`.
    """
    return from_node(document.read(text, name))


@lru_cache(maxsize=64)
def parse_stored(text: str) -> CallFile:
    """Read a call file that was accepted when its call opened; a call's text never changes, so it is kept."""
    return parse(text)


def from_node(root: Node) -> CallFile:
    """Turn a document into a call; see `parse`."""
    fields = root.fields(_REQUIRED, _OPTIONAL)
    # Whatever is there is read, so that one run shows every problem; what is missing was noted above.
    read = {each: _READERS.get(each, Node.text)(node) for each, node in fields.items()}
    scoring = dividing.scoring(fields["allocation"]) if "allocation" in fields else Scoring()
    follows = after.after(fields, read)
    root.document.finish()
    made = CallFile(
        title=read["title"],
        purpose=read["purpose"],
        stage=read["stage"],
        tiers=read["tiers"],
        budget=read["budget"],
        window=read["window"],
        limits=read["award"],
        reserve=read["appeal_reserve"],
        form=read["form"],
        reviewing=read.get("review"),
        policy=read["allocation"],
        terms=read["terms"],
        reapply_after_days=read.get("reapply_after_days", 0),
        scoring=scoring,
        quotas=read.get("quotas", ()),
        draw=read.get("draw"),
        after=follows,
    )
    _agree(made, fields)  # only now: what follows from a wrong field would distract
    root.document.finish()
    return made


def _agree(made: CallFile, fields: Mapping[str, Node]) -> None:
    """Check what no field can say alone."""
    awardable = made.budget.passes - made.reserve
    if awardable < made.limits.minimum:
        what = f"the budget less the reserve ({awardable} passes) does not reach one minimum award"
        fields["budget"].problem(what, "Raise the budget, or lower the reserve or the minimum")
    for unit, amount in made.amounts(made.limits.minimum).units().items():
        if amount < 1:
            what = f"a minimum award would hold no {unit}"
            fields["budget"].problem(what, f"{unit} follow passes in proportion; raise them or award.minimum")
    for name in REQUIRED_QUESTIONS:
        if not any(each.name == name and each.required for each in made.form):
            cure = f"Add '- {{name: {name}, type: text, words: 200, label: ...}}'"
            fields["form"].problem(f"the form does not ask {name!r}, as every call must", cure)
    once(fields["form"], [each.name for each in made.form], "question")
    if made.competitive and made.reviewing is None:
        fields["allocation"].problem("a competition needs reviews", f"Add 'review:', or write 'policy: {BY_PERSON}'")
    dividing.agree(made, fields)


_READERS: Mapping[str, Callable[[Node], Any]] = {  # the rest is plain text
    "tiers": distinct,
    "budget": amounts,
    "window": window,
    "award": limits,
    "appeal_reserve": Node.integer,
    "form": lambda node: tuple(question(each) for each in node.items()),
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
