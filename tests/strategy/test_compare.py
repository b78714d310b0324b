from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from readingroom.core.canonical import canonical
from readingroom.core.document import read
from readingroom.strategy.compare import Column, Comparison, compare
from readingroom.strategy.diff import ChangeKind, diff
from readingroom.strategy.drawbacks import Con
from readingroom.strategy.parse import parse
from strategy.shipped import SUITES, make_plan, shipped_text

DEV = parse(read(shipped_text("release-dev"), "plan.yaml"), SUITES)


def column(made: Comparison, name: str) -> Column:
    return next(each for each in made.columns if each.name == name)


def con(made: Comparison, name: str, words: str) -> Con:
    return next(each for each in column(made, name).cons if words in each.text)


def test_three_strategies_and_not_releasing_stand_side_by_side() -> None:
    made = compare(make_plan())
    assert [each.name for each in made.columns] == ["all-at-once", "staged", "api", "not-releasing"]
    for each in made.columns:
        assert each.exposes
        assert each.records
        assert each.pros
        assert each.cons
    assert [each.name for each in made.columns if each.taken] == ["staged"]


def test_the_path_that_is_taken_follows_from_the_stages() -> None:
    assert [each.name for each in compare(DEV).columns if each.taken] == ["api"]


def test_what_is_exposed_is_said_of_this_plan_s_own_stages_and_to_whom() -> None:
    staged = column(compare(make_plan()), "staged").exposes
    whom = "to persons with a grant"
    assert staged == (
        "facsimiles: curated outputs of smollm2-135m-instruct, to everyone",
        f"reading-room: metered answers of smollm2-135m-instruct with up to 5 log-probabilities per token, {whom}",
        "publication: the weights of smollm2-135m-instruct, to everyone",
    )


def test_a_drawback_that_the_plan_does_nothing_about_says_so() -> None:
    energy = con(compare(make_plan()), "all-at-once", "energy")
    assert energy.softened
    bare = make_plan(("[model_card, energy]", "[model_card]"))
    assert con(compare(bare), "all-at-once", "energy").told() == "this plan does nothing about it"
    assert not con(compare(DEV), "staged", "enough").softened, "a signature is no bar"


def test_closed_science_is_softened_only_as_far_as_tiers_and_publication_go() -> None:
    assert con(compare(make_plan()), "api", "closed science").softened
    assert not con(compare(DEV), "api", "closed science").softened


def test_how_fast_readers_may_read_is_told_where_the_plan_states_it() -> None:
    told = column(compare(make_plan()), "api").pros
    paces = "600 requests a minute, 300,000 tokens a minute, 16 at once"
    assert f"reading-room, tier text: each grant at most {paces}" in told
    assert not any("each grant at most" in each for each in column(compare(DEV), "api").pros)


def test_each_hazard_shows_the_conditions_that_cover_it_and_where_none_does() -> None:
    rows = {each.name: each for each in compare(make_plan()).hazards}
    assert rows["memorised-text"].gates[0].startswith("reading-room: at most 10 % memorised text, with 95 % confidence")
    assert rows["memorised-text"].ungated_stages == ("facsimiles", "publication")
    assert compare(DEV).hazards[0].explanation


@given(st.sampled_from(["days: 90", "quorum: 2", "energy", "[rules/base.yaml]", "0.10", "audience: granted"]))
def test_a_different_plan_gives_a_different_table(part: str) -> None:
    other = {"days: 90": "days: 9", "quorum: 2": "quorum: 3", "energy": "lineage", "[rules/base.yaml]": "[]",
             "0.10": "0.11", "audience: granted": "audience: invited"}[part]  # fmt: skip
    assert compare(make_plan((part, other))) != compare(make_plan())


def test_the_first_adoption_names_every_stage_and_field() -> None:
    kinds = [each.kind for each in diff(None, make_plan())]
    assert kinds.count(ChangeKind.STAGE_ADDED) == 3
    assert kinds.count(ChangeKind.TEXT_CHANGED) == 6


def test_a_change_tells_what_of_the_stage_changed_and_that_it_closes() -> None:
    (change,) = diff(make_plan(), make_plan(("at_most: 0.10", "at_most: 0.20")))
    assert (change.kind, change.subject) == (ChangeKind.STAGE_CHANGED, "reading-room")
    assert "(gate)" in change.sentence


def test_stages_that_go_or_change_places_are_told() -> None:
    gone = {each.subject: each.kind for each in diff(make_plan(), DEV)}
    assert gone["publication"] is ChangeKind.STAGE_REMOVED
    plan = make_plan()
    turned = replace(plan, stages=tuple(reversed(plan.stages)))
    assert [each.kind for each in diff(plan, turned)] == [ChangeKind.ORDER_CHANGED]
    assert diff(plan, make_plan()) == ()


def test_what_goes_into_the_ledger_is_ids_and_digests_and_nothing_of_the_steward() -> None:
    moved = make_plan(("lab@example.org", "canary@example.org"))
    assert moved.digest == make_plan().digest
    (change,) = diff(make_plan(), moved)
    assert change.to_ledger() == {"kind": "text-changed", "subject": "steward", "before": "", "after": ""}
    assert b"study of" not in canonical([each.to_ledger() for each in diff(None, moved)])
