"""Polygons: what goes in comes out, slices are slices, equal content has equal hashes."""

from __future__ import annotations

import pickle

import geopandas as gpd
import numpy as np
import pytest
import shapely
from dask.base import tokenize
from hypothesis import given
from hypothesis import strategies as st
from shapes import CRS, grids, partition, polygons, windows

from carbongrid.errors import InputError
from carbongrid.labels import burn_window
from carbongrid.polygons import Polygons, require_same_crs

SHAPES = np.array(
    [
        shapely.box(0, 0, 4, 4) - shapely.box(1, 1, 2, 2),
        None,
        shapely.MultiPolygon(
            [shapely.box(5, 0, 6, 1), shapely.box(7, 0, 9, 1) - shapely.box(7.5, 0.2, 8, 0.8)]
        ),
        shapely.Polygon(),
        shapely.Polygon([(0, 5, 9), (1, 5, 9), (1, 6, 9)]),
        shapely.MultiPolygon([shapely.Polygon(), shapely.box(0, 8, 1, 9)]),
    ],
    dtype=object,
)


def test_geometry_comes_back():
    back = Polygons.of(SHAPES).geometries()
    assert len(back) == 6
    assert back[1] is None
    assert back[3] is None
    for i in (0, 2, 4, 5):
        assert shapely.equals(shapely.force_2d(SHAPES[i]), back[i])


@given(polygons(most=6), st.data())
def test_take_equals_polygons_of_those_rows(shapes, data):
    """Seen to fail when the starts of parts are not moved, and when bounds keep all rows."""
    rows = data.draw(st.lists(st.integers(0, len(shapes) - 1), max_size=8))
    taken, made = Polygons.of(shapes, CRS).take(rows), Polygons.of(shapes[rows], CRS)
    assert taken.content_hash == made.content_hash
    assert np.array_equal(taken.bounds, made.bounds, equal_nan=True)


@given(polygons(most=6), grids(), st.integers(1, 7), st.data())
def test_a_tile_needs_only_its_own_polygons(shapes, grid, size, data):
    """Seen to fail when the last tile of a polygon is left out."""
    everything = Polygons.of(shapes)
    tiles = everything.tiles(grid, size)
    tile = data.draw(st.integers(0, tiles.shape[0] * tiles.shape[1] - 1))
    corner = (tile // tiles.shape[1] * size, tile % tiles.shape[1] * size)
    rows = tiles.touching(tile)
    assert rows.tolist() == sorted(set(rows.tolist()))
    few = burn_window(everything.take(rows), grid, corner, (size, size), rows + 1)
    assert np.array_equal(few, burn_window(everything, grid, corner, (size, size)))


def test_tiles_name_few_polygons_in_vain():
    from carbongrid.grid import Grid

    shapes = partition(400, 1000.0, 1)
    tiles = Polygons.of(shapes).tiles(Grid(CRS, 1, (0, 0, 1000, 1000)), 250)
    assert len(shapes) < tiles.rows.size < 2 * len(shapes)


def test_pickles_and_stays_frozen():
    made = Polygons.of(SHAPES, CRS)
    back = pickle.loads(pickle.dumps(made))
    assert back.content_hash == made.content_hash
    assert tokenize(back) == tokenize(made)
    with pytest.raises(ValueError, match="read-only"):
        back.x[0] = 1.0
    with pytest.raises(AttributeError):
        back.crs = None


def test_hash_knows_coordinates_structure_crs_and_ids():
    frame = gpd.GeoDataFrame({"id": ["a", "b"]}, geometry=[SHAPES[0], SHAPES[2]], crs=CRS)
    base = Polygons.of(frame).content_hash
    moved = frame.set_geometry(frame.translate(1e-9))
    other_ids = frame.assign(id=["a", "c"])
    in_parts = frame.set_geometry([SHAPES[0], SHAPES[2].geoms[0]])
    other_crs = frame.set_crs(3034, allow_override=True)
    hashes = {
        Polygons.of(each).content_hash for each in (frame, moved, other_ids, in_parts, other_crs)
    }
    assert len(hashes) == 5
    assert Polygons.of(frame.copy()).content_hash == base
    turned = frame.set_geometry(frame.reverse())
    assert Polygons.of(turned).content_hash == base


def test_ids_come_from_the_column_or_the_index():
    frame = gpd.GeoDataFrame({"id": ["07", "08"]}, geometry=[SHAPES[0], SHAPES[2]], crs=CRS)
    assert Polygons.of(frame).ids.tolist() == ["07", "08"]
    assert Polygons.of(frame.set_index("id").geometry).ids.tolist() == ["07", "08"]
    assert Polygons.of(SHAPES).ids is None
    assert Polygons.of(frame).take([1]).ids.tolist() == ["08"]


def test_polygons_come_back_as_they_are():
    made = Polygons.of(SHAPES)
    assert Polygons.of(made) is made
    assert len(made) == 6


@pytest.mark.parametrize("shapes", [[], [None, None], [shapely.Polygon()]])
def test_nothing_is_fine(shapes):
    made = Polygons.of(np.array(shapes, dtype=object))
    assert len(made) == len(shapes)
    assert made.x.size == 0
    assert [each is None for each in made.geometries()] == [True] * len(shapes)


def test_other_geometry_is_refused():
    with pytest.raises(
        InputError, match=r"1 geometries are not polygons \(POINT \.\.\.\), rows \[1\]"
    ):
        Polygons.of(np.array([SHAPES[0], shapely.Point(0, 0)], dtype=object))
    with pytest.raises(InputError, match=r"NaN or infinite in rows \[1\]"):
        Polygons.of(
            np.array([SHAPES[0], shapely.Polygon([(0, 0), (1, np.inf), (1, 1)])], dtype=object)
        )


def test_another_crs_is_refused():
    require_same_crs(Polygons.of(SHAPES, 3035), "EPSG:3035")
    require_same_crs(Polygons.of(SHAPES), "EPSG:3035")
    with pytest.raises(InputError, match="Reproject them first"):
        require_same_crs(Polygons.of(SHAPES, 4326), "EPSG:3035")


def test_windows_strategy_stays_inside():
    """The strategy that other tests rest on."""

    @given(windows((5, 7)))
    def inside(window):
        (top, left), (height, width) = window
        assert top + height <= 5
        assert left + width <= 7

    inside()
