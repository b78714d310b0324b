"""How long each policy takes to divide a call among 10,000 applications, with quotas and adjusted scores.

python -m benchmarks.allocation [APPLICATIONS]
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from importlib.resources import files

from readingroom.admissions import call_file
from readingroom.admissions.allocation import Candidate, allocate
from readingroom.admissions.call import CallFile, Limits
from readingroom.admissions.dividing import Quota, Scoring
from readingroom.admissions.model import Amounts, Judgement
from readingroom.admissions.policies.base import Policy
from readingroom.admissions.policies.knapsack import Knapsack
from readingroom.admissions.policies.lottery import PartialLottery
from readingroom.admissions.policies.proportional import Proportional
from readingroom.admissions.policies.rank_and_cut import AtLine, RankAndCut
from readingroom.admissions.policies.tiers import Size, Tiers

POLICIES: tuple[Policy, ...] = (
    *(RankAndCut(each) for each in AtLine),
    Proportional(),
    Tiers((Size(2_000), Size(5_000), Size(15_000, Fraction(4))), 50),
    Knapsack(),
    PartialLottery(),
)
SEED = bytes(32)


def applicants(count: int, *, round_asks: bool = False) -> list[Candidate]:
    """Make up applications: asks from 2,000 to 15,000, three reviews each by as many reviewers as ten a head takes."""
    draw = random.Random(count)  # noqa: S311 - a workload, the same each time
    reviewers = [f"reviewer_{i}" for i in range(max(3, count * 3 // 10))]
    made = []
    for i in range(count):
        quality = draw.gauss(3.5, 0.7)
        scores = [
            {name: min(5, max(1, round(draw.gauss(quality, 0.7)))) for name in ("merit", "need")} for _ in range(3)
        ]
        asked = draw.randrange(2, 16) * 1_000 if round_asks else draw.randrange(2_000, 15_001)
        answers = {"egress": draw.choice(["text only", "aggregate only", "logprobs"])}
        by = tuple(draw.sample(reviewers, 3))
        made.append(Candidate(f"a{i}", asked, tuple(Judgement(s, "") for s in scores), by, answers=answers))
    return made


def file(count: int, policy: Policy, *, plain: bool = False) -> CallFile:
    """Return a call that can fund about a third of what is asked."""
    made = call_file.parse((files("readingroom.app") / "templates/call.yaml").read_text(encoding="utf-8"))
    return replace(
        made,
        budget=Amounts(count * 3_000),
        reserve=0,
        limits=Limits(2_000, 15_000, 90, 14),
        policy=policy,
        quotas=() if plain else (Quota("text only", "egress", "text only", 45),),
        scoring=Scoring() if plain else Scoring(additive=True),
    )


def timed(count: int) -> Iterator[tuple[str, str, float]]:
    """Yield policy, kind of call, and seconds."""
    for plain, round_asks in ((True, False), (True, True), (False, False)):
        who = applicants(count, round_asks=round_asks)
        kind = ("plain" if plain else "quota, adjusted") + (", asks in thousands" if round_asks else "")
        for policy in POLICIES:
            begun = time.perf_counter()
            result = allocate(file(count, policy, plain=plain), who, SEED)
            took = time.perf_counter() - begun
            name = policy.name + (f" ({policy.at_line.value})" if isinstance(policy, RankAndCut) else "")
            assert result.awarded.passes + result.rest.passes == result.budget.passes  # noqa: S101
            yield name, kind, took


def main() -> None:
    """Print a table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    print(f"{count:,} applications, three reviews each")
    for name, kind, took in timed(count):
        print(f"{name:24} {kind:28} {took:6.2f} s", flush=True)


if __name__ == "__main__":
    main()
