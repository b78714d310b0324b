"""Reading rules that ask a judge: a classifier behind an HTTP interface, or a Python screen of somebody's own."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from importlib.metadata import EntryPoint, entry_points

from readingroom.core.document import Node
from readingroom.engines.classifier import Classifier, Style, address_problem, key_problem
from readingroom.gateway.screening.model import Action, Judged, OnFailure, PythonScreen

GROUP = "readingroom.screens"
JUDGING = ("window", "every", "overlap", "seconds", "on_failure")  # what only such rules have
MAX_WINDOW = 100_000
MAX_SECONDS = 60.0
_CLASSIFIER = ("url", "model", "style")
_OPTIONS = ("prompt", "safe", "unsafe", "labels", "threshold", "key_env")
_OF_STYLE = {Style.MODERATIONS: ("threshold",), Style.CHAT: ("prompt", "safe", "unsafe")}


def words(kind: type[StrEnum]) -> list[str]:
    """Return the words of a closed list."""
    return [each.value for each in kind]


def judged(node: Node, fields: Mapping[str, Node]) -> Judged | None:
    """Read what a rule says of its judge; None if it has none."""
    if "classifier" in fields:
        judge: Classifier | PythonScreen | None = _classifier(fields["classifier"])
    elif "python" in fields:
        judge = _python(fields["python"])
    else:
        for name in JUDGING:
            if name in fields:
                fields[name].problem(f"{name!r} is for rules that ask a judge", "Leave it out")
        return None
    if "normalize" in fields:
        fields["normalize"].problem("a judge is shown the text as it is", "Leave 'normalize' out")
    if "action" in fields and fields["action"].plain() == Action.REDACT.value:
        cure = "Cut, refuse or flag instead"
        fields["action"].problem("a judge does not say where in the text, so nothing can be taken out", cure)
    window = fields["window"].integer(100, MAX_WINDOW) if "window" in fields else 2000
    every = fields["every"].integer(1, MAX_WINDOW) if "every" in fields else min(200, window // 2)
    overlap = fields["overlap"].integer(0, MAX_WINDOW) if "overlap" in fields else min(100, window // 2)
    for name, size in (("every", every), ("overlap", overlap)):
        if size > window // 2:
            fields.get(name, node).problem(f"{name!r} is more than half of the window of {window}", "Widen 'window'")
    seconds = fields["seconds"].number(0.05, MAX_SECONDS) if "seconds" in fields else 5.0
    failing = fields["on_failure"].choice(words(OnFailure), OnFailure.REFUSE) if "on_failure" in fields else "refuse"
    return Judged(judge, window, every, overlap, seconds, OnFailure(failing)) if judge else None


def _classifier(node: Node) -> Classifier | None:
    fields = node.fields(_CLASSIFIER, _OPTIONS)
    if not all(name in fields for name in _CLASSIFIER):
        return None
    style = Style(fields["style"].choice(words(Style), Style.CHAT))
    for other in Style:
        for name in _OF_STYLE[other]:
            if other is not style and name in fields:
                fields[name].problem(f"{name!r} is for the style {other.value!r}", "Leave it out, or change 'style'")
    url = fields["url"].text()
    wrong = address_problem(url) if url else None
    if wrong:
        fields["url"].problem(f"the address {wrong[0]}", wrong[1])
    prompt = fields["prompt"].text() if "prompt" in fields else ""
    if prompt and prompt.count("{text}") != 1:
        fields["prompt"].problem("'prompt' must say once where the text goes", "Write {text} there")
    safe, unsafe = (fields[name].text(name).strip() if name in fields else name for name in ("safe", "unsafe"))
    if safe == unsafe:
        node.problem("'safe' and 'unsafe' are the same word", "Write what the classifier answers in each case")
    key_env = fields["key_env"].text() if "key_env" in fields else ""
    wrong = key_problem(key_env) if key_env else None
    if wrong:
        fields["key_env"].problem(*wrong)
    labels = fields["labels"].texts() if "labels" in fields else ()
    threshold = fields["threshold"].number(0, 1) if "threshold" in fields else None
    return Classifier(url, fields["model"].text(), style, prompt, safe, unsafe, labels, threshold, key_env)


def installed() -> dict[str, list[EntryPoint]]:
    """Return the Python screens that are installed, by name."""
    found: dict[str, list[EntryPoint]] = {}
    for each in entry_points(group=GROUP):
        found.setdefault(each.name, []).append(each)
    return found


def _python(node: Node) -> PythonScreen | None:
    name, known = node.text(), installed()
    if not name:
        return None
    if name not in known:
        cure = f"Install the package that brings it (entry point group {GROUP!r})"
        there = f"; installed are: {', '.join(sorted(known))}" if known else "; none is installed"
        node.problem(f"there is no Python screen {name!r}", cure + there)
        return None
    if len(known[name]) > 1:
        brings = sorted({each.dist.name if each.dist else "?" for each in known[name]})
        node.problem(f"several packages bring a Python screen {name!r}: {', '.join(brings)}", "Remove all but one")
        return None
    (found,) = known[name]
    package = found.dist
    return PythonScreen(name, found.value, package.name if package else "", package.version if package else "")
