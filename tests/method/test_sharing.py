"""Where the mass of a parcel goes that no cell centre hits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from scipy import sparse

from carbongrid.method.parcel_mass import ParcelMass
from carbongrid.method.sharing import (
    Shares,
    coarse_cell_of,
    load_shares,
    reduce_to_cells,
    reduce_to_units,
    save_shares,
    share_by_cells,
    shares_of_areas,
    with_water_rule,
)
from carbongrid.raster.chunked import Counts, label_and_count
from carbongrid.raster.grid import Grid
from carbongrid.raster.polygons import Polygons


def test_cells_are_counted_from_the_north_west_and_points_on_the_rim_belong_to_the_last() -> None:
    """Caught: rows counted from the south."""
    grid = Grid("EPSG:32650", 1000.0, (0.0, 0.0, 3000.0, 2000.0))
    x, y = np.array([500.0, 2500.0, 1500.0, 3000.0]), np.array([1500.0, 500.0, 1999.0, 0.0])
    assert coarse_cell_of(grid, x, y).tolist() == [0, 5, 1, 5]


def test_a_speck_belongs_to_the_unit_and_the_coarse_cell_in_which_it_lies(tmp_path: Path) -> None:
    """Caught: everything snapped to the first unit."""
    halves = [shapely.box(0, 0, 1000, 1000), shapely.box(1000, 0, 2000, 1000)]
    specks = [shapely.box(1501, 501, 1503, 503), shapely.box(501, 501, 503, 503)]
    land = np.array([*halves, *specks])
    grid = Grid("EPSG:32650", 10.0, (0.0, 0.0, 2000.0, 1000.0), snap=1000.0)
    store = tmp_path / "labels.zarr"
    counts = label_and_count(
        Polygons.of(land, grid.crs),
        Polygons.of(np.array(halves), grid.crs),
        grid,
        1000.0,
        store,
    )
    parcels, units = (
        gpd.GeoDataFrame(geometry=shapes, crs="EPSG:32650") for shapes in (land, halves)
    )
    shares = share_by_cells(parcels, units, counts, grid.coarsen(1000.0))
    assert shares.snapped.tolist() == [False, False, True, True]
    assert shares.units.toarray()[2:].tolist() == [[0, 1, 0], [1, 0, 0]]
    assert shares.cells.toarray()[2:].tolist() == [[0, 1], [1, 0]]


def test_a_speck_belongs_to_the_unit_of_its_point_and_not_of_its_cell(tmp_path: Path) -> None:
    """Seen to fail: a speck in a cell whose centre lies in the unit beside, or in none, was the neighbour's, or nobody's."""
    units = np.array([shapely.box(0, 0, 570, 1000), shapely.box(570, 0, 930, 1000)])
    specks = np.array([shapely.box(575, 501, 595, 520), shapely.box(905, 501, 925, 520)])
    grid = Grid("EPSG:32650", 100.0, (0.0, 0.0, 1000.0, 1000.0))
    store = tmp_path / "labels.zarr"
    polygons = [Polygons.of(shapes, grid.crs) for shapes in (specks, units)]
    counts = label_and_count(*polygons, grid, 1000.0, store)
    frames = [gpd.GeoDataFrame(geometry=shapes, crs=grid.crs) for shapes in (specks, units)]
    shares = share_by_cells(*frames, counts, grid.coarsen(1000.0))
    assert shares.snapped.all()
    assert shares.units.toarray().tolist() == [[0, 1, 0], [0, 1, 0]]


def mass(*grams: int) -> ParcelMass:
    return ParcelMass.of(np.array(grams, np.int64))


def two_parcels() -> Shares:
    """The first is half in each of two cells by land, and by lights a tenth in the first; the second is in the second alone."""
    by_land, by_lights = (sparse.csr_array(np.array(rows)) for rows in ([[5, 5], [0, 3]], [[1, 9], [0, 4]]))  # fmt: skip
    none = np.zeros(2, np.int64)
    return Shares(by_land, by_land, none, none.astype(np.bool_), {"lights.tif": (by_lights, by_lights)})  # fmt: skip


def test_a_sector_adds_up_what_follows_land_and_what_follows_a_raster() -> None:
    """Worked out on paper. Seen to fail where a sector's second raster took the place of its first, and with one split for both."""
    masses = [mass(100, 8), mass(1000, 0), mass(300, 0), mass(0, 7), mass(40, 2)]
    sectors = ["industry", "industry", "transport", "aaa", ""]
    structures = ["", "lights.tif", "", "", "lights.tif"]
    found = reduce_to_cells(masses, sectors, structures, two_parcels(), (1, 2))
    fields = {name: field.ravel().tolist() for name, field in found.by_sector.items()}
    # Equation (1)'s sectors first, then a user's own.
    assert list(fields) == ["industry", "transport", "aaa"]
    assert fields == {"industry": [50 + 100, 50 + 8 + 900], "transport": [150, 150], "aaa": [0, 7]}
    assert found.emission.tolist() == [[300, 1115]]
    assert found.sink.tolist() == [[4, 38]]


def test_odd_grams_of_sectors_stay_in_their_cell() -> None:
    """Three parts of one gram in two cells: by themselves, each would lie in the second."""
    masses = [mass(1, 0), mass(1, 0), mass(1, 0)]
    found = reduce_to_cells(masses, ["industry", "transport", "waste"], [""] * 3, two_parcels(), (1, 2))  # fmt: skip
    assert found.emission.tolist() == [[1, 2]]
    fields = np.stack(list(found.by_sector.values()))
    assert fields.sum(axis=0).tolist() == [[1, 2]]
    assert fields.sum(axis=(1, 2)).tolist() == [1, 1, 1]
    assert fields.min() == 0


def test_where_nothing_emits_there_is_no_sector() -> None:
    found = reduce_to_cells([mass(9, 4)], [""], [""], two_parcels(), (1, 2))
    assert (found.by_sector, found.emission.tolist(), found.sink.tolist()) == ({}, [[0, 0]], [[4, 9]])  # fmt: skip
    none = reduce_to_cells([], [], [], two_parcels(), (1, 2))
    assert (none.by_sector, none.emission.tolist(), none.sink.tolist()) == ({}, [[0, 0]], [[0, 0]])


def test_what_lies_outside_counts_from_a_thousand_millionth_of_a_parcel_on() -> None:
    """Seen to pass where less than a hundredth was given to the units."""
    area = np.array([100.0, 100.0])
    in_units = sparse.csr_array(np.array([[99.5, 5e-8], [100 - 5e-8, 0.0]]))
    found = shares_of_areas(area, in_units, sparse.csr_array(np.array([[100.0], [100.0]])))
    np.testing.assert_allclose(found.units.toarray(), [[99.5, 0, 0.5], [100, 0, 0]], atol=1e-7)
    assert (found.units.toarray() == 0).tolist() == [[False, True, False], [False, True, True]]


def test_where_a_raster_says_nothing_units_and_cells_follow_land() -> None:
    """Seen to pass with cells that stayed empty, and with what is known held against the largest parcel."""
    by_land, lights = (sparse.csr_array(np.array(rows)) for rows in ([[6, 4], [0, 4]], [[0.0, 0.0], [0.0, 2.5]]))  # fmt: skip
    path, shares = Path("lights.tif"), replace(two_parcels(), rasters={})
    counts = Counts(by_land, by_land, {path: (lights, lights)}, {path: np.array([0, 1])}, {path: np.array([0.0, 2.5])})  # fmt: skip
    found = shares.with_rasters(counts, ["lights"])
    assert [each.toarray().tolist() for each in found.rasters["lights"]] == [[[5, 5], [0, 2.5]]] * 2
    assert found.raster_sums["lights"].tolist() == [0, 2.5]
    assert found.raster_known["lights"].tolist() == [0, 0.25]


def test_mass_of_snapped_parcels_and_outside_is_told_by_category() -> None:
    shares = replace(two_parcels(), snapped=np.array([False, True]))
    found = reduce_to_units([mass(100, 8), mass(0, 3)], ["", "lights.tif"], shares)
    assert (found.units.tolist(), found.outside.tolist()) == ([[50, 0]], [58, 3])
    assert found.snapped.tolist() == [8, 3]


def test_water_outside_is_given_away_by_rasters_too() -> None:
    parcels = gpd.GeoDataFrame({"id": ["a", "b"], "type": ["water", "arable"]}, geometry=shapely.box([0, 9], 0, [1, 10], 1), crs=32650)  # fmt: skip
    units = gpd.GeoDataFrame({"id": ["u"]}, geometry=[shapely.box(0, 0, 1, 1)], crs=32650)
    found = with_water_rule(two_parcels(), parcels, units, "nearest")
    assert found.units.toarray().tolist() == [[10, 0], [0, 3]]
    assert found.rasters["lights.tif"][0].toarray().tolist() == [[10, 0], [0, 4]]
    assert with_water_rule(found, parcels, units, "ledger") is found


def test_shares_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    """Seen to pass without the first parcel that was snapped."""
    shares = replace(
        two_parcels(),
        snapped=np.array([True, False]),
        fine_cells=np.array([0, 7]),
        raster_sums={"lights.tif": np.array([10.0, 4.0])},
        raster_known={"lights.tif": np.array([0.5, 1.0])},
    )
    save_shares(tmp_path / "overlap.npz", shares, ("p", "u"))
    found = load_shares(tmp_path / "overlap.npz")
    assert found.snapped.tolist() == [True, False]
    assert found.fine_cells.tolist() == [0, 7]
    assert found.raster_sums["lights.tif"].tolist() == [10, 4]
    assert found.raster_known["lights.tif"].tolist() == [0.5, 1]
    pairs = [(found.units, shares.units), (found.cells, shares.cells), *zip(found.rasters["lights.tif"], shares.rasters["lights.tif"], strict=True)]  # fmt: skip
    for one, other in pairs:
        assert one.toarray().tolist() == other.toarray().tolist()
