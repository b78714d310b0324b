"""What a batch does when answers are lost or waiting is asked for."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from readingroom.cli.batch import asking
from readingroom.cli.batch.folder import Folder
from readingroom.cli.batch.lines import Line
from readingroom.cli.batch.verdict import LONGEST_WAIT, MOST_TRIES, Verdict, judge, pause
from served import found, program, served

NEVER = {"x-should-retry": "false"}


@pytest.mark.parametrize(
    ("status", "headers", "verdict"),
    [
        (200, {}, Verdict.DONE),
        (400, {}, Verdict.REFUSED),
        (404, NEVER, Verdict.REFUSED),
        (401, NEVER, Verdict.STOP),
        (403, NEVER, Verdict.STOP),
        (409, {"retry-after": "1"}, Verdict.WAIT),
        (409, NEVER, Verdict.REFUSED),
        (429, {"retry-after": "3"}, Verdict.AGAIN),
        (429, NEVER, Verdict.STOP),
        (503, {"retry-after": "1"}, Verdict.AGAIN),
        (502, {}, Verdict.AGAIN),
        (500, NEVER, Verdict.STOP),
    ],
)
def test_an_answer_is_judged_by_status_and_by_what_it_says_of_trying_again(
    status: int, headers: dict[str, str], verdict: Verdict
) -> None:
    assert judge(status, headers) is verdict


def test_a_stated_wait_is_heeded_and_others_double_up_to_a_bound() -> None:
    assert pause(1, {"retry-after": "7"}) == 7
    assert [pause(tries, {}) for tries in (1, 2, 3)] == [0.5, 1, 2]
    assert pause(30, {"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT"}) == LONGEST_WAIT


@contextlib.contextmanager
def losing(url: str, sent: list[tuple[str, bytes]]) -> Iterator[str]:
    """Stand between a reader and a house, and lose the first answer to each question on its way back.

    Each receipt is unknown at first, as where the worker that is asked has not heard of it yet.
    """
    early: set[str] = set()

    class Between(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if "/receipts/" not in self.path or self.path in early:
                return self._pass(b"")
            early.add(self.path)
            return self.send_error(404)

        def do_POST(self) -> None:
            data = self.rfile.read(int(self.headers["content-length"]))
            key = str(self.headers["idempotency-key"])
            lost = key not in {each for each, _ in sent}
            sent.append((key, data))
            self._pass(data, lost=lost)

        def _pass(self, data: bytes, *, lost: bool = False) -> None:
            headers = {"authorization": self.headers["authorization"], "content-type": "application/json"}
            if "idempotency-key" in self.headers:
                headers["idempotency-key"] = self.headers["idempotency-key"]
            came = httpx.request(self.command, url + self.path, content=data, headers=headers, timeout=60)
            if lost:
                self.close_connection = True
                return
            self.send_response(came.status_code)
            for name in ("x-readingroom-receipt", "retry-after", "x-should-retry"):
                if name in came.headers:
                    self.send_header(name, came.headers[name])
            self.send_header("content-length", str(len(came.content)))
            self.end_headers()
            self.wfile.write(came.content)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Between) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.deep
def test_a_question_whose_answer_was_lost_is_sent_again_under_the_same_key_and_charged_once(tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    lines = [{"model": "echo", "prompt": f"question {n}", "max_tokens": 4} for n in range(3)]
    file.write_text("\n".join(map(json.dumps, lines)))
    sent: list[tuple[str, bytes]] = []
    with served(found(tmp_path / "home")) as house, losing(house.url, sent) as url:
        grant = house.grant(passes=100)
        code, out, err = program("--json", "batch", str(file), "--url", url, "--key", grant["key"])
        used = house.settled(grant["id"])["used"]
    assert code == 0, (out, err)
    told = json.loads(out)
    assert told["counts"]["answered"] == told["counts"]["receipts"] == 3
    assert (used["calls"], used["passes"]) == (3, told["counts"]["passes"])
    bodies: dict[str, list[bytes]] = {}
    for name, data in sent:
        bodies.setdefault(name, []).append(data)
    run = json.loads((tmp_path / "questions.jsonl.answers/run.json").read_text())["run"]
    assert set(bodies) == {f"{run}-{n}" for n in (1, 2, 3)}
    assert all(len(each) == 2 and each[0] == each[1] for each in bodies.values())


class Slow(http.server.BaseHTTPRequestHandler):
    """A house that is answering a question for longer than a batch would try one that fails."""

    asked = 0

    def do_GET(self) -> None:
        amounts = {"passes": None, "tokens": None, "calls": None}
        self._say(200, {"allocation": amounts, "used": amounts, "reserved": amounts})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        type(self).asked += 1
        if self.asked <= MOST_TRIES + 2:
            self._say(409, {"error": {"code": "gateway/idempotency-conflict", "message": "wait"}})
        else:
            self._say(409, {"error": {"code": "gateway/idempotency-conflict", "message": "other"}}, **NEVER)

    def _say(self, status: int, document: object, **headers: str) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in ({"retry-after": "0"} | headers).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_a_question_that_is_being_answered_is_waited_for_and_another_conflict_is_that_lines_error(
    tmp_path: Path,
) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text(json.dumps({"model": "echo", "prompt": "one", "max_tokens": 4}))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_address[1]}"
            code, out, err = program("--json", "batch", str(file), "--url", url, "--key", "rr_any")
        finally:
            server.shutdown()
            thread.join()
    assert "Traceback" not in err
    assert Slow.asked == MOST_TRIES + 3
    assert (json.loads(out)["counts"]["refused"], json.loads(out)["stopped"]) == (1, None), (code, out, err)


def test_a_house_that_knows_none_of_its_receipts_is_waited_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_UNKNOWN_TRIES", 2)
    folder, asked = Folder.open(tmp_path / "batch", b"questions"), list[str]()
    for number in range(1, 5):
        folder.done(Line(number, str(number), "/v1/completions", b"{}", 1, 1), 200, b"{}", f"receipt_{number}")

    class Unknown(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    async def collect(url: str) -> int:
        async with asking.Room(url, "rr_any") as room:
            return await asking.collect_receipts(room, folder)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Unknown) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            missing = asyncio.run(collect(f"http://127.0.0.1:{server.server_address[1]}"))
        finally:
            server.shutdown()
            thread.join()
            folder.close()
    assert missing == 4
    assert asked == [f"/v1/receipts/receipt_{number}" for number in (1, 1, 1, 2, 3, 4)]
