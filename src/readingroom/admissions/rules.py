"""The decisions of the room: may this be done now? Pure; whether this person may at all is `people.rules`.

A deadline never decides: time appears here only to say whether submissions are still taken, and whether a person
may already take back an offer.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from readingroom.admissions import machines, teams
from readingroom.admissions.appeals.rules import APPEAL
from readingroom.admissions.call import Call, CallFile
from readingroom.admissions.model import (
    BY_PERSON,
    Application,
    ApplicationState,
    Award,
    CallState,
    Outcome,
    Reason,
    Review,
    ReviewState,
    Ruling,
)
from readingroom.admissions.phases import OVER, hides_applicants
from readingroom.admissions.requests import REQUEST
from readingroom.core.clock import rfc3339
from readingroom.core.refusal import Refusal
from readingroom.core.text import many
from readingroom.people.model import Actor
from readingroom.people.rules import Permission, check, may
from readingroom.strategy.model import Audience, Channel, StageFact

IN_PLAY = frozenset({ApplicationState.SUBMITTED, ApplicationState.UNDER_REVIEW})
ASKED = frozenset({ReviewState.ASSIGNED, ReviewState.SUBMITTED})  # of reviews: still somebody's to give or amend


def diagrams() -> dict[str, str]:
    """Return every machine of the room as a Mermaid diagram, for the docs."""
    return {
        "call": machines.mermaid(machines.CALL),
        "application": machines.mermaid(machines.APPLICATION),
        "review": machines.mermaid(machines.REVIEW),
        "reviewer": machines.mermaid(machines.REVIEWER),
        "award": machines.mermaid(machines.AWARD),
        "request": machines.mermaid(REQUEST),
        "appeal": machines.mermaid(APPEAL),
        "invitation": machines.mermaid(teams.INVITATION),
    }


# Opening and closing


def check_opening(file: CallFile, stage: StageFact | None, now: datetime) -> Refusal | None:
    """Refuse to open a call for what cannot be lent, or whose window is already over."""
    if stage is None:
        reason = f"The plan in force has no stage {file.stage!r}; adopt a plan that has, or mend the call."
        return Refusal("admissions/stage-unknown", reason, {"stage": file.stage})
    if stage.channel is not Channel.API or stage.audience is not Audience.GRANTED:
        reason = f"The stage {file.stage!r} is not lent by grants: its channel must be api, its audience granted."
        return Refusal("admissions/stage-not-lent", reason, {"stage": file.stage, "channel": stage.channel.value})
    strange = [tier for tier in file.tiers if tier not in stage.tiers]
    if strange:
        reason = f"The stage {file.stage!r} has no tier {strange[0]!r}; it has: {', '.join(stage.tiers)}."
        return Refusal("admissions/tier-unknown", reason, {"tiers": strange})
    if min(each.window.closes for each in file.parts) <= now:
        return Refusal("admissions/window-closed", "The call's window is already over; give it a later end.")
    return None


def check_closing(call: Call, now: datetime) -> Refusal | None:
    """Refuse to close a call before the end that its applicants were promised."""
    refusal = machines.CALL.check(call.state, "close")
    if refusal or now >= call.file.window.closes or call.file.window.may_close_early:
        return refusal
    until = rfc3339(call.file.window.closes)
    reason = f"Applicants were promised until {until}; close it then. (A call may say window.may_close_early.)"
    return Refusal("admissions/window-open", reason, {"closes": until})


def may_close(call: Call, now: datetime) -> bool:
    """Tell whether a call can be closed now."""
    return check_closing(call, now) is None


# Applying


def check_window(call: Call, application: Application | None, now: datetime) -> Refusal | None:
    """Refuse what comes before or after the window; one returned for correction has its own time."""
    closes = call.file.window.closes
    returned = application is not None and application.state is ApplicationState.RETURNED
    if returned and application and application.correct_until and call.state in {CallState.OPEN, CallState.CLOSED}:
        if now <= application.correct_until:
            return None
        closes = max(closes, application.correct_until)
    if now < call.file.window.opens:
        reason = f"Applications are taken from {rfc3339(call.file.window.opens)}."
        return Refusal("admissions/window-not-open", reason, {"opens": rfc3339(call.file.window.opens)})
    if call.state is not CallState.OPEN or now >= closes:
        reason = "Applications to this call are no longer taken. What you saved is kept; nothing was refused."
        return Refusal("admissions/window-closed", reason, {"closes": rfc3339(closes)})
    return None


def window_open(call: Call, application: Application | None, now: datetime) -> bool:
    """Tell whether an application can be filled in and submitted now."""
    return check_window(call, application, now) is None


def check_person(by: Actor) -> Refusal | None:
    """Refuse an actor who is nobody in particular: an application, a review and an award are somebody's own."""
    if not by.is_operator:
        return None
    reason = "This is a person's own to do. Sign in with `readingroom login URL`."
    return Refusal("people/not-signed-in", reason, {"actor": by.id})


def check_not_barred(until: datetime | None, now: datetime) -> Refusal | None:
    """Refuse a person who may not read now: they cannot begin, submit or accept what would let them."""
    if until is None or now >= until:
        return None
    reason = f"You are barred from reading until {rfc3339(until)}, so you cannot apply or accept before that."
    return Refusal("admissions/person-barred", reason, {"until": rfc3339(until)})


def check_first(mine: Collection[Application]) -> Refusal | None:
    """Refuse a second application by the same person in one call: two would be two chances at one budget."""
    live = [each for each in mine if each.state is not ApplicationState.WITHDRAWN]
    if not live:
        return None
    reason = f"You have an application in this call already ({live[0].id}); amend it, or withdraw it first."
    return Refusal("admissions/already-applied", reason, {"application": live[0].id})


def check_reapplying(reapply_from: datetime | None, now: datetime) -> Refusal | None:
    """Refuse who was refused and asked to wait; the date was in the refusal."""
    if reapply_from is None or now >= reapply_from:
        return None
    reason = f"You may apply again from {rfc3339(reapply_from)}, as your last decision says."
    return Refusal("admissions/too-early-to-reapply", reason, {"reapply_from": rfc3339(reapply_from)})


def check_saving(application: Application) -> Refusal | None:
    """Refuse to change answers once reviewers read them, or once it is over; one that came late can still be saved."""
    if application.state is ApplicationState.LATE:
        return None
    return machines.APPLICATION.check(application.state, "submit")


def check_unchanged(application: Application, revision: int | None) -> Refusal | None:
    """Refuse to write over what was changed since somebody last looked: in another window, or by another program."""
    if revision is None or revision == application.revision:
        return None
    return changed_meanwhile(application.revision, revision)


def changed_meanwhile(revision: int, based_on: int) -> Refusal:
    """Say that somebody wrote while somebody else did."""
    reason = "This application was changed elsewhere since you opened it. Nothing was overwritten; look at it again."
    return Refusal("admissions/changed-meanwhile", reason, {"revision": revision, "based_on": based_on})


# Who may see and decide


def check_impartial(own: Collection[str]) -> Refusal | None:
    """Refuse who has a stake in a call to run or decide it; `own` are the ids of the applications they are part of."""
    if not own:
        return None
    reason = "You apply here yourself, or are named in the team, so somebody else has to do this."
    return Refusal("admissions/own-application", reason, {"application": min(own)})


def check_unblinded(by: Actor, call: Call, reviewers: Collection[str]) -> Refusal | None:
    """Refuse names and others' reviews to who reviews in this call, and names to the panel of a double-blind one."""
    refusal = check_not_reviewing(by, call, reviewers)
    if refusal or not hides_applicants(by, call):
        return refusal
    reason = "This call is double-blind: the panel reads its cases without names until it is allocated."
    return Refusal("admissions/blind-phase", reason, {"call": call.id})


def check_not_reviewing(by: Actor, call: Call, reviewers: Collection[str]) -> Refusal | None:
    """Refuse who reviews in this call to look at what others say, until it is allocated."""
    if by.id not in reviewers or call.state in OVER:
        return None
    reason = "You review in this call: who applies, and what others say, is shown to you once it is allocated."
    return Refusal("admissions/blind-phase", reason, {"call": call.id})


def may_see_names(by: Actor, call: Call, reviewers: Collection[str]) -> bool:
    """Tell whether somebody may see who applies."""
    return may(by, Permission.APPLICATION_READ) and check_unblinded(by, call, reviewers) is None


# Reviewing


def check_reviews(call: Call) -> Refusal | None:
    """Refuse what is about reviews where a call has none."""
    if call.file.reviewing is not None:
        return None
    return Refusal("admissions/no-reviews", "This call asks for no reviews; decide its applications directly.")


def check_reviewable(call: Call) -> Refusal | None:
    """Refuse reviewers and reviews where a call has none, or outside its time for them.

    A competition is reviewed once submissions are closed, so that what is read is what counts.
    """
    if refusal := check_reviews(call):
        return refusal
    times = {CallState.CLOSED} if call.file.competitive else {CallState.OPEN, CallState.CLOSED}
    if call.state in times:
        return None
    states = {"state": call.state.value}
    if call.state is CallState.OPEN:
        reason = "Reviews begin when the call is closed; until then applicants may amend."
    else:
        reason = "Reviews are over: the call has been allocated."
    return Refusal("admissions/not-in-review", reason, states)


def check_corrected(applications: Collection[Application], now: datetime) -> Refusal | None:
    """Refuse to begin reviews while somebody still has time to correct a returned application."""
    waiting = sorted(
        each.id
        for each in applications
        if each.state is ApplicationState.RETURNED and each.correct_until and each.correct_until >= now
    )
    if not waiting:
        return None
    reason = f"{many(len(waiting), 'returned application')} may still be corrected; wait until their time is over."
    return Refusal("admissions/correction-pending", reason, {"applications": waiting})


def check_settled(applications: Collection[Application]) -> Refusal | None:
    """Refuse to allocate past an application that was returned: no deadline decides on it, so a person has to."""
    left = sorted(each.id for each in applications if each.state is ApplicationState.RETURNED)
    if not left:
        return None
    reason = (
        f"Returned and not corrected: {many(len(left), 'application')}. Once their time is over, refuse each in "
        "person: `readingroom application decide ID refused --reason unclear --note TEXT`."
    )
    return Refusal("admissions/returned-undecided", reason, {"applications": left})


def check_returnable(call: Call, application: Application, until: datetime, now: datetime) -> Refusal | None:
    """Refuse to return what reviewers have begun on, or without giving time to correct it."""
    refusal = machines.APPLICATION.check(application.state, "return")
    if refusal or (call.state in {CallState.OPEN, CallState.CLOSED} and until > now):
        return refusal
    if until <= now:
        return Refusal("admissions/no-time-to-correct", "Give the applicant a date in the future to correct it by.")
    return Refusal("admissions/not-in-review", "The call has been allocated.", {"state": call.state.value})


def may_return(call: Call, application: Application, now: datetime) -> bool:
    """Tell whether an application can be returned now, given a date in the future."""
    return check_returnable(call, application, datetime.max.replace(tzinfo=now.tzinfo), now) is None


def check_asks(by: Actor, *, peer: bool) -> Refusal | None:
    """Refuse a list of reviews to who is no reviewer, nor a `peer`: an applicant who reviews the other half."""
    return None if peer else check(by, Permission.APPLICATION_REVIEW)


def check_assigned(
    by: Actor, review: Review | None, application: Application | None, *, peer: bool = False
) -> Refusal | None:
    """Refuse a review by who was not asked for it; a `peer` reviews as an applicant of the other half.

    The answer is the same whether the application is another's to review, one's own, or does not exist.
    """
    asked = (peer or may(by, Permission.APPLICATION_REVIEW)) and review is not None and review.reviewer == by.id
    if asked and review and review.state in ASKED and application:
        return None
    return Refusal("admissions/not-a-reviewer", "You are not asked to review an application by this id.")


def may_release(call: Call, review: Review) -> bool:
    """Tell whether a reviewer can be let go now: one who was asked, and has said nothing."""
    return check_reviewable(call) is None and machines.REVIEW.can(review.state, "release")


# Deciding


def counted(reviews: Collection[Review]) -> list[Review]:
    """Return the reviews that count: submitted, by reviewers who have not recused themselves."""
    return [each for each in reviews if each.state is ReviewState.SUBMITTED and each.judgement]


def check_reviewed(file: CallFile, in_play: Mapping[str, Collection[Review]]) -> Refusal | None:
    """Refuse to allocate while a review is missing: missing evidence decides nothing."""
    needed = file.reviews_needed
    missing = {each: needed - len(counted(reviews)) for each, reviews in in_play.items()}
    missing = {each: count for each, count in sorted(missing.items()) if count > 0}
    if not missing:
        return None
    reason = f"Missing: {many(sum(missing.values()), 'review')}, of {many(len(missing), 'application')}."
    return Refusal("admissions/reviews-missing", reason, {"missing": missing})


def check_competitive(call: Call) -> Refusal | None:
    """Refuse to allocate a call in which a person decides."""
    if call.file.competitive and call.state is CallState.CLOSED and call.closed_at is None:
        reason = "Its applications come from the first half, once that is closed; then the two are divided."
        return Refusal("admissions/not-divided", reason, {"series": call.series})
    if call.file.competitive:
        return None
    reason = "This call holds no competition: decide each application on its own."
    return Refusal("admissions/no-competition", reason)


def check_single(
    call: Call, application: Application, ruling: Ruling, reviews: Collection[Review], now: datetime
) -> Refusal | None:
    """Refuse a person's decision where a rule decides, a review is missing, or the reason does not fit.

    One that was returned and not corrected in time, or for which nobody vouched (`teams.check_ruling` sees to that), is
    a person's to refuse in every call: no rule has it before it.
    """
    awarded = ruling.outcome is Outcome.AWARDED
    returned = application.state is ApplicationState.RETURNED
    unvouched = ruling.reason is Reason.NOT_VOUCHED and call.state is CallState.CLOSED
    if call.file.competitive and not returned and not unvouched:
        return Refusal("admissions/competition", "This call's published rule decides; allocate and publish it.")
    refusal = machines.APPLICATION.check(application.state, "award" if awarded else "refuse")
    if returned:
        return refusal or check_corrected([application], now) or _check_reason(ruling)
    if unvouched:
        return refusal or _check_reason(ruling)
    return refusal or check_reviewed(call.file, {application.id: reviews}) or _check_reason(ruling)


def check_vetoes(file: CallFile, ruling: Ruling, vetoes: int) -> Refusal | None:
    """Refuse to award what was vetoed for misuse, by reviewers or by persons with the role safety."""
    if ruling.outcome is not Outcome.AWARDED or file.reviewing is None or vetoes < file.reviewing.vetoes:
        return None
    return Refusal("admissions/vetoed", "It was vetoed for misuse; it cannot be awarded.", {"vetoes": vetoes})


def may_decide(call: Call, application: Application, now: datetime) -> bool:
    """Tell whether a person may decide this application now, some way or other."""
    if application.state is ApplicationState.RETURNED:
        return check_corrected([application], now) is None
    unvouched = call.file.guarantor.needed and call.state is CallState.CLOSED  # may be, that is
    return (unvouched or not call.file.competitive) and application.state in IN_PLAY


def _check_reason(ruling: Ruling) -> Refusal | None:
    fitting = {Reason.SUITABLE} if ruling.outcome is Outcome.AWARDED else BY_PERSON - {Reason.SUITABLE}
    if ruling.reason not in fitting:
        known = sorted(each.value for each in fitting)
        text = f"{ruling.reason.value!r} is no reason for this. One of: {', '.join(known)}."
        return Refusal("admissions/reason-not-fitting", text, {"reason": ruling.reason.value, "fitting": known})
    if ruling.outcome is Outcome.REFUSED and not ruling.note.strip():
        text = "Say in words why: the applicant is told."
        return Refusal("admissions/note-missing", text, {"reason": ruling.reason.value})
    return None


def check_amount(file: CallFile, asked: int, passes: int, tier: str = "") -> Refusal | None:
    """Refuse an award outside the call's bounds (of its tier), or above what was asked for."""
    bounds = file.limits.of(tier)
    most = min(asked, bounds.maximum)
    if bounds.minimum <= passes <= most:
        return None
    reason = f"An award here is from {bounds.minimum} to {most} passes."
    return Refusal("admissions/amount-out-of-bounds", reason, {"least": bounds.minimum, "most": most})


# Awards


def check_awardee(by: Actor, award: Award) -> Refusal | None:
    """Refuse anyone but the applicant; the answer does not tell whether the award exists."""
    if by.id == award.person:
        return None
    return Refusal("admissions/award-unknown", "You have no award by this id.")


def check_lapsing(award: Award, now: datetime) -> Refusal | None:
    """Refuse to take an offer back before its time."""
    refusal = machines.AWARD.check(award.state, "lapse")
    if refusal or now > award.accept_by:
        return refusal
    reason = f"It may be accepted until {rfc3339(award.accept_by)}."
    return Refusal("admissions/offer-still-open", reason, {"accept_by": rfc3339(award.accept_by)})


def may_lapse(award: Award, now: datetime) -> bool:
    """Tell whether an offer may be taken back now."""
    return check_lapsing(award, now) is None
