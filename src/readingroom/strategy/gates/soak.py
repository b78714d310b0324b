"""`soak`: an earlier stage has been open long enough, and was used enough, by enough people."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from readingroom.core.canonical import Json
from readingroom.core.document import Node
from readingroom.strategy.facts import Facts, whole
from readingroom.strategy.gates.scope import Scope, earlier_stage
from readingroom.strategy.model import Channel, Judgement, Verdict

KIND = "soak"
_REQUIRED, _OPTIONAL = ("stage", "days"), ("passes", "readers")


@dataclass(frozen=True, slots=True)
class Soak:
    """The clause: `stage` was open for `days`, and served `passes` to `readers` distinct persons in that time."""

    stage: str
    days: int
    passes: int = 0
    readers: int = 0
    kind: ClassVar[str] = KIND

    @property
    def label(self) -> str:
        """The clause's name within its gate."""
        return f"{KIND}:{self.stage}"

    def canonical(self) -> Json:
        """Return the clause as JSON."""
        return {KIND: {name: getattr(self, name) for name in (*_REQUIRED, *_OPTIONAL)}}

    def covers(self) -> frozenset[str]:
        """Waiting covers no hazard by itself."""
        return frozenset()

    def describe(self) -> str:
        """Say what must hold."""
        wanted = [f"been open for {self.days} days"]
        wanted += [f"served {self.passes:,} passes"] if self.passes else []
        wanted += [f"had {self.readers} readers"] if self.readers else []
        return f"{self.stage} has {' and '.join(wanted)}"

    def judge(self, facts: Facts) -> Judgement:
        """Judge what the stage has seen since it opened under the version it has now."""
        use = facts.use.get(self.stage)
        if use is None:
            sentence = f"nothing is known of how {self.stage} was used"
            return Judgement(Verdict.INCONCLUSIVE, sentence, f"Open {self.stage}, and let it be used")
        needs = {"days": (use.days, self.days)}
        needs |= {"passes": (use.passes, self.passes)} if self.passes else {}
        needs |= {"readers": (use.readers, self.readers)} if self.readers else {}
        unknown = [name for name, (seen, _) in needs.items() if _amount(seen) is None]
        if unknown:
            sentence = f"{self.stage}: {', '.join(unknown)} cannot be read"
            return Judgement(Verdict.INCONCLUSIVE, sentence, "Mend the record of use")
        told = ", ".join(f"{_told(_amount(seen))} of {wanted:,} {name}" for name, (seen, wanted) in needs.items())
        short = [name for name, (seen, wanted) in needs.items() if (_amount(seen) or 0) < wanted]
        if short:
            return Judgement(Verdict.UNMET, f"{self.stage}: {told}", f"More {', '.join(short)}")
        return Judgement(Verdict.MET, f"{self.stage}: {told}")


def _told(amount: float | None) -> str:
    """Spell an amount, of days to the tenth, and never rounded up to what was wanted."""
    return f"{math.floor(10 * amount) / 10:,.10g}" if isinstance(amount, float) else f"{amount:,}"


def _amount(seen: object) -> float | None:
    """Read a number of days, passes or readers: finite and not negative, or None."""
    if isinstance(seen, float):
        return seen if math.isfinite(seen) and seen >= 0 else None
    return whole(seen)


def parse(node: Node, scope: Scope) -> Soak | None:
    """Read the clause; the stage must come before this one."""
    fields = node.fields(_REQUIRED, _OPTIONAL)
    if not set(_REQUIRED) <= set(fields):
        return None
    stage = earlier_stage(fields["stage"], scope)
    days = fields["days"].integer(1, 36_500)
    counted = {name: fields[name].integer() for name in _OPTIONAL if name in fields}
    if scope.earlier.get(stage, Channel.API) is not Channel.API:
        for name in (name for name, wanted in counted.items() if wanted):
            what = f"{name} cannot be counted at {stage!r}, which serves none"
            fields[name].problem(what, "Leave it out, or name a stage with channel api")
    return Soak(stage, days, counted.get("passes", 0), counted.get("readers", 0))
