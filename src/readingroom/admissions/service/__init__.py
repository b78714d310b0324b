"""Use cases of the admissions room, one class for all of them.

Each public method is one use case: one transaction, with its ledger entries in it. They are grouped by who acts:
`calls` (the desk), `applying` (applicants), `reviewing` (reviewers), `deciding` (whoever decides), `awarding`.
"""

from __future__ import annotations

from readingroom.admissions.service.applying import Applying
from readingroom.admissions.service.awarding import Awarding
from readingroom.admissions.service.calls import Calls
from readingroom.admissions.service.deciding import Deciding
from readingroom.admissions.service.dossiers import Dossiers
from readingroom.admissions.service.reviewing import Reviewing


class Admissions(Calls, Applying, Reviewing, Deciding, Awarding, Dossiers):
    """Calls, applications, reviews, allocation and awards."""


__all__ = ["Admissions"]
