"""What a rule set would do to a text: for `screen try`, before the set is used on readers."""

from __future__ import annotations

from dataclasses import dataclass

from readingroom.core.canonical import Json
from readingroom.gateway.screening.model import Action, Hit, Rule, RuleSet, Side
from readingroom.gateway.screening.stream import Screen


@dataclass(frozen=True, slots=True)
class SideReport:
    """What happens to a text at one side.

    Attributes:
        side: entrance or exit.
        refused: whether the text is stopped.
        text: what passes: a prompt whole or not at all; an answer with redactions, or up to the refused match.
        hits: every match up to there, with `line:column` of its start.
        judged: what came of each rule that asks a judge: `matches`, `does not match`, or why there is no verdict.
    """

    side: Side
    refused: bool
    text: str
    hits: tuple[tuple[Hit, str], ...]
    judged: tuple[tuple[Rule, str], ...] = ()

    def as_json(self) -> Json:
        """Return it as JSON."""
        return {
            "side": self.side.value,
            "refused": self.refused,
            "text": self.text,
            "hits": [
                {
                    "rule": hit.rule,
                    "action": hit.action.value,
                    "clause": hit.clause,
                    "start": hit.start,
                    "end": hit.end,
                    "where": where,
                }
                for hit, where in self.hits
            ],
            "judged": [
                {"rule": rule.id, "action": rule.action.value, "clause": rule.clause, "said": said}
                for rule, said in self.judged
            ],
        }


def report(rules: RuleSet, text: str) -> tuple[SideReport, SideReport]:
    """Try the rules at hand on a text, as a prompt and as an answer; judges are not asked."""
    return _at(rules, text, Side.ENTRANCE), _at(rules, text, Side.EXIT)


def _at(rules: RuleSet, text: str, side: Side) -> SideReport:
    passed, screen = Screen([rules], side).whole(text)
    hits = tuple((hit, _where(text, hit.start)) for hit in screen.hits)
    # A prompt is answered or refused, never quietly made another: at the entrance, redacting refuses.
    redacts = side is Side.ENTRANCE and any(hit.action is Action.REDACT for hit in screen.hits)
    refused = screen.refused is not None or redacts
    return SideReport(side, refused, "" if refused and side is Side.ENTRANCE else passed, hits)


def _where(text: str, place: int) -> str:
    line_start = text.rfind("\n", 0, place) + 1
    return f"{text.count(chr(10), 0, place) + 1}:{place - line_start + 1}"
