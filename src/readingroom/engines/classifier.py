"""Classifiers of texts: what is asked of one, and how its answer is read. Pure; `engines.moderation` calls them.

Two interfaces: OpenAI's `POST /moderations`, and chat completions of any OpenAI-compatible server, for Llama Guard and
its kin, which answer `safe`, or `unsafe` with categories on the next line. An answer that is not exactly of such a
form is no verdict: what cannot be read says nothing about the text.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import msgspec

from readingroom.core.canonical import Json

KEY_PREFIX = "READINGROOM_SCREEN_"  # what names the environment variables that a rule may send as a key
_KEY_NAME = re.compile(rf"{KEY_PREFIX}[A-Z0-9_]+")
_NO_ADDRESS = "is no http or https address", "Write it as https://host:port/v1"
_CATEGORY = re.compile(r"[A-Za-z0-9_./-]{1,64}")
_MAX_CATEGORIES = 64
_MAX_ANSWER = 64  # tokens of a chat classifier's answer


class Style(StrEnum):
    """The interface of a classifier."""

    MODERATIONS = "moderations"
    CHAT = "chat"


@dataclass(frozen=True, slots=True)
class Classifier:
    """A classifier, as a rule names it.

    Attributes:
        url: base address, ending in `/v1` as a rule; `https`, or `http` to this machine.
        model: its name there.
        style: which interface it has.
        prompt: for `chat`: the message that is sent, with `{text}` where the text goes; empty sends the text itself.
        safe: for `chat`: the word that means no match.
        unsafe: for `chat`: the word that means a match.
        labels: the categories that count; empty counts all.
        threshold: for `moderations`: the least score that counts; None goes by the classifier's own flags.
        key_env: the environment variable that holds its key; empty sends none.
    """

    url: str
    model: str
    style: Style
    prompt: str = ""
    safe: str = "safe"
    unsafe: str = "unsafe"
    labels: tuple[str, ...] = ()
    threshold: float | None = None
    key_env: str = ""

    def as_json(self) -> dict[str, Json]:
        """Return all that its verdicts depend on, for the digest of its rule set."""
        return {
            "url": self.url,
            "model": self.model,
            "style": self.style.value,
            "prompt": self.prompt,
            "safe": self.safe,
            "unsafe": self.unsafe,
            "labels": list(self.labels),
            "threshold": None if self.threshold is None else repr(self.threshold),
            "key_env": self.key_env,
        }


class NoVerdict(Exception):  # noqa: N818 - named for what it is
    """A screen gave no verdict.

    Attributes:
        why: in a word of a closed list, safe to log and to record: `timeout`, `unreachable`, `status`, `redirect`,
            `too-large`, `malformed`, `no-key`, `too-long`, `raised`.
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Said:
    """What a screen said of a text: whether it matches, and under which categories."""

    match: bool
    labels: tuple[str, ...] = ()


def address_problem(url: str) -> tuple[str, str] | None:
    """Return what is wrong with a classifier's address, and the cure; None if nothing is."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return _NO_ADDRESS
    if parts.scheme not in {"http", "https"} or not host or re.search(r"[\s\\\x00-\x1f\x7f]", url):
        return _NO_ADDRESS
    if parts.username is not None or parts.password is not None:
        return "holds a name or a password", "Take it out; name a key's environment variable in 'key_env'"
    if "?" in url or "#" in url:
        return "has a query or a fragment", "Give the base address alone, such as https://host:port/v1"
    return _host_problem(host, clear=parts.scheme == "http")


def _host_problem(host: str, *, clear: bool) -> tuple[str, str] | None:
    local = host == "localhost"
    with contextlib.suppress(ValueError):  # a name, and no number
        number = ipaddress.ip_address(host)
        if number.is_link_local or number.is_multicast or number.is_unspecified:
            return "is not the address of a server of yours", "Give the classifier's own address"
        local = number.is_loopback
    if clear and not local:
        return "would send texts over the network in the clear", "Use https; http is for this machine alone"
    return None


def key_problem(name: str) -> tuple[str, str] | None:
    """Return what is wrong with the name of a key's variable, and the cure; a rule may send no other secret."""
    if _KEY_NAME.fullmatch(name):
        return None
    return f"{name!r} is not a name for a screen's key", f"Name it {KEY_PREFIX}..., in capitals"


def question(classifier: Classifier, text: str, asked: str = "") -> tuple[str, dict[str, Json]]:
    """Return the route and the body that ask about a text.

    Args:
        classifier: who is asked.
        text: what is to be judged.
        asked: for an answer, the request that it answers; only a chat classifier without a prompt of its own sees it.
    """
    if classifier.style is Style.MODERATIONS:
        return "moderations", {"model": classifier.model, "input": text}
    if classifier.prompt:
        messages = [{"role": "user", "content": classifier.prompt.replace("{text}", text)}]
    elif asked:
        messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": text}]
    else:
        messages = [{"role": "user", "content": text}]
    fixed = {"temperature": 0, "max_tokens": _MAX_ANSWER, "n": 1, "stream": False}
    return "chat/completions", {"model": classifier.model, "messages": messages, **fixed}


def verdict(classifier: Classifier, body: bytes) -> Said:
    """Read an answer.

    Raises:
        NoVerdict: it is not exactly such an answer as was asked for.
    """
    try:
        answer = msgspec.json.decode(body)
        return _moderated(classifier, answer) if classifier.style is Style.MODERATIONS else _told(classifier, answer)
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError):
        raise NoVerdict("malformed") from None


def _moderated(classifier: Classifier, answer: Any) -> Said:  # noqa: ANN401 - JSON from outside
    (result,) = answer["results"]  # one text was asked about: any other number is an answer to something else
    flagged, categories = result["flagged"], result["categories"]
    if not isinstance(flagged, bool) or not all(isinstance(each, bool) for each in categories.values()):
        raise ValueError
    counted = classifier.labels or tuple(categories)
    if classifier.threshold is None:
        found = tuple(label for label in counted if categories[label])
        return Said(bool(found) if classifier.labels else flagged or bool(found), _clean(found))
    scores = result["category_scores"]
    counted = classifier.labels or tuple(scores)
    if not counted or not all(_is_score(scores[label]) for label in counted):
        raise ValueError
    found = tuple(label for label in counted if scores[label] >= classifier.threshold)
    return Said(bool(found), _clean(found))


def _is_score(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 1


def _told(classifier: Classifier, answer: Any) -> Said:  # noqa: ANN401
    (choice,) = answer["choices"]
    lines = [line.strip() for line in choice["message"]["content"].strip().splitlines()]
    if lines == [classifier.safe]:
        return Said(match=False)
    if lines[0] != classifier.unsafe or len(lines) > 2:  # noqa: PLR2004 - the word, and a line of categories
        raise ValueError
    found = tuple(each.strip() for line in lines[1:] for each in line.split(","))
    if not classifier.labels or not found:  # what is unsafe without a reason is unsafe for every reason
        return Said(True, _clean(found))
    counted = tuple(each for each in found if each in classifier.labels)
    return Said(bool(counted), _clean(counted))


def _clean(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Keep of a stranger's words what can be a category's name."""
    return tuple(each for each in labels if _CATEGORY.fullmatch(each))[:_MAX_CATEGORIES]
