from __future__ import annotations

import numpy as np
import pytest
import shapely
from geodata_layers import voronoi
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyproj import CRS

from carbongrid.case.readers import partition
from carbongrid.case.readers.partition import (
    find_overlaps,
    overlap_problems,
    partition_by_order,
    stack_order,
)
from carbongrid.outputs.report.notes import note_in_chinese
from carbongrid.raster.polygons.outlines import Outlines

GAUSS = CRS.from_epsg(4549)


def named(count):
    return np.array([f"{row:03d}" for row in range(count)], dtype=object)


def boxes(*edges):
    return np.array([shapely.box(*one) for one in edges], dtype=object)


def heap(seed, count):
    """Return polygons that lie over, under, inside and beside each other."""
    rng = np.random.default_rng(seed)
    corner = np.round(rng.uniform(0, 800, (count, 2)), 1)
    size = np.round(rng.uniform(1, 300, (count, 2)), 1)
    made = shapely.box(*np.hstack([corner, corner + size]).T)
    turned = [
        shapely.convex_hull(shapely.multipoints(rng.uniform(0, 900, (5, 2)))) for _ in range(3)
    ]
    made = np.array([*made, *turned, made[0]], dtype=object)
    return shapely.normalize(made)


def test_a_partition_has_no_overlaps():
    cells = voronoi(300, 1)
    assert len(find_overlaps(cells, GAUSS).area) == 0
    assert overlap_problems(find_overlaps(cells, GAUSS), named(len(cells)), 1e8, "f") == []


@given(seed=st.integers(0, 2**32), count=st.integers(1, 12))
def test_overlaps_are_those_of_all_pairs(seed, count):
    """Seen to fail when pairs had to overlap in shapely's sense: one inside another does not."""
    polygons = heap(seed, count)
    found = find_overlaps(polygons, GAUSS)
    got = {
        (int(i), int(j)): a for i, j, a in zip(found.first, found.second, found.area, strict=True)
    }
    assert all(area > 0 for area in got.values())
    for i in range(len(polygons)):
        for j in range(i + 1, len(polygons)):
            area = polygons[i].intersection(polygons[j]).area
            # The lattice moves new corners by less than 1e-7 m along edges of less than 1 km.
            assert got.get((i, j), 0.0) == pytest.approx(area, rel=1e-6, abs=1e-3)


@settings(max_examples=15)
@given(
    corner=st.tuples(st.integers(-15, 75), st.integers(-15, 75)),
    size=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    turned=st.booleans(),
)
@example(corner=(23, 23), size=(3, 3), turned=False)
@example(corner=(20, 20), size=(4, 3), turned=True)
def test_a_patch_of_fitting_polygons_over_others_is_found_whole(corner, size, turned):
    """Seen to fail: polygons amid the patch fit to all their neighbours, so nobody looked for what lies below them."""
    below = [(10 * i, 10 * j, 10 * i + 10, 10 * j + 10) for i in range(8) for j in range(8)]
    x, y = corner
    above = [
        (x + 10 * i, y + 10 * j, x + 10 * i + 10, y + 10 * j + 10)
        for i in range(size[0])
        for j in range(size[1])
    ]
    polygons = boxes(*below, *above)
    if turned:
        polygons[::2] = shapely.reverse(polygons[::2])
    found = find_overlaps(polygons, GAUSS)
    expected = {
        (i, j)
        for j in range(len(below), len(polygons))
        for i in range(len(below))
        if polygons[i].intersection(polygons[j]).area > 0
    }
    assert set(zip(found.first.tolist(), found.second.tolist(), strict=True)) == expected
    width = max(0, min(x + 10 * size[0], 80) - max(x, 0))
    height = max(0, min(y + 10 * size[1], 80) - max(y, 0))
    assert found.total == pytest.approx(width * height)
    cut = partition_by_order(polygons, np.arange(len(polygons))[::-1], GAUSS).of(polygons)
    assert not find_overlaps(cut[~shapely.is_empty(cut)], GAUSS).area.size


def test_an_island_over_an_unpierced_parcel_is_found():
    """Seen to fail when both polygons had to be flagged by the coverage check: the outer one is not."""
    found = find_overlaps(boxes((0, 0, 10, 10), (4, 4, 5, 5)), GAUSS)
    assert found.area.tolist() == [1.0]


def test_degrees_are_measured_in_square_metres():
    found = find_overlaps(
        boxes((120, 31, 120.01, 31.01), (120.005, 31, 120.015, 31.01)), CRS.from_epsg(4490)
    )
    assert found.total == pytest.approx(0.005 * 95_500 * 0.01 * 110_900, rel=0.01)


@pytest.mark.parametrize(
    ("areas", "told"),
    [
        ([12.0, 0.06], "2 pairs of parcels overlap by 12.1 m2, 0.012% of the area; the worst: 000 and 001 (12.0 m2), 001 and 002 (0.1 m2)"),
        ([12.0, 0.03, 0.01], "3 pairs of parcels overlap by 12.0 m2, 0.012% of the area; the worst: 000 and 001 (12.0 m2); 2 of them by less than 0.1 m2 each, 400.0 cm2 in all"),
        ([3e-4] * 10, "10 pairs of parcels overlap by 30.0 cm2, less than 0.001% of the area; 10 of them by less than 0.1 m2 each, 30.0 cm2 in all"),
        ([2e-6], "1 pair of parcels overlaps by 2.0 mm2, less than 0.001% of the area"),
        ([1e-9], "1 pair of parcels overlaps by less than 0.1 mm2, less than 0.001% of the area"),
        ([12.0], "1 pair of parcels overlaps by 12.0 m2, 0.012% of the area: 000 and 001"),
    ],
)  # fmt: skip
def test_overlaps_are_told_in_units_that_show_them(areas, told):
    """Seen to fail while ten pairs were listed with "0.0 m2" each."""
    rows = np.arange(len(areas))
    found = partition.Overlaps(rows, rows + 1, np.array(areas))
    (problem,) = overlap_problems(found, named(len(areas) + 1), 1e5, "f")
    assert problem.what == told
    assert note_in_chinese(str(problem))


def test_problems_by_share():
    polygons = boxes((0, 0, 100, 100), (99, 0, 200, 100), (199.9, 0, 300, 100))
    found = find_overlaps(polygons, GAUSS)
    (problem,) = overlap_problems(found, named(3), float(shapely.area(polygons).sum()), "f")
    assert problem.level == "error"
    assert "2 pairs of parcels overlap by 110.0 m2" in problem.what
    assert problem.what.index("000 and 001 (100.0 m2)") < problem.what.index(
        "001 and 002 (10.0 m2)"
    )
    assert 'overlap = "priority"' in problem.hint
    assert [one.level for one in overlap_problems(found, named(3), 110 / 0.0009, "f")] == [
        "warning"
    ]
    assert [one.level for one in overlap_problems(found, named(3), 110 / 1e-7, "f")] == ["note"]


def test_order_of_the_stack():
    order = stack_order(
        np.array([2, 1, 1, 1]),
        np.array([1.0, 5.0, 3.0, 3.0]),
        np.array(["a", "b", "d", "c"], dtype=object),
    )
    assert order.tolist() == [3, 2, 1, 0]


def test_what_lies_on_top_keeps_its_shape():
    polygons = boxes((0, 0, 10, 10), (5, 5, 15, 15), (6, 6, 7, 7))
    cut = partition_by_order(polygons, np.array([2, 1, 0]), GAUSS)
    assert cut.rows.tolist() == [0, 1]
    assert shapely.area(cut.geometry).tolist() == [75.0, 99.0]
    assert cut.of(polygons).tolist() == [*cut.geometry, polygons[2]]
    assert shapely.area(polygons).tolist() == [100.0, 100.0, 1.0]


def test_a_polygon_eaten_whole_is_empty():
    polygons = boxes((0, 0, 10, 10), (4, 4, 5, 5), (4, 4, 5, 5))
    cut = partition_by_order(polygons, np.array([0, 1, 2]), GAUSS)
    assert cut.rows.tolist() == [1, 2]
    assert shapely.is_empty(cut.of(polygons)).tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("crs", "side", "sliver", "stays"),
    [
        (GAUSS, 10.0, 1e-8, False),
        (GAUSS, 10.0, 1e-6, True),
        (CRS.from_epsg(4490), 0.01, 1e-15, False),
        (CRS.from_epsg(4490), 0.01, 1e-13, True),
    ],
)
def test_what_rounding_leaves_of_a_polygon_is_nothing(crs, side, sliver, stays):
    """1e-6 m2 is the least that stays, in any CRS. Seen to fail when every sliver stayed, and when square degrees were metres."""
    polygons = boxes((0, 0, side, side), (0, 0, side, side - sliver))
    cut = partition_by_order(polygons, np.array([1, 0]), crs)
    assert cut.rows.tolist() == [0]
    assert bool(shapely.is_empty(cut.geometry[0])) is not stays


def test_a_partition_is_left_as_it_is():
    cells = voronoi(100, 4)
    cut = partition_by_order(cells, np.arange(len(cells)), GAUSS)
    assert len(cut.rows) == len(cut.geometry) == 0
    assert cut.of(cells).tolist() == cells.tolist()


@given(seed=st.integers(0, 2**32), count=st.integers(1, 20))
def test_the_parts_are_disjoint_and_cover_what_was_covered(seed, count):
    """Seen to fail when each polygon was cut by its next neighbour only."""
    polygons = heap(seed, count)
    order = np.random.default_rng(seed + 1).permutation(len(polygons))
    cut = partition_by_order(polygons, order, GAUSS).of(polygons)
    assert shapely.is_valid(cut).all()
    assert set(shapely.get_type_id(cut)) <= {3, 6}
    # On a lattice, where GEOS's union is sure; in floating point it was seen to lose 6 %.
    covered = shapely.union_all(polygons, grid_size=1e-7).area
    assert shapely.area(cut).sum() == pytest.approx(covered, rel=1e-9)
    assert shapely.union_all(cut, grid_size=1e-7).area == pytest.approx(covered, rel=1e-9)
    assert find_overlaps(cut, GAUSS).total < 1e-3
    on_top = np.argmin(order)
    assert cut[on_top].equals(polygons[on_top])


@given(seed=st.integers(0, 2**32), count=st.integers(1, 20))
def test_rows_may_come_in_any_order(seed, count):
    """Seen to fail when the earlier row was taken to lie on top."""
    polygons = heap(seed, count)
    rng = np.random.default_rng(seed + 1)
    order = rng.permutation(len(polygons))
    shuffled = rng.permutation(len(polygons))
    once = partition_by_order(polygons, order, GAUSS).of(polygons)
    again = partition_by_order(polygons[shuffled], order[shuffled], GAUSS).of(polygons[shuffled])
    assert shapely.to_wkb(once[shuffled]).tolist() == shapely.to_wkb(again).tolist()


def test_a_union_that_loses_area_is_not_believed(monkeypatch):
    """GEOS's floating-point union of near-coincident edges may lack a part; here it is made to."""
    honest = shapely.union_all

    def lossy(geometry, axis=None, grid_size=None):
        whole = honest(geometry, axis=axis, grid_size=grid_size)
        return whole if grid_size else shapely.intersection(whole, shapely.box(0, 0, 6, 100))

    monkeypatch.setattr(shapely, "union_all", lossy)
    polygons = boxes((0, 0, 10, 10), (5, 5, 15, 15), (2, 0, 3, 1))
    cut = partition_by_order(polygons, np.array([2, 1, 0]), GAUSS).of(polygons)
    assert shapely.area(cut).tolist() == [74.0, 100.0, 1.0]


@pytest.mark.parametrize("rows", [1, 7, 50])
def test_stripes_find_the_edges_that_the_whole_layer_shows(rows, monkeypatch):
    cells = voronoi(200, 5)
    cells[::9] = shapely.transform(cells[::9], lambda xy: xy + 0.25)
    cells = np.array([*cells, *heap(3, 5), cells[4]], dtype=object)
    whole = ~shapely.is_empty(shapely.coverage_invalid_edges(cells))
    monkeypatch.setattr(partition, "_ROWS_OF_STRIPE", rows)
    assert np.array_equal(partition._unmatched(cells), whole)
    assert 0 < whole.sum() < len(cells)


@pytest.mark.parametrize("rows", [1, 7, 50])
def test_an_empty_polygon_hides_no_overlap_in_its_stripe(rows, monkeypatch):
    """Caught: bounds that are NaN made all that lies near a stripe far."""
    overlapping = boxes((0, 0, 10, 10), (5, 5, 15, 15))
    apart = boxes(*((100 + 20 * i, 0, 110 + 20 * i, 10) for i in range(7)))
    polygons = np.array([shapely.Polygon(), *overlapping, *apart, None], dtype=object)
    monkeypatch.setattr(partition, "_ROWS_OF_STRIPE", rows)
    expected = [False, True, True] + [False] * 8
    assert partition._unmatched(polygons).tolist() == expected
    assert [row.tolist() for row in partition._meeting(polygons)] == [[1], [2]]


@given(seed=st.integers(0, 2**32), count=st.integers(1, 12), rows=st.integers(1, 5))
def test_pairs_are_the_same_in_any_batches(seed, count, rows):
    """Of any rows: pairs of which one is among them, whichever is the larger. Seen to fail with rows alone as the larger ones."""
    polygons = heap(seed, count)
    some = np.flatnonzero(np.random.default_rng(seed).random(len(polygons)) < 0.5)
    expected = {
        (i, j)
        for i in range(len(polygons))
        for j in range(i + 1, len(polygons))
        if (i in some or j in some)
        and polygons[i].intersects(polygons[j])
        and not polygons[i].touches(polygons[j])
    }
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(partition, "_PREPARED_AT_ONCE", rows)
        patched.setattr(partition, "_PAIRS_AT_ONCE", 2 * rows)
        found = partition._meeting_these(polygons, shapely.STRtree(polygons), some)
    assert sorted(map(tuple, found.tolist())) == sorted(expected)


def test_few_are_prepared_and_few_pairs_are_made_at_once(monkeypatch):
    """Stripes askew, whose boxes all meet, under one large polygon. Seen to fail with all pairs of a batch of rows at once."""
    x = np.arange(60.0)
    stripes = [shapely.Polygon([(i, 0), (i + 1.1, 0), (i + 101.1, 100), (i + 100, 100)]) for i in x]
    geometry = np.array([*stripes, shapely.box(-10, -10, 200, 50).buffer(1)])
    tree = shapely.STRtree(geometry)
    monkeypatch.setattr(partition, "_PREPARED_AT_ONCE", 7)
    monkeypatch.setattr(partition, "_PAIRS_AT_ONCE", 20)
    ever, held, pairs = [], [], []
    prepare, intersects = shapely.prepare, shapely.intersects

    def watched(given):
        ever.extend(map(id, given))
        prepare(given)
        held.append(int(shapely.is_prepared(geometry).sum()))

    def counted(one, other):
        pairs.append(len(one))
        return intersects(one, other)

    monkeypatch.setattr(shapely, "prepare", watched)
    monkeypatch.setattr(shapely, "intersects", counted)
    found = partition._meeting_these(geometry, tree, np.arange(len(geometry)))
    assert len(found) == 59 + 60
    assert len(tree.query(geometry)[0]) == 61 * 61
    assert max(held) <= 7
    assert max(pairs) <= 20
    assert sum(pairs) == 61 * 60 / 2
    assert len(ever) == len(set(ever))
    assert not shapely.is_prepared(geometry).any()


def test_the_larger_of_a_pair_is_prepared(monkeypatch):
    """What is prepared keeps the edges of all that it is held against. Seen to fail when each neighbour of a large one was prepared."""
    holed = shapely.box(0, 0, 10, 10).difference(shapely.MultiPoint([(2, 2), (5, 5)]).buffer(1))
    geometry = np.array([shapely.box(-1, y, 0.5, y + 1) for y in range(10)] + [holed])
    given_pairs = []
    for name in ("intersects", "touches"):
        real = getattr(shapely, name)

        def watched(a, b, real=real):
            given_pairs.append((shapely.get_num_coordinates(a), shapely.get_num_coordinates(b)))
            assert shapely.is_prepared(a).all()
            return real(a, b)

        monkeypatch.setattr(shapely, name, watched)
    found = partition._meeting_these(geometry, shapely.STRtree(geometry), np.arange(11))
    assert {(a, b) for a, b in found.tolist()} == {(row, 10) for row in range(10)}
    assert all((a >= b).all() for a, b in given_pairs)
    assert given_pairs
    assert not shapely.is_prepared(geometry).any()


@given(seed=st.integers(0, 2**32), count=st.integers(1, 20), crs=st.sampled_from([4549, 4490]))
def test_outlines_overlap_and_are_cut_as_their_geometries(seed, count, crs):
    """To the bit, in a plane and in degrees; holes and several parts among them. Seen to fail when geometries come in another order than that of their rows."""
    polygons, plane = heap(seed, count), CRS.from_epsg(crs)
    ring = shapely.box(100, 100, 700, 700) - shapely.box(200, 200, 600, 600)
    polygons = np.array([*polygons, ring, shapely.MultiPolygon([ring, shapely.box(800, 0, 900, 50)])])  # fmt: skip
    if plane.is_geographic:
        polygons = shapely.transform(polygons, lambda xy: xy * 1e-5 + [120, 31])
    held = Outlines.taken_out_of(polygons.copy())
    found, expected = find_overlaps(held, plane), find_overlaps(polygons, plane)
    for name in ("first", "second", "area"):
        assert getattr(found, name).tolist() == getattr(expected, name).tolist()
    order = np.random.default_rng(seed).permutation(len(polygons))
    cut, known = (partition_by_order(shapes, order, plane) for shapes in (held, polygons))
    assert cut.rows.tolist() == known.rows.tolist()
    assert shapely.to_wkb(cut.geometry).tolist() == shapely.to_wkb(known.geometry).tolist()


@pytest.mark.parametrize("overlaps", [False, True])
def test_of_outlines_no_geometry_is_made_but_at_rims_and_near_overlaps(overlaps, monkeypatch):
    """Seen to fail when all are made of which one may overlap."""
    cells = voronoi(400, 4)
    if overlaps:
        cells[200] = cells[200].buffer(5, join_style="mitre")
    held = Outlines.taken_out_of(cells.copy())
    made = []
    true = Outlines.geometries
    monkeypatch.setattr(Outlines, "geometries", lambda self, rows: made.append(len(rows)) or true(self, rows))  # fmt: skip
    assert bool(find_overlaps(held, GAUSS).area.size) == overlaps
    assert bool(partition_by_order(held, np.arange(len(cells)), GAUSS).rows.size) == overlaps
    assert 0 < max(made) < len(cells) / 2
