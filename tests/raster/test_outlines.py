"""Polygons held as coordinates: the geometries that come out are those that went in, to the bit."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st
from shapes import partition, polygons, valid_polygons

from carbongrid.case.readers.polygon_column import PolygonColumn
from carbongrid.errors import InputError
from carbongrid.raster import row_blocks
from carbongrid.raster.polygons import Polygons, outlines
from carbongrid.raster.polygons.entry import ragged, wkb_of
from carbongrid.raster.polygons.outlines import (
    Outlines,
    bounds_of,
    geometries_of,
    geometries_of_wkb,
    in_normal_form,
    outlines_in,
    outlines_of,
    ragged_of,
    shapely_of,
)

SQUARE, HOLED = shapely.box(0, 0, 4, 4), shapely.box(0, 0, 9, 9) - shapely.box(1, 1, 2, 2)
SEVERAL = shapely.MultiPolygon([shapely.box(20, 0, 24, 4), HOLED])
MIXED = np.array(
    [SQUARE, HOLED, SEVERAL, shapely.MultiPolygon([SQUARE]), SQUARE.reverse(), HOLED.normalize()],
    dtype=object,
)


def binary(geometries: np.ndarray) -> list[bytes]:
    return shapely.to_wkb(geometries).tolist()


def held(geometries: np.ndarray) -> Outlines:
    found = Outlines.taken_out_of(geometries.copy())
    assert found is not None
    return found


@st.composite
def in_any_form(draw: st.DrawFn) -> np.ndarray:
    """Polygons with rings in either direction, some of them as multipolygons."""
    shapes = draw(polygons(most=6))
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    for row in range(len(shapes)):
        turned, collected = draw(st.booleans()), draw(st.booleans())
        shape = shapes[row].reverse() if turned else shapes[row]
        single = shape.geom_type == "Polygon"
        shapes[row] = shapely.MultiPolygon([shape]) if collected and single else shape
    return shapes


@given(in_any_form(), st.data())
@example(MIXED, None)
def test_what_comes_out_is_what_went_in(shapes, data):
    """Seen to fail when rings stay turned, when the flags of rings are taken by row, and when a multipolygon of one part becomes a polygon."""
    found = held(shapes)
    assert binary(found.geometries()) == binary(shapes)
    size = len(shapes)
    rows = [5, 0, 2, 2] if data is None else data.draw(st.lists(st.integers(0, size - 1), max_size=8) if size else st.just([]))  # fmt: skip
    assert binary(found.geometries(np.array(rows, np.int64))) == binary(shapes[rows])
    first, last = (2, 5) if data is None else (data.draw(st.integers(0, size)) for _ in range(2))
    assert binary(found.geometries(slice(first, last))) == binary(shapes[first:last])
    again = held(found.take(slice(first, last)).geometries())
    assert again.polygons.content_hash == Polygons.of(shapes[first:last]).content_hash


@given(in_any_form(), st.booleans(), st.booleans())
@example(MIXED, True, True)
def test_binary_is_that_of_the_geometries(shapes, collections, lengths):
    written = held(shapes).binary(collections=collections, lengths=lengths)
    expected = wkb_of(shapes, collections=collections, lengths=lengths)
    assert expected is not None
    assert all(np.array_equal(*both) for both in zip(written, expected, strict=True))


@pytest.mark.parametrize("block", [2, 20_000])
def test_it_is_the_same_from_geometries_and_from_binary(block, monkeypatch):
    """Seen to fail when starts of a block are not moved, and when what was taken stays in the array."""
    monkeypatch.setattr(outlines, "row_blocks", lambda size: row_blocks.row_blocks(size, block))
    taken = MIXED.copy()
    found = Outlines.taken_out_of(taken)
    assert found is not None
    assert not taken.any()
    column = pa.array([b"", *binary(MIXED)], pa.binary())[1:]  # which begins behind another row
    read = Outlines.of_wkb([column[:1], column[1:4], column[4:]])
    for each in (found, read):
        assert each.polygons.content_hash == Polygons.of(MIXED).content_hash
        assert binary(each.geometries()) == binary(MIXED)
        assert each.kinds.tolist() == shapely.get_type_id(MIXED).tolist()


@pytest.mark.parametrize(
    "odd",
    [
        None,
        shapely.Polygon(),
        shapely.Point(1, 1),
        shapely.from_wkt("POLYGON Z ((0 0 1, 1 0 1, 1 1 1, 0 0 1))"),
        shapely.from_wkt("POLYGON M ((0 0 1, 1 0 1, 1 1 1, 0 0 1))"),
        shapely.from_wkt("MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), EMPTY)"),
        shapely.box(0, 0, 1e101, 1),
        shapely.Polygon([(0, 0), (np.inf, 0), (1, 1)]),
    ],
)  # fmt: skip
def test_what_would_not_come_back_stays(odd):
    shapes = np.array([SQUARE, odd], dtype=object)
    assert Outlines.taken_out_of(shapes) is None
    assert shapes.tolist() == [SQUARE, odd]


def test_binary_that_is_no_polygon_is_refused():
    with pytest.raises(InputError, match="row 1 is neither polygon nor multipolygon"):
        Outlines.of_wkb([pa.array(binary(np.array([SQUARE, shapely.Point(0, 0)])), pa.binary())])


def test_none_at_all():
    for found in (held(MIXED[:0]), Outlines.of_wkb([])):
        assert len(found) == len(found.geometries()) == len(found.binary()[0]) == 0


def test_a_plain_table_holds_geometries():
    table = gpd.GeoDataFrame(geometry=MIXED.copy())
    assert outlines_of(table) is None
    assert geometries_of(table, np.array([3, 1])).tolist() == MIXED[[3, 1]].tolist()


NOT_PLAIN = (
    None,
    shapely.Polygon(),
    shapely.MultiPolygon(),
    shapely.Point(1, 1),
    shapely.from_wkt("POLYGON Z ((0 0 1, 1 0 1, 1 1 1, 0 0 1))"),
    shapely.from_wkt("POLYGON M ((0 0 1, 1 0 1, 1 1 1, 0 0 1))"),
    shapely.from_wkt("MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), EMPTY)"),
    shapely.GeometryCollection([SQUARE]),
)


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
@pytest.mark.parametrize("odd", [HOLED, *NOT_PLAIN])
def test_geometries_of_binary_are_shapelys(odd, kind):
    """Seen to fail when a third dimension is lost, and when an empty part is."""
    expected = shapely.to_wkb(np.array([SQUARE, odd, SEVERAL], dtype=object)).tolist()
    assert shapely.to_wkb(geometries_of_wkb(pa.array(expected, kind))).tolist() == expected


def test_binary_with_a_reference_system_keeps_it():
    column = pa.array([shapely.to_wkb(shapely.set_srid(SQUARE, 4326), include_srid=True)])
    assert shapely.get_srid(geometries_of_wkb(column)).tolist() == [4326]


@pytest.mark.parametrize("odd", NOT_PLAIN)
def test_outlines_of_what_would_not_come_back_are_refused(odd):
    column = pa.array([shapely.to_wkb(shape) for shape in (SQUARE, odd)], pa.binary())
    with pytest.raises(InputError):
        Outlines.of_wkb([column])


def with_repeated_corners(shapes: np.ndarray) -> np.ndarray:
    points, row = shapely.get_coordinates(shapes, return_index=True)
    again = (points[1:] == points[:-1]).all(axis=1) & (row[1:] == row[:-1])
    return np.bincount(row[1:][again], minlength=len(shapes)) > 0


def assert_same_rings(found, expected):
    points, starts = found
    assert points.tobytes() == expected[0].tobytes()
    assert all(np.array_equal(*both) for both in zip(starts, expected[1], strict=True))


@given(in_any_form(), st.data())
@example(MIXED, None)
def test_rings_are_those_of_the_geometries(shapes, data):
    """Seen to fail when rings stay turned."""
    found = held(shapes)
    assert_same_rings(found.ragged(), ragged(shapes))
    size = len(shapes)
    rows = [5, 0, 2, 2] if data is None else data.draw(st.lists(st.integers(0, size - 1), max_size=8) if size else st.just([]))  # fmt: skip
    for some in (np.array(rows, np.int64), slice(1, 4)):
        assert_same_rings(ragged_of(found, some), ragged(shapes[some]))
        assert_same_rings(ragged_of(shapes, some), ragged(shapes[some]))
    chosen = np.array(rows, np.int64)
    assert binary(shapely_of(found, chosen)) == binary(shapely_of(shapes, chosen)) == binary(shapes[chosen])  # fmt: skip
    valid = shapely.is_valid(shapes)  # of others holes may lie outside
    assert np.array_equal(bounds_of(found)[valid], bounds_of(shapes)[valid])


def test_what_is_no_polygon_has_no_rings_and_no_bounds():
    shapes = np.array([None, SQUARE, shapely.Point(1, 2), shapely.Polygon(), HOLED], dtype=object)
    assert_same_rings(ragged_of(shapes, slice(None)), ragged(np.array([None, SQUARE, None, None, HOLED], dtype=object)))  # fmt: skip
    assert np.isnan(bounds_of(shapes)).all(axis=1).tolist() == [True, False, False, True, False]


@given(in_any_form())
@example(MIXED)
def test_outlines_of_rings_are_polygons_where_there_is_one_part(shapes):
    """Seen to fail when each is a multipolygon."""
    found = Outlines.of_rings(*ragged(shapes))
    one = (shapely.get_type_id(shapes) == 6) & (shapely.get_num_geometries(shapes) == 1)
    expected = shapes.copy()
    expected[one] = shapely.get_geometry(shapes[one], 0)
    assert binary(found.geometries()) == binary(expected)


def test_rings_beyond_all_bounds_are_refused():
    points, starts = ragged(MIXED)
    for odd in (np.nan, np.inf, 1e101):
        wrong = points.copy()
        wrong[-1, 1] = odd
        with pytest.raises(InputError, match=r"in rows \[5\]"):
            Outlines.of_rings(wrong, starts)


@given(in_any_form(), st.integers(1, 4), st.integers(0, 9))
@example(MIXED, 2, 5)
def test_parts_that_are_joined_are_the_whole(shapes, rows, more):
    """Room for more vertices than there are is given back. Seen to fail when it is not, and when starts are not moved."""
    whole = held(shapes)
    parts = [whole.take(slice(first, first + rows)) for first in range(0, len(shapes), rows)]
    joined = Outlines.joined(iter(parts), whole.polygons.x.size + more)
    assert joined.polygons.x.size == joined.polygons.y.size == whole.polygons.x.size
    assert joined.polygons.content_hash == whole.polygons.content_hash
    assert binary(joined.geometries()) == binary(shapes)
    assert np.array_equal(joined.polygons.bounds, whole.polygons.bounds)


def test_nothing_joined_is_nothing():
    assert len(Outlines.joined([], 0)) == len(Outlines.joined([held(MIXED[:0])] * 2, 3)) == 0


@given(in_any_form(), in_any_form(), st.data())
def test_rows_are_replaced_by_others(shapes, others, data):
    """In the order in which they are named; the outlines themselves stay. Seen to fail when those of all others follow."""
    whole, size = held(shapes), min(len(shapes), len(others))
    rows = np.array(data.draw(st.permutations(range(len(shapes))))[:size], np.int64)
    expected = shapes.copy()
    expected[rows] = others[:size]
    by = held(others[:size])
    assert binary(whole.replaced(rows, by).geometries()) == binary(expected)
    assert binary(whole.geometries()) == binary(shapes)
    assert whole.replaced(rows[:0], by.take(slice(0, 0))) is whole


@given(polygons(most=6))
@example(MIXED)
def test_what_is_surely_valid_is_valid_and_the_others_have_holes_or_parts_or_touch_themselves(shapes):  # fmt: skip
    """Lattices are told without rounding, but for corners that are there twice. Seen to fail when parts and holes are looked at by themselves, and when the first ring of all is that of each."""
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    found = held(shapes).surely_valid()
    assert not found[~shapely.is_valid(shapes)].any()
    parts, row = shapely.get_parts(shapes, return_index=True)
    rings = np.bincount(row, 1 + shapely.get_num_interior_rings(parts), len(shapes))
    assert not found[rings > 1].any()
    plain = (rings == 1) & shapely.is_valid(shapes) & ~with_repeated_corners(shapes)
    assert found[plain].all()


@pytest.mark.parametrize("block", [1, 7, 20_000])
def test_it_is_sure_of_parcels_in_any_blocks(block, monkeypatch):
    """Seen to fail when blocks count from the first row."""
    cells = partition(60, 1000.0, 3)
    bowtie = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    cells = np.array([*cells, *MIXED, bowtie, *cells[:5]], dtype=object)
    monkeypatch.setattr(outlines, "row_blocks", lambda size: row_blocks.row_blocks(size, block))
    rings = shapely.get_num_interior_rings(shapely.get_geometry(cells, 0)) + shapely.get_num_geometries(cells)  # fmt: skip
    expected = (rings == 1) & shapely.is_valid(cells)
    assert held(cells).surely_valid().tolist() == expected.tolist()
    assert held(cells[:0]).surely_valid().tolist() == []


@given(in_any_form(), st.floats(-1e7, 1e7))
@example(MIXED, 0.0)
def test_areas_are_those_of_shapely(shapes, away):
    """Seen to fail when rings stay turned: the last bit is another."""
    moved = shapely.transform(shapes, lambda xy: xy + away)
    assert held(moved).areas().tobytes() == shapely.area(moved).tobytes()


@given(valid_polygons(most=6))
def test_inner_points_are_those_of_shapely(shapes):
    """Seen to fail when rings stay turned: the last bit is another."""
    expected = shapely.get_coordinates(shapely.point_on_surface(shapes))
    assert held(shapes).inner_points().tobytes() == expected.tobytes()


TWO_HOLES = [shapely.box(1, 1, 2, 2).exterior, shapely.box(4, 4, 5, 5).exterior]
AMID = [(1, 1), (1, 2), (2, 2), (2, 1), (1, 1), (1, 1)]
"""A ring that begins in the midst of equal corners."""


@given(valid_polygons(most=6))
@example(MIXED)
@example(
    np.array(
        [
            shapely.Polygon(SQUARE.buffer(9).exterior, holes)
            for holes in (TWO_HOLES, TWO_HOLES[::-1], [AMID])
        ]
    )
)
def test_the_normal_form_is_that_of_shapely(shapes):
    """Where it is told: of polygons with a hole at most. Seen to fail when a row is told of which one ring is not, and when two holes are not sorted."""
    points, starts = ragged(shapes)
    normal, odd = in_normal_form(points, starts)
    found, expected = Outlines.of_rings(normal, starts).geometries(), shapely.normalize(shapes)
    collected = shapely.get_type_id(expected) == 6
    expected[collected & ~odd] = shapely.get_geometry(expected[collected & ~odd], 0)
    assert binary(found[~odd]) == binary(expected[~odd])
    plain = shapely.get_num_interior_rings(shapely.get_geometry(shapes, 0)) < 2
    plain &= (shapely.get_num_geometries(shapes) == 1) & ~with_repeated_corners(shapes)
    direct = shapely.area(shapes) > 1e-9 * shapely.length(shapes) ** 2
    assert not odd[plain & direct].any()


def test_outlines_of_a_table_leave_it_its_geometries():
    """Seen to fail when they are taken out of the table itself."""
    table = gpd.GeoDataFrame(geometry=MIXED.copy())
    for rows in (slice(1, 4), slice(None), np.array([4, 0])):
        assert binary(outlines_in(table, rows).geometries()) == binary(MIXED[rows])
        assert binary(outlines_in(table.geometry, rows).geometries()) == binary(MIXED[rows])
        assert binary(table.geometry.to_numpy()) == binary(MIXED)


def test_outlines_of_a_table_that_holds_them_are_a_view():
    whole = held(MIXED)
    table = gpd.GeoDataFrame(geometry=PolygonColumn(whole, None))
    part = outlines_in(table, slice(1, 4))
    assert np.shares_memory(part.polygons.x, whole.polygons.x)
    assert binary(part.geometries()) == binary(MIXED[1:4])
