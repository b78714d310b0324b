"""The outsider's verifier of a call's dossier: no house, no database, no network. Pure.

It proves that the lab's key signed the dossier, that file and seed were in the ledger before the window closed, that
inputs and result are those that the ledger committed to, that the call's own rule makes just this result of them, and
that every movement of the call's account up to the dossier is in the ledger and leaves it adding up to the unit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from readingroom.admissions import call_file
from readingroom.admissions.allocation import allocate
from readingroom.admissions.call import CallFile
from readingroom.admissions.dossier import FORMAT, candidates, signed_text
from readingroom.admissions.movements import Step
from readingroom.admissions.verify_account import account, proved, since
from readingroom.core.canonical import Json, canonical, commitment, digest, parse, sha256
from readingroom.core.clock import parse_rfc3339, rfc3339
from readingroom.core.errors import BadInput
from readingroom.ledger.note import Unproven, Verifier
from readingroom.ledger.proof import Proof

OPENED, CLOSED, JOINED, ALLOCATED, PUBLISHED = (
    f"admissions.call.{each}" for each in ("opened", "closed", "joined", "allocated", "published")
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: whether it is as it should be, and what was found."""

    name: str
    ok: bool
    told: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a dossier's verification.

    Attributes:
        checks: in order; what needs a failed one is left out.
        notes: what is true and cannot be proved away: weaknesses of this call's draw, say.
        later: what moved in the call's account since the result was published, each by its entry in the ledger.
    """

    call: str
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()
    later: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Tell whether everything was proved."""
        return bool(self.checks) and all(each.ok for each in self.checks)

    def to_json(self) -> Json:
        """Spell it for `--json`."""
        checks = [{"name": each.name, "ok": each.ok, "told": each.told} for each in self.checks]
        return {
            "ok": self.ok,
            "call": self.call,
            "checks": checks,
            "notes": list(self.notes),
            "later": list(self.later),
        }


@dataclass(frozen=True, slots=True)
class _Case:
    """A dossier whose signature is good, with what its ledger entries say."""

    whole: Mapping[str, Any]
    entries: Mapping[str, Mapping[str, Any]]  # event to entry
    file: CallFile
    size: int  # of the log
    moved: Sequence[Mapping[str, Any]]

    def said(self, event: str) -> Mapping[str, Any]:
        data: Mapping[str, Any] = self.entries[event]["data"]
        return data


def verify_dossier(data: bytes, verifier: Verifier | None = None) -> Verdict:
    """Verify a dossier's file.

    Args:
        data: what `call dossier` wrote.
        verifier: the ledger's public key, from a source that is trusted; None takes the one in the file, and says so.
    """
    checks: list[Check] = []
    call = ""
    try:
        whole, signature = _opened(data)
        call = str(whole["call"]["id"])
        key = verifier or Verifier.parse(whole["key"])
        checks.append(_signed(whole, signature, key))
        case = _case(whole, key, checks)
        for name, check in _CHECKS.items():
            checks.append(Check(name, ok=True, told=check(case)))
        steps = _moved(case, checks)
    except Unproven as fault:
        name = ("signature", "ledger", *_CHECKS, "account")[len(checks)]
        return Verdict(call, (*checks, Check(name, ok=False, told=str(fault))))
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError, BadInput) as fault:
        told = f"the dossier is not made as one is ({type(fault).__name__}: {str(fault)[:200]})"
        return Verdict(call, (*checks, Check("form", ok=False, told=told)))
    later = [each.told() for each in since(steps, case.entries.get(PUBLISHED))]
    return Verdict(call, tuple(checks), tuple(_notes(case, steps, trusted=verifier is not None)), tuple(later))


def _opened(data: bytes) -> tuple[Mapping[str, Any], bytes]:
    try:
        raw = parse(data.decode("utf-8-sig"))
        whole, signature = raw["dossier"], raw["signature"].encode()
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Unproven("this is no dossier: a JSON object with a dossier and its signature") from None
    if not isinstance(whole, dict) or whole.get("format") != FORMAT or set(raw) != {"dossier", "signature"}:
        raise Unproven(f"this is no dossier of the format {FORMAT}")
    return whole, signature


def _signed(whole: Mapping[str, Any], signature: bytes, key: Verifier) -> Check:
    if key.open(signature) != signed_text(whole):
        raise Unproven("the signature is of another dossier: this one was altered")
    return Check("signature", ok=True, told=f"signed by {key.name}; {digest(whole)}")


def _case(whole: Mapping[str, Any], key: Verifier, checks: list[Check]) -> _Case:
    """Prove every entry that the dossier brings, and read the call's file."""
    entries: dict[str, Mapping[str, Any]] = {}
    size = 0
    for each in whole["ledger"]:
        entry, proof = each["entry"], Proof.parse(each["proof"])
        size = proof.verify(canonical(entry), key).size
        again = entry["event"] in entries and entry["event"] in {OPENED, CLOSED, ALLOCATED}
        if entry["seq"] != proof.index or entry["data"]["call"] != whole["call"]["id"] or again:
            raise Unproven(f"the entry {proof.index} is not this call's, or stands twice")
        known = entries.get(entry["event"])
        if known is None or known["seq"] < entry["seq"]:  # of several the last, in whatever order the file has them
            entries[entry["event"]] = entry
    missing = [event for event in (OPENED, CLOSED, ALLOCATED) if event not in entries]
    if missing:
        raise Unproven(f"there is no proof of {', '.join(missing)}")
    steps = [event for event in (OPENED, CLOSED, JOINED, ALLOCATED) if event in entries]
    numbers = [entries[event]["seq"] for event in steps]
    if numbers != sorted(numbers):
        raise Unproven("the call was not opened, closed, joined by late ones and allocated in this order")
    moved = proved(whole, key)
    checks.append(
        Check("ledger", ok=True, told=f"{len(whole['ledger'])} entries of the call are in the log of {size} entries")
    )
    part = int(entries[OPENED]["data"].get("part", 0))  # a round or a half of the file
    file = call_file.parse_part(whole["call"]["file"], part, "the dossier's call file")
    return _Case(whole, entries, file, size, moved)


def _file(case: _Case) -> str:
    known = sha256(case.whole["call"]["file"].encode())
    if known != case.said(OPENED)["digest"]:
        raise Unproven("the call file is not the one that the ledger holds the digest of")
    return f"the call file is the one opened by entry {case.entries[OPENED]['seq']}; {known}"


def _seed(case: _Case) -> str:
    if sha256(bytes.fromhex(case.whole["result"]["seed"])) != case.said(OPENED)["seed_commitment"]:
        raise Unproven("the seed is not the one that was committed to when the call opened")
    if case.whole["result"]["seed"] != case.said(ALLOCATED)["seed"]:
        raise Unproven("the seed is not the one that the ledger says was used")
    opened, closed = (case.entries[event]["seq"] for event in (OPENED, CLOSED))
    return f"the seed was committed to by entry {opened}, before the call closed (entry {closed})"


def _public_value(case: _Case) -> str:
    value, draw = case.whole["result"]["public_value"], case.file.draw
    if value != case.said(ALLOCATED)["public_value"]:
        raise Unproven("the public value is not the one that was entered")
    if draw is None:
        if value:
            raise Unproven("a public value was used, and the call file names none")
        return "the call names no public value"
    if not value or (draw.size and len(value) != 2 * draw.size):
        raise Unproven(f"the public value is not what the call names: {draw.named}")
    if _at(case, ALLOCATED) < draw.at:
        raise Unproven("the public value was entered before it was public")
    return f"{value} was entered as: {draw.named} (public from {rfc3339(draw.at)})"


def _inputs(case: _Case) -> str:
    whole, said = case.whole, case.said(ALLOCATED)
    prefix = "public_" if whole["form"] == "public" else ""
    salt = bytes.fromhex(whole["salt"])
    for part in ("inputs", "result"):
        if commitment(salt, canonical(whole[part])) != said[prefix + part]:
            raise Unproven(f"the {part} are not what the ledger committed to")
    drawn = [each["ticket"] for each in whole["inputs"]]
    fixed = JOINED if JOINED in case.entries else CLOSED  # of several that joined late, the last says who draws
    if digest(whole["tickets"]) != case.said(fixed)["tickets"]:
        raise Unproven("the tickets are not those that were fixed when the call closed")
    if len(set(drawn)) != len(drawn) or not set(drawn) <= set(whole["tickets"]):
        raise Unproven("an application draws with a ticket that was not fixed when the call closed, or twice")
    when = "at closing" if fixed == CLOSED else "when the last late one was admitted, after closing"
    return f"inputs and result are what the ledger committed to; {len(drawn)} applications, tickets fixed {when}"


def _rerun(case: _Case) -> str:
    result = case.whole["result"]
    seed, value = bytes.fromhex(result["seed"]), bytes.fromhex(result["public_value"])
    again = allocate(case.file, candidates(case.whole["inputs"]), seed, value).to_json()
    if canonical(again) != canonical(result):
        odd = [name for name in again if again[name] != result.get(name)]
        raise Unproven(
            f"run again, the call's rule gives another result (it differs in: {', '.join(odd) or 'more fields'})"
        )
    return f"run again, the call's rule gives the same {len(canonical(again)):,} bytes; {digest(again)}"


def _sums(case: _Case) -> str:
    result = case.whole["result"]
    for unit, whole in result["budget"].items():
        parts = [result[part][unit] for part in ("awarded", "reserve", "rest")]
        if whole is not None and whole != sum(parts):
            raise Unproven(f"awards, reserve and rest are not the budget in {unit}")
    given = {each["application"]: each["amounts"] for each in result["sheets"] if each["amounts"]}
    refused = {each["application"] for each in result["sheets"] if not each["amounts"]}
    # Upheld appeals and second chances give to those whom the result gave nothing, and take nothing from others; also
    # to one that was refused before it could be allocated. The account then ties each to its movement.
    tied = {each["application"] for each in case.whole["awards"]} - given.keys() if case.moved else refused
    offered = [each for each in case.whole["awards"] if each["application"] not in tied]
    for each in offered:
        if given.get(each["application"]) != each["amounts"]:
            raise Unproven(f"an award is not what the result gives: {each['application']}")
    if not case.whole["awards"]:
        return f"awards, reserve and rest are the budget; {len(given)} awards, none offered yet"
    later = len(case.whole["awards"]) - len(offered)
    more = f", and {later} later, out of the reserve or of what came back" if later else ""
    return f"awards, reserve and rest are the budget; {len(offered)} of {len(given)} awards were offered{more}"


def _moved(case: _Case, checks: list[Check]) -> list[Step]:
    """Check the account; of an older dossier, or one of an older call, what it does not carry is a note."""
    steps = account(
        case.whole, case.file, {name.rpartition(".")[2]: each for name, each in case.entries.items()}, case.moved
    )
    if steps:
        later = len(since(steps, case.entries.get(PUBLISHED)))
        told = f"{len(steps)} movements are in the log, and the account adds up to the unit after each"
        checks.append(Check("account", ok=True, told=f"{told}; {later} of them since the publication"))
    return steps


_CHECKS: Mapping[str, Callable[[_Case], str]] = {
    "file": _file,
    "seed": _seed,
    "public-value": _public_value,
    "inputs": _inputs,
    "allocation": _rerun,
    "awards": _sums,
}


def _at(case: _Case, event: str) -> datetime:
    return parse_rfc3339(case.entries[event]["at"])


def _notes(case: _Case, steps: Sequence[Step], *, trusted: bool) -> list[str]:
    """Say what holds the proof back, truthfully."""
    notes = []
    if not trusted:
        notes.append("The key came with the file: compare it with the lab's own (GET /ledger/key), or give --key.")
    notes += _of_the_account(case, steps)
    draw = case.file.draw
    if JOINED in case.entries:
        joined = case.entries[JOINED]["at"]
        known = " The seed was known to the lab then"
        known += ", and the public value to everyone." if draw and parse_rfc3339(joined) >= draw.at else "."
        notes.append(f"A late application was admitted after the call had closed, the last at {joined}.{known}")
    if draw is None:
        notes.append(
            "The seed alone broke ties and drew lots. The lab could not change it, but knew it all along, also as it "
            "made the tickets."
        )
        return notes
    notes.append(f"Look up for yourself that this is what was published: {draw.named}.")
    closed, known = case.entries[CLOSED], rfc3339(draw.at)
    if _at(case, CLOSED) >= draw.at:
        notes.append(
            f"The call was closed at {closed['at']}, when the public value was known: until then tickets are made."
        )
    notes.append(
        f"The times are of the lab's own clock. A checkpoint of {closed['seq'] + 1} entries or more that somebody has "
        f"kept from before {known} shows that seed and tickets were fixed by then."
    )
    until = case.said(ALLOCATED)["reviewed_until"]
    if until and parse_rfc3339(until) >= draw.at:
        notes.append(f"The last review was filed at {until}, when the public value was known already.")
    return notes


def _of_the_account(case: _Case, steps: Sequence[Step]) -> list[str]:
    if not steps:
        told = "The dossier carries no movements of the call's account: what was accepted, returned, added or awarded "
        return [f"{told}since the publication is told by the lab, and not proved here."]
    if "postings" in case.said(OPENED):
        return [
            f"Movements are told up to entry {case.size - 1}; what moved since is in a later edition of the dossier."
        ]
    told = (
        f"The movements begin with entry {steps[0].seq}: the call was opened before movements were entered, and where "
    )
    return [f"{told}its budget was until then is told by the lab."]
