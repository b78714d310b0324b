"""The state machines of the room as tables: what is not in a table cannot happen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from readingroom.admissions.model import ApplicationState, AwardState, CallState, ReviewState
from readingroom.core.refusal import Refusal

State = TypeVar("State", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Machine(Generic[State]):
    """A machine by its transitions: (state, act) to the state after it.

    Attributes:
        name: what it is the machine of.
        start: the state in which each begins.
    """

    name: str
    start: State
    transitions: Mapping[tuple[State, str], State]

    def can(self, state: State, act: str) -> bool:
        """Tell whether an act is possible in a state: the yes/no twin of `check`."""
        return (state, act) in self.transitions

    def check(self, state: State, act: str) -> Refusal | None:
        """Refuse an act that the state does not allow, and say which it does."""
        if self.can(state, act):
            return None
        possible = sorted(each for (where, each) in self.transitions if where is state)
        cure = f"It can be: {', '.join(possible)}." if possible else "Nothing further can be done with it."
        return Refusal(
            "admissions/wrong-state",
            f"This {self.name} is {state.value}; {act!r} is not possible now. {cure}",
            {"machine": self.name, "state": state.value, "act": act, "possible": possible},
        )

    def after(self, state: State, act: str) -> State:
        """Return the state after an act that `check` allowed."""
        return self.transitions[state, act]

    @property
    def final(self) -> frozenset[State]:
        """Return the states that nothing leaves."""
        return frozenset(self.transitions.values()) - {where for where, _ in self.transitions}


_C, _A, _R, _W = CallState, ApplicationState, ReviewState, AwardState

CALL = Machine(
    "call",
    _C.OPEN,
    {
        (_C.OPEN, "close"): _C.CLOSED,
        (_C.CLOSED, "allocate"): _C.ALLOCATED,
        (_C.ALLOCATED, "publish"): _C.PUBLISHED,
    },
)

APPLICATION = Machine(
    "application",
    _A.DRAFT,
    {
        (_A.DRAFT, "submit"): _A.SUBMITTED,
        (_A.DRAFT, "withdraw"): _A.WITHDRAWN,
        (_A.SUBMITTED, "submit"): _A.SUBMITTED,  # an amendment: a further version
        (_A.SUBMITTED, "return"): _A.RETURNED,
        (_A.SUBMITTED, "review"): _A.UNDER_REVIEW,
        (_A.SUBMITTED, "withdraw"): _A.WITHDRAWN,
        (_A.SUBMITTED, "award"): _A.AWARDED,
        (_A.SUBMITTED, "refuse"): _A.REFUSED,
        (_A.RETURNED, "submit"): _A.SUBMITTED,
        (_A.RETURNED, "withdraw"): _A.WITHDRAWN,
        (_A.RETURNED, "refuse"): _A.REFUSED,  # by a person, once its time to be corrected is over
        (_A.UNDER_REVIEW, "withdraw"): _A.WITHDRAWN,
        (_A.UNDER_REVIEW, "award"): _A.AWARDED,
        (_A.UNDER_REVIEW, "refuse"): _A.REFUSED,
        (_A.REFUSED, "uphold"): _A.AWARDED,  # an appeal was upheld; its award comes out of the reserve
        (_A.REFUSED, "second-chance"): _A.AWARDED,  # out of what came back, in the published order
    },
)

REVIEW = Machine(
    "review",
    _R.ASSIGNED,
    {
        (_R.ASSIGNED, "submit"): _R.SUBMITTED,
        (_R.ASSIGNED, "recuse"): _R.RECUSED,
        (_R.ASSIGNED, "release"): _R.RELEASED,
        (_R.SUBMITTED, "submit"): _R.SUBMITTED,  # amended
        (_R.SUBMITTED, "recuse"): _R.RECUSED,
    },
)

AWARD = Machine(
    "award",
    _W.OFFERED,
    {
        (_W.OFFERED, "accept"): _W.ACCEPTED,
        (_W.OFFERED, "decline"): _W.DECLINED,
        (_W.OFFERED, "lapse"): _W.LAPSED,
    },
)


def mermaid(machine: Machine[State]) -> str:
    """Draw a machine as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {_node(machine.start)}"]
    lines += [f"    {_node(before)} --> {_node(after)}: {act}" for (before, act), after in machine.transitions.items()]
    lines += [f"    {_node(state)} --> [*]" for state in sorted(machine.final)]
    return "\n".join(lines) + "\n"


def _node(state: StrEnum) -> str:
    return state.value.replace("-", "_")  # Mermaid takes no hyphen in a state's name
