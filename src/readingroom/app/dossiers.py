"""A call's dossier as one signed document, the same for every door."""

from __future__ import annotations

from readingroom.admissions.dossier import contents, signed_text
from readingroom.app.house import House
from readingroom.core.canonical import Json, parse
from readingroom.people.model import Actor


def call_dossier(house: House, by: Actor | None, call: str) -> dict[str, Json]:
    """Return `{dossier, signature}`: the internal dossier for `by`, the public one for None.

    Every entry of the call's own is proved up to one checkpoint; what is signed is the dossier's digest.
    """
    facts = house.admissions.dossier_facts(by, call)
    size = house.log.size()
    proofs = []
    for seq in facts.entries:
        entry = house.log.entry(seq)
        if entry is not None:
            proofs.append({"entry": parse(entry.leaf()), "proof": house.log.proof(seq, size)})
    document = contents(facts, proofs, house.verifier_key(), public=by is None)
    return {"dossier": document, "signature": house.signer.sign(signed_text(document)).decode()}
