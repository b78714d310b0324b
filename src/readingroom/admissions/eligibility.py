"""May this person apply to this call at all? One function over facts; a fact that has run out is none."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from readingroom.admissions.call import Eligibility
from readingroom.core.refusal import Refusal

DECLARED, CONFIRMED = "declared", "confirmed"  # of affiliations: given by oneself, and found true


@dataclass(frozen=True, slots=True)
class Held:
    """An affiliation or a credential that somebody holds.

    Attributes:
        kind: as call files name it: of an affiliation `declared`, `confirmed` or an institution's name; of a
            credential `training`, `library-card`, `ethics-approval` or `signatory`.
        until: when it runs out; None is never.
    """

    kind: str
    until: datetime | None = None

    def valid(self, now: datetime) -> bool:
        """Tell whether it holds now."""
        return self.until is None or now < self.until


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a person, as far as eligibility rests on it."""

    affiliations: tuple[Held, ...] = ()
    credentials: tuple[Held, ...] = ()


def lacking(asked: Eligibility, standing: Standing, now: datetime) -> tuple[str, ...]:
    """Return what a person lacks, in words; nothing means eligible."""
    found = []
    named = {each.casefold() for each in asked.affiliations}
    if asked.affiliations and not named & _valid(standing.affiliations, now):
        found.append(f"an affiliation as {' or '.join(asked.affiliations)}")
    missing = [each for each in asked.credentials if each not in _valid(standing.credentials, now)]
    found += [f"the credential {each}" for each in missing]
    return tuple(found)


def _valid(held: Collection[Held], now: datetime) -> set[str]:
    return {each.kind for each in held if each.valid(now)}


def check_eligible(asked: Eligibility, standing: Standing, now: datetime) -> Refusal | None:
    """Refuse a submission by somebody who lacks what the call asks for; what was saved is kept."""
    missing = lacking(asked, standing, now)
    if not missing:
        return None
    reason = f"This call asks for {' and '.join(missing)}, valid now. What you saved is kept; submit it once you have."
    return Refusal("admissions/not-eligible", reason, {"lacking": list(missing)})
