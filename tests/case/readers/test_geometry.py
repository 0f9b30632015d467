from __future__ import annotations

import numpy as np
import pytest
import shapely
from geodata_layers import voronoi
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyproj import CRS, Geod
from shapes import polygons, valid_polygons

from carbongrid.case.readers import geometry as module
from carbongrid.case.readers.geometry import (
    geodesic_area,
    missing_problems,
    normal_form,
    normalize_geometry,
    normalize_outlines,
    only_polygons,
    polygon_problems,
    repair_polygons,
    reproject_outlines,
    taken_in,
    without_crossings,
)
from carbongrid.case.readers.grid_crs import reproject
from carbongrid.raster.polygons.outlines import Outlines
from carbongrid.raster.row_blocks import row_blocks

GAUSS = CRS.from_epsg(4549)
LONLAT = CRS.from_epsg(4490)


def array(*wkt):
    return np.array(
        [None if text is None else shapely.from_wkt(text) for text in wkt], dtype=object
    )


def names(count):
    return np.array([f"p{row}" for row in range(count)], dtype=object)


def other_form(polygon, rng, noise):
    """Return the same polygon: rings turned, started elsewhere, holes and parts in another order."""

    def ring(coordinates):
        open_ring = np.asarray(coordinates)[:-1, :2]
        open_ring = np.roll(open_ring, rng.integers(len(open_ring)), axis=0)
        if rng.integers(2):
            open_ring = open_ring[::-1]
        moved = open_ring + rng.uniform(-noise, noise, open_ring.shape)
        return np.vstack([moved, moved[:1]])

    parts = list(shapely.get_parts(polygon))
    rng.shuffle(parts)
    made = []
    for part in parts:
        holes = [ring(hole.coords) for hole in part.interiors]
        rng.shuffle(holes)
        made.append(shapely.Polygon(ring(part.exterior.coords), holes))
    return shapely.MultiPolygon(made)


@given(seed=st.integers(0, 2**32))
def test_the_same_polygon_has_one_form(seed):
    """Noise of a 20th of a rounding step, as scaled integers leave it, changes no bit either.

    Seen to fail without shapely.normalize, and without the rounding.
    """
    rng = np.random.default_rng(seed)
    x, y = np.round(rng.uniform(0, 1e6, 2), 4)
    hole = shapely.box(x + 0.5, y + 0.5, x + 2.25, y + 4.0001)
    other = shapely.box(x + 5, y + 5, x + 6, y + 6)
    holed = shapely.box(x, y, x + 10.0003, y + 10).difference(hole).difference(other)
    polygons = [holed, shapely.MultiPolygon([holed, shapely.box(x + 20, y, x + 25, y + 7)])]
    once = normalize_geometry(np.array(polygons, dtype=object), decimals=4)
    forms = np.array([other_form(one, rng, 5e-6) for one in polygons], dtype=object)
    again = normalize_geometry(forms, decimals=4)
    assert shapely.to_wkb(once).tolist() == shapely.to_wkb(again).tolist()
    assert once[0].geom_type == "Polygon"
    assert (geodesic_area(once, GAUSS) == geodesic_area(again, GAUSS)).all()
    assert (
        shapely.to_wkb(normalize_geometry(once, decimals=4)).tolist()
        == shapely.to_wkb(once).tolist()
    )


def test_rounding_that_would_spoil_a_polygon_is_left_out():
    needle = array(
        "POLYGON ((0 0, 0.00003 0, 0.00002 10, 0 0))", "POLYGON ((0 0, 1.00004 0, 1 1, 0 0))"
    )
    assert shapely.is_valid(needle).all()
    done = normalize_geometry(needle, decimals=4)
    assert shapely.is_valid(done).all()
    assert done[0].area == pytest.approx(needle[0].area)
    assert shapely.get_coordinates(done[1]).max() == 1.0


def test_rows_are_rounded_each_by_itself():
    """Round ones, needles that rounding would spoil, null and empty ones, in any order. Seen to fail when a row takes the place of another."""
    rows = array(
        "POLYGON ((0 0, 0.00003 0, 0.00002 10, 0 0))",
        "POLYGON ((2 0, 3 0, 3 1, 2 0))",
        None,
        "POLYGON ((0 0, 1.00004 0, 1 1, 0 0))",
        "POLYGON EMPTY",
        "MULTIPOLYGON (((9 9, 10 9, 10 10, 9 9)), ((5 5, 6.00007 5, 6 6, 5 5)))",
    )
    for order in (np.arange(6), np.array([5, 2, 0, 4, 3, 1])):
        together = normalize_geometry(rows[order], decimals=4)
        alone = [normalize_geometry(rows[[row]], decimals=4)[0] for row in order]
        assert shapely.to_wkb(together).tolist() == shapely.to_wkb(alone).tolist()
    assert shapely.get_coordinates(together[4]).max() == 1.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), EMPTY)", "POLYGON ((0 0, 1 0, 1 1, 0 0))"),
        ("POLYGON ((0 0, 9 0, 9 9, 0 0), EMPTY)", "POLYGON ((0 0, 9 0, 9 9, 0 0))"),
        (
            "MULTIPOLYGON (EMPTY, ((0 0, 9 0, 9 9, 0 0), EMPTY, (4 1, 5 1, 5 2, 4 1)), ((20 0, 21 0, 21 1, 20 0)))",
            "MULTIPOLYGON (((0 0, 9 0, 9 9, 0 0), (4 1, 5 1, 5 2, 4 1)), ((20 0, 21 0, 21 1, 20 0)))",
        ),
        ("MULTIPOLYGON (EMPTY, EMPTY)", "MULTIPOLYGON (EMPTY, EMPTY)"),
        ("POLYGON EMPTY", "POLYGON EMPTY"),
    ],
)  # fmt: skip
def test_empty_parts_and_rings_are_dropped(text, expected):
    """GEOS takes them for valid, and crashes where it asks what such a polygon covers."""
    both = [shapely.from_wkt(each) for each in (text, expected)]
    plain = shapely.box(0, 0, 1, 1)
    made = normalize_geometry(np.array([plain, both[0], plain], dtype=object), decimals=4)
    assert made[1].normalize().wkb == both[1].normalize().wkb
    assert made[0].wkb == made[2].wkb == plain.normalize().wkb


def test_heights_are_dropped_and_degrees_are_rounded_finer():
    solid = array("POLYGON Z ((0 0 5, 1 0 5, 1 1 5, 0 0 5))")
    assert not shapely.has_z(normalize_geometry(solid, decimals=4)).any()
    degrees = array("POINT (120.1234567894 31)")
    assert normalize_geometry(degrees, decimals=9)[0].x == 120.123456789
    assert normalize_geometry(degrees, decimals=4)[0].x == 120.1235


def test_null_stays_null():
    assert normalize_geometry(array(None, "POINT (1 2)"), decimals=4)[0] is None


@pytest.mark.parametrize("crs", [GAUSS, LONLAT])
def test_geodesic_area_is_that_of_pyproj(crs):
    cells = voronoi(40, 3)
    west, south, scale = (500_000, 3_400_000, 1.0) if crs is GAUSS else (120.0, 31.0, 1e-5)
    cells = shapely.transform(cells, lambda xy: xy * scale + [west, south])
    holed = np.array(
        [shapely.difference(cell, shapely.buffer(shapely.centroid(cell), 20 * scale)) for cell in cells],
        dtype=object,
    )  # fmt: skip
    holed[0] = shapely.MultiPolygon([holed[0], cells[5]])
    lonlat = reproject(holed, crs, LONLAT)
    geod = LONLAT.get_geod()
    assert isinstance(geod, Geod)
    expected = [
        abs(geod.geometry_area_perimeter(shapely.orient_polygons(one))[0]) for one in lonlat
    ]
    assert geodesic_area(holed, crs) == pytest.approx(expected, rel=1e-9)
    assert geodesic_area(holed[:0], crs).tolist() == []


@pytest.mark.parametrize(
    ("crs", "box"),
    [
        ("EPSG:27572", (600_000, 2_400_000, 601_000, 2_401_000)),
        ("EPSG:4807", (1.0, 52.0, 1.01, 52.01)),
    ],
)
def test_areas_where_degrees_are_grads(crs, box):
    """Seen to fail: parcels of old French maps were 10 % too large, grads being taken for degrees."""
    crs, square = CRS.from_user_input(crs), np.array([shapely.box(*box)], dtype=object)
    assert geodesic_area(square, crs) == pytest.approx(
        geodesic_area(reproject(square, crs, LONLAT), LONLAT), rel=1e-4
    )


def test_long_edges_are_measured_too():
    """A country of three corners, and a parcel beside it."""
    country = shapely.Polygon([(100, 30), (110, 30), (105, 40)])
    parcel = shapely.box(100, 30, 100.001, 30.001)
    geod = LONLAT.get_geod()
    expected = [
        abs(geod.polygon_area_perimeter(*shapely.get_coordinates(one).T)[0])
        for one in (country, parcel)
    ]
    found = geodesic_area(np.array([country, parcel], dtype=object), LONLAT)
    assert found == pytest.approx(expected, rel=1e-8)


@given(seed=st.integers(0, 2**32))
def test_area_does_not_depend_on_the_company(seed):
    """Seen to fail when areas were differences of one running sum over all rings."""
    cells = shapely.transform(voronoi(12, 1), lambda xy: np.add(xy, [500_000, 3_400_000]))
    order = np.random.default_rng(seed).permutation(len(cells))
    assert (geodesic_area(cells[order], GAUSS) == geodesic_area(cells, GAUSS)[order]).all()


CORPUS = [
    ("POLYGON ((0 0, 1 1, 1 0, 0 1, 0 0))", "Self-intersection"),
    ("POLYGON ((0 0, 4 0, 4 4, 2 4, 2 6, 2 4, 0 4, 0 0))", "Self-intersection"),
    ("POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 5 1, 5 2, 1 2, 1 1))", "Self-intersection"),
    ("POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (8 8, 9 8, 9 9, 8 8))", "Hole lies outside shell"),
    ("POLYGON ((0 0, 1 0, 0 0, 0 0))", "Too few points|Self-intersection"),
    ("MULTIPOLYGON (((0 0, 2 0, 2 2, 0 2, 0 0)), ((1 1, 3 1, 3 3, 1 3, 1 1)))", "Self-intersection|Overlapping"),
]  # fmt: skip


@pytest.mark.parametrize(("wkt", "reason"), CORPUS)
def test_invalid_polygons_are_listed_with_their_reason(wkt, reason):
    polygons = array("POLYGON ((0 0, 1 0, 1 1, 0 0))", wkt)
    (problem,) = polygon_problems(polygons, names(2), "f")
    assert "p1 (" in problem.what
    assert "p0" not in problem.what
    assert any(one in problem.what for one in reason.split("|"))
    assert "repair = true" in problem.hint


def test_valid_polygons_and_gaps_between_them_are_fine():
    assert polygon_problems(voronoi(20, 2), names(20), "f") == []


def test_other_geometry_is_listed():
    some = array(
        "POINT (0 0)",
        "POLYGON ((0 0, 1 0, 1 1, 0 0))",
        None,
        "POLYGON EMPTY",
        "LINESTRING (0 0, 1 1)",
    )
    (problem,) = polygon_problems(some, names(5), "f")
    assert "2 geometries are not polygons: p0 (Point), p4 (LineString)" in problem.what
    (problem,) = missing_problems(some, names(5), "f")
    assert "p2, p3" in problem.what


def test_repair_reports_the_change():
    spiked = array(
        "POLYGON ((0 0, 400 0, 400 400, 200 400, 200 600, 200 400, 0 400, 0 0))", CORPUS[0][0]
    )
    spiked = shapely.transform(spiked, lambda xy: np.add(xy, [500_000, 3_400_000]))
    repair = repair_polygons(spiked[:1], GAUSS, names(1), "f")
    assert [problem.level for problem in repair.problems] == ["warning"]
    assert "1 invalid polygons were repaired" in repair.problems[0].what
    assert repair.geometry[0].is_valid
    assert repair.geometry[0].area == 160_000


def test_repair_keeps_the_polygons_of_a_collection():
    """Seen to be refused with repair, and without a way out."""
    box = (
        "POLYGON ((500000 3400000, 500400 3400000, 500400 3400400, 500000 3400400, 500000 3400000))"
    )
    mixed = array(f"GEOMETRYCOLLECTION ({box}, LINESTRING (500000 3400000, 500001 3400000))", box, "GEOMETRYCOLLECTION (POINT (0 0))")  # fmt: skip
    (problem,) = polygon_problems(mixed[:2], names(2), "f")
    assert problem.hint.endswith("or set repair = true, which keeps the polygons of a collection.")
    for others, hint in ((mixed[:2], "Mend them in a GIS."), (mixed[2:], "Mend them in a GIS, or set repair = true.")):  # fmt: skip
        (problem,) = polygon_problems(others, names(2), "f", hint)
        assert problem.hint == "Take out what is no polygon in a GIS."
    repair = repair_polygons(mixed, GAUSS, names(3), "f")
    (told,) = repair.problems
    assert str(told) == "f: 1 collections were read as their polygons, without lines and points: p0"
    assert told.level == "warning"
    assert repair.geometry[0].area == 160_000
    (problem,) = polygon_problems(repair.geometry, names(3), "f")
    assert "p2 (GeometryCollection)" in problem.what
    spiked = shapely.GeometryCollection([shapely.Polygon([(0, 0), (400, 0), (400, 400), (200, 400), (200, 600), (200, 400), (0, 400)])])  # fmt: skip
    spiked = shapely.transform(np.array([spiked]), lambda xy: np.add(xy, [500_000, 3_400_000]))
    (told,) = repair_polygons(spiked, GAUSS, names(1), "f").problems
    assert (
        "1 invalid polygons were repaired" in told.what
    )  # seen to be told to be without lines and points, too
    assert repair.geometry[0].area == 160_000


def test_repair_that_changes_more_than_a_hundredth_is_an_error():
    """A bowtie has no area, and two triangles after repair: nobody knows what was meant."""
    bowtie = shapely.transform(array(CORPUS[0][0]), lambda xy: xy * 100 + [500_000, 3_400_000])
    repair = repair_polygons(bowtie, GAUSS, names(1), "f")
    assert repair.problems[0].level == "error"
    assert "by more than 1 %: p0 (0.0 to" in repair.problems[0].what
    sound = voronoi(5, 1)
    assert repair_polygons(sound, GAUSS, names(5), "f").geometry is sound


def test_only_polygons():
    mixed = array(
        "GEOMETRYCOLLECTION (LINESTRING (0 0, 1 1), POLYGON ((0 0, 1 0, 1 1, 0 0)), MULTIPOLYGON (((5 5, 6 5, 6 6, 5 5))))",
        "LINESTRING (0 0, 1 1)",
        "POLYGON ((0 0, 1 0, 1 1, 0 0))",
        "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((9 9, 9.001 9, 9 9.001, 9 9)))",
    )
    done = only_polygons(mixed, 1e-4)
    assert [one.geom_type for one in done] == ["MultiPolygon", "Polygon", "Polygon", "Polygon"]
    assert shapely.area(done).tolist() == [1.0, 0.0, 0.5, 0.5]
    assert done[1].is_empty


def held(geometry):
    outlines = Outlines.taken_out_of(geometry.copy())
    assert outlines is not None
    return outlines


def binary(geometry):
    return shapely.to_wkb(np.asarray(geometry, dtype=object)).tolist()


HOLED = shapely.box(0, 0, 9, 9) - shapely.box(1, 1, 2, 2)
TWICE_HOLED = HOLED - shapely.box(4, 4, 5, 5)
KINDS = np.array(
    [
        shapely.box(0, 0, 3, 3),
        HOLED.reverse(),
        TWICE_HOLED,
        shapely.MultiPolygon([HOLED]),
        shapely.MultiPolygon([shapely.box(20, 0, 24, 4), TWICE_HOLED]),
        shapely.from_wkt("POLYGON ((0 0, 0.00003 0, 0.00002 10, 0 0))"),
        shapely.from_wkt("POLYGON ((0 0, 1.00004 0, 1 1, 0 0))"),
        shapely.from_wkt("POLYGON ((0 0, 1.00004 0, 1 1, 0 0, 0 0))"),
        shapely.from_wkt("POLYGON ((0 0, 1 0, 1 0, 1 1, 0 1, 0 0))"),
        shapely.Polygon([(-0.0, 3.0), (-0.00001, -0.0), (2, -0.00001)]),
        shapely.Polygon([(0, 0), (9, 0), (9, 9), (5, 0.00003), (0, 9)]),
    ],
    dtype=object,
)
"""Holes, several parts, one part in a collection; what rounding spoils and what it does not; corners that are there twice; -0.0."""


@settings(max_examples=3 * settings.default.max_examples)
@given(valid_polygons(most=6), st.booleans())
@example(KINDS, False)
@example(shapely.transform(KINDS, lambda xy: xy * 1e-5 + 31), True)
@example(KINDS[:0], False)
def test_outlines_have_the_form_of_their_geometries(shapes, geographic):
    """To the bit. Seen to fail when what rounding spoils is rounded, when holes are not sorted, and when others take the places of rows that GEOS brings into form."""
    once = normalize_outlines(held(shapes), decimals=9 if geographic else 4)
    expected = normalize_geometry(shapes, decimals=9 if geographic else 4)
    assert binary(once.geometries()) == binary(expected)
    again = normalize_outlines(once, decimals=9 if geographic else 4)
    assert binary(again.geometries()) == binary(
        normalize_geometry(expected, decimals=9 if geographic else 4)
    )


@pytest.mark.parametrize("block", [1, 3, 20_000])
def test_blocks_of_outlines_do_not_matter(block, monkeypatch):
    monkeypatch.setattr(module, "row_blocks", lambda size: row_blocks(size, block))
    whole = held(KINDS)
    found = normalize_outlines(whole, decimals=4)
    assert binary(found.geometries()) == binary(normalize_geometry(KINDS, decimals=4))
    assert binary(whole.geometries()) == binary(KINDS)
    moved = reproject_outlines(held(gauss()), GAUSS, LONLAT)
    assert binary(moved.geometries()) == binary(normal_form(reproject(gauss(), GAUSS, LONLAT)))


def test_of_most_outlines_no_geometry_is_made(monkeypatch):
    """Of a layer of 60 parcels, with as many digits as there are. Seen to fail when GEOS is asked of all that rounding changes."""
    made = []
    true = Outlines.geometries

    def counted(self, rows=None):
        found = true(self, rows)
        made.append(len(found))
        return found

    shapes = np.array([*voronoi(60, 3), TWICE_HOLED], dtype=object)
    outlines = held(shapes)
    monkeypatch.setattr(Outlines, "geometries", counted)
    normal = normalize_outlines(outlines, decimals=4)
    reproject_outlines(normal, GAUSS, LONLAT)
    assert polygon_problems(normal, names(61), "f") == []
    assert max(made) == 1


def gauss():
    return shapely.transform(KINDS[[0, 1, 2, 3, 4, 8]], lambda xy: xy * 100 + [500_000, 3_400_000])


@given(valid_polygons(most=4), st.sampled_from([(0.0, 0.0), (1e6, 1e5), (-2e5, 4e4)]))
def test_outlines_are_moved_as_their_geometries(shapes, away):
    """To the bit. Seen to fail when holes are not sorted again, and when a ring begins where it began."""
    shapes = shapely.transform(shapes, lambda xy: xy % 1e4 + [500_000, 3_400_000] + away)
    shapes = shapes[shapely.is_valid(shapes)]
    for source, target in ((GAUSS, LONLAT), (GAUSS, CRS.from_epsg(32651))):
        moved = normal_form(reproject(shapes, source, target))
        valid = shapely.is_valid(moved)  # a corner a few of the last bits from an edge may cross it
        found = reproject_outlines(held(shapes[valid]), source, target)
        assert binary(found.geometries()) == binary(moved[valid])


def test_outlines_stay_in_their_own_crs():
    outlines = held(gauss()[::-1])
    assert reproject_outlines(outlines, GAUSS, CRS.from_epsg(4549)) is outlines


@given(valid_polygons(most=6), st.sampled_from(["EPSG:4549", "EPSG:4490", "EPSG:4807"]))
def test_areas_of_outlines_are_those_of_their_geometries(shapes, crs):
    """To the bit: in planes, in degrees and in grads. Seen to fail when rings stay turned."""
    crs = CRS.from_user_input(crs)
    size, away = (1.0, [500_000, 3_400_000]) if crs.is_projected else (1e-3, [1.0, 31.0])
    shapes = shapely.transform(shapes, lambda xy: xy % 1e4 * size + away)
    found = geodesic_area(held(shapes), crs)
    assert found.tobytes() == geodesic_area(shapes, crs).tobytes()
    assert len(found) == len(shapes)


@given(polygons(most=6))
@example(KINDS)
@example(array(*(wkt for wkt, _ in CORPUS)))
def test_problems_of_outlines_are_those_of_their_geometries(shapes):
    """With the same names and reasons. Seen to fail when names are those of the first rows, and when holes are not asked about."""
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    told = polygon_problems(held(shapes), names(len(shapes)), "f")
    assert told == polygon_problems(shapes, names(len(shapes)), "f")
    assert missing_problems(held(shapes), names(len(shapes)), "f") == []
    assert missing_problems(shapes, names(len(shapes)), "f") == []


def test_polygons_are_taken_in_flat_and_without_what_is_empty():
    """Seen to fail when heights keep polygons out, and when an empty part does."""
    rows = array(
        "POLYGON Z ((0 0 5, 1 0 5, 1 1 5, 0 0 5))",
        "POLYGON M ((0 0 5, 1 0 5, 1 1 5, 0 0 5))",
        "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), EMPTY)",
        "POLYGON ((0 0, 9 0, 9 9, 0 0), EMPTY)",
        "POLYGON ((0 0, 1 0, 1 1, 0 0))",
    )
    flat = array(
        *["POLYGON ((0 0, 1 0, 1 1, 0 0))"] * 2,
        "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))",
        "POLYGON ((0 0, 9 0, 9 9, 0 0))",
        "POLYGON ((0 0, 1 0, 1 1, 0 0))",
    )
    found = taken_in(rows)
    assert found is not None
    assert binary(found.geometries()) == binary(flat)
    assert not rows.any()


@pytest.mark.parametrize(
    "odd", [None, "POINT (1 1)", "POLYGON EMPTY", "MULTIPOLYGON (EMPTY)", "GEOMETRYCOLLECTION (POLYGON ((0 0, 1 0, 1 1, 0 0)))", "POLYGON ((0 0, 1e101 0, 1 1, 0 0))"]
)  # fmt: skip
def test_what_is_not_taken_in_stays(odd):
    """But for heights."""
    rows = array("POLYGON Z ((0 0 5, 1 0 5, 1 1 5, 0 0 5))", odd)
    before = shapely.force_2d(rows)
    assert taken_in(rows) is None
    assert binary(rows) == binary(before)


@pytest.mark.parametrize(
    ("source", "notch"),
    [
        (LONLAT, [(119.995, 31), (119.995, 31.001), (119.99995, 31.001), (120, 31.00000001), (120.00005, 31.001), (120.005, 31.001), (120.005, 31)]),
        (GAUSS, [(499950, 3399900), (499950, 3400000), (500050, 3400000), (500050, 3399900), (500005, 3399900), (500000, 3399999.9999), (499995, 3399900)]),
    ],
    ids=["lowest", "highest"],
)  # fmt: skip
def test_a_corner_that_moves_across_an_edge_is_mended(source, notch):
    """A straight edge is bent in another plane; a corner a millimetre from it lies beyond it then, lowest or highest of all. Seen to fail when what bends into a crossing stays, which was laid over units without a word."""
    shapes = np.array([shapely.Polygon(notch)], dtype=object)
    assert shapely.is_valid(shapes).all()
    target = GAUSS if source is LONLAT else LONLAT
    moved = reproject(shapes, source, target)
    assert not shapely.is_valid(moved).any()
    there = reproject_outlines(held(shapes), source, target)
    assert binary(there.geometries()) == binary(normal_form(moved))
    mended, rows = without_crossings(there)
    found = mended.geometries()
    assert rows.tolist() == [0]
    assert shapely.is_valid(found).all()
    expected = shapely.make_valid(moved, method="structure", keep_collapsed=False)
    assert binary(found) == binary(normal_form(expected))
