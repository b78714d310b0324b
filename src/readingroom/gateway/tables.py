"""Tables of the gateway room."""

from __future__ import annotations

import sqlalchemy as sa

from readingroom.gateway.model import UNITS
from readingroom.store.db import Moment, metadata
from readingroom.store.personal import personal, whose

_Row = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER


def _counts(prefix: str = "") -> list[sa.Column[int]]:
    return [sa.Column(f"{prefix}{unit}", sa.BigInteger, nullable=False, server_default="0") for unit in UNITS]


meter = sa.Table(
    "gateway_meter",
    metadata,
    sa.Column("grant_id", sa.String, primary_key=True),
    *(sa.Column(f"limit_{unit}", sa.BigInteger) for unit in UNITS),
    *_counts("used_"),
    *_counts("reserved_"),  # the sum of its leases
    sa.Column("recall", sa.BigInteger, nullable=False, server_default="0"),  # raised to call unused leases back
    # Promise 1 as the database's own law: whatever our code does, a meter over its limit cannot be written.
    *(
        sa.CheckConstraint(f"limit_{u} is null or used_{u} + reserved_{u} <= limit_{u}", name=f"{u}_limit")
        for u in UNITS
    ),
    *(sa.CheckConstraint(f"used_{u} >= 0 and reserved_{u} >= 0", name=f"{u}_sign") for u in UNITS),
)
lease = sa.Table(
    "gateway_lease",
    metadata,
    sa.Column("worker", sa.String, primary_key=True),
    sa.Column("grant_id", sa.String, primary_key=True, index=True),
    *_counts(),  # what the worker may spend without asking
    *_counts("held_"),  # of that, what open requests hold, as the worker said it last
    sa.Column("answered", sa.BigInteger, nullable=False, server_default="0"),  # the last recall that it answered
    *(sa.CheckConstraint(f"{u} >= 0 and held_{u} >= 0 and held_{u} <= {u}", name=f"{u}_held") for u in UNITS),
)
worker = sa.Table(
    "gateway_worker",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("host", sa.String, nullable=False),
    sa.Column("pid", sa.BigInteger, nullable=False),
    sa.Column("began", sa.BigInteger, nullable=False),
    sa.Column("heartbeat", Moment, nullable=False),
)
usage = sa.Table(
    "gateway_usage",
    metadata,
    sa.Column("row", _Row, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String, nullable=False, unique=True),
    sa.Column("grant_id", sa.String, nullable=False, index=True),
    sa.Column("key_id", sa.String, index=True),  # by which it was asked; not in the leaf. Null: before it was kept
    sa.Column("passes", sa.BigInteger, nullable=False),  # as in the leaf, so that they can be added up
    sa.Column("leaf", sa.LargeBinary, nullable=False),  # the record's canonical JSON: what the batch hashes
    sa.Column("salt", sa.LargeBinary, nullable=False, **personal(b"")),
    sa.Column("at", Moment, nullable=False),
    sa.Column("entry_seq", sa.BigInteger, index=True),  # the ledger entry of its batch; null until flushed
    sa.Column("place", sa.BigInteger),  # its place in that batch
    **whose("grant_id -> access_grant"),
)
rate = sa.Table(
    "gateway_rate",
    metadata,
    sa.Column("grant_id", sa.String, primary_key=True),
    sa.Column("minute", sa.BigInteger, primary_key=True, autoincrement=False),  # its number, as the grant counts them
    sa.Column("requests", sa.BigInteger, nullable=False),  # drawn by all workers
    sa.Column("tokens", sa.BigInteger, nullable=False),
    sa.CheckConstraint("requests >= 0 and tokens >= 0", name="sign"),
)
place = sa.Table(
    "gateway_place",
    metadata,
    sa.Column("worker", sa.String, primary_key=True),
    sa.Column("grant_id", sa.String, primary_key=True, index=True),
    sa.Column("places", sa.BigInteger, nullable=False),  # of requests open at once, in use or free, that it has
    sa.CheckConstraint("places > 0", name="sign"),
)
kept = sa.Table(  # what `Idempotency-Key` keeps; all of it made with the reader's key, which is not here
    "gateway_kept",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("claim", sa.String, nullable=False),  # of the call that answers, or answered
    sa.Column("worker", sa.String),  # who is answering; null once it was
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("under", sa.LargeBinary, nullable=False),
    sa.Column("sealed", sa.LargeBinary),  # the answer; null while there is none, or if it was too long
    sa.Column("expires_at", Moment, nullable=False, index=True),
)
half = sa.Table(
    "gateway_half",
    metadata,
    sa.Column("grant_id", sa.String, primary_key=True),
    sa.Column("id", sa.String, nullable=False),  # names it in sealed texts, and shows nothing of it
    sa.Column("half", sa.LargeBinary, nullable=False),  # of the keys of what is kept of the grant
    **whose("grant_id -> access_grant", gone=True),
)
text = sa.Table(
    "gateway_text",
    metadata,
    sa.Column("id", sa.String, primary_key=True),  # of the receipt
    sa.Column("grant_id", sa.String, nullable=False, index=True),
    sa.Column("half_id", sa.String, nullable=False),
    sa.Column("last_hour", sa.BigInteger, nullable=False, index=True),  # since 1970, in which it can be opened
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    **whose("grant_id -> access_grant", gone=True),
)
first_refusal = sa.Table(  # of each sanction, when a call or an answer was first refused for it
    "gateway_first_refusal",
    metadata,
    sa.Column("sanction", sa.String, primary_key=True),
    sa.Column("at", Moment, nullable=False),
    sa.Column("code", sa.String, nullable=False),
)
