"""Use cases of the admissions room, one class for all of them.

Each public method is one use case: one transaction, with its ledger entries in it. They are grouped by who acts:
`calls`, `drafting`, `late`, `checking` and `sifting` (the desk), `applying`, `attaching` and `teams` (applicants),
`inviting`, `interests`, `assigning`, `reviewing`, `panel` and `peers` (reviewers and who leads them), `deciding`
(whoever decides), `awarding`, and after that `requesting` (holders), `funding`, `second_chances`, `appealing`; and
`merging`.
"""

from __future__ import annotations

from readingroom.admissions.service.appealing import Appealing
from readingroom.admissions.service.applying import Applying
from readingroom.admissions.service.attaching import Attaching
from readingroom.admissions.service.awarding import Awarding
from readingroom.admissions.service.calls import Calls
from readingroom.admissions.service.checking import Checking
from readingroom.admissions.service.dossiers import Dossiers
from readingroom.admissions.service.drafting import Drafting
from readingroom.admissions.service.inviting import Inviting
from readingroom.admissions.service.late import Late
from readingroom.admissions.service.merging import Merging
from readingroom.admissions.service.peers import Peers
from readingroom.admissions.service.requesting import Requesting
from readingroom.admissions.service.second_chances import SecondChances
from readingroom.admissions.service.sifting import Sifting
from readingroom.admissions.service.teams import Teams


class Admissions(
    Calls,
    Drafting,
    Late,
    Checking,
    Sifting,
    Peers,
    Applying,
    Attaching,
    Teams,
    Inviting,
    SecondChances,
    Appealing,
    Awarding,
    Requesting,
    Dossiers,
    Merging,
):
    """Calls, applications, reviews, allocation, awards, and what follows them."""


__all__ = ["Admissions"]
