"""What a gate kind may look at while its clause is read from a plan."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from readingroom.core.document import Node
from readingroom.strategy.model import Channel


@dataclass(frozen=True, slots=True)
class Scope:
    """The surroundings of a clause, or of another part of a stage.

    Attributes:
        stage: the stage whose gate is read.
        earlier: channels of the stages before it, by name.
        names: the names of all stages.
        suites: the claims of each known suite with their number of cases, or None where they are not to be checked (a
            plan already adopted).
        rules: tells what is wrong with a rule file; None where none is to be looked at.
    """

    stage: str
    earlier: Mapping[str, Channel]
    names: Collection[str]
    suites: Mapping[str, Mapping[str, int]] | None
    rules: Callable[[str], str] | None = None


def earlier_stage(node: Node, scope: Scope) -> str:
    """Read the name of a stage that stands before this one; anything else is a problem."""
    name = node.text()
    if not name or name in scope.earlier:
        return name
    before = ", ".join(scope.earlier) or "none: this is the first stage"
    if name == scope.stage:
        node.problem(f"stage {name!r} waits for itself", f"Name a stage before it ({before})")
    elif name in scope.names:
        node.problem(f"stage {name!r} comes later", f"Move it up, or name a stage before this one ({before})")
    else:
        node.problem(f"there is no stage {name!r}", f"Stages before this one: {before}")
    return name
