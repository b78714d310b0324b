"""Persons, roles and actors."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

OPERATOR = "operator"  # whoever stands at the terminal beside a HOME, and has not signed in


class Role(StrEnum):
    """What a person may be at the lab. Applicants and readers need no role."""

    STEWARD = "steward"
    TESTER = "tester"
    REVIEWER = "reviewer"
    PANEL = "panel"
    SAFETY = "safety"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Person:
    """A human being. `id` is a pseudonym: only this table links it to a name (promise 9)."""

    id: str
    email: str
    name: str
    affiliation: str
    roles: frozenset[Role]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever acts now: a person, or the operator at the terminal.

    Attributes:
        id: a person's id, or `operator`.
        roles: the roles held at this moment.
        dev: the house is one for trials, in which the operator may do all.
    """

    id: str
    roles: frozenset[Role] = frozenset()
    dev: bool = False

    @property
    def is_operator(self) -> bool:
        """Tell whether nobody signed in."""
        return self.id == OPERATOR


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser or terminal; the secret itself is stored only as its hash."""

    person_id: str
    expires_at: datetime


class Basis(StrEnum):
    """Why somebody is erased: a closed list, since it goes into the ledger."""

    REQUEST = "request"  # the person asked
    RETENTION_OVER = "retention-over"  # nothing needs the data any more
    ORDER = "order"  # a court or an authority says so
