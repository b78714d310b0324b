"""What the story knows so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import openai

from readingroom.cli.demo.simulator import LabSimulator
from readingroom.cli.demo.stage import expect


@dataclass
class Tale:
    """What the story knows so far."""

    lab: LabSimulator
    call_file: str
    samples: Path
    model_file: Path | None
    fast: bool
    model: str = ""
    call: str = ""
    grant: str = ""
    key: str = ""
    small_grant: str = ""
    small_key: str = ""
    answer: str = ""
    receipt: str = ""
    tokens: int = 0
    used_before: int = 0
    checkpoint: Path = Path()
    ledger_key: str = ""
    bundle: Path = Path()
    remember: dict[str, Any] = field(default_factory=dict)

    def client(self, key: str | None = None) -> openai.OpenAI:
        """Return the official client, without its own retries: the story wants to see each answer."""
        made = openai.OpenAI(base_url=f"{self.lab.url}/v1", api_key=key or self.key, max_retries=0, timeout=60)
        self.lab.clients.append(made)
        return made

    def meter(self, key: str | None = None) -> dict[str, Any]:
        """Return what `/v1/grant` says."""
        headers = {"authorization": f"Bearer {key or self.key}"}
        seen = self.lab.http.get("/v1/grant", headers=headers)
        expect(seen.status_code == HTTPStatus.OK, f"/v1/grant: {seen.status_code} {seen.text}")
        return dict(seen.json())

    def stage(self, name: str) -> dict[str, Any]:
        """Return a stage as the public sees it."""
        stages = self.lab.http.get("/api/release").json()["stages"]
        return next(dict(each) for each in stages if each["name"] == name)
