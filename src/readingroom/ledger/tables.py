"""Tables of the ledger room. Few columns, since `ledger verify` answers for each of them.

All texts are kept as bytes: what was signed or hashed comes back as it was, whatever the database thinks of it.
"""

from __future__ import annotations

import sqlalchemy as sa

from readingroom.store.db import metadata

entry = sa.Table(
    "ledger_entry",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("leaf", sa.LargeBinary, nullable=False),  # the entry's canonical JSON
    sa.Column("leaf_hash", sa.LargeBinary, nullable=False),  # its RFC 6962 hash: tiles are read without leaves
)
checkpoint = sa.Table(
    "ledger_checkpoint",
    metadata,
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("note", sa.LargeBinary, nullable=False),  # the signed checkpoint of the log at this size
    sa.Column("frontier", sa.LargeBinary, nullable=False),  # roots of its perfect subtrees, 32 bytes each
)
