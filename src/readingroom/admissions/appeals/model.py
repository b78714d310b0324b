"""What appeals are made of, as frozen types."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from readingroom.admissions.after import Ground
from readingroom.core.canonical import Json


class AppealState(StrEnum):
    """Where an appeal stands. Its window's end moves none of these."""

    LODGED = "lodged"
    ADMITTED = "admitted"
    HEARD = "heard"  # as many have spoken as the call says
    UPHELD = "upheld"
    PARTLY = "partly"
    REJECTED = "rejected"
    INADMISSIBLE = "inadmissible"
    WITHDRAWN = "withdrawn"


class Subject(StrEnum):
    """What is appealed."""

    REFUSAL = "refusal"
    SANCTION = "sanction"


class Bar(StrEnum):
    """Why an appeal is not heard: the closed list."""

    LATE = "late"
    NEW_FACTS = "new-facts"  # they make a new application, or are told to who decided
    NO_GROUND = "no-ground"  # what it says is none of the grounds that the call names


class Part(StrEnum):
    """How somebody took part in what is appealed, or stands to who appeals: whoever did, never hears it."""

    DECIDED = "decided"
    REVIEWED = "reviewed"
    SANCTIONED = "sanctioned"
    APPEALS = "appeals"
    APPLIES = "applies"  # in the same call, for the same budget
    CONFLICT = "conflict"  # with the appellant: same team, institution or mail domain


@dataclass(frozen=True, slots=True)
class SanctionFact:
    """A sanction as the room that made it says it: who did what to whom, and on which grant.

    Attributes:
        decided_by: everybody who took part in it.
    """

    id: str
    person: str
    grant: str
    kind: str
    reason: str
    decided_by: tuple[str, ...]
    decided_at: datetime

    def to_json(self) -> Json:
        """Return it as JSON, with nothing that names a person."""
        return {"id": self.id, "grant": self.grant, "kind": self.kind, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Voice:
    """What one of the panel says, once they have read it."""

    person: str
    outcome: AppealState
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Appeal:
    """An appeal with all that was said of it.

    Attributes:
        subject: the id of the application that was refused, or of the sanction.
        call: whose rules it follows; empty for the sanction of a grant that no call made.
        late: whether it came after its window; kept and told, and heard only if a person says so.
        text: why, in the appellant's words.
        note: why it was not admitted, or why admitted though late; else the reasons of the outcome.
        passes: what it gave, of a refusal; 0 where it gave nothing.
        place: whether it gave a place in the next call instead.
        involved: who took part in a sanction, as it was said when the appeal came.
        told: of a sanction, what it was.
    """

    id: str
    kind: Subject
    subject: str
    call: str
    person: str
    state: AppealState
    ground: Ground
    text: str
    late: bool
    lodged_at: datetime
    due_at: datetime
    panel: int
    note: str = ""
    bar: Bar | None = None
    passes: int = 0
    place: bool = False
    admitted_by: str = ""
    concluded_at: datetime | None = None
    involved: tuple[str, ...] = ()
    told: Json = None
    voices: tuple[Voice, ...] = ()
