from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest

from readingroom.admissions import machines, rules
from readingroom.admissions.machines import APPLICATION, AWARD, CALL, REVIEW, Machine
from readingroom.admissions.model import ApplicationState, AwardState, CallState, ReviewState

ALL: list[Machine[Any]] = [CALL, APPLICATION, REVIEW, AWARD]
STATES: dict[str, type[StrEnum]] = {
    "call": CallState,
    "application": ApplicationState,
    "review": ReviewState,
    "award": AwardState,
}


@pytest.mark.parametrize("machine", ALL, ids=lambda each: each.name)
def test_every_state_can_be_reached_from_the_start(machine: Machine[Any]) -> None:
    reached, grew = {machine.start}, True
    while grew:
        further = {after for (before, _), after in machine.transitions.items() if before in reached} - reached
        reached, grew = reached | further, bool(further)
    assert reached == set(STATES[machine.name])


@pytest.mark.parametrize("machine", ALL, ids=lambda each: each.name)
def test_an_act_is_refused_exactly_where_the_table_has_none(machine: Machine[Any]) -> None:
    acts = {act for _, act in machine.transitions}
    for state in STATES[machine.name]:
        for act in acts:
            refusal = machine.check(state, act)
            assert (refusal is None) == machine.can(state, act) == ((state, act) in machine.transitions)
            if refusal:
                assert refusal.code == "admissions/wrong-state"


def test_a_return_for_correction_is_no_end_and_a_decision_is() -> None:
    assert APPLICATION.can(ApplicationState.RETURNED, "submit")
    assert APPLICATION.final == {ApplicationState.AWARDED, ApplicationState.WITHDRAWN}
    after = {act for state, act in APPLICATION.transitions if state is ApplicationState.REFUSED}
    assert after == {"uphold", "second-chance"}, "a refusal ends it, but for an appeal or what came back"
    assert AWARD.final == {AwardState.ACCEPTED, AwardState.DECLINED, AwardState.LAPSED}


def test_each_machine_is_drawn_with_every_transition() -> None:
    diagrams = rules.diagrams()
    assert set(diagrams) == {"call", "application", "review", "award", "request", "appeal"}
    drawn = machines.mermaid(APPLICATION)
    assert drawn.startswith("stateDiagram-v2\n    [*] --> draft\n")
    assert "    under_review --> withdrawn: withdraw\n" in drawn
    assert drawn.count(": ") == len(APPLICATION.transitions)
