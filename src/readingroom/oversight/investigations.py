"""Reading texts that are kept for investigations, and erasing them; each reading is on record before it is shown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from readingroom.access import queries as access
from readingroom.core.canonical import Json, commitment, parse
from readingroom.core.clock import Clock
from readingroom.core.errors import BadInput, Problem
from readingroom.core.ids import new_id, random_bytes
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.core.text import needed_problem
from readingroom.gateway import texts, usage
from readingroom.gateway.ratchet import FILE, Ratchet
from readingroom.gateway.sealing import House, Sealed, TextKey, Unopened, begins, hour_of
from readingroom.gateway.texts import Kept
from readingroom.ledger.receipt import text_form
from readingroom.ledger.service import Ledger
from readingroom.oversight.model import MOST, Listed, Read, Said, Text
from readingroom.oversight.tables import reading as reading_table
from readingroom.people import queries as people
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check
from readingroom.store.db import Database

_EVENTS = {"read": "oversight.text.read", "erased": "oversight.text.erased"}
_CURE = "Say what is looked into, and why: it is on record, and can be asked for"


class Investigations:
    """What is kept, who read it, and its end."""

    def __init__(self, db: Database, ledger: Ledger, clock: Clock, keys: Path) -> None:
        """Take the database, the ledger, the clock and the folder of the house's keys."""
        self._db = db
        self._ledger = ledger
        self._clock = clock
        self.ratchet = Ratchet(keys, clock)

    def counts(self, by: Actor) -> dict[str, int]:
        """Return how many texts are kept of each grant."""
        require(check(by, Permission.TEXT_READ))
        with self._db.read() as tx:
            return texts.counts(tx, self._hour())

    def listed(self, by: Actor, grant: str) -> list[Listed]:
        """Return what is kept of a grant, without the texts: what to read is chosen by this; oldest first."""
        require(check(by, Permission.TEXT_READ))
        with self._db.read() as tx:
            _known(tx, grant)
            found = [_list(tx, each) for each in texts.kept(tx, self._hour(), grant=grant)]
        return sorted(found, key=lambda each: (each.at, each.receipt))

    def read(self, by: Actor, receipts: Sequence[str], reason: str) -> list[Text]:
        """Read texts. Each reading is in the ledger before its text is opened; if it cannot be, nothing is shown.

        Args:
            by: a person who may.
            receipts: of the calls, at most 100.
            reason: why, in words; kept here, with a commitment to it in the ledger.

        Raises:
            Refused: it is not this actor's to read, or one of them is not kept, or can no longer be opened.
            BadInput: no reason is given.
            Broken: the ledger cannot be written.
        """
        require(check(by, Permission.TEXT_READ))
        wanted = list(dict.fromkeys(receipts))
        problem = needed_problem("reason", reason, _CURE)
        if problem is None and not 1 <= len(wanted) <= MOST:
            problem = Problem("receipts", f"are {len(wanted)}", f"Name 1 to {MOST}")
        if problem:
            raise BadInput([problem])
        house = self.ratchet.turn()
        with self._db.decide() as tx:
            require(check(people.actor_now(tx, by), Permission.TEXT_READ))
            found = {each.id: each for each in texts.kept(tx, self._hour(), ids=wanted)}
            missing = [each for each in wanted if each not in found]
            if missing or house is None:
                raise Refused(_not_kept((missing or wanted)[0]))
            for each in found.values():
                require(_check_house(each, house))
                self._record(tx, by, "read", each, reason)
        return [self._open(found[each], house) for each in wanted]

    def erase(self, by: Actor, grant: str, reason: str) -> int:
        """Erase all that is kept of a grant, by destroying its half of the keys; return how many texts there were."""
        require(check(by, Permission.TEXT_ERASE))
        if problem := needed_problem("reason", reason, _CURE):
            raise BadInput([problem])
        with self._db.decide() as tx:
            require(check(people.actor_now(tx, by), Permission.TEXT_ERASE))
            _known(tx, grant)
            erased = texts.destroy(tx, grant)
            self._record(tx, by, "erased", Kept("", grant, 0, b"", None), reason, texts=erased)
            access.bump(tx)  # so that every worker forgets the key
        return erased

    def readings(self, by: Actor, grant: str = "") -> list[Read]:
        """Return who read and erased what, and why, newest first; for who may read the register."""
        require(check(by, Permission.REGISTER_READ))
        query = sa.select(reading_table).order_by(reading_table.c.at.desc(), reading_table.c.id)
        with self._db.read() as tx:
            rows = tx.execute(query.where(reading_table.c.grant_id == grant) if grant else query).all()
        return [Read(row.at, row.person, row.act, row.grant_id, row.receipt, row.reason) for row in rows]

    def _hour(self) -> int:
        return hour_of(self._clock.now())

    def _record(self, tx: Connection, by: Actor, act: str, each: Kept, reason: str, **more: int) -> None:
        salt, said = random_bytes(32), reason.strip()
        values = {"id": new_id("reading"), "at": self._clock.now(), "person": by.id, "act": act, "salt": salt}
        values |= {"grant_id": each.grant, "receipt": each.id, "reason": said}
        tx.execute(reading_table.insert().values(values))
        data: dict[str, Json] = {"grant": each.grant, "reason": commitment(salt, said.encode()), **more}
        row = usage.find(tx, each.id) if each.id else None
        if row is not None:
            # With the salt that stands in the reader's own receipt: he can tell which call was read, nobody else can.
            data["receipt"] = commitment(row.salt, each.id.encode())
        self._ledger.append(tx, _EVENTS[act], data, by=by.id)

    def _open(self, each: Kept, house: House) -> Text:
        assert each.half is not None  # noqa: S101 - it was joined
        try:
            key = TextKey.of(house.turned(each.last), each.half)
            said = json.loads(key.open(each.id, each.grant, Sealed.parse(each.sealed)))
        except Unopened as fault:
            reason = f"The text of {each.id} cannot be opened: {fault}. The attempt is on record."
            raise Refused(Refusal("oversight/no-such-text", reason)) from None
        with self._db.read() as tx:
            row = usage.find(tx, each.id)
        record, salt = (parse(row.leaf), row.salt) if row else ({}, b"")
        answers = tuple(Said(**{"left": None, **each}) for each in said["answers"])
        return Text(
            receipt=each.id,
            grant=each.grant,
            until=begins(each.last + 1),
            request=said["request"],
            answers=answers,
            record=record,
            proven=_proves(record, salt, said["request"], answers),
        )


def _proves(record: Json, salt: bytes, request: str, answers: Sequence[Said]) -> bool:
    """Tell whether a text is the one that its record commits to, in all that the record commits to."""
    if record.get("request") != commitment(salt, request.encode()):
        return False
    left = [each.left for each in answers if each.left is not None]
    return "text" not in record or record["text"] == commitment(salt, text_form(left))


def _list(tx: Connection, each: Kept) -> Listed:
    row = usage.find(tx, each.id)
    record = parse(row.leaf) if row else {}
    screened = record.get("screened", {})
    stops = [side["stopped_by"] for side in screened.values() if side.get("stopped_by")]
    flags = [*record.get("flagged_entrance", ()), *record.get("flagged_exit", ()), *stops]
    at, ended = (str(record.get(name, "")) for name in ("at", "ended"))
    return Listed(each.id, each.grant, at, begins(each.last + 1), ended, tuple(dict.fromkeys(flags)))


def _known(tx: Connection, grant: str) -> None:
    if access.grant(tx, grant) is None:
        raise Refused(Refusal("access/no-such-grant", f"No grant {grant!r}; `readingroom grant list` shows them."))


def _not_kept(receipt: str) -> Refusal:
    reason = f"No text is kept under {receipt[:80]!r}: its stage keeps none, its days are over, or it was erased."
    return Refusal("oversight/no-such-text", reason)


def _check_house(each: Kept, house: House) -> Refusal | None:
    try:
        needed = Sealed.parse(each.sealed).house
    except Unopened:
        return _not_kept(each.id)
    if needed == house.id:
        return None
    reason = (
        f"The text of {each.id} was sealed where keys/{FILE} is another ({needed.hex()}, not {house.id.hex()}); "
        "read it there. The hosts of one house must have copies of one file."
    )
    return Refusal("oversight/sealed-elsewhere", reason)
