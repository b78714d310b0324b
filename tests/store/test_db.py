from __future__ import annotations

import threading
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

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
