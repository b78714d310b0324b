"""The fields of a call file in words, section by section; `filled` turns them into a form and back.

The readers beside this file judge values; here stands only what is asked, in the order in which a form asks it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from readingroom.admissions.after import CallKind, Ground, IfShort
from readingroom.admissions.call import BY_PERSON, Objective, Phase
from readingroom.admissions.call_file.dividing import LEVELS
from readingroom.admissions.call_file.form import GOES_WITH
from readingroom.admissions.conflicts import FIXED
from readingroom.admissions.dividing import Source
from readingroom.admissions.form import FileKind, Guarantor, Kind
from readingroom.admissions.model import ConflictKind, Severity
from readingroom.admissions.policies.registry import PARAMETERS, POLICIES
from readingroom.admissions.shape import Field, Holds
from readingroom.core import document

_OPENS = Field("opens", "Opens", Holds.MOMENT, "In UTC")
_CLOSES = Field("closes", "Closes", Holds.MOMENT, "In UTC. It closes submission, and decides nothing")
_EARLY = Field("may_close_early", "A person may close it earlier", Holds.FLAG, "Applicants are told that it can happen")
_SCALE = (Field("key", "Score", Holds.WHOLE), Field("value", "What it means"))
_BOUNDS = (Field("minimum", "At least", Holds.WHOLE), Field("maximum", "At most", Holds.WHOLE))

_BASICS = (
    Field("title", "Title"),
    Field("purpose", "Purpose", Holds.PROSE, "What the lab wants to learn, and from whom; applicants read it first"),
    Field("stage", "Stage", Holds.CHOICE, "What of the release plan is being lent"),
    Field("tiers", "Tiers on offer", Holds.CHOICES, "How much of an answer a reader sees"),
    Field(
        "terms",
        "Terms",
        help="What readers accept: a name for people, or the digest of the terms under which alone it opens",
    ),
)
_MONEY = (
    Field("budget", "Budget", Holds.GROUP, "All that this call can ever give. One generated token uses one pass", of=(
        Field("passes", "Passes", Holds.WHOLE),
        Field("tokens", "Tokens", Holds.WHOLE, usual="not metered"),
        Field("calls", "Calls", Holds.WHOLE, usual="not metered"),
    )),
    Field("appeal_reserve", "Kept for appeals", Holds.WHOLE, "Passes of the budget that are awarded only on appeal"),
    Field("award", "One award", Holds.GROUP, of=(
        Field("minimum", "Minimum useful", Holds.WHOLE, "Passes; nobody is given fewer than are of use"),
        Field("maximum", "Maximum", Holds.WHOLE, "Passes; nobody is given more"),
        Field("days", "Days to use it", Holds.WHOLE, "From acceptance"),
        Field("accept_within_days", "Days to accept it", Holds.WHOLE, usual="14"),
        Field("tiers", "Closer bounds of single tiers", Holds.MAP, usual="none", one="tier", of=(
            Field("key", "Tier", Holds.CHOICE, refers="tiers"),
            Field("value", "Bounds", Holds.GROUP, of=_BOUNDS),
        )),
    )),
)  # fmt: skip
_WINDOWS = (
    Field("window", "Window", Holds.GROUP, "When applications are taken: one window, or rounds instead", of=(
        Field("standing", "It stands open until a person closes it", Holds.FLAG, "For a call without a competition"),
        _OPENS,
        _CLOSES,
        _EARLY,
    )),
    Field("rounds", "Rounds", Holds.LIST, "Instead of the one window: each with its share of the passes", one="round",
          usual="none", of=(
        Field("name", "Name"),
        _OPENS,
        _CLOSES,
        Field("passes", "Passes", Holds.WHOLE, "The rounds together have the budget's"),
        _EARLY,
    )),
)  # fmt: skip
_WHO = (
    Field("eligibility", "Eligibility", Holds.GROUP, of=(
        Field("affiliations", "Affiliations", Holds.NAMES, "One of these is needed: declared, confirmed, or an "
              "institution's name; one a line", usual="none is needed"),
        Field("credentials", "Credentials", Holds.NAMES, "Each of these is needed: training, library-card, "
              "ethics-approval; one a line", usual="none is needed"),
        Field("desk", "The desk looks at each form before it is reviewed", Holds.FLAG),
    )),
    Field("guarantor", "Guarantor", Holds.CHOICE, "Whether somebody who signs for an institution must vouch",
          usual="none", says={
        Guarantor.NONE: "none", Guarantor.OPTIONAL: "may be named", Guarantor.REQUIRED: "must vouch before an award",
    }),
)  # fmt: skip
_KINDS: Mapping[str, str] = {
    Kind.TEXT: "a text", Kind.LONG_TEXT: "a long text", Kind.NUMBER: "a number", Kind.CHOICE: "one of a list",
    Kind.MULTIPLE_CHOICE: "some of a list", Kind.DATE: "a day", Kind.YES_NO: "yes or no",
    Kind.ATTACHMENT: "files",
}  # fmt: skip


def _with_kind(made: Field) -> Field:
    return replace(made, only=("type", frozenset(GOES_WITH[made.name])))


_FORM = (
    Field("form", "Questions", Holds.LIST, "Every call asks purpose, asks, why, egress, risks and machine; add your "
          "own", one="question", of=(
        Field("label", "Question", Holds.PROSE, "As applicants read it"),
        Field("name", "Short name", help="One word, for quotas, conditions and exports"),
        Field("type", "Answered with", Holds.CHOICE, "Save to see what goes with another kind", says=_KINDS),
        _with_kind(Field("words", "Words at most", Holds.WHOLE)),
        _with_kind(Field("options", "Options", Holds.NAMES, "One a line")),
        _with_kind(Field("minimum", "At least", Holds.WHOLE, usual="0")),
        _with_kind(Field("maximum", "At most", Holds.WHOLE, usual="no bound")),
        _with_kind(Field("at_most", "How many at most", Holds.WHOLE, usual="all")),
        _with_kind(Field("earliest", "Earliest day", help="As 2026-12-31", usual="no bound")),
        _with_kind(Field("latest", "Latest day", help="As 2026-12-31", usual="no bound")),
        _with_kind(Field("files", "How many files", Holds.WHOLE, usual="1")),
        _with_kind(Field("types", "Of which types", Holds.CHOICES, usual="any of them",
                         says={each: each.value for each in FileKind})),
        _with_kind(Field("megabytes", "Megabytes each", Holds.WHOLE, usual="2")),
        Field("required", "An answer is needed", Holds.FLAG, default=True),
        Field("shown_to_reviewers", "Reviewers see the answer", Holds.FLAG, default=True),
        Field("help", "Help beside it", Holds.PROSE, usual="none"),
        Field("section", "Heading above it", usual="none"),
        Field("shown_if", "Asked only if", Holds.PAIR, usual="asked of everyone", of=(
            Field("key", "This question above it", Holds.CHOICE, refers="form.*.name"),
            Field("value", "is answered with", Holds.NAMES, "One of these; one a line"),
        )),
    )),
)  # fmt: skip
_CONFLICTS: Mapping[ConflictKind, str] = {
    ConflictKind.COMPETITOR: "applies in the same call", ConflictKind.CO_APPLICANT: "co-applicant elsewhere in it",
    ConflictKind.COAUTHOR: "co-author", ConflictKind.SUPERVISOR: "supervisor",
    ConflictKind.DOMAIN: "same e-mail domain",
    ConflictKind.AFFILIATION: "same institution", ConflictKind.STAFF: "both on the lab's staff",
    ConflictKind.NAMED: "named by the applicant",
}  # fmt: skip
_WEIGHS: Mapping[str, str] = {
    Severity.REAL: "real: nobody can waive it", Severity.APPARENT: "apparent", Severity.POTENTIAL: "potential",
    "none": "does not count",
}  # fmt: skip
_PHASES: Mapping[str, str] = {
    Phase.INDEPENDENT: "independent: each without the others",
    Phase.CONSOLIDATION: "consolidation: they read each other",
    Phase.PANEL: "panel: it reads all and ranks",
}  # fmt: skip
_REVIEW = (
    Field("review", "How it is reviewed", Holds.GROUP, "Left empty, a person decides without reviews", of=(
        Field("per_application", "Reviews of each application", Holds.WHOLE),
        Field("scale", "Scale", Holds.MAP, "What scores mean; the lowest and the highest at least", one="anchor",
              of=_SCALE),
        Field("criteria", "Criteria", Holds.LIST, one="criterion", of=(
            Field("name", "Short name"),
            Field("question", "What is asked of reviewers", Holds.PROSE),
            Field("weight", "Weight", Holds.WHOLE, "A whole number; 2 counts twice as much as 1"),
            Field("scale", "Its own anchors", Holds.MAP, "Where the scale's words do not fit", one="anchor", of=_SCALE,
                  usual="the scale above"),
        )),
        Field("floor", "Quality floor", Holds.NUMBER, "The least weighted mean that can be awarded"),
        Field("misuse_vetoes", "Misuse vetoes that exclude", Holds.WHOLE, usual="1"),
        Field("safety_opinions", "Opinions on misuse", Holds.WHOLE, "From persons with the role safety, of each "
              "application", usual="none"),
        Field("load", "Reviews of one reviewer at most", Holds.WHOLE, usual="the reviewer's own limit"),
        Field("double_blind", "The panel sees no names either", Holds.FLAG),
        Field("phases", "Phases", Holds.CHOICES, "In this order; the independent one is always the first",
              usual="independent only", says=_PHASES),
        Field("objective", "Matching makes large", Holds.CHOICE, usual="the worst served", says={
            Objective.MAXIMIN: "the expertise of the application served worst", Objective.SUM: "expertise in all",
        }),
        Field("conflicts", "Conflicts of interest", Holds.GROUP, "How much each kind weighs", usual="as in every call",
              of=tuple(Field(each.value, _CONFLICTS[each].capitalize(), Holds.CHOICE, usual="as usual", says=_WEIGHS)
                       for each in ConflictKind if each not in FIXED)),
    )),
    Field("sift", "Sift", Holds.GROUP, "A first look on one criterion; what is under the line is put before a person",
          usual="none", of=(
        Field("reviews", "Looks at each application", Holds.WHOLE, "1 or 2"),
        Field("criterion", "Criterion", Holds.CHOICE, refers="review.criteria.*.name"),
        Field("line", "Line", Holds.NUMBER),
    )),
    Field("distributed", "Applicants review one another", Holds.FLAG, "For a call with very many; in two halves, so "
          "that no review changes its author's own award"),
)  # fmt: skip
_SOURCES: Mapping[str, str] = {
    Source.DRAND_DEFAULT: "drand, default chain", Source.DRAND_QUICKNET: "drand, quicknet chain",
    Source.NIST: "NIST Randomness Beacon", Source.OTHER: "another, named in words",
}  # fmt: skip


def _serves(name: str) -> str:
    """Say of a policy, in its own words, what it serves; one that is decided by persons has no rule."""
    if name == BY_PERSON:
        return "no competition: a person decides each application"
    made = POLICIES[name](document.read(f"policy: {name}", name))
    return f"{made.objective}. {made.promise}"


SENTENCES: Mapping[str, str] = {name: _serves(name) for name in (*sorted(POLICIES), BY_PERSON)}
_SCORED = ("policy", frozenset(POLICIES))
_DIVIDED = (
    Field("allocation", "How the budget is divided", Holds.GROUP, of=(
        Field("policy", "Policy", Holds.CHOICE, "Save to see what goes with another policy",
              says={each: each.replace("-", " ") for each in SENTENCES}),
        *(replace(each, only=("policy", frozenset({name}))) for name, made in PARAMETERS.items() for each in made),
        Field("adjust", "Adjust for strict and lenient reviewers", Holds.CHOICE, usual="no", only=_SCORED,
              says={"none": "no: the mean as it is", "additive": "yes: one offset for each reviewer"}),
        Field("interval", "Intervals around scores", Holds.WHOLE, usual="as in every call", only=_SCORED,
              says={str(each): f"{each} %" for each in LEVELS}),
    )),
    Field("quotas", "Quotas", Holds.LIST, "A share for those who choose an answer in the form", one="quota",
          usual="none", of=(
        Field("name", "Name"),
        Field("question", "Question", Holds.CHOICE, refers="form.*.name"),
        Field("answer", "Answer"),
        Field("percent", "Per cent of the passes", Holds.WHOLE),
    )),
    Field("draw", "Public value of the draw", Holds.GROUP, "What the sealed seed is combined with, so that nobody can "
          "choose the lots", usual="the sealed seed alone", of=(
        Field("source", "Source", Holds.CHOICE, says=_SOURCES),
        Field("round", "Round", Holds.WHOLE, only=("source", {Source.DRAND_DEFAULT, Source.DRAND_QUICKNET})),
        Field("at", "Public at", Holds.MOMENT, "In UTC, after the window closes",
              only=("source", {Source.NIST, Source.OTHER})),
        Field("named", "Which value", Holds.PROSE, only=("source", {Source.OTHER})),
    )),
)  # fmt: skip
_AFTER = (
    Field("tranches", "Tranches", Holds.GROUP, usual="all at acceptance", of=(
        Field("first", "Released at acceptance", Holds.PERCENT, "As 50%"),
        Field("after", "The rest after", Holds.CHOICE, says={"report": "a progress report"}),
    )),
    Field("supplements", "Supplements", Holds.GROUP, "How much more a holder may ask for", usual="none", of=(
        Field("at_most", "At most", Holds.PERCENT, "Of the award, as 50%"),
        Field("times", "How often", Holds.WHOLE, usual="once"),
    )),
    Field("second_chance", "What comes back goes to those who were refused", Holds.FLAG),
    Field("appeals", "Appeals", Holds.GROUP, usual="as in every call", of=(
        Field("days", "Days to appeal", Holds.WHOLE, usual="14"),
        Field("grounds", "Grounds", Holds.CHOICES, usual="all", says={each: each.says for each in Ground}),
        Field("panel", "How many hear it", Holds.WHOLE, usual="2"),
        Field("if_short", "If the reserve does not suffice", Holds.CHOICE, usual="what is left", says={
            IfShort.WHAT_IS_LEFT: "what is left of it", IfShort.NEXT_CALL: "a place in the next call",
        }),
    )),
    Field("reapply_after_days", "Days until who was refused may apply again", Holds.WHOLE, usual="0"),
    Field("of", "Funded by the call", Holds.CHOICE, "Out of that call's rest", usual="a budget of its own"),
    Field("kind", "As its", Holds.CHOICE, usual="a call of its own", says={
        each: each.value.replace("-", " ") for each in CallKind if each is not CallKind.CALL
    }),
)  # fmt: skip
_RUNNING = (
    Field("decide_within", "A person decides within", usual="not said",
          help="As 24h, 3d or 2w; shown to applicants, and never acted upon"),
    Field("expects", "What the lab reckons with", Holds.GROUP, "Persons and engine days are counted by it; it promises "
          "nothing", usual="nothing said", of=(
        Field("applications", "Applications", Holds.WHOLE),
        Field("reviewers", "Reviewers", Holds.WHOLE, usual="not said"),
        Field("reviews_each", "Reviews each can give", Holds.WHOLE, usual="12"),
        Field("minutes_per_review", "Minutes for a review", Holds.WHOLE, usual="60"),
        Field("minutes_per_sift", "Minutes for a first look", Holds.WHOLE, usual="10"),
        Field("minutes_at_desk", "Minutes at the desk", Holds.WHOLE, usual="10"),
        Field("minutes_in_panel", "Minutes in the panel", Holds.WHOLE, usual="10"),
        Field("panel", "Persons on the panel", Holds.WHOLE, usual="3"),
    )),
)  # fmt: skip

SECTIONS: Mapping[str, tuple[Field, ...]] = {
    "The call": _BASICS,
    "Budget and awards": _MONEY,
    "Dates": _WINDOWS,
    "Who may apply": _WHO,
    "What applicants are asked": _FORM,
    "Review": _REVIEW,
    "Allocation": _DIVIDED,
    "After the award": _AFTER,
    "Running it": _RUNNING,
}
CALL = Field("", "Call", Holds.GROUP, of=tuple(each for section in SECTIONS.values() for each in section))
