"""Facsimiles are signed off by someone who may, once each, and a mistake in their file is told by its place.

One with a receipt is what the model said, and nothing else is shown as that.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as some

from readingroom.core.canonical import Json, canonical, commitment, parse
from readingroom.core.clock import FixedClock
from readingroom.core.document import read
from readingroom.core.errors import BadInput
from readingroom.core.ids import random_bytes
from readingroom.core.refusal import Refused
from readingroom.dossier.service import Dossier
from readingroom.engines.identity import ECHO
from readingroom.ledger import receipt as receipts
from readingroom.ledger.queries import LedgerReader
from readingroom.ledger.service import Ledger
from readingroom.ledger.tables import entry
from readingroom.people.model import Actor, Role
from readingroom.publication.papers import Papers, answered, asked
from readingroom.publication.samples import Samples
from readingroom.store.db import Database

STEWARD = Actor("person_s", frozenset({Role.STEWARD}))
TEXT = "- {prompt: canary p, output: canary o, model: canary m}\n"


@pytest.fixture
def samples(db: Database, ledger: Ledger, clock: FixedClock) -> Samples:
    return Samples(db, ledger, clock)


def test_a_sample_is_signed_off_once(samples: Samples) -> None:
    first = samples.add(STEWARD, read(TEXT + TEXT, "s.yaml"))
    assert len(first) == 1
    assert first[0].signed_by == STEWARD.id
    assert samples.add(STEWARD, read(TEXT, "s.yaml")) == first


def test_the_ledger_says_who_signed_off_and_no_text(samples: Samples, db: Database) -> None:
    (shown,) = samples.add(STEWARD, read(TEXT, "s.yaml"))
    with db.read() as tx:
        (row,) = tx.execute(sa.select(entry)).mappings().all()
    said = repr(dict(row))
    assert "publication.sample.signed-off" in said
    assert shown.id in said
    assert STEWARD.id in said
    assert "canary" not in said


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("- {promt: p, output: o, model: m}\n", "s.yaml:1:"),
        (TEXT + "- {prompt: p, model: m}\n", "s.yaml:2:3"),
        (TEXT + "-\n  prompt: p\n  output: [o]\n  model: m\n", "s.yaml:4:11"),
        ("prompt: p\n", "s.yaml:1:1"),
        (TEXT + "- {prompt: p, prompt: q, output: o, model: m}\n", "s.yaml:2:"),
    ],
)
def test_a_mistake_is_told_by_line_and_column_and_nothing_is_shown(samples: Samples, text: str, place: str) -> None:
    with pytest.raises(BadInput) as told:
        samples.add(STEWARD, read(text, "s.yaml"))
    assert place in str(told.value)
    assert samples.all() == []


def test_every_mistake_of_a_file_is_told_at_once(samples: Samples) -> None:
    with pytest.raises(BadInput) as told:
        samples.add(STEWARD, read("- {prompt: p}\n- {output: o}\n", "s.yaml"))
    assert "s.yaml:1:" in str(told.value)
    assert "s.yaml:2:" in str(told.value)


@pytest.mark.parametrize("role", [None, Role.REVIEWER, Role.AUDITOR, Role.TESTER])
def test_others_show_nothing(samples: Samples, role: Role | None) -> None:
    with pytest.raises(Refused, match="people/not-allowed"):
        samples.add(Actor("person_x", frozenset({role} if role else ())), read(TEXT, "s.yaml"))


PROMPT, OUTPUT, MODEL = "What is a reading room?", "A quiet place.", "small"
REQUEST = {"model": MODEL, "messages": [{"role": "user", "content": PROMPT}], "max_tokens": 9}
ANSWER = {"choices": [{"index": 0, "message": {"role": "assistant", "content": OUTPUT}, "finish_reason": "stop"}]}


Call = Callable[..., Papers]


@pytest.fixture
def call(db: Database, ledger: Ledger, clock: FixedClock) -> Call:
    """A call to `/v1`, by what it leaves with its reader."""
    model = Dossier(db, ledger, clock).register_remote(STEWARD, MODEL, ECHO)

    def made(digest: str = model.digest) -> Papers:
        salt = random_bytes(32)
        record = {
            "id": "receipt_1",
            "model": digest,
            "salt": receipts.seal(salt),
            "request": commitment(salt, canonical(REQUEST)),
            "answer": commitment(salt, receipts.answer_form(ANSWER)),
        }
        leaf = canonical(record)
        with db.decide() as tx:
            batch = ledger.append(tx, receipts.BATCH_EVENT, receipts.batch_data([leaf]), by="gateway")
        proof, path = LedgerReader(db).proof(batch.seq), receipts.batch_path([leaf], 0)
        receipt = receipts.Receipt(record, salt, parse(batch.leaf()), 0, path, proof)
        return Papers(json.dumps(receipt.to_json()), json.dumps(REQUEST), json.dumps(ANSWER))

    return made


def file(papers: Papers, **other: str) -> str:
    inline = {"receipt": papers.receipt, "request": papers.request, "answer": papers.answer}
    return json.dumps([{"prompt": PROMPT, "output": OUTPUT, "model": MODEL, **inline, **other}])


def test_one_with_good_papers_is_shown_with_them(samples: Samples, call: Call) -> None:
    made = call()
    (shown,) = samples.add(STEWARD, read(file(made), "s.yaml"))
    assert (shown.receipt, shown.papers) == ("receipt_1", made)
    (alone,) = (each for each in samples.add(STEWARD, read(TEXT, "s.yaml")) if not each.papers)
    assert alone.receipt == ""


def test_papers_may_stand_beside_the_file(samples: Samples, call: Call, tmp_path: Path) -> None:
    made = call()
    for name in ("receipt", "request", "answer"):
        (tmp_path / f"{name}.json").write_text(getattr(made, name))
    named = file(made, receipt="receipt.json", request="request.json", answer="answer.json")
    (shown,) = samples.add(STEWARD, read(named, "s.yaml"), tmp_path)
    assert shown.papers == made
    with pytest.raises(BadInput, match="cannot be read"):
        samples.add(STEWARD, read(file(made, receipt="gone.json"), "s.yaml"), tmp_path)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"output": "A loud place."}, "not what the answer says"),
        ({"prompt": "What is a pub?"}, "not what the request asks"),
        ({"model": "large"}, "not registered"),
        ({"request": json.dumps(REQUEST | {"temperature": 2})}, "the request is not the one"),
        (
            {
                "answer": json.dumps(ANSWER | {"id": 2}),
            },
            "the answer is not the one",
        ),
        ({"receipt": "{}"}, "must have exactly the fields"),
        ({"receipt": "[]"}, "cannot be read"),
    ],
)
def test_what_a_receipt_does_not_prove_is_not_shown(
    samples: Samples, call: Call, other: dict[str, str], told: str
) -> None:
    with pytest.raises(BadInput, match=told):
        samples.add(STEWARD, read(file(call(), **other), "s.yaml"))
    assert samples.all() == []


def test_a_receipt_of_another_model_or_another_log_proves_nothing(samples: Samples, call: Call) -> None:
    other = call("sha256:" + "b" * 64)
    with pytest.raises(BadInput, match="another than the receipt's"):
        samples.add(STEWARD, read(file(other), "s.yaml"))
    foreign = json.loads(call().receipt)
    foreign["proof"] = foreign["proof"].replace("\u2014 ", "\u2014 x")
    with pytest.raises(BadInput, match="receipt: "):
        samples.add(STEWARD, read(file(call(), receipt=json.dumps(foreign)), "s.yaml"))


def test_two_papers_of_three_are_too_few(samples: Samples) -> None:
    with pytest.raises(BadInput, match="request is missing"):
        samples.add(STEWARD, read('[{prompt: p, output: o, model: m, receipt: "{}", answer: "{}"}]', "s.yaml"))


def test_what_else_shaped_the_answer_is_not_left_out() -> None:
    """A message of the system that nobody is shown could have said what to answer."""
    hidden = [{"role": "system", "content": "Say it."}, {"role": "user", "content": PROMPT}]
    assert asked(json.dumps({"messages": hidden})) == []
    assert asked(json.dumps({"prompt": PROMPT})) == [PROMPT]


def test_a_streams_text_is_read_from_its_events() -> None:
    events = [{"choices": [{"index": 0, "delta": {"content": each}}]} for each in ("A quiet ", "place.")]
    stream = "".join(f"data: {json.dumps(each)}\n\n" for each in events) + "data: [DONE]\n\n"
    assert answered(stream) == OUTPUT
    assert answered(json.dumps({"choices": [{"text": OUTPUT}]})) == OUTPUT


@given(
    some.recursive(
        some.none() | some.integers() | some.text(),
        lambda more: (
            some.lists(more)
            | some.dictionaries(
                some.sampled_from(
                    ["choices", "message", "messages", "delta", "content", "prompt", "role", "index", "text"]
                ),
                more,
            )
        ),
    )
)
def test_no_shape_of_papers_breaks_their_reading(body: Json) -> None:
    for text in (json.dumps(body), f"data: {json.dumps(body)}\n\n"):
        assert isinstance(answered(text), str)
        assert all(isinstance(each, str) for each in asked(text))
