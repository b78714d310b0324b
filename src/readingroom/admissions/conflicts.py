"""Who may not review what. A conflict is an absent edge between reviewer and application, never a low weight.

An address in a team is the applicant's word, not its owner's. So it stands between its owner and that application,
and no further: else an applicant could name the lab's staff as a team and nobody would be left to run the call.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from readingroom.admissions.model import Conflict, ConflictKind

# Sharing one of these says nothing about working together.
PUBLIC_MAIL = frozenset(
    {
        "gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "icloud.com",
        "proton.me", "protonmail.com", "gmx.net", "gmx.de", "web.de", "posteo.de", "mail.com", "qq.com", "163.com",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Party:
    """What conflicts are judged on: who somebody is, as far as it is known now."""

    person: str
    email: str
    affiliation: str


@dataclass(frozen=True, slots=True)
class Side:
    """An application, as seen from its people: the applicant, and the addresses of the team."""

    application: str
    applicant: Party
    team: tuple[str, ...] = ()

    def includes(self, party: Party) -> bool:
        """Tell whether somebody applies here, or is named in the team."""
        return party.person == self.applicant.person or party.email.casefold() in self.team


def domain(email: str) -> str:
    """Return the part of an address after the @, folded."""
    return email.rpartition("@")[2].casefold().rstrip(".")


def same_house(one: str, other: str) -> bool:
    """Tell whether two e-mail domains belong together: equal, or one below the other; public mail never does."""
    if not one or not other or one in PUBLIC_MAIL or other in PUBLIC_MAIL:
        return False
    return one == other or one.endswith("." + other) or other.endswith("." + one)


def fold_affiliation(text: str) -> str:
    """Spell an affiliation for comparison: case, width, punctuation and spacing do not matter."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in plain).split())


def conflicts(
    reviewer: Party, side: Side, everyone: Iterable[Side] = (), declared: frozenset[tuple[str, str]] = frozenset()
) -> tuple[Conflict, ...]:
    """Return every reason why a reviewer may not review an application; none means that they may.

    Args:
        reviewer: who would review.
        side: the people of the application.
        everyone: the people of all applications of the call: who competes for its budget judges nobody in it.
        declared: pairs of application and person, as declared by reviewers.
    """
    found = []
    if reviewer.person == side.applicant.person:
        found.append(Conflict(ConflictKind.OWN, "the reviewer is the applicant"))
    elif side.includes(reviewer):
        found.append(Conflict(ConflictKind.TEAM, "the reviewer is in the team"))
    elif any(each.applicant.person == reviewer.person for each in everyone):
        found.append(Conflict(ConflictKind.COMPETITOR, "the reviewer applies in the same call"))
    house = domain(reviewer.email)
    if any(same_house(house, domain(each)) for each in (side.applicant.email, *side.team)):
        found.append(Conflict(ConflictKind.DOMAIN, f"both write from {house}"))
    work = fold_affiliation(reviewer.affiliation)
    if work and work == fold_affiliation(side.applicant.affiliation):
        found.append(Conflict(ConflictKind.AFFILIATION, "both give the same affiliation"))
    if (side.application, reviewer.person) in declared:
        found.append(Conflict(ConflictKind.DECLARED, "the reviewer declared it"))
    return tuple(found)


def free(
    reviewers: Iterable[Party], side: Side, everyone: Collection[Side], declared: frozenset[tuple[str, str]]
) -> frozenset[str]:
    """Return those who may review an application."""
    return frozenset(each.person for each in reviewers if not conflicts(each, side, everyone, declared))


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who reviews what, and where reviewers are lacking (application to the number that is missing)."""

    edges: tuple[tuple[str, str], ...]  # (application, reviewer), only the new ones
    lacking: Mapping[str, int]


def assign(
    allowed: Mapping[str, frozenset[str]], held: Mapping[str, frozenset[str]], needed: int, salt: str
) -> Assignment:
    """Give each application reviewers until it has `needed`, the least loaded first.

    Args:
        allowed: application to the persons who may review it; whoever has a conflict is absent.
        held: application to those who are assigned already, and stay so.
        needed: reviews per application.
        salt: breaks ties without regard to order or names; the call's id.
    """
    load: dict[str, int] = {}
    for reviewers in held.values():
        for each in reviewers:
            load[each] = load.get(each, 0) + 1
    edges, lacking = [], {}
    for application in sorted(allowed, key=lambda a: (len(allowed[a]), _shuffle(salt, a))):
        free = allowed[application] - held.get(application, frozenset())
        missing = max(0, needed - len(held.get(application, ())))
        chosen = _least_loaded(free, load, missing, f"{salt}/{application}")
        edges += [(application, each) for each in chosen]
        for each in chosen:
            load[each] = load.get(each, 0) + 1
        if len(chosen) < missing:
            lacking[application] = missing - len(chosen)
    return Assignment(tuple(edges), lacking)


def _least_loaded(free: frozenset[str], load: Mapping[str, int], count: int, salt: str) -> Sequence[str]:
    return sorted(free, key=lambda each: (load.get(each, 0), _shuffle(salt, each)))[:count]


def _shuffle(salt: str, name: str) -> bytes:
    return hashlib.sha256(f"{salt}/{name}".encode()).digest()
