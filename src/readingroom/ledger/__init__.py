"""Everything decided, in a log that outsiders can check.

Owns: entries, the Merkle tree (RFC 6962), signed checkpoints (C2SP), tiles, proofs, receipts, the standalone verifier.
Hears: every room that decides (`Ledger.append`, in the decision's own transaction).
Says: each appended entry, to whoever subscribed (`Ledger.on`), in the same transaction.
Never: names, prompts or answers; what an entry means.
"""
