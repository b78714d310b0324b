"""Use cases of the dossier room."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.core.canonical import Json, digest, sha256
from readingroom.core.clock import Clock
from readingroom.core.errors import BadInput, Problem
from readingroom.core.ids import new_id
from readingroom.core.refusal import Refused, require
from readingroom.dossier import queries, rules
from readingroom.dossier.model import Document, Evidence, ModelVersion
from readingroom.dossier.tables import document, evidence, model
from readingroom.engines.identity import ECHO, ECHO_DIGEST, address_digest
from readingroom.ledger.service import Ledger
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check
from readingroom.store.db import Database

Progress = Callable[[int, int], None]  # bytes hashed so far, bytes in all
_CHUNK = 1 << 20


class Dossier:
    """Model versions, their documents and their evidence."""

    def __init__(self, db: Database, ledger: Ledger, clock: Clock) -> None:
        """Take the database, the ledger and the clock."""
        self._db = db
        self._ledger = ledger
        self._clock = clock

    def register(self, by: Actor, name: str, path: Path, progress: Progress | None = None) -> ModelVersion:
        """Register a file as a model version; the same bytes under the same name change nothing.

        Raises:
            BadInput: the name is none, or the file cannot be read.
            Refused: the actor may not, or the name is taken by other bytes.
        """
        require(check(by, Permission.MODEL_REGISTER))
        _reject(rules.name_problem(name))
        hashed, size = hash_file(path, progress)
        with self._db.decide() as tx:
            return self._register(tx, by, ModelVersion("", name, str(path.absolute()), hashed, size, self._clock.now()))

    def register_remote(self, by: Actor, name: str, url: str) -> ModelVersion:
        """Register a model that is served elsewhere: it is not pinned, since nobody here sees its bytes.

        The word `echo` instead of an address names the echo engine, which is part of this program.
        """
        require(check(by, Permission.MODEL_REGISTER))
        _reject(rules.name_problem(name), rules.url_problem(url))
        pinned = url == ECHO
        stands = ECHO_DIGEST if pinned else address_digest(name, url)
        offered = ModelVersion("", name, url, stands, 0, self._clock.now(), pinned=pinned)
        with self._db.decide() as tx:
            return self._register(tx, by, offered)

    def file_document(self, by: Actor, name: str, kind: str, content: bytes) -> Document:
        """File a document on a model version; a newer one of the same kind stands in its place."""
        require(check(by, Permission.DOCUMENT_FILE))
        _reject(*rules.document_problems(kind, content))
        with self._db.decide() as tx:
            found = queries.model_by_name(tx, name)
            if found is None:
                raise Refused(rules.model_unknown(name))
            filed = Document(new_id("doc"), found.id, kind, sha256(content), len(content), self._clock.now())
            values = {key: getattr(filed, key) for key in ("id", "model_id", "kind", "digest", "filed_at")}
            tx.execute(document.insert().values(**values, content=content))
            data = {"document": filed.id, "model": found.id, "kind": kind, "digest": filed.digest}
            self._ledger.append(tx, "dossier.document.filed", data, by=by.id)
        return filed

    def file_evidence_within(  # noqa: PLR0913 - evidence has this many parts, all of them named
        self,
        tx: Connection,
        *,
        by: str,
        model_digest: str,
        kind: str,
        gate_version: str,
        claim: str,
        payload: Mapping[str, Json],
    ) -> Evidence:
        """File a result within the transaction of the decision that made it; filing it again changes nothing.

        Raises:
            Refused: no model version has this digest.
            BadInput: the payload has no canonical form.
        """
        if queries.model_by_digest(tx, model_digest) is None:
            raise Refused(rules.model_unknown(model_digest))
        filed = Evidence(
            id=new_id("evidence"),
            model_digest=model_digest,
            kind=kind,
            gate_version=gate_version,
            claim=claim,
            payload=dict(payload),
            digest=_digest(payload),
            filed_at=self._clock.now(),
        )
        for known in queries.evidence_on(tx, model_digest):
            if (known.gate_version, known.claim, known.digest) == (gate_version, claim, filed.digest):
                return known
        values = {each.name: getattr(filed, each.name) for each in evidence.c}
        tx.execute(evidence.insert().values(values))
        data = {name: values[name] for name in ("kind", "gate_version", "claim", "digest")}
        entry = {"evidence": filed.id, "model_digest": model_digest, **data}
        self._ledger.append(tx, "dossier.evidence.filed", entry, by=by)
        return filed

    def models(self) -> list[ModelVersion]:
        """List all model versions."""
        with self._db.read() as tx:
            return queries.models(tx)

    def show(self, name: str) -> tuple[ModelVersion, list[Document], list[Evidence]]:
        """Return a model version with its documents and evidence."""
        with self._db.read() as tx:
            found = queries.model_by_name(tx, name)
            if found is None:
                raise Refused(rules.model_unknown(name))
            return found, queries.documents(tx, found.id), queries.evidence_on(tx, found.digest)

    def _register(self, tx: Connection, by: Actor, offered: ModelVersion) -> ModelVersion:
        known = queries.model_by_name(tx, offered.name)
        require(rules.same_version(known, offered.digest))
        if known is not None:
            return known
        values = {each.name: getattr(offered, each.name) for each in model.c} | {"id": new_id("model")}
        tx.execute(sa.insert(model).values(values))
        data = {key: values[key] for key in ("name", "digest", "size", "pinned")}
        self._ledger.append(tx, "dossier.model.registered", {"model": values["id"], **data}, by=by.id)
        return queries.model_by_name(tx, offered.name) or offered


def hash_file(path: Path, progress: Progress | None = None) -> tuple[str, int]:
    """Return a file's digest and size, reading it in pieces; `progress` is told after each."""
    hasher, done = hashlib.sha256(), 0
    try:
        if not path.is_file():
            raise FileNotFoundError(2, "there is no such file")
        size = path.stat().st_size
        with path.open("rb") as file:
            while piece := file.read(_CHUNK):
                hasher.update(piece)
                done += len(piece)
                if progress is not None:
                    progress(done, size)
    except OSError as fault:
        problem = Problem(str(path), f"cannot be read: {fault.strerror}", "Name the file of the weights")
        raise BadInput([problem]) from None
    if done == 0:
        raise BadInput([Problem(str(path), "the file is empty", "Name the file of the weights")])
    return f"sha256:{hasher.hexdigest()}", done


def _digest(payload: Mapping[str, Json]) -> str:
    try:
        return digest(dict(payload))
    except ValueError as fault:
        problem = Problem("evidence", f"has no canonical form: {fault}", "Hand in finite figures and text only")
        raise BadInput([problem]) from None


def _reject(*problems: Problem | None) -> None:
    found = [each for each in problems if each is not None]
    if found:
        raise BadInput(found)
