"""Rules of screening, and what they find."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from readingroom.core.canonical import Json, digest


class Side(StrEnum):
    """Where a rule stands: at the prompt, at the answer, or at both."""

    ENTRANCE = "entrance"
    EXIT = "exit"
    BOTH = "both"


class Action(StrEnum):
    """What a match does: end the call, take the match out, or only be put on record."""

    REFUSE = "refuse"
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


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: literals or one regular expression, in normalised text.

    Attributes:
        id: its name within the set; shown to readers, so it should not give the secret away.
        side: where it stands.
        action: what a match does.
        clause: the clause of the terms that it enforces.
        forms: how text is normalised before the rule looks.
        literals: any of these texts; empty if `regex` is given.
        regex: RE2 syntax of bounded width; empty if `literals` are given.
        severity: for whoever reviews matches.
    """

    id: str
    side: Side
    action: Action
    clause: str
    forms: frozenset[Form]
    literals: tuple[str, ...] = ()
    regex: str = ""
    severity: Severity = Severity.MEDIUM

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
