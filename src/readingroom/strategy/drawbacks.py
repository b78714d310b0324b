"""What speaks against each strategy, and what in a plan softens it. A drawback that nothing softens says so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from readingroom.strategy.gates.document import Document
from readingroom.strategy.gates.observed import Observed
from readingroom.strategy.gates.sign_off import SignOff
from readingroom.strategy.gates.soak import Soak
from readingroom.strategy.gates.stress import Stress
from readingroom.strategy.model import Audience, Channel, DocumentKind, GateClause, Plan, Stage

NOT_SOFTENED = "this plan does nothing about it"


@dataclass(frozen=True, slots=True)
class Con:
    """One drawback; `softened_by` says how this plan softens it, and is empty where it does not."""

    text: str
    softened_by: tuple[str, ...]

    @property
    def softened(self) -> bool:
        """Tell whether anything in the plan softens it."""
        return bool(self.softened_by)

    def told(self) -> str:
        """Say how it is softened, or that it is not."""
        return "; ".join(self.softened_by) or NOT_SOFTENED


def all_at_once_cons(plan: Plan) -> tuple[Con, ...]:
    """Weigh publication of everything on the first day."""
    last = _stages(plan, Channel.WEIGHTS)
    rungs = [
        f"{stage.name} comes after {names}, which can be held" for stage in last if (names := _before(plan, stage))
    ]
    energy = [f"{s.name} waits for an energy report" for s, c in _documents(last) if DocumentKind.ENERGY in c.wanted]
    signed = [f"{stage.name} waits for {_quorum(stage)} persons' signatures" for stage in last if _quorum(stage) > 1]
    reproduced = "others reproduce it, each at the cost of the energy once more"
    first_look = "harm is first looked for when it can no longer be prevented"
    tested = [f"{stage.name}: {clause.describe()}" for stage, clause in _numbers(last)]
    never = [] if last else ["this plan never publishes weights"]
    return (
        Con("it cannot be undone", (*never, *signed, *rungs)),
        Con(reproduced, (*never, *energy)),
        Con(first_look, (*never, *tested)),
    )


def staged_cons(plan: Plan) -> tuple[Con, ...]:
    """Weigh opening stage by stage."""
    bars = [f"{stage.name}: {clause.describe()}" for stage, clause in _numbers(plan.stages)]
    learnt = [(stage, clause) for stage, clause in _clauses(plan.stages) if isinstance(clause, (Soak, Observed))]
    others = [
        f"{stage.name} weighs what is already public"
        for stage, clause in _documents(plan.stages)
        if DocumentKind.MARGINAL_RISK in clause.wanted
    ]
    early = [f"{stage.name} is for persons with a grant" for stage in plan.stages if stage.audience is Audience.GRANTED]
    return (
        Con("nobody knows what evidence is enough", tuple(f"a bar set before: {each}" for each in bars)),
        Con("a stage may open without anything having been learnt from the one before", tuple(
            f"{stage.name} waits until {clause.describe()}" for stage, clause in learnt
        )),
        Con("waiting loses its worth once others publish the like", tuple(others)),
        Con("the lab chooses who comes first", tuple(f"{each}, on record in the register" for each in early)),
    )  # fmt: skip


def api_cons(plan: Plan) -> tuple[Con, ...]:
    """Weigh serving answers only."""
    stages = _stages(plan, Channel.API)
    deeper = [
        f"{stage.name} offers {tier.top_logprobs} log-probabilities per token at tier {tier.name}"
        for stage in stages
        for tier in stage.tiers.values()
        if tier.top_logprobs
    ]
    cited = [f"answers at {stage.name} carry receipts that anyone can verify" for stage in stages]
    screens = [f"{stage.name} is screened by {', '.join(stage.screening)}" for stage in stages if stage.screening]
    later = [f"{stage.name} publishes the weights" for stage in _stages(plan, Channel.WEIGHTS)]
    return (
        Con("closed science: the weights cannot be inspected", (*deeper, *later)),
        Con("an answer cannot be reproduced elsewhere", tuple(cited)),
        Con("readers depend on the lab to go on serving", tuple(later)),
        Con("a reader, or a stolen key, may still misuse answers", tuple(screens)),
    )


def not_releasing_cons(plan: Plan) -> tuple[Con, ...]:
    """Weigh keeping it in the house."""
    lost = [Con(f"nobody gains: {benefit}", _released(plan)) for benefit in plan.benefits]
    scrutiny = [
        f"{stage.name} lets outsiders look for themselves"
        for stage in plan.stages
        if stage.channel is not Channel.SAMPLES
    ]
    return (
        *lost,
        Con("no outsider can check what the lab says of its hazards", tuple(scrutiny)),
        Con("the next release is decided with no more experience than this one", _experience(plan)),
    )


def _before(plan: Plan, stage: Stage) -> str:
    earlier = plan.stages[: plan.stages.index(stage)]
    return ", ".join(each.name for each in earlier if not each.irreversible)


def _released(plan: Plan) -> tuple[str, ...]:
    return tuple(f"this plan opens {stage.name}" for stage in plan.stages if stage.audience is not Audience.STAFF)


def _experience(plan: Plan) -> tuple[str, ...]:
    return tuple(f"{stage.name} puts use on record" for stage in _stages(plan, Channel.API))


def _stages(plan: Plan, channel: Channel) -> list[Stage]:
    return [stage for stage in plan.stages if stage.channel is channel]


def _clauses(stages: Iterable[Stage]) -> list[tuple[Stage, GateClause]]:
    return [(stage, clause) for stage in stages for clause in stage.gate.clauses]


def _numbers(stages: Iterable[Stage]) -> list[tuple[Stage, GateClause]]:
    return [(stage, clause) for stage, clause in _clauses(stages) if isinstance(clause, (Stress, Observed))]


def _documents(stages: Iterable[Stage]) -> list[tuple[Stage, Document]]:
    return [(stage, clause) for stage, clause in _clauses(stages) if isinstance(clause, Document)]


def _quorum(stage: Stage) -> int:
    return sum(clause.quorum for clause in stage.gate.clauses if isinstance(clause, SignOff))
