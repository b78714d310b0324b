"""The suites that ship with the program: YAML beside this file, read strictly and named by digest."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from readingroom.core.canonical import digest
from readingroom.core.document import Node, read
from readingroom.stress.judges import JUDGES
from readingroom.stress.model import Case, Claim, Floor, Suite

MAX_TOKENS = 512


@cache
def shipped() -> dict[str, Suite]:
    """Return every shipped suite by name."""
    folder = files("readingroom.stress.suites")
    found = (parse(read(path.read_bytes(), path.name)) for path in folder.iterdir() if path.name.endswith(".yaml"))
    return {suite.name: suite for suite in found}


def known() -> dict[str, set[str]]:
    """Return the claims of each suite, for the plan's check."""
    return {name: {claim.name for claim in suite.claims} for name, suite in shipped().items()}


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
    suite = Suite(fields["suite"].text(), digest(root.plain()), fields["seed"].integer(), claims, floor)
    root.document.finish()
    return suite


def _claim(node: Node, name: str = "") -> Claim:
    required = ["about", "judge", "prompt", "max_tokens", "cases", *([] if name else ["name"])]
    fields = node.fields(required, ["at_least"] if name else [])
    node.document.finish()
    prompt = fields["prompt"].text()
    if "{given}" not in prompt:
        fields["prompt"].problem("the prompt does not say where the case goes", "Write {given} where it goes")
    return Claim(
        name=name or fields["name"].text(),
        about=fields["about"].text(),
        judge=fields["judge"].choice(JUDGES),
        prompt=prompt,
        max_tokens=fields["max_tokens"].integer(1, MAX_TOKENS),
        cases=tuple(_case(each) for each in fields["cases"].items()),
    )


def _case(node: Node) -> Case:
    fields = node.fields(["given"], ["watch"])
    watch = fields["watch"].text() if "watch" in fields else ""
    return Case(fields["given"].text() if "given" in fields else "", watch)
