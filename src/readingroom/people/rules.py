"""May this person? One table of permissions; what may be done *now* is each room's own policy."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from readingroom.core.clock import rfc3339
from readingroom.core.refusal import Refusal
from readingroom.people.address import fold
from readingroom.people.model import MAIL, Actor, Fact, FactKind, How, Identity, Person, Role, Standing


class Permission(StrEnum):
    """Everything that somebody may be allowed to do: `room:thing:verb`."""

    PERSON_MANAGE = "people:person:manage"
    PERSON_ERASE = "people:person:erase"
    MODEL_REGISTER = "dossier:model:register"
    DOCUMENT_FILE = "dossier:document:file"
    RUN_START = "stress:run:start"
    PLAN_ADOPT = "releases:plan:adopt"
    STAGE_MOVE = "releases:stage:move"
    STAGE_SIGN = "releases:stage:sign"
    GATE_WAIVE = "releases:gate:waive"
    CALL_OPEN = "admissions:call:open"
    CALL_DECIDE = "admissions:call:decide"
    APPEAL_HEAR = "admissions:appeal:hear"
    APPLICATION_READ = "admissions:application:read"
    APPLICATION_REVIEW = "admissions:application:review"
    RISK_JUDGE = "admissions:risk:judge"
    GRANT_ISSUE = "access:grant:issue"
    GRANT_WARN = "access:grant:warn"
    GRANT_SANCTION = "access:grant:sanction"
    GRANT_REVOKE_MANY = "access:grant:revoke-many"
    GRANT_READ = "access:grant:read"
    TERMS_PUBLISH = "access:terms:publish"
    RESTORE_LIFT = "access:restore:lift"
    SAMPLE_ADD = "publication:sample:add"
    BUNDLE_BUILD = "publication:bundle:build"
    BUNDLE_SIGN = "publication:bundle:sign"
    REGISTER_READ = "oversight:register:read"
    TEXT_READ = "oversight:text:read"
    TEXT_ERASE = "oversight:text:erase"
    OBSERVATION_HANDLE = "oversight:observation:handle"
    WORK_PUBLISH = "oversight:work:publish"
    LETTER_MANAGE = "post:letter:manage"


P = Permission
_STEWARD = frozenset(P) - {P.APPLICATION_REVIEW, P.RISK_JUDGE}
BY_ROLE: dict[Role, frozenset[Permission]] = {
    Role.STEWARD: _STEWARD,
    Role.TESTER: frozenset({P.MODEL_REGISTER, P.DOCUMENT_FILE, P.RUN_START, P.STAGE_SIGN}),
    Role.REVIEWER: frozenset({P.APPLICATION_REVIEW}),
    Role.PANEL: frozenset({P.APPEAL_HEAR, P.APPLICATION_READ, P.CALL_DECIDE, P.STAGE_SIGN}),
    Role.SAFETY: frozenset(
        {
            P.GRANT_WARN,
            P.GRANT_SANCTION,
            P.GRANT_READ,
            P.RESTORE_LIFT,
            P.STAGE_SIGN,
            P.REGISTER_READ,
            P.OBSERVATION_HANDLE,
            P.TEXT_READ,
            P.RISK_JUDGE,
        }
    ),
    Role.AUDITOR: frozenset({P.APPLICATION_READ, P.GRANT_READ, P.REGISTER_READ, P.STAGE_SIGN}),
}
# The operator runs the house, but a signature, a review, a decision and a look into kept texts are somebody's own.
OPERATOR: frozenset[Permission] = frozenset(P) - {
    P.PERSON_ERASE,
    P.STAGE_SIGN,
    P.GATE_WAIVE,
    P.APPEAL_HEAR,
    P.CALL_DECIDE,
    P.APPLICATION_REVIEW,
    P.RISK_JUDGE,
    P.RESTORE_LIFT,
    P.TEXT_READ,
    P.TEXT_ERASE,
}


def permissions(actor: Actor) -> frozenset[Permission]:
    """Return everything that this actor may do."""
    if actor.is_operator:
        return frozenset(P) if actor.dev else OPERATOR
    return frozenset().union(*(BY_ROLE[role] for role in actor.roles))


def may(actor: Actor, permission: Permission) -> bool:
    """Tell whether this actor may: the yes/no twin of `check`, for a page's buttons."""
    return permission in permissions(actor)


def check(actor: Actor, permission: Permission) -> Refusal | None:
    """Refuse an actor who may not."""
    if may(actor, permission):
        return None
    who = "the operator" if actor.is_operator else "this person"
    holders = sorted(role.value for role, held in BY_ROLE.items() if permission in held)
    cure = f"A person with the role {' or '.join(holders)} may." if holders else ""
    if actor.is_operator:
        cure += " Sign in with `readingroom login URL`."
    return Refusal(
        "people/not-allowed",
        f"{who} may not do this ({permission}). {cure}".strip(),
        {"permission": permission.value, "actor": actor.id, "roles": sorted(r.value for r in actor.roles)},
    )


def standing(fact: Fact, now: datetime) -> Standing:
    """Say whether a fact holds at a moment: the one place where its dates and its proof are weighed."""
    if fact.ended_at is not None and now >= fact.ended_at:
        return Standing.ENDED
    if fact.until is not None and now >= fact.until:
        return Standing.EXPIRED
    if now < fact.since:
        return Standing.NOT_YET
    return Standing.UNCONFIRMED if fact.how is How.CLAIMED else Standing.HOLDS


def holds(facts: Iterable[Fact], now: datetime, kind: FactKind | None = None, body: str = "") -> bool:
    """Tell whether any of these facts holds now.

    Args:
        facts: what is known of a person (`people.queries.facts`).
        now: the moment of use; what held when somebody signed in is of no account.
        kind: which kind is asked for; None takes any.
        body: whose: an institution's or issuer's name, in whatever case; empty takes any.
    """
    return any(
        kind in {None, each.kind} and _is(each.body, body) and standing(each, now) is Standing.HOLDS for each in facts
    )


def missing(facts: Iterable[Fact], now: datetime, wanted: FactKind) -> Refusal | None:
    """Refuse a person of whom no such fact holds now, and say how near it is: the twin of `holds`."""
    mine = [each for each in facts if each.kind is wanted]
    if holds(mine, now):
        return None
    told = "; ".join(f"{each.body}: {standing(each, now).value}" for each in mine) or "there is none"
    reason = f"This needs a valid {wanted.value} ({told}). Add it under My account; a steward confirms it."
    return Refusal("people/fact-missing", reason, {"kind": wanted.value})


def _is(body: str, wanted: str) -> bool:
    return not wanted or body.casefold() == wanted.casefold()


def check_taking(found: Identity | None, person: str) -> Refusal | None:
    """Refuse an identity that is another person's: one name leads to one person, for good."""
    if found is None or found.person_id == person:
        return None
    reason = (
        "This belongs to another account here. If both are yours, merge them (My account); nobody else's can be added."
    )
    return Refusal("people/identity-taken", reason)


def check_signing_in(found: Identity) -> Refusal | None:
    """Refuse to sign in with what was taken off an account."""
    if found.live:
        return None
    reason = (
        "This was taken off the account that it belongs to, and signs nobody in. Sign in the other way, and add it "
        "again under My account."
    )
    return Refusal("people/identity-ended", reason)


def check_removing(found: Identity | None, owner: Person) -> Refusal | None:
    """Refuse to take off what is not there, or the address that letters go to: an account is never without a way in."""
    if found is None or found.person_id != owner.id or not found.live:
        return Refusal("people/identity-unknown", "Your account has no such way to sign in.")
    if found.issuer == MAIL and found.subject == owner.email:
        reason = (
            "Letters to you go to this address, so it stays. Add another, make that the one for letters, and go on."
        )
        return Refusal("people/contact-address", reason)
    return None


def check_merge(one: Person, other: Person, by: Actor, *, proved: bool) -> Refusal | None:
    """Refuse a merge of one account with itself, or, without proof, of one's own.

    Args:
        one: a person.
        other: the person that they are, too.
        by: who merges.
        proved: whoever merges has signed in to both accounts.
    """
    if one.id == other.id:
        return Refusal("people/same-person", "These are one account already.", {"person": one.id})
    if not proved and by.id in {one.id, other.id}:
        reason = "One of these is your own account: prove the other by signing in to both (My account, Merge)."
        return Refusal("people/own-merge", reason)
    return None


def elder(one: Person, other: Person) -> tuple[Person, Person]:
    """Return the account that stays when both are one person's, and the one that is merged into it: the older stays."""
    first, second = sorted((one, other), key=lambda each: (each.created_at, each.id))
    return first, second


def domain_institution(email: str, institutions: dict[str, str]) -> tuple[str, str] | None:
    """Return the institution that an address belongs to, with its domain; a subdomain is not taken for its domain."""
    domain = fold(email).rpartition("@")[2]
    found = institutions.get(domain)
    return (domain, found) if found else None


def fact_data(fact: Fact) -> dict[str, str | None]:
    """Return what the ledger says of a fact: nothing of whose institution it is."""
    return {
        "person": fact.person_id,
        "fact": fact.id,
        "kind": fact.kind.value,
        "how": fact.how.value,
        "until": rfc3339(fact.until) if fact.until else None,
    }
