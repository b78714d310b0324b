"""Lists in pages: how many rows one has, and where it begins."""

from __future__ import annotations

from typing import Annotated

from litestar.params import QueryParameter

PAGE = 50  # rows of a list
From = Annotated[int, QueryParameter(name="from", ge=0, le=10_000_000)]
