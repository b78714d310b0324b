from __future__ import annotations

import sqlite3
import threading
import traceback
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.engine import make_url

from migration import import_tables
from readingroom.core.errors import BadInput, Broken
from readingroom.store.db import Database, Moment, metadata


def counter(db: Database) -> None:
    with db.write() as tx:
        tx.execute(sa.text("create table counter (n integer not null)"))
        tx.execute(sa.text("insert into counter values (0)"))


def value(db: Database) -> int:
    with db.read() as tx:
        return int(tx.execute(sa.text("select n from counter")).scalar_one())


def test_decisions_come_one_at_a_time_so_reading_then_writing_loses_nothing(db: Database) -> None:
    counter(db)

    def decide_often() -> None:
        for _ in range(10):
            with db.decide() as tx:
                now = tx.execute(sa.text("select n from counter")).scalar_one()
                tx.execute(sa.text("update counter set n = :n"), {"n": now + 1})

    threads = [threading.Thread(target=decide_often) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert value(db) == 80


def test_a_failed_decision_leaves_nothing(db: Database) -> None:
    counter(db)

    def decide_and_fail() -> None:
        with db.decide() as tx:
            tx.execute(sa.text("update counter set n = 7"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        decide_and_fail()
    assert value(db) == 0


def test_what_is_written_through_a_read_is_lost(db: Database) -> None:
    counter(db)
    with db.read() as tx:
        tx.execute(sa.text("update counter set n = 7"))
    assert value(db) == 0


def test_a_reader_does_not_wait_for_a_writer(db: Database) -> None:
    counter(db)
    with db.decide() as tx:
        tx.execute(sa.text("update counter set n = 7"))
        assert value(db) == 0


def test_sqlite_keeps_decisions_through_a_power_cut(sqlite_db: Database) -> None:
    with sqlite_db.read() as tx:
        assert tx.execute(sa.text("pragma journal_mode")).scalar() == "wal"
        assert tx.execute(sa.text("pragma synchronous")).scalar() == 2
        assert tx.execute(sa.text("pragma foreign_keys")).scalar() == 1


def test_a_moment_comes_back_as_it_went(db: Database) -> None:
    moment = datetime(2026, 3, 1, 12, 30, 15, 123456, tzinfo=UTC)
    with db.write() as tx:
        assert tx.execute(sa.select(sa.literal(moment, Moment))).scalar() == moment


def test_the_migrations_make_exactly_the_tables_that_the_rooms_declare(db: Database) -> None:
    import_tables()
    with db.engine.connect() as tx:
        differences = compare_metadata(MigrationContext.configure(tx), metadata)
    assert differences == []


def test_a_wrong_url_is_told_with_the_cure() -> None:
    with pytest.raises(BadInput, match="Write sqlite"):
        Database("nonsense")
    with pytest.raises(BadInput, match="not supported"):
        Database("oracle://x")


def test_a_database_that_is_down_is_told_without_its_password() -> None:
    down = Database("postgresql://reader:hidden-canary@127.0.0.1:1/none")
    with pytest.raises(Broken) as caught:
        down.ping()
    assert "hidden-canary" not in str(caught.value)
    assert "127.0.0.1:1" in str(caught.value)


def test_a_read_sees_one_moment_while_others_write(db: Database) -> None:
    counter(db)
    with db.read() as tx:
        before = tx.execute(sa.text("select n from counter")).scalar_one()
        with db.write() as other:
            other.execute(sa.text("update counter set n = 7"))
        assert tx.execute(sa.text("select n from counter")).scalar_one() == before
    assert value(db) == 7


FAILING = [
    "do $$ begin raise exception 'no space left' using errcode = '53100'; end $$",
    "do $$ begin raise exception 'cannot read block' using errcode = '58030'; end $$",
    "select pg_terminate_backend(pg_backend_pid())",
]


@pytest.mark.parametrize("statement", FAILING)
def test_a_postgres_that_fails_midway_is_broken_and_nothing_was_decided(postgres_db: Database, statement: str) -> None:
    counter(postgres_db)

    def decide() -> None:
        with postgres_db.decide() as tx:
            tx.execute(sa.text("update counter set n = 7"))
            tx.execute(sa.text(statement))

    with pytest.raises(Broken, match="cannot be written"):
        decide()
    assert value(postgres_db) == 0


def test_a_statement_that_is_wrong_is_not_called_a_full_disk(db: Database) -> None:
    with pytest.raises(sa.exc.DatabaseError), db.write() as tx:
        tx.execute(sa.text("select nonsense from"))


def test_a_table_that_is_missing_is_told_with_the_cure(db: Database) -> None:
    with pytest.raises(Broken, match="readingroom serve"), db.read() as tx:
        tx.execute(sa.text("select * from no_such_table"))


def test_an_error_of_the_database_tells_nothing_of_what_was_to_be_stored(db: Database) -> None:
    with db.write() as tx:
        tx.execute(sa.text("create table kept (name text unique)"))
    store, value = sa.text("insert into kept values (:name)"), {"name": "canary"}
    with pytest.raises(sa.exc.IntegrityError) as caught, db.write() as tx:
        tx.execute(store, [value, value])
    assert "canary" not in "".join(traceback.format_exception(caught.value))


def test_a_database_that_somebody_else_holds_is_told_as_that(sqlite_db: Database) -> None:
    other = sqlite3.connect(make_url(sqlite_db.url).database or "", isolation_level=None)
    other.execute("begin immediate")
    with sqlite_db.engine.connect() as tx:
        tx.exec_driver_sql("pragma busy_timeout = 1")
    with pytest.raises(Broken, match="is held by somebody else"), sqlite_db.decide():
        pass
    other.close()


def test_decisions_that_wait_too_long_on_postgres_are_told_as_that(
    postgres_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("readingroom.store.db._BUSY_MS", 20)

    def decide_in_between() -> None:
        with postgres_db.decide():
            pass

    with postgres_db.decide(), pytest.raises(Broken, match="is held by somebody else"):
        decide_in_between()


@pytest.mark.parametrize("content", [b"x" * 5000, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_told_as_damaged(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "test.db").write_bytes(content)
    damaged = Database(f"sqlite:///{tmp_path / 'test.db'}")
    for act in (damaged.ping, damaged.create, damaged.upgrade, damaged.try_writing):
        with pytest.raises(Broken, match="is damaged"):
            act()


def test_a_database_that_is_gone_is_told_and_not_made_again(tmp_path: Path) -> None:
    gone = Database(f"sqlite:///{tmp_path / 'test.db'}")
    for act in (gone.ping, gone.upgrade, gone.try_writing):
        with pytest.raises(Broken, match="the database is gone"):
            act()
    assert list(tmp_path.iterdir()) == []


def test_an_emptied_database_is_not_given_new_tables_by_a_server_that_starts(db: Database) -> None:
    import_tables()
    with db.write() as tx:
        metadata.drop_all(tx)
        tx.execute(sa.text("drop table alembic_version"))
    with pytest.raises(Broken, match="the tables of this house are gone"):
        db.upgrade()
    with db.read() as tx:
        assert sa.inspect(tx).get_table_names() == []


def test_a_database_of_a_newer_program_is_left_alone(db: Database) -> None:
    with db.write() as tx:
        tx.execute(sa.text("update alembic_version set version_num = '9999'"))
    with pytest.raises(Broken, match="by a newer program"):
        db.upgrade()
