"""Reading what is kept: by who may, for a reason, on record before it is shown; and its end."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from gateway.retaining import PROMPT, PURPOSE, asked, keeping, keeping_plan, person
from gateway.rooms import Room
from readingroom.access.model import Amounts, Award
from readingroom.app.founding import found
from readingroom.app.house import House
from readingroom.app.lending import agree, issue_discretionary, why
from readingroom.core.canonical import commitment
from readingroom.core.errors import BadInput, Broken, Problem
from readingroom.core.refusal import Refused
from readingroom.core.settings import Settings
from readingroom.gateway.ratchet import FILE
from readingroom.gateway.tables import half, text, usage
from readingroom.ledger.service import Ledger
from readingroom.oversight.tables import reading
from readingroom.people.model import Actor
from readingroom.store.db import Database

REASON = "a report of the 3rd: instructions for a weapon"


async def receipt(here: Room, said: str = PROMPT) -> str:
    """Make a call that is kept, and return its receipt."""
    flow = await here.gateway.open(here.key, asked(said))
    async for _ in flow.frames():
        pass
    await here.quiet()
    return flow.hold.id


def entries(house: House, event: str) -> list[Any]:
    found = [house.log.entry(seq) for seq in range(house.log.size())]
    return [each for each in found if each is not None and each.event == event]


def rows(db: Database, table: sa.Table) -> int:
    with db.read() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


async def test_a_reading_is_on_record_and_tells_nothing_personal(tmp_path: Path, db: Database) -> None:
    async with keeping(tmp_path, database=db.url) as here:
        name, safety = await receipt(here), person(here.house, "safety")
        found = here.house.investigations.read(safety, [name], REASON)
        assert PROMPT in found[0].request
        (entry,) = entries(here.house, "oversight.text.read")
        assert entry.by == safety.id
        with here.house.db.read() as tx:
            salt = tx.execute(sa.select(usage.c.salt).where(usage.c.id == name)).scalar_one()
            kept = tx.execute(sa.select(reading)).one()
        # The reader, who has the salt in his receipt, can tell which call was read; nobody else can.
        assert entry.data == {
            "grant": here.grant.id,
            "receipt": commitment(salt, name.encode()),
            "reason": commitment(kept.salt, REASON.encode()),
        }
        leaf = entry.leaf()
        assert REASON.encode() not in leaf
        assert name.encode() not in leaf
        (read,) = here.house.investigations.readings(person(here.house, "auditor"))
        assert (read.person, read.act, read.receipt, read.reason) == (safety.id, "read", name, REASON)
        assert here.house.log.audit(here.house.signer.verifier).ok


@pytest.mark.parametrize("reason", ["", "  \n ", "\x00"])
async def test_without_a_reason_nothing_is_read(tmp_path: Path, reason: str) -> None:
    async with keeping(tmp_path) as here:
        name, size = await receipt(here), here.house.log.size()
        with pytest.raises(BadInput):
            here.house.investigations.read(person(here.house, "safety"), [name], reason)
        assert not entries(here.house, "oversight.text.read")
        assert size <= here.house.log.size()
        assert rows(here.house.db, reading) == 0


async def test_what_cannot_be_recorded_is_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with keeping(tmp_path) as here:
        name, safety = await receipt(here), person(here.house, "safety")
        opened: list[object] = []
        monkeypatch.setattr("readingroom.oversight.investigations.TextKey.open", lambda *each: opened.append(each))

        def full(*_: object, **__: object) -> None:
            raise Broken(Problem("ledger", "is full", "Free disk space"))

        monkeypatch.setattr(Ledger, "append", full)
        with pytest.raises(Broken):
            here.house.investigations.read(safety, [name], REASON)
        assert not opened
        assert rows(here.house.db, reading) == 0


async def test_it_is_on_record_before_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with keeping(tmp_path) as here:
        name, safety = await receipt(here), person(here.house, "safety")

        def stop(*_: object) -> bytes:
            raise KeyboardInterrupt  # whoever ends the program just before the text is shown

        monkeypatch.setattr("readingroom.oversight.investigations.TextKey.open", stop)
        with pytest.raises(KeyboardInterrupt):
            here.house.investigations.read(safety, [name], REASON)
        assert len(entries(here.house, "oversight.text.read")) == 1


@pytest.mark.parametrize("role", ["reviewer", "tester", "panel", "auditor"])
async def test_nobody_else_reads_lists_or_erases(tmp_path: Path, role: str) -> None:
    async with keeping(tmp_path) as here:
        name, curious, found = await receipt(here), person(here.house, role), here.house.investigations
        for act in (
            lambda: found.read(curious, [name], REASON),
            lambda: found.listed(curious, here.grant.id),
            lambda: found.counts(curious),
            lambda: found.erase(curious, here.grant.id, REASON),
        ):
            with pytest.raises(Refused) as refused:
                act()
            assert refused.value.refusal.code == "people/not-allowed"
        assert not entries(here.house, "oversight.text.read")


async def test_neither_the_operator_of_a_real_house_nor_who_lost_the_role(tmp_path: Path) -> None:
    async with keeping(tmp_path) as here:
        name, safety = await receipt(here), person(here.house, "safety")
        people = here.house.people
        people.change_role(people.operator(), "safety@safety.example", next(iter(safety.roles)), add=False)
        for each in (Actor("operator"), safety):
            with pytest.raises(Refused) as refused:
                here.house.investigations.read(each, [name], REASON)
            assert refused.value.refusal.code == "people/not-allowed"


async def test_what_is_erased_can_be_opened_by_nobody_with_whatever_else(tmp_path: Path, db: Database) -> None:
    async with keeping(tmp_path, database=db.url) as here:
        name, house = await receipt(here), here.house
        with db.read() as tx:
            row = tx.execute(sa.select(text)).one()._asdict()
        assert house.investigations.erase(person(house, "steward"), here.grant.id, "the reader asked") == 1
        assert (rows(db, text), rows(db, half)) == (0, 0)
        (entry,) = entries(house, "oversight.text.erased")
        assert entry.data["grant"] == here.grant.id
        assert entry.data["texts"] == 1
        with db.write() as tx:  # the sealed text is put back, and every other half in the world is tried
            tx.execute(text.insert().values(row))
        await here.heard()
        other = await receipt(here, "something else")
        safety = person(house, "safety")
        assert house.investigations.read(safety, [other], REASON)[0].proven  # what was asked since then is kept anew
        with pytest.raises(Refused, match="was erased"):
            house.investigations.read(safety, [name], REASON)
        with db.write() as tx:
            tx.execute(half.update().values(id=row["half_id"]))
        with pytest.raises(Refused, match="cannot be opened"):
            house.investigations.read(safety, [name], REASON)
        with db.write() as tx:
            tx.execute(half.update().values(id="another"))
        here.gateway._retainer.turn()
        assert rows(db, text) == 0  # what no half opens is dropped


async def test_a_worker_does_not_go_on_with_a_key_that_was_destroyed(tmp_path: Path) -> None:
    async with keeping(tmp_path) as here:
        await receipt(here)
        here.house.investigations.erase(person(here.house, "steward"), here.grant.id, "the reader asked")
        await here.heard()
        name = await receipt(here)
        assert here.house.investigations.read(person(here.house, "safety"), [name], REASON)[0].proven


async def test_a_destroyed_half_is_not_left_in_the_files(tmp_path: Path) -> None:
    async with keeping(tmp_path) as here:
        await receipt(here)
        engine = here.house.db.engine
        # Some builds of SQLite overwrite what is deleted by themselves; this one must be told to.
        sa.event.listen(engine, "connect", lambda made, _: made.execute("PRAGMA secure_delete=OFF"))
        engine.dispose()
        with here.house.db.read() as tx:
            secret = tx.execute(sa.select(half.c.half)).scalar_one()
        assert left_in(tmp_path, secret)
        here.house.investigations.erase(person(here.house, "steward"), here.grant.id, "the reader asked")
        assert not left_in(tmp_path, secret)


def left_in(folder: Path, secret: bytes) -> list[Path]:
    """Return which of the database's files hold some bytes, deleted or not."""
    return [path for path in (folder / "home").glob("readingroom.db*") if secret in path.read_bytes()]


async def test_a_thief_of_the_database_reads_nothing_and_one_of_home_neither(tmp_path: Path) -> None:
    async with keeping(tmp_path / "a") as here:
        name, safety = await receipt(here), person(here.house, "safety")
        assert here.house.investigations.read(safety, [name], REASON)
        stolen = tmp_path / "stolen"
        shutil.copytree(tmp_path / "a" / "home", stolen)
    with closing(sqlite3.connect(stolen / "readingroom.db")) as file:
        assert file.execute("select count(*) from gateway_text").fetchone() == (1,)
    (stolen / "keys" / FILE).unlink()
    for made in (False, True):
        thief = House(Settings(home=stolen, engine="echo", dev=True), here.house.clock)
        if made:
            thief.investigations.ratchet.made()  # a house's secret, but another
        with pytest.raises(Refused) as refused:
            thief.investigations.read(thief.people.operator(), [name], REASON)
        assert refused.value.refusal.code == ("oversight/sealed-elsewhere" if made else "oversight/no-such-text")
        thief.close()


async def test_a_text_that_is_not_what_its_record_commits_to_is_told(tmp_path: Path) -> None:
    async with keeping(tmp_path) as here:
        name = await receipt(here)
        with here.house.db.write() as tx:
            leaf = json.loads(tx.execute(sa.select(usage.c.leaf).where(usage.c.id == name)).scalar_one())
            leaf["request"] = commitment(b"", b"another")
            tx.execute(usage.update().where(usage.c.id == name).values(leaf=json.dumps(leaf).encode()))
        assert not here.house.investigations.read(person(here.house, "safety"), [name], REASON)[0].proven


async def test_what_is_kept_is_listed_with_what_screens_found_and_without_a_text(tmp_path: Path) -> None:
    async with keeping(tmp_path) as here:
        await receipt(here)
        with pytest.raises(Refused):
            await here.read(asked("a bomb"))
        await here.quiet()
        found = here.house.investigations.listed(person(here.house, "safety"), here.grant.id)
        assert sorted((each.ended, each.found) for each in found) == [("complete", ()), ("refused", ("no-bombs",))]
        assert PROMPT not in repr(found)
        assert here.house.investigations.counts(person(here.house, "steward")) == {here.grant.id: 2}


def test_nobody_is_kept_or_served_who_has_not_agreed_to_just_this(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", engine="echo", dev=True)
    house = found(settings, keeping_plan(settings, 0))
    operator, ends = house.people.operator(), house.clock.now().replace(year=2099, month=1, day=1)
    award = Award("", "", "text", Amounts(passes=9), ends, "test")
    grant = issue_discretionary(house, operator, "r@r.example", award, accept_terms=True)[0]
    holder = house.people.actor(grant.holder)
    assert why(house, operator, grant.id).ok
    for days, purpose in ((2, PURPOSE), (3, PURPOSE), (3, "advertising")):
        plan = keeping_plan(settings, days, purpose)
        house.releases.adopt(operator, plan, "release.yaml", "another retention")
        house.releases.sign(operator, "reading-room")  # the stage closed: its gate binds what is kept
        house.releases.open(operator, "reading-room")
        refusal = why(house, operator, grant.id).refusal
        assert refusal is not None
        assert refusal.code == "access/terms-not-accepted"
        assert f"{days} days" in refusal.reason
        assert purpose in refusal.reason
        for stranger, shown in ((holder, "another digest"), (holder, ""), (operator, refusal.facts["retention"])):
            with pytest.raises(Refused):
                agree(house, stranger, grant.id, shown)
        agree(house, holder, grant.id, refusal.facts["retention"])
        assert why(house, operator, grant.id).ok
    agreed = [each.data for each in entries(house, "access.retention.agreed")]
    assert [(each["days"], each["on_behalf"]) for each in agreed] == [(2, False), (3, False), (3, False)]
    house.releases.adopt(operator, keeping_plan(settings, 0), "release.yaml", "nothing is kept any more")
    with pytest.raises(Refused, match="nothing to agree to"):
        agree(house, holder, grant.id, "x")
    house.close()


def test_a_service_account_agrees_with_its_terms(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", engine="echo", dev=True)
    house = found(settings, keeping_plan(settings))
    ends = house.clock.now().replace(year=2099, month=1, day=1)
    award = Award("", "", "text", Amounts(passes=9), ends, "test")
    for accept in (True, False):
        email = f"{accept}@r.example"
        grant = issue_discretionary(house, house.people.operator(), email, award, accept_terms=accept)[0]
        facts = {each.name: each.holds for each in why(house, house.people.operator(), grant.id).facts}
        assert facts["retention-agreed"] is accept
    (said,) = entries(house, "access.retention.agreed")
    assert said.data["on_behalf"] is True
    house.close()
