"""Sign-in links: who is shown one, where it leads, and who may redeem it where."""

from __future__ import annotations

from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from readingroom.app.founding import default_plan, found
from readingroom.core.settings import Settings
from served import found as found_for_trials
from served import program, run, served


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A real house with two stewards, of whom none has come yet."""
    settings = Settings(home=tmp_path / "home", engine="echo")
    house = found(settings, default_plan(settings))
    house.close()
    for name in ("one", "two"):
        run(settings.home, "person", "add", f"{name}@lab.example", "--role", "steward")
    return settings.home


def serve_once(home: Path, url: str = "http://127.0.0.1:8123") -> None:
    (home / "run" / "url").write_text(url)


def letters(home: Path) -> list[Any]:
    found = sorted(home.glob("outbox/*.eml"), key=lambda path: path.stat().st_mtime_ns)
    return [message_from_bytes(path.read_bytes(), policy=policy.default) for path in found]


def test_one_person_at_the_terminal_cannot_sign_in_as_a_second_steward(home: Path) -> None:
    serve_once(home)
    first = run(home, "person", "link", "one@lab.example")["link"]
    assert first.startswith("http://127.0.0.1:8123/sign-in?link=")
    run(home, "login", first)
    assert run(home, "person", "link", "two@lab.example") == {"link": None, "sent": True}
    assert run(home, "person", "link", "one@lab.example")["link"], "your own is shown"
    run(home, "logout")
    assert run(home, "person", "link", "two@lab.example")["link"] is None
    [*_, letter] = letters(home)
    assert letter["To"] == "two@lab.example"
    assert "http://127.0.0.1:8123/sign-in?link=" in letter.get_content()


def test_how_a_link_was_handed_over_is_on_record(home: Path, tmp_path: Path) -> None:
    serve_once(home)
    run(home, "login", run(home, "person", "link", "one@lab.example")["link"])
    run(home, "person", "link", "two@lab.example")
    run(home, "ledger", "export", str(tmp_path / "out"))
    entries = b"".join(
        path.read_bytes() for path in (tmp_path / "out" / "tile" / "entries").rglob("*") if path.is_file()
    )
    assert entries.count(b'"how":"shown"') == 1
    assert entries.count(b'"how":"sent"') == 1


def test_a_letter_whose_link_would_lead_nowhere_is_not_sent(home: Path) -> None:
    run(home, "login", run(home, "person", "link", "one@lab.example")["link"])
    told = run(home, "person", "link", "two@lab.example", code=2)
    assert "public_url" in str(told)
    assert not letters(home)


def test_a_link_of_another_server_is_not_redeemed_here(home: Path) -> None:
    serve_once(home)
    link = run(home, "person", "link", "one@lab.example")["link"]
    path = link.removeprefix("http://127.0.0.1:8123")
    for other in ("http://elsewhere.example", "https://127.0.0.1:8123", "http://127.0.0.1:8124"):
        assert "not to this house" in str(run(home, "login", other + path, code=2))
    assert run(home, "login", link)["roles"] == ["steward"], "it was not used up"


@pytest.mark.deep
def test_letters_lead_to_where_the_house_is_served(tmp_path: Path) -> None:
    home = found_for_trials(tmp_path / "home")
    with served(home) as house:
        evil = {"host": "evil.example"}
        assert house.http.post("/api/register", json={"email": "a@b.example"}, headers=evil).status_code in {
            202,
            400,
            421,
        }
        assert house.http.post("/api/register", json={"email": "a@b.example"}).status_code == 202
        [*_, letter] = letters(home)
        assert f"{house.url}/sign-in?link=" in letter.get_content()
        assert f"{house.url}/sign-in?link=" in letter.as_string(), "whole for the eye, too"
        assert not any("evil" in each.get_content() for each in letters(home))
        assert house.run("login", house.sign_in)["roles"] == ["steward"]


def test_an_outbox_that_cannot_be_written_is_told(home: Path) -> None:
    serve_once(home)
    run(home, "login", run(home, "person", "link", "one@lab.example")["link"])
    (home / "outbox").rmdir()
    (home / "outbox").touch()
    code, _, err = program("--home", str(home), "person", "link", "two@lab.example")
    assert code == 1
    assert "cannot be written" in err


@pytest.mark.parametrize("kept", [b"", b"nonsense", b"\xff\xfe\x00"])
def test_a_damaged_sign_in_has_ended_and_signing_out_forgets_it(home: Path, kept: bytes) -> None:
    (home / "run" / "login").write_bytes(kept)
    assert "has expired" in str(run(home, "person", "list", code=2))
    assert run(home, "logout") == {"signed_in": False}
    assert run(home, "person", "list")
