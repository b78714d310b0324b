"""Terms as clauses: each says what enforces it, and none claims what is not there."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access.conftest import READER, STEWARD, Room
from readingroom.access import clauses
from readingroom.access.checks import CHECKS, NAMES, InForce
from readingroom.access.enforcement import check_links, links
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.strategy.model import Audience, Channel, Gate, Model, Pace, Plan, Retention, Stage, Tier

GOOD = """\
title: Terms
clauses:
  - number: "1"
    text: Read within what was awarded.
    enforced_by: [allocation, expiry]
  - number: "3.2"
    text: Do not ask for launch codes.
    enforced_by: screening
  - number: "5"
    text: Cite your receipts.
    unenforced: Nobody can see a publication from here.
"""


def plan(pace: Pace | None = None, retention: Retention | None = None) -> Plan:
    """Give a plan with one API stage and one of samples, which enforces nothing."""
    model = Model("small", "small")
    tiers = {"text": Tier("text", 0, pace or Pace())}
    shared = {"model": model, "audience": Audience.GRANTED, "gate": Gate(ungated="x")}
    stages = (
        Stage("room", Channel.API, tiers=tiers, retention=retention, **shared),  # type: ignore[arg-type]
        Stage("shelf", Channel.SAMPLES, **shared),  # type: ignore[arg-type]
    )
    return Plan("lm", "s@x.example", (), (), (), {"small": model}, stages)


RULED = InForce(plan(), {"room": {"3.2": ("no-launch-codes",)}})


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"3.2"', '"three"', "t.yaml:6:13: 'three' is no number of a clause"),
        ('"3.2"', '"1"', "t.yaml:6:5: the clause 1 stands twice"),
        ("screening", "screning", "t.yaml:8:18: clauses[1].enforced_by 'screning' is not known"),
        ("    enforced_by: screening\n", "", "t.yaml:6:5: the clause 3.2 does not say what enforces it"),
        ("[allocation, expiry]", "[]", "t.yaml:5:18: enforced_by names no check"),
        ("[allocation, expiry]", "[expiry, expiry]", "t.yaml:5:18: a check stands twice"),
        (
            "    unenforced: Nob",
            "    enforced_by: expiry\n    unenforced: Nob",
            "t.yaml:9:5: the clause 5 does not say",
        ),
        ("title", "titel", "t.yaml:1:1: unknown key 'titel'"),
    ],
)
def test_a_wrong_clause_is_told_with_its_place(old: str, new: str, told: str) -> None:
    with pytest.raises(BadInput) as found:
        clauses.parse(GOOD.replace(old, new, 1), "t.yaml")
    assert told in " | ".join(map(str, found.value.problems))


def test_the_map_says_where_each_clause_is_enforced() -> None:
    found = [(each.clause, each.check, each.holds) for each in links(clauses.parse(GOOD), RULED)]
    assert found == [("1", "allocation", True), ("1", "expiry", True), ("3.2", "screening", True), ("5", "", False)]
    assert "no-launch-codes" in next(each.where for each in links(clauses.parse(GOOD), RULED) if each.clause == "3.2")


@pytest.mark.parametrize(
    ("check", "without", "with_"),
    [
        ("screening", InForce(plan(), {}), InForce(plan(), {"room": {"1": ("r",)}})),
        ("rate-limits", InForce(plan(), {}), InForce(plan(Pace(requests_per_minute=9)), {})),
        ("retention", InForce(plan(), {}), InForce(plan(retention=Retention(2, "reports")), {})),
        ("no-retention", InForce(plan(retention=Retention(2, "reports")), {}), InForce(plan(), {})),
        ("egress-tier", InForce(None, {}), InForce(plan(), {})),
        ("machine", InForce(plan(), {}), None),
    ],
)
def test_a_claim_that_is_not_true_of_the_plan_is_an_error(check: str, without: InForce, with_: InForce | None) -> None:
    text = f'clauses:\n  - number: "1"\n    text: x\n    enforced_by: {check}\n'
    with pytest.raises(BadInput, match=rf"t\.yaml:2:5: clause 1 claims the check {check}"):
        check_links(clauses.parse(text, "t.yaml"), without)
    if with_ is not None:
        check_links(clauses.parse(text), with_)


def test_terms_with_a_false_claim_are_not_published_and_plain_ones_are_as_ever(room: Room) -> None:
    with pytest.raises(BadInput, match=r"clause 3\.2 claims the check screening"):
        room.agreements.publish(STEWARD, GOOD, material=True, reason="clauses")
    assert room.agreements.in_force() == room.terms
    true = GOOD.replace("enforced_by: screening", "unenforced: not screened yet")
    room.agreements.publish(STEWARD, true, material=False, reason="clauses")
    assert [each.clause for each in room.agreements.map()] == ["1", "1", "3.2", "5"]
    room.agreements.publish(STEWARD, "Be kind: see the clauses: none.", material=False, reason="plain again")
    assert room.agreements.map() == []


def test_a_change_is_shown_clause_by_clause_and_word_by_word() -> None:
    new = GOOD.replace("launch codes", "any codes").replace('"5"', '"6"').replace("[allocation, expiry]", "allocation")
    found = {(each.kind, each.number): each.words for each in clauses.changes(GOOD, new)}
    assert set(found) == {("relinked", "1"), ("changed", "3.2"), ("removed", "5"), ("added", "6")}
    assert found["changed", "3.2"] == ((" ", "Do not ask for"), ("-", "launch"), ("+", "any"), (" ", "codes."))


words = st.lists(st.sampled_from(["read", "cite", "do", "not", "ask", "codes"]), min_size=1, max_size=8)


@given(words, words)
def test_what_stayed_and_went_is_the_old_text_and_what_stayed_and_came_the_new(old: list[str], new: list[str]) -> None:
    for each in clauses.changes(" ".join(old), " ".join(new)):
        sides = {"-": old, "+": new}
        for sign, side in sides.items():
            assert " ".join(text for mark, text in each.words if mark in {" ", sign}).split() == side


def test_a_material_change_pauses_until_it_is_signed_by_name_and_another_does_not(room: Room) -> None:
    grant = room.issue(passes=5)
    _, secret = room.access.issue_key(READER, grant.id)
    room.agreements.accept(READER, room.terms.hash, "Rea Der")
    room.agreements.publish(STEWARD, "Be kind, please.", material=False, reason="politer")
    assert room.code(secret.reveal()) == "ok"
    newest = room.agreements.publish(STEWARD, "Be very kind.", material=True, reason="stricter")
    assert room.code(secret.reveal()) == "access/terms-not-accepted"
    with pytest.raises(Refused, match="access/terms-changed"):
        room.agreements.accept(READER, room.terms.hash, "Rea Der")
    room.agreements.accept(READER, newest.hash, "Rea Der")
    assert room.code(secret.reveal()) == "ok"
    signed = [(made.name, text.text) for made, text in room.agreements.signed(READER)]
    assert signed == [("Rea Der", "Be very kind."), ("Rea Der", "Be kind.")]
    with room.db.read() as tx:
        leaves = b"".join(tx.exec_driver_sql("select leaf from ledger_entry").scalars())
    assert b"Rea Der" not in leaves


def test_the_how_to_names_every_check_and_its_example_is_good() -> None:
    text = (Path(__file__).parents[2] / "docs/howto/write-terms.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"`{name}`" not in text] == []
    example = text.split("```yaml\n")[1].split("```")[0]
    check_links(clauses.parse(example), RULED)
    assert CHECKS.keys() == set(NAMES)
