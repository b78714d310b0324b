"""Reads of the admissions room, open to the rooms on its left. Who may see what is judged in the service."""

from __future__ import annotations

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
from readingroom.admissions.queries.decisions import allocation, award, awards, awards_of, decision, last_refusal
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
    "application",
    "applications",
    "attachments",
    "award",
    "awards",
    "awards_of",
    "budget",
    "call",
    "call_text",
    "calls",
    "content",
    "decision",
    "declared",
    "invitation",
    "invitation_of",
    "invitations",
    "joined",
    "judgement",
    "last_refusal",
    "letters_since",
    "members",
    "of_person",
    "party",
    "postings",
    "review",
    "reviews",
    "reviews_by",
    "sides",
    "team",
    "told",
    "unfinished",
    "versions",
]
