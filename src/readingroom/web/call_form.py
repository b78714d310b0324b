"""The form of a call file as a page shows it: made from the fields' descriptions, the values and the problems."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from readingroom.admissions.call_file import filled
from readingroom.admissions.call_file.described import SECTIONS, SENTENCES
from readingroom.admissions.call_file.filled import Filled, Values, join
from readingroom.admissions.shape import Field, Holds
from readingroom.core.errors import Problem
from readingroom.web.forms import Told

Options = Sequence[tuple[str, str]]  # value and label
_LISTS = frozenset({Holds.LIST, Holds.MAP})
_PICKED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?")  # what a browser's own picker takes
_YAML = re.compile(r"[{}]|: \.\.\.|in quotes|lines (?:of|that)|^Add '|^Found ''")  # of a cure that speaks of the file
_NO_BOUND = re.compile(rf"a whole number from (\S+) to {2**53 - 1}")
_PLACE = re.compile(r"^[a-z_]+(?:\.[a-z_0-9]+|\[[0-9]+\])*(?= must | is not | is empty)")


@dataclass(frozen=True)
class Shown:
    """A field on the page.

    Attributes:
        options: value, label, and whether it is chosen (of some of a list: at which place).
        inside: what it is made of.
        more: likewise, what may be left out and is: folded away.
        entries: of a list.
        problems: what is wrong with it.
        open: whether it is unfolded: something in it is filled in, wrong, or was just added.
    """

    asked: Field
    path: str
    value: str = ""
    options: Sequence[tuple[str, str, str]] = ()
    inside: Sequence[Shown] = ()
    more: Sequence[Shown] = ()
    entries: Sequence[Shown] = ()
    problems: Sequence[str] = ()
    filled: bool = False
    open: bool = False
    title: str = ""

    @property
    def picked(self) -> bool:
        """Tell whether a moment can be chosen with the browser's own picker."""
        return not self.value or bool(_PICKED.fullmatch(self.value))

    @property
    def lines(self) -> int:
        """How many lines a text needs."""
        return max(2, self.value.count("\n") + 1 + len(self.value) // 90)


@dataclass(frozen=True)
class Form:
    """What the page is made from.

    Attributes:
        offered: what the house offers for a field, by the field's path.
        problems: what is wrong, by path.
        at: the path of what was just changed.
    """

    values: Values
    offered: Mapping[str, Options] = field(default_factory=dict)
    problems: Mapping[str, Sequence[str]] = field(default_factory=dict)
    at: str = ""

    def sections(self) -> list[Shown]:
        """Return the sections, each with its fields."""
        return [self._group(Field("", title), "", fields) for title, fields in SECTIONS.items()]

    def _group(self, asked: Field, path: str, fields: Iterable[Field], title: str = "") -> Shown:
        made = [self._shown(each, join(path, each.name)) for each in filled.fitting(tuple(fields), self.values, path)]
        wrong = self.problems.get(path, ()) if path else ()
        kept = [each for each in made if not (each.asked.usual and not each.open and not each.filled)]
        return Shown(
            asked,
            path,
            inside=kept,
            more=[each for each in made if each not in kept],
            problems=wrong,
            filled=any(each.filled for each in made),
            open=bool(wrong) or any(each.open for each in made) or bool(path and self.at == path),
            title=title,
        )

    def _shown(self, asked: Field, path: str) -> Shown:
        if asked.holds is Holds.GROUP:
            return self._group(asked, path, asked.of)
        if asked.holds is Holds.PAIR:
            return self._group(asked, path, asked.of)
        if asked.holds in _LISTS:
            return self._list(asked, path)
        value, wrong = self.values.get(path, ""), self.problems.get(path, ())
        options: list[tuple[str, str, str]] = []
        if asked.holds is Holds.CHOICES:
            options = self._ticks(asked, path)
        elif asked.says or asked.refers or path in self.offered:
            options = self._choices(asked, path, value)
        given = bool(value.strip()) if asked.holds is not Holds.FLAG else (value == filled.YES) is not asked.default
        given = given or any(place for _, _, place in options if asked.holds is Holds.CHOICES)
        return Shown(asked, path, value, options, problems=wrong, filled=given, open=bool(wrong))

    def _list(self, asked: Field, path: str) -> Shown:
        made = []
        for number, each in enumerate(filled.entries(self.values, path), start=1):
            called = next(
                (self.values[join(each, k)] for k in ("label", "name", "key") if self.values.get(join(each, k))), ""
            )
            title = f"{asked.one.capitalize()} {number}" + (f": {called[:80]}" if called else "")
            entry = self._group(asked, each, asked.of, title)
            made.append(entry)
        wrong = self.problems.get(path, ())
        unfolded = bool(wrong) or any(each.open for each in made) or self.at == path
        return Shown(asked, path, entries=made, problems=wrong, filled=bool(made), open=unfolded)

    def _known(self, asked: Field, path: str) -> list[tuple[str, str]]:
        if asked.says:
            return [(str(value), label) for value, label in asked.says.items()]
        if asked.refers == "tiers":
            return [(each, each) for each in filled.chosen(self.values, "tiers")]
        if asked.refers:
            home, _, name = asked.refers.partition(".*.")
            named = [self.values.get(join(each, name), "") for each in filled.entries(self.values, home)]
            return [(each, each) for each in dict.fromkeys(named) if each]
        return list(self.offered.get(path, ()))

    def _choices(self, asked: Field, path: str, value: str) -> list[tuple[str, str, str]]:
        known = self._known(asked, path)
        if value not in {each for each, _ in known}:
            known.insert(0, (value, value or (f"({asked.usual})" if asked.usual else "(choose one)")))
        elif asked.usual:
            known.insert(0, ("", f"({asked.usual})"))
        return [(each, label, "yes" if each == value else "") for each, label in known]

    def _ticks(self, asked: Field, path: str) -> list[tuple[str, str, str]]:
        """Return boxes whose values keep the order in which they were ticked: what is new comes after."""
        now = filled.chosen(self.values, path)
        known = dict(self._known(asked, path))
        known |= {each: each for each in now if each not in known}
        return [(each, label, str(now.index(each)) if each in now else "") for each, label in known.items()]


def beside(found: Filled, problems: Iterable[Problem]) -> tuple[dict[str, list[str]], list[Told]]:
    """Say problems of a call file in the form's words: by path, and as a list for the top of the page."""
    by_path: dict[str, list[str]] = {}
    listed = []
    for each in problems:
        path = found.at(each)
        while path and filled.at(path) is None:
            path = path.rpartition(".")[0]
        text = said(each)
        by_path.setdefault(path, []).append(text)
        listed.append(Told(path, label(path), text))
    return by_path, listed


def said(problem: Problem) -> str:
    """Say a problem to somebody who sees a form and no file."""
    if filled.LACKS.search(problem.what):
        return "This is not filled in yet."
    what = _NO_BOUND.sub(r"a whole number, \1 or more", _PLACE.sub("this", problem.what))
    cure = "" if _YAML.search(problem.cure) or problem.cure.startswith("admissions/") else f" {problem.cure}."
    return f"{what[:1].upper()}{what[1:]}.{cure}".replace("..", ".")


def label(path: str) -> str:
    """Name a field by where it stands: “Questions, 3, Words at most”."""
    words, parts = [], path.split(".") if path else []
    for end in range(1, len(parts) + 1):
        found = filled.at(".".join(parts[:end]))
        if parts[end - 1].isdigit():
            words.append(str(int(parts[end - 1]) + 1))
        elif found is not None and found.label:
            words.append(found.label)
    return ", ".join(words)


def sentences() -> Options:
    """Return each policy with what it serves and promises, in its own words."""
    return [(name.replace("-", " "), text) for name, text in SENTENCES.items()]
