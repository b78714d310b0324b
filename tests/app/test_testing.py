"""Evidence is of the model that answered, whatever name it was asked under."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from readingroom.app.checkup import examine
from readingroom.app.founding import default_plan, found, template
from readingroom.app.house import House
from readingroom.app.serving import EngineKeeper
from readingroom.app.testing import run_suite
from readingroom.core.errors import Broken
from readingroom.core.refusal import Refused
from readingroom.core.settings import Settings
from readingroom.dossier.rules import model_unknown
from readingroom.engines.identity import ADDRESS, ECHO_DIGEST, address_digest, file_digest, served_digest


def quiet(_done: int, _total: int) -> None: ...


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house on the echo engine, with two registered models: the echo, and other bytes."""
    made = found(Settings(home=tmp_path / "home", engine="echo"), template("release-demo.yaml"))
    operator = made.people.operator()
    weights = tmp_path / "weights.gguf"
    weights.write_bytes(b"random bytes")
    made.dossier.register(operator, "echo", weights)
    made.dossier.register_remote(operator, "smollm2-135m-instruct", "echo")
    made.releases.adopt(operator, template("release-demo.yaml"), "release.yaml", "first")
    yield made
    made.close()


async def test_bytes_that_are_called_like_the_engine_get_no_evidence_from_it(house: House) -> None:
    with pytest.raises(Refused, match="stress/not-the-served-model"):
        await run_suite(house, house.people.operator(), "echo", "core", quiet)
    assert house.stress.runs() == []
    assert house.dossier.show("echo")[2] == []


async def test_the_model_that_answers_gets_the_evidence_whatever_it_is_called(house: House) -> None:
    done = await run_suite(house, house.people.operator(), "smollm2-135m-instruct", "core", quiet)
    assert done.finished_at is not None
    assert {each.model_digest for each in house.dossier.show("smollm2-135m-instruct")[2]} == {ECHO_DIGEST}
    with pytest.raises(Refused, match=model_unknown("none").code):
        await run_suite(house, house.people.operator(), "none", "core", quiet)


def test_doctor_tells_of_an_open_stage_whose_model_is_not_served(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", engine="echo", dev=True)
    house = found(settings, default_plan(settings))
    assert [each.ok for each in examine(house) if each.name == "model"] == [True]
    with house.db.write() as tx:
        tx.execute(sa.text("update dossier_model set digest = 'sha256:other'"))
    (told,) = (each for each in examine(house) if each.name == "model")
    house.close()
    assert (told.ok, told.detail) == (False, "reading-room: echo is not what the engine serves")


def test_what_is_served_is_known_by_its_bytes_or_by_its_name_and_address(tmp_path: Path) -> None:
    weights = tmp_path / "w.gguf"
    weights.write_bytes(b"GGUF")
    file = Settings(home=tmp_path, engine="embedded", model=str(weights))
    assert served_digest(file) == file_digest(weights)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ADDRESS).write_text(json.dumps({"url": "u", "key": "k", "digest": "sha256:as-it-was-read"}))
    assert served_digest(file) == "sha256:as-it-was-read"
    far = Settings(home=tmp_path, engine="http://127.0.0.1:9/v1/", model="large")
    assert served_digest(far) == address_digest("large", "http://127.0.0.1:9/v1")
    with pytest.raises(Broken, match="cannot be read"):
        file_digest(tmp_path / "none")


def test_an_engine_that_died_is_not_started_again_on_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = []
    engine = "readingroom.app.serving.EmbeddedProcess"
    monkeypatch.setattr(f"{engine}.start", lambda self: started.append(self.model))
    monkeypatch.setattr(f"{engine}.alive", property(lambda _self: False))
    weights = tmp_path / "w.gguf"
    weights.write_bytes(b"GGUF")
    (tmp_path / "run").mkdir()
    keeper = EngineKeeper(Settings(home=tmp_path, engine="embedded", model=str(weights)))
    keeper.start()
    keeper.keep()
    assert started == [weights, weights]
    weights.write_bytes(b"another")
    with pytest.raises(Broken, match="is another file"):
        keeper.keep()
    keeper.keep()
    assert started == [weights, weights]
    keeper.stop()
    assert not (tmp_path / "run" / ADDRESS).exists()
