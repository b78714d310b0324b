from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readingroom.core.errors import BadInput
from readingroom.core.settings import FILE, Settings, home_from, load


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    made = Settings(home=tmp_path, engine="echo", model='odd "name"', dev=True, engine_options={"words_per_second": 20})
    (tmp_path / FILE).write_text(made.to_toml())
    assert load(tmp_path) == made


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])))
def test_any_text_survives_the_file(text: str) -> None:
    import tomllib

    assert tomllib.loads(Settings(home=Path(), model=text).to_toml())["model"] == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('engin = "echo"\n', "unknown setting 'engin'"),
        ('dev = "yes"\n', "dev must be of type bool"),
        ("engine = \n", "cannot be read"),
        ('home = "/x"\n', "unknown setting 'home'"),
        ('keys = "/x"\n', "unknown setting 'keys'"),
    ],
)
def test_a_mistake_in_the_file_is_told(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(BadInput, match=told):
        load(tmp_path)


def test_no_house_is_told_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="readingroom init"):
        load(tmp_path)


def test_home_is_the_option_then_the_environment_then_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("READINGROOM_HOME", "/a")
    assert home_from(Path("/b")) == Path("/b")
    assert home_from(None) == Path("/a")
    monkeypatch.delenv("READINGROOM_HOME")
    assert home_from(None) == Path.cwd() / "readingroom-home"
