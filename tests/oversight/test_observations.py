"""What readers report: read by whom it is for, answered once, on record by its kind alone, and gone with its person."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from app.test_every_letter import grant, person, post_of
from readingroom.app.erasing import erase_self
from readingroom.app.house import House
from readingroom.core.clock import FixedClock, SystemClock
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.core.settings import load
from readingroom.ledger.tables import entry
from readingroom.oversight.observation import MOST_OPEN, Kind
from readingroom.people.model import Role
from served import found

SAID = "Kept by Wulfric: the key of the other group."


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(load(found(tmp_path / "home")), FixedClock(SystemClock().now()))


def leaves(house: House) -> str:
    with house.db.read() as tx:
        return b"\n".join(tx.execute(sa.select(entry.c.leaf)).scalars()).decode()


def test_a_report_is_read_by_the_lab_answered_once_and_names_nobody_in_the_ledger(house: House) -> None:
    steward, safety = person(house, "steward", Role.STEWARD), person(house, "safety", Role.SAFETY)
    panel, reader = person(house, "panel", Role.PANEL), house.people.actor(grant(house, steward, "r@r.example").holder)
    before = leaves(house)
    made = house.observations.report(reader, Kind.KEY_LEAKED, SAID)
    for lab in ("steward", "safety"):
        assert "A reader reports: key-leaked" in post_of(house, f"{lab}@{lab}.example")[-1]
        assert SAID not in "".join(post_of(house, f"{lab}@{lab}.example")), "its words stand on the page alone"
    assert not any("reports" in each for each in post_of(house, "panel@panel.example"))
    (said,) = [each for each in leaves(house).removeprefix(before).splitlines() if each]
    assert "key-leaked" in said
    assert reader.id not in said
    assert "Wulfric" not in said
    for other in (panel, reader):
        with pytest.raises(Refused, match="people/not-allowed"):
            house.observations.all(other)
        with pytest.raises(Refused, match="people/not-allowed"):
            house.observations.answer(other, made.id, "No.")
    assert house.observations.mine(panel) == []
    assert [each.id for each in house.observations.all(safety)] == [made.id]
    with pytest.raises(BadInput):
        house.observations.answer(steward, made.id, " ")
    house.observations.answer(steward, made.id, "That key is ended.")
    with pytest.raises(Refused, match="oversight/answered-already"):
        house.observations.answer(safety, made.id, "Again.")
    assert "> That key is ended." in post_of(house, "r@r.example")[-1]
    assert house.observations.mine(reader)[0].answer == "That key is ended."
    house.close()


def test_a_report_says_something_is_of_ones_own_grant_and_there_is_an_end_to_how_many_wait(house: House) -> None:
    steward = person(house, "steward", Role.STEWARD)
    mine, other = grant(house, steward, "r@r.example"), grant(house, steward, "o@o.example")
    reader = house.people.actor(mine.holder)
    with pytest.raises(BadInput):
        house.observations.report(reader, Kind.OTHER, " \n")
    with pytest.raises(Refused, match="access/no-such-grant"):
        house.observations.report(reader, Kind.OTHER, SAID, other.id)
    for _ in range(MOST_OPEN):
        made = house.observations.report(reader, Kind.OTHER, SAID, mine.id)
    with pytest.raises(Refused, match="oversight/too-many-observations"):
        house.observations.report(reader, Kind.OTHER, SAID)
    house.observations.answer(steward, made.id, "Thank you.")
    house.observations.report(reader, Kind.OTHER, SAID)
    house.close()


def test_whoever_is_erased_takes_their_words_along_and_the_lab_keeps_the_count(house: House) -> None:
    steward, reader = person(house, "steward", Role.STEWARD), person(house, "reader")
    made = house.observations.report(reader, Kind.UNSAFE_OUTPUT, SAID)
    house.observations.answer(steward, made.id, "Wulfric, thank you.")
    erase_self(house, reader, "reader@reader.example")
    (left,) = house.observations.all(steward)
    assert (left.kind, left.text, left.answer) == (Kind.UNSAFE_OUTPUT, "", "")
    house.close()
