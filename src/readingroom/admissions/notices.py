"""What an applicant is told of a decision: code, text, what would have had to differ, when to apply again, appeal."""

from __future__ import annotations

from datetime import datetime, timedelta

from readingroom.admissions.allocation import Sheet
from readingroom.admissions.appeals.rules import due
from readingroom.admissions.call import CallFile
from readingroom.admissions.model import Decision, Outcome, Reason, Ruling
from readingroom.core.clock import rfc3339

_DIFFER = {
    Reason.SUITABLE: "Nothing: it was awarded.",
    Reason.OUT_OF_SCOPE: "A purpose within that of this call.",
    Reason.UNCLEAR: "Answers from which a reader can tell what will be asked, how often and why.",
    Reason.MISUSE_RISK: "Another use of the model, or a plan that takes the named risk away.",
    Reason.BUDGET_SPENT: "A call with budget left; the application itself was not found wanting.",
    Reason.NOT_VOUCHED: "A guarantor who vouches for the version that counts; silence is no vouching.",
    Reason.OTHER: "What the reason names.",
    Reason.NO_AFFILIATION: "An affiliation of a kind that this call asks for, valid when you submit.",
    Reason.NO_CREDENTIAL: "The credentials that this call asks for, valid when you submit.",
    Reason.INCOMPLETE: "Answers that are complete enough to be reviewed.",
    Reason.DUPLICATE: "Nothing: the other application stands.",
    Reason.SIFTED_OUT: "A higher score on the criterion of the sift.",
    Reason.NO_REVIEWS_GIVEN: "The reviews that every applicant of this call gives.",
}


def by_rule(file: CallFile, sheet: Sheet, at: datetime, by: str, ticket: str = "") -> Decision:
    """Tell what the published rule of a competition decided; by the ticket one finds oneself in the public dossier."""
    outcome = Outcome.AWARDED if sheet.amounts else Outcome.REFUSED
    return Decision(
        application=sheet.application,
        outcome=outcome,
        reason=sheet.reason,
        text=sheet.text,
        differ=sheet.differ,
        reapply_from=_reapply_from(file, outcome, at),
        appeal=_to_appeal(file, outcome, at),
        decided_at=at,
        decided_by=by,
        sheet={**sheet.to_json(), "ticket": ticket},
    )


def by_person(file: CallFile, application: str, ruling: Ruling, at: datetime, by: str) -> Decision:
    """Tell what a person decided."""
    return Decision(
        application=application,
        outcome=ruling.outcome,
        reason=ruling.reason,
        text=ruling.note.strip() or "Found suitable.",
        differ=_DIFFER[ruling.reason],
        reapply_from=_reapply_from(file, ruling.outcome, at),
        appeal=_to_appeal(file, ruling.outcome, at),
        decided_at=at,
        decided_by=by,
    )


def refusal_letter(file: CallFile, decided: Decision) -> str:
    """Say a refusal in full, as plain text, for a letter: nothing of it stands on the portal alone."""
    return (
        f"Your application to {file.title} was refused.\n\n"
        f"Reason code: {decided.reason.value}\n"
        f"Why: {decided.text}\n"
        f"What would have had to differ: {decided.differ}\n"
        f"You may apply again from: {rfc3339(decided.reapply_from)}\n"
        f"To appeal: {decided.appeal}\n"
    )


def _reapply_from(file: CallFile, outcome: Outcome, at: datetime) -> datetime:
    return at + timedelta(days=file.reapply_after_days if outcome is Outcome.REFUSED else 0)


def _to_appeal(file: CallFile, outcome: Outcome, at: datetime) -> str:
    if outcome is Outcome.REFUSED:
        return appeal(file, at)
    return "Only a refusal can be appealed. An offer that is of no use can be declined; its amount goes to others."


def appeal(file: CallFile, decided_at: datetime) -> str:
    """Say how to appeal: until when, on what grounds, who hears it, and what it can give."""
    terms = file.after.appeals
    grounds = "; ".join(f"{each.value.replace('-', ' ')} ({each.says})" for each in terms.grounds)
    heard = f"{terms.panel} people" if terms.panel > 1 else "somebody"
    return (
        f"You may appeal until {due(terms, decided_at):%-d %B %Y, %H:%M} UTC, {terms.days} days after this decision, "
        f"on the page of your application. Grounds: {grounds}. New facts make a new application, not an appeal. It is "
        f"heard by {heard} who took no part in this decision. What an upheld appeal gives comes out of the "
        f"{file.reserve:,} passes kept for that, and from nobody's award. A late appeal is kept too, and a person says "
        "whether it is heard."
    )
