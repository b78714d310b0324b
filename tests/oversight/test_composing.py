"""The register as the house composes it: from the rooms that know, for those who may read it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from readingroom.app.founding import default_plan, found
from readingroom.app.house import House
from readingroom.core.refusal import Refused
from readingroom.core.settings import Settings
from readingroom.oversight.register import SUPPRESSED
from readingroom.people.model import Actor, Role
