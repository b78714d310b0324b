"""Reading the log: every proof and tile, against another reader of the same format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from tlog_scales.backend import LocalBackend
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey

from readingroom.core.errors import Broken
from readingroom.ledger import merkle
from readingroom.ledger.checkpoint import Checkpoint
from readingroom.ledger.export import export
from readingroom.ledger.note import Unproven, Verifier
from readingroom.ledger.proof import Proof
from readingroom.ledger.queries import LedgerReader, leaves
from readingroom.ledger.service import Ledger
from readingroom.ledger.tiles import Tile, tiles_of
from readingroom.ledger.verify import verify_proof
from readingroom.store.db import Database

Fill = Callable[[Database, int], None]


def hashes_of(db: Database) -> list[bytes]:
    with db.read() as tx:
        return [merkle.leaf_hash(leaf) for leaf in leaves(tx, 0, 10**6)]


def test_every_proof_of_a_small_log_is_the_one_of_the_tree_in_memory(db: Database, fill: Fill) -> None:
    fill(db, 35)
    reader, hash_of = LedgerReader(db), merkle.over(hashes_of(db))
    for size in range(1, 36):
        for seq in range(size):
            assert reader.inclusion(seq, size) == merkle.inclusion_path(hash_of, seq, size)
        for old in range(size + 1):
            assert reader.consistency(old, size) == merkle.consistency_path(hash_of, old, size)


def test_every_tile_of_a_log_over_256_is_made_of_the_trees_hashes(db: Database, fill: Fill) -> None:
    fill(db, 520)
    reader, hashes = LedgerReader(db), hashes_of(db)
    assert reader.tile(Tile(0, 0)) == b"".join(hashes[:256])
    assert reader.tile(Tile(0, 2, 8)) == b"".join(hashes[512:])
    assert reader.tile(Tile(0, 2, 3)) == b"".join(hashes[512:515])
    assert reader.tile(Tile(1, 0, 2)) == merkle.root(hashes[:256]) + merkle.root(hashes[256:512])
    for beyond in (Tile(0, 2), Tile(0, 2, 9), Tile(1, 0, 3), Tile(2, 0, 1), Tile(None, 3, 1), Tile(63, 0, 1)):
        assert reader.tile(beyond) is None
    assert all(reader.tile(tile) for tile in tiles_of(520))


def test_another_reader_proves_the_same_from_an_export(
    sqlite_db: Database, ledger: Ledger, fill: Fill, tmp_path: Path
) -> None:
    fill(sqlite_db, 300)
    reader = LedgerReader(sqlite_db)
    export(reader, tmp_path / "log")
    other = TilesReader(LocalBackend(tmp_path / "log"))
    signed = other.get_checkpoint()
    signed.verify(Vkey.from_string(ledger.verifier.to_line()))
    assert (signed.size, signed.root_hash) == (300, other.calculate_root_hash())
    for seq in (0, 1, 255, 256, 299):
        assert tuple(other.get_inclusion_proof(seq, 300).node_hashes) == reader.inclusion(seq, 300)
        assert reader.entries(seq, seq + 1)[0].leaf() == other.get_entry(seq)
    for old in (1, 2, 100, 256, 299):
        assert tuple(other.get_consistency_proof(old, 300).node_hashes) == reader.consistency(old, 300)


def test_a_proof_convinces_with_the_public_key_alone(db: Database, ledger: Ledger, fill: Fill) -> None:
    fill(db, 20)
    reader = LedgerReader(db)
    verifier = Verifier.parse(ledger.verifier.to_line())
    for at in (None, 7, 20):
        for seq, entry in enumerate(reader.entries(0, at or 20)):
            text = reader.proof(seq, at)
            report = verify_proof(text, entry.leaf(), verifier)
            assert (report.ok, report.size) == (True, at or 20)
            assert Proof.parse(text).to_text() == text
            assert not verify_proof(text, entry.leaf() + b" ", verifier).ok


def test_what_the_log_does_not_hold_is_not_proved(sqlite_db: Database, fill: Fill) -> None:
    fill(sqlite_db, 3)
    reader = LedgerReader(sqlite_db)
    for ask in (
        lambda: reader.inclusion(3, 3),
        lambda: reader.inclusion(0, 4),
        lambda: reader.inclusion(-1, 3),
        lambda: reader.consistency(2, 4),
        lambda: reader.consistency(3, 2),
        lambda: reader.proof(3),
        lambda: reader.proof(0, 0),
    ):
        with pytest.raises(ValueError, match=r"has never had|has no leaf|is no prefix"):
            ask()
    assert reader.checkpoint(4) is None


def test_a_checkpoint_of_every_size_is_kept(db: Database, ledger: Ledger, fill: Fill) -> None:
    fill(db, 5)
    reader, hashes = LedgerReader(db), hashes_of(db)
    for size in range(1, 6):
        note = reader.checkpoint(size)
        assert note
        assert Checkpoint.open(note, ledger.verifier).root == merkle.root(hashes[:size])
    assert reader.checkpoint() == reader.checkpoint(5)


def test_a_reader_that_has_read_before_sees_what_was_appended_since(db: Database, fill: Fill) -> None:
    reader = LedgerReader(db)
    for _ in range(3):
        fill(db, 100)
        hash_of, size = merkle.over(hashes_of(db)), reader.size()
        for seq in range(0, size, 7):
            assert reader.inclusion(seq, size) == merkle.inclusion_path(hash_of, seq, size)


def test_the_cache_of_hashes_begins_anew_when_it_is_full(
    sqlite_db: Database, fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("readingroom.ledger.queries._MOST_CACHED", 4)
    fill(sqlite_db, 40)
    reader, hash_of = LedgerReader(sqlite_db), merkle.over(hashes_of(sqlite_db))
    for seq in range(40):
        assert reader.inclusion(seq, 40) == merkle.inclusion_path(hash_of, seq, 40)
        assert len(reader._perfect) <= 4
    assert reader.tile(Tile(0, 0, 40)) == b"".join(hashes_of(sqlite_db))


@pytest.mark.parametrize(
    "gone", ["delete from ledger_entry where seq = 1", "delete from ledger_checkpoint where size = 1"]
)
def test_a_log_with_missing_rows_makes_no_proofs(sqlite_db: Database, fill: Fill, gone: str) -> None:
    fill(sqlite_db, 8)
    with sqlite_db.write() as tx:
        tx.execute(sa.text(gone))
    with pytest.raises(Broken, match="rows of the log are missing"):
        LedgerReader(sqlite_db).inclusion(2, 8)


# --- the text of proofs


@pytest.fixture
def proof(sqlite_db: Database, fill: Fill) -> str:
    fill(sqlite_db, 11)
    return LedgerReader(sqlite_db).proof(4)


def test_a_proof_is_spelled_as_the_specification_says(proof: str) -> None:
    lines = proof.split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 4"]
    assert len(lines[2]) == 44
    assert lines[6:9] == ["", "test.example/log", "11"]
    extra = Proof(4, (), b"x\n", b"opaque").to_text()
    assert extra.startswith("c2sp.org/tlog-proof@v1\nextra b3BhcXVl\nindex 4\n\nx\n")
    assert Proof.parse(extra).extra == b"opaque"


def test_every_changed_character_of_a_proof_is_refused(sqlite_db: Database, ledger: Ledger, proof: str) -> None:
    entry = LedgerReader(sqlite_db).entry(4)
    assert entry
    assert verify_proof(proof, entry.leaf(), ledger.verifier).ok
    for at, before in enumerate(proof):
        for changed in ("A" if before != "A" else "B", "\n" if before != "\n" else " ", ""):
            altered = proof[:at] + changed + proof[at + 1 :]
            assert altered == proof or not verify_proof(altered, entry.leaf(), ledger.verifier).ok, altered


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "begins with the line"),
        ("c2sp.org/tlog-proof@v2\nindex 0\n\nx", "begins with the line"),
        ("c2sp.org/tlog-proof@v1\n\nx", "does not say the entry's index"),
        ("c2sp.org/tlog-proof@v1\nindex 01\n\nx", "no plain decimal"),
        ("c2sp.org/tlog-proof@v1\nindex -1\n\nx", "no plain decimal"),
        ("c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\nx", "not a SHA-256 hash"),
        ("c2sp.org/tlog-proof@v1\nindex 0\n!\n\nx", "not base64"),
        ("c2sp.org/tlog-proof@v1\nindex 0\n" + "x\n" * 65 + "\nx", "more than 64 hashes"),
        ("c2sp.org/tlog-proof@v1\nindex 0", "holds a checkpoint"),
    ],
)
def test_a_malformed_proof_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(Unproven, match=why):
        Proof.parse(text)
