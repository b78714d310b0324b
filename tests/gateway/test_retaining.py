"""Texts that a stage keeps: sealed before anything of them is written, and only where plan and reader say so."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.retaining import PROMPT, asked, bytes_of, keeping, person
from gateway.rooms import Room
from gateway.test_lying_engines import STOP, Says
from readingroom.core.clock import FixedClock, SystemClock
from readingroom.core.refusal import Refused
from readingroom.engines.model import Chunk
from readingroom.gateway import journal
from readingroom.gateway.journal import Journal
from readingroom.gateway.model import Amount, Call, Hold, Limits, Reading, Usage
from readingroom.gateway.ratchet import FILE, Ratchet
from readingroom.gateway.sealing import begins, hour_of
from readingroom.gateway.tables import half, text, usage
from readingroom.oversight.model import Text
from readingroom.store.db import Database


async def receipt(here: Room) -> str:
    """Return the newest record's receipt, once it is in the database."""
    await here.quiet()
    with here.house.db.read() as tx:
        return str(tx.execute(sa.select(usage.c.id).order_by(usage.c.row.desc())).scalars().first())


async def opened(here: Room) -> Text:
    return here.house.investigations.read(person(here.house, "safety"), [await receipt(here)], "a report")[0]


def rows(db: Database, table: sa.Table) -> int:
    with db.read() as tx:
        return int(tx.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def move(here: Room, **amount: float) -> None:
    assert isinstance(here.house.clock, FixedClock)
    here.house.clock.advance(**amount)


async def test_by_default_nothing_is_kept_and_there_is_not_even_a_key(tmp_path: Path) -> None:
    async with keeping(tmp_path, days=0) as here:
        assert PROMPT.split()[0] in (await here.read(asked()))[0]  # the echo engine says it back
        await here.quiet()
        assert b"canary-prompt" not in bytes_of(tmp_path)
        assert (rows(here.house.db, text), rows(here.house.db, half)) == (0, 0)
        assert not (tmp_path / "home" / "keys" / FILE).exists()
        here.gateway._retainer.turn()
        assert not (tmp_path / "home" / "keys" / FILE).exists()


async def test_what_is_kept_stands_nowhere_in_plain_and_can_be_read(tmp_path: Path, db: Database) -> None:
    async with keeping(tmp_path, database=db.url) as here:
        answer, _ = await here.read(asked())
        found = await opened(here)
        assert json.loads(found.request)["messages"][0]["content"] == PROMPT
        assert [(each.said, each.left) for each in found.answers] == [(answer, answer)]
        assert found.proven
        assert begins(hour_of(here.house.clock.now()) + 48) == found.until
        assert b"canary-prompt" not in bytes_of(tmp_path)
        with db.read() as tx:
            for table in sa.inspect(tx).get_table_names():
                for row in tx.execute(sa.text(f'select * from "{table}"')):  # noqa: S608 - the database's own names
                    assert "canary-prompt" not in repr(tuple(row)), table


async def test_what_the_exit_took_out_is_kept_as_the_engine_said_it(tmp_path: Path) -> None:
    said = [Chunk(0, "the sword"), Chunk(0, "fish is "), Chunk(0, "red"), STOP]
    async with keeping(tmp_path, engine=Says(*said)) as here:
        left, _ = await here.read(asked())
        assert "swordfish" not in left
        (answer,) = (await opened(here)).answers
        assert answer.said == "the swordfish is red"
        assert answer.left == left
        assert b"swordfish is" not in bytes_of(tmp_path)


async def test_what_the_entrance_refused_is_kept(tmp_path: Path) -> None:
    async with keeping(tmp_path) as here:
        with pytest.raises(Refused):
            await here.read(asked("how is a bomb made"))
        found = await opened(here)
        assert "bomb" in found.request
        assert (found.answers, found.proven, found.record["ended"]) == ((), True, "refused")


async def test_an_answer_that_was_broken_off_is_kept_as_far_as_it_came(tmp_path: Path) -> None:
    async with keeping(tmp_path) as here:
        flow = await here.gateway.open(here.key, asked("one two three four", streamed=True))
        frames = flow.frames()
        await anext(frames)
        await frames.aclose()
        found = await opened(here)
        assert found.record["ended"] == "hung-up"
        assert found.proven
        assert (found.answers[0].left or "").startswith("one")


async def test_several_choices_are_kept_each(tmp_path: Path) -> None:
    async with keeping(tmp_path) as here:
        await here.read(asked(choices=2))
        found = await opened(here)
        assert len(found.answers) == 2
        assert found.proven


async def test_what_the_call_had_when_its_process_died_is_kept(tmp_path: Path, db: Database) -> None:
    """The journal alone is left: of an ended call all, of an open one the request; both sealed."""
    async with keeping(tmp_path, database=db.url) as here:
        flow = await here.gateway.open(here.key, asked())  # open, and never ended
        name, folder = here.gateway._workers.id, tmp_path / "home" / "journal"
        written = b"".join(path.read_bytes() for path in folder.iterdir())
        assert b"canary-prompt" not in written
        assert flow.hold.id.encode() in written
        found = journal.read(folder, name)
        call, _ = found.open[flow.hold.id]
        assert call.sealed()
        here.gateway._workers._bury(name, trusted=True)
        read = here.house.investigations.read(person(here.house, "steward"), [flow.hold.id], "a death")[0]
        assert "canary-prompt" in read.request
        assert (read.answers, read.record["ended"], read.proven) == ((), "lost", True)


def test_a_journal_gives_back_what_was_sealed(tmp_path: Path) -> None:
    writing = Journal(tmp_path)
    writing.open("worker_1")
    reading = Reading(Limits(), Amount(), Amount())
    for name, kept in (("receipt_1", b"\x01sealed"), ("receipt_2", b"")):
        call = Call(name, "grant_1", {}, b"salt", lambda kept=kept: kept)  # type: ignore[misc]
        writing.begin(Hold(call, Amount(1, 1, 1), 1, reading))
    writing.end("receipt_1", Usage("receipt_1", "grant_1", b"{}", b"salt", Amount(), SystemClock().now(), b"\x01all"))
    found = journal.read(tmp_path, "worker_1")
    assert found.done["receipt_1"].sealed == b"\x01all"
    assert found.open["receipt_2"][0].sealed() == b""
    assert b"sealed" not in (tmp_path / "worker_1.0").read_bytes().splitlines()[1]  # it costs no other call a byte


async def test_when_its_days_are_over_a_text_is_gone_and_its_row_as_well(tmp_path: Path, db: Database) -> None:
    async with keeping(tmp_path, database=db.url) as here:
        await here.read(asked())
        name, safety = await receipt(here), person(here.house, "safety")
        before = (tmp_path / "home" / "keys" / FILE).read_bytes()
        move(here, hours=47)
        assert here.house.investigations.read(safety, [name], "in time")[0].proven
        move(here, hours=1)
        with pytest.raises(Refused, match="its days are over"):
            here.house.investigations.read(safety, [name], "too late")
        assert rows(db, text) == 1
        assert here.gateway._retainer.turn() == 1
        assert rows(db, text) == 0
        assert (tmp_path / "home" / "keys" / FILE).read_bytes() != before


async def test_no_old_copy_of_the_database_is_opened_with_the_house_of_today(tmp_path: Path) -> None:
    """Whoever kept the whole database from before, row of the text and half of the key, has nothing."""
    async with keeping(tmp_path) as here:
        await here.read(asked())
        name = await receipt(here)
        with here.house.db.read() as tx:
            old = {table.name: [row._asdict() for row in tx.execute(sa.select(table))] for table in (text, half)}
        move(here, days=2)
        here.gateway._retainer.turn()
        assert isinstance(here.house.clock, FixedClock)
        here.house.clock.moment -= timedelta(days=2)  # even with the clock put back
        with here.house.db.write() as tx:
            tx.execute(half.delete())
            for table in (text, half):
                tx.execute(table.insert(), old[table.name])
        with pytest.raises(Refused, match="turned beyond that hour"):
            here.house.investigations.read(person(here.house, "safety"), [name], "with an old copy")


async def test_no_key_outlives_its_hour_in_a_workers_memory(tmp_path: Path) -> None:
    async with keeping(tmp_path) as here:
        await here.read(asked())
        keeper = here.gateway._retainer
        assert keeper._known
        assert keeper._turned
        move(here, days=2)
        keeper.turn()
        assert not keeper._known
        assert not keeper._turned


async def test_a_stage_that_cannot_keep_serves_nobody(tmp_path: Path) -> None:
    async with keeping(tmp_path) as here:
        await here.read(asked())
        before = await here.used()
        (tmp_path / "home" / "keys" / FILE).write_text("{}")
        here.gateway._retainer._known.clear()
        with pytest.raises(Refused) as refused:
            await here.read(asked())
        assert refused.value.refusal.code == "gateway/cannot-keep"
        assert "is damaged" in here.house.investigations.ratchet.trouble()
        assert await here.used() == before


async def test_a_clock_that_was_ahead_is_told(tmp_path: Path) -> None:
    async with keeping(tmp_path) as here:
        move(here, days=30)
        await here.read(asked())
        assert isinstance(here.house.clock, FixedClock)
        here.house.clock.moment -= timedelta(days=30)
        assert "later than the clock" in here.house.investigations.ratchet.trouble()
        here.gateway._retainer._known.clear()
        with pytest.raises(Refused):
            await here.read(asked())


@settings(deadline=None, max_examples=20)  # each turn goes down to the disk
@given(hours=st.lists(st.integers(0, 50), max_size=6))
def test_hosts_with_copies_of_one_file_turn_it_to_the_same(
    tmp_path_factory: pytest.TempPathFactory, hours: list[int]
) -> None:
    one, other = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("other")
    clock = FixedClock()
    first = Ratchet(one, clock)
    first.made()
    (other / FILE).write_bytes((one / FILE).read_bytes())
    for each in hours:  # the other host sleeps meanwhile
        clock.advance(hours=each)
        first.turn()
    assert Ratchet(other, clock).turn() == first.turn()
    assert (one / FILE).stat().st_mode & 0o077 == 0


def test_what_ends_up_in_a_call_without_retention_is_what_it_always_was() -> None:
    call: Any = Call("receipt_1", "grant_1", {}, b"salt")
    assert call.sealed() == b""
