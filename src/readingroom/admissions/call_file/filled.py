"""A call file as a filled-in form, and a filled-in form as a call file.

The form is flat: text by path, as `form.3.label`, as browsers send it; a flag that is ticked is "yes". Whatever was
typed is written, right or wrong: `call_file.check` judges it, as it does every call file, and `Filled.at` says beside
which field each of its problems belongs. Every file that can be opened comes back as the same call (a property test);
comments and spacing do not come back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import yaml

from readingroom.admissions.call_file.described import CALL
from readingroom.admissions.shape import NESTED, Field, Holds
from readingroom.core import document
from readingroom.core.clock import parse_rfc3339, rfc3339
from readingroom.core.document import Node
from readingroom.core.errors import Problem

Values = Mapping[str, str]
YES = "yes"
MAX_VALUES = 4_000  # of one form: beyond it, pages take seconds
MAX_TEXT = 200_000  # characters
_TAG = "tag:yaml.org,2002:"
_GROUPED = re.compile(r"[0-9]{1,3}(?:[ ,'\u00a0\u202f][0-9]{3})+")  # thousands, as people write them
_INTEGER = re.compile(r"0|-?[1-9][0-9]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,5})(?:[.,][0-9]{1,9})?")
_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2})(:[0-9]{2})?(?: ?(?:Z|UTC))?")
LACKS = re.compile(r"lacks '(\w+)'$|^(\w+) goe?s? with the type .* where it cannot be left out$")
_ENTRY = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True)
class Filled:
    """A document as a form.

    Attributes:
        values: what each field holds, by path.
        places: the path of what stands at each `file:line:column`.
    """

    values: dict[str, str]
    places: dict[str, str]

    def at(self, problem: Problem) -> str:
        """Return the path of the field that a problem belongs to; empty where it is about the whole."""
        path = self.places.get(problem.where, "")
        lacking = LACKS.search(problem.what)
        if lacking is None:
            return path
        name, beside = lacking[1] or lacking[2], at(path)
        here = path == "" or (beside and name in {each.name for each in fitting(beside.of, self.values, path)})
        return join(path, name) if here else path


def join(*parts: object) -> str:
    """Return a path of its parts."""
    return ".".join(str(each) for each in parts if each != "")


def read(text: str | bytes, name: str = "call.yaml") -> Filled:
    """Read a call file, right or wrong, into a form.

    Raises:
        BadInput: it is no YAML, or holds what no field of the form could; nothing is dropped in silence.
    """
    root = document.read(text, name)
    made = Filled({}, {})
    _spread(CALL, root, "", made)
    if len(text) > MAX_TEXT or len(made.values) > MAX_VALUES:
        root.problem("it is larger than a form can show", "Open it from the command line: call open FILE")
    root.document.finish()
    return made


def _spread(asked: Field, node: Node | None, path: str, into: Filled) -> None:
    if node is not None:
        into.places.setdefault(node.where, path)
        if isinstance(node.raw, yaml.ScalarNode) and node.raw.tag == _TAG + "null":
            node = None
    if asked.holds is Holds.GROUP:
        inside = node.fields([], [each.name for each in asked.of]) if node else {}
        for each in asked.of:
            _spread(each, inside.get(each.name), join(path, each.name), into)
    elif asked.holds is Holds.LIST:
        for number, item in enumerate(node.items() if node else ()):
            _spread(_entry(asked), item, join(path, number), into)
    elif asked.holds is Holds.MAP:
        for number, (key, value) in enumerate(_pairs(node)):
            into.values[join(path, number, "key")] = key
            _spread(asked.of[1], value, join(path, number, "value"), into)
    elif asked.holds is Holds.PAIR:
        _spread_pair(asked, node, path, into)
    else:
        _spread_leaf(asked, node, path, into)


def _spread_leaf(asked: Field, node: Node | None, path: str, into: Filled) -> None:
    if asked.holds is Holds.FLAG:
        said = asked.default if node is None else node.flag()
        into.values.update({path: YES} if said else {})
    elif asked.holds is Holds.NAMES:
        into.values[path] = "\n".join(map(_escaped, _texts(node, into, path)))
    elif asked.holds is Holds.CHOICES:
        for number, name in enumerate(_texts(node, into, path)):
            into.values[join(path, name)] = str(number)
    else:
        into.values[path] = _shown(asked, _scalar(node)) if node else ""


def _spread_pair(asked: Field, node: Node | None, path: str, into: Filled) -> None:
    pairs = list(_pairs(node))
    if node and len(pairs) > 1:
        node.problem(f"{node.path} names more than one", "Keep one; a form has room for one")
    key, value = pairs[0] if pairs else ("", None)
    into.values[join(path, "key")] = key
    _spread(asked.of[1], value, join(path, "value"), into)


def _pairs(node: Node | None) -> Iterator[tuple[str, Node]]:
    """Return keys and values of a mapping; a key may stand twice, as in a form that is not finished."""
    if node is None or not isinstance(node.raw, yaml.MappingNode):
        if node is not None:
            node.problem(f"{node.path or 'this'} must be a mapping", "Write it as lines of 'key: value'")
        return
    for key, value in node.raw.value:
        inside = Node(node.document, value, join(node.path, str(key.value)))
        if isinstance(key, yaml.ScalarNode):
            yield str(key.value), inside
        else:
            inside.problem("a key must be a plain word", "Quote it")


def _texts(node: Node | None, into: Filled, path: str) -> list[str]:
    found = [] if node is None else node.items() if node.is_list() else [node]
    for each in found:
        into.places.setdefault(each.where, path)
    return [_scalar(each) for each in found]


def _scalar(node: Node) -> str:
    """Return a scalar as it is written; the kind of it is judged when it is read again."""
    if isinstance(node.raw, yaml.ScalarNode):
        return str(node.raw.value)
    node.problem(f"{node.path or 'this'} is a list or a mapping, where one value goes", "Write one value")
    return ""


def _shown(asked: Field, text: str) -> str:
    """Show a moment in UTC, as the form asks for it."""
    if asked.holds is not Holds.MOMENT:
        return text
    try:
        moment = parse_rfc3339(text)
    except (ValueError, OverflowError):
        return text
    seconds = ":%S" if moment.second else ""
    return rfc3339(moment) if moment.microsecond else moment.strftime(f"%Y-%m-%dT%H:%M{seconds}")


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _unescaped(line: str) -> str:
    return re.sub(r"\\([\\n])", lambda found: "\n" if found[1] == "n" else "\\", line)


def write(values: Values) -> str:
    """Write a form as a call file: always the same bytes for the same form."""
    node = _gather(CALL, values, "") or _mapping([])
    text: str = yaml.serialize(node, Dumper=yaml.SafeDumper, allow_unicode=True, width=110)
    return text


def _gather(asked: Field, values: Values, path: str) -> yaml.Node | None:
    """Return a field as YAML; None where nothing was filled in."""
    if asked.holds is Holds.GROUP:
        given = [(each.name, _gather(each, values, join(path, each.name))) for each in fitting(asked.of, values, path)]
        pairs = [(_plain(name), node) for name, node in given if node is not None]
        return _mapping(pairs) if pairs else None
    if asked.holds is Holds.LIST:
        made = [_gather(_entry(asked), values, each) or _mapping([]) for each in entries(values, path)]
        return yaml.SequenceNode(_TAG + "seq", made, flow_style=False) if made else None
    if asked.holds in {Holds.MAP, Holds.PAIR}:
        places = entries(values, path) if asked.holds is Holds.MAP else [path]
        found = [(values.get(join(at, "key"), ""), _gather(asked.of[1], values, join(at, "value"))) for at in places]
        if asked.holds is Holds.PAIR and found == [("", None)]:
            return None
        pairs = [(_plain(key), node or _nothing(asked.of[1])) for key, node in found]
        return _mapping(pairs) if pairs else None
    return _leaf(asked, values, path)


def _nothing(asked: Field) -> yaml.Node:
    """Return what stands for a value that is not filled in; a new one each time, or YAML would make it an alias."""
    return _mapping([]) if asked.holds is Holds.GROUP else _plain("")


def _leaf(asked: Field, values: Values, path: str) -> yaml.Node | None:
    if asked.holds is Holds.FLAG:
        said = values.get(path) == YES
        return None if said is asked.default else yaml.ScalarNode(_TAG + "bool", str(said).lower())
    if asked.holds is Holds.NAMES:
        lines = [_unescaped(line) for line in _text(values, path).split("\n") if line.strip()]
        return _sequence(lines)
    if asked.holds is Holds.CHOICES:
        return _sequence(chosen(values, path))
    text = _text(values, path)
    return _plain(_meant(asked.holds, text), asked.holds) if text.strip() else None


def chosen(values: Values, path: str) -> list[str]:
    """Return what is ticked of a list, in the order in which it was: a box's value is its place."""
    found = [(each, values[each]) for each in values if each.startswith(path + ".")]
    found.sort(key=lambda each: int(each[1]) if _ENTRY.fullmatch(each[1]) else 0)
    return [each[len(path) + 1 :] for each, _ in found]


def _text(values: Values, path: str) -> str:
    return values.get(path, "").replace("\r\n", "\n")


def _meant(holds: Holds, text: str) -> str:
    """Return a figure, a share or a moment as a call file writes it; anything else as it was typed."""
    typed = text.strip()
    if holds is Holds.WHOLE:
        return re.sub(r"[^0-9]", "", typed) if _GROUPED.fullmatch(typed) else typed
    if holds is Holds.NUMBER:
        return typed.replace(",", ".") if _NUMBER.fullmatch(typed) else typed
    if holds is Holds.PERCENT:
        return f"{typed}%" if typed.isascii() and typed.isdigit() else typed
    if holds is Holds.MOMENT and (found := _MOMENT.fullmatch(typed)):
        return f"{found[1]}T{found[2]}{found[3] or ':00'}Z"
    return text


def _plain(text: str, holds: Holds = Holds.TEXT) -> yaml.ScalarNode:
    """Return a scalar: a number where one was asked for (and as a key, a score), and else text, quoted where needed."""
    if holds is Holds.WHOLE and _INTEGER.fullmatch(text):
        return yaml.ScalarNode(_TAG + "int", text)
    if holds is Holds.NUMBER and _NUMBER.fullmatch(text):
        return yaml.ScalarNode(_TAG + ("float" if "." in text else "int"), text)
    if holds is Holds.MOMENT and _MOMENT.fullmatch(text):
        return yaml.ScalarNode(_TAG + "timestamp", text)
    return yaml.ScalarNode(_TAG + "str", text, style="|" if "\n" in text else None)


def _sequence(texts: Sequence[str]) -> yaml.Node | None:
    nodes = [_plain(each) for each in texts]
    return yaml.SequenceNode(_TAG + "seq", nodes, flow_style=True) if nodes else None


def _mapping(pairs: list[tuple[yaml.ScalarNode, yaml.Node]]) -> yaml.Node:
    whole = [
        (yaml.ScalarNode(_TAG + "int", key.value) if _INTEGER.fullmatch(key.value) else key, node)
        for key, node in pairs
    ]
    return yaml.MappingNode(_TAG + "map", whole, flow_style=False)


def _entry(asked: Field) -> Field:
    return Field("", asked.one, Holds.GROUP, of=asked.of)


def fitting(fields: Sequence[Field], values: Values, path: str) -> Iterator[Field]:
    """Return the fields that go with what their siblings hold."""
    for each in fields:
        if each.only is None or values.get(join(path, each.only[0]), "") in each.only[1]:
            yield each


def entries(values: Values, path: str) -> list[str]:
    """Return the paths of a list's entries, in their order."""
    begin = path + "."
    found = {each[len(begin) :].partition(".")[0] for each in values if each.startswith(begin)}
    return [begin + each for each in sorted(filter(_ENTRY.fullmatch, found), key=int)]


def at(path: str) -> Field | None:
    """Return the field at a path; None where there is none."""
    found: Field | None = CALL
    for part in path.split("."):
        if found is None:
            return None
        if found.holds in {Holds.LIST, Holds.MAP} and _ENTRY.fullmatch(part):
            found = _entry(found)
        else:
            found = next((each for each in found.of if each.name == part), None)
    return found


def change(values: Values, act: str, path: str) -> tuple[dict[str, str], str]:
    """Add an entry to a list, remove one, or move it up or down.

    Args:
        values: the form.
        act: `add` (with the list's path), `remove`, `up` or `down` (with the entry's).
        path: of the list or the entry.

    Returns:
        The form as it is then, and the path of what was changed; the same form where the act means nothing.
    """
    home = path.rpartition(".")[0]
    asked = at(path if act == "add" else home)
    if asked is None or asked.holds not in {Holds.LIST, Holds.MAP}:
        return dict(values), ""
    if act == "add":
        last = max((int(each.rpartition(".")[2]) for each in entries(values, path)), default=-1)
        fresh = join(path, last + 1)
        return {**values, **dict(_blank(asked, fresh))}, fresh
    places = entries(values, home)
    if path not in places:
        return dict(values), ""
    where = places.index(path)
    if act == "remove":
        left = {each: value for each, value in values.items() if not each.startswith(path + ".")}
        return left, home
    other = where - 1 if act == "up" else where + 1
    if not 0 <= other < len(places):
        return dict(values), path
    turned = {path: places[other], places[other]: path}
    return {_moved(each, turned): value for each, value in values.items()}, places[other]


def _moved(path: str, turned: Mapping[str, str]) -> str:
    for old, new in turned.items():
        if path.startswith(old + "."):
            return new + path[len(old) :]
    return path


def _blank(asked: Field, path: str) -> Iterator[tuple[str, str]]:
    """Return the fields of a new entry: what says that it is there, and the flags that stand unless taken out."""
    for each in asked.of:
        if each.holds is Holds.FLAG:
            if each.default:
                yield join(path, each.name), YES
        elif each.holds not in NESTED:
            yield join(path, each.name), ""
