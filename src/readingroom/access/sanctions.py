"""Which sanctions there are, who may use them for what, and what each does to an entitlement. Pure.

A sanction is a record that is read live; its beginning and its end are dates. Nothing has to happen for one to begin
or to end, so that no timer can fail to. Where a rule gives time to cure, whoever imposes it decides, then and there,
that it begins at that date: the clock only carries the decision out, and a person who finds it cured lifts it, before
that date or after (promise 5: a deadline never decides).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from readingroom.access.model import Fact, Facts, Kind, Lifting, Phase, Reason, Sanction, Subject
from readingroom.core.clock import rfc3339
from readingroom.core.refusal import Refusal
from readingroom.people.rules import BY_ROLE, Permission

MOST_PER_MINUTE = 10_000
_R, _S = Reason, Subject
_CONDUCT = frozenset({_R.TERMS_BREACH, _R.KEY_LEAKED, _R.SECURITY, _R.OTHER})
_ALL = frozenset(Reason)


@dataclass(frozen=True, slots=True)
class Rule:
    """What may be done with one kind of sanction.

    Attributes:
        says: the published text.
        permission: whoever has it may impose and lift it.
        subjects: whom it can be of.
        reasons: for which it can be.
        until: `none`, `may` or `must` have an end.
        cure: for which reasons time to cure can be given; none of them is a danger to others.
        cure_days: the least and the most of it.
    """

    kind: Kind
    says: str
    permission: Permission
    subjects: frozenset[Subject]
    reasons: frozenset[Reason]
    until: str = "none"
    cure: frozenset[Reason] = frozenset()
    cure_days: tuple[int, int] = (0, 0)


RULES: dict[Kind, Rule] = {
    each.kind: each
    for each in (
        Rule(
            Kind.WARN,
            "The reader is told, on My reading and in what their programs are answered, until they acknowledge it. "
            "Nothing is refused.",
            Permission.GRANT_WARN,
            frozenset(Subject),
            _CONDUCT,
        ),
        Rule(
            Kind.THROTTLE,
            "At most so many requests may begin in a minute, beside what the tier allows; more are refused until "
            "the minute is over.",
            Permission.GRANT_SANCTION,
            frozenset({_S.GRANT, _S.MEMBER}),
            _CONDUCT,
            until="may",
        ),
        Rule(
            Kind.SUSPEND,
            "Keys are refused and flowing answers stop until it is lifted or its end comes. With time to cure, it "
            "takes effect at that date unless a person has found it cured.",
            Permission.GRANT_SANCTION,
            frozenset({_S.GRANT, _S.MEMBER}),
            _ALL,
            until="may",
            cure=frozenset({_R.TERMS_BREACH, _R.OTHER}),
            cure_days=(1, 90),
        ),
        Rule(
            Kind.REVOKE,
            "Keys are refused and flowing answers stop, for good.",
            Permission.GRANT_SANCTION,
            frozenset({_S.GRANT, _S.MEMBER}),
            _ALL,
        ),
        Rule(
            Kind.BAR,
            "The person reads nothing, applies for nothing and is given no key until that date, whatever the grant.",
            Permission.GRANT_SANCTION,
            frozenset({_S.PERSON}),
            frozenset({_R.TERMS_BREACH, _R.SECURITY, _R.LEGAL, _R.ERROR_CORRECTED, _R.OTHER}),
            until="must",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A sanction as somebody asks for it.

    Attributes:
        grant_id: of a project or a member; None for a person everywhere.
        person: of a member or a person; None for a whole project.
        note: in words, for the lab.
        notice: in words, for whom it is about.
        collective: it shall fall on all members, and the words say why on each of them.
        evidence: SHA-256 of a file, or `entry:N` of the ledger.
    """

    kind: Kind
    reason: Reason
    grant_id: str | None = None
    person: str | None = None
    note: str = ""
    notice: str = ""
    until: datetime | None = None
    cure_by: datetime | None = None
    per_minute: int | None = None
    collective: bool = False
    evidence: str = ""

    @property
    def subject(self) -> Subject:
        """Whom it is of."""
        if self.grant_id is None:
            return Subject.PERSON
        return Subject.GRANT if self.person is None else Subject.MEMBER


def check_wanted(wanted: Wanted, now: datetime, members: int = 1) -> Refusal | None:
    """Refuse a sanction that its rule does not have.

    Args:
        wanted: what is asked for.
        now: the moment.
        members: how many persons the project has, its holder among them.
    """
    rule = RULES[wanted.kind]
    if wanted.subject not in rule.subjects:
        known = " or ".join(sorted(rule.subjects))
        return _bad(f"A {wanted.kind} is of a {known}, not of a {wanted.subject}.")
    if wanted.reason not in rule.reasons:
        known = ", ".join(sorted(rule.reasons))
        return _bad(f"There is no {wanted.kind} for {wanted.reason}; it can be for: {known}.")
    return _check_note(wanted, members) or _check_pace(wanted) or _check_dates(wanted, rule, now)


def _check_note(wanted: Wanted, members: int) -> Refusal | None:
    if (wanted.note + wanted.notice).strip():
        return None
    if wanted.reason is Reason.OTHER:
        return Refusal("access/note-missing", "The reason `other` needs a note that says what it is.")
    found_of_all = wanted.subject is Subject.GRANT and wanted.reason is Reason.TERMS_BREACH and members > 1
    if found_of_all or wanted.collective:
        reason = (
            f"This falls on all {members} members for what somebody did. Say in a note why it is found of each of "
            "them, or name the one member whom it is about."
        )
        return Refusal("access/note-missing", reason, {"members": members})
    return None


def _check_pace(wanted: Wanted) -> Refusal | None:
    given = wanted.per_minute
    if wanted.kind is not Kind.THROTTLE:
        return None if given is None else _bad(f"A {wanted.kind} has no requests a minute.")
    if given is None or not 1 <= given <= MOST_PER_MINUTE:
        said = f"Say how many requests may begin in a minute: 1 to {MOST_PER_MINUTE}; to allow none, suspend."
        return _bad(said)
    return None


def _check_dates(wanted: Wanted, rule: Rule, now: datetime) -> Refusal | None:
    until = wanted.until
    if until is None and rule.until == "must":
        return _bad(f"A {rule.kind} has an end: say until when.")
    if until is not None and rule.until == "none":
        return _bad(f"A {rule.kind} has no end of its own.")
    if until is not None and until <= now:
        return Refusal("access/already-expired", "It must end in the future; choose a later date.")
    return None if wanted.cure_by is None else _check_cure(wanted, wanted.cure_by, rule, now)


def _check_cure(wanted: Wanted, cure_by: datetime, rule: Rule, now: datetime) -> Refusal | None:
    if wanted.reason not in rule.cure:
        known = ", ".join(sorted(rule.cure)) or "nothing"
        return _bad(f"For a {rule.kind} time to cure can be given for: {known}.")
    least, most = rule.cure_days
    if not now + timedelta(days=least) <= cure_by <= now + timedelta(days=most):
        return _bad(f"The time to cure is {least} to {most} days; choose a date within.")
    if wanted.until is not None and wanted.until <= cure_by:
        return _bad("It would end before the time to cure is over; choose a later end.")
    return None


def check_lift(sanction: Sanction, now: datetime, *, appealed: bool = False) -> Refusal | None:
    """Refuse to lift what is not standing, or what is final: a revoked project, but for an appeal that is upheld."""
    phase = sanction.phase(now)
    if phase in {Phase.LIFTED, Phase.ENDED}:
        return Refusal("access/cannot-change-sanction", f"This sanction is {phase.value}; nothing is left to lift.")
    if sanction.kind is Kind.REVOKE and sanction.subject is Subject.GRANT and not appealed:
        final = "That is final, unless an appeal is upheld; issue a new grant instead."
        reason = f"A grant that is revoked cannot be reinstated. {final}"
        return Refusal("access/cannot-change-sanction", reason)
    return None


def check_lifting(reason: str) -> Refusal | None:
    """Refuse a person's own word that an appeal was upheld: only the panel's conclusion lifts for that reason."""
    if reason != Lifting.APPEAL_UPHELD.value:
        return None
    return _bad("Only the people who hear an appeal lift for `appeal-upheld`, by concluding it. Give your own reason.")


def check_acknowledged(sanction: Sanction) -> Refusal | None:
    """Refuse a second acknowledgement: the first reply stays as it was given."""
    if sanction.acknowledged_at is None:
        return None
    return Refusal("access/cannot-change-sanction", "You have acknowledged this already; your reply stands.")


def check_not_barred(until: datetime | None, now: datetime) -> Refusal | None:
    """Refuse whoever is barred now."""
    if until is None or now >= until:
        return None
    return Refusal("access/person-barred", f"This person is barred until {rfc3339(until)}.", {"until": rfc3339(until)})


def check_not_revoked(standing: Iterable[Sanction], person: str) -> Refusal | None:
    """Refuse a key to a member whose reading was revoked."""
    revoked = any(each.kind is Kind.REVOKE and each.person == person for each in standing)
    reason = "This member's reading under the grant was revoked; it gets no more keys."
    return Refusal("access/grant-revoked", reason) if revoked else None


def may_lift(sanction: Sanction, now: datetime) -> bool:
    """Tell whether it can be lifted: the yes/no twin, for a page's buttons."""
    return check_lift(sanction, now) is None


def not_sanctioned(facts: Facts, now: datetime) -> tuple[Fact, Refusal | None]:
    """Say whether a suspension or a revocation of this very reader, or with dates of its own, is in force."""
    stopping = [each for each in _stopping(facts) if each.in_force(now)]
    if not stopping:
        coming = sorted(each.begins_at for each in _stopping(facts) if each.phase(now) is Phase.CURING)
        detail = f"a suspension begins {rfc3339(coming[0])} unless it is found cured" if coming else "none stands"
        return Fact("no-sanction", holds=True, detail=detail), None
    worst = max(stopping, key=lambda each: each.kind is Kind.REVOKE)
    who = "This member's reading" if worst.subject is Subject.MEMBER else "This grant"
    ends = f" until {rfc3339(worst.until)}" if worst.until else ""
    named = {"sanction": worst.id}
    detail = f"{worst.kind} of the {worst.subject} since {rfc3339(worst.begins_at)} ({worst.reason})"
    if worst.kind is Kind.REVOKE:
        refusal = Refusal(
            "access/grant-revoked",
            f"{who} is revoked ({worst.reason}); that is final, unless an appeal is upheld.",
            named,
        )
    else:
        refusal = Refusal("access/grant-suspended", f"{who} is suspended{ends} ({worst.reason}).", named)
    return Fact("no-sanction", holds=False, detail=detail), refusal


def of_state(facts: Facts) -> str | None:
    """Return the id of the sanction that the grant's own state says, if one is known."""
    found = [each.id for each in facts.sanctions if each.is_state]
    return found[-1] if found else None


def of_bar(facts: Facts, now: datetime) -> str | None:
    """Return the id of the bar in force, if one is known."""
    return next((each.id for each in facts.sanctions if each.kind is Kind.BAR and each.in_force(now)), None)


def throttles(facts: Facts, now: datetime) -> list[Sanction]:
    """Return the throttles in force, the narrowest first: each lets through so many requests a minute."""
    found = [each for each in facts.sanctions if each.kind is Kind.THROTTLE and each.in_force(now)]
    return sorted(found, key=lambda each: (each.per_minute or 0, each.id))


def changes_at(facts: Facts, now: datetime) -> Iterator[datetime]:
    """Yield the moments after `now` at which sanctions that are known change what is served, by the clock alone."""
    for each in facts.sanctions:
        yield from (at for at in (each.begins_at, each.until) if at is not None and at > now)


def notices(sanctions: Iterable[Sanction]) -> list[Sanction]:
    """Return what a reader has not acknowledged yet, the newest first."""
    return sorted(
        (each for each in sanctions if each.acknowledged_at is None), key=lambda s: s.decided_at, reverse=True
    )


def table() -> str:
    """Return the rules as a table in Markdown, from the data that the code obeys; docs/explanation/sanctions.md."""
    heads = ("sanction", "of", "for", "who may", "end", "time to cure")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for rule in RULES.values():
        roles = [role.value for role, held in BY_ROLE.items() if rule.permission in held]
        cure = (
            f"{rule.cure_days[0]} to {rule.cure_days[1]} days, for {', '.join(sorted(rule.cure))}" if rule.cure else ""
        )
        reasons = "any reason" if rule.reasons == _ALL else ", ".join(sorted(rule.reasons))
        ends = {"none": "", "may": "may have one", "must": "must have one"}[rule.until]
        row = (rule.kind.value, ", ".join(sorted(rule.subjects)), reasons, ", ".join(roles), ends, cure)
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines)


def lift_reasons() -> frozenset[str]:
    """Return every code for which something is lifted."""
    return frozenset(each.value for each in Lifting) | frozenset(each.value for each in Reason)


def _stopping(facts: Facts) -> list[Sanction]:
    return [each for each in facts.sanctions if each.kind in {Kind.SUSPEND, Kind.REVOKE} and not each.is_state]


def _bad(reason: str) -> Refusal:
    return Refusal("access/bad-sanction", reason)
