"""Many literals at once: the automaton of Aho and Corasick (1975).

Its state is the longest end of the text that is a beginning of some literal. So the depth of the state is exactly
what must be held back, and no more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from readingroom.gateway.screening.characters import beginnings


class Automaton:
    """Finds every occurrence of every literal, one character at a time."""

    def __init__(self, literals: Sequence[tuple[str, int]]) -> None:
        """Build it from `(literal, owner)` pairs; literals are not empty."""
        self._next: list[dict[str, int]] = [{}]
        self._fail = [0]
        self.depth = [0]
        self.found: list[tuple[tuple[int, int], ...]] = [()]  # per state: (length, owner) of what ends here
        for literal, owner in literals:
            self._insert(literal, owner)
        self._link()
        self._letters: dict[int, frozenset[str]] = {}
        self.longest = max((len(literal) for literal, _ in literals), default=0)

    def step(self, state: int, character: str) -> int:
        """Return the state after one more character."""
        following = self._next
        while state and character not in following[state]:
            state = self._fail[state]
        return following[state].get(character, 0)

    def shorter(self, state: int) -> int:
        """Return the next shorter end of the text that is a beginning of some literal."""
        return self._fail[state]

    def continuations(self, state: int) -> frozenset[str]:
        """Return the letters, apart from their marks, with which a literal may go on from a state."""
        known = self._letters.get(state)
        if known is None:
            known = frozenset(letter for each in self._next[state] for letter in beginnings(each))
            self._letters[state] = known
        return known

    def _insert(self, literal: str, owner: int) -> None:
        state = 0
        for character in literal:
            known = self._next[state].get(character)
            if known is None:
                known = len(self._next)
                self._next[state][character] = known
                self._next.append({})
                self._fail.append(0)
                self.depth.append(self.depth[state] + 1)
                self.found.append(())
            state = known
        self.found[state] = (*self.found[state], (len(literal), owner))

    def _link(self) -> None:
        """Point each state to the longest proper end of it that is a state too, breadth first."""
        queue = deque(self._next[0].values())
        while queue:
            state = queue.popleft()
            self.found[state] = self.found[state] + self.found[self._fail[state]]
            for character, child in self._next[state].items():
                self._fail[child] = self.step(self._fail[state], character)
                queue.append(child)
