"""The portal as a fixture."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest
from litestar.exceptions import LitestarDeprecationWarning

from portal import Portal
from readingroom.app.house import House
from readingroom.core.settings import load
from readingroom.web.app import create_web
from served import found


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    house = House(load(found(tmp_path_factory.mktemp("portal") / "home")))
    with warnings.catch_warnings():  # of Litestar 3, which asks for another way to name what is injected
        warnings.simplefilter("ignore", LitestarDeprecationWarning)
        app = create_web(house, [])
    yield Portal(house, app)
    house.close()
