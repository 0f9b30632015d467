from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError
from pyproj import CRS, Geod
from pyproj.crs import CompoundCRS

from carbongrid.case.readers.grid_crs import (
    crs_problems,
    decimals_of,
    equal_area_crs,
    fits,
    grid_crs,
    reproject,
    scale_problems,
    shift_problems,
    turned_problems,
    zone_suggestion,
)
from carbongrid.case.values import _projected_in_metres, crs_of_points
from carbongrid.errors import InputError
from carbongrid.outputs.report.notes import note_in_chinese

SUZHOU = (120.2, 30.8, 121.1, 31.9)
IN_CRS = {
    4490: SUZHOU,
    4326: SUZHOU,
    4528: (40_420_000.0, 3_410_000.0, 40_510_000.0, 3_530_000.0),
    4549: (420_000.0, 3_410_000.0, 510_000.0, 3_530_000.0),
    3857: (13_380_000.0, 3_610_000.0, 13_480_000.0, 3_750_000.0),
}


def swapped(bounds):
    west, south, east, north = bounds
    return south, west, north, east


@pytest.mark.parametrize("code", IN_CRS)
def test_right_coordinates_fit(code):
    assert fits(CRS.from_epsg(code), IN_CRS[code])
    assert crs_problems(CRS.from_epsg(code), IN_CRS[code], "f") == []


@pytest.mark.parametrize("code", [4490, 4326, 4528, 4549])
def test_swapped_axes_are_told(code):
    problems = crs_problems(CRS.from_epsg(code), swapped(IN_CRS[code]), "parcels.gpkg")
    assert len(problems) == 1
    assert "axes seem swapped" in problems[0].hint


def test_coordinates_of_another_crs_are_told():
    (problem,) = crs_problems(CRS.from_epsg(4490), IN_CRS[4549], "f")
    assert "outside the area of use" in problem.what
    (problem,) = crs_problems(CRS.from_epsg(4549), IN_CRS[4528], "f")
    assert "EPSG:4528" in problem.hint
    (problem,) = crs_problems(CRS.from_epsg(4549), SUZHOU, "f")
    assert "outside the area of use" in problem.what
    (problem,) = crs_problems(CRS.from_epsg(4549), (0.0, 0.0, np.inf, 1.0), "f")
    assert "not finite" in problem.what


@pytest.mark.parametrize("zone", range(25, 46))
def test_zones_of_three_degrees(zone):
    code = 4513 + zone - 25
    assert f"EPSG:{code}" in zone_suggestion((zone * 1e6 + 4e5, 3.4e6, zone * 1e6 + 6e5, 3.5e6))
    crs = CRS.from_epsg(code)
    assert f"3-degree Gauss-Kruger zone {zone}" in crs.name
    assert "CGCS2000" in crs.name
    easting = {p.name: p.value for p in crs.coordinate_operation.params}["False easting"]
    assert easting == zone * 1e6 + 500_000


@pytest.mark.parametrize("zone", range(13, 24))
def test_zones_of_six_degrees(zone):
    code = 4491 + zone - 13
    assert f"EPSG:{code}" in zone_suggestion((zone * 1e6 + 4e5, 3.4e6, zone * 1e6 + 6e5, 3.5e6))
    easting = {p.name: p.value for p in CRS.from_epsg(code).coordinate_operation.params}
    assert easting["False easting"] == zone * 1e6 + 500_000


def test_no_crs_is_answered_with_the_zone():
    (problem,) = crs_problems(None, IN_CRS[4528], "parcels.shp")
    assert "no CRS" in problem.what
    assert "EPSG:4528" in problem.hint
    (problem,) = crs_problems(None, swapped(IN_CRS[4528]), "parcels.shp")
    assert "EPSG:4528" in problem.hint
    assert "swapped" in problem.hint
    (problem,) = crs_problems(None, IN_CRS[4549], "parcels.shp")
    assert "EPSG" not in problem.hint
    assert zone_suggestion((24_400_000.0, 0.0, 24_600_000.0, 1.0)) == ""


@given(
    west=st.floats(-170, 169), south=st.floats(-80, 79), width=st.floats(0.01, 10), height=st.floats(0.01, 10)
)  # fmt: skip
def test_the_equal_area_plane_is_centred_in_whole_degrees_and_keeps_areas(
    west, south, width, height
):
    """Seen to fail with a Lambert conformal plane."""
    bounds = (west, south, west + width, min(south + height, 85.0))
    crs = equal_area_crs(bounds)
    centre = {p.name: p.value for p in crs.coordinate_operation.params}
    assert centre["Longitude of natural origin"] == round(west + width / 2)
    assert centre["Latitude of natural origin"] == round((south + bounds[3]) / 2)
    middle = (west + width / 2, (south + bounds[3]) / 2)
    square = shapely.segmentize(shapely.Point(middle).buffer(0.005, cap_style="square"), 1e-4)
    planar = reproject(np.array([square], dtype=object), CRS.from_epsg(4326), crs)[0].area
    true = abs(Geod(ellps="WGS84").geometry_area_perimeter(square)[0])
    assert planar == pytest.approx(true, rel=1e-6)


def test_the_grids_plane():
    source = CRS.from_epsg(4528)
    bounds = IN_CRS[4528]
    chosen = grid_crs(SimpleNamespace(grid=SimpleNamespace(crs=None)), bounds, source)
    assert chosen.geodetic_crs == CRS.from_epsg(4490)
    assert "31 N 121 E" in chosen.name or "31 N 120 E" in chosen.name
    named = grid_crs(SimpleNamespace(grid=SimpleNamespace(crs="EPSG:4549")), bounds, source)
    assert named == CRS.from_epsg(4549)
    with pytest.raises(InputError, match="projected, in metres"):
        grid_crs(SimpleNamespace(grid=SimpleNamespace(crs="EPSG:4490")), bounds, source)


def test_reprojection_puts_x_first():
    point = np.array([shapely.Point(120.6, 31.3)], dtype=object)
    moved = reproject(point, CRS.from_epsg(4490), CRS.from_epsg(4549))[0]
    assert 500_000 < moved.x < 600_000
    assert 3_400_000 < moved.y < 3_500_000
    back = reproject(np.array([moved], dtype=object), CRS.from_epsg(4549), CRS.from_epsg(4490))[0]
    assert (back.x, back.y) == pytest.approx((120.6, 31.3), abs=1e-9)


ACROSS = {
    3460: (1_900_000.0, 3_800_000.0, 2_300_000.0, 4_000_000.0),
    3832: (3_000_000.0, -2_000_000.0, 3_700_000.0, -1_700_000.0),
    32760: (700_000.0, 8_000_000.0, 900_000.0, 8_200_000.0),
    4326: (177.0, -19.0, 182.0, -16.0),
}


@pytest.mark.parametrize("code", ACROSS)
def test_land_across_the_antimeridian_fits_and_has_its_plane_above_it(code):
    """Seen to fail: the bounds ran from -180 to 180, the land lay outside its CRS, or the plane was centred on Greenwich."""
    source, bounds = CRS.from_epsg(code), ACROSS[code]
    assert crs_problems(source, bounds, "parcels.gpkg") == []
    plane = grid_crs(SimpleNamespace(grid=SimpleNamespace(crs=None)), bounds, source)
    named = grid_crs(SimpleNamespace(grid=SimpleNamespace(crs="EPSG:3832")), bounds, source)
    assert named == CRS.from_epsg(3832)
    assert scale_problems(plane, _moved(bounds, source, plane), "") == []
    # A rectangle over the border is as large as it is, and in one piece.
    box = reproject(shapely.segmentize([shapely.box(*bounds)], np.ptp(bounds[::2]) / 50), source, plane)  # fmt: skip
    ring = shapely.get_coordinates(reproject(box, plane, CRS.from_epsg(4326)))
    area = abs(Geod(ellps="WGS84").polygon_area_perimeter(*ring.T)[0])
    assert shapely.area(box[0]) == pytest.approx(area, rel=1e-3)


def _moved(bounds, source, target):
    return tuple(shapely.total_bounds(reproject(np.array([shapely.box(*bounds)]), source, target)))


def test_the_plane_of_land_beyond_180_is_named_by_a_longitude_that_there_is():
    plane = equal_area_crs((180.5, -19.0, 182.0, -16.0))
    assert plane.name == "Lambert azimuthal equal-area, -18 N -179 E"


def test_degrees_that_leap_at_the_antimeridian_are_refused_in_words():
    """Seen to fail with a plane centred on Greenwich, in which Fiji lies on the rim of the earth."""
    for crs in (None, "EPSG:3832"):
        with pytest.raises(InputError, match=r"antimeridian.*beyond 180"):
            grid_crs(
                SimpleNamespace(grid=SimpleNamespace(crs=crs)),
                (-180.0, -19.0, 180.0, -16.0),
                CRS.from_epsg(4326),
            )


NO_MAPS = {
    'LOCAL_CS["site",UNIT["metre",1]]': "not a CRS on the earth's surface",
    "EPSG:5773": "not a CRS on the earth's surface",
    "EPSG:4978": "in space",
    "+proj=geocent +ellps=WGS84 +type=crs": "in space",
    "+proj=ob_tran +o_proj=longlat +o_lon_p=0 +o_lat_p=40 +lon_0=10 +type=crs": "poles elsewhere",
}


@pytest.mark.parametrize("text", NO_MAPS)
def test_a_crs_that_is_none_of_maps_is_refused_with_the_file(text):
    """Seen to fail: without the file, with a plane at latitude 3,010,000, or with an error of pyproj."""
    (problem,) = crs_problems(CRS.from_user_input(text), (120.0, 31.0, 120.2, 31.2), "parcels.gpkg")
    assert problem.where == "parcels.gpkg"
    assert NO_MAPS[text] in problem.what
    assert "Reproject" in problem.hint
    with pytest.raises(PydanticCustomError, match="maps"):
        crs_of_points(text)
    with pytest.raises(PydanticCustomError, match=r"maps|projected CRS in metres"):
        _projected_in_metres(text)


def test_a_plane_with_heights_is_none_for_a_grid():
    with pytest.raises(PydanticCustomError, match="projected CRS in metres"):
        _projected_in_metres("EPSG:7415")
    assert _projected_in_metres("EPSG:28992") == "EPSG:28992"


def test_the_middles_of_the_sides_are_in_the_area_of_use_too():
    """Of a conic map of the USA: the corners of the northern side lie at 50.8 N, its middle at 53.5 N. Seen to fail by the corners alone."""
    conus = CRS.from_epsg(5070)
    assert fits(conus, (-2.0e6, 1.0e6, 2.0e6, 3.2e6))
    assert not fits(conus, (-2.0e6, 1.0e6, 2.0e6, 3.38e6))


@pytest.mark.parametrize(("source", "told"), [(4214, True), (4610, True), (4555, True), (4326, False), (4490, False), (3857, False)])  # fmt: skip
def test_datums_without_a_known_way_between_them_are_told(source: int, told: bool) -> None:
    """Beijing 1954, Xian 1980 and New Beijing. Seen to fail: PROJ took their degrees for those of CGCS 2000, some 70 m off, and nobody was told."""
    bounds = IN_CRS.get(source, SUZHOU)
    found = shift_problems(CRS.from_epsg(source), CRS.from_epsg(4549), bounds, "units.gpkg")
    assert [each.level for each in found] == ["warning"] * told
    assert all("no shift is applied here" in each.what for each in found)


@pytest.mark.parametrize("heights", [False, True])
def test_a_way_to_wgs84_that_a_crs_brings_is_kept_by_the_plane(heights: bool) -> None:
    """Seen to: points in degrees of WGS 84 lay 600 m beside parcels whose file tells the shift, in a plane made from these, and so they did where it also tells heights."""
    shift = "+towgs84=598.1,73.7,418.2,0.202,0.045,-2.455,6.7"
    bessel = CRS("+proj=tmerc +lat_0=47 +lon_0=9.3 +ellps=bessel +units=m +type=crs " + shift)
    if heights:
        bessel = CRS(CompoundCRS("with heights", [bessel, "EPSG:5783"]))  # as a file has it
    case, bounds = SimpleNamespace(grid=SimpleNamespace(crs=None)), (10e3, 10e3, 30e3, 30e3)
    plane = grid_crs(case, bounds, bessel)
    assert shift_problems(CRS.from_epsg(4326), plane, (9.4, 47.1, 9.6, 47.3), "pois.csv") == []
    place = np.array([shapely.Point(20e3, 20e3)], dtype=object)
    found, there = (
        reproject(place, bessel, each)[0] for each in (plane, CRS.from_proj4("+proj=longlat"))
    )
    straight = reproject(np.array([there], dtype=object), CRS.from_epsg(4326), plane)[0]
    assert found.distance(straight) < 1e-3


@pytest.mark.parametrize(("crs", "decimals"), [("EPSG:4549", 4), ("EPSG:2263", 4), ("EPSG:4326", 9), ("+proj=utm +zone=32 +units=km +type=crs", 7), ("EPSG:29371", 4), ("EPSG:3167", 6)])  # fmt: skip
def test_coordinates_are_rounded_to_a_tenth_of_a_millimetre(crs: str, decimals: int) -> None:
    assert decimals_of(CRS(crs)) == decimals


@pytest.mark.parametrize(("code", "bounds", "centre"), [(27572, (593_787.0, 2_420_190.0, 600_266.0, 2_425_390.0), (2.2967, 48.8036)), (4807, (0.0, 54.1, 0.1, 54.3), (2.3822, 48.78)), (4818, (34.0, 49.0, 34.3, 49.3), (16.4833, 49.15))])  # fmt: skip
def test_longitudes_from_paris_and_ferro_are_where_they_are(code, bounds, centre):
    """Seen to: Paris in its old Lambert zone, whose degrees are grads, was refused as outside its area of use, and so was all that counts from Ferro."""
    source = CRS.from_epsg(code)
    assert crs_problems(source, bounds, "f") == []
    plane = grid_crs(SimpleNamespace(grid=SimpleNamespace(crs=None)), bounds, source)
    assert scale_problems(plane, _moved(bounds, source, plane), "") == []
    middle = reproject(np.array([shapely.Point(centre)], dtype=object), CRS.from_epsg(4326), plane)[
        0
    ]
    assert abs(middle.x) < 5e4  # the plane's centre is in whole degrees from Greenwich
    west, south, east, north = _moved(bounds, source, plane)
    assert middle.distance(shapely.Point((west + east) / 2, (south + north) / 2)) < 200


def test_a_projection_that_proj_does_not_have_is_told() -> None:
    """The Faroes' old grid, which counts to the west. Seen to end in a ProjError."""
    with pytest.raises(InputError, match="no way is known between ETRS89 / Faroe Lambert and"):
        crs_problems(CRS.from_epsg(3145), (2e5, 8.5e5, 2.1e5, 8.6e5), "f")


def test_longitudes_may_go_on_beyond_180_by_more_than_a_margin() -> None:
    """Chukotka, as the message on land that is cut at 180 asks for. Seen to: it was outside the area of use of WGS 84."""
    assert crs_problems(CRS.from_epsg(4326), (158.0, 62.0, 190.5, 71.0), "f") == []
    assert crs_problems(CRS.from_epsg(4326), (158.0, 62.0, 361.0, 71.0), "f") != []
    assert crs_problems(CRS.from_epsg(4490), (158.0, 62.0, 190.5, 71.0), "f") != []


def test_a_datum_with_a_known_way_is_no_warning() -> None:
    """Switzerland's old survey to Europe's, by a way that PROJ has without a grid."""
    bounds = (600_000.0, 190_000.0, 610_000.0, 200_000.0)
    assert shift_problems(CRS.from_epsg(21781), CRS.from_epsg(3035), bounds, "f") == []
    modis = CRS.from_proj4("+proj=sinu +R=6371007.181")
    assert shift_problems(modis, CRS.from_epsg(4528), (1.1e7, 3.4e6, 1.11e7, 3.5e6), "f") == []


@pytest.mark.parametrize(
    ("longitudes", "odd"),
    [
        ((31.1, 31.2, 331.2, 31.3), "1 of 4 points: row 4 (331.2); the others run from 31.1 to 31.3"),
        ((120.5, 220.5, 220.6), "2 of 3 points: row 3 (220.5), row 4 (220.6); the others run from 120.5 to 120.5"),
        ((-58.4, -58.5, -258.4), "1 of 3 points: row 4 (-258.4); the others run from -58.5 to -58.4"),
        ((301.5, 301.6), None),  # all of a layer from 0 to 360
        ((166.4, 177.5, 186.8), None),  # Chukotka
        ((140.0, 148.0, 181.0), None),  # Sakhalin, and Chukotka's east
        ((177.4, 178.4, 180.1), None),  # Fiji
        ((172.9, 185.0, 220.0), None),  # Alaska
        ((0.1, 359.9, 2.3), None),  # London
        ((0.3, 3.0, 343.8), None),  # Spain
        ((-180.0, 180.0), None),
        ((10.0, 100.0, 140.0, 260.0, 290.0), None),  # the world
    ],
)  # fmt: skip
def test_a_longitude_far_from_all_others_is_told(longitudes, odd):
    """Seen to count as land elsewhere without a word: degrees may go on beyond 180."""
    names = np.array([f"row {row + 2}" for row in range(len(longitudes))], object)
    asked = np.array(longitudes), names, "a.csv", "points"
    found = turned_problems(CRS.from_epsg(4326), *asked)
    assert len(found) == (odd is not None)
    for each in found:
        assert each.level == "warning"
        assert each.what.endswith(f"far from the others, at {odd}")
        assert note_in_chinese(str(each)).startswith(f"a.csv：{len(longitudes)} 个点中有 ")
    assert not turned_problems(CRS.from_epsg(32636), *asked)


@pytest.mark.parametrize("count", [3, 40, 1500])
def test_a_few_features_outside_the_area_of_use_are_named(count):
    """Seen to say that the CRS is perhaps another one, of a layer of which one corner was typed wrong."""
    random = np.random.default_rng(count)
    corner = random.uniform((119.0, 30.0), (121.0, 32.0), (count, 2))
    boxes = np.concatenate([corner, corner + 0.01], axis=1)
    boxes[1, 2] += 50  # one corner
    names = np.array([f"u{row}" for row in range(count)], object)
    around = (*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0))
    [problem] = crs_problems(CRS.from_epsg(4490), around, "units.gpkg", (boxes, names))
    assert problem.what.startswith(f"1 of {count:,} features lies outside the area of use")
    assert ": u1 (x 1" in problem.what
    assert problem.what.count("(x ") == 1
    # All of them: the CRS is another one. So are most of them, or half.
    for some in (slice(None), slice(count // 2, None)):
        elsewhere = boxes.copy()
        elsewhere[some, 0::2] += 50
        around = (*elsewhere[:, :2].min(axis=0), *elsewhere[:, 2:].max(axis=0))
        [problem] = crs_problems(CRS.from_epsg(4490), around, "f", (elsewhere, names))
        assert problem.what.startswith("coordinates lie outside")
        assert problem.hint == "Check which CRS the coordinates are in."
    # Of features without a geometry nothing is said.
    boxes[2] = np.nan
    [problem] = crs_problems(CRS.from_epsg(4490), around, "f", (boxes, names))
    assert problem.what.startswith(f"1 of {count - 1:,} features") == (count > 3)
