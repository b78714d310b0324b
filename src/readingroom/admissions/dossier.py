"""The dossier of a call: everything its allocation rested on, in one document that an outsider can run again. Pure.

There are two of each. The internal one has the ids of applications and reviewers. In the public one an application goes
by the ticket under which it drew lots, and a reviewer by a name made for this call alone. Neither has a name, an answer
(but those that quotas rest on) or a comment. The ledger holds a salted commitment to inputs and result of both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from readingroom.admissions.allocation import Allocation, Candidate
from readingroom.admissions.call import Call, CallFile
from readingroom.admissions.model import Award, Judgement, Risk
from readingroom.core.canonical import Json, canonical, commitment, digest
from readingroom.core.clock import rfc3339

FORMAT = "readingroom-call-dossier/1"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a dossier is made of.

    Attributes:
        text: the call file, byte for byte.
        inputs: of the allocation, in the internal form.
        result: of the allocation, in the internal form.
        salt: opens the ledger's commitments to both.
        tickets: of all applications, as the ledger was told when the call closed.
        awards: as they stand; none before the result is published.
        conflicts: counts by kind and disposition.
        entries: places of the call's own entries in the ledger.
        names: of every application that was ever submitted, its ticket: also of one that was refused before the
            allocation, and has an award after an appeal.
        movements: places of the movements of the call's account in the ledger.
        held: the account as it is now, as a movement's entry spells it.
    """

    call: Call
    text: str
    inputs: Json
    result: Json
    salt: bytes
    tickets: Sequence[str]
    awards: Sequence[Award]
    conflicts: Json
    entries: Sequence[int]
    names: Mapping[str, str]
    movements: Sequence[int]
    held: Json


def inputs(candidates: Collection[Candidate], aliases: Mapping[str, str]) -> Json:
    """Return what an allocation is computed from, without the comments: figures and codes, in the order of tickets.

    Args:
        candidates: as they were allocated.
        aliases: what each reviewer is called in the public form.
    """
    return [
        {
            "application": each.application,
            "ticket": each.draws_as,
            "asked": each.asked,
            "tier": each.tier,
            "vetoes": each.vetoed,
            "answers": dict(each.answers),
            "reviews": sorted(
                (
                    {"reviewer": who, "as": aliases[who], "scores": dict(given.scores), "risk": given.risk.value}
                    for who, given in zip(each.reviewers, each.judgements, strict=True)
                ),
                key=lambda review: str(review["as"]),
            ),
        }
        for each in sorted(candidates, key=lambda each: each.draws_as)
    ]


def candidates(given: Json) -> list[Candidate]:
    """Read back what `inputs` or `public_inputs` gave."""
    return [
        Candidate(
            application=each["application"],
            asked=each["asked"],
            judgements=tuple(Judgement(r["scores"], "", Risk(r["risk"])) for r in each["reviews"]),
            reviewers=tuple(r["reviewer"] for r in each["reviews"]),
            vetoes=each["vetoes"],
            answers=each["answers"],
            ticket=each["ticket"],
            tier=each["tier"],
        )
        for each in given
    ]


def public_inputs(given: Json) -> Json:
    """Replace ids: an application's by its ticket, a reviewer's by the name made for this call."""
    return [
        each | {"application": each["ticket"], "reviews": [r | {"reviewer": r["as"]} for r in each["reviews"]]}
        for each in given
    ]


def public_result(result: Json, given: Json) -> Json:
    """Replace applications' ids in a result by their tickets."""
    names = {each["application"]: each["ticket"] for each in given}
    return result | {"sheets": [each | {"application": names[each["application"]]} for each in result["sheets"]]}


def public_salt(salt: bytes) -> bytes:
    """Return the salt of the public forms: with it nobody can try which id belongs to which ticket."""
    return hashlib.sha256(b"readingroom public" + salt).digest()


def commitments(given: Json, result: Json, salt: bytes) -> dict[str, Json]:
    """Return what the ledger says of inputs and result, of both forms, without showing either."""
    other = public_salt(salt)
    return {
        "inputs": commitment(salt, canonical(given)),
        "result": commitment(salt, canonical(result)),
        "public_inputs": commitment(other, canonical(public_inputs(given))),
        "public_result": commitment(other, canonical(public_result(result, given))),
    }


def contents(facts: Facts, proofs: Json, moved: Json, key: str, *, public: bool) -> Json:
    """Return the document that is signed.

    Args:
        facts: of the call.
        proofs: of the call's entries: a list of `{entry, proof}`.
        moved: likewise, of the movements of its account.
        key: the ledger's verifier key line.
        public: whether ids are replaced.
    """
    given, result, file = facts.inputs, facts.result, facts.call.file
    names = _public_names(facts)
    awards = [
        {
            "application": names[each.application] if public else each.application,
            "state": each.state.value,
        }
        | {"amounts": each.amounts.to_json(), "tier": each.tier}
        for each in facts.awards
    ]
    return {
        "format": FORMAT,
        "form": "public" if public else "internal",
        "key": key,
        "call": {
            "id": facts.call.id, "title": file.title, "state": facts.call.state.value, "file": facts.text,
            "digest": facts.call.digest, "seed_commitment": facts.call.seed_commitment,
        },
        "method": method(file),
        "inputs": public_inputs(given) if public else given,
        "tickets": list(facts.tickets),
        "result": public_result(result, given) if public else result,
        "salt": (public_salt(facts.salt) if public else facts.salt).hex(),
        "awards": sorted(awards, key=lambda each: str(each["application"])),
        "conflicts": facts.conflicts,
        "ledger": proofs,
        "movements": moved,
        "account": facts.held,
    }  # fmt: skip


def _public_names(facts: Facts) -> dict[str, str]:
    """Return the ticket of each application with an award; of one without a ticket, a name that tells nothing."""
    known = {**facts.names, **{each["application"]: str(each["ticket"]) for each in facts.inputs}}
    made = {each.application: hashlib.sha256(facts.salt + each.application.encode()) for each in facts.awards}
    return {each: known.get(each, f"application-{name.hexdigest()[:32]}") for each, name in made.items()}


def method(file: CallFile) -> Json:
    """Return how a call divides, in words."""
    policy, draw = file.policy, file.draw
    return {
        "policy": policy.canonical() if policy else None,
        "objective": policy.objective if policy else None,
        "rule": policy.describe() if policy else None,
        "promise": promise(file),
        "draw": {"named": draw.named, "at": rfc3339(draw.at)} if draw else None,
    }


def signed_text(document: Json) -> str:
    """Return the text that the ledger's key signs for a dossier; no checkpoint looks like it."""
    return f"{FORMAT}\n{document['call']['id']} {document['form']}\n{digest(document)}\n"


def promise(file: CallFile) -> str | None:
    """Say what a better score of one's own can and cannot do in a call; None where nothing is allocated by a rule."""
    if file.policy is None:
        return None
    adjusted = "" if not file.scoring.additive else (
        " That is of the adjusted score: a better review also tells of its reviewer's habit, and so moves others' "
        "adjusted scores; that no better review ever gives less is not promised where the call says `adjust: additive`."
    )  # fmt: skip
    return file.policy.promise + adjusted


def record(given: Json, result: Allocation, salt: bytes, reviewed_until: datetime | None) -> dict[str, Json]:
    """Return what the ledger's entry says of an allocation."""
    return {
        "seed": result.seed,
        "public_value": result.public,
        **commitments(given, result.to_json(), salt),
        "reviewed_until": rfc3339(reviewed_until) if reviewed_until else "",
        "awards": sum(1 for each in result.sheets if each.amounts),
        "awarded": result.awarded.to_json(),
        "reserve": result.reserve.to_json(),
        "rest": result.rest.to_json(),
    }
