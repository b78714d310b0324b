"""Who may be of a project. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from readingroom.access.model import Grant, GrantState, Member
from readingroom.core.refusal import Refusal

MOST = 50  # members of one project beside its holder, invited ones among them


def check_invitation(grant: Grant, members: Sequence[Member], person: str) -> Refusal | None:
    """Refuse to invite who is of the project or asked already, to a grant that is over, or one too many."""
    if grant.state is GrantState.REVOKED:
        return Refusal("access/grant-revoked", "This grant was revoked; nobody can be invited to it.")
    if person == grant.holder or any(each.person == person and each.left_at is None for each in members):
        return Refusal("access/member-already", "That person is a member of the project, or invited to it, already.")
    if sum(each.left_at is None for each in members) >= MOST:
        return Refusal("access/too-many-members", f"A project has at most {MOST} members; remove one first.")
    return None


def check_removal(grant: Grant, found: Member | None, person: str) -> Refusal | None:
    """Refuse to remove the holder, who answers for the grant, or who is not of the project."""
    if person == grant.holder:
        reason = "The holder answers for the grant and cannot be removed; the lab can transfer or end it."
        return Refusal("access/holder-stays", reason)
    if found is None or found.left_at is not None:
        return Refusal("access/no-such-member", "That person is not a member of this grant's project.")
    return None
