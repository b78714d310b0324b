"""A whole call on synthetic applicants, before it opens: pure, no database, the same for the same seed.

`field` makes the applicants, reviewers and their opinions; `play` runs the call's own rules on them; `shown` says it.
Nobody in it is anybody: applicants are A-001, reviewers R-01, and what they are like are numbers.
"""

from __future__ import annotations

from readingroom.admissions.rehearsal.play import MAX_APPLICANTS, Rehearsal, rehearse
from readingroom.admissions.rehearsal.shown import document, text

__all__ = ["MAX_APPLICANTS", "Rehearsal", "document", "rehearse", "text"]
