"""`readingroom batch`, from outside: a real server, a reader without a house."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from readingroom.ledger.collection import citation, collect
from served import PROGRAM, Served, found, program, served


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = found(tmp_path_factory.mktemp("batch") / "home")
    with served(home) as running:
        yield running


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A house whose every answer of eight words takes more than a tenth of a second."""
    home = found(tmp_path_factory.mktemp("slow") / "home", words_per_second="60")
    with served(home) as running:
        yield running


def body(number: int, **more: Any) -> dict[str, Any]:
    said = f"question {number} of a reader who asks much"
    return {"model": "echo", "max_tokens": 8, "messages": [{"role": "user", "content": said}], **more}


def write(folder: Path, *lines: object) -> Path:
    file = folder / "questions.jsonl"
    file.write_text("\n".join(each if isinstance(each, str) else json.dumps(each) for each in lines) + "\n")
    return file


def given(house: Served, file: Path, key: str, *more: str) -> list[str]:
    return ["--json", "batch", str(file), "--url", house.url, "--key", key, *more]


def ask(house: Served, file: Path, key: str, *more: str, code: int = 0) -> Any:
    ended, out, err = program(*given(house, file, key, *more))
    assert ended == code, (ended, out, err)
    assert "Traceback" not in err
    return json.loads(out)


def rows(file: Path) -> list[dict[str, Any]]:
    path = file.with_name(file.name + ".answers") / "answers.jsonl"
    return [json.loads(each) for each in path.read_text().rpartition("\n")[0].splitlines()] if path.exists() else []


def wait_for_rows(file: Path, least: int) -> None:
    until = time.monotonic() + 60
    while len(rows(file)) < least:
        assert time.monotonic() < until, "nothing is answered"
        time.sleep(0.02)


def verified(house: Served, file: Path) -> tuple[int, Any]:
    folder = file.with_name(file.name + ".answers")
    key = folder.parent / "ledger.key"
    key.write_text(house.http.get("/ledger/key").text)
    ended, out, _ = program("--json", "receipt", "verify", str(folder), "--key", str(key))
    return ended, json.loads(out)


def test_a_whole_run_ends_in_a_collection_that_verifies(house: Served, tmp_path: Path) -> None:
    grant = house.grant(passes=500)
    enveloped = {"custom_id": "mine", "method": "POST", "url": "/v1/chat/completions", "body": body(1)}
    completion = {"model": "echo", "prompt": "one two", "max_tokens": 4}
    file = write(tmp_path, enveloped, body(2), "", completion, body(4, n=2))
    told = ask(house, file, grant["key"])
    assert (told["done"], told["stopped"], told["receipts_missing"]) == (4, None, 0)
    found = {row["custom_id"]: row for row in rows(file)}
    assert set(found) == {"mine", "line-2", "line-4", "line-5"}
    assert found["line-4"]["body"]["choices"][0]["text"] == "one two"
    meter = house.settled(grant["id"])
    assert told["counts"]["passes"] == meter["used"]["passes"] == 8 + 8 + 2 + 16
    assert meter["used"]["calls"] == 4
    code, report = verified(house, file)
    assert (code, report["problems"]) == (0, [])
    collection = json.loads((tmp_path / "questions.jsonl.answers/collection.json").read_text())
    assert collection["root"] in (tmp_path / "questions.jsonl.answers/CITATION.cff").read_text()
    assert len(collection["models"]) == 1

    again = ask(house, file, grant["key"])
    assert again["root"] == told["root"]
    assert house.settled(grant["id"])["used"]["calls"] == 4


@pytest.mark.parametrize(
    "name",
    ["answers.jsonl", "collection.json", "CITATION.cff", "requests/000001.json", "answers/000002.json",
     "receipts/000001.json"],
)  # fmt: skip
def test_a_flipped_byte_anywhere_is_found(house: Served, tmp_path: Path, name: str) -> None:
    file = write(tmp_path, body(1), body(2))
    ask(house, file, house.grant(passes=100)["key"])
    assert verified(house, file)[0] == 0
    target = tmp_path / "questions.jsonl.answers" / name
    data = bytearray(target.read_bytes())
    place = data.rindex(b"e")
    data[place] ^= 1
    target.write_bytes(data)
    code, report = verified(house, file)
    assert code == 1
    assert report["problems"]


def forged(file: Path, change: Callable[[Path, list[dict[str, Any]]], None]) -> None:
    """Change a collection, and put right all that needs no receipt for it."""
    folder = file.with_name(file.name + ".answers")
    kept = rows(file)
    change(folder, kept)
    (folder / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in kept))

    def read(name: str) -> bytes:
        if not (folder / name).exists():
            raise KeyError(name)
        return (folder / name).read_bytes()

    made = collect("run", "A forger", read)
    (folder / "collection.json").write_text(json.dumps(made))
    (folder / "CITATION.cff").write_bytes(citation(made))


def other_answer(folder: Path, kept: list[dict[str, Any]]) -> None:
    kept[0]["body"]["choices"][0]["message"]["content"] = "what the model never said"
    (folder / f"answers/{kept[0]['line']:06d}.json").write_text(json.dumps(kept[0]["body"]))


def other_question(folder: Path, kept: list[dict[str, Any]]) -> None:
    (folder / f"requests/{kept[0]['line']:06d}.json").write_text(json.dumps(body(99)))


def no_receipt(folder: Path, kept: list[dict[str, Any]]) -> None:
    other_answer(folder, kept)
    (folder / f"receipts/{kept[0]['line']:06d}.json").unlink()
    kept[0]["receipt"] = None


def twice(folder: Path, kept: list[dict[str, Any]]) -> None:
    for name in ("requests", "answers", "receipts"):
        shutil.copy(folder / f"{name}/{kept[0]['line']:06d}.json", folder / f"{name}/000007.json")
    kept.append({**kept[0], "line": 7, "custom_id": "again"})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (other_answer, "the answer is not the one"),
        (other_question, "the request is not the one"),
        (no_receipt, "the receipt is missing"),
        (twice, "a receipt stands there twice"),
    ],
)
def test_who_puts_all_digests_right_is_found_by_the_receipts(
    house: Served, tmp_path: Path, change: Callable[[Path, list[dict[str, Any]]], None], says: str
) -> None:
    file = write(tmp_path, body(1), body(2))
    ask(house, file, house.grant(passes=100)["key"])
    forged(file, change)
    code, report = verified(house, file)
    assert code == 1
    assert [each for each in report["problems"] if says in each] == report["problems"]


def test_after_kills_nothing_that_was_answered_is_asked_again(slow: Served, tmp_path: Path) -> None:
    grant = slow.grant(passes=2000)
    file = write(tmp_path, *(body(n) for n in range(40)))  # a second's work: it is killed long before its end
    answered: list[dict[str, Any]] = []
    for least in (4, 12):
        process = subprocess.Popen(
            [*PROGRAM, *given(slow, file, grant["key"])], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        wait_for_rows(file, least)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        kept = rows(file)
        assert least <= len(kept) < 40
        assert kept[: len(answered)] == answered
        answered = kept
    told = ask(slow, file, grant["key"])
    assert told["done"] == 40
    found = rows(file)
    assert found[: len(answered)] == answered
    assert sorted(row["line"] for row in found) == list(range(1, 41))
    calls = slow.settled(grant["id"])["used"]["calls"]
    assert 40 <= calls <= 40 + 2 * 4  # those in flight at the two kills hung up, which is no answer to be kept
    assert verified(slow, file)[0] == 0


def test_a_line_that_a_kill_cut_short_is_asked_again(house: Served, tmp_path: Path) -> None:
    grant = house.grant(passes=100)
    file = write(tmp_path, body(1), body(2))
    ask(house, file, grant["key"], "--parallel", "1")
    journal = tmp_path / "questions.jsonl.answers/answers.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])
    (tmp_path / "questions.jsonl.answers/receipts/000002.json").unlink()
    assert ask(house, file, grant["key"])["done"] == 2
    assert [row["line"] for row in rows(file)] == [1, 2]
    assert verified(house, file)[0] == 0


def test_an_estimate_that_does_not_fit_is_refused_before_anything_is_asked(house: Served, tmp_path: Path) -> None:
    grant = house.grant(passes=20)
    file = write(tmp_path, *(body(n) for n in range(3)))
    shown = ask(house, file, grant["key"], "--estimate", code=1)
    assert (shown["at_most"]["passes"], shown["left"]["passes"], shown["fits"]) == (24, 20, False)
    assert not (tmp_path / "questions.jsonl.answers").exists()
    assert ask(house, file, grant["key"], code=1)["error"]["code"] == "access/allocation-exhausted"
    assert house.settled(grant["id"])["used"]["calls"] == 0
    assert not (tmp_path / "questions.jsonl.answers").exists()
    short = write(tmp_path, body(1))
    assert ask(house, short, grant["key"], "--estimate", "--out", str(tmp_path / "b"))["fits"]


def test_exhaustion_stops_and_a_larger_grant_goes_on(house: Served, tmp_path: Path) -> None:
    grant = house.grant(passes=20)
    file = write(tmp_path, *(body(n) for n in range(4)))
    told = ask(house, file, grant["key"], "--partly", "--parallel", "1", code=1)
    assert told["stopped"]["code"] == "access/allocation-exhausted"
    assert told["done"] == told["counts"]["receipts"] == 2
    assert verified(house, file)[0] == 0
    assert ask(house, file, house.grant(passes=100)["key"])["done"] == 4
    assert verified(house, file)[0] == 0


def test_revocation_stops_what_is_asked_and_keeps_what_was_answered(slow: Served, tmp_path: Path) -> None:
    grant = slow.grant(passes=2000)
    file = write(tmp_path, *(body(n) for n in range(200)))  # six seconds' work, and it is over with the fourth answer
    process = subprocess.Popen([*PROGRAM, *given(slow, file, grant["key"])], stdout=subprocess.PIPE, text=True)
    wait_for_rows(file, 4)
    slow.run("grant", "revoke", grant["id"], "--reason", "project-ended")
    out, _ = process.communicate(timeout=60)
    told = json.loads(out)
    assert process.returncode == 1
    assert told["stopped"]["code"] == "access/grant-revoked"
    assert 4 <= told["done"] < 200
    assert told["receipts_missing"] == 0
    assert verified(slow, file)[0] == 0


def test_every_bad_line_is_told_and_nothing_is_asked(house: Served, tmp_path: Path) -> None:
    grant = house.grant(passes=100)
    bad = ['{"model": ', "[1]", body(3, temperature=9), body(4, stream=True), {"custom_id": "a", "body": body(5)},
           {"custom_id": "a", "body": body(6)}, {"url": "/v1/embeddings", "body": body(7)},
           '{"model": "echo", "model": "b", "prompt": "x"}']  # fmt: skip
    file = write(tmp_path, body(0), *bad)
    error = ask(house, file, grant["key"], code=2)["error"]
    assert [each["where"] for each in error["problems"]] == [f"{file}:{n}" for n in (2, 3, 4, 5, 7, 8, 9)]
    assert house.settled(grant["id"])["used"]["calls"] == 0


def test_another_file_does_not_go_into_the_same_folder(house: Served, tmp_path: Path) -> None:
    key = house.grant(passes=100)["key"]
    ask(house, write(tmp_path, body(1)), key)
    error = ask(house, write(tmp_path, body(2)), key, code=2)["error"]
    assert "another file" in error["message"]
    assert "--max-tokens" in ask(house, write(tmp_path, body(1)), key, "--max-tokens", "5", code=2)["error"]["message"]


def test_a_question_that_is_refused_does_not_stop_the_others(house: Served, tmp_path: Path) -> None:
    file = write(tmp_path, body(1, model="other"), body(2))
    told = ask(house, file, house.grant(passes=100)["key"])
    assert told["counts"]["refused"] == told["counts"]["answered"] == 1
    refused = next(row for row in rows(file) if row["status"] != 200)
    assert refused["error"]["code"] == "gateway/model-unknown"
    assert verified(house, file)[0] == 0


def test_address_and_key_come_from_the_environment(
    house: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path, body(1))
    monkeypatch.delenv("READINGROOM_HOME", raising=False)
    monkeypatch.setenv("OPENAI_BASE_URL", f"{house.url}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", house.grant(passes=100)["key"])
    assert program("batch", str(file))[0] == 0
    monkeypatch.setenv("READINGROOM_KEY", "rr_wrong")
    assert program("batch", str(file), "--out", str(tmp_path / "b"))[0] == 1
