"""People as points and as a grid, against Python integers and loops over cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import naive
import numpy as np
import pandas as pd
import pytest
import shapely
import small_land
from affine import Affine
from hypothesis import example, given, settings
from hypothesis import strategies as st

from carbongrid.errors import InputError
from carbongrid.method.weights import Census, people_by_parcel, people_points, scale_to_census
from carbongrid.raster.overlaps import coverage

SEEDS = st.integers(0, 2**32)
SIDE = 4


@dataclass(frozen=True)
class Raster:
    values: np.ndarray
    crs: Any
    transform: Affine


def at(raster, column, row):
    t = raster.transform
    return t.a * column + t.c, t.e * row + t.f


def homes(seed, **columns):
    """Land of two kinds of homes and of other types."""
    rng = np.random.default_rng(seed)
    types = rng.choice(["urban-residential", "rural-homestead", "water", "forest"], SIDE * SIDE)
    land = small_land.parcels(small_land.bent(rng, SIDE), list(types), **columns)
    return land, np.isin(types, ["urban-residential", "rural-homestead"]), rng


def residents(rng, count=40):
    x, y = rng.integers(-700, SIDE * small_land.CELL + 700, (2, count)).astype(float)
    return pd.DataFrame({"x": x, "y": y, "thousandths": rng.integers(0, 10**6, count)})


def two_units(region_of_unit, thousandths):
    half = SIDE * small_land.CELL / 2
    units = shapely.box([-2000, half], [-2000, -2000], [half, 3000], [3000, 3000])
    return Census(units, np.array(region_of_unit), np.array(thousandths, np.int64), ("a", "b"))


COUNTS = st.lists(st.tuples(st.integers(0, 10**12), st.integers(-1, 2)), max_size=20)


@given(COUNTS, st.lists(st.integers(0, 10**13), min_size=3, max_size=3))
@example([(10**12, 0), (10**12, 0), (1, 0)], [10**13, 0, 0])
@example([(1, 0), (2, 0), (3, 0)], [3, 0, 0])
def test_census_scaling_equals_python_integers(counts, census):
    """Seen to fail with int64 products that overflow, and without the S that rounds half up."""
    expected = []
    for count, region in counts:
        whole = sum(c for c, r in counts if r == region)
        if region >= 0 and whole:
            expected.append((2 * count * census[region] + whole) // (2 * whole))
        else:
            expected.append(count)
    q, r = (np.array([pair[i] for pair in counts], np.int64) for i in (0, 1))
    assert scale_to_census(q, r, np.array(census, np.int64)).tolist() == expected


@given(SEEDS)
def test_one_person_counts_in_one_parcel(seed):
    """Seen to fail when each people category placed its own points: those between two kinds of homes came twice."""
    land, residential, rng = homes(seed)
    people = residents(rng)
    found = people_by_parcel(people, land, residential)
    total = int(people["thousandths"].sum())
    assert int(found.inside.sum() + found.snapped.sum()) + found.unplaced == total
    assert not found.inside[~residential].any()
    assert not found.snapped[~residential].any()


@given(SEEDS)
def test_the_order_of_people_does_not_matter(seed):
    """Seen to fail when a scaled count depended on the row."""
    land, residential, rng = homes(seed)
    people = residents(rng)
    shuffled = people.iloc[rng.permutation(len(people))]
    census = two_units([0, 1], [12_345_678, 7_654_321])
    one = people_by_parcel(people, land, residential, census)
    other = people_by_parcel(shuffled, land, residential, census)
    assert one.inside.tolist() == other.inside.tolist()
    assert one.snapped.tolist() == other.snapped.tolist()


def test_people_beyond_500_m_are_unplaced():
    land = small_land.parcels(small_land.squares(1), ["rural-homestead"])
    people = pd.DataFrame({"x": [600.0, 600.5, 50.0], "y": [50.0] * 3, "thousandths": [1, 10, 100]})
    found = people_by_parcel(people, land, np.array([True]))
    assert (found.inside.tolist(), found.snapped.tolist(), found.unplaced) == ([100], [1], 10)


def test_a_grid_of_the_whole_country_loses_nobody_outside_the_city():
    """All 40 cells around the city were counted as unplaced."""
    land = small_land.parcels(small_land.squares(2, 1000), ["water", "rural-homestead"] * 2)
    homes = np.array([False, True] * 2)
    values = np.full((7, 7), 1000)
    raster = Raster(values, small_land.CRS, Affine(600, 0, -1100, 0, -600, 3100))
    found = people_by_parcel(raster, land, homes)
    x = -1100 + 600 * (np.arange(7) + 0.5)
    outside = x[(x > 0) & (x < 500)].size  # columns over the water, farther than 500 m from a home
    rows = x[(x > 0) & (x < 2000)].size
    assert found.unplaced == outside * rows * 1000
    assert found.inside.sum() > 0


@pytest.mark.parametrize(("x", "y"), [(0, 1000), (2000, 1000), (1000, 0), (1000, 2000)])
def test_a_cell_centred_on_the_bounds_of_the_land_is_lost_and_one_beyond_is_not(x, y):
    """Seen to fail when the eastern bound itself was outside."""
    corner = shapely.box(0, 0, 100, 100)
    water = shapely.difference(shapely.box(0, 0, 2000, 2000), corner)
    land = small_land.parcels(np.array([corner, water]), ["rural-homestead", "water"])
    home = np.array([True, False])
    for outward, lost in ((0.0, 7), (1e-3, 0)):
        centre_x, centre_y = (at + np.sign(at - 1000) * outward for at in (x, y))
        cell = Affine(20, 0, centre_x - 10, 0, -20, centre_y + 10)
        found = people_by_parcel(Raster(np.array([[7]]), small_land.CRS, cell), land, home)
        assert found.unplaced == lost
        assert not found.inside.any() and not found.snapped.any()


def test_a_region_without_census_value_and_people_in_no_unit_keep_their_count():
    land = small_land.parcels(small_land.squares(4), ["rural-homestead"] * 16)
    people = pd.DataFrame(
        {"x": [50.0, 50.0, 350.0, 3100.0], "y": [50.0] * 4, "thousandths": [1000, 3000, 500, 7]}
    )
    found = people_by_parcel(people, land, np.ones(16, bool), two_units([0, -1], [8000]))
    assert found.inside.tolist()[:4] == [8000, 0, 0, 500]
    assert found.unplaced == 7


def test_census_people_without_any_point_are_told():
    land = small_land.parcels(small_land.squares(4), ["rural-homestead"] * 16)
    people = pd.DataFrame({"x": [50.0], "y": [50.0], "thousandths": [1000]})
    found = people_by_parcel(people, land, np.ones(16, bool), two_units([0, 1], [8000, 9000]))
    assert found.note.endswith(": b")


def slow_grid(raster, land, residential, claims_of):
    """Cell by cell, by Python integers; claims_of(area, parcel) is the claim on a cell.

    Areas are those that ``coverage`` has, held against GEOS elsewhere: where the last bit decides on a thousandth of a person, GEOS has another one now and then.
    """
    inside, rest = [0] * len(land), []
    homes_here = np.flatnonzero(residential)
    geometry = land.geometry.to_numpy()[homes_here]
    settled = [place for place, value in np.ndenumerate(raster.values) if value > 0]
    corners = [(0, 0), (1, 0), (1, 1), (0, 1)]
    cells = [
        shapely.Polygon([at(raster, column + i, row + j) for i, j in corners])
        for row, column in settled
    ]
    covered = coverage(geometry, cells).toarray()
    cut = shapely.area(shapely.intersection(geometry[:, None], np.array(cells)[None, :]))
    assert covered == pytest.approx(cut, abs=1e-9)
    for (row, column), of_cell in zip(settled, covered.T, strict=True):
        value = raster.values[row, column]
        areas = dict(zip(homes_here, of_cell, strict=True))
        touched = [p for p, area in areas.items() if area > 0]
        if not touched:
            rest.append((*at(raster, column + 0.5, row + 0.5), int(value)))
            continue
        quanta = naive.quanta([claims_of(areas[p], p) for p in touched])
        for parcel, part in zip(touched, naive.apportion(int(value), quanta), strict=True):
            inside[parcel] += part
    return inside, rest


def coarse_raster(rng):
    values = rng.integers(-1, 2000, (7, 9))
    return Raster(values, small_land.CRS, Affine(70, 0, -110, 0, -80, 460))


def slow_known(raster, land, residential):
    """Share of each home's area in the cells that have a value, cell by cell."""
    known = np.zeros(len(land))
    for (row, column), value in np.ndenumerate(raster.values):
        if value >= 0:
            west, north = at(raster, column, row)
            east, south = at(raster, column + 1, row + 1)
            known += land.geometry.intersection(shapely.box(west, south, east, north)).area
    return np.where(residential, known / land.geometry.area, 1.0)


@pytest.mark.filterwarnings("ignore:none of the polygons meets")
@given(SEEDS)
@settings(max_examples=12)
def test_a_cell_is_shared_by_area_telescoped_in_id_order(seed):
    """Seen to fail when the pairs of a cell were not sorted by parcel, and when each part was rounded by itself."""
    land, residential, rng = homes(seed)
    raster = coarse_raster(rng)
    found = people_by_parcel(raster, land, residential)
    inside, rest = slow_grid(raster, land, residential, lambda area, parcel: area)
    assert found.inside.tolist() == inside
    assert found.known == pytest.approx(slow_known(raster, land, residential), abs=1e-9)
    lone = pd.DataFrame(rest, columns=["x", "y", "thousandths"]).astype({"thousandths": "int64"})
    alone = people_by_parcel(lone, land, residential)
    assert found.snapped.tolist() == alone.snapped.tolist()
    assert found.unplaced == alone.unplaced


@pytest.mark.filterwarnings("ignore:none of the polygons meets")
@given(SEEDS)
@settings(max_examples=12)
def test_floor_area_shares_a_cell_where_it_is_known(seed):
    """Seen to fail when the floor area was not multiplied by the parcel's share in the cell."""
    floor = np.random.default_rng(seed).integers(1, 5000, SIDE * SIDE).astype(float)
    land, residential, rng = homes(seed, floor_area=floor)
    raster = coarse_raster(rng)
    found = people_by_parcel(raster, land, residential)
    area = land.geometry.area.to_numpy()
    inside, _ = slow_grid(raster, land, residential, lambda part, p: part * (floor[p] / area[p]))
    assert np.abs(found.inside - np.array(inside)).max() <= 1  # a floor may turn on the last bit
    assert found.inside.sum() == sum(inside)


def test_a_cell_where_a_floor_area_is_unknown_or_all_are_zero_goes_by_area():
    geometry = small_land.squares(2)[:2]
    raster = Raster(np.array([[1000]]), small_land.CRS, Affine(200, 0, 0, 0, -100, 100))
    for floor, expected in (
        ([900.0, 100.0], [900, 100]),
        ([np.nan, 100.0], [500, 500]),
        ([0.0, 0.0], [500, 500]),
    ):
        land = small_land.parcels(geometry, ["rural-homestead"] * 2, floor_area=floor)
        found = people_by_parcel(raster, land, np.ones(2, bool))
        assert found.inside.tolist() == expected


def test_a_negative_floor_area_is_an_error_that_names_the_parcel():
    land = small_land.parcels(
        small_land.squares(2), ["rural-homestead"] * 4, floor_area=[1.0, -1.0, np.inf, 1.0]
    )
    raster = Raster(np.array([[1000]]), small_land.CRS, Affine(200, 0, 0, 0, -200, 200))
    with pytest.raises(InputError, match="2 parcels: 0001, 0002"):
        people_by_parcel(raster, land, np.ones(4, bool))


def test_a_grid_in_another_crs_is_shared_in_its_own():
    """The cell's people are those of the parcel that fills it, whatever the projection."""
    land = small_land.parcels(small_land.squares(2, 1000), ["rural-homestead"] * 4)
    land = land.set_geometry(land.geometry.translate(40_500_000, 3_500_000))
    lonlat = land.to_crs(4326).geometry
    west, south, east, north = lonlat.total_bounds
    step = (east - west) / 40
    rows = round((north - south) / step)
    values = np.full((rows, 40), 1000)
    raster = Raster(values, "EPSG:4326", Affine(step, 0, west, 0, -step, north))
    found = people_by_parcel(raster, land, np.ones(4, bool))
    assert int(found.inside.sum() + found.snapped.sum()) + found.unplaced == int(values.sum())
    area = shapely.area(lonlat.to_numpy())
    expected = area / area.sum() * values.sum()
    assert np.abs(found.inside - expected).max() < 0.02 * values.sum()


@given(SEEDS)
@settings(max_examples=40)
def test_a_grid_is_scaled_to_the_census_by_its_cells_centres(seed):
    """Seen to fail when the region was looked up a cell too far east."""
    land, residential, rng = homes(seed)
    raster = coarse_raster(rng)
    census = two_units([0, 1], [1_000_000, 3_000_000])
    found = people_by_parcel(raster, land, residential, census)
    row, column = np.nonzero(raster.values > 0)
    counts = raster.values[row, column]
    x, _ = at(raster, column + 0.5, row + 0.5)
    region = np.where(x <= SIDE * small_land.CELL / 2, 0, 1)
    scaled = scale_to_census(counts, region, census.thousandths)
    other = raster.values.copy()
    other[row, column] = scaled
    twin = people_by_parcel(Raster(other, raster.crs, raster.transform), land, residential)
    assert found.inside.tolist() == twin.inside.tolist()
    assert found.snapped.tolist() == twin.snapped.tolist()


HALVES = shapely.box([-300, 130], [-300, -300], [130, 700], [700, 700])
"""Two units whose border cuts cells; beyond them there is nobody's land."""


def exact(raster, census=None):
    return people_points(raster, small_land.CRS, census, gpd.GeoSeries(HALVES, crs=small_land.CRS))


@given(SEEDS, st.sampled_from([100, 37, 250]))
def test_by_exact_shares_a_cell_is_shared_out_over_units(seed, side):
    """Against areas of intersections; nobody is lost. Seen to fail when a cell is its centre's, and when what lies in no unit is left out."""
    random = np.random.default_rng(seed)
    values = random.integers(-1, 10**6, (9, 8))
    raster = Raster(values, small_land.CRS, Affine(side, 0, -311, 0, -side, 590))
    told = exact(raster)
    assert told.thousandths.sum() == values[values > 0].sum()
    found = {}
    for cell, unit, count in zip(told.cell, told.unit, told.thousandths, strict=True):
        found[cell, unit] = found.get((cell, unit), 0) + count
    for cell in np.flatnonzero(values > 0):
        row, column = divmod(int(cell), 8)
        (west, north), (east, south) = at(raster, column, row), at(raster, column + 1, row + 1)
        square = shapely.box(west, south, east, north)
        shares = [square.intersection(unit).area / side**2 for unit in HALVES]
        for unit, share in ((0, shares[0]), (1, shares[1]), (-1, 1 - sum(shares))):
            expected = values.flat[cell] * share
            assert abs(found.get((cell, unit), 0) - expected) <= 1 + 1e-6


def test_by_exact_shares_the_census_counts_the_people_of_pieces():
    """By centres all of a cell was one region's."""
    raster = Raster(np.array([[3000, 1000]]), small_land.CRS, Affine(100, 0, 70, 0, -100, 100))
    census = Census(HALVES, np.array([0, 1]), np.array([3000, 5000], np.int64), ("a", "b"))
    told = exact(raster, census)
    # 1.8 people of the first cell are in the first region, 1.201 (a split in whole thousandths rounds down) in the second, as is the second cell.
    assert told.unit.tolist() == [0, 1, 1]
    assert told.thousandths.tolist() == [3000, 2728, 2272]
    land = small_land.parcels(small_land.squares(4), ["rural-homestead"] * 16)
    units = gpd.GeoSeries(HALVES, crs=small_land.CRS)
    on_land = people_by_parcel(raster, land, np.ones(16, bool), census, units)
    assert on_land.placed == 8000
    by_centre = people_points(raster, small_land.CRS, census)
    assert by_centre.thousandths.tolist() == [3000, 5000]


@given(SEEDS)
@settings(max_examples=10)
def test_by_exact_shares_a_cell_that_units_cut_is_shared_over_parcels_as_one(seed):
    """Seen to fail when the pieces of a cell were not put together again: a parcel had its share of each, rounded by itself."""
    random = np.random.default_rng(seed)
    raster = Raster(random.integers(0, 10**4, (4, 5)), small_land.CRS, Affine(97, 0, -30, 0, -97, 390))  # fmt: skip
    land = small_land.parcels(small_land.bent(random, 4), ["rural-homestead"] * 16)
    homes = random.random(16) < 0.7
    with_units = people_by_parcel(raster, land, homes, None, gpd.GeoSeries(HALVES, crs=small_land.CRS))  # fmt: skip
    without = people_by_parcel(raster, land, homes)
    assert with_units.inside.tolist() == without.inside.tolist()
    assert with_units.snapped.tolist() == without.snapped.tolist()
    assert with_units.counted == without.counted


def test_by_exact_shares_a_grid_of_nobody_is_nobody():
    raster = Raster(np.array([[-1, 0]]), small_land.CRS, Affine(100, 0, 0, 0, -100, 100))
    land = small_land.parcels(small_land.squares(2), ["rural-homestead"] * 4)
    units = gpd.GeoSeries(HALVES, crs=small_land.CRS)
    nobody = people_by_parcel(raster, land, np.ones(4, bool), None, units)
    assert (nobody.inside.sum(), nobody.unplaced, nobody.counted) == (0, 0, 0)


def test_by_exact_shares_the_grid_has_square_cells():
    for turned in (Affine(10, 0, 0, 0, -20, 0), Affine(10, 1, 0, 1, -10, 0)):
        with pytest.raises(InputError, match=r'not square.*share = "centre"'):
            exact(Raster(np.array([[7]]), small_land.CRS, turned))
    assert exact(Raster(np.array([[0, -1]]), small_land.CRS, Affine(10, 0, 0, 0, -10, 0))).cell.size == 0  # fmt: skip


def test_by_exact_shares_in_degrees():
    """Units are brought to the raster; whole cells keep their people."""
    values = np.full((6, 6), 10_000)
    raster = Raster(values, "EPSG:4326", Affine(0.001, 0, -0.003, 0, -0.001, 0.003))
    told = people_points(raster, 3857, None, gpd.GeoSeries(HALVES, crs=3857))
    assert told.thousandths.sum() == 360_000
    found = np.bincount(told.unit + 1, told.thousandths)
    cell = 111.31949079327358**2  # m2 on the plane of 3857, at the equator
    for unit, polygon in enumerate(HALVES):
        inside = polygon.intersection(shapely.box(-333.958, -333.958, 333.958, 333.958)).area
        assert found[unit + 1] == pytest.approx(10_000 * inside / cell, rel=1e-4)


def test_a_parcel_that_is_flat_in_the_plane_of_the_cells_has_nobody_of_them():
    """Nor does it end the run. Seen to fail when what collapses is kept, as a line."""
    land = small_land.parcels(small_land.squares(2), ["rural-homestead"] * 4)
    flat = shapely.Polygon([(10, 10), (90, 10), (10, 10)])
    shapes = gpd.GeoSeries([flat, *land.geometry[1:]], crs=land.crs)
    land = land.set_geometry(shapes.translate(40_500_000, 3_500_000))
    west, south, east, north = land.to_crs(4326).total_bounds
    cell = Affine(east - west, 0, west, 0, south - north, north)
    found = people_by_parcel(Raster(np.array([[3000]]), "EPSG:4326", cell), land, np.ones(4, bool))
    assert found.inside[0] == 0
    assert found.inside.sum() == 3000


def test_a_grid_that_ends_inside_the_land_is_told_by_the_share_that_it_reaches():
    """The western 60 % of a square of homes, in one CRS and in another. Seen to fail: homes beyond it had nobody, and nothing was lost."""
    land = small_land.parcels(np.array([shapely.box(0, 0, 1000, 1000), shapely.box(1000, 0, 2000, 1000), shapely.box(2000, 0, 3000, 1000)]), ["urban-residential", "urban-residential", "forest"])  # fmt: skip
    homes = np.array([True, True, False])
    raster = Raster(np.ones((20, 16), np.int64), land.crs, Affine(100, 0, 0, 0, -100, 1500))
    found = people_by_parcel(raster, land, homes)
    assert found.known.tolist() == pytest.approx([1.0, 0.6, 1.0])
    whole = Raster(np.ones((40, 60), np.int64), land.crs, Affine(100, 0, -1000, 0, -100, 2500))
    assert people_by_parcel(whole, land, homes).known.tolist() == [1.0, 1.0, 1.0]
    assert people_by_parcel(residents(np.random.default_rng(0)), land, homes).known is None


def test_what_a_grid_does_not_know_is_as_what_it_does_not_reach():
    """Two tenths of a home in cells that are no squares, and the same of degrees. Seen to fail: all of it was known, and nobody lived there."""
    home = small_land.parcels(np.array([shapely.box(0, 0, 1000, 1000)]), ["urban-residential"])
    values = np.full((10, 30), 7)
    values[5:7, 5:10] = -1
    oblong = Raster(values, home.crs, Affine(100, 0, -500, 0, -200, 1500))
    known = people_by_parcel(oblong, home, np.array([True])).known
    assert known.tolist() == pytest.approx([0.8])
    home = home.set_geometry(home.geometry.translate(40_500_000, 3_500_000))
    west, south, east, north = home.to_crs(4326).total_bounds
    turned = Affine((east - west) / 10, 0, west, 0, (south - north) / 5, north)
    cut = np.where(np.add.outer(np.arange(5), np.arange(10)) < 3, -1, 7)
    degrees = Raster(cut, "EPSG:4326", turned)
    found = people_by_parcel(degrees, home, np.array([True])).known
    assert found == pytest.approx([1 - 6 / 50], abs=1e-3)
