"""From a YAML document to a `Plan`. All mistakes are collected, each with its place and its cure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from readingroom.core.document import Node
from readingroom.core.text import line_problem
from readingroom.strategy.gates.registry import KINDS
from readingroom.strategy.gates.scope import Scope
from readingroom.strategy.gates.sign_off import SignOff
from readingroom.strategy.model import (
    DEFAULT_MAX_TOKENS,
    Audience,
    Channel,
    Gate,
    GateClause,
    Hazard,
    Model,
    Pace,
    Plan,
    Retention,
    Stage,
    Tier,
)

Suites = Mapping[str, Mapping[str, int]]

MAX_LOGPROBS = (
    5  # until a disclosure guard exists: full logprobs give away a model's hidden size in a few hundred calls
)
TWO_PERSONS = 2
MAX_STAGES = 100  # so that the changes of a plan fit into one entry of the ledger
_PLAN = ("release", "steward", "benefits", "hazards", "levers", "models", "stages")
_STAGE = ("name", "channel", "model", "audience", "gate")
_STAGE_OPTIONAL = ("screening", "tiers", "default_max_tokens", "retention")
MAX_KEPT_DAYS = 365
MAX_PURPOSE = 500  # characters: readers read it before they agree
_PACE = {"requests_per_minute": 1_000_000, "tokens_per_minute": 10**9, "parallel": 10_000}  # with the most of each
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?")
_SPELLING = "Use small letters and digits, with '-', '_' and '.' between them"
_ARTIFACT = re.compile(r"(?!.*\.\.)[A-Za-z0-9](?:[A-Za-z0-9._:/@+-]{0,126}[A-Za-z0-9])?")  # as engines name models


def parse(root: Node, suites: Suites | None = None, rules: Callable[[str], str] | None = None) -> Plan:
    """Read a release plan.

    Args:
        root: the document, as `core.document.read` gives it.
        suites: the claims of each suite that exists, with their number of cases; None skips that check, for a plan
            that is already in force.

        rules: tells what is wrong with a rule file that a stage names, or nothing; None skips that check.

    Raises:
        BadInput: with every problem found.
    """
    fields = root.fields(_PLAN)
    models = _models(fields["models"]) if "models" in fields else {}
    stages = _stages(fields["stages"], models, suites, rules) if "stages" in fields else ()
    hazards = _hazards(fields["hazards"], stages) if "hazards" in fields else ()
    plan = Plan(
        release=_name(fields["release"], _ARTIFACT) if "release" in fields else "",
        steward=fields["steward"].text() if "steward" in fields else "",
        benefits=_texts(fields["benefits"]) if "benefits" in fields else (),
        hazards=hazards,
        levers=_texts(fields["levers"]) if "levers" in fields else (),
        models=models,
        stages=stages,
    )
    root.document.finish()
    return plan


def _texts(node: Node) -> tuple[str, ...]:
    if node.is_list() and not node.items():
        node.problem(f"{node.path!r} names nothing", "Name at least one: a release is weighed against something")
    return node.texts()


def _name(node: Node, pattern: re.Pattern[str] = _NAME) -> str:
    """Read a name; those that leave the house (release, artifact) may have capitals too."""
    name = node.text()
    if name and not pattern.fullmatch(name):
        node.problem(f"{name[:80]!r} is no name", "Use letters, digits, '-', '_' and '.', small ones but for files")
    return name


def _models(node: Node) -> dict[str, Model]:
    found = {}
    entries = node.fields(optional=None)
    if node.is_mapping() and not entries:
        node.problem("the plan has no model", "Add one, as 'small: {artifact: NAME}'")
    for name, entry in entries.items():
        if not _NAME.fullmatch(name):
            entry.problem(f"{name[:80]!r} is no name for a model", _SPELLING)
        fields = entry.fields(["artifact"])
        if "artifact" in fields:
            found[name] = Model(name, _name(fields["artifact"], _ARTIFACT))
    return found


def _stages(
    node: Node, models: Mapping[str, Model], suites: Suites | None, rules: Callable[[str], str] | None
) -> tuple[Stage, ...]:
    items = node.items()
    if node.is_list() and not items:
        node.problem("the plan has no stage", "Add one, as lines below '- name: ...'")
    if len(items) > MAX_STAGES:
        node.problem(f"the plan has {len(items)} stages", f"Write at most {MAX_STAGES}")
    names = {str(name) for item in items if (name := _peek(item, "name"))}
    stages: list[Stage] = []
    earlier: dict[str, Channel] = {}
    for item in items:
        stage = _stage(item, models, Scope(_peek(item, "name"), dict(earlier), names, suites, rules))
        if stage is not None:
            stages.append(stage)
            earlier[stage.name] = stage.channel
    return tuple(stages)


def _peek(stage: Node, key: str) -> str:
    """Look at a stage's text before it is read, without noting problems: later names are needed first."""
    pairs = getattr(stage.raw, "value", ()) if stage.is_mapping() else ()
    return next((str(value.value) for name, value in pairs if name.value == key), "")


def _stage(node: Node, models: Mapping[str, Model], scope: Scope) -> Stage | None:
    fields = node.fields(_STAGE, _STAGE_OPTIONAL)
    name = _name(fields["name"]) if "name" in fields else ""
    if name in scope.earlier:
        fields["name"].problem(f"two stages are named {name!r}", "Give each its own name")
    channel = Channel(_word(fields, "channel", Channel, Channel.SAMPLES))
    audience = Audience(_word(fields, "audience", Audience, Audience.STAFF))
    model = _model(fields["model"], models) if "model" in fields else None
    gate = _gate(fields["gate"], channel, scope) if "gate" in fields else Gate()
    tiers = _tiers(fields["tiers"]) if "tiers" in fields else {}
    screening = _screening(fields["screening"], scope) if "screening" in fields else ()
    maximum = fields.get("default_max_tokens")
    tokens = maximum.integer(1, 1_000_000) if maximum else DEFAULT_MAX_TOKENS
    retention = _retention(fields["retention"]) if "retention" in fields else None
    if channel is not Channel.API:
        for key in (key for key in _STAGE_OPTIONAL if key in fields and "channel" in fields):
            what = f"{key!r} has no meaning at a stage with channel {channel.value}"
            fields[key].problem(what, "Leave it out: nothing is called there")
    elif not tiers:
        tiers = {"text": Tier("text")}
    if not name:
        return None
    model = model or Model("", "")  # the mistake is noted; what follows must not be told that the stage is not there
    return Stage(name, channel, model, audience, gate, screening, tiers, tokens, retention)


def _word(fields: Mapping[str, Node], key: str, options: type[Channel | Audience], default: str) -> str:
    return fields[key].choice([each.value for each in options], default) if key in fields else default


def _model(node: Node, models: Mapping[str, Model]) -> Model | None:
    name = node.choice(models)
    return models.get(name)


def _tiers(node: Node) -> dict[str, Tier]:
    entries = node.fields(optional=None)
    if node.is_mapping() and not entries:
        node.problem("no tier is named", "Name one, as 'text: {}', or leave 'tiers' out")
    tiers = {}
    for name, entry in entries.items():
        if not _NAME.fullmatch(name):
            entry.problem(f"{name[:80]!r} is no name for a tier", _SPELLING)
        given = entry.fields((), ["top_logprobs", *_PACE])
        shown = given.get("top_logprobs")
        pace = {key: given[key].integer(1, most) for key, most in _PACE.items() if key in given}
        tiers[name] = Tier(name, shown.integer(0, MAX_LOGPROBS) if shown else 0, Pace(**pace))
    return tiers


def _retention(node: Node) -> Retention | None:
    fields = node.fields(["days", "purpose"])
    if len(fields) < 2:  # noqa: PLR2004 - both, or the mistake is noted
        return None
    days, purpose = fields["days"].integer(1, MAX_KEPT_DAYS), " ".join(fields["purpose"].text().split())
    if bad := line_problem("purpose", purpose, MAX_PURPOSE):
        fields["purpose"].problem(f"the purpose {bad.what}", "Say in a sentence why: readers agree to it")
    return Retention(days, purpose)


def _screening(node: Node, scope: Scope) -> tuple[str, ...]:
    paths: list[str] = []
    for item in node.items():
        path = item.text()
        if path.startswith(("/", "~")) or "\\" in path or ".." in path.split("/"):
            item.problem(f"{path!r} points out of the house", "Name a file below HOME, as 'rules/base.yaml'")
        elif path in paths:
            item.problem(f"{path!r} stands twice", "Keep one of the two")
        elif path and scope.rules is not None and (bad := scope.rules(path)):
            item.problem(f"{path!r} cannot be used: {bad}", "Write it, or mend it, before the plan that rests on it")
        elif path:
            paths.append(path)
    return tuple(paths)


def _gate(node: Node, channel: Channel, scope: Scope) -> Gate:
    if node.is_mapping():
        return _ungated(node, channel)
    empty = node.raw.tag.endswith(":null")
    items = [] if empty else node.items()
    if empty or (node.is_list() and not items):
        node.problem("the gate is empty", 'Write a condition, or for samples: gate: {none: "why"}')
    clauses: list[GateClause] = []
    for item in items:
        clause = _clause(item, scope)
        if clause is not None and clause.label in {each.label for each in clauses}:
            item.problem(f"{clause.label!r} stands twice in this gate", "Keep one of the two")
        elif clause is not None:
            clauses.append(clause)
    if channel.irreversible and _quorum(clauses) < TWO_PERSONS and not _has_problem_below(node):
        node.problem(
            "weights cannot be called back, and no two persons sign for them",
            "Add '- sign_off: {role: steward, quorum: 2}'",
        )
    return Gate(tuple(clauses))


def _ungated(node: Node, channel: Channel) -> Gate:
    reason = node.fields(["none"]).get("none")
    if reason is not None and channel is not Channel.SAMPLES:
        cure = "Write a list of conditions; only samples may be shown without"
        reason.problem(f"a stage with channel {channel.value} needs a gate", cure)
    return Gate(ungated=reason.text() if reason else "")


def _clause(item: Node, scope: Scope) -> GateClause | None:
    before = len(item.document.problems)
    fields = item.fields((), KINDS)
    if len(fields) == 1 and len(item.document.problems) == before:
        kind, node = next(iter(fields.items()))
        return KINDS[kind](node, scope)
    if len(item.document.problems) == before:
        item.problem("a condition is one kind with its figures", f"Known kinds: {', '.join(KINDS)}")
    return None


def _quorum(clauses: list[GateClause]) -> int:
    """Add up the quorums: a person counts once in a gate, whatever roles are held, so sums are persons."""
    return sum(each.quorum for each in clauses if isinstance(each, SignOff))


def _has_problem_below(node: Node) -> bool:
    """Tell whether the gate's own text is already faulted, so that what follows from the fault is not told too."""
    start, end = node.raw.start_mark.line + 1, node.raw.end_mark.line + 1
    lines = (int(each.where.split(":")[-2]) for each in node.document.problems)
    return any(start <= line <= end for line in lines)


def _hazards(node: Node, stages: tuple[Stage, ...]) -> tuple[Hazard, ...]:
    covered = {name for stage in stages for clause in stage.gate.clauses for name in clause.covers()}
    found: dict[str, Hazard] = {}
    entries = _hazard_entries(node)
    if not entries and (node.is_list() or node.is_mapping()) and not node.raw.value:
        node.problem("the plan names no hazard", "Name those that were thought of; each may say why no gate covers it")
    for name, place, explanation in entries:
        if name in found:
            place.problem(f"hazard {name!r} stands twice", "Keep one of the two")
        elif not explanation and name not in covered:
            place.problem(
                f"no gate covers the hazard {name!r}, and nothing explains why not",
                f"Add a stress clause with claim: {name}, or write hazards as 'name: why no gate covers it'",
            )
        found[name] = Hazard(name, explanation)
    return tuple(found.values())


def _hazard_entries(node: Node) -> list[tuple[str, Node, str]]:
    """Read hazards as a list of names, or as a mapping from name to explanation (or to nothing)."""
    if not node.is_mapping():
        return [(name, item, "") for item in node.items() if (name := _name(item))]
    entries = []
    for name, entry in node.fields(optional=None).items():
        if not _NAME.fullmatch(name):
            entry.problem(f"{name[:80]!r} is no name for a hazard", _SPELLING)
        entries.append((name, entry, "" if entry.raw.tag.endswith(":null") else entry.text()))
    return entries
