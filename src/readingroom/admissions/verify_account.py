"""The outsider's look at a call's account: every movement in the log, adding up after each, and all awards among them.

Awards and movements are compared by amounts: neither names the other, so that nobody can follow a ticket through the
log to whoever accepted it. Two awards of the same amounts are the same to an account.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from readingroom.admissions.account import Cause
from readingroom.admissions.call import CallFile
from readingroom.admissions.movements import EVENT, Step, all_by, each_by, replay
from readingroom.core.canonical import Json, canonical
from readingroom.ledger.note import Unproven, Verifier
from readingroom.ledger.proof import Proof

C = Cause
SETTLED: Mapping[str, tuple[Cause, ...]] = {  # what an award's state says has moved, all of it
    "accepted": (C.ACCEPTED, C.HELD_BACK),
    "declined": (C.DECLINED,),
    "lapsed": (C.LAPSED,),
}


def proved(whole: Mapping[str, Any], key: Verifier) -> list[Mapping[str, Any]]:
    """Return the movements that a dossier brings, each proved to be in the log; none of an older dossier.

    Raises:
        Unproven: one is not in the log, or not of this call's account.
    """
    found = []
    for each in whole.get("movements", ()):
        entry, proof = each["entry"], Proof.parse(each["proof"])
        proof.verify(canonical(entry), key)
        if entry["event"] != EVENT or entry["seq"] != proof.index or entry["data"]["call"] != whole["call"]["id"]:
            raise Unproven(f"the entry {proof.index} is no movement of this call's account")
        found.append(entry)
    return found


def account(
    whole: Mapping[str, Any],
    file: CallFile,
    entries: Mapping[str, Mapping[str, Any]],
    moved: Sequence[Mapping[str, Any]],
) -> list[Step]:
    """Add a call's account up, and return its steps.

    Args:
        whole: the dossier.
        file: the call.
        entries: the call's own entries in the ledger, by event without its room.
        moved: the movements, proved.

    Raises:
        Unproven: something is missing, was made up, or does not add up; says what.
    """
    begun = entries["opened"]["data"].get("postings")
    if not moved and begun is None:
        return []
    steps = replay(moved, whole=begun is not None)
    if begun is not None:
        _opening(file, steps, begun)
    if not moved or moved[-1]["data"]["after"] != whole["account"]:
        raise Unproven("the last movements are missing: the account is not what they come to")
    published = entries.get("published")
    if published is not None and (told := published["data"].get("postings")) is not None:
        before = [each for each in steps if each.seq < published["seq"]]
        if not before or before[-1].last != told:
            raise Unproven("a movement up to the publication is missing, or was made up")
        _awards(whole, before, steps[len(before) :], complete=begun is not None)
    elif published is None and any(each.amounts(C.AWARDED) for each in steps):
        raise Unproven("something was awarded, and no result published")
    return steps


def _opening(file: CallFile, steps: Sequence[Step], begun: int) -> None:
    """Ask that the account begins with the file's budget and reserve."""
    if not steps or steps[0].last != begun:
        raise Unproven("the movements do not begin with the call's opening")
    for said, cause in ((file.budget, C.OPENED), (file.reserved(), C.RESERVED)):
        if steps[0].amounts(cause) != _some(said.to_json()):
            raise Unproven("the account was not opened with the budget and the reserve of the call file")


def _awards(whole: Json, before: Sequence[Step], later: Sequence[Step], *, complete: bool) -> None:
    """Compare awards with movements: at publication in all, since then one by one."""
    given = {each["application"] for each in whole["result"]["sheets"] if each["amounts"]}
    first = [each for each in whole["awards"] if each["application"] in given]
    since = [each for each in whole["awards"] if each["application"] not in given]
    in_all: Counter[str] = Counter()
    for each in first:
        in_all.update(_some(each["amounts"]))
    if dict(in_all) != all_by(before, C.AWARDED):
        raise Unproven("the awards of the result are not what the account was charged with at publication")
    if _each(since) != each_by(later, C.AWARDED):
        raise Unproven("an award since the publication has no movement in the log, or a movement has no award")
    for state, causes in SETTLED.items() if complete else ():
        if _each(a for a in whole["awards"] if a["state"] == state) != each_by([*before, *later], *causes):
            raise Unproven(f"the awards that are {state} are not those that the account says")


def _each(awards: Iterable[Json]) -> Counter[tuple[tuple[str, int], ...]]:
    return Counter(tuple(sorted(_some(each["amounts"]).items())) for each in awards)


def _some(amounts: Mapping[str, int | None]) -> dict[str, int]:
    return {unit: amount for unit, amount in amounts.items() if amount}


def since(steps: Collection[Step], published: Mapping[str, Any] | None) -> list[Step]:
    """Return the steps after the publication."""
    return [each for each in steps if published is not None and each.seq > published["seq"]]
