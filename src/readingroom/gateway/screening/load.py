"""Reading rule sets. Every mistake is named with file, line and column, and its cure; all of them at once."""

from __future__ import annotations

from pathlib import Path

from readingroom.core import document
from readingroom.core.canonical import digest
from readingroom.core.document import Node
from readingroom.core.errors import BadInput
from readingroom.gateway.screening.judged import JUDGING, judged, words
from readingroom.gateway.screening.model import Action, Form, Rule, RuleSet, Severity, Side
from readingroom.gateway.screening.normal import fold
from readingroom.gateway.screening.patterns import Pattern
from readingroom.gateway.screening.regex import MAX_WIDTH, BadPattern, parse, plain_characters

_REQUIRED = ("id", "side", "action", "clause")
_KINDS = ("literal", "regex", "classifier", "python")
_OPTIONAL = (*_KINDS, "normalize", "severity", *JUDGING)


def load_file(path: Path, name: str = "") -> RuleSet:
    """Load a rule set from a file; `name` is how a stage names it (default: the path).

    Raises:
        BadInput: it cannot be read or used, with every problem found.
    """
    return _rule_set(document.read_file(path), name or str(path))


def load_text(text: str | bytes, name: str) -> RuleSet:
    """Load a rule set from text.

    Raises:
        BadInput: it cannot be used, with every problem found.
    """
    return _rule_set(document.read(text, name), name)


def load_sets(home: Path, names: tuple[str, ...]) -> list[RuleSet]:
    """Load the rule sets that a stage names.

    Raises:
        BadInput: one of them cannot be read or used.
    """
    return [load_file(home / name, name) for name in names]


def sets_digest(sets: list[RuleSet]) -> str:
    """Return the digest that names a stage's rule sets together: what it was opened with, and what a call met."""
    return digest([each.digest for each in sets])


def problems_in(path: Path) -> BadInput | None:
    """Return what is wrong with a rule file, for `doctor` and for a plan that names it; None if nothing is."""
    try:
        load_file(path)
    except BadInput as bad:
        return bad
    return None


def _rule_set(root: Node, name: str) -> RuleSet:
    fields = root.fields(["rules"])
    rules: list[Rule] = []
    places: dict[str, str] = {}
    if "rules" in fields:
        nodes = fields["rules"].items()
        for node in nodes:
            rule = _rule(node)
            if rule.id in places:
                node.problem(f"rule id {rule.id!r} stands twice", f"The other is at {places[rule.id]}")
            places[rule.id] = node.where
            rules.append(rule)
    root.document.finish()
    return RuleSet(name, tuple(rules))


def _rule(node: Node) -> Rule:
    fields = node.fields(_REQUIRED, _OPTIONAL)
    forms = _forms(fields.get("normalize"))
    if sum(kind in fields for kind in _KINDS) != 1:
        node.problem("a rule has either 'literal', 'regex', 'classifier' or 'python'", "Give one of them")
    rule = Rule(
        id=fields["id"].text() if "id" in fields else "",
        side=Side(fields["side"].choice(words(Side), Side.BOTH)) if "side" in fields else Side.BOTH,
        action=Action(fields["action"].choice(words(Action), Action.REFUSE)) if "action" in fields else Action.REFUSE,
        clause=fields["clause"].text() if "clause" in fields else "",
        forms=forms,
        literals=_literals(fields["literal"], forms) if "literal" in fields else (),
        regex=_regex(fields["regex"], forms) if "regex" in fields else "",
        severity=_severity(fields.get("severity")),
        judged=judged(node, fields),
    )
    if rule.action is Action.CUT and rule.side is not Side.EXIT and "side" in fields:
        fields["action"].problem("'cut' ends an answer, and a prompt is none", "Say 'side: exit', or refuse instead")
    return rule


def _severity(node: Node | None) -> Severity:
    return Severity(node.choice(words(Severity), Severity.MEDIUM)) if node else Severity.MEDIUM


def _forms(node: Node | None) -> frozenset[Form]:
    if node is None:
        return frozenset()
    forms = frozenset(Form(each.choice(words(Form), Form.NFKC)) for each in node.items())
    if Form.HOMOGLYPH in forms and Form.CASEFOLD not in forms:
        node.problem("'homoglyph' maps to small letters", "Add 'casefold'")
    return forms


def _literals(node: Node, forms: frozenset[Form]) -> tuple[str, ...]:
    nodes = node.items() if node.is_list() else [node]
    if not nodes:
        node.problem("'literal' is empty", "Give at least one text")
    for each in nodes:
        _check_literal(each, forms)
    return tuple(each.text() for each in nodes)


def _check_literal(node: Node, forms: frozenset[Form]) -> None:
    text = node.text("x")
    size = len(fold(text, forms))
    if size == 0:
        node.problem("nothing is left of this text once it is normalised", "Leave out 'zero-width', or the text")
    elif size > MAX_WIDTH:
        node.problem(f"the text is {size} characters long", f"Keep it to {MAX_WIDTH}; its beginning will do")


def _regex(node: Node, forms: frozenset[Form]) -> str:
    text = node.text("x")
    try:
        Pattern.of(text, folds=Form.CASEFOLD in forms)
        _check_reachable(text, forms)
    except BadPattern as bad:
        node.problem(f"regex: {bad.what}", bad.cure)
    return text


def _check_reachable(text: str, forms: frozenset[Form]) -> None:
    """Refuse a pattern with a character that normalised text never holds: it would silently match nothing."""
    tree, _ = parse(text)
    for character in plain_characters(tree):
        folded = fold(character, forms)
        if folded not in (character, character.lower()):
            what = f"{character!r} never occurs in text that is normalised as this rule asks"
            raise BadPattern(what, f"Write {folded!r}" if folded else "Leave it out")
