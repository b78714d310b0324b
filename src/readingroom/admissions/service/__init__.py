"""Use cases of the admissions room, one class for all of them.

Each public method is one use case: one transaction, with its ledger entries in it. They are grouped by who acts:
`calls` (the desk), `applying` (applicants), `reviewing` (reviewers), `deciding` (whoever decides), `awarding`, and
after that `requesting` (holders), `funding`, `second_chances`, `appealing`.
"""

from __future__ import annotations

from readingroom.admissions.service.appealing import Appealing
from readingroom.admissions.service.applying import Applying
from readingroom.admissions.service.awarding import Awarding
from readingroom.admissions.service.calls import Calls
from readingroom.admissions.service.dossiers import Dossiers
from readingroom.admissions.service.requesting import Requesting
from readingroom.admissions.service.reviewing import Reviewing
from readingroom.admissions.service.second_chances import SecondChances


class Admissions(Calls, Applying, Reviewing, SecondChances, Appealing, Awarding, Requesting, Dossiers):
    """Calls, applications, reviews, allocation, awards, and what follows them."""


__all__ = ["Admissions"]
