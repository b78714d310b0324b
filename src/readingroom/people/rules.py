"""May this person? One table of permissions; what may be done *now* is each room's own policy."""

from __future__ import annotations

from enum import StrEnum

from readingroom.core.refusal import Refusal
from readingroom.people.model import Actor, Role


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
    WORK_PUBLISH = "oversight:work:publish"
    LETTER_MANAGE = "post:letter:manage"


P = Permission
_STEWARD = frozenset(P) - {P.APPLICATION_REVIEW}
BY_ROLE: dict[Role, frozenset[Permission]] = {
    Role.STEWARD: _STEWARD,
    Role.TESTER: frozenset({P.MODEL_REGISTER, P.DOCUMENT_FILE, P.RUN_START, P.STAGE_SIGN}),
    Role.REVIEWER: frozenset({P.APPLICATION_REVIEW}),
    Role.PANEL: frozenset({P.APPEAL_HEAR, P.APPLICATION_READ, P.CALL_DECIDE, P.STAGE_SIGN}),
    Role.SAFETY: frozenset(
        {P.GRANT_WARN, P.GRANT_SANCTION, P.GRANT_READ, P.RESTORE_LIFT, P.STAGE_SIGN, P.REGISTER_READ, P.TEXT_READ}
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
