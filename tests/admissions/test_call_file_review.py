"""What a call file says of its review; every wrong line is named."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from admissions.world import CALL, call_text
from readingroom.admissions import call_file
from readingroom.admissions.call import Objective, Phase, Reviewing
from readingroom.admissions.model import ConflictKind, Severity
from readingroom.core.errors import BadInput


def read(**more: Any) -> Reviewing:
    found = call_file.parse(call_text(review={**yaml.safe_load(CALL)["review"], **more})).reviewing
    assert found is not None
    return found


def test_a_call_that_says_nothing_more_is_reviewed_as_before() -> None:
    found = read()
    assert (found.load, found.objective, found.severities) == (None, Objective.MAXIMIN, {})
    assert (found.phases, found.double_blind, found.safety_opinions) == ((Phase.INDEPENDENT,), False, 0)


def test_each_key_is_read() -> None:
    found = read(
        load=5,
        objective="sum",
        conflicts={"domain": "potential", "staff": "none"},
        phases=["independent", "panel"],
        double_blind=True,
        safety_opinions=2,
        misuse_vetoes=4,
    )
    assert (found.load, found.objective) == (5, Objective.SUM)
    assert found.severities == {ConflictKind.DOMAIN: Severity.POTENTIAL, ConflictKind.STAFF: None}
    assert found.phases == (Phase.INDEPENDENT, Phase.PANEL)
    assert (found.double_blind, found.safety_opinions, found.vetoes) == (True, 2, 4)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"load": 0}, "load"),
        ({"objective": "fair"}, "maximin"),
        ({"conflicts": {"own": "none"}}, "own"),
        ({"conflicts": {"domain": "weak"}}, "apparent"),
        ({"phases": ["panel", "independent"]}, "not in their order"),
        ({"phases": []}, "not in their order"),
        ({"phases": ["consolidation"]}, "not in their order"),
        ({"phases": ["independent", "independent"]}, "not in their order"),
        ({"safety_opinions": 9}, "5"),
        ({"misuse_vetoes": 3}, "2"),
        ({"double_blind": "perhaps"}, "double_blind"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(more: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(**more)
    assert said in str(caught.value)
    assert "call.yaml:" in str(caught.value)
