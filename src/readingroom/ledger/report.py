"""What a verifier found."""

from __future__ import annotations

from dataclasses import dataclass, field

from readingroom.core.canonical import Json

MAX_PROBLEMS = 100  # told one by one; after a wholesale forgery nobody reads on


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a verification.

    Attributes:
        size: entries of the log that was verified against (0 where there was none to trust).
        root: its root in hex, or an empty text.
        problems: what is wrong; each names its place. None: everything was proved.
    """

    size: int = 0
    root: str = ""
    problems: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Tell whether everything was proved."""
        return not self.problems

    def to_json(self) -> dict[str, Json]:
        """Spell it for `--json`."""
        return {"ok": self.ok, "size": self.size, "root": self.root, "problems": list(self.problems)}


@dataclass
class Findings:
    """Problems so far; the first hundred are kept, the others are counted."""

    problems: list[str] = field(default_factory=list)
    more: int = 0

    def note(self, problem: str) -> None:
        """Note one problem."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)
        else:
            self.more += 1

    def report(self, size: int = 0, root: bytes = b"") -> Report:
        """Close the list."""
        rest = (f"and {self.more} more problems",) if self.more else ()
        return Report(size, root.hex(), (*self.problems, *rest))
