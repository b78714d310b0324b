"""A call's dossier as one signed document, the same for every door."""

from __future__ import annotations

from collections.abc import Sequence

from readingroom.admissions.dossier import contents, signed_text
from readingroom.app.house import House
from readingroom.core.canonical import Json, parse
from readingroom.people.model import Actor


def call_dossier(house: House, by: Actor | None, call: str) -> dict[str, Json]:
    """Return `{dossier, signature}`: the internal dossier for `by`, the public one for None.

    Every entry of the call's own, and every movement of its account up to now, is proved up to one checkpoint; what is
    signed is the dossier's digest. A later edition has more movements, and the same beginning.
    """
    facts = house.admissions.dossier_facts(by, call)
    size = house.log.size()
    proofs, moved = (_proved(house, each, size) for each in (facts.entries, facts.movements))
    document = contents(facts, proofs, moved, house.verifier_key(), public=by is None)
    return {"dossier": document, "signature": house.signer.sign(signed_text(document)).decode()}


def _proved(house: House, entries: Sequence[int], size: int) -> list[Json]:
    return [{"entry": parse(leaf), "proof": proof} for leaf, proof in house.log.proved(entries, size)]
