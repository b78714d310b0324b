"""The log at the command line and over HTTP: verified by outsiders, under one name each."""

from __future__ import annotations

from pathlib import Path

from served import Served, run


def test_an_export_is_verified_with_the_key_alone_and_without_a_house(house: Served, tmp_path: Path) -> None:
    run(house.home, "ledger", "export", str(tmp_path / "out"))
    key = house.http.get("/ledger/key").text
    (tmp_path / "key.txt").write_text(key)
    kept = str(tmp_path / "out" / "checkpoint")
    nowhere = tmp_path / "no-house"
    report = run(
        nowhere, "ledger", "verify", str(tmp_path / "out"), "--key", str(tmp_path / "key.txt"), "--since", kept
    )
    assert report["ok"]
    assert report["size"] > 5
    altered = tmp_path / "out" / "tile" / "entries"
    path = next(path for path in altered.rglob("*") if path.is_file())
    path.write_bytes(path.read_bytes().replace(b"operator", b"somebody", 1))
    assert "altered" in str(run(nowhere, "ledger", "verify", str(tmp_path / "out"), "--key", key, code=1)["problems"])
    assert "ok" not in run(nowhere, "ledger", "verify", str(tmp_path / "out"), code=2)
    assert "ok" not in run(house.home, "ledger", "verify", "--key", key, code=2)


def test_a_tile_has_one_name_only(house: Served) -> None:
    size = int(house.http.get("/ledger/checkpoint").text.split("\n")[1])
    assert 0 < size < 256
    name = f"/ledger/tile/0/000.p/{size}"
    assert house.http.get(name).status_code == 200
    assert house.http.head(name).status_code == 200
    others = (name + "/", name.replace("/0/", "/%30/"), name.replace("/tile/", "/tile//"), name + "?", name + "//")
    assert [house.http.get(other).status_code for other in others] == [404, 404, 404, 200, 404]
