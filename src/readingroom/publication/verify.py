"""The outsider's verifier of a bundle: needs the folder and the lab's public key, no house and no network.

(1) the signature was made with that key, over a manifest that can be a bundle;
(2) every file on disk is in the manifest, every file of the manifest is on disk, byte for byte; no links;
(3) the release record can be read, says whether this was released or rehearsed, and the weights are those it names;
(4) the ledger's entry for this very manifest is in the log whose key the signed record names.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from readingroom.core.canonical import Json, parse
from readingroom.ledger.note import Unproven, Verifier
from readingroom.ledger.proof import Proof
from readingroom.publication import manifest as manifests
from readingroom.publication import oms, record
from readingroom.publication.manifest import Manifest

SIGNED = "publication.bundle.signed"


@dataclass(frozen=True, slots=True)
class BundleReport:
    """What was found. `released` is False for a rehearsal, however good its signature."""

    problems: tuple[str, ...]
    released: bool = False
    root: str = ""
    files: int = 0
    status: str = ""

    @property
    def ok(self) -> bool:
        """Tell whether the bundle is exactly what was signed."""
        return not self.problems

    def to_json(self) -> dict[str, Json]:
        """Return it as JSON."""
        return {
            "ok": self.ok,
            "released": self.released,
            "status": self.status,
            "root": self.root,
            "files": self.files,
            "problems": list(self.problems),
        }


def verify(folder: Path, key: EllipticCurvePublicKey) -> BundleReport:
    """Verify a bundle."""
    signature = folder / manifests.SIGNATURE
    if signature.is_symlink() or not signature.is_file():
        return BundleReport((f"{manifests.SIGNATURE}: is not there",))
    try:
        signed = oms.verify(signature.read_bytes(), key)  # (1)
    except oms.Untrusted as fault:
        return BundleReport((str(fault),))
    found, problems = manifests.read(folder)  # (2)
    problems += manifests.differences(signed, found)
    if not _holds(signed, found, record.FILE):  # what it says, and the key that it names, is then anyone's word
        return BundleReport(tuple(problems or [f"{record.FILE}: is not there"]), root=signed.root)
    said, trouble = _record(folder)  # (3)
    if said is not None:
        trouble += _weights(signed, said)
        trouble += _in_ledger(folder, signed, said)  # (4)
    problems += trouble
    status = str(said["status"]) if said else ""
    released = status == record.RELEASED and not problems
    return BundleReport(tuple(problems), released, signed.root, len(signed.digests), status)


def _holds(signed: Manifest, found: Manifest, name: str) -> bool:
    """Tell whether a file is there as it was signed."""
    return name in dict(signed.digests) and dict(signed.digests)[name] == dict(found.digests).get(name)


def _record(folder: Path) -> tuple[dict[str, Json] | None, list[str]]:
    try:
        said = parse((folder / record.FILE).read_bytes())
        if said["status"] in {record.RELEASED, record.REHEARSAL} and isinstance(said["ledger_key"], str):
            return dict(said), []
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    return None, [f"{record.FILE}: is not there or cannot be read"]


def _weights(signed: Manifest, said: dict[str, Json]) -> list[str]:
    """Hold the weights against the digest that all the evidence is about; only a rehearsal may have a stand-in."""
    try:
        model = said["model"]
        same = dict(signed.digests).get(model["file"]) == str(model["digest"]).removeprefix("sha256:")
        rehearsed = model["stand_in"] is True and said["status"] == record.REHEARSAL
    except (LookupError, TypeError):
        return [f"{record.FILE}: does not name its weights"]
    return [] if same or rehearsed else [f"{record.FILE}: names other weights than the bundle holds"]


def _in_ledger(folder: Path, signed: Manifest, said: dict[str, Json]) -> list[str]:
    path = folder / manifests.PROOF
    if path.is_symlink() or not path.is_file():
        return [f"{manifests.PROOF}: is not there"]
    try:
        proof = Proof.parse(path.read_text(encoding="utf-8"))
        proof.verify(proof.extra, Verifier.parse(said["ledger_key"]))
        entry = parse(proof.extra)
        if entry["event"] != SIGNED or entry["data"]["manifest"] != signed.root:
            return [f"{manifests.PROOF}: is of another bundle"]
    except Unproven as fault:
        return [f"{manifests.PROOF}: {fault}"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return [f"{manifests.PROOF}: cannot be read"]
    return []
