"""The demo's whole story, on both engines; each of its steps is checked from outside by the story itself."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

STEPS = [
    "model-loaded", "plan-checked", "stress-run", "stage-opened", "call-opened", "applications-received", "reviewed",
    "allocated", "terms-accepted", "key-issued", "call-answered", "metered", "receipt-verified", "entrance-screened",
    "exit-screened", "allocation-exhausted", "revoked-mid-stream", "refused-after-revocation", "gate-held",
    "register-exported", "bundle-published", "bundle-verified", "ledger-verified",
]  # fmt: skip


def play(*options: str) -> dict[str, list[dict[str, object]]]:
    command = [sys.executable, "-m", "readingroom", "demo", "--no-serve", "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    document = json.loads(done.stdout)
    assert done.returncode == 0, [step for step in document["steps"] if not step["ok"]]
    return dict(document)


def test_the_story_runs_on_the_echo_engine() -> None:
    steps = play("--fast")["steps"]
    assert [step["name"] for step in steps] == STEPS
    assert all(step["ok"] for step in steps)


@pytest.mark.model
@pytest.mark.deep
def test_the_story_runs_on_the_real_model() -> None:
    steps = play()["steps"]
    assert [step["name"] for step in steps] == STEPS
    assert all(step["ok"] for step in steps)
