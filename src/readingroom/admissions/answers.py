"""Is an application filled in as the call asks? Every problem is named by its field, with the cure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from readingroom.admissions.call import CallFile
from readingroom.admissions.form import Kind, Question
from readingroom.admissions.model import Answer, Draft, Judgement, Risk
from readingroom.core.errors import Problem

MAX_CHARACTERS = 20_000  # a word limit alone would let one word be a megabyte
MAX_TEAM = 50
MAX_ADDRESS = 254
MAX_NUMBER = 2**53 - 1  # the largest integer that canonical JSON spells exactly
MAX_COMMENT = 10_000
MAX_CHOSEN = 100  # options, or files, of one answer


def asked(form: Sequence[Question], given: Mapping[str, Answer]) -> tuple[Question, ...]:
    """Return the questions that these answers ask, in the form's order: a condition looks at an earlier question.

    An answer to a question that is not asked decides nothing: neither what else is asked, nor the application.
    """
    found: dict[str, Question] = {}
    for each in form:
        condition = each.shown_if
        if condition is None or (
            condition.question in found and not _spellings(given.get(condition.question)).isdisjoint(condition.answers)
        ):
            found.setdefault(each.name, each)
    return tuple(found.values())


def without_unasked(file: CallFile, draft: Draft) -> Draft:
    """Return a draft with the answers to what is asked, and no others: what is submitted."""
    kept = {each.name for each in asked(file.form, draft.answers)}
    return replace(draft, answers={name: each for name, each in draft.answers.items() if name in kept})


def _spellings(answer: Answer | None) -> set[str]:
    if answer is None:
        return set()
    return set(map(str, answer)) if isinstance(answer, (tuple, list)) else {str(answer)}


def saving_problems(file: CallFile, draft: Draft) -> list[Problem]:
    """Find what cannot even be kept as a draft: unknown fields, wrong types, what no database can hold."""
    return list(_saving(file, draft))


def submitting_problems(file: CallFile, draft: Draft, identity: Sequence[str] = ()) -> list[Problem]:
    """Find everything that stands between a draft and its submission; answers to what is not asked do not.

    Args:
        file: the call.
        draft: what was filled in.
        identity: the applicant's address and name, which must not stand in an answer that reviewers read.
    """
    sent = without_unasked(file, draft)
    unknown = {name: each for name, each in draft.answers.items() if name not in {q.name for q in file.form}}
    sent = replace(sent, answers={**sent.answers, **unknown})
    return [*_saving(file, sent), *_complete(file, sent), *_named(file, sent, identity)]


def _saving(file: CallFile, draft: Draft) -> Iterator[Problem]:
    questions = {each.name: each for each in file.form}
    now_asked = {each.name for each in asked(file.form, draft.answers)}
    for name, answer in draft.answers.items():
        if name not in questions:
            known = ", ".join(questions)
            yield Problem(f"answers.{name}"[:200], "is no question of this call", f"It asks: {known}")
        elif name in now_asked:
            yield from _typed(questions[name], answer)
        elif not _storable(answer):
            yield Problem(f"answers.{name}", "cannot be kept", "It is not asked of you now; leave it out")
    if not _whole(draft.passes) or not 0 <= draft.passes <= MAX_NUMBER:
        yield Problem("passes", "must be a whole number from 0", "Say how many passes you want")
    if draft.tier and draft.tier not in file.tiers:
        yield Problem("tier", "is not on offer in this call", f"On offer: {', '.join(file.tiers)}")
    yield from _team(draft.team)


def _storable(answer: object) -> bool:
    """Tell whether an answer that is not asked may lie in a draft, in case it is asked again."""
    if isinstance(answer, (tuple, list)):
        return len(answer) <= MAX_CHOSEN and all(isinstance(each, str) and _storable(each) for each in answer)
    if isinstance(answer, str):
        return len(answer) <= MAX_CHARACTERS and not _unwritable(answer)
    return isinstance(answer, int) and _whole(answer) and abs(answer) <= MAX_NUMBER


def _typed(question: Question, answer: Answer) -> Iterator[Problem]:
    where = f"answers.{question.name}"
    if question.kind is Kind.NUMBER:
        if not isinstance(answer, int) or not _whole(answer) or not question.least <= answer <= question.most:
            bounds = f"from {question.least:,}" + (f" to {question.most:,}" if question.most < MAX_NUMBER else "")
            yield Problem(where, f"must be a whole number {bounds}", "Write digits only")
    elif question.kind in {Kind.MULTIPLE_CHOICE, Kind.ATTACHMENT}:
        yield from _several(question, where, answer)
    elif not isinstance(answer, str):
        yield Problem(where, "must be text", "Write a text")
    elif question.kind in {Kind.CHOICE, Kind.YES_NO}:
        if answer and answer not in question.options:
            yield Problem(where, "is none of the options", f"Choose one of: {', '.join(question.options)}")
    elif question.kind is Kind.DATE:
        yield from _dated(question, where, answer)
    else:
        yield from _text(where, answer, question.words)


def _several(question: Question, where: str, answer: Answer) -> Iterator[Problem]:
    if not isinstance(answer, (tuple, list)) or len(answer) > MAX_CHOSEN or not all(map(_is_text, answer)):
        yield Problem(where, "must be a list of texts", "Write it as a list, also where it has one or none")
    elif question.kind is Kind.MULTIPLE_CHOICE:
        if strange := [each for each in answer if each not in question.options]:
            cure = f"Choose some of: {', '.join(question.options)}"
            yield Problem(where, f"{strange[0][:80]!r} is none of the options", cure)
        elif len(set(answer)) < len(answer):
            yield Problem(where, "names an option twice", "Keep one of the two")
        elif len(answer) > question.most:
            yield Problem(where, f"has {len(answer)} options, and {question.most} are allowed", "Take some out")


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _dated(question: Question, where: str, answer: str) -> Iterator[Problem]:
    if not answer:
        return
    if day(answer) != answer:
        yield Problem(where, f"{answer[:40]!r} is no day", "Write it as 2026-12-31")
    elif not (question.earliest or answer) <= answer <= (question.latest or answer):
        early, late = question.earliest, question.latest
        bounds = f"from {early} to {late}" if early and late else f"from {early}" if early else f"up to {late}"
        yield Problem(where, f"must be a day {bounds}", "Choose another day")


def day(text: str) -> str:
    """Return a day as it is stored, `2026-12-31`; empty for what is none."""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def _whole(value: object) -> bool:
    """Tell whether a value is an integer: what comes through a door is not yet what its type says."""
    return isinstance(value, int) and not isinstance(value, bool)


def _text(where: str, text: str, words: int) -> Iterator[Problem]:
    if _unwritable(text):
        yield Problem(where, "holds control characters", "Paste it as plain text")
    elif len(text) > MAX_CHARACTERS:
        yield Problem(where, f"is longer than {MAX_CHARACTERS} characters", "Shorten it")
    elif len(text.split()) > words:
        yield Problem(where, f"has {len(text.split())} words, and {words} are allowed", "Shorten it")


def _unwritable(text: str) -> bool:
    """Tell whether a text holds what has no business in a form: controls, lone surrogates (NUL breaks Postgres)."""
    return any(unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\r\t" for c in text)


def _team(team: Sequence[str]) -> Iterator[Problem]:
    if len(team) > MAX_TEAM:
        yield Problem("team", f"has more than {MAX_TEAM} members", "Apply as several teams")
    for each in team:
        name, _, host = each.partition("@")
        if not name or not host or "@" in host or len(each) > MAX_ADDRESS or any(c.isspace() for c in each):
            yield Problem("team", f"{each[:80]!r} is not an e-mail address", "Write it as name@example.org")
        elif _unwritable(each):
            yield Problem("team", "holds control characters", "Write it as name@example.org")


def _complete(file: CallFile, draft: Draft) -> Iterator[Problem]:
    for question in asked(file.form, draft.answers):
        answer = draft.answers.get(question.name, "")
        empty = not answer.strip() if isinstance(answer, str) else not isinstance(answer, int) and not answer
        if question.required and empty:
            yield Problem(f"answers.{question.name}", "is required", question.label)
    if not draft.tier:
        yield Problem("tier", "is required", f"On offer: {', '.join(file.tiers)}")
    least = file.limits.of(draft.tier).minimum
    if draft.passes < least:
        whose = f"the tier {draft.tier!r}" if draft.tier in file.limits.tiers else "the call"
        cure = f"Ask for {least} or more: {whose} awards no less"
        yield Problem("passes", f"{draft.passes} is less than the minimum award of {whose}", cure)


def _named(file: CallFile, draft: Draft, identity: Sequence[str]) -> Iterator[Problem]:
    # A name of one word may be a word like any other; an address or a full name is not.
    needles = [each.strip().casefold() for each in identity if "@" in each or " " in each.strip()]
    for question in file.form:
        answer = draft.answers.get(question.name)
        if question.shown and isinstance(answer, str) and any(each in answer.casefold() for each in needles):
            cure = "Reviewers read this without knowing who asks; take your name and address out"
            yield Problem(f"answers.{question.name}", "names the applicant", cure)


def judgement_problems(file: CallFile, given: Judgement) -> list[Problem]:
    """Find what is wrong with a review: each criterion once on the scale, a comment, a reason for any risk."""
    return list(_judgement(file, given))


def _judgement(file: CallFile, given: Judgement) -> Iterator[Problem]:
    reviewing = file.reviewing
    criteria = [each.name for each in reviewing.criteria] if reviewing else []
    for where, said in (("scores", given.scores), ("comments", given.comments)):
        for name in (each for each in said if each not in criteria):
            yield Problem(f"{where}.{name}"[:200], "is no criterion of this call", f"Criteria: {', '.join(criteria)}")
    yield from _scored(file, given)
    if not given.comment.strip():
        yield Problem("comment", "is required", "Say why you scored so")
    if given.risk is not Risk.OK and not given.risk_reason.strip():
        yield Problem("risk_reason", f"is required with {given.risk.value!r}", "Say what could be misused, and how")
    apart = tuple((f"comments.{name}"[:200], text) for name, text in given.comments.items())
    for where, text in (("comment", given.comment), ("risk_reason", given.risk_reason), *apart):
        if len(text) > MAX_COMMENT or _unwritable(text):
            yield Problem(where, f"is not plain text of up to {MAX_COMMENT} characters", "Shorten it")


def _scored(file: CallFile, given: Judgement) -> Iterator[Problem]:
    reviewing = file.reviewing
    for name in [each.name for each in reviewing.criteria] if reviewing else []:
        score = given.scores.get(name)
        low, high = (reviewing.low, reviewing.high) if reviewing else (0, 0)
        if score is None or not _whole(score) or not low <= score <= high:
            yield Problem(f"scores.{name}", f"must be a whole number from {low} to {high}", "Use the call's anchors")
