"""How the budget is divided: policy, scoring, quotas and the draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from readingroom.admissions.after import After, Tranches
from readingroom.admissions.call import BY_PERSON, CallFile
from readingroom.admissions.call_file.fields import NO_TIME, moment, once
from readingroom.admissions.dividing import Draw, Quota, Scoring, Source
from readingroom.admissions.form import Kind
from readingroom.admissions.policies.base import Policy
from readingroom.admissions.policies.registry import POLICIES
from readingroom.admissions.policies.tiers import WHOLE, Tiers
from readingroom.core.clock import rfc3339
from readingroom.core.document import Node

LEVELS = (50, 80, 90, 95)  # per cent; `allocation.scoring` has the quantile of each
_DRAND = {  # when a chain's first round was published (Unix time), and seconds between rounds; drand.love/docs
    Source.DRAND_DEFAULT: (1595431050, 30),
    Source.DRAND_QUICKNET: (1692803367, 3),
}
_NAMED = {
    Source.DRAND_DEFAULT: "drand, the League of Entropy's default chain: the randomness of round {round}, in hex",
    Source.DRAND_QUICKNET: "drand, the League of Entropy's quicknet chain: the randomness of round {round}, in hex",
    Source.NIST: "NIST Randomness Beacon 2.0: the outputValue of the pulse of {at}, in hex",
}
_SIZES = {Source.DRAND_DEFAULT: 32, Source.DRAND_QUICKNET: 32, Source.NIST: 64}  # bytes
_MAX_ROUND = 10**10


def policy(node: Node) -> Policy | None:
    """Read the allocation policy; None where a person decides."""
    if not node.is_mapping():
        node.fields(["policy"])
        return None
    name = node.fields(["policy"], None).get("policy")
    chosen = name.choice([*sorted(POLICIES), BY_PERSON]) if name else ""
    if chosen in POLICIES:
        return POLICIES[chosen](node)
    if chosen == BY_PERSON:
        node.fields(["policy"])
    return None


def with_tranches(chosen: Policy | None, made: After, fields: Mapping[str, Node]) -> After:
    """Take the tranches that the policy `tiers` speaks of for the call's own: a call has one rule of release."""
    if not isinstance(chosen, Tiers) or chosen.first == WHOLE:
        return made
    if made.tranches is not None:
        fields["tranches"].problem("the allocation has 'first_tranche' already", "Take one of the two out")
    return replace(made, tranches=Tranches(chosen.first))


def scoring(node: Node) -> Scoring:
    """Read what is made of the scores, from the same part of the file; its other keys are the policy's."""
    fields = node.fields([], None) if node.is_mapping() else {}
    additive = "adjust" in fields and fields["adjust"].choice(["none", "additive"], "none") == "additive"
    level = fields["interval"].integer(min(LEVELS), max(LEVELS)) if "interval" in fields else Scoring().level
    if level not in LEVELS:
        fields["interval"].problem(f"no interval of {level} % is known", f"One of: {', '.join(map(str, LEVELS))}")
    return Scoring(additive, level)


def quotas(node: Node) -> tuple[Quota, ...]:
    """Read the quotas."""
    read = tuple(_quota(each) for each in node.items())
    once(node, [each.name for each in read], "quota")
    if sum(each.percent for each in read) > 100:  # noqa: PLR2004 - per cent
        node.problem("the quotas are more than the whole together", "Lower some; they sum to at most 100")
    return read


def _quota(node: Node) -> Quota:
    fields = node.fields(["name", "question", "answer", "percent"])
    name, question, answer = (fields[k].text() if k in fields else "" for k in ("name", "question", "answer"))
    return Quota(name, question, answer, fields["percent"].integer(1, 100) if "percent" in fields else 1)


def draw(node: Node) -> Draw | None:
    """Read which public value a draw is combined with; None where what it lacks was noted as a problem."""
    given = node.fields(["source"], None).get("source")
    name = given.choice([each.value for each in Source]) if given else ""
    if not name:
        return None
    source = Source(name)
    if source in _DRAND:
        fields = node.fields(["source", "round"])
        number = fields["round"].integer(1, _MAX_ROUND) if "round" in fields else 1
        first, period = _DRAND[source]
        at = datetime.fromtimestamp(first, UTC) + timedelta(seconds=(number - 1) * period)
        return Draw(source, _NAMED[source].format(round=number), at, number, _SIZES[source])
    if source is Source.NIST:
        at = moment(node.fields(["source", "at"]).get("at"))
        if at.second or at.microsecond:
            node.problem("a pulse of the NIST beacon is of a whole minute", "Write it as 2026-03-01T12:00:00Z")
        return Draw(source, _NAMED[source].format(at=rfc3339(at)), at, 0, _SIZES[source])
    fields = node.fields(["source", "at", "named"])
    return Draw(source, fields["named"].text() if "named" in fields else "", moment(fields.get("at")))


def agree(made: CallFile, fields: Mapping[str, Node]) -> None:
    """Check what policy, quotas and draw ask of the rest of the file."""
    for name in ("quotas", "draw"):
        if name in fields and not made.competitive:
            fields[name].problem(f"{name} go with a competition", f"Take them out, or choose another than {BY_PERSON}")
    if made.draw and made.draw.at != NO_TIME and made.draw.at <= made.window.closes:
        what = f"the value is public at {rfc3339(made.draw.at)}, before the window closes"
        fields["draw"].problem(what, "Name a later one, so that nobody can apply, or choose, with the result in sight")
    if isinstance(made.policy, Tiers):
        _sizes_agree(made, made.policy, fields["allocation"])
    _quotas_agree(made, fields)


def _sizes_agree(made: CallFile, chosen: Tiers, node: Node) -> None:
    """Check that whoever asks for what the call offers can be given a size."""
    smallest, largest = chosen.sizes[0].passes, chosen.sizes[-1].passes
    free = {each.passes for each in chosen.sizes if not each.score}
    for tier, bounds in made.limits.tiers.items():
        if bounds.minimum not in free:
            what = f"{tier!r} begins at {bounds.minimum} passes, and there is no size of that many without a score"
            cure = "Add it, or take the tier's own minimum out: else some who ask rightly could be given nothing"
            node.problem(what, cure)
    if smallest != made.limits.minimum or largest > made.limits.maximum:
        whole = f"{made.limits.minimum} to {made.limits.maximum}"
        what = f"sizes from {smallest} to {largest} do not fit awards from {whole}"
        node.problem(what, "The smallest size is award.minimum; none is above award.maximum")


def _quotas_agree(made: CallFile, fields: Mapping[str, Node]) -> None:
    asked = {each.name: each for each in made.form}
    for each in made.quotas:
        question = asked.get(each.question)
        if question is None or question.kind is not Kind.CHOICE or each.answer not in question.options:
            what = f"the quota {each.name!r} rests on no choice that the form offers"
            fields["quotas"].problem(what, f"Add a question {each.question!r} of type choice with {each.answer!r}")
        elif (made.budget.passes - made.reserve) * each.percent // 100 < made.limits.minimum:
            what = f"the quota {each.name!r} does not reach one minimum award"
            fields["quotas"].problem(what, "Raise its percent, or lower award.minimum")
