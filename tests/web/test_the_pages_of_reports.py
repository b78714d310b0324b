"""A reader reports something in the browser or at the terminal, and is answered."""

from __future__ import annotations

from pathlib import Path

from portal import Portal
from served import found, run


def test_a_report_is_made_on_its_page_waits_for_the_lab_and_is_answered_there(portal: Portal) -> None:
    grant, reader, safety = portal.grant("olga"), portal.visit("olga"), portal.visit("safety")
    assert "/my/reports" in reader.get("/my").text
    empty = reader.post("/my/reports", {"text": ""})
    assert (empty.status_code, "must be chosen" in empty.text) == (400, True)
    kept = reader.post("/my/reports", {"text": "Our key was on a slide."})
    assert "Our key was on a slide." in kept.text, "nothing that was typed is lost"
    sent = {"kind": "key-leaked", "text": "Our key was on a slide.", "grant": grant.id}
    assert reader.post("/my/reports", sent).status_code == 303
    assert "waits for the lab" in reader.get("/my/reports").text
    assert "Our key was on a slide." not in portal.visit("fremd").get("/my/reports").text
    assert "1 report of a reader to answer" in safety.get("/my").text
    listed = safety.get("/steward/reports").text
    assert "Our key was on a slide." in listed
    at = "/steward/reports/" + listed.split('action="/steward/reports/')[1].split('"')[0]
    assert safety.post(at, {"answer": ""}).status_code == 400
    assert reader.post(at, {"answer": "x"}).status_code == 403
    assert safety.post(at, {"answer": "We have ended it."}).status_code == 303
    assert "We have ended it." in reader.get("/my/reports").text
    assert 'action="/steward/reports/' not in safety.get("/steward/reports").text


def test_the_same_at_the_terminal(tmp_path: Path) -> None:
    home = found(tmp_path / "home")
    made = run(home, "observation", "report", "unsafe-output", "--text", "An odd answer.")
    assert [each["id"] for each in run(home, "observation", "list")] == [made["id"]]
    run(home, "observation", "answer", made["id"], "--text", "Thank you.")
    assert [each["answer"] for each in run(home, "observation", "list", "--mine")] == ["Thank you."]
    assert run(home, "observation", "report", "gossip", "--text", "x", code=2) is not None
