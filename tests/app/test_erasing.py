"""Promise 9 from outside: after an erasure no byte of the person is in database, files or a backup made after it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

import postgres
from admissions.world import ANSWERS
from readingroom.access.model import Reason
from readingroom.admissions.model import Application, Draft, Judgement, Outcome, Risk, Ruling
from readingroom.admissions.model import Reason as Why
from readingroom.app import erasing
from readingroom.app.backup import back_up
from readingroom.app.desk import open_call
from readingroom.app.founding import template
from readingroom.app.house import House
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.core.settings import load
from readingroom.people.model import Actor, Basis, Role
from readingroom.store.copy import rows_out, tables
from served import found, run

CANARY = "quoll77"  # in every text and address of the person, and nowhere else: no id has an o, an l or a u
NAME, WORD = f"{CANARY}name", f"{CANARY}word"  # apart, since an application may not name its applicant
ADDRESS = f"{NAME}@{NAME}.example"
PLAIN = {"egress": "text only"}


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.deep)])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[House]:
    home = tmp_path / "home"
    if request.param == "sqlite":
        found(home)
    else:
        _on_postgres(request, home)
    made = House(load(home))
    yield made
    made.close()


def _on_postgres(request: pytest.FixtureRequest, home: Path) -> None:
    admin: sa.Engine = request.getfixturevalue("postgres_admin")
    postgres.make_database(admin, "erasing")
    url = admin.url.set(database="erasing").render_as_string(hide_password=False)
    run(home, "init", "--dev", "--engine", "echo", "--database", url)


def person(house: House, name: str, *roles: Role) -> Actor:
    operator = house.people.operator()
    added = house.people.add(operator, f"{name}@{name}.example", name=f"N {name}", affiliation=f"A {name}", roles=roles)
    return house.people.actor(added.id)


def words(name: str) -> dict[str, str | int]:
    return {**{key: f"{value} {name}" for key, value in ANSWERS.items()}, **PLAIN}


def applies(house: House, by: Actor, call: str, name: str, team: tuple[str, ...] = ()) -> Application:
    made = house.admissions.start(by, call, Draft({**words(name), "why": f"first thought {name}"}, 5_000, team=team))
    house.admissions.save(by, made.id, Draft(words(name), 6_000, team=team))
    return house.admissions.submit(by, made.id)


def lived(house: House) -> tuple[Actor, Actor]:
    """Let somebody do all that leaves traces, as applicant, as reviewer and as reader, and leave again."""
    steward, other = person(house, "steward", Role.STEWARD), person(house, "other", Role.REVIEWER)
    me = person(house, NAME, Role.REVIEWER)
    house.welcome(ADDRESS, f"N {NAME}", "")
    call = open_call(house, steward, template("call.yaml").replace("reading-room", _stage(house)), "call.yaml").id
    mine = applies(house, me, call, WORD)
    theirs = applies(house, person(house, "third"), call, "plain", team=(ADDRESS,))
    house.admissions.withdraw(me, mine.id)
    second = open_call(house, steward, template("call.yaml").replace("reading-room", _stage(house)), "call.yaml").id
    reviewed = applies(house, person(house, "fourth"), second, "plain")
    house.admissions.close_call(steward, second)
    house.admissions.assign_reviewers(steward, second)
    for by, said in ((me, f"from {WORD}"), (other, "from another")):
        for task in house.admissions.reviews_to_do(by):
            given = Judgement({"merit": 4, "need": 4}, f"Sound, {said}", Risk.CONCERN, f"Perhaps, {said}")
            house.admissions.review(by, task.view.review, given)
    third = _by_person(house, steward)
    granted = applies(house, me, third, WORD)
    note = f"For {WORD}, with best wishes"
    house.admissions.decide(steward, granted.id, Ruling(Outcome.AWARDED, Why.SUITABLE, note))
    house.admissions.accept_award(me, house.admissions.my_awards(me)[0].id)
    grant = house.access.my_grants(me)[0]
    house.access.revoke(steward, grant.id, Reason.OTHER, f"{WORD} is done")
    assert {reviewed.state.value, theirs.state.value} == {"submitted"}
    return steward, me


def _stage(house: House) -> str:
    return next(each.stage.name for each in house.releases.status() if each.stage.channel.value == "api")


def _by_person(house: House, steward: Actor) -> str:
    text = template("call.yaml").replace("reading-room", _stage(house))
    text = re.sub(r"(?ms)^(review|allocation):.*?(?=^\S|\Z)", "", text) + "\nallocation: {policy: by-person}\n"
    return open_call(house, steward, text, "call.yaml").id


def traces(folder: Path) -> list[str]:
    """Return the files in which a byte of the person stands."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes())


def rows_with_traces(house: House) -> list[str]:
    with house.db.read() as tx:
        return [each.name for each in tables(tx) if any(CANARY.encode() in line for line in rows_out(tx, each))]


def test_after_an_erasure_no_byte_of_the_person_is_found_and_the_ledger_verifies(house: House, tmp_path: Path) -> None:
    steward, me = lived(house)
    before = rows_with_traces(house)
    assert {"people_person", "admissions_application", "admissions_version", "admissions_review"} <= set(before)
    assert traces(house.settings.outbox)
    house.people.change_role(steward, ADDRESS, Role.REVIEWER, add=False)
    done = erasing.erase(house, steward, me.id, Basis.REQUEST)
    assert set(before) <= set(done)
    assert done["letters"] == 1
    assert rows_with_traces(house) == []
    assert traces(house.settings.home) == []
    back_up(house, tmp_path / "backup")
    assert traces(tmp_path / "backup") == []
    assert run(house.settings.home, "ledger", "verify", "--json")["ok"]


def test_what_was_decided_and_counted_stays_under_a_pseudonym(house: House) -> None:
    steward, me = lived(house)
    house.people.change_role(steward, ADDRESS, Role.REVIEWER, add=False)
    erasing.erase(house, steward, me.id, Basis.ORDER)
    assert house.people.find(ADDRESS) is None
    grants = [each for each in house.access.grants(steward) if each.holder == me.id]
    assert [each.allocation.passes for each in grants] == [6_000]
    for call in house.admissions.calls():
        assert all(each.conserved for each in house.admissions.budget(call.id).values())
    size = house.log.size()
    assert house.log.entries(size - 1, size)[0].data == {"person": me.id, "basis": "order"}
    assert person(house, NAME).id != me.id  # whoever comes with the address now is somebody new


def test_nobody_is_erased_who_still_stands_in_office_or_reads(house: House) -> None:
    steward, reader = person(house, "steward", Role.STEWARD), person(house, NAME)
    with pytest.raises(Refused, match="people/still-in-office"):
        erasing.erase(house, steward, steward.id, Basis.REQUEST)
    call = open_call(house, steward, template("call.yaml").replace("reading-room", _stage(house)), "call.yaml").id
    made = applies(house, reader, call, WORD)
    with pytest.raises(Refused, match=f"application {made.id} is submitted: withdraw it"):
        erasing.erase(house, reader, reader.id, Basis.REQUEST)
    house.admissions.withdraw(reader, made.id)
    with pytest.raises(BadInput, match="is not the address of your account"):
        erasing.erase_self(house, reader, "steward@steward.example")
    assert "admissions_application" in erasing.erase_self(house, reader, ADDRESS)


def test_only_oneself_and_who_may_erase_see_what_is_held(house: House) -> None:
    steward, reader, other = person(house, "steward", Role.STEWARD), person(house, NAME), person(house, "other")
    shown = house.held.show(reader, reader.id)
    assert shown["people_person"][0]["email"] == ADDRESS
    assert house.held.show(steward, reader.id) == shown
    for nosy in (other, Actor("operator")):
        with pytest.raises(Refused, match="people/not-allowed"):
            house.held.show(nosy, reader.id)
        with pytest.raises(Refused, match="people/not-allowed"):
            erasing.erase(house, nosy, reader.id, Basis.REQUEST)
