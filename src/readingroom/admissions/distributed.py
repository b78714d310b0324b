"""Distributed review: applicants review one another, and none can help themselves by how they do it.

A partition mechanism. When the call closes, the published seed shuffles the applications into two halves; whoever
works on several stays on one side with all of them. Each half has its own half of the budget, fixed beforehand, and
is reviewed by the applicants of the other half alone. So what somebody scores moves awards only among applications
that they do not compete with: no review can change its author's own award (N. Alon, F. Fischer, A. Procaccia,
M. Tennenholtz: Sum of us, 2011; H. Aziz et al.: Strategyproof peer selection, 2019, whose exact dollar partition
lets reviews move money between the parts as well).

What it does not promise: that reviews are done with care; that two persons who hide that they work together are kept
from trading scores across the halves (conflicts that are known are absent edges, as everywhere); and where the better
half of the field falls to one side by chance, some are refused there who would have been funded in one ranking.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


def dividing_seed(seed: bytes) -> bytes:
    """Return what divides a call: made of its seed, which is revealed at allocation, so anyone can divide it again."""
    return hashlib.sha256(b"halves" + seed).digest()


def halves(people: Mapping[str, frozenset[str]], seed: bytes) -> tuple[frozenset[str], frozenset[str]]:
    """Shuffle applications into two halves of nearly one size; the order and the names do not matter.

    Args:
        people: application to the ids of the persons who are part of it: who applies, and who joined the team. (Not
            whom somebody merely named: else one applicant could draw all others to one side.)
        seed: the call's, committed to when it opened.

    Returns:
        The applications of each half. Their sizes differ by no more than the largest group that hangs together.
    """
    sides: tuple[set[str], set[str]] = (set(), set())
    groups = sorted(_groups(people), key=lambda each: (-len(each), _shuffle(seed, min(each))))
    for number, each in enumerate(groups):
        first, second = sides
        even = number % 2 if len(first) == len(second) else int(len(first) > len(second))
        sides[even].update(each)
    return frozenset(sides[0]), frozenset(sides[1])


def _groups(people: Mapping[str, frozenset[str]]) -> list[frozenset[str]]:
    """Return what hangs together by shared persons."""
    parent = {each: each for each in people}

    def root(each: str) -> str:
        while parent[each] != each:
            parent[each] = parent[parent[each]]
            each = parent[each]
        return each

    first: dict[str, str] = {}
    for application in sorted(people):
        for person in people[application]:
            one, other = root(application), root(first.setdefault(person, application))
            parent[max(one, other)] = min(one, other)
    found: dict[str, set[str]] = {}
    for application in people:
        found.setdefault(root(application), set()).add(application)
    return [frozenset(each) for each in found.values()]


@dataclass(frozen=True, slots=True)
class Peers:
    """Who reviews what: edges of (application, reviewer), and how many reviews are lacking of which application."""

    edges: tuple[tuple[str, str], ...]
    lacking: Mapping[str, int] = field(default_factory=dict)


@dataclass
class _Table:
    """The matching while it is made."""

    allowed: Callable[[str, str], bool]
    room: dict[str, int]
    given: dict[str, list[str]]

    def fits(self, application: str, reviewer: str) -> bool:
        return reviewer not in self.given[application] and self.allowed(application, reviewer)

    def give(self, application: str, reviewer: str) -> None:
        self.given[application].append(reviewer)
        self.room[reviewer] -= 1

    def swap_in(self, application: str) -> bool:
        """Find room for one more reviewer by moving another review; every edge stays one that is allowed."""
        for spare in [each for each, room in self.room.items() if room > 0]:
            for other, reviewers in self.given.items():
                if other == application or not self.fits(other, spare):
                    continue
                for at, moved in enumerate(reviewers):
                    if self.fits(application, moved):
                        reviewers[at] = spare
                        self.room[spare] -= 1
                        self.given[application].append(moved)
                        return True
        return False


def peers(
    needs: Mapping[str, int],
    reviewers: Mapping[str, int],
    allowed: Callable[[str, str], bool],
    seed: bytes,
) -> Peers:
    """Give each application of one half its reviewers out of the other half.

    Args:
        needs: application to how many more reviews it needs.
        reviewers: person to how many reviews they hold already.
        allowed: whether a person may review an application; where not, there is no edge.
        seed: shuffles, so that neither order nor names matter.

    Returns:
        The new edges. Each reviewer gives the same number, or one fewer, unless conflicts leave no such matching.
    """
    wanted, held = sum(needs.values()), sum(reviewers.values())
    each = -(-(wanted + held) // len(reviewers)) if reviewers else 0
    room = {person: max(0, each - has) for person, has in reviewers.items()}
    table = _Table(allowed, room, {application: [] for application in needs})
    line = sorted(reviewers, key=lambda person: (reviewers[person], _shuffle(seed, person)))
    short = []
    for application in sorted(needs, key=lambda one: _shuffle(seed, one)):
        passed: list[str] = []
        while line and len(table.given[application]) < needs[application]:
            person = line.pop(0)
            if table.room[person] > 0 and table.fits(application, person):
                table.give(application, person)
                line.append(person)
            elif table.room[person] > 0:
                passed.append(person)
        line = passed + line
        short += [application] * (needs[application] - len(table.given[application]))
    lacking: dict[str, int] = {}
    for application in short:
        free = next((p for p in sorted(room) if table.room[p] > 0 and table.fits(application, p)), None)
        if free is not None:
            table.give(application, free)
        elif not table.swap_in(application):
            lacking[application] = lacking.get(application, 0) + 1
    edges = tuple((application, person) for application, given in sorted(table.given.items()) for person in given)
    if any(not allowed(*edge) for edge in edges):
        raise AssertionError("a conflict was assigned")  # looked at after every matching, whatever made it
    return Peers(edges, lacking)


def _shuffle(seed: bytes, name: str) -> bytes:
    return hashlib.sha256(seed + name.encode()).digest()
