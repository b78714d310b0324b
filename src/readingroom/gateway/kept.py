"""What is kept of an answer under a reader's own name for the question (`Idempotency-Key`), and when it is given again.

Everything here is made from the reader's key, which the house does not store: the name of the row, the digest of the
question, and the seal on the answer. Who has the database and not the key can neither read an answer, nor tell whether
two rows are one reader's, nor try out what was asked. Pure.

    name    HMAC-SHA256 under the reader's key, of what the header says
    seal    AES-256-GCM under HKDF-SHA256 (RFC 5869) of the reader's key and a salt, bound to the row's name
"""

from __future__ import annotations

import hmac
import zlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from readingroom.core.ids import random_bytes
from readingroom.core.refusal import Refusal
from readingroom.gateway.ask import Ask

KEPT_FOR = timedelta(hours=24)
MOST_BYTES = 1_000_000  # of a sealed answer; a longer one is remembered as answered, and not kept
_SALT, _NONCE = 16, 12
_INFO = b"readingroom gateway kept answer v1"


@dataclass(frozen=True, slots=True)
class Question:
    """A question under its reader's name for it.

    Attributes:
        key: the reader's, for the seal.
        id: of the row.
        body: stands for route and body: only the same ones give the same.
        under: stands for what it would be answered under now: stage, model and screening rules.
    """

    key: str = field(repr=False)
    id: str
    body: bytes
    under: bytes

    @classmethod
    def of(cls, key: str, name: str, ask: Ask, under: bytes) -> Question:
        """Name a question as only its reader can."""
        secret, said = key.encode(), name.encode()
        route = ask.kind.value.encode()
        return cls(
            key,
            _digest(secret, b"name", said).hex(),
            _digest(secret, b"body", said, route, ask.committed),
            _digest(secret, b"under", said, under),
        )


@dataclass(frozen=True, slots=True)
class Row:
    """What the database has under a name.

    Attributes:
        body: as of the question that it is about.
        under: as of then.
        running: whether that one is being answered.
        alive: whether who answers it is still there.
        whole: whether the answer is here.
        expires_at: when all this is forgotten.
    """

    body: bytes
    under: bytes
    running: bool
    alive: bool
    whole: bool
    expires_at: datetime


class Found(Enum):
    """What a name stands for."""

    FREE = "free"  # nothing: the question may be asked
    KEPT = "kept"  # this question's answer
    RUNNING = "running"  # this question, which is being answered
    OTHER = "other"  # another question
    CHANGED = "changed"  # this question's answer, made under rules or by a model that are no longer the stage's
    TOO_LONG = "too-long"  # this question's answer, which was longer than is kept


def find(row: Row | None, question: Question, now: datetime) -> Found:
    """Tell what a name stands for.

    What nobody answers any more is as if it had never been asked: whoever died with it gave no whole answer.
    """
    if row is None or row.expires_at <= now or (row.running and not row.alive):
        return Found.FREE
    if not hmac.compare_digest(row.body, question.body):
        return Found.OTHER
    if row.running:
        return Found.RUNNING
    if not hmac.compare_digest(row.under, question.under):
        return Found.CHANGED
    return Found.KEPT if row.whole else Found.TOO_LONG


def refusal(found: Found) -> Refusal:
    """Return why a name cannot be used now."""
    if found is Found.RUNNING:
        reason = "The question of this Idempotency-Key is being answered; ask again in a moment for the same answer."
        return Refusal("gateway/idempotency-conflict", reason, {"waiting_helps": True, "retry_after": 1})
    hours = KEPT_FOR // timedelta(hours=1)
    reasons = {
        Found.OTHER: f"This Idempotency-Key was sent with another body within {hours} hours.",
        Found.CHANGED: "The answer of this Idempotency-Key was made by a model or under rules that are no longer those "
        "of this stage, so it is not given again.",
        Found.TOO_LONG: f"The answer of this Idempotency-Key was longer than the {MOST_BYTES:,} bytes that are kept.",
    }
    reason = f"{reasons[found]} Give each question a key of its own; a new one is answered and charged anew."
    return Refusal("gateway/idempotency-conflict", reason, {"waiting_helps": False})


def seal(question: Question, answer: bytes) -> bytes | None:
    """Seal an answer, so that only who has the reader's key can open it; None if it is too long to be kept."""
    packed = zlib.compress(answer, 1)
    if len(packed) > MOST_BYTES:
        return None
    salt, nonce = random_bytes(_SALT), random_bytes(_NONCE)
    return salt + nonce + _cipher(question, salt).encrypt(nonce, packed, question.id.encode())


def unseal(question: Question, sealed: bytes) -> bytes | None:
    """Open what was sealed for this question; None if it is not what was sealed."""
    salt, nonce, rest = sealed[:_SALT], sealed[_SALT : _SALT + _NONCE], sealed[_SALT + _NONCE :]
    try:
        return zlib.decompress(_cipher(question, salt).decrypt(nonce, rest, question.id.encode()))
    except (InvalidTag, ValueError):
        return None


def _cipher(question: Question, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt, _INFO).derive(question.key.encode()))


def _digest(secret: bytes, what: bytes, *parts: bytes) -> bytes:
    """Digest parts under a secret; each with its length, so that no two lists of parts are one."""
    spelled = b"".join(len(each).to_bytes(8) + each for each in (what, *parts))
    return hmac.digest(secret, b"readingroom kept " + spelled, "sha256")
