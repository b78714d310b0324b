"""Every command, used rightly and wrongly: exit codes, one JSON document, a clear sentence, never a traceback."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import readingroom
from readingroom.app.founding import template
from readingroom.core.clock import SystemClock
from served import found, program, run


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A house for trials."""
    return found(tmp_path_factory.mktemp("trial") / "home")


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real house with its plan in force, a model registered and a steward."""
    home = tmp_path_factory.mktemp("real") / "home"
    run(home, "init", "--engine", "echo")
    weights = home.parent / "weights.gguf"
    weights.write_bytes(b"weights")
    (home / "release.yaml").write_text(template("release-demo.yaml"))
    run(home, "plan", "adopt", str(home / "release.yaml"), "--reason", "first")
    run(home, "model", "add", str(weights), "--name", "smollm2-135m-instruct")
    run(home, "person", "add", "hilda@lab.example", "--role", "steward")
    return home


_SOON = f"{SystemClock().now() + timedelta(days=30):%Y-%m-%d}"  # a waiver is for ninety days at most


def code_of(document: Any) -> str:
    return str(document["error"]["code"])


WRONG: list[tuple[tuple[str, ...], int]] = [
    (("plan", "check", "none.yaml"), 2),
    (("plan", "adopt", "none.yaml", "--reason", "x"), 2),
    (("plan", "compare", "none.yaml"), 2),
    (("model", "add", "none.gguf", "--name", "x"), 2),
    (("model", "show", "none"), 1),
    (("stress", "run", "--model", "none"), 1),
    (("stress", "run", "--model", "echo", "--suite", "none"), 1),
    (("stress", "show", "none"), 1),
    (("stage", "open", "none"), 1),
    (("stage", "sign", "none"), 1),
    (("stage", "hold", "reading-room", "--reason", "other"), 2),
    (("stage", "waive", "reading-room", "none", "--until", _SOON, "--reason", "x"), 1),
    (("stage", "waive", "reading-room", "none", "--until", "soon", "--reason", "x"), 2),
    (("call", "open", "none.yaml"), 2),
    (("call", "close", "none"), 1),
    (("call", "allocate", "none"), 1),
    (("call", "publish", "none"), 1),
    (("call", "lapse", "none"), 1),
    (("application", "return", "none", "--note", "x", "--until", "2999-01-01"), 1),
    (("application", "return", "none", "--note", "x", "--until", "soon"), 2),
    (("review", "release", "none"), 1),
    (("review", "conflict", "none", "--reason", "x"), 1),
    (("person", "bar", "nobody@x.example", "--until", "2999-01-01", "--reason", "security"), 1),
    (("person", "bar", "hilda@lab.example", "--until", "2000-01-01", "--reason", "security"), 1),
    (("grant", "issue", "--to", "r@x.example", "--reason", " "), 2),
    (("application", "show", "none"), 1),
    (("application", "list", "none"), 1),
    (("grant", "show", "none"), 1),
    (("grant", "why", "none"), 1),
    (("grant", "revoke", "none", "--reason", "security"), 1),
    (("grant", "issue", "--to", "nobody", "--reason", "x"), 2),
    (("grant", "issue", "--to", "a@b.c", "--reason", "x", "--tier", "none"), 1),
    (("grant", "issue", "--to", "a@b.c", "--reason", "x", "--expires", "forever"), 2),
    (("grant", "issue", "--to", "a@b.c", "--reason", "x", "--machine", "m"), 2),
    (("grant", "issue", "--to", "a@b.c", "--reason", "x", "--cidr", "10.0.0.0/8"), 2),
    (("key", "issue", "none"), 1),
    (("key", "revoke", "none"), 1),
    (("key", "rotate", "none"), 1),
    (("person", "role", "nobody@x.example", "+steward"), 1),
    (("person", "role", "nobody@x.example", "steward"), 2),
    (("person", "link", "nobody@x.example"), 1),
    (("login", "http://x/none"), 2),
    (("login", "http://x/sign-in?link=wrong"), 2),
    (("login", "/sign-in?link=wrong"), 1),
    (("ledger", "verify", "--since", "none.txt"), 2),
    (("receipt", "verify", "none.json", "--key", "nonsense"), 2),
    (("publish", "build", "none"), 1),
    (("publish", "build", "reading-room"), 2),
    (("publish", "verify", "nowhere", "--key", "nonsense"), 2),
    (("samples", "add", "none.yaml"), 2),
    (("screen", "try", "none.yaml", "none.txt"), 2),
    (("serve", "--host", "256.0.0.1", "--port", "0"), 1),
]


@pytest.mark.parametrize(("arguments", "code"), WRONG, ids=[" ".join(arguments[:3]) for arguments, _ in WRONG])
def test_what_is_wrong_is_told_in_one_json_document_with_its_exit_code(
    trial: Path, arguments: tuple[str, ...], code: int
) -> None:
    told = run(trial, *arguments, code=code)
    assert told["error"]["message"]
    assert "Traceback" not in json.dumps(told)
    assert "fault of the program" not in told["error"]["message"], told


@pytest.mark.parametrize(
    "arguments",
    [("nonsense",), ("grant", "issue"), ("serve", "--port", "x"), ("grant", "revoke", "g", "--reason", "mood")],
)
def test_bad_usage_exits_with_two(trial: Path, arguments: tuple[str, ...]) -> None:
    code, out, err = program("--home", str(trial), *arguments)
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    code, out, _ = program("--home", str(trial), *arguments, "--json")
    assert code == 2
    assert json.loads(out)["error"]["code"] == "app/bad-usage"


def test_a_house_is_not_founded_over_another(trial: Path) -> None:
    before = (trial / "readingroom.toml").read_text()
    told = run(trial, "init", "--engine", "http://127.0.0.1:9/v1", "--model", "m", code=1)
    assert "there is a house here already" in told["error"]["message"]
    assert "Name another folder" in told["error"]["message"]
    assert (trial / "readingroom.toml").read_text() == before


def test_terms_are_not_published_without_a_reason(trial: Path, tmp_path: Path) -> None:
    text = tmp_path / "terms.md"
    text.write_text("Be kind.")
    told = run(trial, "terms", "publish", str(text), "--reason", " ", code=2)
    assert "reason: is required" in told["error"]["message"]
    assert "Be kind." not in run(trial, "terms", "show")["text"]


def test_without_a_house_the_cure_is_told(tmp_path: Path) -> None:
    told = run(tmp_path / "none", "grant", "list", code=2)
    assert "readingroom init" in told["error"]["message"]


def test_a_plan_with_mistakes_is_refused_by_line_and_column(trial: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text(
        template("release-demo.yaml")
        .replace("suite: core", "suite: cor", 1)
        .replace("audience: public", "audiense: public", 1)
    )
    problems = run(trial, "plan", "check", str(plan), code=2)["error"]["problems"]
    told = "\n".join(f"{p['where']} {p['what']} {p['cure']}" for p in problems)
    assert "there is no suite 'cor'" in told
    assert "audiense" in told
    assert all(p["where"].startswith(f"{plan}:") for p in problems)


def test_a_real_house_needs_a_person_for_a_signature(real: Path) -> None:
    assert code_of(run(real, "stage", "sign", "reading-room", code=1)) == "people/not-allowed"
    run(real, "stage", "sign", "reading-room", "--as", "hilda@lab.example", code=2)
    link = run(real, "person", "link", "hilda@lab.example")["link"]
    assert run(real, "login", link)["roles"] == ["steward"]
    run(real, "stage", "sign", "reading-room")
    assert code_of(run(real, "stage", "sign", "reading-room", code=1)) == "releases/already-signed"
    held = run(real, "stage", "open", "reading-room", code=1)
    assert code_of(held) == "releases/gate-not-met"
    run(real, "logout")
    assert code_of(run(real, "stage", "sign", "open-desk", code=1)) == "people/not-allowed"


def test_what_changed_on_disk_is_not_in_force_and_the_doctor_says_so(real: Path) -> None:
    before = run(real, "plan", "show")["adopted"]["digest"]
    plan = real / "release.yaml"
    plan.write_text(plan.read_text().replace("at_most: 0.10", "at_most: 0.11"))
    assert run(real, "plan", "show")["adopted"]["digest"] == before
    checks = run(real, "doctor", code=1)["checks"]
    told = next(each for each in checks if each["name"] == "plan")
    assert "differs" in told["detail"]
    run(real, "plan", "adopt", str(plan), "--reason", "a little looser")
    assert run(real, "doctor")["ok"] is True


def test_the_comparison_depends_on_the_plan(real: Path, tmp_path: Path) -> None:
    other = tmp_path / "release.yaml"
    other.write_text(template("release-dev.yaml"))
    one, two = (run(real, "plan", "compare", str(path)) for path in (real / "release.yaml", other))
    assert [each["name"] for each in one["columns"]] == ["all-at-once", "staged", "api", "not-releasing"]
    assert one != two


def test_a_house_for_trials_signs_as_anyone_and_shows_what_it_holds(trial: Path) -> None:
    run(trial, "person", "add", "b@lab.example", "--role", "steward", "--name", "B")
    run(trial, "stage", "hold", "reading-room", "--reason", "maintenance")
    assert run(trial, "stage", "status")[0]["open"] is False
    issued = run(trial, "grant", "issue", "--to", "r@x.example", "--passes", "5", "--accept-terms", "--reason", "t")
    why = run(trial, "grant", "why", issued["id"])
    assert why["code"] == "releases/stage-not-open"
    run(trial, "stage", "open", "reading-room")
    assert run(trial, "grant", "why", issued["id"])["ok"] is True
    assert {"b@lab.example", "r@x.example"} <= {each["email"] for each in run(trial, "person", "list")}
    assert [each["id"] for each in run(trial, "key", "list", issued["id"])] == [issued["key_id"]]
    assert run(trial, "report", "register")[0]["email"] == "r@x.example"
    assert run(trial, "doctor")["ok"] is True


def test_the_table_forms_print_too(trial: Path) -> None:
    compare = f"plan compare {trial / 'release.yaml'}"
    lists = (
        "stage status,grant list,plan show,doctor,person list,model list,stress list,call list,samples list,ledger key"
    )
    for arguments in (words.split() for words in (*lists.split(","), compare)):
        code, out, err = program("--home", str(trial), *arguments)
        assert code == 0, err
        assert out.strip() or arguments[0] in {"stress", "call", "samples"}


def test_a_rule_set_can_be_tried_before_use(trial: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("the swordfish protocol")
    entrance, exit_ = run(trial, "screen", "try", str(trial / "rules" / "base.yaml"), str(text))
    assert (entrance["refused"], exit_["refused"]) == (False, True)


def test_an_altered_ledger_row_is_named_and_the_exit_code_is_one(tmp_path: Path) -> None:
    import sqlite3

    home = found(tmp_path / "home")
    with sqlite3.connect(home / "readingroom.db") as db:
        db.execute("update ledger_entry set leaf = replace(leaf, 'operator', 'somebody') where seq = 3")
    db.close()
    told = run(home, "ledger", "verify", code=1)
    assert told["ok"] is False
    assert any("3" in problem for problem in told["problems"])


def test_the_version_is_told_without_a_house(tmp_path: Path) -> None:
    assert run(tmp_path, "--version") == {"version": readingroom.__version__}


def test_what_the_machine_refuses_is_told_with_its_place_and_no_fault_of_the_program(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended, out, err = program("--home", str(tmp_path / "file" / "home"), "--json", "init", "--dev", "--engine", "echo")
    assert ended == 1
    [problem] = json.loads(out)["error"]["problems"]
    assert problem["where"].startswith(str(tmp_path / "file"))
    assert "Not a directory" in problem["what"]
    assert "report" not in err


def test_a_material_change_of_the_terms_pauses_keys_until_they_are_accepted_again(tmp_path: Path) -> None:
    home, text = found(tmp_path / "home"), tmp_path / "terms.md"
    grant = run(home, "grant", "issue", "--to", "r@x.example", "--accept-terms", "--reason", "t")["id"]
    text.write_text("# Other terms")
    why = ("--reason", "an incident")
    made = run(home, "terms", "publish", str(text), "--material", *why)
    assert run(home, "terms", "show")["hash"] == made["hash"]
    assert run(home, "grant", "why", grant)["code"] == "access/terms-not-accepted"
    assert code_of(run(home, "terms", "publish", str(text), *why, code=1)) == "access/terms-unchanged"
    text.write_bytes(b"\xff")
    assert "not UTF-8" in run(home, "terms", "publish", str(text), *why, code=2)["error"]["message"]


def test_an_empty_list_says_so(tmp_path: Path) -> None:
    home = found(tmp_path / "home")
    ended, out, _ = program("--home", str(home), "samples", "list")
    assert (ended, out) == (0, "Facsimiles: nothing yet.\n")
    assert run(home, "samples", "list") == []
