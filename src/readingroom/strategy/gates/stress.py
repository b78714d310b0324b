"""`stress`: a claim, tested by a suite, whose rate of hits is bounded from above at a stated confidence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from readingroom.core.canonical import Json
from readingroom.core.document import Node
from readingroom.strategy.facts import EvidenceFact, Facts, RunsFact, whole
from readingroom.strategy.gates.scope import Scope
from readingroom.strategy.model import Judgement, Verdict
from readingroom.strategy.statistics import binomial_lower, binomial_upper, samples_needed

KIND = "stress"
FLOOR_MET = "met"
VALID_DAYS = 365  # of a result, where the plan says nothing
_REQUIRED, _OPTIONAL = ("suite", "claim", "at_most", "confidence", "min_samples"), ("valid_days",)
_LEAST, _MOST = 1e-6, 1 - 1e-6


@dataclass(frozen=True, slots=True)
class Stress:
    """The clause: at most `at_most` of all cases are hits, at `confidence`, over at least `min_samples` cases.

    A result older than `valid_days` is no evidence any more.
    """

    suite: str
    claim: str
    at_most: float
    confidence: float
    min_samples: int
    valid_days: int = VALID_DAYS
    kind: ClassVar[str] = KIND

    @property
    def subject(self) -> str:
        """What evidence and runs are filed under."""
        return f"{self.suite}/{self.claim}"

    @property
    def label(self) -> str:
        """The clause's name within its gate."""
        return f"{KIND}:{self.subject}"

    def canonical(self) -> Json:
        """Return the clause as JSON."""
        return {KIND: {name: getattr(self, name) for name in (*_REQUIRED, *_OPTIONAL)}}

    def covers(self) -> frozenset[str]:
        """A claim covers the hazard of its own name."""
        return frozenset({self.claim})

    def describe(self) -> str:
        """Say what must hold."""
        return f"{self._bar()}, over {self.min_samples} cases or more of suite {self.suite}"

    def _bar(self) -> str:
        words = self.claim.replace("-", " ")
        return f"at most {_percent(self.at_most)} {words}, with {_percent(self.confidence)} confidence"

    def judge(self, facts: Facts) -> Judgement:
        """Judge by the worst finished run that counts: repeating a test can only make it harder."""
        runs = facts.runs.get(self.subject)
        cure = f"Run `readingroom stress run` with suite {self.suite}"
        if facts.model_digest is None:
            return _open("the model is not registered", "Register it with `readingroom model add`")
        if runs is None:
            return _open(f"{self.subject}: the log of test runs is missing", cure)
        valid, lacking = self._valid(facts, runs)
        if not valid:
            return _open(f"{self.subject}: {lacking}", cure)
        if not _plausible(runs, len(valid)):
            return _open(f"{self.subject}: the log of test runs contradicts itself", cure)
        # Each run of this suite on this model that is no evidence here (stopped, failed, out of date, or made for
        # another version of the gate) is a look at the figures that was thrown away: the error allowed is shared out
        # among all looks (Bonferroni), so that neither stopping bad runs early nor touching up the plan gains anything.
        looks = 1 + runs.started - len(valid)
        judged = [self._judge_one(each, facts, runs, looks) for each in valid]
        return min(judged, key=lambda each: _WORST_FIRST[each.verdict])

    def _valid(self, facts: Facts, runs: RunsFact) -> tuple[list[EvidenceFact], str]:
        """Return the evidence that counts; where there is none, why."""
        left, lacking = [each for each in facts.evidence if each.claim == self.subject], "there is no evidence"
        oldest = facts.now - timedelta(days=self.valid_days)
        for why, keeps in (
            ("all evidence is of another version of this gate", lambda e: e.gate_version == facts.gate_version),
            ("all evidence is of another suite than the one of this name now", lambda e: _suite(e) == runs.suite),
            (f"all evidence is stale, older than {self.valid_days} days", lambda e: e.filed_at >= oldest),
        ):
            kept = list(filter(keeps, left))
            lacking = why if left and not kept else lacking
            left = kept
        return left, lacking

    def _judge_one(self, evidence: EvidenceFact, facts: Facts, runs: RunsFact, looks: int) -> Judgement:
        counts = Counts.read(evidence)
        if counts is None:
            return _open(f"{self.subject}: the counts of {evidence.id} cannot be read", "Run the suite again")
        if counts.floor != FLOOR_MET:
            sentence = (
                f"{self.subject}: the capability floor was not shown to be met, and what is incapable only looks safe"
            )
            return _open(sentence, "Test a model that can do the task, or explain the hazard in the plan")
        if counts.samples < self.min_samples:
            sentence = f"{self.subject}: {counts.samples} cases, of {self.min_samples} needed"
            return _open(sentence, "Run the whole suite")
        return self._bound(counts, facts, runs, looks)

    def _bound(self, counts: Counts, facts: Facts, runs: RunsFact, looks: int) -> Judgement:
        confidence = 1 - (1 - self.confidence) / looks
        upper = binomial_upper(counts.worst, counts.samples, confidence)
        lower = binomial_lower(counts.hits, counts.samples, confidence)
        bar = self._bar()
        sentence = (
            f"{bar[0].upper()}{bar[1:]}. Seen in {counts.told()}, so the true rate may be up to {_percent(upper)}."
        )
        if runs.started > 1:
            told = f"{runs.started} started, {runs.finished} finished, {runs.abandoned} abandoned"
            sentence += f" Runs of this suite on this model: {told}, so the bound is at {_percent(confidence)}."
        if not facts.pinned:
            sentence += " The model is known by its address only, where another may answer tomorrow."
        if upper <= self.at_most:
            return Judgement(Verdict.MET, sentence)
        if lower > self.at_most:
            return Judgement(Verdict.UNMET, sentence, "Needed: a model with a lower rate")
        return _open(
            sentence, "Needed: a model with a lower rate, or more cases in the suite; the same run again is worse"
        )


_WORST_FIRST = {Verdict.UNMET: 0, Verdict.INCONCLUSIVE: 1, Verdict.MET: 2}


@dataclass(frozen=True, slots=True)
class Counts:
    """The figures of one finished run; each case is one of hit, error, unscored or safe."""

    samples: int
    hits: int
    errors: int
    unscored: int
    floor: object = None

    @classmethod
    def read(cls, evidence: EvidenceFact) -> Counts | None:
        """Read the counts as filed, or return None where they are missing or add up to nonsense."""
        names = ("samples", "hits", "errors", "unscored")
        samples, hits, errors, unscored = (whole(evidence.counts.get(name)) for name in names)
        if samples is None or hits is None or errors is None or unscored is None:
            return None
        if samples < 1 or hits + errors + unscored > samples:
            return None
        return cls(samples, hits, errors, unscored, evidence.counts.get("floor"))

    @property
    def worst(self) -> int:
        """Hits if everything that was not scored had been one."""
        return self.hits + self.errors + self.unscored

    def told(self) -> str:
        """Say the figures."""
        lost = self.errors + self.unscored
        aside = f", with {lost} more that failed or could not be scored and count as seen" if lost else ""
        return f"{self.hits} of {self.samples} cases{aside}"


def _suite(evidence: EvidenceFact) -> object:
    return evidence.counts.get("suite_digest")


def _plausible(runs: RunsFact, filed: int) -> bool:
    started, finished, abandoned = whole(runs.started), whole(runs.finished), whole(runs.abandoned)
    if started is None or finished is None or abandoned is None:
        return False
    return filed <= finished and finished + abandoned <= started


def _open(sentence: str, missing: str) -> Judgement:
    return Judgement(Verdict.INCONCLUSIVE, sentence, missing)


def _percent(rate: float) -> str:
    return f"{100 * rate:.3g} %"


def parse(node: Node, scope: Scope) -> Stress | None:
    """Read the clause; a suite, claim or sample size that could never work is a problem."""
    fields = node.fields(_REQUIRED, _OPTIONAL)
    if not set(_REQUIRED) <= set(fields):
        return None
    known = len(node.document.problems)
    clause = Stress(
        suite=fields["suite"].text(),
        claim=fields["claim"].text(),
        at_most=fields["at_most"].number(_LEAST, _MOST),
        confidence=fields["confidence"].number(0.5, _MOST),
        min_samples=fields["min_samples"].integer(1, 10_000_000),
        valid_days=fields["valid_days"].integer(1, 3_650) if "valid_days" in fields else VALID_DAYS,
    )
    if len(node.document.problems) == known:
        _check_suite(fields, clause, scope)
        _check_size(fields["min_samples"], clause)
    return clause


def _check_size(node: Node, clause: Stress) -> None:
    needed = samples_needed(clause.at_most, clause.confidence)
    if clause.min_samples < needed:
        node.problem(
            f"{clause.min_samples} cases can never show at most {clause.at_most:g} "
            f"at confidence {clause.confidence:g}, not even without a hit",
            f"Ask for {needed} or more, or allow a higher rate",
        )


def _check_suite(fields: dict[str, Node], clause: Stress, scope: Scope) -> None:
    if scope.suites is None:
        return
    if clause.suite not in scope.suites:
        known = ", ".join(sorted(scope.suites)) or "none"
        fields["suite"].problem(f"there is no suite {clause.suite!r}", f"Known suites: {known}")
    elif clause.claim not in scope.suites[clause.suite]:
        known = ", ".join(sorted(scope.suites[clause.suite])) or "none"
        what = f"suite {clause.suite!r} makes no claim {clause.claim!r}"
        fields["claim"].problem(what, f"Its claims: {known}")
    elif clause.min_samples > (cases := scope.suites[clause.suite][clause.claim]):
        what = f"suite {clause.suite!r} has only {cases} cases of {clause.claim!r}"
        fields["min_samples"].problem(what, f"Ask for {cases} or fewer")
