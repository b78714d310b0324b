"""Where each character of a normalised text came from, kept as few runs: a plain text is one of them."""

from __future__ import annotations

from bisect import bisect_right


class Places:
    """Maps characters of the normalised text, counted from the stream's start, to the original.

    A run is `(index, start, end)`: from character `index` on, the characters come one from one from `start` on (then
    `end` is -1), or all of them from the segment `[start, end)`.
    """

    __slots__ = ("runs",)

    def __init__(self, runs: list[tuple[int, int, int]] | None = None) -> None:
        """Begin with no runs, or go on from some."""
        self.runs = runs or []

    def copy(self) -> Places:
        """Return a copy that goes its own way."""
        return Places(self.runs.copy())

    def one_by_one(self, index: int, start: int) -> None:
        """Say that from `index` on, each character is one of the original, from `start` on."""
        if self.runs:
            last, began, end = self.runs[-1]
            if end < 0 and began - last == start - index:
                return
        self.runs.append((index, start, -1))

    def segment(self, index: int, start: int, end: int) -> None:
        """Say that from `index` on, the characters come from one segment."""
        self.runs.append((index, start, end))

    def start(self, index: int) -> int:
        """Return where, in the original, that begins of which a character came."""
        first, start, end = self._run(index)
        return start + index - first if end < 0 else start

    def end(self, index: int) -> int:
        """Return where, in the original, that ends of which a character came (exclusive)."""
        first, start, end = self._run(index)
        return start + index - first + 1 if end < 0 else end

    def forget(self, index: int) -> None:
        """Drop what is only about characters before `index`."""
        if len(self.runs) > 1:
            del self.runs[: max(0, self._at(index))]

    def _run(self, index: int) -> tuple[int, int, int]:
        return self.runs[-1] if self.runs[-1][0] <= index else self.runs[self._at(index)]

    def _at(self, index: int) -> int:
        return bisect_right(self.runs, (index, 1 << 62)) - 1
