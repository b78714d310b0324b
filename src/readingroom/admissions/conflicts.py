"""Who may not review what. A conflict is an absent edge between reviewer and application, never a low weight.

What is looked at is the call's own graph: who applies with whom, who works or writes from where, who declared whom as
a co-author or a supervisor, whom an applicant asks to be spared. Each conflict says its kind, how much it weighs, and
the fact that it rests on. All of them stand until a person waives them; what is real nobody can waive.

An address in a team is the applicant's word, not its owner's. So it stands between its owner and that application,
and no further: else an applicant could name the lab's staff as a team and nobody would be left to run the call. For
the same reason two applications are joined by what either says of the other's people only against whoever said it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from readingroom.admissions.domains import domain, same_house
from readingroom.admissions.model import Conflict, ConflictKind, Severity

K, S = ConflictKind, Severity
FIXED = frozenset({K.OWN, K.TEAM, K.DECLARED})  # real in every call
DEFAULT: Mapping[ConflictKind, Severity] = {
    K.OWN: S.REAL,
    K.TEAM: S.REAL,
    K.DECLARED: S.REAL,
    K.COMPETITOR: S.REAL,
    K.COAUTHOR: S.REAL,
    K.SUPERVISOR: S.REAL,
    K.DOMAIN: S.APPARENT,
    K.AFFILIATION: S.APPARENT,
    K.STAFF: S.APPARENT,
    K.NAMED: S.APPARENT,
    K.CO_APPLICANT: S.POTENTIAL,
}


@dataclass(frozen=True, slots=True)
class Party:
    """What conflicts are judged on: who somebody is, as far as it is known now.

    Attributes:
        others: further addresses that are theirs, also those that sign them in no more.
        institutions: to which they are known to belong, or to have belonged; not by their own word alone.
        coauthors: folded addresses and full names of whom this person declared as collaborators.
        supervisors: likewise, of who supervises or is supervised by this person.
        staff: the person works at the lab, beyond reviewing for it.
    """

    person: str
    email: str
    affiliation: str
    name: str = ""
    coauthors: frozenset[str] = frozenset()
    supervisors: frozenset[str] = frozenset()
    staff: bool = False
    others: frozenset[str] = frozenset()
    institutions: frozenset[str] = frozenset()

    @property
    def addresses(self) -> frozenset[str]:
        """Every address that is theirs, folded."""
        return frozenset(each.casefold() for each in (self.email, *self.others) if each)

    @property
    def works(self) -> frozenset[str]:
        """Where they work or did, spelled for comparison: as given, and as it is known."""
        return frozenset(fold_words(each) for each in (self.affiliation, *self.institutions)) - {""}

    @property
    def spellings(self) -> frozenset[str]:
        """By what this person can be named: the address, and a name of more than one word."""
        name = fold_words(self.name)
        return self.addresses | ({name} if " " in name else set())


@dataclass(frozen=True, slots=True)
class Side:
    """An application, as seen from its people.

    Attributes:
        team: the addresses that the applicant gave.
        members: the persons who said themselves that they belong to it; the applicant stands apart.
        named: folded addresses and full names of who, the applicant asks, should not review it.
    """

    application: str
    applicant: Party
    team: tuple[str, ...] = ()
    members: tuple[Party, ...] = ()
    named: frozenset[str] = frozenset()

    def includes(self, party: Party) -> bool:
        """Tell whether somebody applies here, belongs to the team, or is named in it."""
        return party.person in self.persons or not party.addresses.isdisjoint(self.team)

    @property
    def people(self) -> tuple[Party, ...]:
        """Who stands behind it on their own word."""
        return (self.applicant, *self.members)

    @property
    def persons(self) -> frozenset[str]:
        """Their ids."""
        return frozenset(each.person for each in self.people)


@lru_cache(maxsize=50_000)  # asked for every pair
def fold_words(text: str) -> str:
    """Spell a name or an affiliation for comparison: case, width, punctuation and spacing do not matter."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return " ".join("".join(c if c.isalnum() else " " for c in plain).split())


def fold_who(text: str) -> str:
    """Spell whom somebody names: an address as addresses are, anything else as a name."""
    return text.strip().casefold() if "@" in text else fold_words(text)


@dataclass(frozen=True, slots=True)
class Graph:
    """Who stands where in a call.

    Attributes:
        sides: the people of every living application.
        declared: pairs of application and person, as reviewers declared.
        severities: what the call says of each kind; None does not apply it, a kind that is not there is as usual.
    """

    sides: Mapping[str, Side]
    declared: frozenset[tuple[str, str]] = frozenset()
    severities: Mapping[ConflictKind, Severity | None] = field(default_factory=dict)

    def between(self, reviewer: Party) -> Callable[[str], tuple[Conflict, ...]]:
        """Return what tells the conflicts of a reviewer with an application; their own places are found once."""
        own = frozenset(each.application for each in self.sides.values() if reviewer.person in each.persons)
        beside = [each for each in self.sides.values() if each.includes(reviewer)]

        def found(application: str) -> tuple[Conflict, ...]:
            side = self.sides[application]
            return tuple(self._weighed(self._found(reviewer, side, own, beside)))

        return found

    def _weighed(self, found: Iterable[tuple[ConflictKind, str]]) -> Iterator[Conflict]:
        for kind, evidence in found:
            severity = DEFAULT[kind] if kind in FIXED else self.severities.get(kind, DEFAULT[kind])
            if severity is not None:
                yield Conflict(kind, evidence, severity)

    def _found(
        self, reviewer: Party, side: Side, own: Collection[str], beside: Collection[Side]
    ) -> Iterator[tuple[ConflictKind, str]]:
        if reviewer.person == side.applicant.person:
            yield K.OWN, "the reviewer is the applicant"
        elif side.includes(reviewer):
            yield K.TEAM, "the reviewer is in the team"
        elif own:
            yield K.COMPETITOR, "the reviewer applies in the same call"
        elif any(_joined(other, side) for other in beside):
            yield K.CO_APPLICANT, "the reviewer is named together with its people in another application of this call"
        yield from _tied(reviewer, side)
        yield from _housed(reviewer, side)
        if (side.application, reviewer.person) in self.declared:
            yield K.DECLARED, "the reviewer declared it"


def _joined(other: Side, side: Side) -> bool:
    """Tell whether two applications share people, on the word of `side` or of the people themselves."""
    if other.application == side.application:
        return False
    named = any(not each.addresses.isdisjoint(side.team) for each in other.people)
    return named or not other.persons.isdisjoint(side.persons)


def _tied(reviewer: Party, side: Side) -> Iterator[tuple[ConflictKind, str]]:
    """Yield what somebody declared of somebody: either side's word is enough."""
    known = frozenset().union(*(each.spellings for each in side.people), side.team)
    mine = reviewer.spellings
    if reviewer.coauthors & known or any(each.coauthors & mine for each in side.people):
        yield K.COAUTHOR, "declared as collaborators"
    if reviewer.supervisors & known or any(each.supervisors & mine for each in side.people):
        yield K.SUPERVISOR, "declared as supervisor and supervised"
    if side.named & mine:
        yield K.NAMED, "the applicant asks that the reviewer does not review it"


def _housed(reviewer: Party, side: Side) -> Iterator[tuple[ConflictKind, str]]:
    theirs = {domain(each) for each in (*(a for p in side.people for a in p.addresses), *side.team)}
    for house in sorted({domain(each) for each in reviewer.addresses}):
        if any(same_house(house, each) for each in theirs):
            yield K.DOMAIN, f"both write from {house}"
            break
    work = fold_words(reviewer.affiliation)
    if work and any(work == fold_words(each.affiliation) for each in side.people):
        yield K.AFFILIATION, "both give the same affiliation"
    elif (works := reviewer.works) and any(not works.isdisjoint(each.works) for each in side.people):
        yield K.AFFILIATION, "both belong to the same institution"
    if reviewer.staff and any(each.staff for each in side.people):
        yield K.STAFF, "both work at the lab"
