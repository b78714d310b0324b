"""What a document's fields are, described once: the form that writes a call file is made from nothing else.

A field says where it stands (`name`), what it holds, and what to tell whoever fills it in. Whether a value is right,
the reader of the document says (`admissions.call_file`), not the field; a test holds the two to the same names.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Holds(StrEnum):
    """What a field holds."""

    TEXT = "text"
    PROSE = "prose"
    WHOLE = "whole"  # number
    NUMBER = "number"
    FLAG = "flag"
    CHOICE = "choice"
    CHOICES = "choices"  # some of a list, in the order in which they were chosen
    NAMES = "names"  # a list of texts, one a line
    MOMENT = "moment"
    PERCENT = "percent"
    GROUP = "group"  # a mapping of known keys
    LIST = "list"  # of groups
    MAP = "map"  # from keys of one's own: `of` is the key and the value
    PAIR = "pair"  # a mapping of exactly one key


NESTED = frozenset({Holds.GROUP, Holds.LIST, Holds.MAP, Holds.PAIR})


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a document.

    Attributes:
        name: its key; keys and values of a MAP are called `key` and `value`.
        says: the options of a choice with what each means; none where they depend on the house or on the document.
        refers: where in the document its options stand, as `review.criteria.*.name`.
        of: what it is made of.
        default: of a flag, what leaving it out means.
        only: the sibling and its values with which this field goes; with others it is neither shown nor written.
        one: what one entry of a list is called.
        usual: what leaving it out means, in words; empty where it cannot be left out.
    """

    name: str
    label: str
    holds: Holds = Holds.TEXT
    help: str = ""
    says: Mapping[str, str] = field(default_factory=dict)
    refers: str = ""
    of: tuple[Field, ...] = ()
    default: bool = False
    only: tuple[str, Collection[str]] | None = None
    one: str = ""
    usual: str = ""
