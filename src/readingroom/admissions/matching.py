"""Who reviews what: a matching with load limits and expertise, solved exactly as an integer programme (HiGHS).

An edge that is not among those allowed has no variable: nothing the solver weighs could bring it back. What is made as
large as it can be, in this order, each without loss to the one before:

1. (`maximin`) the mean expertise of the application that is served worst;
2. the sum of expertise;
3. the most loaded reviewer's load is made as small as it can be;
4. what is still equal falls by SHA-256 over a salt and the random ids: not by order, and by no name.

Where there is no matching, a smallest relaxation is computed: how many reviews are missing of which applications, by
which constraint, and which load limits, raised by how much, would do. Where a stage is not proved optimal within its
time, the best matching found is taken, and it is said.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from readingroom.admissions.call import Objective
from readingroom.core.text import many

SECONDS = 60.0  # a stage: a matching that is good and not proved best is better than none
_TIME_IS_UP = 1  # scipy's status


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be matched.

    Attributes:
        needs: application to how many more reviews it needs.
        allowed: application to the reviewers who may be given it, each with an expertise from 0; nobody else exists.
        room: reviewer to how many more applications may be given; None is no limit.
        loads: reviewer to how many are held already.
        held: application to the expertise of each reviewer who is assigned already, and stays.
        pool: how many reviewers there are at all, for the account of what is lacking.
    """

    needs: Mapping[str, int]
    allowed: Mapping[str, Mapping[str, int]]
    room: Mapping[str, int | None] = field(default_factory=dict)
    loads: Mapping[str, int] = field(default_factory=dict)
    held: Mapping[str, Sequence[int]] = field(default_factory=dict)
    pool: int = 0
    objective: Objective = Objective.MAXIMIN


@dataclass(frozen=True, slots=True)
class Matching:
    """Who was given what: `edges` are (application, reviewer), sorted; `proved` says whether none is better."""

    edges: tuple[tuple[str, str], ...]
    proved: bool = True


@dataclass(frozen=True, slots=True)
class Lack:
    """Why there is no matching, and the least that would make one.

    Attributes:
        missing: application to how many reviews it cannot have.
        too_few: application to how many reviewers are lacking, however much each took on: the pool less the conflicts.
        able: application to how many may review it now.
        loads: reviewer to how many more than the limit, so that, with nobody lacking, all could be served.
        pool: how many reviewers there are.
    """

    missing: Mapping[str, int]
    too_few: Mapping[str, int]
    able: Mapping[str, int]
    loads: Mapping[str, int]
    pool: int

    @property
    def beyond_loads(self) -> int:
        """How many reviews are lacking for the load limits alone."""
        return sum(self.loads.values())

    def sentences(self) -> list[str]:
        """Say which constraint binds, and by how much."""
        said = [
            f"{name} lacks {count} reviewer(s): of {self.pool} in the pool, {self.able[name]} may still be asked; the "
            "others have a conflict, review it, or did."
            for name, count in self.too_few.items()
        ]
        if self.loads:
            more = ", ".join(f"{who} by {count}" for who, count in self.loads.items())
            said.append(
                f"Beyond the load limits: {many(self.beyond_loads, 'review')}; raising {more} would do, or as many "
                "places with new reviewers."
            )
        return said


def match(task: Task, salt: str, seconds: float = SECONDS) -> Matching | Lack:
    """Match reviewers with applications; see the module's text.

    Args:
        task: what is to be matched; the order in its mappings does not matter.
        salt: sets the order among equals.
        seconds: the most time for each of up to four stages.
    """
    model = _Model(task, salt, seconds)
    if lack := model.lack():
        return lack
    made = model.solve()
    check(task, made.edges)
    return made


def check(task: Task, edges: Iterable[tuple[str, str]]) -> None:
    """Stand by the result, whatever the solver said: every edge allowed and once, every need met, no load exceeded.

    Raises:
        AssertionError: it is not so; a defect, and nothing may be assigned.
    """
    listed = list(edges)
    given: dict[str, int] = {}
    taken: dict[str, int] = {}
    for application, reviewer in listed:
        if reviewer not in task.allowed.get(application, {}):
            raise AssertionError(f"the matching holds a pair that is not allowed: {application}, {reviewer}")
        given[application] = given.get(application, 0) + 1
        taken[reviewer] = taken.get(reviewer, 0) + 1
    over = [who for who, count in taken.items() if (room := task.room.get(who)) is not None and count > room]
    short = [name for name, need in task.needs.items() if given.get(name, 0) != need]
    if len(set(listed)) != len(listed) or over or short:
        raise AssertionError(f"the matching is not sound: over {over[:3]}, short {short[:3]}")


class _Model:
    """The programme: a variable for each allowed edge, in an order that neither input order nor names set."""

    def __init__(self, task: Task, salt: str, seconds: float) -> None:
        self._task, self._salt, self._seconds = task, salt, seconds
        self._names = sorted((each for each, need in task.needs.items() if need), key=self._rank)
        self._edges = [(a, r) for a in self._names for r in sorted(task.allowed.get(a, {}), key=self._rank)]
        self._who = sorted({r for _, r in self._edges}, key=self._rank)
        self._proved = True
        self._first: Any = None

    def _rank(self, *names: str) -> bytes:
        return hashlib.sha256("/".join((self._salt, *names)).encode()).digest()

    def lack(self) -> Lack | None:
        """Return why there is no matching; None where there is one."""
        needs, able = self._task.needs, {a: len(self._task.allowed.get(a, {})) for a in self._names}
        too_few = {a: needs[a] - able[a] for a in self._names if able[a] < needs[a]}
        reachable = {a: min(needs[a], able[a]) for a in self._names}
        unserved = self._relaxed(reachable, by_load=False)
        if not too_few and not unserved:
            return None
        missing = {a: count for a in sorted(self._names) if (count := too_few.get(a, 0) + unserved.get(a, 0))}
        loads = self._relaxed(reachable, by_load=True) if unserved else {}
        too_few, able, loads = (dict(sorted(each.items())) for each in (too_few, able, loads))
        return Lack(missing, too_few, able, loads, self._task.pool)

    def _relaxed(self, needs: Mapping[str, int], *, by_load: bool) -> dict[str, int]:
        """Return the least slack, by application or by reviewer, with which the needs are met within the loads."""
        import numpy as np
        from scipy.optimize import milp

        if not self._edges:
            return {}
        slack = self._who if by_load else self._names
        edges = len(self._edges)
        cost = np.concatenate([np.zeros(edges), np.ones(len(slack))])
        upper = np.concatenate([np.ones(edges), np.full(len(slack), float(max(1, len(self._names) * 20)))])
        extra = (("load", -1.0) if by_load else ("need", 1.0),)
        limits = self._limits(needs, width=edges + len(slack), slack=extra)
        # The constraints are those of a flow, so that a vertex of the relaxation is whole: no branching is needed.
        found = milp(cost, constraints=limits, bounds=(0, upper), integrality=np.ones(len(cost)))
        self._first = np.round(found.x[:edges])  # with no slack, this is a matching
        values = found.x[edges:]
        return {name: count for name, value in zip(slack, values, strict=True) if (count := round(value))}

    def solve(self) -> Matching:
        """Go through the stages."""
        import numpy as np

        if not self._edges:
            return Matching(())
        expertise = np.array([float(self._task.allowed[a][r]) for a, r in self._edges])
        more: list[Any] = []
        chosen = self._first
        if len(set(expertise)) > 1:  # else every matching serves as well
            if self._task.objective is Objective.MAXIMIN:
                chosen = self._worst(expertise)
                more.append(self._at_least(expertise, chosen))
            chosen = self._best(-expertise, more, chosen)
            more.append(self._row(expertise, round(float(expertise @ chosen)), math.inf))
        chosen = self._spread(more, chosen)
        more.append(self._no_more(chosen))
        ties = np.array([float(int.from_bytes(self._rank(*edge)[:2])) for edge in self._edges])
        chosen = self._best(ties, more, chosen)
        return Matching(tuple(sorted(e for e, x in zip(self._edges, chosen, strict=True) if x)), self._proved)

    def _limits(self, needs: Mapping[str, int], width: int, slack: Sequence[tuple[str, float]] = ()) -> list[Any]:
        """Return the constraints that every matching keeps: needs met exactly, loads within their room."""
        import numpy as np
        from scipy.optimize import LinearConstraint
        from scipy.sparse import coo_array

        row = {name: i for i, name in enumerate(self._names)}
        column = {name: i for i, name in enumerate(self._who)}
        edges = len(self._edges)
        at = np.arange(edges)
        by_name = [(np.array([row[a] for a, _ in self._edges]), at, np.ones(edges))]
        by_who = [(np.array([column[r] for _, r in self._edges]), at, np.ones(edges))]
        for kind, sign in slack:
            parts, count = (by_name, len(self._names)) if kind == "need" else (by_who, len(self._who))
            parts.append((np.arange(count), edges + np.arange(count), np.full(count, sign)))
        made = []
        for parts, count in ((by_name, len(self._names)), (by_who, len(self._who))):
            rows, columns, values = (np.concatenate(each) for each in zip(*parts, strict=True))
            made.append(coo_array((values, (rows, columns)), shape=(count, width)).tocsr())
        exact = np.array([float(needs[a]) for a in self._names])
        room = [self._task.room.get(r) for r in self._who]
        most = np.array([math.inf if each is None else float(each) for each in room])
        return [LinearConstraint(made[0], exact, exact), LinearConstraint(made[1], -math.inf, most)]

    def _row(self, values: Any, low: float, high: float) -> Any:  # noqa: ANN401 - numpy and scipy have no stubs here
        from scipy.optimize import LinearConstraint
        from scipy.sparse import csr_array

        return LinearConstraint(csr_array(values.reshape(1, -1)), low, high)

    def _by_application(self, values: Any) -> Any:  # noqa: ANN401 - as above
        """Return a matrix that sums the values of an application's edges."""
        import numpy as np
        from scipy.sparse import coo_array

        row = {name: i for i, name in enumerate(self._names)}
        rows, at = np.array([row[a] for a, _ in self._edges]), np.arange(len(self._edges))
        return coo_array((values, (rows, at)), shape=(len(self._names), len(self._edges))).tocsr()

    def _served(self) -> tuple[list[int], list[int]]:
        """Return, for each application, the expertise it holds already, and how many reviews it will have."""
        held = [self._task.held.get(a, ()) for a in self._names]
        counts = [len(each) + self._task.needs[a] for a, each in zip(self._names, held, strict=True)]
        return [sum(each) for each in held], counts

    def _worst(self, expertise: Any) -> Any:  # noqa: ANN401 - as above
        """Make the least mean expertise as large as it can be: one more variable, below every application's mean."""
        import numpy as np
        from scipy.optimize import LinearConstraint
        from scipy.sparse import csr_array, hstack

        held, counts = self._served()
        edges = len(self._edges)
        means = hstack([self._by_application(expertise), csr_array(-np.array(counts, float).reshape(-1, 1))]).tocsr()
        floor = LinearConstraint(means, -np.array(held, float), math.inf)
        cost = np.concatenate([np.zeros(edges), [-1.0]])
        whole = np.concatenate([np.ones(edges), [0.0]])
        most = np.concatenate([np.ones(edges), [float(max(expertise))]])
        limits = [*self._limits(self._task.needs, width=edges + 1), floor]
        return self._run(cost, limits, most, whole, np.concatenate([self._first, [0.0]]))[:edges]

    def _at_least(self, expertise: Any, chosen: Any) -> Any:  # noqa: ANN401 - as above
        """Hold the least mean that was reached, exactly: as the whole number that each application's sum must reach."""
        import numpy as np
        from scipy.optimize import LinearConstraint

        held, counts = self._served()
        sums = self._by_application(expertise)
        reached = [round(float(each)) for each in sums @ chosen]
        worst = min(Fraction(r + h, n) for r, h, n in zip(reached, held, counts, strict=True))
        least = [float(math.ceil(worst * n) - h) for h, n in zip(held, counts, strict=True)]
        return LinearConstraint(sums, np.array(least), math.inf)

    def _by_reviewer(self) -> Any:  # noqa: ANN401 - as above
        return self._limits(self._task.needs, width=len(self._edges))[1].A

    def _spread(self, more: Sequence[Any], chosen: Any) -> Any:  # noqa: ANN401 - as above
        """Make the largest load as small as it can be: one more variable, above every load."""
        import numpy as np
        from scipy.optimize import LinearConstraint
        from scipy.sparse import csr_array, hstack

        edges, who = len(self._edges), len(self._who)
        column = csr_array(-np.ones((who, 1)))
        loads = np.array([float(self._task.loads.get(r, 0)) for r in self._who])
        wide = [LinearConstraint(hstack([each.A, csr_array((each.A.shape[0], 1))]).tocsr(), each.lb, each.ub)
                for each in more]  # fmt: skip
        above = LinearConstraint(hstack([self._by_reviewer(), column]).tocsr(), -math.inf, -loads)
        cost = np.concatenate([np.zeros(edges), [1.0]])
        most = np.concatenate([np.ones(edges), [math.inf]])
        limits = [*self._limits(self._task.needs, width=edges + 1), *wide, above]
        return self._run(cost, limits, most, np.ones(edges + 1), np.concatenate([chosen, [0.0]]))[:edges]

    def _no_more(self, chosen: Any) -> Any:  # noqa: ANN401 - as above
        """Hold the largest load that was reached."""
        import numpy as np
        from scipy.optimize import LinearConstraint

        by_reviewer = self._by_reviewer()
        loads = np.array([float(self._task.loads.get(r, 0)) for r in self._who])
        largest = round(float(max(by_reviewer @ chosen + loads)))
        return LinearConstraint(by_reviewer, -math.inf, np.maximum(largest - loads, 0.0))

    def _best(self, cost: Any, more: Sequence[Any], earlier: Any) -> Any:  # noqa: ANN401 - as above
        import numpy as np

        limits = [*self._limits(self._task.needs, width=len(self._edges)), *more]
        return self._run(cost, limits, np.ones(len(self._edges)), np.ones(len(self._edges)), earlier)

    def _run(self, cost: Any, limits: Any, most: Any, whole: Any, earlier: Any) -> Any:  # noqa: ANN401 - as above
        """Solve one stage; without a better answer in time, stay with the stage before."""
        import numpy as np
        from scipy.optimize import milp

        options = {"time_limit": self._seconds, "mip_rel_gap": 0.0}
        found = milp(cost, constraints=limits, bounds=(0, most), integrality=whole, options=options)
        self._proved = self._proved and found.status == 0
        if found.x is not None:
            return np.where(whole > 0, np.round(found.x), found.x)
        if found.status != _TIME_IS_UP:
            raise AssertionError(f"the matching was feasible and is no more: {found.message}")
        return earlier
