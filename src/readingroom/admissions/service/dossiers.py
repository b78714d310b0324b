"""The dossier of a call: what it is made of, and who may have which."""

from __future__ import annotations

from readingroom.admissions import queries
from readingroom.admissions.dossier import Facts
from readingroom.admissions.model import CallState
from readingroom.admissions.movements import spelled
from readingroom.admissions.service.base import Base
from readingroom.core.refusal import Refusal, Refused, require
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check


class Dossiers(Base):
    """Use cases around a call's dossier; they read, and decide nothing."""

    def dossier_facts(self, by: Actor | None, call: str) -> Facts:
        """Return what a call's dossier is made of.

        Args:
            by: who asks for the internal dossier, once the call is allocated; None for the public one, which anybody
                may have once the result is published.
            call: its id.
        """
        if by is not None:
            require(check(by, Permission.APPLICATION_READ))
        with self._db.read() as tx:
            found = self._call(tx, call)
            fixed = queries.fixed(tx, call)
            if fixed is None or (by is None and found.state is not CallState.PUBLISHED):
                when = "its result is published" if by is None else "it is allocated"
                raise Refused(Refusal("admissions/no-dossier-yet", f"A call has this dossier once {when}."))
            return Facts(
                call=found,
                text=queries.call_text(tx, call),
                inputs=fixed.inputs,
                result=fixed.result,
                salt=fixed.salt,
                tickets=queries.tickets_at_closing(tx, call),
                awards=queries.awards(tx, call),
                conflicts=queries.conflict_counts(tx, call),
                entries=queries.entries(tx, call),
                names=queries.tickets(tx, call),
                movements=queries.movements(tx, call),
                held=spelled(queries.budget(tx, call)),
            )
