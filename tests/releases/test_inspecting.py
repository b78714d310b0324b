"""Promise 10: what may be reached around the gateway is not served by it, until a person has looked into it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.releases import queries
from readingroom.releases.inspecting import Inspections
from readingroom.releases.model import EngineLook
from readingroom.releases.rules import settled, why_engine
from releases.lab import ARTIFACT, HILDA, Lab
from strategy.shipped import make_plan

SLOTS, TOKENIZE = "GET /slots", "POST /tokenize"
KEPT = {"prompts": "sha256:p", "passes": 64, "answers": []}
FACSIMILES, ROOM, OUT = make_plan().stages


class Guarded:
    """A lab whose reading room is open, and the looks at its engine."""

    def __init__(self, lab: Lab) -> None:
        lab.open_reading_room()
        self.lab = lab
        self.digest = lab.dossier.show(ARTIFACT)[0].digest
        self.looks = Inspections(lab.db, lab.releases._ledger, lab.clock)

    def reason(self) -> str:
        """Return why the stage is shut: as the gateway and as the steward's page have it."""
        with self.lab.db.read() as tx:
            fact = queries.stage_fact(tx, "reading-room", self.lab.clock.now())
        shown = self.lab.releases.stage("reading-room", HILDA)
        assert fact is not None
        assert (fact.open, fact.reason) == (shown.open, shown.reason)
        assert fact.open == (not fact.reason)
        return fact.reason

    def told(self) -> list[dict[str, object]]:
        entries = [json.loads(leaf) for leaf in self.lab.leaves()]
        return [each["data"] for each in entries if each["event"].startswith("releases.engine.")]


@pytest.fixture
def room(lab: Lab) -> Guarded:
    return Guarded(lab)


def test_an_open_door_shuts_the_stage_names_no_door_to_readers_and_is_told_once(room: Guarded) -> None:
    for _ in range(3):
        room.looks.record(room.digest, [SLOTS], same=None)
    assert "inconclusive" in room.reason()
    assert "slots" not in room.reason()
    assert room.told() == [{"model_digest": room.digest, "verdict": "inconclusive", "doors": [SLOTS], "changed": False}]
    room.looks.record(room.digest, [TOKENIZE, SLOTS], same=None)
    assert [each["doors"] for each in room.told()] == [[SLOTS], [SLOTS, TOKENIZE]]


def test_a_look_that_finds_nothing_is_no_news(room: Guarded) -> None:
    for _ in range(2):
        found = room.looks.record(room.digest, [], same=True, passes=64)
    assert (found.sound, found.passes) == (True, 128)
    assert found.looked_at == room.lab.clock.now()
    assert room.told() == []
    assert room.reason() == ""


def test_a_door_that_was_shut_again_opens_nothing_but_lets_a_steward_open(room: Guarded) -> None:
    room.looks.record(room.digest, [SLOTS], same=None)
    with pytest.raises(Refused) as caught:
        room.lab.releases.open(HILDA, "reading-room")
    assert caught.value.refusal.code == "releases/gate-not-met"
    assert [each["label"] for each in caught.value.refusal.facts["clauses"]] == ["engine"]
    assert "open" not in room.lab.releases.stage("reading-room", HILDA).actions
    room.looks.record(room.digest, [], same=None)
    assert "open it anew" in room.reason()
    assert "open" in room.lab.releases.stage("reading-room", HILDA).actions
    room.lab.releases.open(HILDA, "reading-room")
    assert room.reason() == ""
    assert [each["verdict"] for each in room.told()] == ["inconclusive", "met"]


def test_no_waiver_lets_it_open(room: Guarded) -> None:
    room.looks.record(room.digest, [SLOTS], same=None)
    with pytest.raises((Refused, BadInput), match="clause"):
        room.lab.releases.waive(HILDA, "reading-room", "engine", room.lab.clock.now() + timedelta(days=1), "why")


def test_an_answer_that_is_not_the_tested_ones_shuts_it_and_a_test_anew_needs_a_steward_too(room: Guarded) -> None:
    room.looks.keep_fingerprint("person_bede", room.digest, KEPT, "sha256:one", same=True)
    assert room.reason() == ""
    room.looks.record(room.digest, [], same=False)
    assert "otherwise than when it was tested" in room.reason()
    room.looks.record(room.digest, [], same=None)  # it could not be asked: what was found holds
    assert "otherwise than when it was tested" in room.reason()
    room.looks.keep_fingerprint("person_bede", room.digest, KEPT | {"passes": 60}, "sha256:two", same=False)
    assert "open it anew" in room.reason()
    room.lab.releases.open(HILDA, "reading-room")
    assert room.reason() == ""
    assert [each.get("fingerprint") for each in room.told()] == ["sha256:one", None, "sha256:two"]


def test_the_first_fingerprint_stays_so_that_small_steps_do_not_add_up(room: Guarded) -> None:
    room.looks.keep_fingerprint("person_bede", room.digest, KEPT, "sha256:one", same=True)
    room.looks.keep_fingerprint("person_bede", room.digest, KEPT | {"answers": [[]]}, "sha256:two", same=True)
    assert room.looks.fingerprint(room.digest) == KEPT
    assert room.looks.last(room.digest).passes == 128
    assert len(room.told()) == 1


def test_time_behind_an_open_door_is_no_time_that_the_stage_was_open(room: Guarded) -> None:
    room.lab.clock.advance(days=3)
    room.looks.record(room.digest, [SLOTS], same=None)
    room.lab.clock.advance(days=4)
    room.looks.record(room.digest, [], same=None)
    room.lab.releases.open(HILDA, "reading-room")
    room.lab.clock.advance(days=5)
    with room.lab.db.read() as tx:
        times = queries.open_times(tx, ROOM, room.lab.clock.now())
    assert sum((end - start for start, end in times), timedelta()) == timedelta(days=8)


def test_another_models_engine_and_other_channels_are_not_concerned(room: Guarded) -> None:
    room.looks.record("sha256:other", [SLOTS], same=None)
    assert room.reason() == ""
    bad = EngineLook(room.digest, (SLOTS,), trouble=9)
    assert why_engine(FACSIMILES, bad, 0) == why_engine(OUT, bad, 0) == ""
    assert why_engine(ROOM, bad, 99) != ""


def test_a_door_that_was_open_and_is_too_busy_to_answer_is_not_shut() -> None:
    before = EngineLook("sha256:m", (SLOTS, TOKENIZE))
    assert settled(before, [], [SLOTS], same=None) == ((SLOTS,), False)
    assert settled(EngineLook("sha256:m"), [], [SLOTS], same=None) == ((), False)


def test_one_process_looks_at_a_time(room: Guarded) -> None:
    day = timedelta(days=1)
    assert room.looks.begin(room.digest, day)
    assert not room.looks.begin(room.digest, day)
    assert room.looks.begin("sha256:other", day)
    room.lab.clock.advance(days=1)
    assert room.looks.begin(room.digest, day)
    assert room.looks.last(room.digest).looked_at is None
