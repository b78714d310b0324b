"""Use cases around a bundle: build, sign, push."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from sqlalchemy.engine import Connection

from readingroom.core.canonical import Json, canonical, parse
from readingroom.core.clock import Clock
from readingroom.core.errors import BadInput, Problem
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.ledger.proof import Proof
from readingroom.ledger.queries import LedgerReader
from readingroom.ledger.service import Ledger
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check
from readingroom.publication import manifest as manifests
from readingroom.publication import oms, record
from readingroom.publication.record import Grounds
from readingroom.publication.verify import SIGNED, BundleReport, verify
from readingroom.store.db import Database


class Publication:
    """Bundles of weights."""

    def __init__(self, db: Database, ledger: Ledger, clock: Clock, log: LedgerReader, key: Path) -> None:
        """Take the database, the ledger, its reading end, the clock, and where the signing key is kept."""
        self._db = db
        self._ledger = ledger
        self._clock = clock
        self._log = log
        self._key = key

    def build(
        self, by: Actor, grounds: Grounds, weights: Path, documents: Mapping[str, bytes], folder: Path
    ) -> list[str]:
        """Lay a bundle out in a folder: weights, documents, the release record. Returns the files' names.

        The folder appears whole or not at all; the bundle of an earlier build is replaced.

        Raises:
            BadInput: the weights are not there, or the folder holds something else.
            Refused: these are not the weights that the evidence is about.
        """
        require(check(by, Permission.BUNDLE_BUILD))
        if not weights.is_file():
            raise BadInput([Problem(str(weights), "the model's weights are not there", "Register the file again")])
        if folder.exists() and not (folder / record.FILE).is_file():
            raise BadInput([Problem(str(folder), "holds something that is no bundle", "Name another folder")])
        draft = folder.with_name(folder.name + ".draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        copy = draft / f"{grounds.model}{weights.suffix}"
        shutil.copyfile(weights, copy)  # no link: it could change under the signature
        if not grounds.stand_in and manifests.hash_file(copy) != grounds.model_digest.removeprefix("sha256:"):
            shutil.rmtree(draft)
            raise Refused(_other_weights(grounds.model))
        for name, content in documents.items():
            (draft / name).write_bytes(content)
        (draft / record.FILE).write_bytes(canonical(grounds.to_json(copy.name)) + b"\n")
        if folder.exists():
            shutil.rmtree(folder)
        draft.replace(folder)
        return sorted(path.name for path in folder.iterdir())

    def sign(self, by: Actor, folder: Path, *, stage_open: bool) -> str:
        """Sign a bundle: `model.sig` over its manifest, the decision in the ledger, and its proof beside them.

        Returns:
            The manifest's root, in hex.

        Raises:
            BadInput: the folder is no bundle, or holds what cannot be in one.
            Refused: it says RELEASED, and its stage is not open (any more, or its record was edited).
        """
        require(check(by, Permission.BUNDLE_SIGN))
        said = _record(folder)
        if said["status"] == record.RELEASED and not stage_open:
            raise Refused(_not_released(said))
        manifest, problems = manifests.read(folder)
        if problems:
            raise BadInput([Problem(str(folder), each, "Take it out and build again") for each in problems])
        key = oms.load_private(self._key)
        _write(folder / manifests.SIGNATURE, oms.sign(manifest, folder.name, key))
        with self._db.decide() as tx:
            data = {
                "manifest": manifest.root,
                "stage": said["stage"],
                "status": said["status"],
                "model_digest": said["model"]["digest"],
                "gate_version": said["gate_version"],
            }
            entry = self._ledger.append(tx, SIGNED, data, by=by.id)
        proof = replace(Proof.parse(self._log.proof(entry.seq)), extra=entry.leaf())
        _write(folder / manifests.PROOF, proof.to_text().encode())
        return manifest.root

    def push(self, by: Actor, folder: Path, target: Path, *, stage_open: Callable[[Connection], bool]) -> None:
        """Copy a signed bundle to where the public can fetch it. This cannot be undone.

        The stage is looked at twice: at once, and again in the deciding transaction, since copying takes its time.
        The folder appears only after the entry is committed; if that is cut off, the same command ends it.

        Raises:
            Refused: the stage is not open, the bundle is a rehearsal, or it does not verify.
        """
        require(check(by, Permission.BUNDLE_SIGN))
        said = _record(folder)
        with self._db.read() as tx:
            require(_check_released(said, stage_open=stage_open(tx)))
        if target.exists():
            raise BadInput([Problem(str(target), "is there already", "What was published stays as it was")])
        key = oms.load_private(self._key).public_key()
        require(_not_whole(verify(folder, key)))
        draft = target.with_name(target.name + ".draft")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(draft, ignore_errors=True)
        shutil.copytree(folder, draft, symlinks=True)
        report = verify(draft, key)  # again, since this copy is what leaves
        require(_not_whole(report))
        with self._db.decide() as tx:
            require(_check_released(said, stage_open=stage_open(tx)))
            data = {"manifest": report.root, "stage": said["stage"]}
            self._ledger.append(tx, "publication.bundle.pushed", data, by=by.id)
        draft.replace(target)


def _check_released(said: Json, *, stage_open: bool) -> Refusal | None:
    return None if stage_open and said["status"] == record.RELEASED else _not_released(said)


def _not_released(said: Json) -> Refusal:
    reason = "This bundle is a rehearsal, or its stage is not open now. Open the stage, then build again."
    return Refusal("publication/not-released", reason, {"stage": said["stage"]})


def _not_whole(report: BundleReport) -> Refusal | None:
    if report.released:
        return None
    reason = f"The bundle does not verify: {'; '.join(report.problems[:3])}. Build and sign it again."
    return Refusal("publication/not-whole", reason, {"problems": list(report.problems)})


def _other_weights(model: str) -> Refusal:
    reason = f"The file of {model} has changed since it was registered; all evidence is about other weights."
    return Refusal("publication/other-weights", reason, {"model": model})


def _record(folder: Path) -> dict[str, Json]:
    try:
        said = parse((folder / record.FILE).read_bytes())
        if said["status"] in {record.RELEASED, record.REHEARSAL} and said["model"]["digest"] and said["gate_version"]:
            return {**said, "stage": str(said["stage"])}
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        pass
    cure = "Build it first with `readingroom publish build STAGE`"
    raise BadInput([Problem(str(folder), "is no bundle", cure)])


def _write(path: Path, data: bytes) -> None:
    draft = path.with_name("." + path.name + ".draft")
    draft.write_bytes(data)
    draft.replace(path)
