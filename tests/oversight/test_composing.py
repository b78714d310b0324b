"""The register as a house composes it: from the rooms that know, whole for those who may read it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from readingroom.access.model import Amounts, Award, Grant, Reason
from readingroom.app.founding import default_plan, found
from readingroom.app.house import House
from readingroom.app.lending import issue_discretionary
from readingroom.core.canonical import sha256
from readingroom.core.clock import FixedClock
from readingroom.core.errors import Broken, Problem
from readingroom.core.refusal import Refused
from readingroom.core.settings import Settings
from readingroom.ledger.service import Ledger
from readingroom.oversight.model import Shape
from readingroom.oversight.register import DISCRETION, SMALL_CELL, document
from readingroom.oversight.service import Oversight
from readingroom.people.model import Actor, Role

AUDITOR = Actor("person_a", frozenset({Role.AUDITOR}))


@pytest.fixture(scope="module")
def lent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, list[Grant]]]:
    """Found a house with five readers of one university and one reader of a lab."""
    house = _found(tmp_path_factory.mktemp("register"))
    operator = house.people.operator()
    grants = []
    for number in range(SMALL_CELL + 1):
        email, college = f"canary{number}@x.example", "East University" if number < SMALL_CELL else "Canary Lab"
        house.people.add(operator, email, name=f"Canary {number}", affiliation=college)
        award = Award(
            holder="",
            stage="",
            tier="text",
            allocation=Amounts(passes=1000),
            expires_at=house.clock.now() + timedelta(days=30),
            purpose="canary purpose",
        )
        grants.append(issue_discretionary(house, operator, email, award, accept_terms=True)[0])
    house.access.revoke(operator, grants[0].id, Reason.OTHER, note="canary note")
    yield house, grants
    house.close()


def _found(folder: Path) -> House:
    settings = Settings(home=folder / "home", dev=True, engine="echo")
    return found(settings, default_plan(settings))


def test_every_grant_is_in_the_whole_register_once(lent: tuple[House, list[Grant]]) -> None:
    house, grants = lent
    rows = house.oversight.register(AUDITOR)
    assert sorted(row.grant for row in rows) == sorted(grant.id for grant in grants)
    ended = next(row for row in rows if row.grant == grants[0].id)
    assert (ended.reader, ended.state, ended.ended_for) == ("Canary 0", "revoked", "other")
    assert (ended.decided_by, ended.awarded_passes, ended.used_passes) == ("operator", 1000, 0)


@pytest.mark.parametrize("role", [None, Role.REVIEWER, Role.PANEL, Role.TESTER])
def test_the_whole_register_is_not_for_everyone(lent: tuple[House, list[Grant]], role: Role | None) -> None:
    with pytest.raises(Refused, match="people/not-allowed"):
        lent[0].oversight.register(Actor("person_x", frozenset({role} if role else ())))


def test_the_public_register_shows_a_university_of_five_and_no_person(lent: tuple[House, list[Grant]]) -> None:
    house, grants = lent
    rows = house.oversight.public_register()
    told = [(row.kind, row.name, row.readers, row.awarded_passes) for row in rows]
    assert told == [("purpose", DISCRETION, 5, 5000), ("institution", "East University", 5, None)]
    assert "canary" not in repr(rows).casefold()
    assert not any(known in repr(rows) for grant in grants for known in (grant.id, grant.holder))


def test_a_grant_whose_time_is_over_reads_expired(lent: tuple[House, list[Grant]]) -> None:
    house, _ = lent
    later = FixedClock(house.clock.now() + timedelta(days=31))
    rows = Oversight(house.db, house.ledger, later).register(AUDITOR)
    assert sorted(row.state for row in rows) == [*["expired"] * SMALL_CELL, "revoked"]


def test_a_page_of_the_register_is_a_look_of_its_own_and_counts_the_whole(
    lent: tuple[House, list[Grant]],
) -> None:
    house, _ = lent
    later = FixedClock(house.clock.now() + timedelta(days=31))
    for at in (house.clock, later):
        oversight = Oversight(house.db, house.ledger, at)
        whole, parts = oversight.register(AUDITOR), [oversight.register_page(AUDITOR, 4, begin) for begin in (0, 4)]
        assert [each for rows, _ in parts for each in rows] == whole
        assert all(counts == Counter(row.state for row in whole) for _, counts in parts)
        entry = house.log.entry(house.log.size() - 1)
        assert entry is not None
        assert (entry.event, entry.data["rows"]) == ("oversight.register.read", 2)
        assert sha256(document(parts[1][0])) in {each.digest for each in house.oversight.looks(AUDITOR)}


def test_every_look_is_in_the_ledger_before_anything_is_shown(lent: tuple[House, list[Grant]]) -> None:
    house, _ = lent
    size = house.log.size()
    rows = house.oversight.register(AUDITOR, Shape.CSV)
    entry = house.log.entry(size)
    assert entry is not None
    assert (entry.event, entry.by, entry.data["form"]) == ("oversight.register.read", AUDITOR.id, "csv")
    assert entry.data["rows"] == len(rows)
    newest = next(each for each in house.oversight.looks(AUDITOR) if each.form is Shape.CSV)
    assert (newest.person, newest.form, newest.digest) == (AUDITOR.id, Shape.CSV, sha256(document(rows)))
    assert "canary" not in str(entry.leaf()).casefold()

    def fail(_tx: object, _entry: object) -> None:
        raise Broken(Problem("ledger", "cannot be written", ""))

    deaf = Ledger(house.clock, house.signer)
    deaf.on("oversight.register.read", fail)
    with pytest.raises(Broken):
        Oversight(house.db, deaf, house.clock).register(AUDITOR)
    assert house.log.size() == size + 1


def test_who_was_refused_has_not_looked_and_leaves_no_trace(lent: tuple[House, list[Grant]]) -> None:
    house, _ = lent
    size = house.log.size()
    for ask in (house.oversight.register, house.oversight.looks, house.oversight.names):
        with pytest.raises(Refused, match="people/not-allowed"):
            ask(Actor("person_x"))
    assert house.log.size() == size


def test_a_reader_sees_their_own_entry_and_nobody_elses(lent: tuple[House, list[Grant]]) -> None:
    house, grants = lent
    (own,) = house.oversight.mine(Actor(grants[0].holder))
    assert (own.grant, own.reader, own.state) == (grants[0].id, "Canary 0", "revoked")
    assert own.sanctions == (f"revoke: other, {house.clock.now():%Y-%m-%d}",)
    assert own in house.oversight.register(AUDITOR)
    assert house.oversight.mine(Actor("person_x")) == []
