"""Playing a call: the same rules that will judge real applications, on synthetic ones.

Form, conflicts, assignment, sift, scoring and allocation are the house's own functions; only the people are made up.
Then the reviewers are exchanged for others again and again: what changes was luck.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from readingroom.admissions import answers, distributed
from readingroom.admissions.allocation import Allocation, Candidate, allocate
from readingroom.admissions.call import CallFile, Expectation
from readingroom.admissions.conflicts import Graph, Side
from readingroom.admissions.dividing import counted
from readingroom.admissions.matching import Lack, Task, match
from readingroom.admissions.model import Conflict, Judgement, Reason
from readingroom.admissions.planning import awards_at_most, reviewers_needed
from readingroom.admissions.rehearsal.field import Applicant, Opinions, applicants, reviewers
from readingroom.core.errors import Problem

Between = Callable[[str], tuple[Conflict, ...]]

MAX_APPLICANTS = 5_000
MATCHED_WHOLE = 20_000  # pairs up to which every edge is judged before matching; beyond, only those it comes to


@dataclass(frozen=True, slots=True)
class Standing:
    """How one synthetic applicant came out.

    Attributes:
        score: the mean; None where nobody scored it.
        passes: awarded; 0 where nothing was.
        wins: in how many of a hundred repeats with other reviewers it was funded.
    """

    name: str
    asked: int
    score: Fraction | None
    rank: int | None
    passes: int
    rule: str
    wins: int


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The same field under a changed rule: how many are funded, and what is left over."""

    change: str
    funded: int
    awarded: int
    rest: int


@dataclass(frozen=True, slots=True)
class Played:
    """One part of the call (a round, a half, or the whole of it).

    Attributes:
        sifted: below the sift's line; a person would have confirmed it.
        lacking: reviews that no reviewer without a conflict was left for.
        result: of the allocation; None in a call that holds no competition.
    """

    file: CallFile
    standings: tuple[Standing, ...]
    sifted: int
    lacking: int
    awarded: int
    result: Allocation | None
    what_if: tuple[WhatIf, ...]

    @property
    def funded(self) -> int:
        """How many are awarded something."""
        return sum(1 for each in self.standings if each.passes)

    @property
    def line(self) -> Fraction | None:
        """The lowest funded score."""
        return min((s.score for s in self.standings if s.passes and s.score is not None), default=None)

    @property
    def zone(self) -> tuple[Fraction, Fraction] | None:
        """The scores between which the reviewers one happens to get decide: funded in some repeats, not in all."""
        lucky = [s.score for s in self.standings if s.score is not None and 0 < s.wins < 100]  # noqa: PLR2004 - percent
        return (min(lucky), max(lucky)) if lucky else None


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A call, played.

    Attributes:
        form_problems: why an application that fits the form as written could not be submitted.
        flips: the share of those funded who would not have been, with other reviewers; the mean over the repeats.
    """

    file: CallFile
    applicants: int
    reviewers: int
    seed: int
    repeats: int
    form_problems: tuple[Problem, ...]
    parts: tuple[Played, ...]
    flips: float | None


def rehearse(
    file: CallFile, count: int | None = None, *, seed: int = 0, reviewers_there: int | None = None, repeats: int = 20
) -> Rehearsal:
    """Play a call; the same arguments give the same result.

    Args:
        file: the call.
        count: applicants; None takes what the file expects, else five for each award there could be, from 20 to 500.
        seed: of everything that is drawn.
        reviewers_there: None takes as many as the file says that the lab has, else as many as are needed.
        repeats: how often other reviewers are asked.
    """
    usual = min(500, max(20, 5 * awards_at_most(file)))
    there = min(MAX_APPLICANTS, count or (file.expects.applications if file.expects else usual))
    dice = random.Random(f"rehearsal/{seed}")  # noqa: S311 - a rehearsal is to be repeatable, and hides nothing
    field = applicants(file, there, dice)
    expects = replace(file.expects or Expectation(there), applications=there)
    needed = reviewers_needed(file, expects) if file.reviews_needed else 0
    asked = there if file.distributed else (reviewers_there or expects.reviewers or needed)
    faults = _form_problems(file, field)
    played, flips = [], []
    for number, (part, mine) in enumerate(_parts(file, field, seed)):
        stage = _Stage(part, mine, field, asked, random.Random(f"rehearsal/{seed}/{number}"))  # noqa: S311 - likewise
        one, flipped = stage.play(seed, repeats)
        played.append(one)
        flips += flipped
    mean = sum(flips) / len(flips) if flips else None
    return Rehearsal(file, there, asked if file.reviews_needed else 0, seed, repeats, faults, tuple(played), mean)


def _form_problems(file: CallFile, field: Sequence[Applicant]) -> tuple[Problem, ...]:
    found: dict[str, Problem] = {}
    for each in field:
        for problem in answers.submitting_problems(file, each.draft):
            found.setdefault(f"{problem.where} {problem.what}", problem)
    return tuple(found.values())


def _parts(file: CallFile, field: Sequence[Applicant], seed: int) -> list[tuple[CallFile, list[Applicant]]]:
    """Share the applicants out: over the rounds by turns, over the halves as the call itself will."""
    if not file.distributed:
        parts = file.parts
        return [(part, [*field[n :: len(parts)]]) for n, part in enumerate(parts)]
    people = {each.name: frozenset({each.name}) for each in field}
    sides = distributed.halves(people, _seed(seed))
    return [(p, [a for a in field if a.name in side]) for p, side in zip(file.parts, sides, strict=True)]


def _seed(seed: int) -> bytes:
    return hashlib.sha256(f"rehearsal/{seed}".encode()).digest()


class _Stage:
    """One part of the call, set up: who applies in it, and who reviews what."""

    def __init__(
        self, file: CallFile, mine: list[Applicant], field: Sequence[Applicant], count: int, dice: random.Random
    ) -> None:
        self._file, self._mine, self._dice = file, mine, dice
        self._edges: dict[str, list[str]] = {each.name: [] for each in mine}
        self._lacking = 0
        if file.reviews_needed:
            self._assign(field, count)

    def play(self, seed: int, repeats: int) -> tuple[Played, list[float]]:
        """Play the part once, then again with other reviewers."""
        file = self._file
        if file.policy is None or file.reviewing is None:
            return self._first_come(), []
        first = self._judged()
        kept, sifted = self._sift()
        result = self._allocate(file, first, kept, seed)
        funded = {each.application for each in result.sheets if each.amounts}
        wins: dict[str, int] = dict.fromkeys(kept, 0)
        flips = []
        for _ in range(repeats):
            other = self._allocate(file, self._judged(), kept, seed)
            now = {each.application for each in other.sheets if each.amounts}
            for name in now:
                wins[name] += 1
            if funded:
                flips.append(len(funded - now) / len(funded))
        standings = [
            Standing(
                each.application, each.asked, each.score if each.score >= 0 else None, each.rank,
                each.amounts.passes if each.amounts else 0, each.reason.value,
                round(100 * wins[each.application] / repeats) if repeats else 0,
            )
            for each in result.sheets
        ]  # fmt: skip
        changed = tuple(self._what_if(first, kept, seed))
        awarded = result.awarded.passes
        return Played(file, tuple(standings), sifted, self._lacking, awarded, result, changed), flips

    def _assign(self, field: Sequence[Applicant], count: int) -> None:
        file, own = self._file, {each.name for each in self._mine}
        if file.distributed:
            parties = [each.side.applicant for each in field if each.name not in own]
        else:
            parties = [each.party for each in reviewers(count, len(field), self._dice)]
        if not parties:
            self._lacking = len(self._mine) * file.reviews_needed
            return
        sides = {each.name: each.side for each in self._mine}
        graph = Graph(sides, severities=file.reviewing.severities if file.reviewing else {})
        between = {each.person: graph.between(each) for each in parties}
        edges = None
        if len(parties) * len(sides) <= MATCHED_WHOLE and not file.distributed:
            edges = self._matched(sides, between)
        if edges is None:  # too many for an optimum, or not enough reviewers for everyone: as many as there are
            needs = dict.fromkeys(sides, file.reviews_needed)
            made = distributed.peers(needs, dict.fromkeys(between, 0), lambda a, r: not between[r](a), b"rehearsal")
            edges = made.edges
            self._lacking = sum(made.lacking.values())
        for application, reviewer in edges:
            self._edges[application].append(reviewer)

    def _matched(self, sides: Mapping[str, Side], between: Mapping[str, Between]) -> tuple[tuple[str, str], ...] | None:
        """Match as `call assign` would; None where there is no whole matching."""
        reviewing = self._file.reviewing
        assert reviewing is not None  # noqa: S101 - the caller has looked
        task = Task(
            needs=dict.fromkeys(sides, reviewing.per_application),
            allowed={a: {who: 0 for who, with_ in between.items() if not with_(a)} for a in sides},
            room=dict.fromkeys(between, reviewing.load),
            loads={},
            held={a: [] for a in sides},
            pool=len(between),
            objective=reviewing.objective,
        )
        made = match(task, "rehearsal")
        return None if isinstance(made, Lack) else tuple(made.edges)

    def _judged(self) -> dict[str, tuple[Judgement, ...]]:
        """Ask a new set of reviewers."""
        assert self._file.reviewing is not None  # noqa: S101 - the caller has looked
        opinions = Opinions(self._file.reviewing, self._dice)
        return {a.name: tuple(opinions.judge(r, a) for r in self._edges[a.name]) for a in self._mine}

    def _sift(self) -> tuple[list[str], int]:
        """Return who goes on to full review, and how many do not."""
        file = self._file
        if file.sift is None or file.reviewing is None:
            return [each.name for each in self._mine], 0
        opinions = Opinions(file.reviewing, self._dice)
        kept = []
        for each in self._mine:
            seen = [opinions.judge(f"S-{n}", each).scores[file.sift.criterion] for n in range(file.sift.reviews)]
            if Fraction(sum(seen), len(seen)) >= file.sift.line:
                kept.append(each.name)
        return kept, len(self._mine) - len(kept)

    def _allocate(
        self, file: CallFile, judged: Mapping[str, tuple[Judgement, ...]], kept: Sequence[str], seed: int
    ) -> Allocation:
        going = set(kept)
        played = [self._candidate(file, each, judged) for each in self._mine if each.name in going]
        return allocate(file, played, _seed(seed))

    def _candidate(self, file: CallFile, each: Applicant, judged: Mapping[str, tuple[Judgement, ...]]) -> Candidate:
        """Return a synthetic applicant as the allocation takes real ones: with whatever a rule may look at."""
        draft = each.draft
        return Candidate(
            application=each.name,
            asked=draft.passes,
            judgements=judged[each.name],
            reviewers=tuple(self._edges[each.name]),
            answers=counted(file.quotas, draft.answers),
            tier=draft.tier,
        )

    def _what_if(self, judged: Mapping[str, tuple[Judgement, ...]], kept: Sequence[str], seed: int) -> list[WhatIf]:
        file, limits = self._file, self._file.limits
        changes = {
            "as the file says": file,
            "without the reserve": replace(file, reserve=0),
            "half the minimum": replace(file, limits=replace(limits, minimum=max(1, limits.minimum // 2), tiers={})),
            "half the maximum": replace(
                file, limits=replace(limits, maximum=max(limits.minimum, limits.maximum // 2), tiers={})
            ),
            "twice the maximum": replace(file, limits=replace(limits, maximum=2 * limits.maximum, tiers={})),
        }
        if file.quotas:
            changes["without the quotas"] = replace(file, quotas=())
        found = []
        for name, changed in changes.items():
            result = self._allocate(changed, judged, kept, seed)
            funded = sum(1 for each in result.sheets if each.amounts)
            found.append(WhatIf(name, funded, result.awarded.passes, result.rest.passes))
        return found

    def _first_come(self) -> Played:
        """Play a call in which a person decides: whoever comes first is served, while the budget lasts."""
        left, standings = self._file.budget.passes - self._file.reserve, []
        for each in self._mine:
            bounds = self._file.limits.of(each.draft.tier)
            given = min(each.draft.passes, bounds.maximum)
            given = given if bounds.minimum <= given <= left else 0
            left -= given
            rule = Reason.SUITABLE if given else Reason.BUDGET_SPENT
            standings.append(Standing(each.name, each.draft.passes, None, None, given, rule.value, 100 if given else 0))
        awarded = self._file.budget.passes - self._file.reserve - left
        return Played(self._file, tuple(standings), 0, self._lacking, awarded, None, ())
