"""Refusals are values: a rule that says no returns one; exceptions are for what is broken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Refusal:
    """A clear no.

    Attributes:
        code: `room/what`, for example `access/grant-revoked`; `app.refusals` maps each code to its endings.
        reason: one sentence for the person who is refused; says what is wrong and what would cure it.
        facts: what the decision rested on; JSON values only, never a secret.
    """

    code: str
    reason: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Refusal:
        """Read a refusal as a house's API spells it."""
        return cls(str(said.get("code", "")), str(said.get("message", "")), dict(said.get("facts") or {}))


class Refused(Exception):  # noqa: N818 - it carries a refusal and is no error
    """Carries a refusal through code that cannot return one (a transaction that must roll back)."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"{refusal.code}: {refusal.reason}")
        self.refusal = refusal


def require(refusal: Refusal | None) -> None:
    """Raise `Refused` when a rule said no; services use it so that their transaction rolls back."""
    if refusal is not None:
        raise Refused(refusal)
