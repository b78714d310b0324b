"""Revoking many grants in one act: what was shown is what is done. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from readingroom.access.model import Grant, Reason
from readingroom.core.canonical import Json, commitment, digest
from readingroom.core.refusal import Refusal
from readingroom.ledger import merkle

MOST_SHOWN = 20  # grants that a dry run lists by name


class By(StrEnum):
    """By what many grants are chosen."""

    TIER = "tier"
    STAGE = "stage"
    CALL = "call"
    TERMS = "terms"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which grants are meant.

    Attributes:
        by: by what.
        name: of the tier, the stage, the call or the version of the terms (its hash).
        among: where they are chosen by a call, its awards; where by terms, the persons who read under them.
    """

    by: By
    name: str
    among: frozenset[str] = frozenset()

    def holds(self, grant: Grant) -> bool:
        """Tell whether a grant is meant."""
        match self.by:
            case By.TIER:
                return grant.tier == self.name
            case By.STAGE:
                return grant.stage == self.name
            case By.CALL:
                return grant.award_id in self.among
            case By.TERMS:
                return grant.holder in self.among

    def is_promised(self, *, tier: str, stage: str, call: str, terms: str) -> bool:
        """Tell whether a grant that was offered, and is none before somebody accepts, would be meant."""
        return {By.TIER: tier, By.STAGE: stage, By.CALL: call, By.TERMS: terms}[self.by] == self.name

    def to_json(self) -> dict[str, Json]:
        """Return it as JSON."""
        return {"by": self.by.value, "name": self.name}


@dataclass(frozen=True, slots=True)
class Shown:
    """What an act on many would do.

    Attributes:
        grants: that would end, by id, in order.
        readers: different persons of their projects.
        streams: answers that flow or wait under them now; they change all the time, so the digest leaves them out.
        digest: names the choice, the reason and the grants: the act is done with this very one or not at all.
        offers: of the same kind that nobody has accepted yet, and the act leaves open; None where none were counted.
    """

    choice: Choice
    reason: Reason
    grants: tuple[str, ...]
    readers: int
    streams: int
    digest: str
    offers: int | None = None

    def to_json(self) -> dict[str, Json]:
        """Return it as JSON."""
        return {
            **self.choice.to_json(),
            "reason": self.reason.value,
            "grants": len(self.grants),
            "readers": self.readers,
            "streams": self.streams,
            **({} if self.offers is None else {"offers": self.offers}),
            "first": list(self.grants[:MOST_SHOWN]),
            "digest": self.digest,
        }


def shown(choice: Choice, reason: Reason, grants: Sequence[str], readers: int, streams: int) -> Shown:
    """Say what an act would do, with the digest that it must be done with."""
    ordered = tuple(sorted(grants))
    said: Json = {**choice.to_json(), "reason": reason.value, "grants": list(ordered)}
    return Shown(choice, reason, ordered, readers, streams, digest(said))


def check_shown(found: Shown, given: str) -> Refusal | None:
    """Refuse an act on anything but what was shown, or on nothing."""
    if not found.grants:
        reason = f"No grant in force has the {found.choice.by} {found.choice.name!r}; nothing is to be revoked."
        return Refusal("access/nothing-to-revoke", reason)
    if given == found.digest:
        return None
    reason = (
        f"What would be revoked is not what was shown to you: it is {len(found.grants)} grants now. Look at the dry "
        "run again, and give its digest."
    )
    return Refusal("access/not-what-was-shown", reason, {"grants": len(found.grants), "digest": found.digest})


def root(salted: Sequence[tuple[bytes, str]]) -> str:
    """Return the Merkle root over salted commitments to grants, in their order: who has a salt can prove a place."""
    leaves = (commitment(salt, grant.encode()).encode() for salt, grant in salted)
    return "sha256:" + merkle.root([merkle.leaf_hash(each) for each in leaves]).hex()
