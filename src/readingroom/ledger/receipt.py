"""Receipts: what was asked, answered and charged in one call, provable offline. Pure.

A usage record is one leaf of a small tree, its batch; the batch's root stands in one entry of the log; that entry's
proof leads to a signed checkpoint. The record commits to request and answer with a salt that only the reader gets, so
the log shows nobody's reading, and a receipt still proves that exactly this was exchanged.

What is committed to, always as canonical JSON (RFC 8785):

- `request`: the request's JSON body;
- `answer`: the answer's JSON body; of a stream, the list of its data events (`[DONE]` and comments left out);
- `text`: the list of the choices' texts.

A record names the last two, or lists them as `answers`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from readingroom.core.canonical import Json, canonical, commitment, parse
from readingroom.ledger import merkle
from readingroom.ledger.note import Unproven, Verifier, decode, encode
from readingroom.ledger.proof import Proof
from readingroom.ledger.report import Findings, Report

BATCH_EVENT = "gateway.usage.recorded"
SALT_BYTES = 32
FIELDS = {"entry", "salt", "batch", "proof"}
_BATCH_FIELDS = {"entry", "index", "path"}
_LINE = re.compile(r"\r\n|\n|\r")


def batch_data(records: Sequence[bytes]) -> dict[str, Json]:
    """Return what the log's entry says of a batch of records (canonical JSON each): root and count."""
    return {"root": merkle.root(list(map(merkle.leaf_hash, records))).hex(), "count": len(records)}


def batch_path(records: Sequence[bytes], index: int) -> tuple[bytes, ...]:
    """Return the proof that a record stands at `index` in its batch."""
    return merkle.inclusion_path(merkle.over(list(map(merkle.leaf_hash, records))), index, len(records))


def seal(salt: bytes) -> str:
    """Commit to the salt itself: a record that holds this as `salt` shows an altered salt without any request."""
    return commitment(salt, b"")


def request_form(body: bytes) -> bytes:
    """Return the bytes by which a record commits to a request.

    Raises:
        ValueError: it is no JSON, or has no canonical form.
    """
    return _canonical_json(body)


def answer_form(answer: Json) -> bytes:
    """Return the bytes by which a record commits to an answer: a JSON body, or the list of a stream's events."""
    return canonical(answer)


def stream_form(events: Sequence[bytes]) -> bytes:
    """Return `answer_form` of a stream whose events are in canonical form already."""
    return b"[" + b",".join(events) + b"]"


def text_form(texts: Sequence[str]) -> bytes:
    """Return the bytes by which a record commits to the choices' texts."""
    return canonical(list(texts))


def answer_forms(file: bytes) -> tuple[bytes, ...]:
    """Return every form that an answer kept in a file may be committed to by.

    The file may be the JSON body, the raw event stream, the plain text of a single choice, or a JSON list of the texts
    of several. What is JSON may also be a text that looks like it, so all readings are tried.
    """
    forms = []
    for read in (_canonical_json, _canonical_stream, _canonical_text):
        try:
            forms.append(read(file))
        except (ValueError, RecursionError):
            continue
    return tuple(forms)


def _canonical_json(data: bytes) -> bytes:
    try:
        return canonical(parse(data.decode("utf-8-sig")))
    except RecursionError:
        raise ValueError("it nests too deep") from None


def _canonical_text(data: bytes) -> bytes:
    return text_form([data.decode("utf-8")])


def _canonical_stream(data: bytes) -> bytes:
    found = [parse(each) for each in events(data) if each != "[DONE]"]
    if not found:
        raise ValueError("there is no event in it")
    return answer_form(found)


def events(stream: bytes) -> list[str]:
    """Return the data of each server-sent event (HTML standard, 9.2.6); a last one needs no empty line after it."""
    found: list[str] = []
    data: list[str] = []
    for line in [*_LINE.split(stream.decode("utf-8-sig")), ""]:
        if line:
            name, _, value = line.partition(":")
            if name == "data":
                data.append(value.removeprefix(" "))
        elif data:
            found.append("\n".join(data))
            data = []
    return found


@dataclass(frozen=True, slots=True)
class Receipt:
    """One call's record with everything that proves it.

    Attributes:
        record: the usage record: commitments, figures, digests.
        salt: opens the record's commitments; 32 bytes.
        batch: the log's entry for the record's batch, a JSON object.
        index: the record's place in the batch.
        path: from the record up to the batch's root.
        proof: tlog-proof text from the batch's entry to a signed checkpoint.
    """

    record: Mapping[str, Json]
    salt: bytes
    batch: Mapping[str, Json]
    index: int
    path: tuple[bytes, ...]
    proof: str

    def to_json(self) -> dict[str, Json]:
        """Return the JSON that a reader gets."""
        return {
            "entry": dict(self.record),
            "salt": self.salt.hex(),
            "batch": {"entry": dict(self.batch), "index": self.index, "path": [encode(each) for each in self.path]},
            "proof": self.proof,
        }

    @classmethod
    def from_json(cls, data: bytes) -> Receipt:
        """Read a receipt's file; a field that nothing would vouch for is refused.

        Raises:
            Unproven: it is not a receipt.
        """
        try:
            raw = parse(data.decode("utf-8-sig"))
        except (ValueError, RecursionError) as fault:
            raise Unproven(f"the receipt is not JSON: {fault}") from None
        whole = _object(raw, FIELDS, "the receipt")
        batch = _object(whole["batch"], _BATCH_FIELDS, "the receipt's batch")
        index, path = batch["index"], batch["path"]
        if not isinstance(index, int) or isinstance(index, bool) or not isinstance(path, list):
            raise Unproven("the record's place in its batch is not given as a number and a list of hashes")
        return cls(
            _object(whole["entry"], None, "the receipt's entry"),
            _salt(whole["salt"]),
            _object(batch["entry"], None, "the batch's entry"),
            index,
            tuple(decode(_text(each, "a hash of the path")) for each in path),
            _text(whole["proof"], "the proof"),
        )


def _object(raw: Json, fields: set[str] | None, what: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise Unproven(f"{what} is not a JSON object")
    if fields is not None and set(raw) != fields:
        odd = ", ".join(sorted(map(repr, set(raw) ^ fields)))
        raise Unproven(f"{what} must have exactly the fields {', '.join(sorted(fields))}; see {odd}")
    return raw


def _text(raw: Json, what: str) -> str:
    if not isinstance(raw, str):
        raise Unproven(f"{what} is not a text")
    return raw


def _salt(raw: Json) -> bytes:
    """Read the salt. Its length is fixed: else bytes could wander between salt and what it hides."""
    try:
        salt = bytes.fromhex(_text(raw, "the salt"))
    except ValueError:
        salt = b""
    if len(salt) != SALT_BYTES or salt.hex() != raw:
        raise Unproven(f"the salt is not {SALT_BYTES} bytes in hex; it was altered")
    return salt


def verify_receipt(
    receipt: bytes, verifier: Verifier, request: bytes | None = None, answer: bytes | None = None
) -> Report:
    """Verify a receipt's file against the log's key, and that request and answer are those it was given for.

    Args:
        receipt: the JSON that `GET /v1/receipts/{id}` answered.
        verifier: the log's public key.
        request: the JSON body that was sent, or None.
        answer: the answer as a file (see `answer_forms`), or None.
    """
    findings = Findings()
    try:
        read = Receipt.from_json(receipt)
        proof = Proof.parse(read.proof)
        signed = proof.verify(canonical(dict(read.batch)), verifier)
        _check_batch(read, proof)
    except Unproven as fault:
        findings.note(str(fault))
        return findings.report()
    except (ValueError, RecursionError) as fault:
        findings.note(f"the receipt holds what has no canonical JSON: {fault}")
        return findings.report()
    for problem in (_salt_problem(read), _request_problem(read, request), _answer_problem(read, answer)):
        if problem:
            findings.note(problem)
    return findings.report(signed.size, signed.root)


def _check_batch(receipt: Receipt, proof: Proof) -> None:
    """Check that the entry is a batch's, stands where the proof says, and that the record is in the batch."""
    batch = receipt.batch
    data = batch.get("data")
    if batch.get("event") != BATCH_EVENT or not isinstance(data, dict):
        raise Unproven(f"the entry in the log is not a batch of usage records ({BATCH_EVENT})")
    if batch.get("seq") != proof.index or proof.extra:
        raise Unproven("the proof is not the one of the batch's entry")
    root, count = data.get("root"), data.get("count")
    if not isinstance(root, str) or not isinstance(count, int):
        raise Unproven("the batch's entry does not say its root and count")
    record = merkle.leaf_hash(canonical(dict(receipt.record)))
    if not merkle.verify_inclusion(record, receipt.index, count, receipt.path, _root(root)):
        raise Unproven(
            "the record is not in the batch that the log holds: the record, its place or its path was altered"
        )


def _root(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise Unproven("the batch's root is not in hex") from None


def _salt_problem(receipt: Receipt) -> str | None:
    if receipt.record.get("salt", seal(receipt.salt)) != seal(receipt.salt):
        return "the salt is not the one of this record; it was altered"
    return None


def _request_problem(receipt: Receipt, request: bytes | None) -> str | None:
    if request is None:
        return None
    try:
        committed = commitment(receipt.salt, request_form(request))
    except ValueError as fault:
        return f"the request is not a JSON body: {fault}"
    if committed != receipt.record.get("request"):
        return "the request is not the one that this receipt was given for (or the salt was altered)"
    return None


def _answer_problem(receipt: Receipt, answer: bytes | None) -> str | None:
    if answer is None:
        return None
    record = receipt.record
    recorded = [record[name] for name in ("answer", "text") if record.get(name)] or record.get("answers")
    if not isinstance(recorded, list) or not recorded:
        return "this receipt was given for no answer: none was completed"
    if not any(commitment(receipt.salt, form) in recorded for form in answer_forms(answer)):
        return (
            "the answer is not the one that this receipt was given for (or the salt was altered); it may be the JSON"
            " body, the raw event stream, or the exact text of a single choice"
        )
    return None
