"""Use cases of the access room, one class for all of them. Terms are in `agreements`, restorings in `restoring`.

Each public method is one use case: one transaction, with its ledger entry in it. They are grouped by what they are of:
`granting`, `membership`, `keyring`, `sanctioning`, `many` (revoking many at once), `remembering` (bars after erasures).
"""

from __future__ import annotations

from readingroom.access.service.granting import Granting
from readingroom.access.service.keyring import Keyring
from readingroom.access.service.many import Many
from readingroom.access.service.membership import Membership
from readingroom.access.service.remembering import Remembering


class Access(Granting, Membership, Keyring, Many, Remembering):
    """Grants of projects, their members, keys and sanctions."""


__all__ = ["Access"]
