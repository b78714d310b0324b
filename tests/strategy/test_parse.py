"""Bad plans: each mistake is told with file, line, column and cure, and all of them at once."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readingroom.core.document import read, read_file
from readingroom.core.errors import BadInput
from readingroom.strategy.model import Audience, Channel, Pace, gate_version
from readingroom.strategy.parse import parse
from strategy.shipped import SUITES, TEMPLATES, make_plan, shipped_text

GOOD = """\
release: a
steward: s@example.org
benefits: [b]
hazards: [harmful-compliance]
levers: [l]
models:
  small: {artifact: m}
stages:
  - name: room
    channel: api
    model: small
    audience: granted
    gate:
      - sign_off: {role: steward, quorum: 1}
  - name: out
    channel: weights
    model: small
    audience: public
    gate:
      - stress: {suite: core, claim: harmful-compliance, at_most: 0.05, confidence: 0.95, min_samples: 59}
      - soak: {stage: room, days: 9, passes: 9, readers: 1}
      - sign_off: {role: steward, quorum: 2}
"""
ROOM_GATE = "    gate:\n      - sign_off: {role: steward, quorum: 1}\n"


def problems(text: str) -> list[str]:
    with pytest.raises(BadInput) as caught:
        parse(read(text, "plan.yaml"), SUITES)
    return [str(each) for each in caught.value.problems]


BAD = [
    ("unknown key at the top", "levers: [l]", "levers: [l]\nlever: x", "6:1", "Did you mean 'levers'?"),
    ("unknown key of a stage", "    audience: granted", "    audience: granted\n    audiense: x", "13:5", "audiense"),
    ("repeated key", "    model: small\n    audience: g", "    model: small\n    model: small\n    audience: g",
     "12:12", "'model' stands twice"),
    ("stage without gate", ROOM_GATE, "", "9:5", "lacks 'gate'"),
    ("empty gate", ROOM_GATE, "    gate: []\n", "13:11", "the gate is empty"),
    ("gate that is a word", ROOM_GATE, "    gate: none\n", "13:11", "must be a list"),
    ("gate without a value", ROOM_GATE, "    gate:\n", "13:10", "the gate is empty"),
    ("ungated, but not samples", ROOM_GATE, "    gate: {none: why}\n", "13:18", "channel api needs a gate"),
    ("ungated without a reason", ROOM_GATE, "    gate: {none: ''}\n", "13:18", "must be text"),
    ("unknown gate kind", "- sign_off: {role: steward, quorum: 1}", "- signoff: {role: steward}", "14:9",
     "Did you mean 'sign_off'?"),
    ("two kinds in one item", "- sign_off: {role: steward, quorum: 1}",
     "- sign_off: {role: steward, quorum: 1}\n        document: [energy]", "14:9", "one kind"),
    ("the same condition twice", ROOM_GATE, ROOM_GATE + "      - sign_off: {role: steward, quorum: 1}\n", "15:9",
     "'sign_off:steward' stands twice"),
    ("unknown suite", "suite: core", "suite: cor", "20:25", "Known suites: core"),
    ("unknown claim", "claim: harmful-compliance", "claim: politeness", "20:38", "Its claims: harmful-compliance"),
    ("too few samples ever to show it", "min_samples: 59", "min_samples: 58", "20:104", "Ask for 59 or more"),
    ("more samples than the suite has", "min_samples: 59", "min_samples: 61", "20:104", "has only 60 cases"),
    ("a validity of no day", "min_samples: 59", "min_samples: 59, valid_days: 0", "20:120", "from 1 to 3650"),
    ("a rate that nothing can show", "at_most: 0.05", "at_most: 0", "20:67", "must be a number from"),
    ("a confidence of one", "confidence: 0.95", "confidence: 1", "20:85", "must be a number from"),
    ("not a number", "at_most: 0.05", "at_most: .nan", "20:67", "must be a number from"),
    ("a condition that lacks figures", ", min_samples: 59", "", "20:17", "lacks 'min_samples'"),
    ("soak of an unknown stage", "stage: room", "stage: rom", "21:23", "there is no stage 'rom'"),
    ("soak of a later stage", ROOM_GATE, "    gate:\n      - soak: {stage: out, days: 1}\n", "14:23", "comes later"),
    ("soak of itself", "stage: room", "stage: out", "21:23", "waits for itself"),
    ("soak without end", "days: 9", "days: 0", "21:35", "whole number from 1"),
    ("passes where none are served", "    channel: api", "    channel: samples", "21:46", "cannot be counted"),
    ("unknown model", "    model: small\n    audience: g", "    model: smal\n    audience: g", "11:12",
     "Did you mean 'small'?"),
    ("unknown channel", "channel: api", "channel: apis", "10:14", "Did you mean 'api'?"),
    ("unknown audience", "audience: public", "audience: pubic", "18:15", "Did you mean 'public'?"),
    ("unknown role", "{role: steward, quorum: 1}", "{role: stuard, quorum: 1}", "14:26", "Did you mean 'steward'?"),
    ("a role that may not sign", "{role: steward, quorum: 1}", "{role: reviewer, quorum: 1}", "14:26", "not known"),
    ("a quorum of nobody", "quorum: 1", "quorum: 0", "14:43", "whole number from 1"),
    ("weights with one signature", "quorum: 2", "quorum: 1", "20:7", "no two persons sign"),
    ("two stages of one name", "- name: out", "- name: room", "15:11", "two stages are named 'room'"),
    ("hazard without gate or reason", "[harmful-compliance]", "[harmful-compliance, theft]", "4:31", "no gate covers"),
    ("hazard without reason", "hazards: [harmful-compliance]", "hazards: {theft: }", "4:17", "no gate covers"),
    ("hazard twice", "[harmful-compliance]", "[harmful-compliance, harmful-compliance]", "4:31", "stands twice"),
    ("no hazard", "[harmful-compliance]", "[]", "4:10", "names no hazard"),
    ("no hazard in a mapping", "[harmful-compliance]", "{}", "4:10", "names no hazard"),
    ("no benefit", "benefits: [b]", "benefits: []", "3:11", "names nothing"),
    ("no lever", "levers: [l]", "levers: []", "5:9", "names nothing"),
    ("a name with a space", "- name: room", "- name: a room", "9:11", "is no name"),
    ("rules outside the house", ROOM_GATE, "    screening: [../../etc/passwd]\n" + ROOM_GATE,
     "13:17", "out of the house"),
    ("screening of weights", "    audience: public", "    audience: public\n    screening: [a]", "19:16", "no meaning"),
    ("more logprobs than allowed", ROOM_GATE, "    tiers: {deep: {top_logprobs: 6}}\n" + ROOM_GATE,
     "13:34", "from 0 to 5"),
    ("unknown key of a tier", ROOM_GATE, "    tiers: {deep: {logprobs: 5}}\n" + ROOM_GATE, "13:20", "top_logprobs"),
    ("a misspelt limit of a tier", ROOM_GATE, "    tiers: {t: {requests_per_minut: 5}}\n" + ROOM_GATE, "13:17",
     "Did you mean 'requests_per_minute'?"),
    ("a limit of nothing", ROOM_GATE, "    tiers: {t: {parallel: 0}}\n" + ROOM_GATE, "13:27", "from 1 to 10000"),
    ("a limit without a figure", ROOM_GATE, "    tiers: {t: {tokens_per_minute: }}\n" + ROOM_GATE, "13:35",
     "must be a whole number"),
    ("a limit that is half a request", ROOM_GATE, "    tiers: {t: {requests_per_minute: 0.5}}\n" + ROOM_GATE, "13:38",
     "must be a whole number"),
    ("no model", "  small: {artifact: m}", "  {}", "7:3", "the plan has no model"),
    ("models as a list", "  small: {artifact: m}", "  [small]", "7:3", "must be a mapping"),
    ("a stage as text", "stages:\n", "stages:\n  - text\n", "9:5", "must be a mapping"),
    ("unknown document", "- soak: {stage: room, days: 9, passes: 9, readers: 1}", "- document: [model_crad]", "21:20",
     "Did you mean 'model_card'?"),
    ("no document", "- soak: {stage: room, days: 9, passes: 9, readers: 1}", "- document: []", "21:19", "no document"),
    ("unknown metric", "- soak: {stage: room, days: 9, passes: 9, readers: 1}",
     "- observed: {stage: room, metric: joy, at_most: 1, confidence: 0.9}", "21:41", "is not known"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "where", "what"), [each[1:] for each in BAD], ids=[each[0] for each in BAD])
def test_each_mistake_is_told_with_line_column_and_cure(old: str, new: str, where: str, what: str) -> None:
    assert old in GOOD
    told = problems(GOOD.replace(old, new, 1))
    assert any(each.startswith(f"plan.yaml:{where}: ") and what in each for each in told), told


def test_mistakes_in_different_stages_are_told_in_one_run() -> None:
    text = GOOD.replace("quorum: 1", "quorum: 0").replace("days: 9", "days: x").replace("suite: core", "suite: no")
    text = text.replace("levers: [l]", "levers: l").replace("harmful-compliance]", "harmful-compliance, theft]")
    assert sorted(each.split(":")[1] for each in problems(text)) == ["14", "20", "21", "4", "5"]


def test_one_wrong_word_is_one_problem_and_nothing_that_follows_from_it() -> None:
    for old, new in (("model: small\n    audience: granted", "model: smal\n    audience: granted"),
                     ("model: small\n    audience: public", "model: smal\n    audience: public")):  # fmt: skip
        (told,) = problems(GOOD.replace(old, new))
        assert "'smal' is not known" in told


@pytest.mark.parametrize("old", ["release: a\n", "benefits: [b]\n", "hazards: [harmful-compliance]\n", "levers: [l]\n"])
def test_a_plan_that_lacks_a_part_is_refused(old: str) -> None:
    assert any("plan.yaml:1:1" in each and "lacks" in each for each in problems(GOOD.replace(old, "")))


def test_a_tier_states_how_fast_its_grants_may_read_and_only_what_is_stated_is_bound() -> None:
    stated = "    tiers: {slow: {requests_per_minute: 60, parallel: 2}, bare: {}}\n"
    room = parse(read(GOOD.replace(ROOM_GATE, stated + ROOM_GATE), "plan.yaml"), SUITES).stages[0]
    assert room.tiers["slow"].pace == Pace(requests_per_minute=60, parallel=2)
    assert room.tiers["bare"].pace == Pace()
    bound = room.canonical()["tiers"]
    assert bound["slow"] == {"top_logprobs": 0, "requests_per_minute": 60, "parallel": 2}
    assert bound["bare"] == {"top_logprobs": 0}, "a plan that states no limit has the digest that it always had"


def test_a_stage_of_a_plan_without_limits_has_the_gate_version_of_before_there_were_limits() -> None:
    room = parse(read(GOOD, "plan.yaml"), SUITES).stages[0]
    before = "sha256:13830f078f7ff99188b27086131378f98c5038dbdec9a7c43eadb99c435ef311"
    assert gate_version(room) == before


def test_the_shipped_plans_are_good() -> None:
    for name in ("release", "release-dev", "release-demo"):
        assert parse(read_file(TEMPLATES / f"{name}.yaml"), SUITES).stages


def test_what_is_read_is_what_was_written() -> None:
    plan = make_plan()
    assert [stage.name for stage in plan.stages] == ["facsimiles", "reading-room", "publication"]
    room, out = plan.stages[1:]
    assert (room.channel, room.audience, room.model.artifact) == (
        Channel.API,
        Audience.GRANTED,
        "smollm2-135m-instruct",
    )
    assert {name: tier.top_logprobs for name, tier in room.tiers.items()} == {"text": 0, "logprobs": 5}
    assert room.screening == ("rules/base.yaml",)
    assert out.irreversible
    assert not room.irreversible
    assert plan.stages[0].gate.ungated.startswith("curated")
    assert [clause.label for clause in out.gate.clauses] == [
        "stress:core/harmful-compliance",
        "soak:reading-room",
        "observed:reading-room/serious_incidents_per_million_passes",
        "document:model_card+energy",
        "sign_off:steward",
    ]


def test_a_hazard_that_is_explained_needs_no_gate() -> None:
    text = GOOD.replace("[harmful-compliance]", "{harmful-compliance: , theft: 'nothing here to steal'}")
    plan = parse(read(text, "plan.yaml"), SUITES)
    assert [(each.name, each.explanation) for each in plan.hazards] == [
        ("harmful-compliance", ""),
        ("theft", "nothing here to steal"),
    ]


def test_the_digest_is_of_what_is_said_and_not_of_the_layout() -> None:
    bare = "\n".join(line.split(" #")[0] for line in shipped_text().splitlines() if not line.startswith("#"))
    assert parse(read(bare, "other.yaml"), SUITES).digest == make_plan().digest
    assert make_plan(("days: 90", "days: 91")).digest != make_plan().digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("audience: granted", "audience: public"),
        ("top_logprobs: 5", "top_logprobs: 4"),
        ("screening: [rules/base.yaml]", "screening: []"),
        ("artifact: smollm2-135m-instruct", "artifact: smollm2-135m-other"),
        ("at_most: 0.10", "at_most: 0.11"),
        ("min_samples: 40", "min_samples: 39"),
        ("quorum: 1", "quorum: 2"),
    ],
)
def test_whatever_a_stage_exposes_or_asks_is_bound_by_its_gate_version(old: str, new: str) -> None:
    before, after = make_plan().stages[1], make_plan((old, new)).stages[1]
    assert gate_version(before) != gate_version(after)


def test_another_stage_s_change_leaves_the_gate_version_alone() -> None:
    assert gate_version(make_plan().stages[1]) == gate_version(make_plan(("days: 90", "days: 30")).stages[1])


@given(st.lists(st.sampled_from([*GOOD.splitlines(), "  - {}", "x: [", "    gate: {}", "  ? [a]"]), max_size=30))
def test_any_shuffled_plan_is_read_or_refused_and_never_crashes(lines: list[str]) -> None:
    with contextlib.suppress(BadInput):
        parse(read("\n".join(lines), "plan.yaml"), SUITES)


VALUES = st.sampled_from(
    [
        "",
        "[]",
        "{}",
        "[[]]",
        "null",
        "true",
        "-1",
        "1e999",
        ".nan",
        "'x'",
        "!!binary x",
        "2026-99-99",
        "{a: {b: c}}",
        "[1, a]",
    ]
)


@given(st.integers(0, len(GOOD.splitlines()) - 1), VALUES)
def test_any_value_in_any_place_is_read_or_refused_and_never_crashes(line: int, value: str) -> None:
    lines = GOOD.splitlines()
    lines[line] = lines[line].split(": ")[0].rstrip(":") + ": " + value
    with contextlib.suppress(BadInput):
        parse(read("\n".join(lines), "plan.yaml"), SUITES)
