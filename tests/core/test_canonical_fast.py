"""The quick way of spelling JSON canonically writes what RFC 8785's own library writes."""

from __future__ import annotations

import hypothesis.strategies as st
import rfc8785
from hypothesis import example, given

from readingroom.core.canonical import canonical

numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(values)
@example({"temperature": 0.7, "n": 1.0, "x": 1e-7, "z": [0.001, 1e21, -0.0, 123456789.5], 'a"\\/\n\t': "é\u2028"})
@example({"b": 1, "a": {"B": "\x7f", "A": "\x01"}, "\u20ac": 1, "\U0001f600": 2})
def test_both_ways_write_the_same(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]
