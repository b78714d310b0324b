r"""Regular expressions of bounded width, matched by RE2 alone.

A pattern is parsed here into a small tree, for three things that RE2 does not tell: its greatest width (what
must be held back at most), whether a match needs to see the character after it, and the language of its
beginnings (what must be held back now). What is matched is RE2 syntax written anew from that tree, so the two
cannot disagree.

Supported: literals, `.`, classes, `\d \w \s \p{..}` and their negations, groups, `|`, `? {n} {m,n}`,
`\b \B ^ $`, `(?i)` at the front. Refused, each with a cure: `*`, `+`, `{n,}`, lookaround, backreferences,
other flags.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

import re2

MAX_WIDTH = 1_000  # characters; also RE2's own limit for a repetition
_ASSERTIONS = {"^": r"\A", "$": r"\z", "b": r"\b", "B": r"\B", "A": r"\A", "z": r"\z"}
_CONTROLS = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_UNBOUNDED = "has no greatest width, so a stream could be held back for ever"
_BOUND = "Give a bound, such as {0,40}"


class BadPattern(ValueError):  # noqa: N818 - named for what it is
    """A pattern that cannot be used; says what is wrong and the cure."""

    def __init__(self, what: str, cure: str) -> None:
        super().__init__(f"{what}. {cure}")
        self.what = what
        self.cure = cure


@dataclass(frozen=True, slots=True)
class One:
    """One character of a class; `plain` is the character if the class has one member that was written out."""

    source: str
    plain: str = ""


@dataclass(frozen=True, slots=True)
class Assertion:
    """A condition on the borders; takes no characters."""

    source: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """Items one after another."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several branches."""

    branches: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """An item, `low` to `high` times."""

    item: Node
    low: int
    high: int


Node = One | Assertion | Sequence | Choice | Repeat


def width(node: Node) -> tuple[int, int]:
    """Return the least and greatest number of characters that a match takes."""
    match node:
        case One():
            return 1, 1
        case Assertion():
            return 0, 0
        case Sequence(items):
            each = [width(item) for item in items]
            return sum(low for low, _ in each), sum(high for _, high in each)
        case Choice(branches):
            each = [width(branch) for branch in branches]
            return min(low for low, _ in each), max(high for _, high in each)
        case Repeat(item, low, high):
            least, most = width(item)
            return least * low, most * high


def source(node: Node) -> str:
    """Write a tree as RE2 syntax."""
    match node:
        case One(text) | Assertion(text):
            return text
        case Sequence(items):
            return "(?:" + "".join(source(item) for item in items) + ")"
        case Choice(branches):
            return "(?:" + "|".join(source(branch) for branch in branches) + ")"
        case Repeat(item, low, high):
            return f"(?:{source(item)}){{{low},{high}}}"


def beginnings(node: Node) -> str | None:
    """Write, as RE2 syntax, every non-empty beginning of what a tree matches; None if there is none.

    Assertions are taken as true, so it may be a little more than needed, never less.
    """
    match node:
        case One(text):
            return text
        case Assertion():
            return None
        case Choice(branches):
            found = [each for each in map(beginnings, branches) if each]
            return "(?:" + "|".join(found) + ")" if found else None
        case Repeat(item, _, high):
            inner = beginnings(item)
            return f"(?:(?:{_free(item)}){{0,{high - 1}}}{inner})" if inner and high else None
        case Sequence(items):
            rest: str | None = None
            for item in reversed(items):
                inner = beginnings(item)
                after = f"{_free(item)}{rest}" if rest else None
                rest = "(?:" + "|".join(each for each in (inner, after) if each) + ")" if inner or after else None
            return rest


def plain_characters(node: Node) -> list[str]:
    """Return the characters that the pattern writes out."""
    match node:
        case One(_, plain):
            return [plain] if plain else []
        case Assertion():
            return []
        case Sequence(parts) | Choice(parts):
            return [each for part in parts for each in plain_characters(part)]
        case Repeat(item):
            return plain_characters(item)


def looks_ahead(node: Node) -> bool:
    """Tell whether a match may depend on the character after it: on an assertion that is not at the front."""
    match node:
        case One():
            return False
        case Assertion():
            return True
        case Sequence(items):
            past_front = list(items)
            while past_front and isinstance(past_front[0], Assertion):
                past_front.pop(0)
            return any(looks_ahead(item) for item in past_front)
        case Choice(branches):
            return any(looks_ahead(branch) for branch in branches)
        case Repeat(item):
            return looks_ahead(item)


def _free(node: Node) -> str:
    """Write a tree without its assertions."""
    match node:
        case One(text):
            return text
        case Assertion():
            return ""
        case Sequence(items):
            return "(?:" + "".join(map(_free, items)) + ")"
        case Choice(branches):
            return "(?:" + "|".join(map(_free, branches)) + ")"
        case Repeat(item, low, high):
            return f"(?:{_free(item)}){{{low},{high}}}"


class _Parser:
    """Recursive descent over the pattern's text."""

    def __init__(self, pattern: str) -> None:
        self.text = pattern
        self.at = 0

    def refuse(self, what: str, cure: str) -> NoReturn:
        raise BadPattern(f"at character {self.at + 1} of the pattern: {what}", cure)

    def peek(self, count: int = 1) -> str:
        return self.text[self.at : self.at + count]

    def take(self, expected: str) -> bool:
        if self.text.startswith(expected, self.at):
            self.at += len(expected)
            return True
        return False

    def choice(self, depth: int = 0) -> Node:
        if depth > 50:  # noqa: PLR2004 - far above any pattern, far below Python's stack
            self.refuse("too many groups inside one another", "Simplify it")
        branches = [self.sequence(depth)]
        while self.take("|"):
            branches.append(self.sequence(depth))
        return branches[0] if len(branches) == 1 else Choice(tuple(branches))

    def sequence(self, depth: int) -> Node:
        items: list[Node] = []
        while self.at < len(self.text) and self.peek() not in "|)":
            item = self.atom(depth)
            items.append(self.repeated(item))
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def repeated(self, item: Node) -> Node:
        if self.peek() in ("*", "+"):
            self.refuse(f"{self.peek()!r} {_UNBOUNDED}", _BOUND)
        if self.take("?"):
            low, high = 0, 1
        elif found := re.compile(r"\{(\d+)(,?)(\d*)\}").match(self.text, self.at):
            low = int(found[1])
            if found[2] and not found[3]:
                self.refuse(f"{found[0]!r} {_UNBOUNDED}", _BOUND)
            high = int(found[3] or found[1])
            self.at = found.end()
        else:
            return item
        if not low <= high <= MAX_WIDTH:
            self.refuse("the bounds of a repetition are wrong", f"Write {{m,n}} with m <= n <= {MAX_WIDTH}")
        if isinstance(item, Assertion):
            self.refuse("a border cannot be repeated", "Leave the repetition out")
        self.take("?")  # lazy or greedy is the same here: every possible match counts
        if self.peek() in ("*", "+", "?") or re.compile(r"\{\d").match(self.text, self.at):
            self.refuse("a repetition of a repetition", "Put the inner one into (?:...)")
        return Repeat(item, low, high)

    def atom(self, depth: int) -> Node:
        character = self.peek()
        if character == "(":
            return self.group(depth)
        if character == "[":
            return self.bracket()
        if character == "\\":
            return self.escape()
        self.at += 1
        if character == ".":
            return One(r"[^\n]")
        if character in "^$":
            return Assertion(_ASSERTIONS[character])
        if character in "*+?":
            self.at -= 1
            self.refuse(f"{character!r} repeats nothing", f"Write \\{character} for the character itself")
        return One(re2.escape(character), character)

    def group(self, depth: int) -> Node:
        for look in ("(?=", "(?!", "(?<=", "(?<!"):
            if self.peek(len(look)) == look:
                cure = "The engine is linear-time and has no lookaround; write the context into the pattern"
                self.refuse(f"lookaround {look}...) is not supported", cure)
        self.at += 1
        if self.peek() == "?" and not self.take("?:"):
            named = re.compile(r"\?P?<\w+>").match(self.text, self.at)
            if not named:
                self.refuse("this kind of group is not supported", "Use (...), (?:...), or (?i) at the front")
            self.at = named.end()
        inner = self.choice(depth + 1)
        if not self.take(")"):
            self.refuse("a group is not closed", "Add )")
        return inner

    def bracket(self) -> Node:
        found = re.compile(r"\[\^?\]?(?:\[:\^?\w+:\]|\\[pP]\{[^}]*\}|\\.|[^\]\\])*\]", re.DOTALL).match(
            self.text, self.at
        )
        if not found:
            self.refuse("a class is not closed", "Add ], or write \\[ for the character itself")
        self.at = found.end()
        return One(found[0])

    def escape(self) -> Node:
        found = re.compile(r"\\(?:[pP](?:\{\^?\w+\}|\w)|x\{[0-9A-Fa-f]{1,6}\}|x[0-9A-Fa-f]{2}|.)", re.DOTALL).match(
            self.text, self.at
        )
        if not found:
            self.refuse("a backslash at the end", "Write \\\\ for the character itself")
        text, letter = found[0], found[0][1]
        if letter.isdigit():
            self.refuse("backreferences are not supported", "The engine is linear-time; repeat the group instead")
        self.at = found.end()
        if letter in "dDwWsSpP":
            return One(text)
        if letter in "bBAz":
            return Assertion(_ASSERTIONS[letter])
        if letter == "x" and len(text) > 2:  # noqa: PLR2004 - \x with its digits
            plain = chr(min(int(text[2:].strip("{}"), 16), 0x10FFFF))
            return One(re2.escape(plain), plain)
        if letter in _CONTROLS:
            return One(text, _CONTROLS[letter])
        if letter.isalnum() and letter.isascii():
            self.at -= len(text)
            self.refuse(f"{text} is not supported", "Write the characters out")
        return One(re2.escape(letter), letter)


def parse(pattern: str) -> tuple[Node, bool]:
    """Parse a pattern; return its tree and whether `(?i)` stands at its front.

    Raises:
        BadPattern: it is malformed, unbounded, too wide, matches the empty text, or is not supported.
    """
    folds = pattern.startswith("(?i)")
    parser = _Parser(pattern)
    parser.at = 4 if folds else 0
    tree = parser.choice()
    if parser.at < len(pattern):
        parser.refuse("a group was never opened", "Write \\) for the character itself")
    least, most = width(tree)
    if least == 0:
        raise BadPattern("the pattern matches the empty text", "Ask for at least one character")
    if most > MAX_WIDTH:
        raise BadPattern(f"the pattern is {most} characters wide at most", f"Keep it to {MAX_WIDTH}")
    return tree, folds
