"""Model versions, documents and evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from readingroom.core.canonical import Json


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version of a model; it never changes, and another version gets another name.

    Attributes:
        name: what plans call the artifact.
        source: the path or URL that it was registered from.
        digest: SHA-256 of its bytes; where `pinned` is False, of its name and address only.
        size: in bytes; 0 where the bytes were not seen.
        pinned: whether the digest is of the bytes. A model behind a URL may change unseen.
    """

    id: str
    name: str
    source: str
    digest: str
    size: int
    registered_at: datetime
    pinned: bool = True


@dataclass(frozen=True, slots=True)
class Document:
    """A document in a model version's dossier, without its content."""

    id: str
    model_id: str
    kind: str
    digest: str
    size: int
    filed_at: datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """A result on a model version, under the version of the gate that it was gathered for.

    Attributes:
        kind: the gate kind that it is for, e.g. `stress`.
        claim: what was tested, as `suite/claim`.
        payload: the figures; for `stress` the counts `samples, hits, errors, unscored` and more.
        digest: of the payload's canonical form; it stands in the ledger.
    """

    id: str
    model_digest: str
    kind: str
    gate_version: str
    claim: str
    payload: Mapping[str, Json]
    digest: str
    filed_at: datetime
