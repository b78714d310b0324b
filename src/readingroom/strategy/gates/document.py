"""`document`: the model version's dossier holds certain documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from readingroom.core.canonical import Json
from readingroom.core.document import Node
from readingroom.strategy.facts import Facts
from readingroom.strategy.gates.scope import Scope
from readingroom.strategy.model import DocumentKind, Judgement, Verdict

KIND = "document"


@dataclass(frozen=True, slots=True)
class Document:
    """The clause: each of `wanted` is in the dossier of the stage's model version."""

    wanted: tuple[str, ...]
    kind: ClassVar[str] = KIND

    @property
    def label(self) -> str:
        """The clause's name within its gate."""
        return f"{KIND}:{'+'.join(self.wanted)}"

    def canonical(self) -> Json:
        """Return the clause as JSON."""
        return {KIND: list(self.wanted)}

    def covers(self) -> frozenset[str]:
        """A document covers no hazard by itself: what it says is for a person to judge."""
        return frozenset()

    def describe(self) -> str:
        """Say what must hold."""
        return f"the dossier holds: {_named(self.wanted)}"

    def judge(self, facts: Facts) -> Judgement:
        """Judge which documents are there; one that is missing leaves the clause inconclusive."""
        if facts.model_digest is None:
            cure = "Register it with `readingroom model add`"
            return Judgement(Verdict.INCONCLUSIVE, "The model is not registered", cure)
        there = {each.kind for each in facts.documents if each.digest}
        lacking = [name for name in self.wanted if name not in there]
        if lacking:
            cure = f"File in the model's dossier: {', '.join(lacking)}"
            return Judgement(Verdict.INCONCLUSIVE, f"The dossier lacks: {_named(lacking)}", cure)
        return Judgement(Verdict.MET, f"The dossier holds: {_named(self.wanted)}")


def _named(kinds: Sequence[str]) -> str:
    return ", ".join(kinds).replace("_", " ")


def parse(node: Node, scope: Scope) -> Document | None:  # noqa: ARG001 - every kind is read by the same call
    """Read the clause: a list of kinds of document."""
    items = node.items()
    if node.is_list() and not items:
        node.problem("no document is named", f"Name one or more of: {', '.join(DocumentKind)}")
    wanted: list[str] = []
    for item in items:
        name = item.choice([each.value for each in DocumentKind])
        if name in wanted:
            item.problem(f"{name!r} stands twice", "Keep one of the two")
        elif name:
            wanted.append(name)
    return Document(tuple(wanted)) if wanted else None
