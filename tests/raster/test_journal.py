"""A rasterization that was interrupted goes on with what was in flight; nothing is trusted by its name."""

from __future__ import annotations

from pathlib import Path

import pytest
from shapes import partition

from carbongrid.errors import RunError
from carbongrid.raster.chunked import Counts, counts, label_and_count
from carbongrid.raster.grid import Grid
from carbongrid.raster.label_store import read_window
from carbongrid.raster.polygons import Polygons

GRID = Grid("EPSG:32650", 10.0, (0.0, 0.0, 2560.0, 2560.0), snap=160.0)
TILES = 16


def count(folder: Path, seed: int = 40, **more: object) -> Counts:
    land, units = (
        Polygons.of(partition(n, 2560.0, seed=at), GRID.crs) for n, at in ((40, seed), (5, 5))
    )
    return label_and_count(
        land, units, GRID, 160.0, folder / "labels.zarr",
        chunks=64, scheduler="synchronous", journal=folder / "tiles", **more,
    )  # fmt: skip


def same(left: Counts, right: Counts) -> bool:
    pairs = ((left.parcel_unit, right.parcel_unit), (left.parcel_cell, right.parcel_cell))
    return all((a != b).nnz == 0 for a, b in pairs)


def entries(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (folder / "tiles").rglob("*.npz")}


def test_what_is_finished_is_not_made_again(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    whole = count(tmp_path / "whole")

    class Power(BaseException):
        """The plug is pulled."""

    def pull(done: int, total: int) -> None:
        assert total == TILES
        if done == 9:
            raise Power

    part = tmp_path / "part"
    part.mkdir()
    with pytest.raises(Power):
        count(part, progress=pull)
    before = entries(part)
    assert 9 <= len(before) <= 10
    again = count(part)
    after = entries(part)
    redone = {name for name in after if after[name] != before.get(name)}
    assert len(redone) == TILES - len(before)
    assert same(again, whole)


@pytest.mark.parametrize("victim", ["labels.zarr/parcel/c/1/2", "labels.zarr/unit/c/0/0", "tiles"])
def test_what_was_changed_since_is_made_again(tmp_path: Path, victim: str) -> None:
    whole = count(tmp_path)
    before = entries(tmp_path)
    path = tmp_path / victim
    if path.is_dir():
        (path,) = path.rglob("64-128.npz")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert same(count(tmp_path), whole)
    after = entries(tmp_path)
    assert sum(after[name] != before[name] for name in after) == 1
    for name in ("parcel", "unit"):
        assert read_window(tmp_path / "labels.zarr", name, (0, 0), GRID.shape).min() >= 0


def test_a_store_that_was_only_begun_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "labels.zarr").mkdir()
    (tmp_path / "labels.zarr" / "zarr.json").write_text("{", encoding="utf-8")
    assert count(tmp_path).cells.sum() > 0


def test_a_store_whose_description_was_damaged_is_made_anew(tmp_path: Path) -> None:
    whole = count(tmp_path)
    (tmp_path / "labels.zarr" / "parcel" / "zarr.json").write_text("{", encoding="utf-8")
    assert same(count(tmp_path), whole)


def test_a_failed_tile_is_named(tmp_path: Path) -> None:
    count(tmp_path)
    (entry,) = (tmp_path / "tiles").rglob("64-128.npz")
    entry.unlink()
    entry.mkdir()
    with pytest.raises(RunError, match="tile at row 64, column 128"):
        count(tmp_path)


def interrupted_with_a_tile_under_way(folder: Path, resume: object) -> Counts:
    """Begin, and call ``resume`` while the last tile of the begun attempt is still being written."""
    burn = counts._label_block
    found = []

    def slow(*args: object) -> object:
        if args[-1].number == TILES - 1 and not found:
            found.append(None)
            counts._label_block = burn
            found[0] = resume()
        return burn(*args)

    counts._label_block = slow
    try:
        with pytest.raises(RunError, match="tile at row 192, column 192"):
            count(folder)
    finally:
        counts._label_block = burn
    return found[0]


@pytest.mark.parametrize("seed", [40, 7], ids=["same", "other"])
def test_a_tile_of_an_older_attempt_does_not_reach_a_later_one(tmp_path: Path, seed: int) -> None:
    """Caught: a tile of a cancelled run that wrote its labels and its entry into the next run's, which committed them."""
    (tmp_path / "whole").mkdir()
    whole = count(tmp_path / "whole", seed)
    got = interrupted_with_a_tile_under_way(tmp_path, lambda: count(tmp_path, seed))
    assert same(got, whole)
    for name in ("parcel", "unit"):
        made, right = (
            read_window(folder / "labels.zarr", name, (0, 0), GRID.shape)
            for folder in (tmp_path, tmp_path / "whole")
        )
        assert (made == right).all()


def test_entries_of_another_question_are_refused(tmp_path: Path) -> None:
    """Caught: counts for coarse cells of another size, whose labels are the same bytes."""
    whole = count(tmp_path)
    land, units = (Polygons.of(partition(n, 2560.0, seed=n), GRID.crs) for n in (40, 5))
    finer = label_and_count(
        land, units, GRID, 80.0, tmp_path / "labels.zarr",
        chunks=64, scheduler="synchronous", journal=tmp_path / "tiles",
    )  # fmt: skip
    assert finer.parcel_cell.shape == (len(land), 32 * 32)
    assert finer.cells.sum() == whole.cells.sum()
