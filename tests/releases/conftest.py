from __future__ import annotations

from pathlib import Path

import pytest

from readingroom.core.clock import FixedClock
from readingroom.ledger.service import Ledger
from readingroom.store.db import Database
from releases.lab import Lab


@pytest.fixture
def lab(db: Database, ledger: Ledger, clock: FixedClock, tmp_path: Path) -> Lab:
    return Lab(db, ledger, clock, tmp_path)
