"""Rules of screening, and what they find."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from readingroom.core.canonical import Json, digest
from readingroom.engines.classifier import Classifier


class Side(StrEnum):
    """Where a rule stands: at the prompt, at the answer, or at both."""

    ENTRANCE = "entrance"
    EXIT = "exit"
    BOTH = "both"


class Action(StrEnum):
    """What a match does: refuse the call, end the answer, take the match out, or only be put on record.

    At the exit, refusing and cutting end an answer alike, before the match. What differs is what they say: a call that
    a rule refuses should not have been made; an answer that is cut went astray, and nothing is held against its reader.
    """

    REFUSE = "refuse"
    CUT = "cut"
    REDACT = "redact"
    FLAG = "flag"


class Severity(StrEnum):
    """How much a match weighs when somebody reviews it."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Form(StrEnum):
    """A way in which texts are made alike before a rule looks at them.

    Members stand in the order in which they are applied: what is invisible goes first, so that it hides
    nothing from the steps after it.
    """

    ZERO_WIDTH = "zero-width"  # drop Default_Ignorable_Code_Point
    NFKC = "nfkc"  # UAX #15, compatibility composition
    HOMOGLYPH = "homoglyph"  # Greek and Cyrillic letters that look Latin become Latin
    CASEFOLD = "casefold"  # full case folding


ENDS = frozenset({Action.REFUSE, Action.CUT})  # the actions that end an answer


class OnFailure(StrEnum):
    """What becomes of a text of which a judge gave no verdict: nothing passes, it passes, or it passes flagged."""

    REFUSE = "refuse"
    PASS = "pass"  # noqa: S105 - to let pass
    FLAG = "flag"


@dataclass(frozen=True, slots=True)
class PythonScreen:
    """A screen of somebody's own, installed beside Reading Room (entry point group `readingroom.screens`).

    Attributes:
        name: of the entry point.
        target: `module:object`.
        distribution: the package that brings it.
        version: of that package; another version is another rule set.
    """

    name: str
    target: str
    distribution: str
    version: str

    def as_json(self) -> dict[str, Json]:
        """Return it as JSON, for the set's digest."""
        return {
            "name": self.name,
            "target": self.target,
            "distribution": self.distribution,
            "version": self.version,
        }


@dataclass(frozen=True, slots=True)
class Judged:
    """A rule that asks a judge, who says yes or no about a text but does not say where.

    Attributes:
        judge: who is asked.
        window: characters that the judge is shown at a time, at most.
        every: new characters of an answer after which he is asked again; what waits for him is held back.
        overlap: characters that are held back although they were judged, for a match may go on after them.
        seconds: until an answer counts as a failure.
        on_failure: what a failure does.
    """

    judge: Classifier | PythonScreen
    window: int = 2000
    every: int = 200
    overlap: int = 100
    seconds: float = 5.0
    on_failure: OnFailure = OnFailure.REFUSE

    def as_json(self) -> dict[str, Json]:
        """Return it as JSON, for the set's digest."""
        kind = "classifier" if isinstance(self.judge, Classifier) else "python"
        return {
            kind: self.judge.as_json(),
            "window": self.window,
            "every": self.every,
            "overlap": self.overlap,
            "seconds": repr(self.seconds),
            "on_failure": self.on_failure.value,
        }


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: literals or one regular expression, in normalised text, or a judge.

    Attributes:
        id: its name within the set; shown to readers, so it should not give the secret away.
        side: where it stands.
        action: what a match does.
        clause: the clause of the terms that it enforces.
        forms: how text is normalised before the rule looks.
        literals: any of these texts; empty if `regex` is given.
        regex: RE2 syntax of bounded width; empty if `literals` are given.
        severity: for whoever reviews matches.
        judged: who judges instead of literals or a regular expression.
    """

    id: str
    side: Side
    action: Action
    clause: str
    forms: frozenset[Form]
    literals: tuple[str, ...] = ()
    regex: str = ""
    severity: Severity = Severity.MEDIUM
    judged: Judged | None = None

    def stands_at(self, side: Side) -> bool:
        """Tell whether the rule looks at this side."""
        return self.side in (side, Side.BOTH)

    def as_json(self) -> Json:
        """Return the rule as JSON, for the set's digest."""
        return {
            "id": self.id,
            "side": self.side.value,
            "action": self.action.value,
            "clause": self.clause,
            "forms": sorted(form.value for form in self.forms),
            "literals": list(self.literals),
            "regex": self.regex,
            "severity": self.severity.value,
            **({"judged": self.judged.as_json()} if self.judged else {}),
        }


@dataclass(frozen=True, slots=True)
class RuleSet:
    """An ordered list of rules, versioned by the digest of what they say (comments do not count)."""

    name: str
    rules: tuple[Rule, ...]

    @property
    def digest(self) -> str:
        """Return the digest that names this version of the set."""
        return digest([rule.as_json() for rule in self.rules])


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """One match of one rule.

    Attributes:
        at: how many characters of the text had been seen when the match was certain.
        start: where the match begins in the original text, in characters.
        end: where it ends (exclusive).
        rule: the rule's id.
        action: what the match does.
        clause: the clause that the rule enforces.
    """

    at: int
    start: int
    end: int
    rule: str
    action: Action
    clause: str


@dataclass(frozen=True, slots=True)
class Release:
    """What a screen lets go of: text that may leave now, and the hit that ends the text, if one does."""

    text: str
    refused: Hit | None = None
