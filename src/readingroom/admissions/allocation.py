"""Dividing a call's budget: a pure function of its file, the reviews and the seed. Integers and fractions only.

1. An application with too many misuse vetoes, or a weighted mean under the floor, is set aside.
2. The rest are ranked by the mean over reviews of the weighted mean over criteria, exact as a fraction; ties are
   broken by SHA-256 over the seed and the application's random id: not by order of arrival, and by no name.
3. The call's policy divides budget minus reserve; each amount is from the minimum to the least of ask and maximum.

The seed was committed to in the ledger when the call opened and is revealed with the result, so anyone can run
this again to the same bytes. (The lab knows the seed meanwhile: it cannot change it, but it is not surprised by it.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction

from readingroom.admissions.call import CallFile, Reviewing
from readingroom.admissions.model import Amounts, Judgement, Reason, Risk
from readingroom.admissions.policies.base import Pot, Share
from readingroom.core.canonical import Json, digest

NO_REVIEWS = Fraction(-1)  # below every scale; a binding allocation never meets it


@dataclass(frozen=True, slots=True)
class Candidate:
    """An application as the allocation sees it."""

    application: str
    asked: int
    judgements: tuple[Judgement, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What an applicant is told: score, rank, what was given, by which rule, and what would have changed it.

    Attributes:
        score: the weighted mean, exact.
        rank: among those ranked, from 1; None where it was set aside before the ranking.
        amounts: what is awarded; None where nothing is.
    """

    application: str
    asked: int
    score: Fraction
    rank: int | None
    amounts: Amounts | None
    reason: Reason
    text: str
    differ: str

    def to_json(self) -> Json:
        """Return it as JSON; the score as an exact fraction."""
        return {
            "application": self.application,
            "asked": self.asked,
            "score": str(self.score),
            "rank": self.rank,
            "amounts": self.amounts.to_json() if self.amounts else None,
            "reason": self.reason.value,
            "text": self.text,
            "differ": self.differ,
        }

    @classmethod
    def read(cls, raw: Json) -> Sheet:
        """Read back what `to_json` gave."""
        given = Amounts(**raw["amounts"]) if raw["amounts"] else None
        mean, reason = Fraction(raw["score"]), Reason(raw["reason"])
        return cls(raw["application"], raw["asked"], mean, raw["rank"], given, reason, raw["text"], raw["differ"])


@dataclass(frozen=True, slots=True)
class Allocation:
    """A budget divided: `budget == awarded + reserve + rest` in every unit.

    Attributes:
        sheets: the ranked ones by rank, then those set aside; the order says nothing about arrival.
    """

    policy: Json
    seed: str
    budget: Amounts
    reserve: Amounts
    awarded: Amounts
    rest: Amounts
    sheets: tuple[Sheet, ...]

    def to_json(self) -> Json:
        """Return it as JSON: the bytes that are the same for the same inputs and seed."""
        return {
            "policy": self.policy,
            "seed": self.seed,
            "budget": self.budget.to_json(),
            "reserve": self.reserve.to_json(),
            "awarded": self.awarded.to_json(),
            "rest": self.rest.to_json(),
            "sheets": [each.to_json() for each in self.sheets],
        }

    @property
    def digest(self) -> str:
        """The digest of the canonical JSON."""
        return digest(self.to_json())


def score(reviewing: Reviewing, judgements: Collection[Judgement]) -> Fraction:
    """Return the mean over reviews of the weighted mean over criteria, exact."""
    if not judgements:
        return NO_REVIEWS
    weights = sum(each.weight for each in reviewing.criteria)
    total = sum(each.weight * given.scores[each.name] for given in judgements for each in reviewing.criteria)
    return Fraction(total, weights * len(judgements))


def tie_break(seed: bytes, application: str) -> bytes:
    """Return what orders equal scores: SHA-256 over the seed, then the application's id; the smaller goes first."""
    return hashlib.sha256(seed + application.encode()).digest()


def allocate(file: CallFile, candidates: Collection[Candidate], seed: bytes) -> Allocation:
    """Divide a competitive call's budget; see the module's text.

    Args:
        file: the call; must have reviews and a policy.
        candidates: in any order; the order does not matter.
        seed: 32 bytes.
    """
    if file.policy is None or file.reviewing is None:
        raise ValueError("a call without a competition has nothing to allocate")
    scores = {each.application: score(file.reviewing, each.judgements) for each in candidates}
    order = sorted(candidates, key=lambda c: (-scores[c.application], tie_break(seed, c.application)))
    aside = {each.application: _set_aside(file, each, scores[each.application]) for each in order}
    ranked = [each for each in order if aside[each.application] is None]
    pot = Pot(file.budget.passes - file.reserve, file.limits.minimum)
    line = [scores[each.application] for each in ranked]
    shares = file.policy.share(pot, [_cap(file, each) for each in ranked])
    sheets = [
        _sheet(file, each, rank, share, line)
        for rank, (each, share) in enumerate(zip(ranked, shares, strict=True), start=1)
    ]
    sheets += [sheet for each in order if (sheet := aside[each.application]) is not None]
    return _sum_up(file, sheets, seed)


def _cap(file: CallFile, candidate: Candidate) -> int:
    return min(candidate.asked, file.limits.maximum)


def _set_aside(file: CallFile, candidate: Candidate, mean: Fraction) -> Sheet | None:
    """Say why a candidate is not ranked, or None."""
    reviewing = file.reviewing
    assert reviewing is not None  # noqa: S101 - `allocate` has looked
    vetoes = sum(1 for each in candidate.judgements if each.risk is Risk.VETO)
    if vetoes >= reviewing.vetoes:
        reason = Reason.VETOED
        text = f"{vetoes} reviewer(s) vetoed it for a risk of misuse; {reviewing.vetoes} exclude an application."
        differ = "Another use of the model, or a plan that takes the named risk away. A higher score would not have."
    elif mean < reviewing.floor:
        reason = Reason.BELOW_FLOOR
        shown = "no reviews" if mean == NO_REVIEWS else decimal(mean)
        text = f"Its mean score ({shown}) is under this call's floor of {decimal(reviewing.floor)}."
        differ = f"A mean score of {decimal(reviewing.floor)} or more. The size of the ask played no part."
    elif _cap(file, candidate) < file.limits.minimum:
        reason = Reason.ASK_TOO_SMALL
        text = f"It asks for {candidate.asked} passes, and this call awards no fewer than {file.limits.minimum}."
        differ = f"An ask of {file.limits.minimum} passes or more."
    else:
        return None
    return Sheet(candidate.application, candidate.asked, mean, None, None, reason, text, differ)


def _sheet(file: CallFile, who: Candidate, rank: int, share: Share, line: list[Fraction]) -> Sheet:
    """Write the sheet of a ranked candidate; `line` holds the scores of all ranked ones, by rank."""
    mean = line[rank - 1]
    amounts = file.amounts(share.passes) if share.passes else None
    text = f"Rank {rank} of {len(line)}, mean score {decimal(mean)}. {_given(file, who, share)}"
    differ = _would_differ(file, who, share, line)
    return Sheet(who.application, who.asked, mean, rank, amounts, share.reason, text, differ)


def _given(file: CallFile, who: Candidate, share: Share) -> str:
    if share.reason is Reason.IN_FULL and who.asked > share.passes:
        return f"Awarded the call's maximum of {file.limits.maximum} passes."
    sentences = {
        Reason.IN_FULL: f"Awarded the {share.passes} passes asked for.",
        Reason.REST_AT_LINE: f"Awarded {share.passes} of {who.asked} passes: what was left at this rank.",
        Reason.SCALED: f"Awarded {share.passes} of {who.asked} passes: the same fraction as everyone funded.",
    }
    return sentences.get(share.reason, "The budget did not reach this rank.")


def _would_differ(file: CallFile, who: Candidate, share: Share, line: list[Fraction]) -> str:
    """Say what would have changed the result, from what the policy says of rank and size."""
    if share.reason is Reason.IN_FULL and who.asked <= share.passes:
        return "Nothing would have given more: it was awarded in full."
    if share.reason is Reason.IN_FULL:
        return f"Nothing: {file.limits.maximum} passes are the most this call gives anyone."
    if share.reason is Reason.REST_AT_LINE:
        return "A higher rank, or a smaller ask, would have been awarded in full."
    if share.reason is Reason.SCALED:
        return "A larger budget or fewer applicants; among those funded, rank does not change the fraction."
    ways = []
    if share.needed_rank:
        ways.append(f"rank {share.needed_rank}, that is a mean score above {decimal(line[share.needed_rank - 1])}")
    if share.would_fit:
        ways.append(f"an ask of at most {share.would_fit} passes at the same rank")
    return f"It would have taken {', or '.join(ways)}." if ways else "No score would have: the budget is too small."


def decimal(value: Fraction) -> str:
    """Spell a fraction for people, with two decimals, rounded half up; exact where it has no more."""
    hundredths = (value.numerator * 200 + value.denominator) // (2 * value.denominator)
    return f"{'-' if hundredths < 0 else ''}{abs(hundredths) // 100}.{abs(hundredths) % 100:02}"


def _sum_up(file: CallFile, sheets: list[Sheet], seed: bytes) -> Allocation:
    def total(unit: str) -> int:
        return sum(each.amounts.units()[unit] for each in sheets if each.amounts)

    units = file.budget.units()
    reserve = file.reserved()
    awarded = {unit: total(unit) for unit in units}
    rest = {unit: units[unit] - reserve.units()[unit] - awarded[unit] for unit in units}
    return Allocation(
        policy=file.policy.canonical() if file.policy else None,
        seed=seed.hex(),
        budget=file.budget,
        reserve=reserve,
        awarded=Amounts(**awarded),
        rest=Amounts(**rest),
        sheets=tuple(sheets),
    )
