"""The portal is a process of its own behind the workers' port: what comes through, and what its trouble costs whom."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from raw import answers, exchange
from served import LONG, Served, found, program, served

STATIC = Path(__file__).parents[2] / "src/readingroom/web/static/style.css"
HTML = {"accept": "text/html,*/*"}


def until(wanted: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < end, "it does not come to be"
        time.sleep(0.05)


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Let a process stand still."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextmanager
def page_asked(house: Served, path: str = "/", **headers: str) -> Iterator[list[httpx.Response]]:
    """Ask for a page in the background; the list has its answer at the end."""
    came: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: came.append(httpx.get(house.url + path, headers=headers, timeout=60)))
    thread.start()
    yield came
    thread.join()


def passed_on(house: Served) -> int:
    """Return how many requests are at the portal's socket, whether it has taken them or not."""
    path = str((house.home / "run/portal").readlink() / "socket")
    lines = [line for line in Path("/proc/net/unix").read_text().splitlines() if line.endswith(path)]
    return len(lines) - 1  # all but the one that listens


def is_up(house: Served) -> bool:
    return house.http.get("/").status_code == 200


def link_form(house: Served, email: str) -> dict[str, str]:
    """Return the form that redeems a new person's link."""
    house.run("person", "add", email)
    link = urlsplit(house.run("person", "link", email)["link"])
    shown = house.http.get(f"{link.path}?{link.query}").text
    return dict(re.findall(r'name="(link|next)" value="([^"]*)"', shown))


def test_the_workers_own_the_port_and_the_portal_does_not(slow_house: Served) -> None:
    (portal,) = slow_house.portal()
    assert len(slow_house.workers()) == 2
    port = f":{urlsplit(slow_house.url).port:04X} "
    listens = {int(line.split()[9]) for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if port in line[:30]}
    for pid in (portal, *slow_house.workers()):
        assert bool(held_by(pid) & {f"socket:[{inode}]" for inode in listens}) == (pid != portal)


def held_by(pid: int) -> set[str]:
    """Return what a process has open; what it closes meanwhile is left out."""
    found = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found.add(str(each.readlink()))
    return found


def test_pages_forms_and_files_come_through_each_worker(slow_house: Served) -> None:
    for number in range(6):  # a connection each, so that both workers pass them on
        with httpx.Client(base_url=slow_house.url, timeout=60) as person:
            email = f"p{number}@lab.example"
            form = link_form(slow_house, email)
            origin = {"origin": slow_house.url}  # which is ours if the host came through as it was
            answer = person.post("/sign-in", data=form, headers=origin)
            assert answer.status_code == 303
            assert "httponly" in answer.headers["set-cookie"].lower()
            assert email in person.get("/my").text
            file = person.get("/static/style.css")
            assert (file.content, file.headers["content-type"].split(";")[0]) == (STATIC.read_bytes(), "text/css")
            assert "max-age=3600" in file.headers["cache-control"]
            again = person.get("/static/style.css", headers={"if-none-match": file.headers["etag"]})
            assert again.headers["etag"] == file.headers["etag"]
            head = person.head("/static/style.css")
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["content-length"] == str(len(file.content))
            assert person.get("/nowhere").status_code == 404
            assert person.get("/ledger/key").text == person.get("/ledger/key").text


def test_a_form_of_another_site_is_refused_by_its_host(slow_house: Served) -> None:
    form = link_form(slow_house, "other@lab.example")
    answer = slow_house.http.post("/sign-in", data=form, headers={"origin": "https://elsewhere.example"})
    assert answer.status_code == 403


@pytest.mark.parametrize(("trusted", "secure"), [("127.0.0.1", True), ("192.0.2.1", False)])
@pytest.mark.deep
def test_only_a_trusted_proxy_is_believed_that_a_reader_came_by_https(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusted: str, *, secure: bool
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", trusted)
    with served(found(tmp_path / "home")) as house:
        form = link_form(house, "a@lab.example")
        answer = house.http.post("/sign-in", data=form, headers={"x-forwarded-proto": "https"})
    assert answer.status_code == 303
    assert ("secure" in answer.headers["set-cookie"].lower()) == secure


def test_a_chunked_form_arrives_and_a_body_too_large_is_told_so(slow_house: Served) -> None:
    form = link_form(slow_house, "chunked@lab.example")
    pieces = (f"{name}={value}&".encode() for name, value in form.items())
    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert slow_house.http.post("/sign-in", content=pieces, headers=kind).status_code == 303
    for body in (b"x" * 3_000_000, iter([b"x" * 100_000] * 30)):
        answer = slow_house.http.post("/log", content=body, headers=kind)
        assert answer.status_code == 413
        assert "a megabyte at most" in answer.text


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"POST /log HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /log HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ncontent-length: 40\r\n\r\nabcd",
        b"POST /log HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"POST /log HTTP/1.1\r\nhost: x\r\nupgrade: h2c\r\nconnection: upgrade\r\ncontent-length: 4\r\n\r\nabcd",
        b"GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\nx-a: b\rtransfer-encoding: chunked\r\n\r\n",
    ],
)
def test_what_two_readers_could_read_in_two_ways_never_gets_to_the_portal(slow_house: Served, head: bytes) -> None:
    (portal,) = slow_house.portal()
    with stopped(portal):  # so whoever answers is the worker
        got = answers(exchange(slow_house.url, [head + SMUGGLED], end=False))
    assert [each.status for each in got] == [400]


@pytest.mark.deep
def test_another_protocol_is_not_spoken(slow_house: Served) -> None:
    head = b"GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n"
    sent = head + b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    assert (
        answers(exchange(slow_house.url, [sent], end=False))[0].status == 200
    )  # an offer may be passed over (RFC 9110, 7.8)


def test_a_portal_that_stands_still_stops_no_call(slow_house: Served) -> None:
    key = slow_house.grant(passes=5000)["key"]
    (portal,) = slow_house.portal()
    with page_asked(slow_house) as page, stopped(portal), page_asked(slow_house, "/api/register/public") as report:
        until(lambda: passed_on(slow_house) > 0)
        said = {"stream": True, "messages": [{"role": "user", "content": LONG}], "max_tokens": 60}
        sent = {"model": "echo", **said}
        with slow_house.http.stream(
            "POST", "/v1/chat/completions", json=sent, headers={"authorization": f"Bearer {key}"}
        ) as answer:
            assert "[DONE]" in "".join(answer.iter_text())
        assert slow_house.chat(key, {}).status_code == 200
        assert slow_house.http.get("/healthz").json() == {"ok": True}
        assert slow_house.http.get("/metrics").status_code == 200
        assert not report
        os.kill(portal, signal.SIGCONT)
    assert [each.status_code for each in (*page, *report)] == [200, 200]


@pytest.mark.deep
def test_without_a_portal_pages_say_so_calls_go_on_and_it_is_started_again(tmp_path: Path) -> None:
    with served(found(tmp_path / "home")) as house:
        key = house.grant(passes=100)["key"]
        (portal,), workers = house.portal(), house.workers()
        until(lambda: passed_on(house) == 0)
        with stopped(house.process.pid):  # so nobody starts another yet
            with stopped(portal), page_asked(house, **HTML) as asked:
                until(lambda: passed_on(house) == 1)
                os.kill(portal, signal.SIGKILL)
            page = house.http.get("/steward", headers=HTML)
            assert (page.status_code, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
            assert int(page.headers["retry-after"]) > 0
            assert "web/portal-away" in page.text
            assert "default-src 'none'" in page.headers["content-security-policy"]
            for path in ("/api/me", "/ledger/checkpoint"):
                answer = house.http.get(path, headers=HTML)
                assert (answer.status_code, answer.json()["error"]["code"]) == (503, "web/portal-away")
                assert answer.headers["cache-control"] == "no-store"
            assert house.http.post("/sign-in", data={"link": "x"}).status_code == 503
            assert house.chat(key, {}).status_code == 200
            assert (house.http.get("/healthz").status_code, house.http.get("/healthz").json()) == (
                200, {"ok": True, "portal": False},
            )  # fmt: skip
        assert [each.status_code for each in asked] == [503]
        assert "web/no-answer" in asked[0].text
        until(lambda: is_up(house))
        assert house.portal() != [portal]
        assert house.workers() == workers
        assert house.http.get("/healthz").json() == {"ok": True}


@pytest.mark.deep
def test_without_one_worker_the_others_serve_pages_too(tmp_path: Path) -> None:
    with served(found(tmp_path / "home"), workers=2) as house:
        portal, (first, second) = house.portal(), house.workers()
        os.kill(first, signal.SIGKILL)
        until(lambda: len(house.workers()) == 2 and first not in house.workers())
        assert second in house.workers()
        assert house.portal() == portal
        with httpx.Client(base_url=house.url, timeout=60) as person:
            assert person.get("/").status_code == 200


@pytest.mark.deep
def test_with_the_supervisor_killed_nobody_stays(tmp_path: Path) -> None:
    home = found(tmp_path / "home")
    with served(home, workers=2) as house:
        left = [*house.portal(), *house.workers()]
        folder = (home / "run/portal").readlink()
        assert len(left) == 3
        house.process.kill()
        house.process.wait()
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in left))
        where = urlsplit(house.url)
        with socket.socket() as line:
            assert line.connect_ex((where.hostname, where.port)) != 0
    assert folder.exists()  # nobody was left to clear it away
    with served(home) as house:
        assert is_up(house)
        assert not folder.exists()


@pytest.mark.deep
def test_a_server_killed_while_the_portal_is_busy_leaves_none_behind(tmp_path: Path) -> None:
    home = found(tmp_path / "home")
    with served(home) as house:
        (portal,) = house.portal()
        with stopped(portal):
            house.process.kill()
            house.process.wait()
        until(lambda: not Path(f"/proc/{portal}").exists())


@pytest.mark.deep
def test_nobody_else_can_enter_the_portals_folder_and_it_goes_with_the_server(tmp_path: Path) -> None:
    deep = tmp_path / ("a" * 60) / ("b" * 60)
    deep.mkdir(parents=True)  # a HOME with a longer path than a socket may have
    with served(found(deep / "home")) as house:
        folder = (house.home / "run/portal").readlink()
        (only,) = folder.iterdir()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(only.stat().st_mode) == 0o600
        assert is_up(house)
    assert not folder.exists()
    assert not (house.home / "run/portal").is_symlink()


def test_a_folder_with_too_long_a_path_is_told_with_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("c" * 100)
    long.mkdir()
    home = found(tmp_path / "home")
    monkeypatch.setenv("TMPDIR", str(long))
    code, _, err = program("--home", str(home), "serve", "--port", "0")
    assert code == 1
    assert "TMPDIR" in err
    assert "Traceback" not in err
    assert list(long.glob("readingroom-portal-*")) == []


@pytest.mark.deep
def test_a_request_that_is_under_way_is_answered_before_the_server_ends(tmp_path: Path) -> None:
    with served(found(tmp_path / "home")) as house:
        (portal,) = house.portal()
        with page_asked(house) as asked, stopped(portal):
            until(lambda: passed_on(house) == 1)
            house.process.send_signal(signal.SIGTERM)
        assert [each.status_code for each in asked] == [200]
        assert house.process.wait(60) == 0
