from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from readingroom.core.errors import BadInput, Broken
from readingroom.core.refusal import Refused
from readingroom.releases import queries
from readingroom.releases.model import StageState
from readingroom.strategy.diff import ChangeKind
from releases.lab import ALDHELM, HILDA, OPERATOR, TRIAL, Lab
from strategy.shipped import shipped_text


def test_only_what_was_adopted_is_in_force(lab: Lab) -> None:
    assert lab.releases.in_force() is None
    assert lab.releases.status() == []
    first = lab.adopt()
    lab.adopt(shipped_text().replace("days: 90", "days: 91"))
    adopted = lab.releases.in_force()
    assert adopted is not None
    assert (adopted.number, adopted.reason, adopted.adopted_by) == (2, "canary: because", HILDA.id)
    assert adopted.digest != first.digest


def test_before_any_plan_nothing_can_be_opened_or_signed(lab: Lab) -> None:
    for act in (lab.releases.open, lab.releases.sign):
        with pytest.raises(Refused, match="releases/no-plan"):
            act(HILDA, "reading-room")
    with lab.db.read() as tx:
        assert queries.stage_facts(tx) == []
        assert queries.stage_fact(tx, "reading-room") is None


def test_the_diff_goes_into_the_ledger_as_digests_and_no_words_do(lab: Lab) -> None:
    lab.adopt()
    lab.adopt(shipped_text().replace("at_most: 0.10", "at_most: 0.20").replace("lab@example.org", "canary@x.org"))
    entry = json.loads(lab.leaves()[-1])
    assert entry["event"] == "releases.plan.adopted"
    changes = {each["subject"]: each["kind"] for each in entry["data"]["changes"]}
    assert changes == {"reading-room": "stage-changed", "steward": "text-changed"}
    assert b"canary" not in b"".join(lab.leaves())
    assert b"example.org" not in b"".join(lab.leaves())


def test_a_preview_says_what_would_change_and_changes_nothing(lab: Lab) -> None:
    lab.adopt()
    before = lab.leaves()
    (change,) = lab.releases.preview(shipped_text().replace("days: 90", "days: 91"), "release.yaml")
    assert change.subject == "publication"
    assert lab.leaves() == before


@pytest.mark.parametrize("text", ["", "x: 1", shipped_text().replace("suite: core", "suite: none")])
def test_a_plan_with_problems_is_not_adopted_and_the_old_one_stays(lab: Lab, text: str) -> None:
    lab.adopt()
    before = lab.leaves()
    with pytest.raises(BadInput, match=r"bad.yaml:\d+:\d+"):
        lab.releases.adopt(HILDA, text, "bad.yaml", "why not")
    assert lab.leaves() == before


def test_adopting_needs_a_reason_and_a_permission(lab: Lab) -> None:
    with pytest.raises(BadInput, match="--reason"):
        lab.releases.adopt(HILDA, shipped_text(), "release.yaml", "  ")
    with pytest.raises(Refused, match="people/not-allowed"):
        lab.adopt(by=ALDHELM)
    lab.adopt(by=OPERATOR)


def test_a_house_for_trials_is_marked_in_the_ledger(lab: Lab) -> None:
    lab.adopt(shipped_text("release-dev"), by=TRIAL)
    assert json.loads(lab.leaves()[-1])["data"]["trial"] is True
    lab.register()
    lab.releases.sign(TRIAL, "reading-room")
    assert lab.releases.open(TRIAL, "reading-room").open


def test_a_changed_stage_closes_with_the_adoption_and_reopens_only_by_a_person_with_new_evidence(lab: Lab) -> None:
    lab.open_reading_room()
    lab.adopt(shipped_text().replace("at_most: 0.10", "at_most: 0.20"))
    assert json.loads(lab.leaves()[-1])["event"] == "releases.stage.closed"
    shown = lab.releases.stage("reading-room")
    assert (shown.open, shown.record.state, shown.record.reason) == (False, StageState.CLOSED, "plan-changed")
    assert not shown.gate_met
    assert shown.signatures == ()
    with pytest.raises(Refused, match="releases/gate-not-met"):
        lab.releases.open(HILDA, "reading-room")


def test_an_unchanged_stage_stays_open_when_another_one_changes(lab: Lab) -> None:
    lab.open_reading_room()
    lab.adopt(shipped_text().replace("days: 90", "days: 30"))
    assert lab.releases.stage("reading-room").open


def test_a_stage_that_was_closed_by_a_plan_does_not_spring_open_when_the_old_plan_returns(lab: Lab) -> None:
    lab.open_reading_room()
    lab.adopt(shipped_text("release-dev"))
    lab.adopt()
    with lab.db.read() as tx:
        fact = queries.stage_fact(tx, "reading-room", lab.clock.now())
    assert fact is not None
    assert not fact.open
    assert lab.releases.open(HILDA, "reading-room").open, "its own evidence and signature are of this version"


def test_a_stage_that_the_plan_drops_is_no_stage_any_more(lab: Lab) -> None:
    lab.open_reading_room()
    lab.adopt(shipped_text("release-dev").replace("name: reading-room", "name: other-room"))
    with lab.db.read() as tx:
        assert queries.stage_fact(tx, "reading-room") is None
        assert queries.records(tx)["reading-room"].state is StageState.CLOSED
    with pytest.raises(Refused, match="releases/stage-unknown"):
        lab.releases.hold(HILDA, "reading-room", "security")


def test_a_plan_that_was_altered_in_the_database_is_not_in_force(lab: Lab) -> None:
    lab.open_reading_room()
    with lab.db.write() as tx:
        tx.execute(sa.text("update releases_plan set text = replace(text, 'audience: granted', 'audience: public ')"))
    with lab.db.read() as tx, pytest.raises(Broken, match="does not say what was adopted"):
        queries.stage_fact(tx, "reading-room")


@pytest.mark.parametrize("damage", ["replace(text, 'audience: granted', 'audience: public ')", "'stages: ['"])
def test_a_plan_that_cannot_be_read_any_more_gives_way_to_another_and_every_stage_closes(lab: Lab, damage: str) -> None:
    lab.open_reading_room()
    with lab.db.write() as tx:
        tx.execute(sa.text(f"update releases_plan set text = {damage}"))  # noqa: S608 - our own words
    assert lab.releases.preview(shipped_text(), "release.yaml")[0].kind is ChangeKind.STAGE_ADDED
    lab.adopt()
    adopted = json.loads(lab.leaves()[-2])
    assert (adopted["event"], adopted["data"]["number"]) == ("releases.plan.adopted", 2)
    assert adopted["data"]["before_readable"] is False
    assert json.loads(lab.leaves()[-1])["event"] == "releases.stage.closed"
    assert not lab.releases.stage("reading-room").open
    assert lab.releases.open(HILDA, "reading-room").open


def test_a_stage_whose_state_was_altered_in_the_database_is_not_open_under_another_gate(lab: Lab) -> None:
    lab.open_reading_room()
    lab.adopt(shipped_text().replace("at_most: 0.10", "at_most: 0.20"))
    with lab.db.write() as tx:
        tx.execute(sa.text("update releases_stage set state = 'open'"))
    with lab.db.read() as tx:
        fact = queries.stage_fact(tx, "reading-room", lab.clock.now())
    assert fact is not None
    assert not fact.open
    assert "changed it" in fact.reason


def test_the_fact_of_a_stage_says_what_the_gateway_needs(lab: Lab) -> None:
    lab.open_reading_room()
    with lab.db.read() as tx:
        fact = queries.stage_fact(tx, "reading-room", lab.clock.now())
    assert fact is not None
    assert (fact.open, fact.reason, fact.model) == (True, "", "small")
    assert fact.artifact == "smollm2-135m-instruct"
    assert fact.digest.startswith("sha256:")
    assert fact.screening == ("rules/base.yaml",)
    assert fact.max_tokens == 1024
    assert fact.usable(lab.clock.now())
