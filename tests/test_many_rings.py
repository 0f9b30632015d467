"""Polygons with very many rings, burnt again by ``verify``: what decides nothing is not looked at."""

from __future__ import annotations

import geocube.api.core
import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from carbongrid.pipeline.verification import labels as checked
from carbongrid.pipeline.verification.labels import _burnt, _differences, _with_centres
from carbongrid.raster.grid import Grid

CRS = "EPSG:32650"


def holed(side: float, holes: int) -> shapely.Polygon:
    """Return a square with holes x holes squares in it, each a quarter of its place."""
    step = side / holes
    row, column = np.divmod(np.arange(holes * holes), holes)
    x, y = (column + 0.25) * step, (row + 0.25) * step
    corners = [(x, y), (x, y + step / 2), (x + step / 2, y + step / 2), (x + step / 2, y), (x, y)]
    rings = shapely.linearrings(np.stack([np.column_stack(each) for each in corners], axis=1))
    return shapely.Polygon(shapely.box(0, 0, side, side).exterior, rings)


def frame(polygons: list[shapely.Geometry]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=polygons, crs=CRS)


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rows times vertices of every call of geocube: GDAL looks at each edge for each row."""
    found = []
    whole = geocube.api.core.make_geocube

    def counting(layer: gpd.GeoDataFrame, **words: object) -> object:
        rows = words["like"].sizes["y"]  # type: ignore[attr-defined]
        found.append(rows * int(shapely.get_num_coordinates(layer.geometry.to_numpy()).sum()))
        return whole(layer, **words)

    monkeypatch.setattr(geocube.api.core, "make_geocube", counting)
    return found


def test_a_tile_is_not_burnt_of_holes_elsewhere(looked_at: list[int]) -> None:
    """Caught: all vertices for every row of every tile, so that a million holes had no verdict in 18 minutes."""
    land, side = frame([holed(400.0, 40)]), 100
    grid = Grid(CRS, 1.0, (0.0, 0.0, 400.0, 400.0))
    tiles = [(row, column) for row in range(0, 400, side) for column in range(0, 400, side)]
    burnt = [_burnt(land, grid, corner, (side, side)) for corner in tiles]
    assert sum(int(tile.sum()) for tile in burnt) == 400 * 400 - 40 * 40 * 25
    vertices = 40 * 40 * 5
    assert sum(looked_at) < 2 * vertices * side


def test_many_rings_in_one_tile_are_burnt_band_by_band(
    looked_at: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    land, side = frame([holed(400.0, 80)]), 400
    grid = Grid(CRS, 1.0, (0.0, 0.0, 400.0, 400.0))
    whole = _burnt(land, grid, (0, 0), (side, side))
    at_once = sum(looked_at)
    looked_at.clear()
    monkeypatch.setattr(checked, "_MAX_RINGS", side * 80 * 80 // 4)
    assert np.array_equal(_burnt(land, grid, (0, 0), (side, side)), whole)
    assert len(looked_at) > 1
    assert sum(looked_at) < at_once / 1.5


def test_holes_that_hold_no_centre_are_not_burnt() -> None:
    grid = Grid(CRS, 10.0, (0.0, 0.0, 100.0, 100.0))
    shell = shapely.box(0, 0, 100, 100).exterior
    holes = [shapely.box(6, 6, 14, 14).exterior, shapely.box(14, 14, 26, 26).exterior, shapely.box(45, 45, 46, 46).exterior]  # fmt: skip
    speck = shapely.box(201, 1, 204, 4)
    land = frame([shapely.MultiPolygon([shapely.Polygon(shell, holes), speck]), speck])
    left, rings = _with_centres(land, grid)
    # The third touches a centre with its corner, and whose it is GDAL decides.
    assert rings == 3
    assert left.index.tolist() == [0]
    assert left.geometry[0].equals(shapely.Polygon(shell, holes[1:]))


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_what_is_left_is_burnt_as_the_whole(seed: int) -> None:
    """Seen to fail on bounds that must hold two centres."""
    rng = np.random.default_rng(seed)
    grid = Grid(CRS, 1.0, (0.0, 0.0, 24.0, 24.0))
    centres = rng.uniform(-4, 28, (6, 2))
    discs = shapely.buffer(shapely.points(centres), rng.uniform(0.2, 6, 6))
    cuts = shapely.buffer(shapely.points(rng.uniform(-4, 28, (60, 2))), rng.uniform(0.05, 1, 60))
    land = frame([*shapely.difference(discs, shapely.union_all(cuts))])
    corner, shape = (int(rng.integers(0, 12)), int(rng.integers(0, 12))), (8, 11)
    mine = _burnt(land, grid, corner, shape)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checked, "_with_centres", lambda layer, _: (layer, 0))
        assert np.array_equal(mine, _burnt(land, grid, corner, shape))


def test_an_outline_is_made_once_for_all_labels_that_differ(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Caught: the outline of a million holes, once more for each of up to 10,000 cells."""
    land = frame([holed(48.0, 4)])
    grid = Grid(CRS, 1.0, (0.0, 0.0, 48.0, 48.0))
    theirs = _burnt(land, grid, (0, 0), grid.shape)
    made = []
    outline = shapely.boundary
    monkeypatch.setattr(
        shapely, "boundary", lambda each: made.append(np.size(each)) or outline(each)
    )
    assert len(_differences(np.zeros_like(theirs), theirs, land, grid)) == np.count_nonzero(theirs)
    assert sum(made) == 1
