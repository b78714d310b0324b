"""Usage records into the ledger, batch by batch; receipts out of it."""

from __future__ import annotations

from readingroom.core.canonical import parse
from readingroom.core.refusal import Refusal, Refused
from readingroom.gateway import usage
from readingroom.ledger import receipt as receipts
from readingroom.ledger.queries import LedgerReader
from readingroom.ledger.queries import leaves as ledger_leaves
from readingroom.ledger.receipt import Receipt
from readingroom.ledger.service import Ledger
from readingroom.store.db import Database

MOST = 10_000  # records in one batch
BY = "gateway"


class Batches:
    """The way of usage records into the ledger and back out as receipts."""

    def __init__(self, db: Database, ledger: Ledger, log: LedgerReader) -> None:
        """Take the database, the ledger and its reading end."""
        self._db = db
        self._ledger = ledger
        self._log = log

    def flush(self) -> int:
        """Put all waiting records into the ledger as one opaque entry; return how many there were."""
        with self._db.read() as tx:
            if not usage.waiting(tx, 1):
                return 0
        with self._db.decide() as tx:  # another worker may have been here in between
            waiting = usage.waiting(tx, MOST)
            if waiting:
                entry = self._ledger.append(
                    tx, receipts.BATCH_EVENT, receipts.batch_data([leaf for _, leaf in waiting]), by=BY
                )
                usage.place(tx, entry.seq, [row for row, _ in waiting])
            return len(waiting)

    def receipt(self, receipt_id: str, grant: str) -> Receipt:
        """Return a receipt of a grant.

        Raises:
            Refused: this grant has no such receipt, or its record is not in the ledger yet.
        """
        with self._db.read() as tx:
            row = usage.find(tx, receipt_id)
            if row is None or row.grant_id != grant:
                raise Refused(Refusal("gateway/receipt-unknown", "This grant has no receipt by this id."))
            if row.entry_seq is None:
                raise Refused(Refusal("gateway/receipt-pending", "Not in the ledger yet; ask again in a second."))
            batch = usage.batch(tx, row.entry_seq)
            (leaf,) = ledger_leaves(tx, row.entry_seq, row.entry_seq + 1)
        path = receipts.batch_path(batch, row.place)
        proof = self._log.proof(row.entry_seq)
        return Receipt(parse(row.leaf), row.salt, parse(leaf), row.place, path, proof)
