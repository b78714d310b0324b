from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tlog_scales.reader import Tile as OtherTile
from tlog_scales.tiles import tile_path

from readingroom.ledger.note import Unproven
from readingroom.ledger.tiles import Tile, bundle, tiles_of, unbundle


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(1, 999, 17), "tile/1/999.p/17"),
        (Tile(0, 1234), "tile/0/x001/234"),
        (Tile(None, 1234067, 1), "tile/entries/x001/x234/067.p/1"),
        (Tile(63, 5, 255), "tile/63/005.p/255"),
    ],
)
def test_a_tile_has_the_path_of_the_specification(tile: Tile, path: str) -> None:
    assert tile.path() == path
    assert Tile.parse(path) == Tile.parse(path.removeprefix("tile/")) == tile


@pytest.mark.parametrize(
    "path",
    [
        *("", "0", "0/0", "0/0000", "0/x000/001", "0/1234", "00/000", "64/000", "x/000", "0/000.p/0", "0/000.p/256"),
        *("0/000.p/01", "0/000.p", "0/000/", "/0/000", "0/000\n", "0/\u0660\u0660\u0660", "entries/../0/000"),
    ],
)
def test_no_other_path_names_a_tile(path: str) -> None:
    assert Tile.parse(path) is None


@given(st.one_of(st.none(), st.integers(0, 63)), st.integers(0, 10**12), st.integers(1, 256))
def test_every_tile_is_found_again_by_its_path_and_named_as_others_do(
    level: int | None, index: int, width: int
) -> None:
    tile = Tile(level, index, width)
    assert Tile.parse(tile.path()) == tile
    theirs = tile_path(-1 if level is None else level, index, 0 if width == 256 else width)
    assert "/".join(theirs) == tile.path()


def test_a_log_of_70000_has_the_tiles_of_the_specifications_example() -> None:
    tiles = list(tiles_of(70_000))
    rows = {level: [tile for tile in tiles if tile.level == level] for level in (None, 0, 1, 2, 3)}
    assert rows[None] == [Tile(None, tile.index, tile.width) for tile in rows[0]]
    assert [len(rows[level]) for level in (0, 1, 2, 3)] == [274, 2, 1, 0]
    assert [rows[level][-1].width for level in (0, 1, 2)] == [112, 17, 1]


def test_a_log_of_256_has_a_full_tile_and_a_partial_one_above_it() -> None:
    assert list(tiles_of(256)) == [Tile(None, 0), Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles_of(0)) == []


@given(st.integers(0, 200_000))
def test_exactly_the_tiles_of_a_size_are_of_it(size: int) -> None:
    tiles = list(tiles_of(size))
    assert len(set(tiles)) == len(tiles)
    for tile in tiles:
        assert tile.is_of(size)
        assert not Tile(tile.level, tile.index, tile.width + 1).is_of(size) or tile.width == 256
        assert not Tile(tile.level, tile.index + 1, 256).is_of(size) or tile.width == 256


@given(st.lists(st.binary(max_size=300), max_size=256))
def test_a_bundle_is_taken_apart_as_it_was_made_here_and_by_another_reader(leaves: list[bytes]) -> None:
    assert unbundle(bundle(leaves)) == leaves
    assert OtherTile.from_entries_bytes(bundle(leaves)).entries == leaves


def test_a_bundle_that_ends_too_early_is_refused() -> None:
    whole = bundle([b"one", b"x" * 65_535])
    for end in (1, 4, 6, len(whole) - 1):
        with pytest.raises(Unproven, match="ends in the middle"):
            unbundle(whole[:end])
