"""Meddling with the stored log, in every way a hand in the database can."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Connection

from ledger.meddling import SIZE, after, audited
from readingroom.core.canonical import canonical, parse
from readingroom.core.errors import Broken
from readingroom.ledger import tables
from readingroom.ledger.checkpoint import Checkpoint
from readingroom.ledger.merkle import EMPTY, leaf_hash
from readingroom.ledger.note import Signer
from readingroom.ledger.queries import LedgerReader
from readingroom.ledger.report import Report
from readingroom.ledger.service import Ledger
from readingroom.ledger.tiles import tiles_of
from readingroom.store.db import Database, metadata

COLUMNS = [
    (table, column)
    for table in (tables.entry, tables.checkpoint)
    for column in table.columns
    if isinstance(column.type, (sa.LargeBinary, sa.String))
]


def test_the_ledger_has_no_text_and_no_number_that_the_audit_does_not_cover() -> None:
    names = {table.name for table in metadata.tables.values() if table.name.startswith("ledger_")}
    assert names == {"ledger_entry", "ledger_checkpoint"}
    assert [f"{table.name}.{column.name}" for table, column in COLUMNS] == [
        "ledger_entry.leaf",
        "ledger_entry.leaf_hash",
        "ledger_checkpoint.note",
        "ledger_checkpoint.frontier",
    ]
    others = [c.name for t in (tables.entry, tables.checkpoint) for c in t.columns if (t, c) not in COLUMNS]
    assert others == ["seq", "size"]


def test_an_untouched_log_is_proved(log: Database, ledger: Ledger) -> None:
    report = audited(log, ledger)
    note = LedgerReader(log).checkpoint()
    assert note
    assert report.problems == ()
    assert (report.ok, report.size) == (True, SIZE)
    assert report.root == Checkpoint.open(note, ledger.verifier).root.hex()
    assert report.to_json() == {"ok": True, "size": SIZE, "root": report.root, "problems": []}


def test_an_empty_log_is_whole(sqlite_db: Database, ledger: Ledger) -> None:
    assert audited(sqlite_db, ledger) == Report(0, EMPTY.hex())


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=str)
def test_each_altered_field_of_each_row_is_named_and_nothing_else_is(
    sqlite_db: Database, ledger: Ledger, fill: Callable[[Database, int], None], table: sa.Table, column: sa.Column[Any]
) -> None:
    fill(sqlite_db, SIZE)
    key = next(iter(table.primary_key))
    kind = "entry" if table is tables.entry else "checkpoint of size"
    for row in rows(sqlite_db, table):
        at, before = row[key.name], row[column.name]
        for altered in mutations(before):
            problems = after(sqlite_db, ledger, lambda tx: put(tx, table, key == at, {column.name: altered}))  # noqa: B023
            assert [problem.startswith(f"{kind} {at}: ") for problem in problems] == [True], problems
        after(sqlite_db, ledger, lambda tx: put(tx, table, key == at, {column.name: before}))  # noqa: B023
    assert audited(sqlite_db, ledger).ok


def mutations(value: bytes) -> Iterator[bytes]:
    yield bytes([value[0] ^ 1]) + value[1:]
    yield value[:-1] + bytes([value[-1] ^ 0x80])
    yield value[:-1]
    yield value + b"\n"
    yield value + b"\0" * 32
    yield b""


def rows(db: Database, table: sa.Table) -> list[Any]:
    with db.read() as tx:
        return [row._mapping for row in tx.execute(sa.select(table).order_by(*table.primary_key))]


def put(tx: Connection, table: sa.Table, where: Any, values: dict[str, Any]) -> None:
    tx.execute(table.update().where(where).values(**values))


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=str)
def test_an_altered_field_is_seen_on_both_databases(
    log: Database, ledger: Ledger, table: sa.Table, column: sa.Column[Any]
) -> None:
    key = next(iter(table.primary_key))
    assert after(log, ledger, lambda tx: put(tx, table, key == 5, {column.name: b"altered"}))


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=str)
def test_a_value_of_another_kind_is_seen_and_crashes_nothing(
    sqlite_db: Database, ledger: Ledger, fill: Callable[[Database, int], None], table: sa.Table, column: sa.Column[Any]
) -> None:
    fill(sqlite_db, 4)
    statement = sa.text(f"update {table.name} set {column.name} = :v where rowid = 2")  # noqa: S608 - our own names
    for value in ("text", "\ud7ff", "", 7, 1.5):
        assert after(sqlite_db, ledger, lambda tx: tx.execute(statement, {"v": value}))  # noqa: B023 - called at once


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=str)
def test_bytes_that_became_a_text_are_named_though_they_read_the_same_and_nothing_crashes_on_them(
    sqlite_db: Database, ledger: Ledger, fill: Callable[[Database, int], None], table: sa.Table, column: sa.Column[Any]
) -> None:
    fill(sqlite_db, SIZE)
    key = next(iter(table.primary_key)).name
    meddle = f"update {table.name} set {column.name} = cast({column.name} as text) where {key} = 5"  # noqa: S608
    problems = after(sqlite_db, ledger, lambda tx: tx.execute(sa.text(meddle)))
    kind = "entry" if table is tables.entry else "checkpoint of size"
    assert [problem.startswith(f"{kind} 5: ") for problem in problems] == [True], problems
    for tile in tiles_of(SIZE):
        with contextlib.suppress(Broken):
            LedgerReader(sqlite_db).tile(tile)


def test_an_entry_added_far_away_does_not_make_the_log_longer_than_was_proved(log: Database, ledger: Ledger) -> None:
    with log.write() as tx:
        tx.execute(tables.entry.insert().values(seq=10**9, leaf=b"{}", leaf_hash=b"x" * 32))
    report = audited(log, ledger)
    note = LedgerReader(log).checkpoint()
    assert note
    assert not report.ok
    assert (report.size, report.root) == (SIZE, Checkpoint.open(note, ledger.verifier).root.hex())


def test_text_that_is_not_utf8_is_seen_and_crashes_nothing(
    sqlite_db: Database, ledger: Ledger, fill: Callable[[Database, int], None]
) -> None:
    fill(sqlite_db, 4)
    meddle = sa.text("update ledger_checkpoint set note = cast(x'ff' || note as text) where size = 2")
    assert len(after(sqlite_db, ledger, lambda tx: tx.execute(meddle))) == 1


@pytest.mark.parametrize("seq", range(SIZE))
def test_a_removed_entry_is_named(
    sqlite_db: Database, ledger: Ledger, fill: Callable[[Database, int], None], seq: int
) -> None:
    fill(sqlite_db, SIZE)
    problems = after(sqlite_db, ledger, lambda tx: tx.execute(tables.entry.delete().where(tables.entry.c.seq == seq)))
    assert problems == (f"entry {seq}: removed",)


@pytest.mark.parametrize("size", range(1, SIZE + 1))
def test_a_removed_checkpoint_is_named(
    sqlite_db: Database, ledger: Ledger, fill: Callable[[Database, int], None], size: int
) -> None:
    fill(sqlite_db, SIZE)
    gone = tables.checkpoint.delete().where(tables.checkpoint.c.size == size)
    assert after(sqlite_db, ledger, lambda tx: tx.execute(gone)) == (f"checkpoint of size {size}: removed",)


def swap(tx: Connection, table: sa.Table, one: int, two: int) -> None:
    key = next(iter(table.primary_key))
    for old, new in ((one, 1000), (two, one), (1000, two)):
        put(tx, table, key == old, {key.name: new})


def test_swapped_entries_are_both_named(log: Database, ledger: Ledger) -> None:
    assert after(log, ledger, lambda tx: swap(tx, tables.entry, 2, 6)) == (
        "entry 2: here stands entry 6: reordered",
        "entry 6: here stands entry 2: reordered",
    )


def test_swapped_checkpoints_are_both_named(log: Database, ledger: Ledger) -> None:
    problems = after(log, ledger, lambda tx: swap(tx, tables.checkpoint, 3, 4))
    assert problems == (
        "checkpoint of size 3: here stands the one of size 4: reordered",
        "checkpoint of size 4: here stands the one of size 3: reordered",
    )


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=str)
def test_a_field_swapped_between_rows_is_named_in_both(
    log: Database, ledger: Ledger, table: sa.Table, column: sa.Column[Any]
) -> None:
    key = next(iter(table.primary_key))
    values = {row[key.name]: row[column.name] for row in rows(log, table)}

    def meddle(tx: Connection) -> None:
        put(tx, table, key == 3, {column.name: values[7]})
        put(tx, table, key == 7, {column.name: values[3]})

    problems = after(log, ledger, meddle)
    assert [any(f" {at}: " in problem for problem in problems) for at in (3, 7)] == [True, True]
    assert len(problems) == 2


def rewrite(tx: Connection, at: int, **changes: object) -> None:
    """Rewrite an entry so that it and its stored hash agree."""
    leaf = tx.execute(sa.select(tables.entry.c.leaf).where(tables.entry.c.seq == at)).scalar_one()
    forged = canonical({**parse(leaf), **changes})
    put(tx, tables.entry, tables.entry.c.seq == at, {"leaf": forged, "leaf_hash": leaf_hash(forged)})


def test_a_consistent_rewrite_is_pinned_down_by_the_checkpoint_after_it(log: Database, ledger: Ledger) -> None:
    problems = after(log, ledger, lambda tx: rewrite(tx, 4, data={"n": "forged"}))
    assert problems == ("entry 4: altered: the checkpoint signed after it has another root",)


def test_several_rewrites_are_each_named(log: Database, ledger: Ledger) -> None:
    def meddle(tx: Connection) -> None:
        for seq in (0, 3, 8):
            rewrite(tx, seq, by="someone else")

    problems = after(log, ledger, meddle)
    assert [problem.split(":")[0] for problem in problems] == ["entry 0", "entry 3", "entry 8"]


def test_a_rewrite_whose_checkpoints_were_removed_too_is_narrowed_down(log: Database, ledger: Ledger) -> None:
    def meddle(tx: Connection) -> None:
        rewrite(tx, 4, data={})
        tx.execute(tables.checkpoint.delete().where(tables.checkpoint.c.size.in_([5, 6])))

    problems = after(log, ledger, meddle)
    assert problems[:2] == ("checkpoint of size 5: removed", "checkpoint of size 6: removed")
    assert [problem.split(":")[0] for problem in problems[2:]] == ["entries 4 to 6"]


def test_entries_exchanged_with_their_numbers_forged_are_named(log: Database, ledger: Ledger) -> None:
    """A reordering so careful that every row agrees with itself: only the signed roots tell."""

    def meddle(tx: Connection) -> None:
        swap(tx, tables.entry, 2, 5)
        rewrite(tx, 2, seq=2)
        rewrite(tx, 5, seq=5)

    assert [problem.split(":")[0] for problem in after(log, ledger, meddle)] == ["entry 2", "entry 5"]


def test_a_cut_off_end_is_named_where_the_checkpoints_are_left(log: Database, ledger: Ledger) -> None:
    problems = after(log, ledger, lambda tx: tx.execute(tables.entry.delete().where(tables.entry.c.seq >= 6)))
    assert problems == tuple(f"entry {seq}: removed" for seq in (6, 7, 8))


def test_a_hole_through_both_tables_is_named(log: Database, ledger: Ledger) -> None:
    def meddle(tx: Connection) -> None:
        tx.execute(tables.entry.delete().where(tables.entry.c.seq.in_([3, 4])))
        tx.execute(tables.checkpoint.delete().where(tables.checkpoint.c.size.in_([4, 5])))

    assert after(log, ledger, meddle) == (
        "entries 3 to 4 and what was signed after: removed",
        "entries 3 to 5: cannot be proved one by one; at least one was altered or removed",
    )


@pytest.mark.parametrize("table", [tables.entry, tables.checkpoint], ids=str)
def test_an_emptied_table_is_seen(log: Database, ledger: Ledger, table: sa.Table) -> None:
    problems = after(log, ledger, lambda tx: tx.execute(table.delete()))
    assert len(problems) == SIZE
    assert all("removed" in problem for problem in problems)


@pytest.mark.parametrize("seq", [-1, SIZE, SIZE + 5])
def test_an_added_entry_is_seen(log: Database, ledger: Ledger, seq: int) -> None:
    def meddle(tx: Connection) -> None:
        tx.execute(tables.entry.insert().values(seq=seq, leaf=b"{}", leaf_hash=leaf_hash(b"{}")))

    assert any(f"{seq}" in problem for problem in after(log, ledger, meddle))


def test_rows_with_keys_of_another_kind_are_seen(
    sqlite_db: Database, ledger: Ledger, fill: Callable[[Database, int], None]
) -> None:
    fill(sqlite_db, 2)
    added = sa.text("insert into ledger_entry values ('one', x'00', x'00')")
    assert "entry 'one': added; no entry has such a number" in after(sqlite_db, ledger, lambda tx: tx.execute(added))
    added = sa.text("insert into ledger_checkpoint values ('one', x'00', x'00')")
    assert len(after(sqlite_db, ledger, lambda tx: tx.execute(added))) == 2


def test_tables_that_are_gone_are_a_problem_and_no_crash(log: Database, ledger: Ledger) -> None:
    problems = after(log, ledger, lambda tx: tx.execute(sa.text("drop table ledger_checkpoint")))
    assert len(problems) == 1
    assert "cannot be read" in problems[0]


def test_a_log_signed_by_another_key_is_not_ours(log: Database, ledger: Ledger) -> None:
    report = LedgerReader(log).audit(Signer.generate(ledger.verifier.name).verifier)
    assert len(report.problems) == SIZE
    assert all("not signed by" in problem for problem in report.problems)


def test_after_a_hundred_problems_the_rest_is_counted(
    sqlite_db: Database, ledger: Ledger, fill: Callable[[Database, int], None]
) -> None:
    fill(sqlite_db, 120)
    problems = after(sqlite_db, ledger, lambda tx: tx.execute(tables.checkpoint.delete()))
    assert len(problems) == 101
    assert problems[-1] == "and 20 more problems"


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_no_single_change_anywhere_goes_unseen(
    sqlite_db: Database, ledger: Ledger, fill: Callable[[Database, int], None], data: st.DataObject
) -> None:
    if not LedgerReader(sqlite_db).size():
        fill(sqlite_db, SIZE)
    table, column = data.draw(st.sampled_from(COLUMNS))
    row = data.draw(st.sampled_from(rows(sqlite_db, table)))
    before = row[column.name]
    where = data.draw(st.integers(0, max(len(before) - 1, 0)))
    altered = before[:where] + data.draw(st.binary(max_size=3)) + before[where + data.draw(st.integers(0, 3)) :]
    if altered == before:
        return
    key = next(iter(table.primary_key))
    try:
        assert after(sqlite_db, ledger, lambda tx: put(tx, table, key == row[key.name], {column.name: altered}))
    finally:
        after(sqlite_db, ledger, lambda tx: put(tx, table, key == row[key.name], {column.name: before}))
