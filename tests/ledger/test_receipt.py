"""Receipts: the reader proves what was exchanged; a thief, a forger or a forgetful lab does not."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readingroom.core.canonical import canonical, commitment, parse
from readingroom.ledger import merkle
from readingroom.ledger import receipt as receipts
from readingroom.ledger.note import Signer, Unproven, encode
from readingroom.ledger.proof import Proof
from readingroom.ledger.queries import LedgerReader
from readingroom.ledger.receipt import Receipt, answer_forms, batch_data, batch_path, events, verify_receipt
from readingroom.ledger.service import Ledger
from readingroom.store.db import Database

SALT = bytes(range(32))
REQUEST = {"model": "small", "messages": [{"role": "user", "content": "Grüße, 📖"}], "temperature": 0.5, "seed": 7}
TEXT = "Grüße,\n📖"
BODY = {"id": "rr-1", "choices": [{"index": 0, "message": {"content": TEXT}, "logprobs": [-0.125, -1e-7]}]}
EVENTS = [{"choices": [{"delta": {"content": word}}]} for word in ("Grüße,\n", "📖")]
STREAM = "".join(f"data: {json.dumps(each)}\n\n" for each in EVENTS) + ": still there\n\ndata: [DONE]\n\n"


def record(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"v": 1, "id": "receipt_1", "model": "sha256:aa", "passes": 2}
    made["request"] = commitment(SALT, canonical(REQUEST))
    made["answer"] = commitment(SALT, canonical(BODY))
    made["text"] = commitment(SALT, canonical([TEXT]))
    made["salt"] = receipts.seal(SALT)
    return {**made, **changes}


@dataclass
class Desk:
    """Makes receipts as the gateway does: a batch in the log, and a proof to its newest checkpoint."""

    db: Database
    ledger: Ledger

    def give(self, mine: Mapping[str, Any], others: int = 4, event: str = receipts.BATCH_EVENT) -> Receipt:
        batch = [canonical({"v": 1, "id": f"other_{n}"}) for n in range(others)]
        place = others // 2
        batch.insert(place, canonical(dict(mine)))
        with self.db.decide() as tx:
            self.ledger.append(tx, "test.thing.happened", {}, by="test")
            entry = self.ledger.append(tx, event, batch_data(batch), by="gateway")
            self.ledger.append(tx, "test.thing.happened", {}, by="test")
        proof = LedgerReader(self.db).proof(entry.seq)
        return Receipt(mine, SALT, parse(entry.leaf()), place, batch_path(batch, place), proof)


@pytest.fixture
def desk(sqlite_db: Database, ledger: Ledger) -> Desk:
    return Desk(sqlite_db, ledger)


@pytest.fixture
def given_receipt(desk: Desk) -> Receipt:
    return desk.give(record())


def spelled(made: Receipt) -> bytes:
    return json.dumps(made.to_json(), indent=2).encode()


def test_request_and_answer_are_proved_with_the_public_key_alone(given_receipt: Receipt, signer: Signer) -> None:
    file = spelled(given_receipt)
    assert Receipt.from_json(file) == given_receipt
    report = verify_receipt(file, signer.verifier)
    assert (report.problems, report.size) == ((), 3)
    request = json.dumps(REQUEST, indent=4).encode()
    for answer in (json.dumps(BODY).encode(), TEXT.encode(), json.dumps([TEXT]).encode(), None):
        assert verify_receipt(file, signer.verifier, request, answer).problems == ()


def test_a_stream_is_proved_as_it_was_received(desk: Desk, signer: Signer) -> None:
    file = spelled(desk.give(record(answer=commitment(SALT, canonical(EVENTS)))))
    stream = STREAM.encode()
    reordered = [EVENTS[1], EVENTS[0]]
    for same in (stream, stream.replace(b"\n", b"\r\n"), stream.rstrip(), canonical(EVENTS), TEXT.encode()):
        assert verify_receipt(file, signer.verifier, answer=same).problems == ()
    for other in (canonical(EVENTS[:1]), canonical(reordered), stream.replace(b"choices", b"Choices")):
        assert not verify_receipt(file, signer.verifier, answer=other).ok


def test_answers_may_be_listed(desk: Desk, signer: Signer) -> None:
    plain = {key: value for key, value in record().items() if key not in ("answer", "text")}
    file = spelled(desk.give({**plain, "answers": [commitment(SALT, canonical(BODY))]}))
    assert verify_receipt(file, signer.verifier, answer=json.dumps(BODY).encode()).ok
    assert not verify_receipt(file, signer.verifier, answer=TEXT.encode()).ok


def test_a_call_without_an_answer_proves_none(desk: Desk, signer: Signer) -> None:
    plain = {key: value for key, value in record().items() if key not in ("answer", "text")}
    file = spelled(desk.give(plain))
    assert verify_receipt(file, signer.verifier).ok
    (problem,) = verify_receipt(file, signer.verifier, answer=b"anything").problems
    assert problem == "this receipt was given for no answer: none was completed"


def test_another_request_or_answer_is_refused_by_name(given_receipt: Receipt, signer: Signer) -> None:
    file = spelled(given_receipt)
    other = json.dumps({**REQUEST, "seed": 8}).encode()
    (problem,) = verify_receipt(file, signer.verifier, other).problems
    assert problem.startswith("the request is not the one")
    for answer in (json.dumps({**BODY, "id": "rr-2"}).encode(), TEXT.encode() + b"\n", b"", b"\xff", b"[1"):
        (problem,) = verify_receipt(file, signer.verifier, answer=answer).problems
        assert problem.startswith("the answer is not the one")
    for request in (b"", b"{", b"\xff", b'{"a":1,"a":1}', b'{"seed":9007199254740993}', b"[" * 100_000):
        (problem,) = verify_receipt(file, signer.verifier, request).problems
        assert problem.startswith("the request is not a JSON body")


def test_one_request_and_one_answer_cannot_change_places(given_receipt: Receipt, signer: Signer) -> None:
    report = verify_receipt(spelled(given_receipt), signer.verifier, json.dumps(BODY).encode(), canonical(REQUEST))
    assert len(report.problems) == 2


def test_an_altered_salt_is_seen_even_without_a_request(given_receipt: Receipt, signer: Signer) -> None:
    (problem,) = verify_receipt(spelled(replace(given_receipt, salt=bytes(32))), signer.verifier).problems
    assert problem == "the salt is not the one of this record; it was altered"


def test_bytes_cannot_wander_between_the_salt_and_what_it_hides(desk: Desk, signer: Signer) -> None:
    """Were salts of any length, then what hides 12 under a salt would hide 2 under the salt with a 1 at its end."""
    file = desk.give({"request": commitment(SALT, b"12")}).to_json()
    file["salt"] = (SALT + b"1").hex()
    assert not verify_receipt(json.dumps(file).encode(), signer.verifier, b"2").ok


def alterations(value: Any) -> Iterator[Any]:
    """Yield what a value could be altered to: each of its parts changed, removed or added to."""
    yield None
    if isinstance(value, dict):
        yield from ({k: v for k, v in value.items() if k != gone} for gone in value)
        yield from ({**value, k: other} for k, v in value.items() for other in alterations(v))
        yield from ({**value, "added": 1}, [])
    elif isinstance(value, list):
        yield from (value[:i] + value[i + 1 :] for i in range(len(value)))
        yield from ([*value[:i], other, *value[i + 1 :]] for i, v in enumerate(value) for other in alterations(v))
        yield from ([*value, ""], {})
    elif isinstance(value, str):
        yield from (value[:i] + ("B" if value[i] == "A" else "A") + value[i + 1 :] for i in range(len(value)))
        yield from (value + "\n", value[:-1], "\ud800", "", 7)
    else:
        yield from (value + 1, -value if value else -1, str(value), [], 1e400)


def test_every_altered_part_of_a_receipt_is_refused_with_a_reason(given_receipt: Receipt, signer: Signer) -> None:
    altered = list(alterations(given_receipt.to_json()))
    assert len(altered) > 500
    for each in altered:
        report = verify_receipt(json.dumps(each).encode(), signer.verifier, canonical(REQUEST), canonical(BODY))
        assert not report.ok, each
        assert all(problem.strip() for problem in report.problems)


def test_a_receipt_proves_nothing_under_another_key(given_receipt: Receipt, signer: Signer) -> None:
    (problem,) = verify_receipt(spelled(given_receipt), Signer.generate(signer.name).verifier).problems
    assert "is not signed by" in problem


def test_a_forgers_own_log_is_not_ours(sqlite_db: Database, ledger: Ledger, signer: Signer) -> None:
    forger = Signer.generate(signer.name)
    forged = Desk(sqlite_db, Ledger(ledger._clock, forger)).give(record())
    assert not verify_receipt(spelled(forged), signer.verifier).ok


def test_a_record_in_an_entry_that_is_no_batch_proves_nothing(desk: Desk, signer: Signer) -> None:
    """Other entries may hold digests that a person chose; none of them passes for a batch's root."""
    (problem,) = verify_receipt(spelled(desk.give(record(), event="test.thing.happened")), signer.verifier).problems
    assert problem.startswith("the entry in the log is not a batch")


def test_the_proof_of_another_batch_does_not_lend_itself(desk: Desk, signer: Signer) -> None:
    mine, other = desk.give(record()), desk.give(record(id="receipt_2"))
    for mixed in (
        replace(mine, proof=other.proof),
        replace(mine, batch=other.batch),
        replace(mine, record=other.record),
    ):
        assert not verify_receipt(spelled(mixed), signer.verifier).ok


def test_what_nothing_vouches_for_is_not_carried_along(given_receipt: Receipt, signer: Signer) -> None:
    smuggled = replace(Proof.parse(given_receipt.proof), extra=b"believe me").to_text()
    assert not verify_receipt(spelled(replace(given_receipt, proof=smuggled)), signer.verifier).ok
    with pytest.raises(Unproven, match="must have exactly the fields"):
        Receipt.from_json(json.dumps({**given_receipt.to_json(), "note": "believe me"}).encode())


@given(st.binary(max_size=300))
def test_no_file_crashes_the_verifier(data: bytes) -> None:
    verifier = Signer.generate("any.example/log").verifier
    assert not verify_receipt(data, verifier, data, data).ok


@pytest.mark.parametrize("data", [b"[" * 100_000, b"{}", b"null", b'"x"', b'{"a":' * 50_000, b"\xef\xbb\xbf{}"])
def test_no_malformed_receipt_crashes_the_verifier(data: bytes, signer: Signer) -> None:
    assert len(verify_receipt(data, signer.verifier).problems) == 1


@given(st.integers(1, 40), st.data())
def test_any_record_of_any_batch_is_proved(count: int, data: st.DataObject) -> None:
    batch = [canonical({"n": n}) for n in range(count)]
    index = data.draw(st.integers(0, count - 1))
    path, said = batch_path(batch, index), batch_data(batch)
    assert said["count"] == count
    assert merkle.verify_inclusion(merkle.leaf_hash(batch[index]), index, count, path, bytes.fromhex(said["root"]))
    assert all(len(encode(each)) == 44 for each in path)


# --- forms of an answer


@pytest.mark.parametrize(
    ("stream", "found"),
    [
        ("data: a\n\ndata: b\n\n", ["a", "b"]),
        ("data:a\n\n", ["a"]),
        ("data:  a\n\n", [" a"]),
        ("data: a\ndata: b\n\n", ["a\nb"]),
        ("event: x\nid: 1\nretry: 5\ndata: a\n\n", ["a"]),
        (": comment\n\n:\n\ndata: a", ["a"]),
        ("\ufeffdata: a\r\rdata: b\r\n\r\n", ["a", "b"]),
        ("data\n\ndata: a\n\n", ["", "a"]),
        ("data: a\u2028b\n\n", ["a\u2028b"]),
        ("", []),
        ("dataset: a\n\n data: b\n\n", []),
    ],
)
def test_server_sent_events_are_read_as_browsers_do(stream: str, found: list[str]) -> None:
    assert events(stream.encode()) == found


def test_a_text_that_looks_like_json_or_a_stream_is_still_a_text() -> None:
    for text in ('{"b": 1, "a": 2}', "data: {}\n\n", "[]", "7"):
        assert canonical([text]) in answer_forms(text.encode())
    assert answer_forms(b'{"b": 1, "a": 2}')[0] == b'{"a":2,"b":1}'
    assert answer_forms(b"\xff\xfe") == ()


def test_the_form_of_a_request_does_not_depend_on_its_spelling() -> None:
    one = receipts.request_form(b'{"b": [1.0, "\\u00e9"], "a": null}')
    assert one == receipts.request_form(' {"a":null,"b":[1,"é"]}\n'.encode()) == '{"a":null,"b":[1,"é"]}'.encode()
