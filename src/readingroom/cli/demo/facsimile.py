"""The facsimile of the public page, made as any answer is: by a call through `/v1`, with its receipt."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from readingroom.cli.demo.cast import STEWARD
from readingroom.cli.demo.reading import until
from readingroom.cli.demo.stage import expect
from readingroom.cli.demo.tale import Tale

PROMPT = "In one sentence, what is a reading room?"
ASKER = "facsimiles@lab.example"  # a service account of the lab's
ENOUGH = 64


def show_facsimile(tale: Tale) -> None:
    """Ask once, keep the receipt, end the grant, and show the answer with what proves it."""
    issue = ("grant", "issue", "--to", ASKER, "--passes", str(ENOUGH), "--accept-terms", "--reason", "a facsimile")
    grant = tale.lab.program.json(*issue)
    body = {"model": tale.model, "messages": [{"role": "user", "content": PROMPT}]}
    request = {**body, "max_tokens": ENOUGH, "temperature": 0}
    headers = {"authorization": f"Bearer {grant['key']}"}
    answer = tale.lab.http.post("/v1/chat/completions", json=request, headers=headers)
    expect(answer.status_code == HTTPStatus.OK, f"the facsimile was not made: {answer.text}")
    receipt = answer.headers["x-readingroom-receipt"]
    kept = until(
        lambda: tale.lab.http.get(f"/v1/receipts/{receipt}", headers=headers), lambda r: r.status_code == HTTPStatus.OK
    )
    tale.lab.person(STEWARD).post(f"/grants/{grant['id']}/revoke", {"reason": "project-ended"})
    papers = {"receipt": kept.text, "request": json.dumps(request), "answer": answer.text}
    for name, text in papers.items():
        tale.samples.with_name(f"facsimile-{name}.json").write_text(text, encoding="utf-8")
    sample: dict[str, Any] = {
        "prompt": PROMPT,
        "output": answer.json()["choices"][0]["message"]["content"],
        "model": tale.model,
        "note": "Asked once, at temperature 0.",
        **{name: f"facsimile-{name}.json" for name in papers},
    }
    tale.samples.write_text(json.dumps([sample], ensure_ascii=False), encoding="utf-8")  # which YAML reads too
    tale.lab.program.run("samples", "add", str(tale.samples))
    shown = tale.lab.http.get("/api/samples").json()
    expect([each["receipt"] for each in shown] == [receipt], "the facsimile is not on show with its receipt")
