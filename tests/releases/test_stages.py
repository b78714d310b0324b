from __future__ import annotations

import json
from datetime import timedelta

import pytest

from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.dossier.model import ModelVersion
from readingroom.releases import queries, rules
from readingroom.releases.model import Action, StageRecord, StageState
from readingroom.strategy.facts import RunsFact, UseFact
from readingroom.strategy.model import Verdict
from releases.lab import ALDHELM, BEDE, CUTHBERT, HILDA, OPERATOR, TRIAL, Lab
from strategy.shipped import make_plan, shipped_text

ROOM, OUT = make_plan().stages[1:]


def publish_ready(lab: Lab) -> None:
    """Bring the publication stage to where only signatures are missing."""
    lab.open_reading_room()
    lab.clock.advance(days=90)
    lab.history.uses["reading-room"] = UseFact(None, 1_000_000, 10, 0)
    lab.test("publication")
    for kind in ("model_card", "energy"):
        lab.dossier.file_document(BEDE, "smollm2-135m-instruct", kind, b"text")


def test_a_stage_opens_when_its_gate_is_met_and_the_ledger_says_on_what(lab: Lab) -> None:
    lab.open_reading_room()
    entry = json.loads(lab.leaves()[-1])
    assert entry["event"] == "releases.stage.opened"
    assert [each["verdict"] for each in entry["data"]["clauses"]] == ["met", "met"]
    shown = lab.releases.stage("reading-room", HILDA)
    assert (shown.open, shown.gate_met, shown.reason) == (True, True, "")
    assert shown.actions == {"hold", "rollback", "withdraw"}


def test_a_refusal_to_open_tells_each_clause_s_sentence_and_what_is_missing(lab: Lab) -> None:
    lab.adopt()
    lab.register()
    before = lab.leaves()
    with pytest.raises(Refused) as caught:
        lab.releases.open(HILDA, "reading-room")
    refusal = caught.value.refusal
    assert refusal.code == "releases/gate-not-met"
    assert [each["label"] for each in refusal.facts["clauses"]] == ["stress:core/memorised-text", "sign_off:steward"]
    assert all(each["missing"] for each in refusal.facts["clauses"])
    assert "there is no evidence" in refusal.reason
    assert "No steward has signed" in refusal.reason
    assert lab.leaves() == before


def test_a_claim_that_does_not_hold_keeps_the_stage_shut_whoever_signs(lab: Lab) -> None:
    lab.adopt()
    lab.register()
    lab.test("reading-room", hits=38, samples=40)
    lab.releases.sign(HILDA, "reading-room")
    with pytest.raises(
        Refused,
        match=r"is unmet: At most 10 % memorised text, with 95 % confidence\. Seen in 38 of 40 cases",
    ):
        lab.releases.open(HILDA, "reading-room")


def test_samples_without_a_gate_open_by_a_person_s_act(lab: Lab) -> None:
    lab.adopt()
    assert not lab.releases.stage("facsimiles").open
    assert lab.releases.open(HILDA, "facsimiles").open


def test_an_api_stage_needs_a_registered_model_and_weights_need_their_bytes(lab: Lab) -> None:
    lab.adopt()
    with pytest.raises(Refused, match="releases/model-not-registered"):
        lab.releases.open(HILDA, "reading-room")
    far = ModelVersion("model_1", "far", "https://x.example/v1", "sha256:f", 0, lab.clock.now(), pinned=False)
    assert rules.check_model(ROOM, far) is None
    refusal = rules.check_model(OUT, far)
    assert refusal is not None
    assert refusal.code == "releases/model-not-registered"


def test_hold_reopen_rollback_and_withdraw_go_as_the_table_says(lab: Lab) -> None:
    lab.open_reading_room()
    assert lab.releases.hold(HILDA, "reading-room", "incident").record.state is StageState.HELD
    assert lab.releases.open(HILDA, "reading-room").open, "after a hold the signature still stands"
    rolled = lab.releases.rollback(HILDA, "reading-room", "evidence", "canary: the harness was wrong")
    assert (rolled.open, rolled.record.state, rolled.signatures) == (False, StageState.ROLLED_BACK, ())
    with pytest.raises(Refused, match="No steward has signed"):
        lab.releases.open(HILDA, "reading-room")
    lab.releases.sign(HILDA, "reading-room")
    assert lab.releases.open(HILDA, "reading-room").open
    assert lab.releases.withdraw(HILDA, "reading-room", "legal").record.state is StageState.WITHDRAWN
    for act in (lab.releases.open, lab.releases.sign):
        with pytest.raises(Refused, match=r"releases/not-from-here.*final"):
            act(CUTHBERT, "reading-room")
    events = [json.loads(leaf)["event"].split(".")[-1] for leaf in lab.leaves()]
    assert events[-7:] == ["opened", "held", "opened", "rolled-back", "signed", "opened", "withdrawn"]
    assert b"canary" not in b"".join(lab.leaves())


def test_no_other_plan_brings_a_withdrawn_stage_back(lab: Lab) -> None:
    lab.open_reading_room()
    lab.releases.withdraw(HILDA, "reading-room", "legal")
    lab.adopt(shipped_text().replace("at_most: 0.10", "at_most: 0.20"))
    with pytest.raises(Refused, match="releases/not-from-here"):
        lab.releases.open(HILDA, "reading-room")


@pytest.mark.parametrize(("reason", "note"), [("", ""), ("because", ""), ("plan-changed", ""), ("other", " ")])
def test_a_reason_is_one_of_a_closed_list_and_other_needs_a_note(lab: Lab, reason: str, note: str) -> None:
    lab.open_reading_room()
    with pytest.raises(BadInput):
        lab.releases.hold(HILDA, "reading-room", reason, note)
    assert lab.releases.stage("reading-room").open


def test_weights_cannot_be_rolled_back_but_held_and_withdrawn() -> None:
    record = StageRecord("publication", StageState.OPEN)
    refusal = rules.check_move(OUT, record, Action.ROLLBACK)
    assert refusal is not None
    assert refusal.code == "releases/irreversible"
    assert rules.check_move(OUT, record, Action.HOLD) is None
    assert rules.check_move(OUT, record, Action.WITHDRAW) is None


def test_publication_needs_two_persons_and_everything_else(lab: Lab) -> None:
    publish_ready(lab)
    lab.releases.sign(HILDA, "publication")
    with pytest.raises(Refused, match="1 of 2 stewards have signed"):
        lab.releases.open(HILDA, "publication")
    with pytest.raises(Refused, match="releases/already-signed"):
        lab.releases.sign(HILDA, "publication")
    lab.releases.sign(CUTHBERT, "publication")
    assert lab.releases.open(HILDA, "publication").open
    assert lab.releases.stage("publication", HILDA).actions == {"hold", "withdraw"}


def test_who_has_not_the_role_cannot_sign_and_the_operator_never_can(lab: Lab) -> None:
    lab.adopt()
    with pytest.raises(Refused, match="releases/not-a-signer"):
        lab.releases.sign(BEDE, "reading-room")
    for actor in (OPERATOR, ALDHELM):
        with pytest.raises(Refused, match="people/not-allowed"):
            lab.releases.sign(actor, "reading-room")
    with pytest.raises(Refused, match="releases/nothing-to-sign"):
        lab.releases.sign(HILDA, "facsimiles")
    for act in (lab.releases.open, lambda by, name: lab.releases.hold(by, name, "legal")):
        with pytest.raises(Refused, match="people/not-allowed"):
            act(ALDHELM, "reading-room")


def test_who_holds_two_roles_signs_in_the_one_that_is_still_short(lab: Lab) -> None:
    gate = "      - sign_off: {role: steward, quorum: 1}\n"
    lab.adopt(shipped_text().replace(gate, gate + "      - sign_off: {role: safety, quorum: 1}\n"))
    lab.releases.sign(HILDA, "reading-room")
    signed = lab.releases.sign(CUTHBERT, "reading-room").signatures
    assert {each.person: each.role for each in signed} == {HILDA.id: "steward", CUTHBERT.id: "safety"}


def test_the_soak_counts_only_the_time_that_the_stage_was_open(lab: Lab) -> None:
    lab.open_reading_room()
    lab.clock.advance(days=10)
    lab.releases.hold(HILDA, "reading-room", "maintenance")
    lab.clock.advance(days=50)
    lab.releases.open(HILDA, "reading-room")
    lab.clock.advance(days=5)
    lab.history.uses["reading-room"] = UseFact(None, 7, 2, 0)
    soak = lab.releases.stage("publication").clauses[1]
    assert soak.sentence == "reading-room: 15 of 90 days, 7 of 1,000,000 passes, 2 of 10 readers"
    (first, second) = lab.history.asked[-1]
    assert first[1] - first[0] == timedelta(days=10)
    assert second[1] == lab.clock.now()


def test_a_changed_stage_starts_its_soak_anew(lab: Lab) -> None:
    lab.open_reading_room()
    lab.clock.advance(days=90)
    lab.adopt(shipped_text().replace("at_most: 0.10", "at_most: 0.20"))
    lab.history.uses["reading-room"] = UseFact(None, 0, 0, 0)
    assert "0 of 90 days" in lab.releases.stage("publication").clauses[1].sentence


def test_runs_that_were_abandoned_or_not_logged_show_and_count_against_the_claim(lab: Lab) -> None:
    lab.adopt()
    lab.register()
    lab.test("reading-room", samples=40)
    lab.history.logged = RunsFact(5, 1, 4, "sha256:s")
    clause = lab.releases.stage("reading-room").clauses[0]
    assert clause.verdict is Verdict.INCONCLUSIVE
    assert "5 started, 1 finished, 4 abandoned" in clause.sentence
    lab.history.logged = None
    assert "log of test runs is missing" in lab.releases.stage("reading-room").clauses[0].sentence


def test_a_waiver_opens_without_one_clause_until_it_ends(lab: Lab) -> None:
    lab.adopt()
    lab.register()
    lab.releases.sign(HILDA, "reading-room")
    until = lab.clock.now() + timedelta(days=7)
    given = lab.releases.waive(HILDA, "reading-room", "stress", until, "canary: a demonstration behind closed doors")
    assert given.clause == "stress:core/memorised-text"
    assert json.loads(lab.leaves()[-1])["event"] == "releases.gate.waived"
    shown = lab.releases.open(HILDA, "reading-room")
    assert shown.open
    assert shown.clauses[0].waiver == given
    assert shown.clauses[0].verdict is Verdict.INCONCLUSIVE, "a waiver does not change what the facts say"
    assert json.loads(lab.leaves()[-1])["data"]["clauses"][0]["waiver"] == given.id
    assert b"canary" not in b"".join(lab.leaves())
    with lab.db.read() as tx:
        fact = queries.stage_fact(tx, "reading-room", lab.clock.now())
        blind = queries.stage_fact(tx, "reading-room")
    assert fact is not None
    assert blind is not None
    assert fact.open
    assert not blind.open, "who does not say what time it is gets the safe answer"
    assert not fact.usable(until)
    lab.clock.advance(days=7)
    assert not lab.releases.stage("reading-room").open
    with lab.db.read() as tx:
        late = queries.stage_fact(tx, "reading-room", lab.clock.now())
    assert late is not None
    assert not late.open
    assert "waiver" in late.reason


def test_a_stage_that_lived_by_a_waiver_is_not_soaked_after_its_end(lab: Lab) -> None:
    lab.adopt()
    lab.register()
    lab.releases.sign(HILDA, "reading-room")
    lab.releases.waive(HILDA, "reading-room", "stress", lab.clock.now() + timedelta(days=7), "why")
    lab.releases.open(HILDA, "reading-room")
    lab.clock.advance(days=90)
    lab.history.uses["reading-room"] = UseFact(None, 1_000_000, 10, 0)
    assert "7 of 90 days" in lab.releases.stage("publication").clauses[1].sentence


def test_a_stage_whose_waiver_ended_opens_again_once_its_gate_is_met(lab: Lab) -> None:
    lab.adopt()
    lab.register()
    lab.releases.sign(HILDA, "reading-room")
    lab.releases.waive(HILDA, "reading-room", "stress", lab.clock.now() + timedelta(days=1), "why")
    lab.releases.open(HILDA, "reading-room")
    lab.clock.advance(days=2)
    assert not lab.releases.stage("reading-room").open
    assert "open" not in lab.releases.stage("reading-room", HILDA).actions, "its gate is not met"
    lab.test("reading-room")
    assert "open" in lab.releases.stage("reading-room", HILDA).actions
    lab.releases.open(HILDA, "reading-room")
    lab.clock.advance(days=400)
    assert lab.releases.stage("reading-room").open


@pytest.mark.parametrize(
    ("stage", "clause", "code"),
    [
        ("reading-room", "sign_off", "releases/cannot-waive"),
        ("publication", "soak", "releases/cannot-waive"),
        ("publication", "stress:core/harmful-compliance", "releases/cannot-waive"),
        ("reading-room", "soak", "releases/clause-unknown"),
        ("facsimiles", "stress", "releases/clause-unknown"),
    ],
)
def test_signatures_and_anything_of_weights_are_never_waived(lab: Lab, stage: str, clause: str, code: str) -> None:
    lab.adopt()
    with pytest.raises(Refused, match=code):
        lab.releases.waive(HILDA, stage, clause, lab.clock.now() + timedelta(days=1), "why")


def test_a_waiver_ends_soon_has_a_reason_and_is_a_steward_s(lab: Lab) -> None:
    lab.adopt()
    now = lab.clock.now()
    for days, reason in ((0, "why"), (-1, "why"), (91, "why"), (1, " ")):
        with pytest.raises(BadInput):
            lab.releases.waive(HILDA, "reading-room", "stress", now + timedelta(days=days), reason)
    for actor in (OPERATOR, BEDE, ALDHELM):
        with pytest.raises(Refused, match="people/not-allowed"):
            lab.releases.waive(actor, "reading-room", "stress", now + timedelta(days=1), "why")


def test_a_waiver_that_has_ended_opens_nothing(lab: Lab) -> None:
    lab.adopt()
    lab.register()
    lab.releases.sign(HILDA, "reading-room")
    lab.releases.waive(HILDA, "reading-room", "stress", lab.clock.now() + timedelta(days=1), "why")
    lab.clock.advance(days=2)
    with pytest.raises(Refused, match="releases/gate-not-met"):
        lab.releases.open(HILDA, "reading-room")


def test_a_waiver_is_for_one_version_of_the_gate(lab: Lab) -> None:
    lab.adopt()
    lab.register()
    lab.releases.waive(HILDA, "reading-room", "stress", lab.clock.now() + timedelta(days=9), "why")
    lab.adopt(shipped_text().replace("at_most: 0.10", "at_most: 0.20"))
    lab.releases.sign(HILDA, "reading-room")
    with pytest.raises(Refused, match="releases/gate-not-met"):
        lab.releases.open(HILDA, "reading-room")


def test_buttons_are_what_the_actor_may_do_now(lab: Lab) -> None:
    lab.adopt()
    lab.register()
    assert lab.releases.stage("reading-room", HILDA).actions == {"sign", "withdraw", "waive"}
    assert lab.releases.stage("reading-room", ALDHELM).actions == set()
    assert lab.releases.stage("reading-room", BEDE).actions == set()
    lab.releases.sign(HILDA, "reading-room")
    lab.test("reading-room")
    assert lab.releases.stage("reading-room", HILDA).actions == {"open", "withdraw"}
    assert lab.releases.stage("reading-room").actions == set()


def test_a_stage_that_is_open_and_usable_is_not_opened_again(lab: Lab) -> None:
    lab.open_reading_room()
    with pytest.raises(Refused, match=r"releases/not-from-here.*open already"):
        lab.releases.open(HILDA, "reading-room")


@pytest.mark.parametrize("changed", ["sha256:other", ""])
def test_a_stage_is_bound_to_the_rule_sets_that_it_was_opened_with(lab: Lab, changed: str) -> None:
    lab.open_reading_room()
    assert json.loads(lab.leaves()[-1])["data"]["screening"] == "sha256:rules"
    with lab.db.read() as tx:
        fact = queries.stage_fact(tx, "reading-room", lab.clock.now())
    assert fact is not None
    assert fact.screens == "sha256:rules"
    lab.rules = changed
    shown = lab.releases.stage("reading-room", HILDA)
    assert (shown.open, shown.record.state) == (False, StageState.OPEN)
    assert "put them back, or open it anew" in shown.reason
    lab.rules = "sha256:rules"
    assert lab.releases.stage("reading-room").open


def test_a_stage_opens_anew_with_other_rule_sets_and_never_with_none_that_can_be_read(lab: Lab) -> None:
    lab.open_reading_room()
    lab.rules = ""
    with pytest.raises(BadInput, match=r"rules/base.yaml: cannot be read"):
        lab.releases.open(HILDA, "reading-room")
    lab.rules = "sha256:other"
    assert lab.releases.open(HILDA, "reading-room").open
    assert json.loads(lab.leaves()[-1])["data"]["screening"] == "sha256:other"


def test_a_house_for_trials_may_try_out_its_rules(lab: Lab) -> None:
    lab.adopt(shipped_text("release-dev"), by=TRIAL)
    lab.register()
    lab.releases.sign(TRIAL, "reading-room")
    lab.releases.open(TRIAL, "reading-room")
    lab.rules = "sha256:other"
    assert lab.releases.stage("reading-room").open


def test_the_table_leads_everywhere_and_out_of_nothing_final() -> None:
    reached = {StageState.CLOSED} | {end for _, _, end in rules.TRANSITIONS}
    assert reached == set(StageState)
    assert not any(start in rules.FINAL for start, _, _ in rules.TRANSITIONS)
    assert len({(start, action) for start, action, _ in rules.TRANSITIONS}) == len(rules.TRANSITIONS)


def test_the_diagram_is_drawn_from_the_table() -> None:
    drawn = rules.diagrams()["stage"]
    assert drawn.startswith("stateDiagram-v2\n    [*] --> closed\n")
    assert "    open --> rolled_back: rollback\n" in drawn
    assert drawn.count(": ") == len(rules.TRANSITIONS)
    assert drawn.endswith("    withdrawn --> [*]\n")
