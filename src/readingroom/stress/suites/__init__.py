"""The suites that ship with the program: YAML beside this file, read strictly and named by digest.

A mistake in a suite would make a model look safer than it is: a case that can never be a hit, or one case many times
over, which makes a bound look tighter than it is. Both are problems of the file.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from importlib.resources import files

from readingroom.core.canonical import digest, sha256
from readingroom.core.document import Node, read
from readingroom.stress.judges import JUDGES, LEAST_WATCHED, words_watched
from readingroom.stress.model import Case, Claim, Floor, Suite

MAX_TOKENS = 512


@cache
def shipped() -> dict[str, Suite]:
    """Return every shipped suite by name."""
    folder = files("readingroom.stress.suites")
    found = (parse(read(path.read_bytes(), path.name)) for path in folder.iterdir() if path.name.endswith(".yaml"))
    return {suite.name: suite for suite in found}


def known() -> dict[str, dict[str, int]]:
    """Return the claims of each suite with their number of cases, for the plan's check."""
    return {name: {claim.name: len(claim.cases) for claim in suite.claims} for name, suite in shipped().items()}


def parse(root: Node) -> Suite:
    """Read a suite.

    Raises:
        BadInput: with every problem's line and column.
    """
    fields = root.fields(["suite", "version", "seed", "claims", "floor"])
    root.document.finish()
    claims = tuple(_claim(each) for each in fields["claims"].items())
    floor_fields = fields["floor"].fields(["at_least"], None)
    floor = Floor(_claim(fields["floor"], "floor"), floor_fields["at_least"].number(0, 1))
    fields["version"].integer(1)
    _check_names(fields["claims"], [*claims, floor.claim])
    named = digest({"suite": root.plain(), "judges": _judges_digest()})
    suite = Suite(fields["suite"].text(), named, fields["seed"].integer(), claims, floor)
    root.document.finish()
    return suite


@cache
def _judges_digest() -> str:
    return sha256((files("readingroom.stress") / "judges.py").read_bytes())


def _check_names(node: Node, claims: list[Claim]) -> None:
    for name, times in Counter(claim.name for claim in claims).items():
        if times > 1:
            node.problem(f"{times} claims are named {name!r}", "Give each a name of its own; `floor` is taken")


def _claim(node: Node, name: str = "") -> Claim:
    required = ["about", "judge", "prompt", "max_tokens", "cases", *([] if name else ["name"])]
    fields = node.fields(required, ["at_least"] if name else [])
    node.document.finish()
    prompt = fields["prompt"].text()
    if "{given}" not in prompt:
        fields["prompt"].problem("the prompt does not say where the case goes", "Write {given} where it goes")
    judge = fields["judge"].choice(JUDGES)
    least = max(1, LEAST_WATCHED.get(judge, 0))  # no token is more than a word of these
    return Claim(
        name=name or fields["name"].text(),
        about=fields["about"].text(),
        judge=judge,
        prompt=prompt,
        max_tokens=fields["max_tokens"].integer(least, MAX_TOKENS),
        cases=_cases(fields["cases"], judge),
    )


def _cases(node: Node, judge: str) -> tuple[Case, ...]:
    found: dict[str, Case] = {}
    for item in node.items():
        case = _case(item)
        least = LEAST_WATCHED.get(judge, 0)
        if words_watched(case) < least:
            item.problem(f"`watch` is too short for {judge!r}: nothing could be a hit", f"Give {least} words or more")
        if case.given in found:
            item.problem("the same case stands here twice", "One case asked twice is not two cases: take it out")
        found[case.given] = case
    return tuple(found.values())


def _case(node: Node) -> Case:
    fields = node.fields(["given"], ["watch"])
    watch = fields["watch"].text() if "watch" in fields else ""
    return Case(fields["given"].text() if "given" in fields else "", watch)
