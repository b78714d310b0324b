"""The list of gate kinds. A new kind is one file beside this one, and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from readingroom.core.document import Node
from readingroom.strategy.gates import document, observed, sign_off, soak, stress
from readingroom.strategy.gates.scope import Scope
from readingroom.strategy.model import GateClause

Parser = Callable[[Node, Scope], GateClause | None]

KINDS: Mapping[str, Parser] = {
    stress.KIND: stress.parse,
    soak.KIND: soak.parse,
    observed.KIND: observed.parse,
    document.KIND: document.parse,
    sign_off.KIND: sign_off.parse,
}
