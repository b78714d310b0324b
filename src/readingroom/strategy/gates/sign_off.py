"""`sign_off`: enough persons with a role have signed, each once, under this version of the gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from readingroom.core.canonical import Json
from readingroom.core.document import Node
from readingroom.people.rules import BY_ROLE, Permission
from readingroom.strategy.facts import Facts
from readingroom.strategy.gates.scope import Scope
from readingroom.strategy.model import Judgement, Verdict

KIND = "sign_off"
_FIELDS = ("role", "quorum")
_SIGNERS = tuple(role.value for role, held in BY_ROLE.items() if Permission.STAGE_SIGN in held)


@dataclass(frozen=True, slots=True)
class SignOff:
    """The clause: `quorum` different persons have signed as `role`."""

    role: str
    quorum: int
    kind: ClassVar[str] = KIND

    @property
    def label(self) -> str:
        """The clause's name within its gate."""
        return f"{KIND}:{self.role}"

    def canonical(self) -> Json:
        """Return the clause as JSON."""
        return {KIND: {"role": self.role, "quorum": self.quorum}}

    def covers(self) -> frozenset[str]:
        """A signature covers no hazard by itself."""
        return frozenset()

    def describe(self) -> str:
        """Say what must hold."""
        return f"signed by {self.quorum} {_persons(self.role, self.quorum)}"

    def judge(self, facts: Facts) -> Judgement:
        """Count persons, not signatures: who signed in two roles counts in the first of them only."""
        valid = [each for each in facts.signatures if each.gate_version == facts.gate_version and each.person]
        first: dict[str, str] = {}
        for each in valid:
            first.setdefault(each.person, each.role)
        signed = sum(role == self.role for role in first.values())
        sentence = f"{signed} of {self.quorum} {_persons(self.role, self.quorum)} have signed"
        if self.quorum == 1:
            sentence = f"A {_persons(self.role, 1)} has signed" if signed else f"No {_persons(self.role, 1)} has signed"
        if signed >= self.quorum:
            return Judgement(Verdict.MET, sentence)
        if len(valid) < len(facts.signatures):
            sentence += "; signatures under another version of this gate do not count"
        lacking = self.quorum - signed
        cure = f"Needed: {lacking} more signature{'s' if lacking > 1 else ''}"
        return Judgement(Verdict.UNMET, sentence, cure)


def _persons(role: str, number: int) -> str:
    """Name those who hold a role."""
    one = {"safety": "safety officer", "panel": "panel member"}.get(role, role)
    return one if number == 1 else f"{one}s"


def parse(node: Node, scope: Scope) -> SignOff | None:  # noqa: ARG001 - every kind is read by the same call
    """Read the clause; the role must be one that may sign."""
    fields = node.fields(_FIELDS)
    if len(fields) < len(_FIELDS):
        return None
    return SignOff(fields["role"].choice(_SIGNERS), fields["quorum"].integer(1, 20))
