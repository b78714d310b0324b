"""The entitlement function (promise 7) and the transition tables of grants and keys. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from readingroom.access.model import (
    Amounts,
    Award,
    Entitlement,
    Fact,
    Facts,
    GrantState,
    Key,
    KeyState,
    Left,
    Need,
    Reason,
)
from readingroom.access.restored import Restoration
from readingroom.access.sanctions import changes_at, check_not_barred, not_sanctioned, of_bar, of_state
from readingroom.core.clock import rfc3339
from readingroom.core.refusal import Refusal
from readingroom.strategy.model import Channel, StageFact

# From each state, by each act, to which. What is not here cannot be done.
GRANT_TRANSITIONS: dict[tuple[GrantState, str], GrantState] = {
    (GrantState.ACTIVE, "suspend"): GrantState.SUSPENDED,
    (GrantState.SUSPENDED, "reinstate"): GrantState.ACTIVE,
    (GrantState.ACTIVE, "revoke"): GrantState.REVOKED,
    (GrantState.SUSPENDED, "revoke"): GrantState.REVOKED,
    (GrantState.REVOKED, "restore"): GrantState.ACTIVE,  # by an appeal that is upheld, and nothing else
}
KEY_TRANSITIONS: dict[tuple[KeyState, str], KeyState] = {
    (KeyState.LIVE, "rotate"): KeyState.ENDING,
    (KeyState.LIVE, "revoke"): KeyState.ENDED,
    (KeyState.ENDING, "revoke"): KeyState.ENDED,
}
MAX_GRACE_HOURS = 72
RESTORE_QUORUM = 2  # different persons who confirm what a restoring has lost
_DONE = {
    "suspend": "suspended",
    "reinstate": "reinstated",
    "revoke": "revoked",
    "restore": "restored",
    "rotate": "rotated",
}

Finding = tuple[Fact, Refusal | None]


def entitled(
    facts: Facts | None, stage: StageFact | None, now: datetime, need: Need | None = None, left: Left | None = None
) -> Entitlement:
    """Say whether this key (or grant) may make a call now, fact by fact.

    Every fact is evaluated, so that a page can show them all; the first that fails is the refusal. A fact that is
    not there fails: whatever cannot be confirmed is refused.

    Args:
        facts: of this room, read live; None if nothing matches the key.
        stage: the grant's stage as it stands now; None if it could not be found.
        now: the moment of the call.
        need: what the request needs of its tier.
        left: what is left of the allocation, for whoever explains; a call's own reservation asks the meter itself.
    """
    if facts is None or facts.grant is None:
        reason = "This key is not known here; check it for typing errors, or ask for a new one."
        return Entitlement(
            (Fact("key-known", holds=False, detail="no such key"),), Refusal("access/key-unknown", reason)
        )
    findings = list(_findings(facts, stage, now, need or Need()))
    if left is not None:
        findings.append(_allocation_left(left))
    refusal = next((refusal for fact, refusal in findings if refusal is not None), None)
    return Entitlement(tuple(fact for fact, _ in findings), refusal)


def stands_until(facts: Facts, stage: StageFact | None, now: datetime) -> datetime:
    """Return until when an answer of `entitled` that said yes at `now` stays true, if nobody decides anything."""
    ends = [facts.grant.expires_at if facts.grant else None, facts.key.ends_at if facts.key else None]
    ends.append(stage.open_until if stage else None)
    ends.extend(changes_at(facts, now))
    return min(each for each in ends if each is not None)


def _findings(facts: Facts, stage: StageFact | None, now: datetime, need: Need) -> Iterator[Finding]:
    if facts.key_asked:
        yield _key_known(facts)
        yield _key_live(facts, now)
    yield _member(facts)
    yield _grant_in_force(facts)
    yield not_sanctioned(facts, now)
    yield _history_known(facts)
    yield _not_expired(facts, now)
    yield _not_barred(facts, now)
    yield _terms_accepted(facts)
    yield _retention_agreed(facts, stage)
    yield _stage_open(stage)
    yield _tier_covers(facts, stage, need)
    yield Fact("machine-enrolled", holds=True, detail="no machine is required"), None


def _finding(name: str, refusal: Refusal, detail: str, *, holds: bool) -> Finding:
    return Fact(name, holds, detail), None if holds else refusal


def _key_known(facts: Facts) -> Finding:
    refusal = Refusal("access/key-unknown", "This key is not known here; check it, or ask for a new one.")
    holds = facts.key is not None
    return _finding("key-known", refusal, f"key {facts.key.hint}..." if facts.key else "no such key", holds=holds)


def _key_live(facts: Facts, now: datetime) -> Finding:
    ends = facts.key.ends_at if facts.key else now
    holds = ends is None or now < ends
    detail = "in force" if ends is None else f"ends {rfc3339(ends)}" if holds else f"ended {rfc3339(ends)}"
    refusal = Refusal("access/key-revoked", "This key was revoked; ask the grant's holder for another.")
    return _finding("key-live", refusal, detail, holds=holds)


def _member(facts: Facts) -> Finding:
    holder = facts.grant is not None and facts.grant.holder == facts.person
    detail = "holds the grant" if holder else "of the project" if facts.belongs else "not of the project"
    reason = "This key's person is not a member of the project any more; its holder may invite them again."
    return _finding("member-of-project", Refusal("access/key-revoked", reason), detail, holds=facts.belongs)


def _grant_in_force(facts: Facts) -> Finding:
    grant = facts.grant
    state = grant.state if grant else None
    since = f"{state.value} since {rfc3339(grant.changed_at)}" if grant and state else "no grant"
    why = f" ({grant.changed_reason})" if grant and grant.changed_reason else ""
    named = {"sanction": of_state(facts)}
    if state is GrantState.SUSPENDED:
        refusal = Refusal("access/grant-suspended", f"This grant is suspended{why}; the lab may reinstate it.", named)
    else:
        refusal = Refusal(
            "access/grant-revoked", f"This grant was revoked{why}; that is final, unless an appeal is upheld.", named
        )
    return _finding("grant-in-force", refusal, since + why, holds=state is GrantState.ACTIVE)


def _history_known(facts: Facts) -> Finding:
    since = facts.restored_at
    shown = f"restored {rfc3339(since)}" if since else ""
    reason = (
        f"This house was {shown} from a backup; every grant is suspended until the lab has answered for what was "
        "decided after it."
    )
    detail = f"{shown}, and nobody has answered for what came after the backup" if since else "no restoring is open"
    refusal = Refusal("access/grant-suspended", reason, {"restored_at": rfc3339(since) if since else None})
    return _finding("history-known", refusal, detail, holds=since is None)


def _not_expired(facts: Facts, now: datetime) -> Finding:
    ends = facts.grant.expires_at if facts.grant else now
    refusal = Refusal("access/grant-expired", f"This grant ended on {rfc3339(ends)}; apply for a renewal.")
    return _finding("not-expired", refusal, f"until {rfc3339(ends)}", holds=now < ends)


def _not_barred(facts: Facts, now: datetime) -> Finding:
    until = facts.barred_until
    holds = until is None or now >= until
    detail = "no bar" if holds or until is None else f"barred until {rfc3339(until)}"
    refusal = Refusal("access/grant-suspended", f"This reader is {detail}.", {"sanction": of_bar(facts, now)})
    return _finding("person-not-barred", refusal, detail, holds=holds)


def _terms_accepted(facts: Facts) -> Finding:
    needed = facts.terms_needed
    detail = "accepted" if facts.terms_accepted else "not accepted"
    reason = "Read and accept the terms on the portal (My reading); until then this key is paused."
    refusal = Refusal("access/terms-not-accepted", reason, {"terms": needed})
    shown = f"{needed[:19]}... {detail}" if needed else "no terms are published"
    return _finding("terms-accepted", refusal, shown, holds=needed is not None and facts.terms_accepted)


def _retention_agreed(facts: Facts, stage: StageFact | None) -> Finding:
    """Keep nobody's texts who has not agreed to it, and serve nobody unkept where the stage keeps."""
    asked = stage.retention if stage else None
    if asked is None:
        return Fact("retention-agreed", holds=True, detail="no text is kept"), None
    reason = (
        f"In this stage {asked.describe()}. Agree to that on the portal (My reading); until then this key is paused."
    )
    holds = facts.agreed == asked.digest
    detail = f"texts are kept for {asked.days} days; {'agreed' if holds else 'not agreed'}"
    refusal = Refusal("access/terms-not-accepted", reason, {"retention": asked.digest})
    return _finding("retention-agreed", refusal, detail, holds=holds)


def check_agreement(stage: StageFact | None, shown: str) -> Refusal | None:
    """Refuse an agreement to anything but what the stage keeps now."""
    asked = stage.retention if stage else None
    if asked is None:
        return Refusal("access/nothing-kept", "This grant's stage keeps no texts; there is nothing to agree to.")
    if asked.digest == shown:
        return None
    reason = "What is kept has changed since you were shown it; read what is said now and agree to that."
    return Refusal("access/retention-changed", reason, {"retention": asked.digest})


def _stage_open(stage: StageFact | None) -> Finding:
    if stage is None:
        refusal = Refusal("releases/stage-not-open", "The stage of this grant is not in the plan in force.")
        return _finding("stage-open", refusal, "no such stage", holds=False)
    holds = stage.open and stage.channel is Channel.API
    refusal = Refusal("releases/stage-not-open", f"The stage {stage.name} is not open: {stage.reason or 'no API'}")
    return _finding("stage-open", refusal, f"{stage.name}: {'open' if holds else stage.reason}", holds=holds)


def _tier_covers(facts: Facts, stage: StageFact | None, need: Need) -> Finding:
    name = facts.grant.tier if facts.grant else ""
    tier = stage.tiers.get(name) if stage else None
    allowed = tier.top_logprobs if tier else 0
    asks = need.top_logprobs or int(need.logprobs)
    reason = f"The tier {name!r} of this grant shows at most {allowed} log-probabilities; {asks} were asked for."
    refusal = Refusal("access/tier-too-low", reason, {"tier": name, "top_logprobs": allowed})
    return _finding(
        "tier-covers", refusal, f"{name}: up to {allowed} log-probabilities", holds=tier is not None and asks <= allowed
    )


def _allocation_left(left: Left) -> Finding:
    listed = {"passes": left.passes, "tokens": left.tokens, "calls": left.calls}
    spent = [unit for unit, amount in listed.items() if amount is not None and amount <= 0]
    shown = ", ".join(f"{amount} {unit}" for unit, amount in listed.items() if amount is not None) or "unmetered"
    reason = f"All {' and '.join(spent)} of this grant are used; apply for a larger allocation."
    return _finding(
        "allocation-left", Refusal("access/allocation-exhausted", reason), f"left: {shown}", holds=not spent
    )


def check_match(known: Restoration, size: int, *, same: bool) -> Refusal | None:
    """Refuse a checkpoint that does not show that nothing after the backup has left the house.

    The backup itself stood at `known.size`, and its checkpoint was on every page: what is older than that is not the
    newest that left. So the only one that matches is the very one of the backup.

    Args:
        known: the restoration.
        size: entries of the log at that checkpoint.
        same: whether it is the checkpoint of this very log at that size; of no meaning where it is larger.
    """
    if size > known.size or known.newer is not None:
        newest = max(size, known.newer or 0)
        reason = (
            f"The log had {newest} entries, and {known.size} came back: {newest - known.size} are lost, whatever they "
            "decided. Two persons must confirm this gap."
        )
        return Refusal("access/history-lost", reason, {"size": known.size, "newer": newest})
    if not same:
        reason = "That checkpoint is of another history than the one that came back; find out which of them is yours."
        return Refusal("access/other-history", reason, {"size": size})
    if size < known.size:
        reason = (
            f"That checkpoint has {size} entries, and the backup was made at {known.size}: so it is not the newest "
            "that left the house. Show the newest, or let two persons confirm the gap."
        )
        return Refusal("access/checkpoint-too-old", reason, {"size": size, "restored": known.size})
    return None


def check_word(known: Restoration, person: str) -> Refusal | None:
    """Refuse a second word of the same person: nobody counts twice."""
    if all(each.person != person for each in known.words):
        return None
    reason = "You have confirmed this gap already; a second person must, and one person never counts twice."
    return Refusal("access/already-confirmed", reason, {"confirmed": len(known.words), "needed": RESTORE_QUORUM})


def change_grant(state: GrantState, act: str) -> GrantState | Refusal:
    """Return the state after an act, or refuse one that the table does not have."""
    found = GRANT_TRANSITIONS.get((state, act))
    if found is not None:
        return found
    able = [done for (before, done) in GRANT_TRANSITIONS if before is state and done != "restore"]
    cure = (
        f"It can be {' or '.join(_DONE[each] for each in able)}."
        if able
        else "That is final, unless an appeal is upheld; issue a new grant instead."
    )
    return Refusal(
        "access/cannot-change-grant",
        f"A grant that is {state.value} cannot be {_DONE[act]}. {cure}",
        {"state": state.value},
    )


def may_change_grant(state: GrantState, act: str) -> bool:
    """Tell whether an act is possible: the yes/no twin, for a page's buttons."""
    return (state, act) in GRANT_TRANSITIONS


def key_state(key: Key, now: datetime) -> KeyState:
    """Return where a key stands: its end is a date, so that nothing has to happen for it to end."""
    if key.ends_at is None:
        return KeyState.LIVE
    return KeyState.ENDING if now < key.ends_at else KeyState.ENDED


def check_key_change(key: Key, act: str, now: datetime) -> Refusal | None:
    """Refuse an act on a key that the table does not have: a key that was revoked is not brought back by rotating."""
    state = key_state(key, now)
    if (state, act) in KEY_TRANSITIONS:
        return None
    reason = f"This key is {state.value} and cannot be {_DONE[act]}; issue a new one with `key issue`."
    return Refusal("access/cannot-change-key", reason, {"state": state.value})


def check_reason(reason: Reason, note: str) -> Refusal | None:
    """Refuse a sanction for `other` without a note."""
    if reason is Reason.OTHER and not note.strip():
        return Refusal("access/note-missing", "The reason `other` needs a note that says what it is.")
    return None


def check_newest(keys: Sequence[Key], shown: str) -> Refusal | None:
    """Refuse a further key to who was shown another as the newest: the same form was sent twice."""
    if not keys or keys[-1].id == shown:
        return None
    made = keys[-1]
    reason = (
        f"A key ({made.hint}…) was made since this form was shown, so no second one was. Each is shown once only: "
        "if you have not kept it, revoke it and make another."
    )
    return Refusal("access/key-made-already", reason, {"key": made.id})


def check_bar(standing: datetime | None, until: datetime, reason: Reason, now: datetime) -> Refusal | None:
    """Refuse a bar that is none, or one that would shorten the bar that stands without saying that it was an error."""
    if reason is Reason.ERROR_CORRECTED:
        return None
    if until <= now:
        return Refusal("access/already-expired", "A bar must end in the future; choose a later one.")
    if standing is not None and until <= standing:
        cure = "Only a longer one can be added, or, with the reason error-corrected, that one put right."
        reason_ = f"This person is barred until {rfc3339(standing)} already. {cure}"
        return Refusal("access/person-barred", reason_, {"until": rfc3339(standing)})
    return None


def check_award(award: Award, stage: StageFact | None, barred_until: datetime | None, now: datetime) -> Refusal | None:
    """Refuse to issue what could never be used, or should not be."""
    if (barred := check_not_barred(barred_until, now)) is not None:
        return barred
    if stage is None or stage.channel is not Channel.API:
        return Refusal("access/no-such-stage", f"The plan in force has no API stage named {award.stage!r}.")
    if award.tier not in stage.tiers:
        known = ", ".join(stage.tiers) or "none"
        return Refusal("access/no-such-tier", f"The stage {stage.name} has no tier {award.tier!r}; it has: {known}.")
    if award.expires_at <= now:
        return Refusal("access/already-expired", "A grant must end in the future; choose a later --expires.")
    return _check_amounts(award.allocation)


def _check_amounts(amounts: Amounts) -> Refusal | None:
    for unit, amount in amounts.to_json().items():
        if amount is not None and not 0 < amount < 2**53:
            return Refusal("access/bad-amount", f"{unit} must be a whole number from 1 to 2^53 - 1, not {amount}.")
    return None


def diagrams() -> dict[str, str]:
    """Return the state machines as Mermaid diagrams, from the tables that the code obeys."""
    grant = ["stateDiagram-v2", "    [*] --> active: issue"]
    grant += [f"    {before.value} --> {after.value}: {act}" for (before, act), after in GRANT_TRANSITIONS.items()]
    key = ["stateDiagram-v2", "    [*] --> live: issue"]
    key += [f"    {before.value} --> {after.value}: {act}" for (before, act), after in KEY_TRANSITIONS.items()]
    key += ["    ending --> ended: its grace is over"]
    return {"grant": "\n".join(grant), "key": "\n".join(key)}
