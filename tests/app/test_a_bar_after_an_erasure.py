"""A bar outlives the erasure of whom it is of, as a keyed hash, and nothing is kept of it once it is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from readingroom.access import queries as access
from readingroom.access.model import Reason
from readingroom.access.tables import barred_address
from readingroom.app import erasing
from readingroom.app.house import House
from readingroom.app.remembering import FILE
from readingroom.core.clock import FixedClock
from readingroom.core.errors import Broken
from readingroom.core.settings import load
from readingroom.people.model import Basis, Role
from served import found

ADDRESS = "gone@gone.example"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(load(found(tmp_path / "home")), FixedClock())
    yield made
    made.close()


def gone(house: House, days: int, *, lift: bool = False) -> None:
    """Bar somebody for so many days, and erase them."""
    operator = house.people.operator()
    steward = house.people.add(operator, "steward@lab.example", roles=[Role.STEWARD])
    person = house.people.add(operator, ADDRESS, name="Somebody")
    by, until = house.people.actor(steward.id), house.clock.now() + timedelta(days=max(days, 1))
    if days:
        sanction = house.access.bar(by, person.id, until, Reason.TERMS_BREACH)
        if lift:
            house.access.lift(by, sanction.id, "error-corrected")
    erasing.erase(house, by, person.id, Basis.REQUEST)


def kept(house: House) -> int:
    with house.db.read() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(barred_address)).scalar_one())


def barred_at_return(house: House, address: str = ADDRESS) -> bool:
    person = house.people.add(house.people.operator(), address)
    with house.db.read() as tx:
        until = access.barred_until(tx, person.id)
    return until is not None and until > house.clock.now()


def test_who_was_barred_is_barred_again_at_the_same_address_and_no_address_is_kept(house: House) -> None:
    gone(house, 30)
    assert kept(house) == 1
    with house.db.read() as tx:
        (row,) = tx.execute(sa.select(barred_address)).all()
    assert "gone" not in row.digest
    assert not barred_at_return(house, "other@gone.example")
    assert barred_at_return(house, ADDRESS.upper())
    assert kept(house) == 0, "the new account carries it"
    (shown,) = house.access.my_sanctions(house.people.actor(house.people.named(ADDRESS).id))
    assert shown.reason is Reason.TERMS_BREACH, "told as any other, and open to an appeal"


@pytest.mark.parametrize("lift", [False, True])
def test_of_a_bar_that_is_over_or_lifted_nothing_is_kept(house: House, *, lift: bool) -> None:
    gone(house, 3, lift=lift)
    clock = house.clock
    assert isinstance(clock, FixedClock)
    clock.advance(days=4)
    assert not barred_at_return(house)
    assert kept(house) == 0


def test_who_was_never_barred_leaves_nothing(house: House) -> None:
    gone(house, 0)
    assert kept(house) == 0
    assert not (house.settings.keys / FILE).exists()
    assert not barred_at_return(house)


def test_without_the_key_nobody_new_is_let_in_and_no_other_key_is_made(house: House) -> None:
    gone(house, 30)
    key = house.settings.keys / FILE
    away = key.rename(key.with_suffix(".away"))
    with pytest.raises(Broken, match="Bring it back"):
        house.people.add(house.people.operator(), ADDRESS)
    assert house.people.find(ADDRESS) is None
    assert not key.exists()
    away.rename(key)
    assert barred_at_return(house)
