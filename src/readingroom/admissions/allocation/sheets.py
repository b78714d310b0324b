"""Reason sheets: what decided on an application, and what would have had to differ, in words and figures."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from readingroom.admissions.allocation.dividing import Place, cap
from readingroom.admissions.allocation.model import Candidate, Sheet, decimal
from readingroom.admissions.allocation.scoring import NO_REVIEWS, Score
from readingroom.admissions.call import CallFile
from readingroom.admissions.model import Reason


def set_aside(file: CallFile, candidate: Candidate, known: Score) -> Sheet | None:
    """Say why a candidate is not ranked, or None."""
    reviewing = file.reviewing
    assert reviewing is not None  # noqa: S101 - `allocate` has looked
    vetoes, mean, least = candidate.vetoed, known.mean, file.limits.of(candidate.tier).minimum
    needed = None
    if vetoes >= reviewing.vetoes:
        reason = Reason.VETOED
        text = f"{vetoes} reviewer(s) vetoed it for a risk of misuse; {reviewing.vetoes} exclude an application."
        differ = "Another use of the model, or a plan that takes the named risk away. A higher score would not have."
    elif mean < reviewing.floor:
        reason, needed = Reason.BELOW_FLOOR, reviewing.floor
        shown = "no reviews" if mean == NO_REVIEWS else decimal(mean)
        text = f"Its mean score ({shown}) is under this call's floor of {decimal(reviewing.floor)}."
        differ = f"A mean score of {decimal(reviewing.floor)} or more. The size of the ask played no part."
    elif cap(file, candidate) < least:
        reason = Reason.ASK_TOO_SMALL
        text = f"It asks for {candidate.asked:,} passes, and {_giver(file, candidate)} awards no fewer than {least:,}."
        differ = f"An ask of {least:,} passes or more."
    else:
        return None
    adjusted = known.ranked if file.scoring.additive else None
    return Sheet(
        candidate.application, candidate.asked, mean, None, None, reason, text, differ,
        adjusted=adjusted, half=known.half, needed_score=needed, tier=candidate.tier,
    )  # fmt: skip


def _giver(file: CallFile, candidate: Candidate) -> str:
    """Name what bounds an award: the call, or the tier where it has bounds of its own."""
    return f"the tier {candidate.tier!r} of this call" if candidate.tier in file.limits.tiers else "this call"


def write(file: CallFile, place: Place, ranks: Mapping[str, int], known: Mapping[str, Score]) -> Sheet:
    """Write the sheet of a ranked candidate."""
    who, share = place.candidate, place.share
    mine, rank = known[who.application], ranks[who.application]
    adjusted = mine.ranked if file.scoring.additive else None
    shown = decimal(mine.mean) + (f" ({decimal(mine.ranked)} adjusted)" if adjusted is not None else "")
    text = f"Rank {rank} of {len(ranks)}, mean score {shown}. {_given(file, place)}"
    needed = _needed(place, known)
    amounts = file.amounts(share.passes) if share.passes else None
    return Sheet(
        application=who.application,
        asked=who.asked,
        score=mine.mean,
        rank=rank,
        amounts=amounts,
        reason=share.reason,
        text=text + _quota(place),
        differ=_would_differ(file, place, needed),
        adjusted=adjusted,
        half=mine.half,
        at_once=file.first_tranche(amounts).passes if amounts and file.after.tranches else None,
        chance=share.chance,
        quota=place.part.quota,
        needed_score=needed,
        tier=who.tier,
    )


def _needed(place: Place, known: Mapping[str, Score]) -> Fraction | None:
    """Return the score that would have been awarded something, computed by the policy or read off the ranking."""
    if place.share.needed_score is not None or not place.share.needed_rank:
        return place.share.needed_score
    return known[place.part.candidates[place.share.needed_rank - 1].application].ranked


def _quota(place: Place) -> str:
    if not place.part.quota:
        return ""
    return f" It was decided within the part of the budget that is kept for {place.part.quota}."


def _given(file: CallFile, place: Place) -> str:
    who, share = place.candidate, place.share
    if share.reason in {Reason.IN_FULL, Reason.CHOSEN} and who.asked > share.passes:
        return f"Awarded {share.passes:,} passes, the most that {_giver(file, who)} gives."
    of = f"Awarded {share.passes:,} of {who.asked:,} passes:"
    chance = f"{decimal(share.chance * 100)} %" if share.chance is not None else ""
    sentences = {
        Reason.IN_FULL: f"Awarded the {share.passes:,} passes asked for.",
        Reason.REST_AT_LINE: f"{of} what was left at this rank.",
        Reason.SCALED: f"{of} the same fraction as everyone funded.",
        Reason.CHOSEN: f"Awarded the {share.passes:,} passes asked for, as one of the set with the greatest sum.",
        Reason.NOT_CHOSEN: "Not one of the set with the greatest sum of scores that the budget can fund.",
        Reason.TIER: f"{of} the largest size that its score allows and that was left.",
        Reason.DRAWN: f"Its interval holds the funding line, so lots were drawn: with a chance of {chance} it was "
        f"drawn, and awarded {share.passes:,} of {who.asked:,} passes.",
        Reason.NOT_DRAWN: f"Its interval holds the funding line, so lots were drawn: its chance was {chance}, and it "
        "was not drawn.",
    }
    return sentences.get(share.reason, "The budget did not reach this rank.")


def _would_differ(file: CallFile, place: Place, needed: Fraction | None) -> str:
    """Say what would have changed the result, from what the policy says of rank, score and size."""
    who, share = place.candidate, place.share
    if share.passes and share.reason in {Reason.IN_FULL, Reason.CHOSEN, Reason.DRAWN} and who.asked <= share.passes:
        return "Nothing would have given more: it was awarded in full."
    most = f"Nothing: {cap(file, who):,} passes are the most that {_giver(file, who)} gives anyone."
    fixed = {
        Reason.IN_FULL: most,
        Reason.CHOSEN: most,
        Reason.REST_AT_LINE: "A higher rank, or a smaller ask, would have been awarded in full.",
        Reason.SCALED: "A larger budget or fewer applicants; among those funded, rank does not change the fraction.",
        Reason.TIER: "A higher score or rank, where a larger size asks for it; else a larger ask.",
        Reason.DRAWN: "Those drawn asked together for more than was left, or for more than this call gives anyone.",
        Reason.NOT_DRAWN: "Another draw, or a higher score: the chance grows with it.",
    }
    if share.reason in fixed:
        return fixed[share.reason]
    if share.reason is Reason.NOT_CHOSEN:
        return _knapsack(needed)
    if share.chance is not None and needed is not None:
        return f"From a mean score of {_at_least(needed)} on, with all else equal, it would have had a chance."
    ways = []
    if share.needed_rank and needed is not None:
        ways.append(f"rank {share.needed_rank}, that is a mean score above {decimal(needed)}")
    if share.would_fit:
        ways.append(f"an ask of at most {share.would_fit} passes at the same rank")
    return f"It would have taken {', or '.join(ways)}." if ways else "No score would have: the budget is too small."


def _knapsack(needed: Fraction | None) -> str:
    if needed is None:
        return "A higher score or a smaller ask; among so many applications the exact score was not computed for each."
    return f"A mean score above {decimal(needed)}, with all else equal, or a smaller ask."


def _at_least(value: Fraction) -> str:
    """Spell a least score, rounded up: what is shown must suffice."""
    return decimal(Fraction(-(-value.numerator * 100 // value.denominator), 100))
