"""How a text is sealed that a stage keeps for investigations. Pure.

The key of a text is made of two halves that are never stored together:

- the house's: a secret in a file of HOME that is turned forward every hour, by a hash that nobody can turn back. A text
  is sealed with what the secret will be in the last hour in which it is kept. From the next hour on, the file holds a
  later secret, and no copy of the database, however old, can be opened with it any more;
- the grant's: 32 random bytes in the database. Who destroys them erases all that was kept of that grant at once.

    key = HMAC-SHA-256(secret of the hour, "key" + the grant's half)
    sealed = 1 | hour (8 bytes) | id of the house's secret (8) | id of the half (8) | nonce (12) | AES-256-GCM

What stands before the nonce, the receipt's id and the grant's are authenticated with it, so that no text can be passed
off as another's.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HOURS_A_DAY = 24
SECRET_BYTES = 32
ID_BYTES = 8
_VERSION = b"\x01"
NONCE_BYTES = 12
_HEAD = 1 + 3 * ID_BYTES
_HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Unopened(ValueError):  # noqa: N818 - what it is: sealed, and not to be opened with this key
    """A sealed text is not what it should be, or this is not its key."""


@dataclass(frozen=True, slots=True)
class House:
    """The house's half, as its file holds it.

    Attributes:
        id: names the secret through all its turns; tells which house's file a text needs.
        hour: since 1970, up to which the secret was turned.
        secret: 32 bytes, never shown.
    """

    id: bytes
    hour: int
    secret: bytes

    def turned(self, hour: int) -> House:
        """Turn the secret forward to an hour.

        Raises:
            Unopened: it stands beyond that hour: there is no way back.
        """
        if hour < self.hour:
            raise Unopened("the secret was turned beyond that hour")
        secret = self.secret
        for _ in range(hour - self.hour):
            secret = hmac.digest(secret, b"turn", "sha256")
        return House(self.id, hour, secret)

    def __repr__(self) -> str:
        return f"House(id={self.id.hex()}, hour={self.hour})"


@dataclass(frozen=True, slots=True)
class Sealed:
    """What can be read of a sealed text without its key."""

    hour: int
    house: bytes
    half: bytes
    whole: bytes

    @classmethod
    def parse(cls, whole: bytes) -> Sealed:
        """Take a sealed text apart.

        Raises:
            Unopened: it is none.
        """
        if len(whole) <= _HEAD + NONCE_BYTES or whole[:1] != _VERSION:
            raise Unopened("this is no sealed text")
        parts = [whole[1 + ID_BYTES * n : 1 + ID_BYTES * (n + 1)] for n in range(3)]
        return cls(int.from_bytes(parts[0]), parts[1], parts[2], whole)


def hour_of(moment: datetime) -> int:
    """Return the hour since 1970 in which a moment lies."""
    return (moment - _EPOCH) // _HOUR


def begins(hour: int) -> datetime:
    """Return the moment at which an hour begins."""
    return _EPOCH + hour * _HOUR


def last_hour(now: datetime, days: int) -> int:
    """Return the last hour in which a text of now is kept: it is gone after so many days, less a part of an hour."""
    return hour_of(now) + HOURS_A_DAY * days - 1


def half_id(half: bytes) -> bytes:
    """Return what names a grant's half without showing it."""
    return hashlib.sha256(b"half" + half).digest()[:ID_BYTES]


@dataclass(frozen=True, slots=True)
class TextKey:
    """The key of one grant's texts that have the same last hour."""

    house: bytes
    hour: int
    half: bytes
    _key: bytes

    @classmethod
    def of(cls, house: House, half: bytes) -> TextKey:
        """Put the halves together; the house's stands at the last hour of the text."""
        key = hmac.digest(house.secret, b"key" + half, "sha256")
        return cls(house.id, house.hour, half_id(half), key)

    def seal(self, receipt: str, grant: str, text: bytes, nonce: bytes) -> bytes:
        """Seal a text; `nonce` is 12 random bytes, never used twice."""
        head = _VERSION + self.hour.to_bytes(ID_BYTES) + self.house + self.half
        return head + nonce + AESGCM(self._key).encrypt(nonce, text, _bound(head, receipt, grant))

    def open(self, receipt: str, grant: str, sealed: Sealed) -> bytes:
        """Open a text.

        Raises:
            Unopened: this is not its key, or it was altered, or is another receipt's or grant's.
        """
        head, rest = sealed.whole[:_HEAD], sealed.whole[_HEAD:]
        try:
            return AESGCM(self._key).decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], _bound(head, receipt, grant))
        except InvalidTag:
            raise Unopened("it was altered, or its key is another") from None

    def __repr__(self) -> str:
        return f"TextKey(hour={self.hour}, half={self.half.hex()})"


def _bound(head: bytes, receipt: str, grant: str) -> bytes:
    return b"\x00".join((head, receipt.encode(), grant.encode()))
