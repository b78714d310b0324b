"""Strict JSON, and readers of single fields that name the field which is wrong."""

from __future__ import annotations

import json
import math
from codecs import BOM_UTF8
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from readingroom.core.canonical import Json, canonical
from readingroom.core.refusal import Refusal, Refused

MAX_DEPTH = 32
_GZIP = b"\x1f\x8b"
MAX_INTEGER = 2**53 - 1  # beyond it JSON readers disagree about the value


def refuse(reason: str, param: str | None = None) -> NoReturn:
    """Refuse a request as malformed, naming the field."""
    raise Refused(Refusal("gateway/bad-request", reason, {"param": param}))


def parse(data: bytes) -> dict[str, Json]:
    """Parse a request body.

    Raises:
        Refused: it is no JSON object in UTF-8, repeats a key, nests too deep, or holds a number or text that has
            no single meaning (NaN, an infinity, an integer beyond 2^53, half a surrogate pair).
    """
    if data.startswith(_GZIP):
        refuse("The body is compressed; send it as plain JSON.")
    if data.startswith(BOM_UTF8):
        refuse("The body begins with a byte order mark; send it without.")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as fault:
        refuse(f"The body is not UTF-8 at byte {fault.start}.")
    try:
        body = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant, parse_int=_integer)
    except RecursionError:
        refuse(f"The body nests deeper than {MAX_DEPTH} levels.")
    except ValueError as fault:
        # JSONDecodeError quotes no input; the other messages are our own
        refuse(f"The body is not JSON: {fault}.")
    if not isinstance(body, dict):
        refuse("The body must be a JSON object.")
    for name, value in body.items():
        _check_scalar(name, "The body")
        _check(value, name, 1)
    return body


def committed(body: Mapping[str, Json]) -> bytes:
    """Return the bytes by which a usage record commits to a request: its canonical JSON."""
    return canonical(dict(body))


class Fields:
    """An object's fields, read one by one; an unknown one is refused. A null is the same as none."""

    def __init__(
        self, raw: object, where: str, allowed: Iterable[str], refused: Mapping[str, str] | None = None
    ) -> None:
        """Check names.

        Args:
            raw: the value that should be an object.
            where: its place for messages; empty for the body.
            allowed: names that may stand in it.
            refused: names with the reason why they are refused.
        """
        if not isinstance(raw, dict):
            refuse(f"{where or 'The body'} must be an object.", where or None)
        self.where = where
        self.raw = {name: value for name, value in raw.items() if value is not None}
        known = set(allowed)
        for name in self.raw:  # a name may be a whole essay: show its beginning only
            if refused and name in refused:
                refuse(f"{name} is not supported here: {refused[name]}.", self.path(name))
            if name not in known:
                refuse(f"{self.path(name)[:80]} is not a field that is supported here.", self.path(name)[:80])

    def path(self, name: str) -> str:
        """Return a field's place, for messages."""
        return f"{self.where}.{name}" if self.where else name

    def has(self, name: str) -> bool:
        """Tell whether a field is there and not null."""
        return name in self.raw

    def value(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """Return a field as it is, or None."""
        return self.raw.get(name)

    def fail(self, name: str, must: str) -> NoReturn:
        """Refuse a field's value."""
        refuse(f"{self.path(name)} {must}.", self.path(name))

    def text(self, name: str, *, required: bool = False) -> str | None:
        """Read a text."""
        value = self.raw.get(name)
        if value is None:
            return self.fail(name, "is required") if required else None
        return value if isinstance(value, str) else self.fail(name, "must be a text")

    def choice(self, name: str, options: Iterable[str]) -> str | None:
        """Read one of some words."""
        value, known = self.text(name), list(options)
        if value is not None and value not in known:
            self.fail(name, f"must be one of {', '.join(known)}")
        return value

    def integer(self, name: str, low: int, high: int) -> int | None:
        """Read a whole number within bounds."""
        value = self.raw.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.fail(name, f"must be a whole number from {low} to {high}")
        return value

    def number(self, name: str, low: float, high: float) -> float | None:
        """Read a number within bounds."""
        value = self.raw.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            self.fail(name, f"must be a number from {low:g} to {high:g}")
        return value

    def flag(self, name: str) -> bool | None:
        """Read true or false."""
        value = self.raw.get(name)
        if value is None or isinstance(value, bool):
            return value
        return self.fail(name, "must be true or false")

    def items(self, name: str, most: int) -> list[Any]:
        """Read a list of at most so many items; none is empty."""
        value = self.raw.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or len(value) > most:
            self.fail(name, f"must be a list of at most {most} items")
        return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return made


def _integer(digits: str) -> int:
    if len(digits) > 20:  # noqa: PLR2004 - far beyond 2^53; a longer one only costs time to read
        raise ValueError("a whole number beyond 2^53")
    return int(digits)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _check(value: object, where: str, depth: int) -> None:
    """Refuse, anywhere in the body, what canonical JSON cannot spell."""
    if depth > MAX_DEPTH:
        refuse(f"The body nests deeper than {MAX_DEPTH} levels.", where)
    if isinstance(value, dict):
        for name, each in value.items():
            _check_scalar(name, where)
            _check(each, where, depth + 1)
    elif isinstance(value, list):
        for each in value:
            _check(each, where, depth + 1)
    else:
        _check_scalar(value, where)


def _check_scalar(value: object, where: str) -> None:
    if isinstance(value, str) and not _is_text(value):
        refuse(f"{where} holds half a surrogate pair, which is no character.", where)
    if isinstance(value, float) and not math.isfinite(value):
        refuse(f"{where} holds a number that is too large.", where)
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        refuse(f"{where} holds a whole number beyond 2^53.", where)


def _is_text(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
