"""Who lost a role between being looked up and deciding does not decide with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from readingroom.access.model import Amounts, Award, Reason
from readingroom.admissions.model import Outcome, Ruling
from readingroom.admissions.model import Reason as Why
from readingroom.app.founding import default_plan, found
from readingroom.app.house import House
from readingroom.app.lending import issue_discretionary
from readingroom.core.refusal import Refused
from readingroom.core.settings import Settings
from readingroom.people.model import Actor, Role

DECISIONS: dict[str, Callable[[House, Actor], object]] = {
    "add a person": lambda house, by: house.people.add(by, "x@lab.example"),
    "give a role": lambda house, by: house.people.change_role(by, "s@lab.example", Role.STEWARD, add=True),
    "hand a link out": lambda house, by: house.people.make_link_for(by, "s@lab.example"),
    "sign": lambda house, by: house.releases.sign(by, "reading-room"),
    "waive": lambda house, by: house.releases.waive(
        by, "reading-room", "sign-off", house.clock.now() + timedelta(days=1), "why"
    ),
    "open": lambda house, by: house.releases.open(by, "reading-room"),
    "hold": lambda house, by: house.releases.hold(by, "reading-room", "security"),
    "issue": lambda house, by: issue_discretionary(house, by, "r@x.example", award(house), accept_terms=False),
    "suspend": lambda house, by: house.access.suspend(by, "grant_x", Reason.SECURITY),
    "bar": lambda house, by: house.access.bar(by, "person_x", house.clock.now(), Reason.SECURITY),
    "allocate": lambda house, by: house.admissions.allocate(by, "call"),
    "publish": lambda house, by: house.admissions.publish(by, "call"),
    "decide": lambda house, by: house.admissions.decide(by, "app_x", Ruling(Outcome.REFUSED, Why.VETOED)),
}


def award(house: House) -> Award:
    return Award("", "reading-room", "text", Amounts(passes=1), house.clock.now() + timedelta(days=1), "test")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    settings = Settings(home=tmp_path_factory.mktemp("roles") / "home", dev=True, engine="echo")
    return found(settings, default_plan(settings))


@pytest.mark.parametrize("act", DECISIONS)
def test_a_role_that_was_taken_a_moment_ago_decides_nothing(house: House, act: str) -> None:
    operator = house.people.operator()
    person = house.people.add(operator, "s@lab.example", roles=[Role.STEWARD, Role.PANEL])
    before = house.people.actor(person.id)
    for role in person.roles:
        house.people.change_role(operator, person.email, role, add=False)
    size = house.log.size()
    with pytest.raises(Refused, match="people/not-allowed"):
        DECISIONS[act](house, before)
    assert house.log.size() == size
