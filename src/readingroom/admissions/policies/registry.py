"""The policies by name. A new one is a new file here and a line below; the property tests run over all.

One with parameters of its own has a second line, so that the form that writes call files asks for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from readingroom.admissions.policies import knapsack, lottery, proportional, rank_and_cut, tiers
from readingroom.admissions.policies.base import Policy
from readingroom.admissions.shape import Field
from readingroom.core.document import Node

POLICIES: dict[str, Callable[[Node], Policy]] = {
    "knapsack": knapsack.parse,
    "partial-lottery": lottery.parse,
    "proportional": proportional.parse,
    "rank-and-cut": rank_and_cut.parse,
    "tiers": tiers.parse,
}
PARAMETERS: Mapping[str, tuple[Field, ...]] = {
    "rank-and-cut": rank_and_cut.FIELDS,
    "tiers": tiers.FIELDS,
}
