"""The policy, applied to one pot or, where quotas bind, to several.

An application belongs to the first quota whose answer it gives, if to any. The policy first divides the whole. A quota
whose applications are then given less than it keeps for them (and could have used more) binds: they are divided that
much among themselves, and what they leave goes to all others, who are divided the rest. So a policy knows nothing of
quotas, and a quota takes nothing from its own applications.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from readingroom.admissions.allocation.model import Candidate, QuotaResult
from readingroom.admissions.allocation.scoring import Score
from readingroom.admissions.call import CallFile
from readingroom.admissions.dividing import Quota
from readingroom.admissions.policies.base import Claim, Pot, Share


@dataclass(frozen=True, slots=True)
class Place:
    """One candidate's place in its part: what it is given, beside whom."""

    part: Part
    index: int

    @property
    def candidate(self) -> Candidate:
        """Who."""
        return self.part.candidates[self.index]

    @property
    def share(self) -> Share:
        """What it is given."""
        return self.part.shares[self.index]


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the budget, and how it was divided; `quota` is empty where it is everybody's."""

    quota: str
    candidates: Sequence[Candidate]
    shares: Sequence[Share]

    def places(self) -> Iterator[Place]:
        """Go through the candidates, the best ranked first."""
        return (Place(self, index) for index in range(len(self.candidates)))

    @property
    def given(self) -> int:
        """How many passes are given in all."""
        return sum(each.passes for each in self.shares)


@dataclass(frozen=True, slots=True)
class _Division:
    """The call's policy, with what it needs to know of every candidate."""

    file: CallFile
    known: Mapping[str, Score]
    lots: bytes

    def __call__(self, quota: str, passes: int, members: Sequence[Candidate]) -> Part:
        """Divide so many passes among some; each part draws lots of its own."""
        assert self.file.policy is not None  # noqa: S101 - `allocate` has looked
        scores = [self.known[each.application] for each in members]
        claims = [self._claim(who, known) for who, known in zip(members, scores, strict=True)]
        lot = hashlib.sha256(b"readingroom lot" + self.lots + quota.encode()).digest()
        return Part(quota, members, self.file.policy.share(Pot(passes, self.file.limits.minimum), claims, lot))

    def _claim(self, who: Candidate, known: Score) -> Claim:
        least = self.file.limits.of(who.tier).minimum
        return Claim(cap(self.file, who), known.ranked, known.half, least)


def group(quotas: Sequence[Quota], candidate: Candidate) -> str:
    """Return the name of the quota that an application belongs to, or an empty text."""
    return next((each.name for each in quotas if candidate.answers.get(each.question) == each.answer), "")


def cap(file: CallFile, candidate: Candidate) -> int:
    """Return the most that a candidate can be given."""
    return min(candidate.asked, file.limits.of(candidate.tier).maximum)


def divide(
    file: CallFile, ranked: Sequence[Candidate], known: Mapping[str, Score], lots: bytes
) -> tuple[list[Part], tuple[QuotaResult, ...]]:
    """Divide what a call has among those ranked, the best first; see the module's text."""
    whole = file.budget.passes - file.reserve
    kept = {each.name: whole * each.percent // 100 for each in file.quotas}
    groups = {each.application: group(file.quotas, each) for each in ranked}
    most = {name: sum(cap(file, each) for each in ranked if groups[each.application] == name) for name in kept}
    within = _Division(file, known, lots)
    bound: dict[str, Part] = {}
    while True:
        others = [each for each in ranked if groups[each.application] not in bound]
        left = whole - sum(each.given for each in bound.values())
        open_part = within("", left, others)
        given = {name: _given(open_part, groups, name) for name in kept if name not in bound}
        short = [name for name in given if given[name] < min(kept[name], most[name])]
        if not short:
            break
        for name in short:
            members = [each for each in ranked if groups[each.application] == name]
            bound[name] = within(name, kept[name], members)
    results = [QuotaResult(n, kept[n], bound[n].given if n in bound else given[n], n in bound) for n in kept]
    return [open_part, *bound.values()], tuple(results)


def _given(part: Part, groups: Mapping[str, str], name: str) -> int:
    return sum(each.share.passes for each in part.places() if groups[each.candidate.application] == name)
