"""Tables of the ledger room."""

from __future__ import annotations

import sqlalchemy as sa

from readingroom.store.db import metadata

entry = sa.Table(
    "ledger_entry",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("leaf", sa.LargeBinary, nullable=False),
)
