"""One table: how each refusal ends at each door.

`tests/architecture/test_refusals.py` proves it total: every code that the source can refuse with stands here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ending:
    """How a refusal looks outside.

    Attributes:
        status: HTTP status.
        type: OpenAI's error type.
        retryable: whether waiting alone can cure it; if not, `x-should-retry: false` is sent, since
            official clients retry 409, 429 and 5xx otherwise.
    """

    status: int
    type: str
    retryable: bool = False

    @property
    def exit_code(self) -> int:
        """The command line's exit code: 1 is refused or failed (2 is bad usage or a bad file)."""
        return 1


_AUTH, _PERMISSION, _INVALID = "authentication_error", "permission_error", "invalid_request_error"
_LIMIT, _SERVER = "rate_limit_error", "server_error"

ENDINGS: dict[str, Ending] = {
    # the data plane, as the outside contract names them
    "gateway/bad-request": Ending(400, _INVALID),
    "gateway/body-too-large": Ending(413, _INVALID),
    "gateway/model-unknown": Ending(404, _INVALID),
    "gateway/not-found": Ending(404, _INVALID),
    "gateway/method-not-allowed": Ending(405, _INVALID),
    "gateway/receipt-unknown": Ending(404, _INVALID),
    "gateway/receipt-pending": Ending(202, _INVALID, retryable=True),
    "gateway/idempotency-conflict": Ending(409, _INVALID),
    "gateway/cannot-confirm-grant": Ending(503, _SERVER, retryable=True),
    "gateway/busy": Ending(503, _SERVER, retryable=True),  # the line in front of the engine is full
    "gateway/shutting-down": Ending(503, _SERVER, retryable=True),
    "gateway/cannot-keep": Ending(503, _SERVER, retryable=True),
    "screening/entrance": Ending(400, _INVALID),
    "screening/failed": Ending(503, _SERVER, retryable=True),
    "access/key-unknown": Ending(401, _AUTH),
    "access/key-revoked": Ending(403, _PERMISSION),
    "access/grant-suspended": Ending(403, _PERMISSION),
    "access/grant-revoked": Ending(403, _PERMISSION),
    "access/grant-expired": Ending(403, _PERMISSION),
    "access/terms-not-accepted": Ending(403, _PERMISSION),
    "access/machine-not-enrolled": Ending(403, _PERMISSION),
    "access/tier-too-low": Ending(403, _PERMISSION),
    "access/allocation-exhausted": Ending(429, _LIMIT),  # retryable only while others hold reservations
    "access/rate-limited": Ending(429, _LIMIT, retryable=True),
    "access/throttled": Ending(429, _LIMIT, retryable=True),
    "releases/stage-not-open": Ending(403, _PERMISSION),
    "engine/unavailable": Ending(502, _SERVER, retryable=True),
    "engine/timeout": Ending(504, _SERVER, retryable=True),
    "ledger/cannot-record": Ending(503, _SERVER, retryable=True),
    "ledger/entry-too-large": Ending(413, _INVALID),
    "releases/gate-not-met": Ending(409, _INVALID),
    "releases/not-from-here": Ending(409, _INVALID),
    "releases/model-not-registered": Ending(409, _INVALID),
    "releases/nothing-to-sign": Ending(409, _INVALID),
    "releases/already-signed": Ending(409, _INVALID),
    "releases/cannot-waive": Ending(409, _INVALID),
    "releases/irreversible": Ending(409, _INVALID),
    "releases/no-plan": Ending(409, _INVALID),
    "releases/not-a-signer": Ending(403, _PERMISSION),
    "releases/stage-unknown": Ending(404, _INVALID),
    "releases/clause-unknown": Ending(404, _INVALID),
    "dossier/model-is-immutable": Ending(409, _INVALID),
    "dossier/model-unknown": Ending(404, _INVALID),
    "ledger/empty": Ending(404, _INVALID),
    "ledger/no-such-tile": Ending(404, _INVALID),
    "stress/no-such-suite": Ending(404, _INVALID),
    "stress/no-such-run": Ending(404, _INVALID),
    "stress/not-the-served-model": Ending(409, _INVALID),
    "access/cannot-change-grant": Ending(409, _INVALID),
    "access/cannot-change-key": Ending(409, _INVALID),
    "access/key-made-already": Ending(409, _INVALID),
    "access/not-a-service-account": Ending(409, _INVALID),
    "access/note-missing": Ending(400, _INVALID),
    "access/person-barred": Ending(403, _PERMISSION),
    "access/not-restored": Ending(409, _INVALID),
    "access/history-lost": Ending(409, _INVALID),
    "access/other-history": Ending(409, _INVALID),
    "access/checkpoint-too-old": Ending(409, _INVALID),
    "access/already-confirmed": Ending(409, _INVALID),
    "access/no-such-stage": Ending(404, _INVALID),
    "access/no-such-tier": Ending(404, _INVALID),
    "access/already-expired": Ending(400, _INVALID),
    "access/bad-amount": Ending(400, _INVALID),
    "access/bad-grace": Ending(400, _INVALID),
    "access/no-such-grant": Ending(404, _INVALID),
    "access/no-such-sanction": Ending(404, _INVALID),
    "access/no-such-member": Ending(404, _INVALID),
    "access/no-such-invitation": Ending(404, _INVALID),
    "access/bad-sanction": Ending(400, _INVALID),
    "access/cannot-change-sanction": Ending(409, _INVALID),
    "access/member-already": Ending(409, _INVALID),
    "access/too-many-members": Ending(409, _INVALID),
    "access/holder-stays": Ending(409, _INVALID),
    "access/nothing-to-revoke": Ending(409, _INVALID),
    "access/not-what-was-shown": Ending(409, _INVALID),
    "access/no-such-key": Ending(404, _INVALID),
    "access/terms-unchanged": Ending(409, _INVALID),
    "access/terms-changed": Ending(409, _INVALID),
    "access/no-terms": Ending(409, _INVALID),
    "access/nothing-kept": Ending(409, _INVALID),
    "access/retention-changed": Ending(409, _INVALID),
    "publication/not-released": Ending(409, _INVALID),
    "publication/not-whole": Ending(409, _INVALID),
    "publication/other-weights": Ending(409, _INVALID),
    "publication/sample-unknown": Ending(404, _INVALID),
    "admissions/call-unknown": Ending(404, _INVALID),
    "admissions/application-unknown": Ending(404, _INVALID),
    "admissions/award-unknown": Ending(404, _INVALID),
    "admissions/review-unknown": Ending(404, _INVALID),
    "admissions/stage-unknown": Ending(404, _INVALID),
    "admissions/not-a-reviewer": Ending(403, _PERMISSION),
    "admissions/own-application": Ending(403, _PERMISSION),
    "admissions/blind-phase": Ending(403, _PERMISSION),
    "admissions/conflict": Ending(403, _PERMISSION),
    "admissions/stage-not-lent": Ending(400, _INVALID),
    "admissions/tier-unknown": Ending(400, _INVALID),
    "admissions/no-time-to-correct": Ending(400, _INVALID),
    "admissions/reviewer-unknown": Ending(400, _INVALID),
    "admissions/amount-out-of-bounds": Ending(400, _INVALID),
    "admissions/reason-not-fitting": Ending(400, _INVALID),
    "admissions/note-missing": Ending(400, _INVALID),
    "admissions/not-granted": Ending(400, _INVALID),
    "admissions/window-not-open": Ending(409, _INVALID, retryable=True),
    "admissions/window-open": Ending(409, _INVALID, retryable=True),
    "admissions/correction-pending": Ending(409, _INVALID, retryable=True),
    "admissions/too-early-to-reapply": Ending(409, _INVALID, retryable=True),
    "admissions/offer-still-open": Ending(409, _INVALID, retryable=True),
    "admissions/wrong-state": Ending(409, _INVALID),
    "admissions/window-closed": Ending(409, _INVALID),
    "admissions/already-applied": Ending(409, _INVALID),
    "admissions/not-in-review": Ending(409, _INVALID),
    "admissions/no-reviews": Ending(409, _INVALID),
    "admissions/reviewers-missing": Ending(409, _INVALID),
    "admissions/reviews-missing": Ending(409, _INVALID),
    "admissions/returned-undecided": Ending(409, _INVALID),
    "admissions/competition": Ending(409, _INVALID),
    "admissions/no-competition": Ending(409, _INVALID),
    "admissions/vetoed": Ending(409, _INVALID),
    "admissions/budget-exhausted": Ending(409, _INVALID),
    "access/in-use": Ending(409, _INVALID, retryable=True),
    "admissions/appeal-unknown": Ending(404, _INVALID),
    "admissions/request-unknown": Ending(404, _INVALID),
    "admissions/appeal-not-yours": Ending(403, _PERMISSION),
    "admissions/not-on-the-panel": Ending(403, _PERMISSION),
    "admissions/not-a-holder": Ending(403, _PERMISSION),
    "admissions/no-such-ground": Ending(400, _INVALID),
    "admissions/nothing-to-appeal": Ending(409, _INVALID),
    "admissions/already-appealed": Ending(409, _INVALID),
    "admissions/panel-divided": Ending(409, _INVALID),
    "admissions/panel-not-fit": Ending(409, _INVALID),
    "admissions/reserve-needed": Ending(409, _INVALID),
    "admissions/request-waits": Ending(409, _INVALID),
    "admissions/nothing-held": Ending(409, _INVALID),
    "admissions/no-supplements": Ending(409, _INVALID),
    "admissions/supplement-too-large": Ending(409, _INVALID),
    "admissions/no-transfer": Ending(409, _INVALID),
    "admissions/no-award": Ending(409, _INVALID),
    "admissions/grant-in-force": Ending(409, _INVALID),
    "admissions/cannot-fund": Ending(409, _INVALID),
    "admissions/pool-too-small": Ending(409, _INVALID),
    "admissions/nobody-waits": Ending(409, _INVALID),
    # a worker, in the portal's place
    "web/portal-away": Ending(503, _SERVER, retryable=True),
    "web/portal-busy": Ending(503, _SERVER, retryable=True),
    "web/no-answer": Ending(503, _SERVER),  # nobody knows what was done
    # persons
    "people/not-allowed": Ending(403, _PERMISSION),
    "people/not-signed-in": Ending(401, _AUTH),
    "people/form-not-ours": Ending(403, _PERMISSION),
    "people/link-spent": Ending(403, _AUTH),
    "people/person-unknown": Ending(404, _INVALID),
    "people/still-in-office": Ending(409, _INVALID),
    "people/still-reading": Ending(409, _INVALID),
    # letters
    "post/letter-unknown": Ending(404, _INVALID),
    # works
    "oversight/no-such-work": Ending(404, _INVALID),
    "oversight/work-not-there": Ending(409, _INVALID),
    "oversight/too-many-works": Ending(409, _INVALID),
    # texts that are kept for investigations
    "oversight/no-such-text": Ending(404, _INVALID),
    "oversight/sealed-elsewhere": Ending(409, _INVALID),
}


def ending(code: str) -> Ending:
    """Return how a refusal code ends; an unlisted code is a fault of ours and ends as a server error."""
    return ENDINGS.get(code, Ending(500, _SERVER))
