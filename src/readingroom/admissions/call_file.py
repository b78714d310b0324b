"""Reading a call file, and an application file. Every problem is named by line and column, all in one run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from fractions import Fraction
from functools import lru_cache
from typing import Any

import yaml

from readingroom.admissions.call import (
    BY_PERSON,
    REQUIRED_QUESTIONS,
    CallFile,
    Criterion,
    Kind,
    Limits,
    Question,
    Reviewing,
    Window,
)
from readingroom.admissions.model import Amounts, Answer, Draft
from readingroom.admissions.policies.base import Policy
from readingroom.admissions.policies.registry import POLICIES
from readingroom.core import document
from readingroom.core.clock import parse_rfc3339
from readingroom.core.document import Node

MAX_WORDS = 3_000
MAX_DAYS = 3_650
MAX_AMOUNT = 2**53 - 1
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
_REQUIRED = ("title", "purpose", "stage", "tiers", "budget", "window", "award", "appeal_reserve", "form", "allocation",
             "terms")  # fmt: skip
_OPTIONAL = ("review", "reapply_after_days")
_BLANK: Mapping[str, Node] = {}


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
    _once(fields["form"], [each.name for each in made.form], "question")
    if made.competitive and made.reviewing is None:
        fields["allocation"].problem("a competition needs reviews", f"Add 'review:', or write 'policy: {BY_PERSON}'")


def _once(node: Node, names: list[str], what: str) -> None:
    for name in sorted({each for each in names if each and names.count(each) > 1}):
        node.problem(f"the {what} {name!r} stands twice", "Keep one of the two")


def _distinct(node: Node) -> tuple[str, ...]:
    names = node.texts()
    if not names:
        node.problem(f"{node.path} is empty", "Name at least one")
    _once(node, list(names), "name")
    return names


def _amounts(node: Node) -> Amounts:
    fields = node.fields(["passes"], ["tokens", "calls"])
    read = {unit: fields[unit].integer(1, MAX_AMOUNT) for unit in fields}
    return Amounts(read.get("passes", 1), read.get("tokens"), read.get("calls"))


def _moment(node: Node | None) -> datetime:
    """Read a timestamp; YAML's own type for it drops the offset's spelling, so the scalar's text is read."""
    if node is None:
        return _NO_TIME
    if isinstance(node.raw, yaml.ScalarNode):
        try:
            return parse_rfc3339(str(node.raw.value))
        except (ValueError, OverflowError):
            pass
    node.problem(f"{node.path} must be a moment with a time zone", "Write it as 2026-03-01T12:00:00Z")
    return _NO_TIME


def _window(node: Node) -> Window:
    fields = node.fields(["opens", "closes"], ["may_close_early"])
    opens, closes = _moment(fields.get("opens")), _moment(fields.get("closes"))
    if _NO_TIME not in (opens, closes) and closes <= opens:
        fields["closes"].problem("the window closes before it opens", "Write a later moment")
    return Window(opens, closes, "may_close_early" in fields and fields["may_close_early"].flag())


def _limits(node: Node) -> Limits:
    fields = node.fields(["minimum", "maximum", "days"], ["accept_within_days"])
    minimum, maximum, days = (_integer(fields, each, 1) for each in ("minimum", "maximum", "days"))
    if maximum < minimum and {"minimum", "maximum"} <= set(fields):
        fields["maximum"].problem("the maximum is less than the minimum", "Raise it, or lower the minimum")
    return Limits(minimum, maximum, min(days, MAX_DAYS), _integer(fields, "accept_within_days", 14))


def _integer(fields: Mapping[str, Node], name: str, missing: int) -> int:
    if name not in fields:
        return missing
    return fields[name].integer(1, MAX_DAYS if "days" in name else MAX_AMOUNT)


def _question(node: Node) -> Question:
    fields = node.fields(["name", "label", "type"], ["required", "words", "options", "shown_to_reviewers"])
    kinds = [each.value for each in Kind]
    kind = Kind(fields["type"].choice(kinds, Kind.TEXT.value)) if "type" in fields else Kind.TEXT
    options = _distinct(fields["options"]) if "options" in fields else ()
    if (kind is Kind.CHOICE) != ("options" in fields):
        node.problem("options go with the type 'choice', and only with it", "Add or remove 'options'")
    if (kind is Kind.TEXT) != ("words" in fields):
        node.problem("words goes with the type 'text', and only with it", "Add or remove 'words'")
    return Question(
        name=fields["name"].text() if "name" in fields else "",
        label=fields["label"].text() if "label" in fields else "",
        kind=kind,
        required=fields["required"].flag() if "required" in fields else True,
        words=fields["words"].integer(1, MAX_WORDS) if "words" in fields else 0,
        options=options,
        shown=fields["shown_to_reviewers"].flag() if "shown_to_reviewers" in fields else True,
    )


def _reviewing(node: Node) -> Reviewing | None:
    fields = node.fields(["per_application", "scale", "criteria", "floor"], ["misuse_vetoes"])
    if len(fields.keys() & {"per_application", "scale", "criteria", "floor"}) < 4:  # noqa: PLR2004 - all of them
        return None
    per_application = fields["per_application"].integer(1, 20)
    anchors = _anchors(fields["scale"])
    criteria = tuple(_criterion(each) for each in fields["criteria"].items())
    if not criteria:
        fields["criteria"].problem("there are no criteria", "Add '- {name: merit, question: ..., weight: 1}'")
    _once(fields["criteria"], [each.name for each in criteria], "criterion")
    low, high = (min(anchors), max(anchors)) if anchors else (0, 0)
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
    fields = node.fields(["name", "question", "weight"])
    return Criterion(
        name=fields["name"].text() if "name" in fields else "",
        question=fields["question"].text() if "question" in fields else "",
        weight=fields["weight"].integer(1, 1000) if "weight" in fields else 1,
    )


def _policy(node: Node) -> Policy | None:
    if not node.is_mapping():
        node.fields(["policy"])
        return None
    name = node.fields(["policy"], None).get("policy")
    chosen = name.choice([*sorted(POLICIES), BY_PERSON]) if name else ""
    if chosen in POLICIES:
        return POLICIES[chosen](node)
    if chosen == BY_PERSON:
        node.fields(["policy"])
    return None


_READERS: Mapping[str, Callable[[Node], Any]] = {  # the rest is plain text
    "tiers": _distinct,
    "budget": _amounts,
    "window": _window,
    "award": _limits,
    "appeal_reserve": Node.integer,
    "form": lambda node: tuple(_question(each) for each in node.items()),
    "review": _reviewing,
    "allocation": _policy,
    "reapply_after_days": lambda node: node.integer(0, MAX_DAYS),
}


def application(text: str | bytes, name: str = "application.yaml") -> Draft:
    """Read an application file; whether it answers a call's form is judged against that call.

    Raises:
        BadInput: with every problem found, each at `file:line:column`.
    """
    root = document.read(text, name)
    fields = root.fields(["passes", "tier", "answers"], ["team"])
    answers = fields["answers"].fields([], None) if "answers" in fields else _BLANK
    draft = Draft(
        answers={key: _answer(value) for key, value in answers.items()},
        passes=fields["passes"].integer(1, MAX_AMOUNT) if "passes" in fields else 0,
        tier=fields["tier"].text() if "tier" in fields else "",
        team=fields["team"].texts() if "team" in fields else (),
    )
    root.document.finish()
    return draft


def _answer(node: Node) -> Answer:
    value = node.plain()
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return node.text()
