"""The story, step by step, as interface and order of events; each step looks at the house from outside.

A step is a function of the `Tale`, which remembers what later steps need, and returns one line of what was seen.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

from readingroom.cli.demo import reading
from readingroom.cli.demo.cast import APPLICANTS, STAFF, STEWARD
from readingroom.cli.demo.facsimile import show_facsimile
from readingroom.cli.demo.stage import expect
from readingroom.cli.demo.tale import Tale

WINNER = APPLICANTS[0]


def model_loaded(tale: Tale) -> str:
    """Register the model and compare its digest with one computed here."""
    seen = tale.lab.http.get("/api/models").json()
    expect(len(seen) == 1, f"one model should be registered, not {len(seen)}")
    tale.model = seen[0]["name"]
    if tale.model_file is None:
        return f"{tale.model}, {seen[0]['digest'][:19]}..."
    with tale.model_file.open("rb") as file:
        own = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
    expect(seen[0]["digest"] == own, "the registered digest is not that of the file")
    return f"{tale.model}, {seen[0]['size'] / 1e6:.1f} MB, {own[:19]}..."


def plan_checked(tale: Tale) -> str:
    """Refuse a plan with mistakes by line and column; adopt the good one."""
    program, plan = tale.lab.program, tale.lab.home / "release.yaml"
    broken = tale.lab.home / "broken.yaml"
    broken.write_text(plan.read_text().replace("confidence:", "confidance:", 1))
    good = program.start("plan", "check", str(plan))
    told = program.json("plan", "check", str(broken), code=2)["error"]["problems"]
    expect(
        any(":" in p["where"] and "confidance" in p["what"] for p in told), "the typing error was not told by its place"
    )
    good()
    program.run("plan", "adopt", str(plan), "--reason", "the first plan")
    line = told[0]["where"].rsplit("/", 1)[-1]
    return f"adopted; a typing error in a copy was refused at {line}"


def stress_run(tale: Tale) -> str:
    """Run the suite on the served model and read the figures back."""
    lab = tale.lab
    run = lab.program.json("stress", "run", "--model", tale.model, "--suite", "core")
    figures = [f"{c['claim']} {c['hits']}/{c['samples']} (< {c['upper_bound']:.0%})" for c in run["claims"]]
    shown = lab.program.json("stress", "show", run["id"])
    expect(shown["claims"] == run["claims"], "the stored run differs from the one reported")
    return ", ".join(figures)


def stage_opened(tale: Tale) -> str:
    """Refuse to open without the steward's signature, then open with it."""
    steward = tale.lab.person(STEWARD)
    code = steward.refused("/stages/reading-room/open")
    expect(code == "releases/gate-not-met", f"without a signature the gate must hold; got {code}")
    steward.post("/stages/facsimiles/open")  # curated samples need no gate, and the plan says why
    steward.post("/stages/reading-room/sign")
    steward.post("/stages/reading-room/open")
    show_facsimile(tale)
    seen = tale.stage("reading-room")
    expect(bool(seen["open"]), "the public page does not show the stage as open")
    return "held without the signature, open with it: " + "; ".join(c["sentence"] for c in seen["clauses"])


def call_opened(tale: Tale) -> str:
    """Open a call with a finite budget."""
    made = tale.lab.person(STEWARD).post("/calls", {"text": tale.call_file})
    tale.call = made["id"]
    return f"{made['title']!r}: {made['budget']['passes']:,} passes, no more"


def applications_received(tale: Tale) -> str:
    """Let five applicants register by letter, sign in and apply."""
    for applicant in APPLICANTS:
        tale.lab.apply(applicant, tale.call)
    asked = sum(each.passes for each in APPLICANTS)
    desk = tale.lab.person(STEWARD).get(f"/calls/{tale.call}/applications")
    expect(len(desk) == len(APPLICANTS), f"the desk shows {len(desk)} applications")
    return f"{len(desk)} applications ask for {asked:,} passes"


def reviewed(tale: Tale) -> str:
    """Let two reviewers score blind; look for names in what they were shown."""
    lab, steward = tale.lab, tale.lab.person(STEWARD)
    steward.post(f"/calls/{tale.call}/close")
    steward.post(f"/calls/{tale.call}/reviewers", {"emails": [m.email for m in STAFF if "reviewer" in m.roles]})
    shown = json.dumps([lab.person(m).get("/reviews") for m in STAFF if "reviewer" in m.roles])
    leaks = [a.name for a in APPLICANTS if a.name in shown or a.email in shown]
    expect(not leaks, f"reviewers were shown {leaks}")
    return f"{lab.review_all()} reviews, none of which could see a name"


def allocated(tale: Tale) -> str:
    """Compute the allocation twice, publish it, and add it up."""
    steward = tale.lab.person(STEWARD)
    dry = steward.post(f"/calls/{tale.call}/allocate", {"dry_run": True})
    real = steward.post(f"/calls/{tale.call}/allocate")
    expect(dry["awards"] == real["awards"], "the dry run and the allocation differ")
    steward.post(f"/calls/{tale.call}/publish")
    granted = {sheet["application"]: sheet["passes"] for sheet in real["awards"]}
    total = sum(granted.values()) + real["reserve"] + real["rest"]
    expect(total == real["budget"], f"{total} is not the budget of {real['budget']}")
    vetoed = tale.lab.applications[APPLICANTS[-1].email]
    expect(granted.get(vetoed, 0) == 0, "the vetoed application got passes")
    amounts = ", ".join(f"{passes:,}" for passes in granted.values() if passes)
    return f"{amounts} + reserve {real['reserve']:,} + rest {real['rest']:,} = {real['budget']:,}"


def terms_accepted(tale: Tale) -> str:
    """Accept the award; see that the grant lacks the terms; accept them."""
    reader = tale.lab.person(WINNER)
    award = reader.get("/awards/mine")[0]
    tale.grant = reader.post(f"/awards/{award['id']}/accept")["grant"]
    before = {fact["name"]: fact["holds"] for fact in reader.get(f"/grants/{tale.grant}/why")["facts"]}
    expect(before["terms-accepted"] is False, "a grant must not be usable before its terms are accepted")
    terms = reader.get("/terms")
    reader.post("/terms/accept", {"hash": terms["hash"]})
    after = {fact["name"]: fact["holds"] for fact in reader.get(f"/grants/{tale.grant}/why")["facts"]}
    expect(after["terms-accepted"] is True, "the acceptance did not count")
    return f"{terms['hash'][:19]}... accepted by one person at one moment"


def key_issued(tale: Tale) -> str:
    """Issue a key, shown once, and look for it where it must not be."""
    reader = tale.lab.person(WINNER)
    tale.key = reader.post(f"/grants/{tale.grant}/keys")["key"]
    expect(tale.key.startswith("rr_"), "a key starts with rr_")
    stored = b"".join(path.read_bytes() for path in tale.lab.home.glob("readingroom.db*"))
    expect(tale.key.encode() not in stored, "the key stands in the database")
    return f"{tale.key[:7]}..., shown once, stored only as its SHA-256"


def gate_held(tale: Tale) -> str:
    """Try to open the stage whose claim the model does not meet."""
    steward = tale.lab.person(STEWARD)
    steward.post("/stages/open-desk/sign")
    code = steward.refused("/stages/open-desk/open")
    expect(code == "releases/gate-not-met", f"the gate should hold; got {code}")
    seen = tale.stage("open-desk")
    expect(not seen["open"], "the stage is open")
    unmet = [c["sentence"] for c in seen["clauses"] if c["verdict"] != "met"]
    return "open-desk stays shut: " + "; ".join(unmet)


def register_exported(tale: Tale) -> str:
    """Export the register of readers, whole and public."""
    without_persons = tale.lab.program.start("report", "register", "--format", "csv", "--public")
    whole = list(csv.DictReader(io.StringIO(tale.lab.program.run("report", "register", "--format", "csv"))))
    public = without_persons()
    row = next((row for row in whole if tale.grant in row.values()), None)
    expect(row is not None, "the reader is not in the register")
    steward = tale.lab.person(STEWARD).get("/me")["person"]
    expect(row is not None and row["decided_by"] == steward, f"the register says that {row} was decided by another")
    leaks = [m.name for m in (*STAFF, *APPLICANTS) if m.name in public or m.email in public]
    expect(not leaks, f"the public register names {leaks}")
    return f"{len(whole)} grants; the public form names no person"


def bundle_published(tale: Tale) -> str:
    """Build and sign the bundle of the weights stage; its gate holds, so it is a rehearsal."""
    built = tale.lab.program.json("publish", "build", "publication")
    tale.lab.program.run("publish", "sign", "publication")
    tale.bundle = Path(built["path"])
    record = json.loads((tale.bundle / "release.json").read_text())
    expect(record["status"] == "NOT RELEASED", "a bundle whose gate holds must say so")
    tale.lab.program.run("publish", "push", "publication", code=1)
    return f"{len(built['files'])} files, signed, marked NOT RELEASED; pushing it was refused"


def bundle_verified(tale: Tale) -> str:
    """Verify the bundle as an outsider; change a file of a copy and see it fail by name."""
    key = ("--key", str(tale.lab.home / "keys" / "release.pub"))
    forged = shutil.copytree(tale.bundle, tale.lab.home.parent / "forged")
    record = forged / "release.json"
    record.write_bytes(record.read_bytes().replace(b"NOT RELEASED", b"RELEASED"))
    whole = tale.lab.program.start("publish", "verify", str(tale.bundle), *key)
    told = json.dumps(tale.lab.program.json("publish", "verify", str(forged), *key, code=1))
    expect("release.json" in told, f"the changed file was not named: {told}")
    whole()
    return "whole; a changed release.json failed by name"


def ledger_verified(tale: Tale) -> str:
    """Recompute the ledger, and prove the checkpoint kept earlier to be a prefix."""
    seen = tale.lab.program.json("ledger", "verify", "--since", str(tale.checkpoint))
    expect(seen["ok"] is True, f"problems: {seen['problems']}")
    kept = int(tale.checkpoint.read_text().split("\n")[1])
    return f"{seen['size']} entries, root {seen['root'][:16]}...; the checkpoint kept at {kept} is a prefix"


STEPS: tuple[Callable[[Tale], str], ...] = (
    model_loaded,
    plan_checked,
    stress_run,
    stage_opened,
    call_opened,
    applications_received,
    reviewed,
    allocated,
    terms_accepted,
    key_issued,
    reading.call_answered,
    reading.metered,
    reading.receipt_verified,
    reading.entrance_screened,
    reading.exit_screened,
    reading.allocation_exhausted,
    reading.revoked_mid_stream,
    reading.refused_after_revocation,
    gate_held,
    register_exported,
    bundle_published,
    bundle_verified,
    ledger_verified,
)


def name_of(step: Callable[[Tale], str]) -> str:
    """Return a step's name as the outside contract spells it."""
    return step.__name__.replace("_", "-")
