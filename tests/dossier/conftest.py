from __future__ import annotations

from pathlib import Path

import pytest

from readingroom.core.clock import FixedClock
from readingroom.dossier.service import Dossier
from readingroom.ledger.service import Ledger
from readingroom.store.db import Database


@pytest.fixture
def dossier(db: Database, ledger: Ledger, clock: FixedClock) -> Dossier:
    return Dossier(db, ledger, clock)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + b"\x00" * 3_000_000)
    return path
