from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readingroom.core.canonical import canonical, commitment, digest, parse, sha256

text = st.text(st.characters(codec="utf-8"))
scalars = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(-(2**52), 2**52) | text
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=10,
)


@given(json_values)
def test_the_canonical_form_is_stable_under_a_round_trip(value: object) -> None:
    assert canonical(parse(canonical(value))) == canonical(value)


def test_key_order_and_spacing_do_not_matter() -> None:
    assert canonical(parse('{"b": 1.0, "a": [ ]}')) == b'{"a":[],"b":1}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**60])
def test_what_has_no_canonical_form_is_an_error(value: float) -> None:
    with pytest.raises(ValueError, match=r".+"):
        canonical({"x": value})


def test_a_repeated_key_is_an_error() -> None:
    with pytest.raises(ValueError, match="twice"):
        parse('{"a": 1, "a": 2}')


def test_a_commitment_depends_on_salt_and_data() -> None:
    one = commitment(b"s" * 32, b"data")
    assert one != commitment(b"t" * 32, b"data")
    assert one != commitment(b"s" * 32, b"date")
    assert one == sha256(b"s" * 32 + b"data")
    assert digest({}) == sha256(b"{}")
