"""A rehearsal in words and figures: as a document, and as text with a histogram."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from readingroom.admissions.allocation import decimal
from readingroom.admissions.rehearsal.play import Played, Rehearsal
from readingroom.core.canonical import Json

BINS = 20
WIDE = 50  # characters of the longest bar
NEAR = 10  # standings shown on either side of the line


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of the distribution: scores from `low` up to, and not with, `high` (the last one with it)."""

    low: Fraction
    high: Fraction
    funded: int
    unfunded: int
    line: bool
    zone: bool


def histogram(part: Played) -> list[Bin]:
    """Count scores in bins over the scale; mark where the line falls, and where luck decides."""
    reviewing = part.file.reviewing
    scored = [(each.score, each.passes > 0) for each in part.standings if each.score is not None]
    if reviewing is None or not scored:
        return []
    step = Fraction(reviewing.high - reviewing.low, BINS)
    counts = Counter((min(BINS - 1, int((score - reviewing.low) / step)), won) for score, won in scored)
    made = []
    for n in range(BINS):
        low, high = reviewing.low + n * step, reviewing.low + (n + 1) * step
        here = part.line is not None and (low <= part.line < high or (n == BINS - 1 and part.line == high))
        lucky = part.zone is not None and part.zone[0] < high and low <= part.zone[1]
        made.append(Bin(low, high, counts[n, True], counts[n, False], here, lucky))
    return made


def document(found: Rehearsal) -> Json:
    """Return it as JSON; scores with two decimals, as people read them."""
    return {
        "title": found.file.title,
        "applicants": found.applicants,
        "reviewers": found.reviewers,
        "seed": found.seed,
        "repeats": found.repeats,
        "form_problems": [str(each) for each in found.form_problems],
        "flips": None if found.flips is None else round(found.flips, 4),
        "parts": [_part(each) for each in found.parts],
    }


def _part(part: Played) -> Json:
    return {
        "part": part.file.part,
        "policy": part.result.policy if part.result else {"policy": "by-person"},
        "applied": len(part.standings) + part.sifted,
        "sifted_out": part.sifted,
        "reviews_lacking": part.lacking,
        "funded": part.funded,
        "budget": part.file.budget.passes,
        "reserve": part.file.reserve,
        "awarded": part.awarded,
        "rest": part.file.budget.passes - part.file.reserve - part.awarded,
        "line": _score(part.line),
        "zone": [_score(each) for each in part.zone] if part.zone else None,
        "rules": dict(sorted(Counter(each.rule for each in part.standings).items())),
        "quotas": quotas(part),
        "histogram": [
            {"from": _score(b.low), "to": _score(b.high), "funded": b.funded, "unfunded": b.unfunded}
            for b in histogram(part)
        ],
        "standings": [
            {"name": s.name, "rank": s.rank, "score": _score(s.score), "asked": s.asked, "passes": s.passes,
             "rule": s.rule, "wins_percent": s.wins}
            for s in part.standings
        ],
        "what_if": [
            {"change": w.change, "funded": w.funded, "awarded": w.awarded, "rest": w.rest} for w in part.what_if
        ],
    }  # fmt: skip


def quotas(part: Played) -> Json:
    """Return what the allocation says of its quotas; none where the call has none."""
    raw: Json = part.result.to_json() if part.result else {}
    return raw.get("quotas") or []


def _score(value: Fraction | None) -> str | None:
    return None if value is None else decimal(value)


def text(found: Rehearsal) -> str:
    """Say it in text, for a terminal and for a page."""
    return "\n".join(_text(found))


def _text(found: Rehearsal) -> Iterator[str]:
    who = f"{found.applicants} synthetic applicants"
    who += f", {found.reviewers} reviewers" if found.reviewers else ""
    yield f"Rehearsal of {found.file.title!r}: {who}, seed {found.seed}. Nobody in it is anybody."
    for each in found.form_problems:
        yield f"The form: {each}"
    for part in found.parts:
        yield ""
        yield from part_text(part)
    if found.flips is not None:
        yield ""
        yield (
            f"With other reviewers ({found.repeats} times): {found.flips:.0%} of those funded would not have been. "
            "That is how much of the outcome is the luck of who reads."
        )


def part_text(part: Played) -> Iterator[str]:
    """Say how one part came out."""
    file = part.file
    name = f"{file.part}: " if file.part else ""
    rest = file.budget.passes - file.reserve - part.awarded
    yield (
        f"{name}{part.funded} of {len(part.standings) + part.sifted} funded. {file.budget.passes:,} passes = "
        f"{part.awarded:,} awarded + {file.reserve:,} reserve + {rest:,} rest."
    )
    if part.sifted:
        yield f"{part.sifted} are under the line of the sift; a person would confirm each."
    if part.lacking:
        yield f"{part.lacking} reviews have no reviewer without a conflict: find more reviewers."
    bars = histogram(part)
    if bars:
        yield "Scores (# funded, . not; > the funding line, ~ where other reviewers would decide otherwise):"
        most = max(b.funded + b.unfunded for b in bars)
        for b in reversed(bars):
            if b.funded + b.unfunded or b.line or b.zone:
                yield _bar(b, most)
    counted = Counter(each.rule for each in part.standings)
    yield "By rule: " + ", ".join(f"{rule} {count}" for rule, count in sorted(counted.items())) + "."
    for each in quotas(part):
        bound = (
            "binds: they have a part of their own" if each["bound"] else "does not bind: they reach it, or need no more"
        )
        yield f"Quota {each['name']}: keeps {each['passes']:,}, given {each['given']:,}; it {bound}."
    for each in part.what_if:
        yield f"{each.change}: {each.funded} funded, {each.awarded:,} awarded, {each.rest:,} rest."


def _bar(each: Bin, most: int) -> str:
    funded = each.funded * WIDE // most or bool(each.funded)
    unfunded = each.unfunded * WIDE // most or bool(each.unfunded)
    marks = f"{'>' if each.line else ' '}{'~' if each.zone else ' '}"
    return f"{marks} {decimal(each.low):>6} {'#' * funded}{'.' * unfunded} {each.funded + each.unfunded}"
