from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from readingroom.core.clock import FixedClock
from readingroom.core.errors import BadInput
from readingroom.core.refusal import Refused
from readingroom.dossier import queries
from readingroom.dossier.service import Dossier
from readingroom.engines.identity import ECHO_DIGEST, address_digest
from readingroom.people.model import Actor, Role
from readingroom.store.db import Database

TESTER = Actor("person_t", frozenset({Role.TESTER}))
REVIEWER = Actor("person_r", frozenset({Role.REVIEWER}))
DIGEST = "sha256:" + "a" * 64


def leaves(db: Database) -> bytes:
    with db.read() as tx:
        return b"\n".join(map(bytes, tx.execute(sa.text("select leaf from ledger_entry order by seq")).scalars()))


def file(
    dossier: Dossier, db: Database, digest: str, payload: dict[str, Any] | None = None, gate: str = "sha256:g"
) -> str:
    counts = payload or {"samples": 40, "hits": 0}
    with db.decide() as tx:
        return dossier.file_evidence_within(
            tx,
            by=TESTER.id,
            model_digest=digest,
            kind="stress",
            gate_version=gate,
            claim="core/x",
            payload=counts,
        ).id


def test_a_model_is_known_by_the_digest_of_its_bytes(dossier: Dossier, weights: Path) -> None:
    seen: list[tuple[int, int]] = []
    made = dossier.register(TESTER, "small", weights, lambda done, size: seen.append((done, size)))
    assert made.digest == "sha256:" + hashlib.sha256(weights.read_bytes()).hexdigest()
    assert made.size == weights.stat().st_size
    assert made.pinned
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert seen[-1] == (made.size, made.size)
    assert dossier.models() == [made]


def test_registering_the_same_bytes_again_changes_nothing(dossier: Dossier, db: Database, weights: Path) -> None:
    made = dossier.register(TESTER, "small", weights)
    before = leaves(db)
    assert dossier.register(TESTER, "small", weights) == made
    assert leaves(db) == before


def test_other_bytes_under_the_same_name_are_refused_with_the_cure(
    dossier: Dossier, db: Database, weights: Path
) -> None:
    dossier.register(TESTER, "small", weights)
    before = leaves(db)
    weights.write_bytes(b"swapped")
    with pytest.raises(Refused, match=r"dossier/model-is-immutable.*under a new name"):
        dossier.register(TESTER, "small", weights)
    with pytest.raises(Refused, match="dossier/model-is-immutable"):
        dossier.register_remote(TESTER, "small", "https://models.example/v1")
    assert leaves(db) == before


def test_a_model_behind_an_address_is_known_by_name_and_address_only_and_marked_as_not_pinned(dossier: Dossier) -> None:
    loose = dossier.register_remote(TESTER, "loose", "https://models.example/v1/")
    assert (loose.pinned, loose.digest) == (False, address_digest("loose", "https://models.example/v1"))
    assert loose.digest != dossier.register_remote(TESTER, "other", "https://models.example/v1").digest


def test_the_echo_engine_is_part_of_the_program_and_so_known(dossier: Dossier) -> None:
    echo = dossier.register_remote(TESTER, "trial", "echo")
    assert (echo.source, echo.pinned, echo.digest) == ("echo", True, ECHO_DIGEST)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "two words",
        "vllm",
        "file:///etc/passwd",
        "https://a:b@models.example",
        "https://m.example/?key=s",
        "http://[",
        "https://",
    ],
)
def test_an_address_that_is_none_or_that_holds_a_secret_is_refused(dossier: Dossier, url: str) -> None:
    with pytest.raises(BadInput):
        dossier.register_remote(TESTER, "small", url)


@pytest.mark.parametrize("name", ["", "a b", "../x", "x" * 200, "a\n"])
def test_a_name_that_is_none_is_refused(dossier: Dossier, weights: Path, name: str) -> None:
    with pytest.raises(BadInput, match="is no name"):
        dossier.register(TESTER, name, weights)


def test_a_file_that_is_missing_empty_or_a_folder_is_refused_by_its_path(dossier: Dossier, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    for path in (tmp_path / "none", tmp_path / "empty", tmp_path):
        with pytest.raises(BadInput) as caught:
            dossier.register(TESTER, "small", path)
        assert caught.value.problems[0].where == str(path)


def test_neither_path_nor_address_enters_the_ledger(dossier: Dossier, db: Database, weights: Path) -> None:
    dossier.register(TESTER, "small", weights)
    dossier.register_remote(TESTER, "far", "https://canary.example/v1")
    assert b"dossier.model.registered" in leaves(db)
    assert str(weights).encode() not in leaves(db)
    assert b"canary" not in leaves(db)


def test_only_who_may_register_can(dossier: Dossier, weights: Path) -> None:
    for act in (
        lambda: dossier.register(REVIEWER, "small", weights),
        lambda: dossier.register_remote(REVIEWER, "small", "https://models.example/v1"),
        lambda: dossier.file_document(REVIEWER, "small", "energy", b"x"),
    ):
        with pytest.raises(Refused, match="people/not-allowed"):
            act()


def test_a_newer_document_stands_in_place_of_the_older(
    dossier: Dossier, db: Database, weights: Path, clock: FixedClock
) -> None:
    model = dossier.register(TESTER, "small", weights)
    dossier.file_document(TESTER, "small", "model_card", b"first")
    clock.advance(seconds=1)
    newer = dossier.file_document(TESTER, "small", "model_card", b"second, canary")
    with db.read() as tx:
        assert queries.documents(tx, model.id) == [newer]
        assert queries.document_content(tx, newer.id) == b"second, canary"
        assert queries.document_content(tx, "doc_none") is None
    assert b"canary" not in leaves(db)
    assert newer.digest.encode() in leaves(db)


@pytest.mark.parametrize(
    ("kind", "content", "what"),
    [("model_crad", b"x", "no document"), ("energy", b" \n", "empty"), ("energy", b"x" * 5_000_001, "larger")],
)
def test_a_document_of_no_kind_or_without_content_is_refused(
    dossier: Dossier, weights: Path, kind: str, content: bytes, what: str
) -> None:
    dossier.register(TESTER, "small", weights)
    with pytest.raises(BadInput, match=what):
        dossier.file_document(TESTER, "small", kind, content)


def test_a_document_on_an_unknown_model_is_refused(dossier: Dossier) -> None:
    with pytest.raises(Refused, match="dossier/model-unknown"):
        dossier.file_document(TESTER, "small", "energy", b"x")
    with pytest.raises(Refused, match="dossier/model-unknown"):
        dossier.show("small")


def test_evidence_is_filed_with_its_digest_and_once(dossier: Dossier, db: Database, weights: Path) -> None:
    model = dossier.register(TESTER, "small", weights)
    first = file(dossier, db, model.digest)
    assert file(dossier, db, model.digest) == first
    assert file(dossier, db, model.digest, payload={"samples": 40, "hits": 1}) != first
    assert file(dossier, db, model.digest, gate="sha256:h") != first
    _, _, filed = dossier.show("small")
    assert len(filed) == 3
    for each in filed:
        assert each.digest.encode() in leaves(db)


def test_evidence_on_an_unknown_model_or_with_nan_is_refused_and_nothing_is_kept(
    dossier: Dossier, db: Database, weights: Path
) -> None:
    model = dossier.register(TESTER, "small", weights)
    before = leaves(db)
    with pytest.raises(Refused, match="dossier/model-unknown"):
        file(dossier, db, DIGEST)
    with pytest.raises(BadInput, match="canonical"):
        file(dossier, db, model.digest, payload={"rate": math.nan})
    assert leaves(db) == before
    assert dossier.show("small")[2] == []
