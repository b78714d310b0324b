"""How long it takes to match reviewers with applications, and how well each objective serves the one served worst.

Usage: python benchmarks/matching.py [APPLICATIONS REVIEWERS]

The instance is synthetic and the same in every run: each application needs 3 reviews, each reviewer takes up to a
quarter more than their part, one pair in ten has a conflict, expertise is 0, 25, 50, 75 or 100, mostly little.
"""

from __future__ import annotations

import random
import sys
import time

from readingroom.admissions.call import Objective
from readingroom.admissions.matching import Lack, Task, match

NEED = 3


def instance(applications: int, reviewers: int, objective: Objective, seed: int = 1) -> Task:
    """Make an instance."""
    chance = random.Random(seed)  # noqa: S311 - nothing here is a secret
    who = [f"person_{i}" for i in range(reviewers)]
    levels = [0, 0, 0, 25, 25, 50, 75, 100]
    allowed = {
        f"application_{i}": {each: chance.choice(levels) for each in who if chance.random() > 0.1}  # noqa: PLR2004
        for i in range(applications)
    }
    room = 1 + NEED * applications * 5 // (4 * reviewers)
    return Task(
        needs=dict.fromkeys(allowed, NEED), allowed=allowed, room=dict.fromkeys(who, room), pool=reviewers,
        objective=objective,
    )  # fmt: skip


def main(sizes: list[tuple[int, int]]) -> None:
    """Print a line for each size and objective."""
    print("applications  reviewers  objective  seconds  proved  worst mean  mean")
    for applications, reviewers in sizes:
        for objective in Objective:
            given = instance(applications, reviewers, objective)
            began = time.perf_counter()
            made = match(given, "salt")
            took = time.perf_counter() - began
            if isinstance(made, Lack):
                print(f"{applications:12} {reviewers:10}  {objective.value:9} {took:8.1f}  no matching")
                continue
            sums = dict.fromkeys(given.needs, 0)
            for a, r in made.edges:
                sums[a] += given.allowed[a][r]
            worst, mean = min(sums.values()) / NEED, sum(sums.values()) / NEED / len(sums)
            said = f"{took:8.1f}  {'yes' if made.proved else 'no':6} {worst:11.1f} {mean:5.1f}"
            print(f"{applications:12} {reviewers:10}  {objective.value:9} {said}")


if __name__ == "__main__":
    main([(int(sys.argv[1]), int(sys.argv[2]))] if sys.argv[2:] else [(20, 10), (100, 40), (300, 100), (300, 300)])
