"""One regular expression, ready to be asked about the end of a text that grows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import re2

from readingroom.gateway.screening.regex import (
    BadPattern,
    Node,
    beginnings,
    looks_ahead,
    parse,
    source,
    width,
)

_MEMORY = 64 << 20  # bytes that RE2 may use for many patterns in one; past it, it is slower and still right


def compiled(pattern: str, memory: int = 0) -> Any:  # noqa: ANN401 - re2 ships no types
    """Compile RE2 syntax.

    Raises:
        BadPattern: RE2 does not take it.
    """
    options = re2.Options()
    options.log_errors = False
    options.max_mem = memory or options.max_mem
    try:
        return re2.compile(pattern, options)
    except re2.error as fault:
        said = fault.args[0] if fault.args else ""
        why = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise BadPattern(f"RE2 does not take the pattern: {why}", "See RE2's syntax page") from None


@dataclass(frozen=True)
class Pattern:
    """A parsed pattern with the questions that a stream asks of it."""

    tree: Node
    folds: bool

    @classmethod
    def of(cls, text: str, *, folds: bool = False) -> Pattern:
        """Parse and compile a pattern; `folds`: letters match whatever their case.

        Raises:
            BadPattern: see `regex.parse`.
        """
        tree, asked = parse(text)
        made = cls(tree, folds or asked)
        _ = (
            compiled(made.source),
            made._first,
            made.begun,
        )  # they must compile now, not when a reader's text arrives
        return made

    @cached_property
    def width(self) -> int:
        """The greatest number of characters of a match."""
        return width(self.tree)[1]

    @cached_property
    def waits(self) -> bool:
        """Whether a match is certain only once the next character, or the end, is seen."""
        return looks_ahead(self.tree)

    @cached_property
    def source(self) -> str:
        """The pattern as RE2 syntax, to find out quickly whether there may be a match at all."""
        return self._cased(source(self.tree))

    @cached_property
    def _first(self) -> Any:  # noqa: ANN401
        return self._ending(context=False, after=False)

    @cached_property
    def _inner(self) -> Any:  # noqa: ANN401
        return self._ending(context=True, after=False)

    @cached_property
    def _first_before(self) -> Any:  # noqa: ANN401
        return self._ending(context=False, after=True)

    @cached_property
    def _inner_before(self) -> Any:  # noqa: ANN401
        return self._ending(context=True, after=True)

    @cached_property
    def begun(self) -> str:
        """The beginnings of its matches as RE2 syntax; empty if RE2 does not take it, as it grew too large."""
        pattern = self._cased(f"(?:{beginnings(self.tree)})")
        try:
            compiled(pattern + r"\z")
        except BadPattern:
            return ""
        return pattern

    def _ending(self, *, context: bool, after: bool) -> Any:  # noqa: ANN401
        before = "(?s:.)" if context else ""
        behind = "(?s:.)" if after else ""
        return compiled(rf"\A{before}(?s:.*?)({self.source}){behind}\z")

    def _cased(self, pattern: str) -> str:
        return f"(?i:{pattern})" if self.folds else pattern

    def match_ending_at(self, text: str, end: int, *, whole: bool, finished: bool) -> int | None:
        """Return where the longest match that ends at `end` starts, or None.

        Args:
            text: what is known; long enough that every match ending at `end` and one character before it are in it.
            end: index in `text`.
            whole: `text` begins where the stream began, so that `^` may hold there.
            finished: nothing follows `text`.
        """
        after = self.waits and not (finished and end == len(text))
        low = max(0, end - self.width - 1)
        context = low > 0 or not whole
        if after:
            asked = self._inner_before if context else self._first_before
        else:
            asked = self._inner if context else self._first
        found = asked.search(text[low : end + after])
        return None if found is None else low + found.start(1)


class Patterns:
    """Many patterns, asked together; a quick no for all of them saves asking each."""

    def __init__(self, patterns: Sequence[tuple[int, Pattern]]) -> None:
        """Take patterns with their owners."""
        self.all = tuple(patterns)
        self.widest = max((pattern.width for _, pattern in patterns), default=0)
        self._exact = [(owner, pattern, compiled(pattern.source)) for owner, pattern in patterns]
        self.any = _together([pattern.source for _, pattern in patterns])
        self._begun = _together([pattern.begun for _, pattern in patterns if pattern.begun], r"\z")
        self._blind = max((pattern.width for _, pattern in patterns if not pattern.begun), default=0)

    def may_match(self, tail: str, before: int, since: int | None) -> bool:
        """Tell whether some match may have become certain by what stands in `tail` from `before` on.

        Args:
            tail: the text.
            before: where its new part begins.
            since: what `open_since` said before the new part came; -1 where it was not asked.
        """
        window = tail[self._low(before, since, self.widest) :].encode(errors="replace")
        for each in self.any:  # noqa: SIM110 - a generator costs as much as the search
            if each.search(window) is not None:
                return True
        return False

    def matching(self, tail: str, before: int, since: int | None) -> Iterator[tuple[int, Pattern]]:
        """Yield the patterns that may match there, with their owners."""
        for owner, pattern, exact in self._exact:
            if exact.search(tail[self._low(before, since, pattern.width) :]) is not None:
                yield owner, pattern

    @staticmethod
    def _low(before: int, since: int | None, width: int) -> int:
        """Return from where a match may reach into the new part, with one character before it, for word borders.

        What began earlier was seen to have begun: every beginning of a match is one of those that `open_since` finds.
        """
        low = before if since is None else max(since, before - width)
        return max(0, low - 1)

    def open_since(self, text: str) -> int | None:
        """Return the first place from which the rest of `text` may still become a match, or None."""
        if not self.all or not text:
            return None
        low = max(0, len(text) - self.widest)
        window, lowest = text[low:].encode(errors="replace"), None
        for each in self._begun:
            found = each.search(window)  # in bytes, which the library asks RE2 for directly
            if found is not None:
                start = low + len(window[: found.start()].decode())
                lowest = start if lowest is None else min(lowest, start)
        if self._blind:
            blind = max(0, len(text) - self._blind)
            lowest = blind if lowest is None else min(lowest, blind)
        return lowest


class Quick:
    """All literals and patterns of a lens as one question to a whole text."""

    def __init__(self, literals: Sequence[str], patterns: Patterns) -> None:
        """Take literals in normal form, and the patterns.

        `anchored` tells whether some pattern may match in a text and not in a longer one in which its lines stand.
        """
        plain = [re2.escape(each) for each in literals if each.isascii()]
        sources = [pattern.source for _, pattern in patterns.all]
        self._any = _together([*plain, *sources])
        self.anchored = any(mark in each for each in sources for mark in ("^", "$", r"\A", r"\z"))

    def may_match(self, folded: bytes) -> bool:
        """Tell whether one of them stands in ASCII text in normal form."""
        for each in self._any:  # noqa: SIM110 - a generator costs as much as the search
            if each.search(folded) is not None:
                return True
        return False


def _together(sources: Sequence[str], after: str = "") -> list[Any]:
    """Compile patterns into one, or into the fewest that RE2 takes."""
    if not sources:
        return []
    joined = "|".join(sources)
    try:
        return [compiled(f"(?:{joined}){after}", _MEMORY)]
    except BadPattern:
        if len(sources) == 1:
            return [compiled(sources[0] + after)]
    half = len(sources) // 2
    return _together(sources[:half], after) + _together(sources[half:], after)
