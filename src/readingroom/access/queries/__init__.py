"""Reads of the access room, open to the rooms on its left. Who may see what is judged in the service."""

from __future__ import annotations

from readingroom.access.queries.facts import facts_for_grant, facts_for_key, facts_for_keys
from readingroom.access.queries.grants import (
    grant,
    grant_counts,
    grant_lines,
    grant_of,
    grant_of_award,
    grants,
    grants_of,
    grants_page,
    grants_with,
    invitations,
    key,
    keys,
    left,
    member,
    members,
    persons_of,
    standing_counts,
)
from readingroom.access.queries.house import bump, restoration, version
from readingroom.access.queries.sanctions import (
    barred_until,
    sanction,
    sanctions,
    sanctions_about,
    standing,
)
from readingroom.access.queries.terms import acceptances, reading_under, terms_versions

__all__ = [
    "acceptances",
    "barred_until",
    "bump",
    "facts_for_grant",
    "facts_for_key",
    "facts_for_keys",
    "grant",
    "grant_counts",
    "grant_lines",
    "grant_of",
    "grant_of_award",
    "grants",
    "grants_of",
    "grants_page",
    "grants_with",
    "invitations",
    "key",
    "keys",
    "left",
    "member",
    "members",
    "persons_of",
    "reading_under",
    "restoration",
    "sanction",
    "sanctions",
    "sanctions_about",
    "standing",
    "standing_counts",
    "terms_versions",
    "version",
]
