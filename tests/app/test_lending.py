"""Grants as a house explains and issues them."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from gateway.counting import Counter
from readingroom.access.model import Amounts, Award
from readingroom.app.founding import default_plan, found
from readingroom.app.house import House
from readingroom.app.lending import issue_discretionary, why
from readingroom.core.refusal import Refused
from readingroom.core.settings import Settings
from readingroom.gateway.model import Wish
from readingroom.ledger.model import Entry
from readingroom.people.model import Role


def house_at(folder: Path) -> House:
    settings = Settings(home=folder / "home", dev=True, engine="echo")
    return found(settings, default_plan(settings))


def award(house: House, passes: int = 3) -> Award:
    ends = house.clock.now() + timedelta(days=1)
    return Award("", "", "text", Amounts(passes=passes), ends, "test")


async def test_a_grant_that_is_used_up_says_so_and_what_is_only_reserved_is_not_used(tmp_path: Path) -> None:
    house = house_at(tmp_path)
    operator = house.people.operator()
    grant, _, _ = issue_discretionary(house, operator, "r@x.example", award(house), accept_terms=True)
    counter = Counter(house.db, house.clock, tmp_path / "journal").start()
    hold = await counter.reserve(grant.id, Wish(prompt=1, maximum=3))
    assert why(house, operator, grant.id).ok
    counter.charge(hold, hold.amount)
    await counter.stop()
    answer = why(house, operator, grant.id)
    assert answer.refusal is not None
    assert answer.refusal.code == "access/allocation-exhausted"
    assert [fact.name for fact in answer.facts if not fact.holds] == ["allocation-left"]
    house.close()


@pytest.mark.parametrize("how", ["a role", "a sign-in"])
def test_terms_are_accepted_for_programs_and_never_for_a_person(tmp_path: Path, how: str) -> None:
    house = house_at(tmp_path)
    house.settings = dataclasses.replace(house.settings, dev=False)  # in a house for trials anything may be tried
    operator = house.people.operator()
    if how == "a role":
        house.people.add(operator, "p@x.example", name="P", roles=[Role.AUDITOR])
    else:
        house.people.sign_in(house.people.ask("p@x.example"))
    with pytest.raises(Refused, match="access/not-a-service-account"):
        issue_discretionary(house, operator, "p@x.example", award(house), accept_terms=True)
    assert issue_discretionary(house, operator, "p@x.example", award(house), accept_terms=False)
    assert issue_discretionary(house, operator, "robot@x.example", award(house), accept_terms=True)
    house.close()


def test_a_grant_that_is_refused_adds_nobody_and_who_is_added_is_by_the_operator(tmp_path: Path) -> None:
    house = house_at(tmp_path)
    operator = house.people.operator()
    other = dataclasses.replace(award(house), stage="nowhere")
    with pytest.raises(Refused, match="access/no-such-stage"):
        issue_discretionary(house, operator, "new@x.example", other, accept_terms=True)
    assert house.people.find("new@x.example") is None
    size = house.log.size()
    issue_discretionary(house, operator, "new@x.example", award(house), accept_terms=True)
    with house.db.read() as tx:
        leaves = list(
            tx.execute(sa.text("select leaf from ledger_entry where seq >= :seq order by seq"), {"seq": size}).scalars()
        )
    added = Entry.parse(leaves[0])
    assert (added.event, added.by) == ("people.person.added", "operator")
    house.close()
