"""An event is sent in the very form that its record commits to."""

from __future__ import annotations

import hypothesis.strategies as st
import rfc8785
from hypothesis import example, given

from readingroom.api.wire.answers import Head, Stream, event_bytes
from readingroom.gateway.ask import Kind
from readingroom.gateway.frames import Delta, End, Finish, Position, Token
from readingroom.gateway.model import Amount, Ended
from readingroom.ledger.receipt import answer_forms

texts = st.text(st.characters(exclude_categories=["Cs"]))
tokens = st.builds(Token, texts, st.floats(-1e6, 0))
positions = st.lists(st.builds(Position, tokens, st.lists(tokens, max_size=2).map(tuple)), max_size=2).map(tuple)
deltas = st.builds(Delta, st.integers(0, 1), texts, texts, positions=positions, finish=st.sampled_from([None, *Finish]))


@given(texts)
@example('a"\\/\n\t\r\b\f\x01\x1f\x7f\u2028 é \U0001f600')
def test_the_quick_spelling_of_an_event_is_the_canonical_one(text: str) -> None:
    event = {"id": "x", "choices": [{"index": 0, "delta": {"content": text}, "logprobs": None}], "created": 1}
    assert event_bytes(event) == rfc8785.dumps(event)  # type: ignore[arg-type]


@given(st.lists(deltas, min_size=1, max_size=6), st.booleans())
def test_a_stream_as_it_is_received_is_what_its_record_commits_to(sent: list[Delta], usage: bool) -> None:  # noqa: FBT001 - drawn by Hypothesis
    stream = Stream(Head("receipt_1", 1, "m", Kind.CHAT), include_usage=usage)
    *before, last = sent
    received = b"".join(stream.add(each) for each in before)
    end = End(Ended.COMPLETE, None, 1, 2, Amount(2, 3, 1), None, last)
    form = stream.spell(end)
    received += stream.add(last) + stream.close(end)
    assert form in answer_forms(received)


@given(st.lists(texts, min_size=1, max_size=4), st.sampled_from(list(Kind)), texts)
def test_plain_pieces_are_spelled_as_all_others_are(said: list[str], kind: Kind, model: str) -> None:
    head = Head("receipt_1", 1, model, kind)
    quick, slow = Stream(head, include_usage=False), Stream(head, include_usage=False)
    for text in said:
        assert quick.add(Delta(0, text)) == slow._send(event_bytes(slow._chunk(Delta(0, text))))
