"""To whom each grant was issued, by the pseudonym of then.

Two accounts of one person can be made one, and a grant is then the elder account's. The public register must not count
by that: a batch that was shown would lose a reader and be filled with the next one, whose figures the two copies would
give away. What the ledger says of an issue never changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy.engine import Connection

from readingroom.ledger import queries as ledger
from readingroom.ledger.model import Entry

_ISSUED = "access.grant.issued"
_AT_ONCE = 1_000  # entries in memory while the log is read


class FirstHolders:
    """Read from the log once, and then only what has been added to it."""

    def __init__(self) -> None:
        """Begin with nothing read."""
        self._found: dict[str, str] = {}
        self._read = 0

    def read(self, tx: Connection) -> Mapping[str, str]:
        """Return the pseudonym of its first holder, by grant."""
        start, size = self._read, ledger.size(tx)
        for begin in range(start, size, _AT_ONCE):
            for leaf in ledger.leaves(tx, begin, min(begin + _AT_ONCE, size)):
                if _ISSUED.encode() in leaf and (entry := Entry.parse(leaf)).event == _ISSUED:
                    self._found[str(entry.data["grant"])] = str(entry.data["person"])
        self._read = max(self._read, size)
        return MappingProxyType(self._found)
