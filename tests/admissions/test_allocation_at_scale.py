"""Ten thousand applications, and the best knapsack beside that of an integer program."""

from __future__ import annotations

import random

import pytest
from benchmarks.allocation import POLICIES, applicants, file

from admissions.test_allocation import SEED
from readingroom.admissions.allocation import allocate
from readingroom.admissions.policies.base import Policy
from readingroom.admissions.policies.knapsack import best_set


@pytest.mark.deep
@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: str(policy.canonical()))
def test_ten_thousand_applications_are_divided_by_every_policy(policy: Policy) -> None:
    result = allocate(file(10_000, policy, plain=policy.name != "knapsack"), applicants(10_000), SEED)
    assert len(result.sheets) == 10_000
    assert result.awarded.passes + result.reserve.passes + result.rest.passes == result.budget.passes
    assert result.awarded.passes > result.budget.passes * 8 // 10


@pytest.mark.deep
@pytest.mark.parametrize("count", [40, 200, 1_000])
def test_the_best_set_is_worth_what_an_integer_program_finds(count: int) -> None:
    np = pytest.importorskip("numpy")
    optimize = pytest.importorskip("scipy.optimize")
    draw = random.Random(count)  # noqa: S311 - instances, the same each time
    for correlated in (False, True):
        values = [draw.randint(30, 150) for _ in range(count)]
        weights = [each * 100 + draw.randint(0, 99) if correlated else draw.randint(2_000, 15_000) for each in values]
        room = sum(weights) // 3
        limit = optimize.LinearConstraint(np.array([weights], dtype=float), ub=float(room))
        found = optimize.milp(
            -np.array(values, dtype=float), constraints=limit, bounds=optimize.Bounds(0, 1),
            integrality=np.ones(count), options={"mip_rel_gap": 0},
        )  # fmt: skip
        assert sum(values[i] for i in best_set(values, weights, room)) == round(-found.fun)
