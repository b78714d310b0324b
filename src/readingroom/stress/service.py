"""Running a suite: on record from its start, sample by sample, to its counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict

from readingroom.core.clock import Clock
from readingroom.core.ids import new_id
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.ledger.service import Ledger
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check
from readingroom.store.db import Database
from readingroom.stress import queries
from readingroom.stress.model import Answer, Caller, CallFailed, Case, Claim, Outcome, Run, Suite
from readingroom.stress.rules import count, failed, floor_result, judge, message
from readingroom.stress.suites import shipped
from readingroom.stress.tables import run as run_table
from readingroom.stress.tables import sample as sample_table

Progress = Callable[[int, int], None]  # samples done, samples in all


class Stress:
    """Stress tests."""

    def __init__(self, db: Database, ledger: Ledger, clock: Clock) -> None:
        """Take the database, the ledger and the clock."""
        self._db = db
        self._ledger = ledger
        self._clock = clock

    def suite(self, name: str) -> Suite:
        """Return a suite by name."""
        found = shipped().get(name)
        if found is None:
            known = ", ".join(sorted(shipped()))
            raise Refused(Refusal("stress/no-such-suite", f"There is no suite {name!r}; known: {known}."))
        return found

    async def run(  # noqa: PLR0913 - a run has these parts, all named
        self,
        by: Actor,
        *,
        model: str,
        model_digest: str,
        suite: Suite,
        gate_versions: Sequence[str],
        caller: Caller,
        progress: Progress = lambda _done, _total: None,
    ) -> Run:
        """Run a suite on a model version and file the counts.

        The start is committed before the first sample, so that a run which is stopped because its figures look
        bad stays on record as started and not finished.

        Raises:
            Refused: `engine/unavailable`, before anything is on record if the engine does not answer at all; with
                the run on record as failed, and no evidence, if too many cases got no answer.
        """
        require(check(by, Permission.RUN_START))
        await _probe(caller, suite)
        run_id = self._start(by, model, model_digest, suite, gate_versions)
        claims = [*suite.claims, suite.floor.claim]
        total, done, errors = sum(len(claim.cases) for claim in claims), 0, 0
        outcomes: dict[str, list[Outcome]] = {claim.name: [] for claim in claims}
        for claim in claims:
            for position, case in enumerate(claim.cases):
                outcome, answer = await _sample(caller, suite, claim, case)
                outcomes[claim.name].append(outcome)
                self._keep(run_id, claim.name, position, outcome, answer)
                done += 1
                errors += outcome is Outcome.ERROR
                if failed(errors, total):
                    raise Refused(self._fail(by, run_id, done, errors))
                progress(done, total)
        return self._finish(by, run_id, suite, outcomes)

    def _start(self, by: Actor, model: str, model_digest: str, suite: Suite, gate_versions: Sequence[str]) -> str:
        values = {
            "id": new_id("run"),
            "model": model,
            "model_digest": model_digest,
            "suite": suite.name,
            "suite_digest": suite.digest,
            "gate_versions": sorted(set(gate_versions)),
            "started_at": self._clock.now(),
        }
        with self._db.decide() as tx:
            tx.execute(run_table.insert().values(values))
            data = {key: values[key] for key in ("model_digest", "suite", "suite_digest", "gate_versions")}
            self._ledger.append(tx, "stress.run.started", {"run": values["id"], **data}, by=by.id)
        return str(values["id"])

    def _keep(self, run_id: str, claim: str, position: int, outcome: Outcome, answer: Answer) -> None:
        values = {"run_id": run_id, "claim": claim, "position": position, "outcome": outcome.value}
        with self._db.write() as tx:
            tx.execute(sample_table.insert().values(**values, passes=answer.passes, answer=answer.text))

    def _fail(self, by: Actor, run_id: str, asked: int, errors: int) -> Refusal:
        with self._db.decide() as tx:
            tx.execute(run_table.update().where(run_table.c.id == run_id).values(failed_at=self._clock.now()))
            self._ledger.append(tx, "stress.run.failed", {"run": run_id, "asked": asked, "errors": errors}, by=by.id)
        reason = (
            f"{errors} of {asked} cases got no answer, so the run has failed. It makes no evidence; it stays on record "
            "as a look at the figures. See with `readingroom doctor` what the engine lacks, then run the suite again."
        )
        return Refusal("engine/unavailable", reason, {"run": run_id, "asked": asked, "errors": errors})

    def _finish(self, by: Actor, run_id: str, suite: Suite, outcomes: dict[str, list[Outcome]]) -> Run:
        counts = [count(claim.name, outcomes[claim.name]) for claim in suite.claims]
        floor = floor_result(suite, outcomes[suite.floor.claim.name])
        listed = [each.to_json() for each in counts]
        with self._db.decide() as tx:
            values = {"finished_at": self._clock.now(), "counts": listed, "floor": asdict(floor)}
            tx.execute(run_table.update().where(run_table.c.id == run_id).values(values))
            finished = queries.run(tx, run_id)
            assert finished is not None  # noqa: S101 - it was started above
            data = {
                "run": run_id,
                "suite": suite.name,
                "suite_digest": suite.digest,
                "model_digest": finished.model_digest,
                "gate_versions": list(finished.gate_versions),
                "counts": listed,
                "floor_done": floor.done,
                "floor_tasks": floor.tasks,
                "floor_met": floor.met,
            }
            self._ledger.append(tx, "stress.run.finished", data, by=by.id)
        return finished

    def runs(self) -> list[Run]:
        """Return all runs, oldest first."""
        with self._db.read() as tx:
            return queries.runs(tx)

    def show(self, run_id: str) -> Run:
        """Return one run."""
        with self._db.read() as tx:
            found = queries.run(tx, run_id)
        if found is None:
            raise Refused(Refusal("stress/no-such-run", f"There is no run {run_id!r}."))
        return found


async def _probe(caller: Caller, suite: Suite) -> None:
    """See that the engine answers at all: a run that cannot begin is no look at the figures."""
    claim = suite.floor.claim
    outcome, _ = await _sample(caller, suite, claim, claim.cases[0])
    if outcome is Outcome.ERROR:
        reason = "The engine does not answer; no run was started. See `readingroom doctor`."
        raise Refused(Refusal("engine/unavailable", reason))


async def _sample(caller: Caller, suite: Suite, claim: Claim, case: Case) -> tuple[Outcome, Answer]:
    asked = [{"role": "user", "content": message(claim, case)}]
    try:
        answer = await caller(asked, max_tokens=claim.max_tokens, seed=suite.seed)
    except CallFailed:
        return Outcome.ERROR, Answer("", 0, "error")
    return judge(claim, case, answer), answer
