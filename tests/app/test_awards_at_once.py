"""An award that is accepted many times at once becomes one grant with one meter, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from admissions.world import ANSWERS, call_text
from readingroom.access import queries as access
from readingroom.admissions.model import Draft, Outcome, Reason, Ruling
from readingroom.app.desk import open_call
from readingroom.app.founding import default_plan, found
from readingroom.app.house import House
from readingroom.app.lending import meter_of
from readingroom.core.refusal import Refused
from readingroom.core.settings import Settings
from readingroom.people.model import Actor, Role
from readingroom.store.db import Database

AT_ONCE = 8


def offered(house: House) -> tuple[Actor, str]:
    """Offer somebody an award, and return them with its id."""
    operator, desk = house.people.operator(), house.admissions
    steward = house.people.actor(house.people.add(operator, "s@lab.example", roles=[Role.STEWARD]).id)
    reader = house.people.actor(house.people.add(operator, "r@east.example").id)
    call = open_call(house, steward, call_text(allocation={"policy": "by-person"}, review=None), "call.yaml")
    application = desk.submit(reader, desk.start(reader, call.id, Draft(ANSWERS, 10_000)).id)
    desk.decide(steward, application.id, Ruling(Outcome.AWARDED, Reason.SUITABLE))
    return reader, desk.my_awards(reader)[0].id


def test_an_award_accepted_by_many_at_once_is_one_grant(db: Database, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", dev=True, engine="echo", database=db.url)
    house = found(settings, default_plan(settings))
    reader, award = offered(house)
    size = house.log.size()

    def accept(_number: int) -> str:
        try:
            house.admissions.accept_award(reader, award)
        except Refused as refused:
            return refused.refusal.code
        return "accepted"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = sorted(pool.map(accept, range(AT_ONCE)))
    assert answers == ["accepted"] + ["admissions/wrong-state"] * (AT_ONCE - 1)
    (grant,) = house.access.my_grants(reader)
    assert meter_of(house, grant.id).limits.passes == 10_000
    with house.db.read() as tx:
        assert access.grant_of_award(tx, award) == grant
        assert access.grants(tx) == [grant]
    assert house.log.size() == size + 3  # accepted, moved, issued
    assert house.log.audit(house.signer.verifier).problems == ()
    house.close()
