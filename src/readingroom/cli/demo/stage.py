"""How the story is played: steps in order, each shown as it goes, each told with what was seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from readingroom.core.errors import BadInput, Broken
from readingroom.core.refusal import Refused


class Unexpected(Exception):  # noqa: N818 - named for what it is
    """What the outside saw is not what the story says."""


def expect(seen: bool, what: str) -> None:  # noqa: FBT001 - reads as a sentence: expect(a == b, "...")
    """Stop the step when what was seen is not so."""
    if not seen:
        raise Unexpected(what)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the story as it went: `detail` says in figures what was seen from outside."""

    name: str
    ok: bool
    detail: str
    seconds: float

    def to_json(self) -> dict[str, object]:
        """Return the step as the outside contract spells it."""
        return {"name": self.name, "ok": self.ok, "detail": self.detail, "seconds": round(self.seconds, 3)}


@dataclass
class Play:
    """A run of the story. After a failed step the rest is not played: it would only repeat the fault."""

    console: Console
    steps: list[Step] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Tell whether every step so far was as it should be."""
        return all(step.ok for step in self.steps)

    def step(self, name: str, act: Callable[[], str]) -> None:
        """Play one step and show how it went."""
        if not self.ok:
            return
        began = time.monotonic()
        try:
            with self._spinner(name):
                detail, ok = act(), True
        except (Unexpected, Refused, BadInput, Broken) as fault:
            detail, ok = str(fault), False
        except Exception as fault:  # noqa: BLE001 - a step that breaks is reported, not a traceback
            detail, ok = f"{type(fault).__name__}: {fault}", False
        self.steps.append(Step(name, ok, detail, time.monotonic() - began))
        mark = "[green]✓[/]" if ok else "[red]✗[/]"
        self.console.print(f"{mark} [bold]{name:<24}[/] ", end="")
        self.console.print(detail, markup=False)

    @contextmanager
    def _spinner(self, name: str) -> Iterator[None]:
        if not self.console.is_terminal:
            yield
            return
        columns = (SpinnerColumn(), TextColumn(name), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True) as progress:
            progress.add_task(name, total=None)
            yield
