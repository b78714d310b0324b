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
from readingroom.admissions.queries.dossiers import conflict_counts, entries, fixed, tickets, tickets_at_closing
from readingroom.admissions.queries.reviews import declared, judgement, review, reviews, reviews_by

__all__ = [
    "allocation",
    "appeal",
    "appeals",
    "appeals_about",
    "appeals_in",
    "appeals_of",
    "application",
    "applications",
    "award",
    "awards",
    "awards_of",
    "awards_offered",
    "budget",
    "call",
    "call_text",
    "calls",
    "children",
    "conflict_counts",
    "decision",
    "declared",
    "entries",
    "family_awards",
    "fixed",
    "judgement",
    "last_refusal",
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
    "tickets",
    "tickets_at_closing",
    "took_part",
    "versions",
]
