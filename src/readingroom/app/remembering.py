"""Bars of persons who were erased: addresses hashed with the house's own key, and known again at a new account."""

from __future__ import annotations

import hashlib
import hmac
from functools import partial
from pathlib import Path

from sqlalchemy.engine import Connection

from readingroom.access.service import Access
from readingroom.core.errors import Broken, Problem
from readingroom.core.files import write_new
from readingroom.core.ids import random_bytes
from readingroom.ledger.model import Entry
from readingroom.ledger.service import Ledger
from readingroom.people import queries as people
from readingroom.people.address import fold

FILE = "bars.secret"  # in HOME/keys: 32 bytes, made when the first barred person is erased
_SIZE = 32


def listen(ledger: Ledger, access: Access, keys: Path) -> None:
    """Look at each new account, and each new address of an account."""
    for event in ("people.person.added", "people.identity.added"):
        ledger.on(event, partial(_recognise, access, keys))


def digests(keys: Path, addresses: frozenset[str], *, make: bool) -> list[str]:
    """Return the keyed hashes of addresses.

    Args:
        keys: HOME/keys.
        addresses: of one person.
        make: whether a key may be made where there is none; not while hashes by an older one are kept.
    """
    path = keys / FILE
    if make and not path.exists():
        write_new(path, random_bytes(_SIZE))
    return sorted(_hashed(_key(path), each) for each in {fold(each) for each in addresses})


def _recognise(access: Access, keys: Path, tx: Connection, entry: Entry) -> None:
    path, person = keys / FILE, people.by_id(tx, entry.data["person"])
    if person is None or not access.remembers_within(tx):  # no bar outlived an erasure: no key is needed
        return
    for each in {fold(each) for each in (person.email, *person.addresses)}:
        access.recognise_within(tx, person.id, _hashed(_key(path), each))


def _key(path: Path) -> bytes:
    """Read the key. Without it a bar that still runs could not be known again, so nobody new is let in."""
    try:
        found = path.read_bytes()
    except OSError as fault:
        cure = "Bring it back from a backup, or from another host of this house; do not make a new one"
        raise Broken(Problem(str(path), f"cannot be read ({fault.strerror})", cure)) from None
    if len(found) != _SIZE:
        raise Broken(Problem(str(path), f"is not {_SIZE} bytes", "Bring it back from a backup; do not make a new one"))
    return found


def _hashed(key: bytes, address: str) -> str:
    return hmac.new(key, address.encode(), hashlib.sha256).hexdigest()
