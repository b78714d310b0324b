"""A collection of receipts: one list, one root, one citation, verifiable offline. Pure.

The list has an item per answered question, with the digests of its request, answer and receipt. The root is the
Merkle root (RFC 6962) over the items' canonical JSON. All that the collection says besides (counts, models, stages,
dates, checkpoint) follows from the receipts, and is computed again when it is verified.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from readingroom.core.canonical import Json, canonical, parse, sha256
from readingroom.ledger import merkle
from readingroom.ledger.note import Unproven, Verifier
from readingroom.ledger.proof import Proof
from readingroom.ledger.receipt import Receipt, verify_receipt
from readingroom.ledger.report import Findings, Report

ANSWERS, COLLECTION, CITATION = "answers.jsonl", "collection.json", "CITATION.cff"
REQUESTS, REPLIES, RECEIPTS = "requests", "answers", "receipts"
VERSION = 1
_OK = 200
Read = Callable[[str], bytes]  # a file of the collection by its name; KeyError: it is not there


def collect(run: str, author: str, read: Read) -> dict[str, Json]:
    """Make the collection of what a batch's folder holds.

    Args:
        run: the batch's id.
        author: to be cited.
        read: reads a file of the folder.
    """
    journal = read(ANSWERS)
    rows = sorted((json.loads(each) for each in journal.splitlines()), key=lambda row: row["line"])
    items = [_item(row, read) for row in rows]
    return {
        "v": VERSION,
        "run": run,
        "author": author,
        "answers": sha256(journal),
        "items": items,
        "root": root(items),
        **_said([_file(read, RECEIPTS, each["line"]) for each in items if each["receipt"]["sha256"]], items),
    }


def root(items: Sequence[Json]) -> str:
    """Return the Merkle root over the items, in hex."""
    return merkle.root([merkle.leaf_hash(canonical(each)) for each in items]).hex()


def citation(collection: Mapping[str, Json]) -> bytes:
    """Spell a collection's citation (Citation File Format 1.2.0; its texts are JSON, which YAML reads)."""
    counts = collection["counts"]
    title = f"{counts['answered']} answers of {', '.join(collection['models']) or 'no model'}"
    lines = [
        "cff-version: 1.2.0",
        "message: Please cite this collection of receipts by its root.",
        "type: dataset",
        f"title: {json.dumps(title)}",
        "authors:",
        f"  - name: {json.dumps(collection['author'])}",
        "identifiers:",
        "  - type: other",
        f"    value: {json.dumps('sha256:' + collection['root'])}",
        "    description: Merkle root over the items of collection.json",
    ]
    if collection["last"]:
        lines.append(f"date-released: {collection['last'][:10]}")
    return ("\n".join(lines) + "\n").encode()


def verify_collection(read: Read, verifier: Verifier) -> Report:
    """Verify a collection against the log's key: every file, every receipt, and all that it says of itself."""
    findings = Findings()
    try:
        stated = parse(read(COLLECTION))
        made = collect(stated["run"], stated["author"], read)
        cited = citation(stated)
    except KeyError as missing:
        findings.note(f"{missing.args[0]}: is missing")
        return findings.report()
    except (ValueError, TypeError, AttributeError, RecursionError, Unproven) as fault:
        findings.note(f"{COLLECTION}: cannot be read, or a file that it lists cannot ({fault})")
        return findings.report()
    for name in sorted({*stated, *made} - {"items"}):
        if stated.get(name) != made.get(name):
            findings.note(f"{COLLECTION}: {name!r} is not what the files say")
    _compare(stated["items"], made["items"], findings)
    if not _is(read, CITATION, cited):
        findings.note(f"{CITATION}: is not the citation of this collection")
    lines = [item["line"] for item in made["items"]]
    receipts = [item["receipt"]["id"] for item in made["items"] if item["receipt"]["id"] is not None]
    for what, listed in (("line", lines), ("receipt", receipts)):
        if len(set(listed)) < len(listed):
            findings.note(f"{ANSWERS}: a {what} stands there twice")
    newest = Report()
    for item in made["items"]:
        found = _verify_item(item, read, verifier, findings)
        newest = max(newest, found, key=lambda report: report.size)
    return findings.report(newest.size, bytes.fromhex(newest.root))


def _verify_item(item: Mapping[str, Any], read: Read, verifier: Verifier, findings: Findings) -> Report:
    line = item["line"]
    where = f"{RECEIPTS}/{line:06d}.json"
    if item["receipt"]["sha256"] is None:
        if item["receipt"]["id"] is not None or item["status"] == _OK:
            findings.note(f"{where}: the receipt is missing; run the batch again to collect it")
        return Report()
    body = _file(read, REPLIES, line) if item["status"] == _OK else None
    receipt = _file(read, RECEIPTS, line)
    found = verify_receipt(receipt, verifier, _file(read, REQUESTS, line), body)
    for problem in found.problems:
        findings.note(f"{where}: {problem}")
    if found.ok and Receipt.from_json(receipt).record.get("id") != item["receipt"]["id"]:
        findings.note(f"{where}: is another call's receipt")
    return found


def _compare(stated: Json, made: list[Json], findings: Findings) -> None:
    if not isinstance(stated, list) or len(stated) != len(made):
        findings.note(f"{COLLECTION}: does not list exactly the answers of {ANSWERS}")
        return
    for said, is_ in zip(stated, made, strict=True):
        if said != is_:
            findings.note(f"line {is_['line']}: its request, answer or receipt is not the one that was collected")


def _item(row: Mapping[str, Json], read: Read) -> dict[str, Json]:
    line, reply = row["line"], _file(read, REPLIES, row["line"])
    said = parse(reply)
    told = said if row["status"] == _OK else said.get("error", said)
    if told != row.get("body", row.get("error")):
        raise ValueError(f"line {line} of the questions: {ANSWERS} says another answer than {REPLIES}/{line:06d}.json")
    try:
        receipt = sha256(_file(read, RECEIPTS, line))
    except KeyError:
        receipt = None
    return {
        "line": line,
        "custom_id": row["custom_id"],
        "status": row["status"],
        "request": sha256(_file(read, REQUESTS, line)),
        "answer": sha256(reply),
        "receipt": {"id": row["receipt"], "sha256": receipt},
    }


def _said(receipts: Sequence[bytes], items: Sequence[Mapping[str, Any]]) -> dict[str, Json]:
    """Return what a collection says of itself."""
    read = [Receipt.from_json(each) for each in receipts]
    records = [each.record for each in read]
    dates = sorted(str(each["at"]) for each in records)
    notes = [Proof.parse(each.proof).checkpoint.decode() for each in read]
    answered = sum(1 for each in items if each["status"] == _OK)
    return {
        "models": sorted({str(each["model"]) for each in records}),
        "stages": sorted({str(each["stage"]) for each in records}),
        "first": dates[0] if dates else None,
        "last": dates[-1] if dates else None,
        "counts": {
            "answered": answered,
            "refused": len(items) - answered,
            "receipts": len(read),
            "passes": sum(int(each["passes"]) for each in records),
            "tokens": sum(int(each["tokens"]) for each in records),
        },
        "checkpoint": max(notes, key=_size) if notes else None,
    }


def _size(note: str) -> int:
    lines = note.split("\n")
    return int(lines[1]) if len(lines) > 1 and lines[1].isdecimal() else 0


def _file(read: Read, folder: str, line: int) -> bytes:
    return read(f"{folder}/{line:06d}.json")


def _is(read: Read, name: str, data: bytes) -> bool:
    try:
        return read(name) == data
    except KeyError:
        return False
