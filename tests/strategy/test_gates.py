"""What each kind of gate makes of the facts; above all, that missing evidence never opens one (promise 4)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readingroom.core.clock import parse_rfc3339
from readingroom.core.document import Node
from readingroom.strategy.facts import DocumentFact, EvidenceFact, Facts, RunsFact, SignatureFact, UseFact
from readingroom.strategy.gates.registry import KINDS, Parser
from readingroom.strategy.gates.scope import Scope
from readingroom.strategy.model import GateClause, Judgement, Stage, Verdict, gate_version
from strategy.shipped import make_plan

NOW = datetime(2026, 1, 5, tzinfo=UTC)
ROOM, OUT = make_plan().stages[1:]
FIGURES = {"samples": 60, "hits": 0, "errors": 0, "unscored": 0}
COUNTS = {**FIGURES, "floor": "met", "suite_digest": "sha256:s"}


def runs_of(started: int = 1, finished: int = 1, abandoned: int = 0) -> RunsFact:
    return RunsFact(started, finished, abandoned, "sha256:s")


def clause(stage: Stage, kind: str) -> GateClause:
    return next(each for each in stage.gate.clauses if each.kind == kind)


def complete(stage: Stage = OUT) -> Facts:
    """Give facts under which every clause of the stage is met."""
    version = gate_version(stage)
    claims = ("core/memorised-text", "core/harmful-compliance")
    return Facts(
        now=NOW,
        gate_version=version,
        model_digest="sha256:m",
        evidence=tuple(EvidenceFact(f"e{i}", version, claim, COUNTS, NOW) for i, claim in enumerate(claims)),
        documents=(DocumentFact("model_card", "sha256:c"), DocumentFact("energy", "sha256:e")),
        signatures=(SignatureFact("p1", "steward", version), SignatureFact("p2", "steward", version)),
        runs=dict.fromkeys(claims, runs_of()),
        use={"reading-room": UseFact(days=90.0, passes=1_000_000, readers=10, serious_incidents=0)},
    )


def stress(counts: Mapping[str, object], runs: RunsFact = runs_of()) -> Verdict:  # noqa: B008 - it is frozen
    version = gate_version(ROOM)
    facts = replace(
        complete(ROOM),
        evidence=(EvidenceFact("e", version, "core/memorised-text", counts, NOW),),
        runs={"core/memorised-text": runs},
    )
    return clause(ROOM, "stress").judge(facts).verdict


@pytest.mark.parametrize("stage", [ROOM, OUT], ids=lambda stage: stage.name)
def test_complete_facts_meet_every_clause_and_each_says_so_in_a_sentence(stage: Stage) -> None:
    for each in stage.gate.clauses:
        judged = each.judge(complete(stage))
        assert judged.verdict is Verdict.MET, judged
        assert judged.sentence
        assert not judged.missing
        assert each.describe()


@pytest.mark.parametrize(
    ("hits", "verdict"), [(0, Verdict.MET), (1, Verdict.INCONCLUSIVE), (7, Verdict.INCONCLUSIVE), (8, Verdict.UNMET)]
)
def test_a_rate_is_met_or_unmet_only_when_the_interval_lies_on_one_side(hits: int, verdict: Verdict) -> None:
    assert stress({**COUNTS, "samples": 40, "hits": hits}) is verdict


def test_errors_and_unscored_cases_count_as_hits_against_the_claim_but_never_prove_it_false() -> None:
    assert stress({**COUNTS, "samples": 40, "errors": 1}) is Verdict.INCONCLUSIVE
    assert stress({**COUNTS, "samples": 40, "unscored": 40}) is Verdict.INCONCLUSIVE


def test_fewer_cases_than_planned_decide_nothing() -> None:
    assert stress({**COUNTS, "samples": 39}) is Verdict.INCONCLUSIVE
    assert stress({**COUNTS, "samples": 39, "hits": 39}) is Verdict.INCONCLUSIVE


def test_what_is_incapable_only_looks_safe() -> None:
    assert stress(COUNTS) is Verdict.MET
    for floor in ("unmet", "", False, 0, None):
        assert stress({**COUNTS, "floor": floor}) is Verdict.INCONCLUSIVE
    assert stress({**FIGURES, "suite_digest": "sha256:s"}) is Verdict.INCONCLUSIVE, "no floor is no floor that was met"


def test_a_result_of_another_suite_of_the_same_name_is_no_evidence() -> None:
    for suite in ("sha256:before-a-prompt-was-changed", None):
        assert stress({**COUNTS, "suite_digest": suite}) is Verdict.INCONCLUSIVE
    assert stress({**FIGURES, "floor": "met"}) is Verdict.INCONCLUSIVE


def test_a_result_grows_stale_and_only_a_new_run_makes_up_for_it() -> None:
    facts = complete(ROOM)
    judged = clause(ROOM, "stress").judge(replace(facts, now=NOW + timedelta(days=366)))
    assert (judged.verdict, "older than 365 days" in judged.sentence) == (Verdict.INCONCLUSIVE, True)
    assert clause(ROOM, "stress").judge(replace(facts, now=NOW + timedelta(days=365))).verdict is Verdict.MET
    short = make_plan(("min_samples: 40}", "min_samples: 40, valid_days: 7}")).stages[1]
    assert gate_version(short) != gate_version(ROOM)
    assert (
        clause(short, "stress").judge(replace(complete(short), now=NOW + timedelta(days=8))).verdict is not Verdict.MET
    )


def test_a_look_at_the_figures_is_not_forgotten_when_the_plan_is_touched_up() -> None:
    least = {**COUNTS, "samples": 40}
    assert stress(least, runs_of(3, 3, 0)) is Verdict.MET
    assert stress(least, runs_of(4, 4, 0)) is Verdict.INCONCLUSIVE, "all finished, three for gates of before"


def test_the_sentence_says_so_where_only_the_model_s_address_is_known() -> None:
    facts = replace(complete(ROOM), pinned=False)
    assert "known by its address only" in clause(ROOM, "stress").judge(facts).sentence


def test_runs_thrown_away_widen_the_interval_until_nothing_can_be_met() -> None:
    least = {**COUNTS, "samples": 40}
    assert stress(least, runs_of(3, 1, 2)) is Verdict.MET
    assert stress(least, runs_of(4, 1, 3)) is Verdict.INCONCLUSIVE
    assert stress(least, runs_of(4, 1, 0)) is Verdict.INCONCLUSIVE, "still running"
    assert stress(least, runs_of(4, 4, 0)) is Verdict.INCONCLUSIVE, "never filed"


def test_repeating_a_test_can_only_make_it_harder() -> None:
    version, claim = gate_version(ROOM), "core/memorised-text"
    good = EvidenceFact("good", version, claim, COUNTS, NOW)
    bad = EvidenceFact("bad", version, claim, {**COUNTS, "hits": 30}, NOW)
    facts = replace(complete(ROOM), runs={claim: runs_of(2, 2)})
    for order in ((good, bad), (bad, good)):
        judged = clause(ROOM, "stress").judge(replace(facts, evidence=order))
        assert judged.verdict is Verdict.UNMET
    told = clause(ROOM, "stress").judge(replace(facts, evidence=(good, good))).sentence
    assert "2 started, 2 finished, 0 abandoned" in told


@pytest.mark.parametrize(
    "runs", [runs_of(0, 0, 0), runs_of(1, 0, 0), runs_of(1, 1, 1), runs_of(-1, 1, 0), runs_of(2, 1, -1)]
)
def test_a_log_of_runs_that_contradicts_the_evidence_decides_nothing(runs: RunsFact) -> None:
    assert stress(COUNTS, runs) is Verdict.INCONCLUSIVE


NONSENSE: st.SearchStrategy[object] = st.sampled_from([None, math.nan, math.inf, -1, 1.0, True, "0", [], {}, 10**30])


@given(st.sampled_from(sorted(FIGURES)), NONSENSE)
def test_a_count_that_cannot_be_read_is_inconclusive(name: str, value: object) -> None:
    assert stress({**COUNTS, name: value}) is Verdict.INCONCLUSIVE
    assert stress({key: count for key, count in COUNTS.items() if key != name}) is Verdict.INCONCLUSIVE


def test_more_hits_than_cases_is_unreadable() -> None:
    assert stress({**COUNTS, "hits": 61}) is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("use", "verdict"),
    [
        (UseFact(90.0, 1_000_000, 10), Verdict.MET),
        (UseFact(89.99, 1_000_000, 10), Verdict.UNMET),
        (UseFact(90.0, 999_999, 10), Verdict.UNMET),
        (UseFact(90.0, 1_000_000, 9), Verdict.UNMET),
        (UseFact(math.nan, 1_000_000, 10), Verdict.INCONCLUSIVE),
        (UseFact(math.inf, 1_000_000, 10), Verdict.INCONCLUSIVE),
        (UseFact(None, 1_000_000, 10), Verdict.INCONCLUSIVE),
        (UseFact(90.0, None, 10), Verdict.INCONCLUSIVE),
        (UseFact(90.0, 1_000_000, None), Verdict.INCONCLUSIVE),
    ],
)
def test_a_soak_needs_days_and_passes_and_readers(use: UseFact, verdict: Verdict) -> None:
    facts = replace(complete(), use={"reading-room": use})
    assert clause(OUT, "soak").judge(facts).verdict is verdict


@pytest.mark.parametrize(
    ("incidents", "passes", "verdict"),
    [
        (0, 1_000_000, Verdict.MET),
        (0, 299_574, Verdict.MET),  # 2.9957 / 10 per million
        (0, 299_573, Verdict.INCONCLUSIVE),
        (0, 0, Verdict.INCONCLUSIVE),
        (5, 1_000_000, Verdict.INCONCLUSIVE),
        (17, 1_000_000, Verdict.UNMET),
        (None, 1_000_000, Verdict.INCONCLUSIVE),
        (0, None, Verdict.INCONCLUSIVE),
    ],
)
def test_a_rate_in_use_is_judged_by_its_exact_bound(
    incidents: int | None, passes: int | None, verdict: Verdict
) -> None:
    use = UseFact(1.0, passes, 1, incidents)
    assert clause(OUT, "observed").judge(replace(complete(), use={"reading-room": use})).verdict is verdict


def test_a_document_that_is_missing_leaves_the_gate_inconclusive_and_is_named() -> None:
    judged = clause(OUT, "document").judge(replace(complete(), documents=(DocumentFact("energy", "sha256:e"),)))
    assert judged.verdict is Verdict.INCONCLUSIVE
    assert "model card" in judged.sentence
    assert "model_card" in judged.missing
    assert "energy" not in judged.sentence


def test_one_person_never_counts_twice_whatever_the_roles() -> None:
    version = gate_version(OUT)
    twice = tuple(SignatureFact("p1", role, version) for role in ("steward", "steward", "safety"))
    judged = clause(OUT, "sign_off").judge(replace(complete(), signatures=twice))
    assert judged.verdict is Verdict.UNMET
    assert judged.sentence.startswith("1 of 2")


def test_a_signature_under_another_version_of_the_gate_does_not_count() -> None:
    old = tuple(replace(each, gate_version="sha256:old") for each in complete().signatures)
    judged = clause(OUT, "sign_off").judge(replace(complete(), signatures=old))
    assert judged.verdict is Verdict.UNMET
    assert "another version" in judged.sentence


def _without(facts: Facts, name: str) -> Facts:
    blank = Facts(NOW, facts.gate_version)
    return replace(facts, **{name: getattr(blank, name)})


KEYS = {
    "stress": ("model_digest", "evidence", "runs"),
    "soak": ("use",),
    "observed": ("use",),
    "document": ("model_digest", "documents"),
    "sign_off": ("signatures",),
}


@given(st.sets(st.sampled_from(["model_digest", "evidence", "documents", "signatures", "runs", "use"])))
def test_missing_evidence_never_meets_a_clause_that_rests_on_it(lost: set[str]) -> None:
    facts = complete()
    for name in lost:
        facts = _without(facts, name)
    for each in OUT.gate.clauses:
        met = each.judge(facts).verdict is Verdict.MET
        assert met == lost.isdisjoint(KEYS[each.kind])


@given(st.text(min_size=1, max_size=5))
def test_facts_of_another_gate_version_or_another_stage_never_meet_anything(other: str) -> None:
    facts = complete()
    moved = replace(facts, gate_version=facts.gate_version + other, use={other: facts.use["reading-room"]})
    for each in OUT.gate.clauses:
        if each.kind != "document":  # documents are of the model, whatever the gate
            assert each.judge(moved).verdict is not Verdict.MET


@given(st.lists(st.tuples(st.sampled_from(["samples", "hits", "errors", "unscored"]), NONSENSE | st.integers(0, 90))))
def test_corrupted_counts_meet_the_claim_only_if_they_truly_show_it(changes: list[tuple[str, object]]) -> None:
    counts: dict[str, object] = {**COUNTS, **dict(changes)}
    if stress(counts) is Verdict.MET:
        read = [value for name, value in counts.items() if name in FIGURES and isinstance(value, int)]
        assert len(read) == 4
        samples, *bad = read
        assert samples >= 40
        assert sum(bad) / samples < 0.1


def test_a_new_kind_of_gate_is_one_class_and_one_line_in_the_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The how-to: a clause says its name, its JSON, what it covers, what must hold, and how it judges facts."""

    @dataclass(frozen=True)
    class NotBefore:
        moment: str
        kind: str = "not_before"
        label: str = "not_before"

        def canonical(self) -> dict[str, str]:
            return {self.kind: self.moment}

        def covers(self) -> frozenset[str]:
            return frozenset()

        def describe(self) -> str:
            return f"it is {self.moment} or later"

        def judge(self, facts: Facts) -> Judgement:
            met = facts.now >= parse_rfc3339(self.moment)
            return Judgement(Verdict.MET if met else Verdict.UNMET, f"it is {facts.now}")

    def read_clause(node: Node, _scope: Scope) -> NotBefore:
        return NotBefore(node.text())

    monkeypatch.setitem(cast("dict[str, Parser]", KINDS), "not_before", read_clause)
    plan = make_plan(
        ("      - sign_off: {role: steward, quorum: 1}", "      - not_before: '2026-02-01T00:00:00Z'"),
    )
    added = plan.stages[1].gate.clauses[-1]
    assert added.judge(complete()).verdict is Verdict.UNMET
    assert added.judge(replace(complete(), now=NOW.replace(month=2))).verdict is Verdict.MET
    assert gate_version(plan.stages[1]) != gate_version(ROOM)
