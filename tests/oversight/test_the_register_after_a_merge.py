"""Two accounts become one person's: what the public register has shown is not cut anew by it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from readingroom.access.model import Amounts, Award
from readingroom.app.founding import default_plan, found
from readingroom.app.lending import issue_discretionary
from readingroom.core.settings import Settings
from readingroom.oversight.register import SMALL_CELL
from readingroom.people.model import Role


def test_no_ones_figures_come_out_when_two_readers_in_a_batch_prove_to_be_one(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", dev=True, engine="echo")
    house = found(settings, default_plan(settings))
    operator = house.people.operator()
    steward = house.people.add(operator, "steward@lab.example", name="Steward", roles=[Role.STEWARD])
    people = [
        house.people.add(operator, f"r{n}@x.example", name=f"R {n}", affiliation="East") for n in range(SMALL_CELL + 1)
    ]
    for number, each in enumerate(people):
        passes = 7_000 if number == SMALL_CELL else 1_000  # the sixth is held back, until four more have come
        award = Award("", "", "text", Amounts(passes=passes), house.clock.now() + timedelta(days=30), "reading")
        issue_discretionary(house, operator, each.email, award, accept_terms=True)
    before = [each for each in house.oversight.public_register() if each.kind == "purpose"]
    assert [each.awarded_passes for each in before] == [5_000]
    house.people.merge(house.people.actor(steward.id), people[0].id, people[1].id, "They told us so.")
    after = house.oversight.public_register()
    assert [each for each in after if each.kind == "purpose"] == before, "12,000 would be the sixth reader's 7,000"
    assert [each.readers for each in after if each.kind == "institution"] == [5], (
        "institutions count persons, as they are now"
    )
    house.close()
