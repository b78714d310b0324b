"""What readers report: a key that leaked, an answer that should not have been given, a breach of the terms. Pure.

An observation is what somebody saw, and nobody has judged it yet. Its words are for the stewards and the safety
officers alone; the ledger holds that there is one and of which kind, and not even whose it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from readingroom.core.canonical import Json
from readingroom.core.clock import rfc3339
from readingroom.core.refusal import Refusal

MOST_OPEN = 20  # observations of one person that wait for an answer: more would be noise


class Kind(StrEnum):
    """What was seen: the closed list."""

    KEY_LEAKED = "key-leaked"
    UNSAFE_OUTPUT = "unsafe-output"
    TERMS_BREACH = "terms-breach"
    SECURITY = "security"
    OTHER = "other"

    @property
    def says(self) -> str:
        """Say it in words."""
        return _SAYS[self]


_SAYS = {
    Kind.KEY_LEAKED: "a key is known to others, or may be",
    Kind.UNSAFE_OUTPUT: "the model answered what it should not have",
    Kind.TERMS_BREACH: "somebody reads against the terms",
    Kind.SECURITY: "a way round the house's limits",
    Kind.OTHER: "something else that the lab should know",
}


@dataclass(frozen=True, slots=True)
class Observation:
    """A report of one person.

    Attributes:
        grant: of the reporter's own that it is about; empty for none.
        answer: what the lab said to it, in words; empty until it has.
    """

    id: str
    person: str
    kind: Kind
    grant: str
    text: str
    reported_at: datetime
    answer: str = ""
    answered_at: datetime | None = None
    answered_by: str = ""

    def to_json(self, *, inside: bool = False) -> dict[str, Json]:
        """Return it as JSON: to who reported it, or, `inside`, to the lab, with who did."""
        at = rfc3339(self.answered_at) if self.answered_at else None
        whose: dict[str, Json] = {"person": self.person, "answered_by": self.answered_by or None} if inside else {}
        return {
            "id": self.id,
            "kind": self.kind.value,
            "grant": self.grant or None,
            "text": self.text,
            "reported_at": rfc3339(self.reported_at),
            "answer": self.answer or None,
            "answered_at": at,
            **whose,
        }


def check_room(waiting: int) -> Refusal | None:
    """Refuse one more of somebody who has many open already."""
    if waiting < MOST_OPEN:
        return None
    reason = f"{MOST_OPEN} reports of yours wait for the lab already; please wait for its answer, or write to it."
    return Refusal("oversight/too-many-observations", reason)


def check_answering(found: Observation) -> Refusal | None:
    """Refuse a second answer: the first has been told."""
    if found.answered_at is None:
        return None
    return Refusal("oversight/answered-already", "This report was answered already, and who made it was told.")
