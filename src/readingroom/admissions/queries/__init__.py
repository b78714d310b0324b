"""Reads of the admissions room, open to the rooms on its left. Who may see what is judged in the service."""

from __future__ import annotations

from readingroom.admissions.queries.after import (
    children,
    family_awards,
    observed,
    parent,
    request,
    requests,
    requests_of_award,
    requests_waiting,
    root,
)
from readingroom.admissions.queries.appeals import (
    appeal,
    appeals,
    appeals_about,
    appeals_in,
    appeals_of,
    took_part,
)
from readingroom.admissions.queries.applications import (
    application,
    applications,
    of_person,
    party,
    sides,
    team,
    versions,
)
from readingroom.admissions.queries.calls import budget, call, call_text, calls, postings
from readingroom.admissions.queries.decisions import (
    allocation,
    award,
    awards,
    awards_of,
    awards_offered,
    decision,
    last_refusal,
)
from readingroom.admissions.queries.history import attachments, content, told, unfinished
from readingroom.admissions.queries.reviews import declared, judgement, review, reviews, reviews_by
from readingroom.admissions.queries.teams import (
    invitation,
    invitation_of,
    invitations,
    joined,
    letters_since,
    members,
)

__all__ = [
    "allocation",
    "appeal",
    "appeals",
    "appeals_about",
    "appeals_in",
    "appeals_of",
    "application",
    "applications",
    "attachments",
    "award",
    "awards",
    "awards_of",
    "awards_offered",
    "budget",
    "call",
    "call_text",
    "calls",
    "children",
    "content",
    "decision",
    "declared",
    "family_awards",
    "invitation",
    "invitation_of",
    "invitations",
    "joined",
    "judgement",
    "last_refusal",
    "letters_since",
    "members",
    "observed",
    "of_person",
    "parent",
    "party",
    "postings",
    "request",
    "requests",
    "requests_of_award",
    "requests_waiting",
    "review",
    "reviews",
    "reviews_by",
    "root",
    "sides",
    "team",
    "told",
    "took_part",
    "unfinished",
    "versions",
]
