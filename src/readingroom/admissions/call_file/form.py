"""The form: what applicants are asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from readingroom.admissions.answers import day
from readingroom.admissions.call_file.fields import MAX_AMOUNT, MAX_WORDS, distinct
from readingroom.admissions.form import (
    MAX_FILE,
    REQUIRED_QUESTIONS,
    TEXTS,
    YES_NO,
    Condition,
    FileKind,
    Files,
    Guarantor,
    Kind,
    Question,
)
from readingroom.core.document import Node

MAX_FILES = 10
_MB = 1_000_000
_CHOICES = frozenset({Kind.CHOICE, Kind.MULTIPLE_CHOICE})
_ASKABLE = frozenset({Kind.CHOICE, Kind.MULTIPLE_CHOICE, Kind.YES_NO, Kind.NUMBER})  # what a condition can look at
# Which fields go with which kinds of answer, beside those that go with all; of these, what cannot be left out.
GOES_WITH: Mapping[str, frozenset[Kind]] = {
    "words": TEXTS,
    "options": _CHOICES,
    "minimum": frozenset({Kind.NUMBER}),
    "maximum": frozenset({Kind.NUMBER}),
    "at_most": frozenset({Kind.MULTIPLE_CHOICE}),
    "earliest": frozenset({Kind.DATE}),
    "latest": frozenset({Kind.DATE}),
    "files": frozenset({Kind.ATTACHMENT}),
    "types": frozenset({Kind.ATTACHMENT}),
    "megabytes": frozenset({Kind.ATTACHMENT}),
}
_NEEDED = ("words", "options")
_SEVERAL = frozenset({"options", "files", "types", "megabytes"})
_COMMON = ("required", "shown_to_reviewers", "help", "section", "shown_if")


def question(node: Node) -> Question:
    """Read one question."""
    fields = node.fields(["name", "label", "type"], [*_COMMON, *GOES_WITH])
    kinds = [each.value for each in Kind]
    kind = Kind(fields["type"].choice(kinds, Kind.TEXT.value)) if "type" in fields else Kind.TEXT
    _fitting(node, fields, kind)
    least, most = _bounds(fields, kind)
    earliest, latest = _day(fields, "earliest"), _day(fields, "latest")
    if earliest and latest and latest < earliest:
        fields["latest"].problem("the latest day is before the earliest", "Write a later day")
    return Question(
        name=fields["name"].text() if "name" in fields else "",
        label=fields["label"].text() if "label" in fields else "",
        kind=kind,
        required=fields["required"].flag() if "required" in fields else True,
        words=fields["words"].integer(1, MAX_WORDS) if "words" in fields else 0,
        options=distinct(fields["options"]) if "options" in fields else YES_NO if kind is Kind.YES_NO else (),
        shown=fields["shown_to_reviewers"].flag() if "shown_to_reviewers" in fields else True,
        help=fields["help"].text() if "help" in fields else "",
        section=fields["section"].text() if "section" in fields else "",
        least=least,
        most=most,
        earliest=earliest,
        latest=latest,
        files=_files(fields),
        shown_if=_condition(fields["shown_if"]) if "shown_if" in fields else None,
    )


def _fitting(node: Node, fields: Mapping[str, Node], kind: Kind) -> None:
    for name, kinds in GOES_WITH.items():
        go = "go" if name in _SEVERAL else "goes"
        words = " or ".join(repr(each.value) for each in Kind if each in kinds)
        if name in fields and kind not in kinds:
            node.problem(f"{name} {go} with the type {words}, and only with it", f"Remove {name!r}")
        elif name in _NEEDED and kind in kinds and name not in fields:
            node.problem(f"{name} {go} with the type {words}, where it cannot be left out", f"Add {name!r}")


def _bounds(fields: Mapping[str, Node], kind: Kind) -> tuple[int, int]:
    if kind is Kind.MULTIPLE_CHOICE:
        return 1, fields["at_most"].integer(1, MAX_FILES * 10) if "at_most" in fields else MAX_AMOUNT
    least = fields["minimum"].integer(-MAX_AMOUNT, MAX_AMOUNT) if "minimum" in fields else 0
    most = fields["maximum"].integer(-MAX_AMOUNT, MAX_AMOUNT) if "maximum" in fields else MAX_AMOUNT
    if most < least:
        fields["maximum" if "maximum" in fields else "minimum"].problem(
            "the maximum is less than the minimum", "Raise it, or lower the minimum"
        )
    return least, most


def _day(fields: Mapping[str, Node], name: str) -> str:
    if name not in fields:
        return ""
    found = day(str(fields[name].raw.value))  # the scalar as it is written: YAML has a type of its own for days
    if not found:
        fields[name].problem(f"{fields[name].path} must be a day", "Write it as 2026-12-31")
    return found


def _files(fields: Mapping[str, Node]) -> Files:
    known = [each.value for each in FileKind]
    kinds = [each.choice(known) for each in fields["types"].items()] if "types" in fields else known
    if not kinds:
        fields["types"].problem(f"{fields['types'].path} is empty", f"Name some of: {', '.join(known)}")
    return Files(
        kinds=tuple(dict.fromkeys(FileKind(each) for each in kinds if each)),
        most=fields["files"].integer(1, MAX_FILES) if "files" in fields else Files().most,
        size=fields["megabytes"].integer(1, MAX_FILE // _MB) * _MB if "megabytes" in fields else Files().size,
    )


def _condition(node: Node) -> Condition | None:
    pairs = list(node.fields([], None).items()) if node.is_mapping() else []
    if len(pairs) != 1:
        cure = "Write it as 'shown_if: {question: answer}' or 'shown_if: {question: [one, other]}'"
        node.problem("shown_if names one earlier question and its answer", cure)
        return None
    name, value = pairs[0]
    return Condition(name, tuple(map(_spelled, value.items() if value.is_list() else [value])))


def _spelled(node: Node) -> str:
    plain = node.plain()
    return str(plain) if isinstance(plain, int) and not isinstance(plain, bool) else node.text()


def guarantor(node: Node) -> Guarantor:
    """Read whether an institution must vouch."""
    return Guarantor(node.choice([each.value for each in Guarantor], Guarantor.NONE.value))


def agree(node: Node, form: Sequence[Question], *, opening: bool) -> None:
    """Check what no question can say alone: the ones that every call asks, and conditions on earlier questions.

    Args:
        node: the form.
        form: its questions.
        opening: whether the call is new; what is asked of new calls alone must not break one that was opened before.
    """
    by_name = {each.name: each for each in reversed(form)}
    for name in REQUIRED_QUESTIONS:
        found = by_name.get(name)
        if found is None or not found.required:
            cure = f"Add '- {{name: {name}, type: text, words: 200, label: ...}}'"
            node.problem(f"the form does not ask {name!r}, as every call must", cure)
        elif found.shown_if is not None:
            node.problem(f"{name!r} is asked of everyone, as in every call", "Take its 'shown_if' out")
    egress = by_name.get("egress")
    if opening and egress is not None and egress.kind not in _CHOICES:
        cure = "Write 'type: choice, options: [text only, aggregate only, logprobs]'"
        node.problem("what leaves ('egress') is chosen from a closed list", cure)
    for at, each in enumerate(form):
        if each.shown_if is not None:
            _earlier(node, each, form[:at])


def _earlier(node: Node, asked: Question, before: Sequence[Question]) -> None:
    condition = asked.shown_if
    looked_at = next((each for each in before if condition and each.name == condition.question), None)
    if condition is None:
        return
    if looked_at is None:
        cure = "Name a question that stands above it"
        node.problem(f"{asked.name!r} is shown if {condition.question!r}, which is not asked before it", cure)
    elif looked_at.kind not in _ASKABLE:
        kinds = ", ".join(sorted(each.value for each in _ASKABLE))
        node.problem(f"{asked.name!r} cannot depend on a {looked_at.kind.value}", f"It can on: {kinds}")
    elif looked_at.options and (strange := [each for each in condition.answers if each not in looked_at.options]):
        cure = f"It can be answered with: {', '.join(looked_at.options)}"
        node.problem(f"{asked.name!r} is shown if {looked_at.name!r} is {strange[0]!r}, which is no option of it", cure)
