"""Promises 4 and 5 as properties: missing evidence never opens a gate, and a deadline never decides."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from readingroom.core.clock import FixedClock
from readingroom.core.refusal import Refused
from readingroom.dossier.model import ModelVersion
from readingroom.ledger.note import Signer
from readingroom.ledger.service import Ledger
from readingroom.releases import queries, rules
from readingroom.releases.model import StageRecord, StageState, Waiver
from readingroom.store.db import Database
from readingroom.strategy.facts import DocumentFact, EvidenceFact, Facts, RunsFact, SignatureFact, UseFact
from readingroom.strategy.model import Gate, gate_version
from releases.lab import BEDE, CLAIMS, CUTHBERT, HILDA, SHOWN, Lab
from strategy.shipped import make_plan, shipped_text

NOW = datetime(2026, 1, 5, tzinfo=UTC)
ROOM, OUT = make_plan().stages[1:]
MODEL = ModelVersion("model_1", OUT.model.artifact, "/m", "sha256:m", 9, NOW)
FULL = Facts(
    now=NOW,
    gate_version=gate_version(OUT),
    model_digest=MODEL.digest,
    evidence=(
        EvidenceFact(
            "e1",
            gate_version(OUT),
            CLAIMS["publication"],
            {"samples": 60, "hits": 0, "errors": 0, "unscored": 0, **SHOWN},
            NOW,
        ),
    ),
    documents=(DocumentFact("model_card", "sha256:c"), DocumentFact("energy", "sha256:e")),
    signatures=(
        SignatureFact("p1", "steward", gate_version(OUT)),
        SignatureFact("p2", "steward", gate_version(OUT)),
    ),
    runs={CLAIMS["publication"]: RunsFact(1, 1, 0, "sha256:s")},
    use={"reading-room": UseFact(90.0, 1_000_000, 10, 0)},
)


def opens(facts: Facts, model: ModelVersion | None = MODEL, waivers: tuple[Waiver, ...] = ()) -> bool:
    judged = rules.clauses(OUT, facts, waivers, facts.now)
    return rules.check_open(OUT, StageRecord(OUT.name), model, judged, "it is closed") is None


def test_with_everything_there_the_gate_opens() -> None:
    assert opens(FULL)


def _subset(items: tuple[Any, ...]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.sets(st.sampled_from(range(len(items)))).map(lambda kept: tuple(items[i] for i in sorted(kept)))


BROKEN = st.sampled_from([None, -1, float("nan"), float("inf"), True, "90", 10**40])


@st.composite
def damaged(draw: st.DrawFn) -> Facts:
    """Take away, or spoil, any part of complete facts."""
    use = FULL.use["reading-room"]
    spoilt: dict[str, Any] = draw(st.dictionaries(st.sampled_from(UseFact.__slots__), BROKEN))
    counts = {**FULL.evidence[0].counts, **draw(st.dictionaries(st.sampled_from(["samples", "hits"]), BROKEN))}
    evidence = (replace(FULL.evidence[0], counts=counts),)
    return replace(
        FULL,
        model_digest=draw(st.sampled_from([None, MODEL.digest])),
        evidence=draw(_subset(evidence)),
        documents=draw(_subset(FULL.documents)),
        signatures=draw(_subset(FULL.signatures)),
        runs=draw(st.sampled_from([{}, FULL.runs])),
        use=draw(st.sampled_from([{}, {"reading-room": replace(use, **spoilt)}])),
    )


@settings(max_examples=400)
@given(damaged(), st.sampled_from([None, MODEL]))
def test_missing_or_spoilt_evidence_never_opens_a_gate(facts: Facts, model: ModelVersion | None) -> None:
    assert opens(facts, model) == (facts == FULL and model is not None)


@given(damaged(), st.lists(st.sampled_from([each.label for each in OUT.gate.clauses]), max_size=5))
def test_no_waiver_that_lies_in_the_table_lets_weights_out(facts: Facts, labels: list[str]) -> None:
    forged = tuple(
        Waiver(f"w{i}", label, facts.gate_version, NOW + timedelta(days=1), "p", "r") for i, label in enumerate(labels)
    )
    assert opens(facts, waivers=forged) == (facts == FULL)


@given(st.sampled_from(list(StageState)))
def test_a_gate_that_lost_its_clauses_opens_nothing(state: StageState) -> None:
    for stage in (ROOM, OUT):
        for gate in (Gate(), Gate(ungated="because")):
            bare = replace(stage, gate=gate)
            assert not rules.gate_met(bare, ())
            assert rules.check_open(bare, StageRecord(bare.name, state), MODEL, (), "shut") is not None


@given(st.datetimes(timezones=st.just(UTC)), st.sampled_from(list(StageState)))
def test_no_moment_makes_a_stage_that_is_not_open_usable(now: datetime, state: StageState) -> None:
    record = StageRecord(ROOM.name, state, gate_version(ROOM))
    assert (rules.why_not_open(ROOM, record, now) == "") == (state is StageState.OPEN)


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("promises") / "empty.db"
    database = Database(f"sqlite:///{path}")
    database.create()
    database.close()
    return path


@contextmanager
def fresh_lab(migrated: Path) -> Iterator[Lab]:
    with TemporaryDirectory() as folder:
        shutil.copy(migrated, Path(folder) / "lab.db")
        database, clock = Database(f"sqlite:///{folder}/lab.db"), FixedClock()
        lab = Lab(database, Ledger(clock, Signer.generate("test.example/log")), clock, Path(folder))
        lab.history.uses["reading-room"] = UseFact(None, 1_000_000, 10, 0)
        yield lab
        database.close()


ACTS = {
    "adopt": lambda lab: lab.adopt(),
    "adopt-other": lambda lab: lab.adopt(shipped_text().replace("at_most: 0.10", "at_most: 0.20")),
    "register": lambda lab: lab.register(),
    "test-room": lambda lab: lab.test("reading-room"),
    "test-out": lambda lab: lab.test("publication"),
    "card": lambda lab: lab.dossier.file_document(BEDE, OUT.model.artifact, "model_card", b"x"),
    "energy": lambda lab: lab.dossier.file_document(BEDE, OUT.model.artifact, "energy", b"x"),
    "sign-room": lambda lab: lab.releases.sign(HILDA, "reading-room"),
    "sign-out": lambda lab: lab.releases.sign(HILDA, "publication"),
    "sign-out-too": lambda lab: lab.releases.sign(CUTHBERT, "publication"),
    "waive": lambda lab: lab.releases.waive(
        HILDA, "reading-room", "stress", lab.clock.now() + timedelta(days=30), "why"
    ),
    "open-room": lambda lab: lab.releases.open(HILDA, "reading-room"),
    "open-out": lambda lab: lab.releases.open(HILDA, "publication"),
    "hold": lambda lab: lab.releases.hold(HILDA, "reading-room", "incident"),
    "rollback": lambda lab: lab.releases.rollback(HILDA, "reading-room", "incident"),
    "wait": lambda lab: lab.clock.advance(days=45),
}
LEADING = ["adopt", "register", "test-room", "sign-room", "open-room", "wait", "wait", "test-out", "card", "energy"]


def usable(lab: Lab) -> set[str]:
    with lab.db.read() as tx:
        return {fact.name for fact in queries.stage_facts(tx, lab.clock.now()) if fact.open}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    led=st.sampled_from([0, 4, 5, len(LEADING)]),
    acts=st.lists(st.sampled_from(sorted(ACTS)), max_size=14),
)
@example(led=0, acts=["register", "test-out"])  # a test filed for a stage that no plan has is refused, as any is
def test_nothing_but_a_person_s_opening_opens_and_time_only_ever_closes(
    migrated: Path, led: int, acts: list[str]
) -> None:
    with fresh_lab(migrated) as lab:
        for name in LEADING[:led] + acts:
            before = usable(lab)
            with suppress(Refused):
                ACTS[name](lab)
            new = usable(lab) - before
            assert new <= {"open-room": {"reading-room"}, "open-out": {"publication"}}.get(name, set())
            for stage in new:
                assert lab.releases.stage(stage).gate_met
            lab.clock.advance(days=1)
            assert usable(lab) <= before | new


def test_the_leading_path_of_that_property_does_reach_publication(migrated: Path) -> None:
    with fresh_lab(migrated) as lab:
        for name in [*LEADING, "sign-out", "sign-out-too", "open-out"]:
            ACTS[name](lab)
        assert usable(lab) == {"reading-room", "publication"}
