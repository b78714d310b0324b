"""One regular expression, ready to be asked about the end of a text that grows."""

from __future__ import annotations

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


def compiled(pattern: str) -> Any:  # noqa: ANN401 - re2 ships no types
    """Compile RE2 syntax.

    Raises:
        BadPattern: RE2 does not take it.
    """
    options = re2.Options()
    options.log_errors = False
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
            made._open,
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
    def _open(self) -> Any:  # noqa: ANN401
        try:
            return compiled(self._cased(f"(?:{beginnings(self.tree)})") + r"\z")
        except BadPattern:  # it grew too large for RE2: hold back the whole width instead
            return None

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

    def open_since(self, text: str) -> int | None:
        """Return the first place from which the rest of `text` may still become a match, or None."""
        low = max(0, len(text) - self.width)
        if self._open is None:
            return low if low < len(text) else None
        found = self._open.search(text[low:])
        return None if found is None else low + int(found.start())
