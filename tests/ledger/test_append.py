from __future__ import annotations

import threading
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.core.clock import FixedClock
from readingroom.core.errors import Broken
from readingroom.core.refusal import Refused
from readingroom.ledger.checkpoint import Checkpoint
from readingroom.ledger.merkle import leaf_hash, root
from readingroom.ledger.model import MAX_ENTRY, Entry
from readingroom.ledger.note import Signer
from readingroom.ledger.queries import LedgerReader
from readingroom.ledger.service import Ledger
from readingroom.store.db import Database


def test_every_entry_comes_with_a_signed_checkpoint_over_all_before_it(
    db: Database, ledger: Ledger, clock: FixedClock
) -> None:
    hashes = []
    for n in range(9):
        with db.decide() as tx:
            entry = ledger.append(tx, "test.thing.happened", {"n": n}, by="person_1")
        assert entry == Entry(n, "test.thing.happened", clock.now(), "person_1", {"n": n})
        hashes.append(leaf_hash(entry.leaf()))
        note = LedgerReader(db).checkpoint()
        assert note
        assert Checkpoint.open(note, ledger.verifier) == Checkpoint(ledger.verifier.name, n + 1, root(hashes))


def test_an_entry_comes_back_as_it_was_written(db: Database, ledger: Ledger) -> None:
    data: dict[str, Any] = {"text": "é\u2028\U0001f4d6\x00", "list": [1, None, True, {"b": 1.5}], "big": 2**53 - 1}
    with db.decide() as tx:
        made = ledger.append(tx, "test.thing.happened", data, by="operator")
    assert LedgerReader(db).entry(0) == made
    assert LedgerReader(db).entry(1) is None


def test_a_decision_that_fails_leaves_neither_entry_nor_checkpoint(db: Database, ledger: Ledger) -> None:
    def decide_and_fail() -> None:
        with db.decide() as tx:
            ledger.append(tx, "test.thing.happened", {}, by="test")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        decide_and_fail()
    reader = LedgerReader(db)
    assert (reader.size(), reader.checkpoint()) == (0, None)
    assert reader.audit(ledger.verifier).ok


def test_listeners_hear_their_events_in_the_same_transaction_and_may_append(db: Database, ledger: Ledger) -> None:
    heard = []

    def answer(tx: Connection, entry: Entry) -> None:
        heard.append(entry.seq)
        ledger.append(tx, "test.answer.given", {"to": entry.seq}, by="test")

    ledger.on("test.question.asked", answer)
    with db.decide() as tx:
        ledger.append(tx, "test.question.asked", {}, by="test")
        ledger.append(tx, "test.other.happened", {}, by="test")
    assert heard == [0]
    events = [entry.event for entry in LedgerReader(db).entries(0, 9)]
    assert events == ["test.question.asked", "test.answer.given", "test.other.happened"]
    assert LedgerReader(db).audit(ledger.verifier).ok


def test_an_entry_too_long_for_a_tile_is_refused_before_anything_is_written(
    sqlite_db: Database, ledger: Ledger
) -> None:
    room = MAX_ENTRY - len(Entry(0, "test.thing.happened", FixedClock().now(), "test", {"text": ""}).leaf())
    with pytest.raises(Refused, match="ledger/entry-too-large"), sqlite_db.decide() as tx:
        ledger.append(tx, "test.thing.happened", {"text": "x" * (room + 1)}, by="test")
    assert LedgerReader(sqlite_db).size() == 0
    with sqlite_db.decide() as tx:
        ledger.append(tx, "test.thing.happened", {"text": "x" * room}, by="test")
    assert LedgerReader(sqlite_db).audit(ledger.verifier).ok


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 2**53, -(2**53), b"bytes", {1: 2}, "\ud800", {1, 2}, FixedClock()]
)
def test_data_that_json_cannot_spell_is_refused_clearly(sqlite_db: Database, ledger: Ledger, value: object) -> None:
    with pytest.raises(ValueError, match=r"data of test\.thing\.happened cannot be recorded"), sqlite_db.decide() as tx:
        ledger.append(tx, "test.thing.happened", {"value": value}, by="test")
    assert LedgerReader(sqlite_db).size() == 0


@pytest.mark.parametrize(
    "meddle",
    [
        "update ledger_checkpoint set frontier = x'00'",
        "update ledger_checkpoint set note = x'00'",
        "update ledger_checkpoint set frontier = zeroblob(64) where size = 3",
        "delete from ledger_checkpoint where size = 3",
        "delete from ledger_checkpoint",
        "delete from ledger_entry where seq = 2",
        "delete from ledger_entry",
        "update ledger_checkpoint set note = cast(note as text)",
        "insert into ledger_entry values ('one', x'00', x'00')",
    ],
)
def test_nothing_is_signed_on_top_of_a_log_that_somebody_altered(
    sqlite_db: Database, ledger: Ledger, meddle: str
) -> None:
    with sqlite_db.decide() as tx:
        for n in range(3):
            ledger.append(tx, "test.thing.happened", {"n": n}, by="test")
    with sqlite_db.write() as tx:
        tx.execute(sa.text(meddle))
    with pytest.raises(Broken, match="not as it was signed"), sqlite_db.decide() as tx:
        ledger.append(tx, "test.thing.happened", {}, by="test")


def test_a_log_of_another_key_is_not_appended_to(sqlite_db: Database, ledger: Ledger, clock: FixedClock) -> None:
    with sqlite_db.decide() as tx:
        ledger.append(tx, "test.thing.happened", {}, by="test")
    other = Ledger(clock, Signer.generate(ledger.verifier.name))
    with pytest.raises(Broken, match="not signed by"), sqlite_db.decide() as tx:
        other.append(tx, "test.thing.happened", {}, by="test")


def test_many_who_decide_at_once_make_one_log_without_gaps(db: Database, ledger: Ledger) -> None:
    def decide_often(who: int) -> None:
        for n in range(5):
            with db.decide() as tx:
                ledger.append(tx, "test.thing.happened", {"who": who, "n": n}, by="test")

    threads = [threading.Thread(target=decide_often, args=(who,)) for who in range(12)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    reader = LedgerReader(db)
    entries = reader.entries(0, 100)
    assert [entry.seq for entry in entries] == list(range(60))
    assert len({(entry.data["who"], entry.data["n"]) for entry in entries}) == 60
    report = reader.audit(ledger.verifier)
    assert (report.problems, report.size) == ((), 60)
