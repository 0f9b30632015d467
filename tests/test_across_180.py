"""Whole runs of land on both sides of the antimeridian, and of land in a CRS that brings its own way to WGS 84."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import CRS

from carbongrid.case import Case
from carbongrid.errors import InputError
from carbongrid.pipeline import run
from carbongrid.pipeline.verification import verify

PLANE = "+proj=laea +lat_0=-17 +lon_0=180 +datum=WGS84 +units=m +type=crs"
"""In which the land is drawn, near Fiji: four squares of 1 km on either side of the antimeridian."""
BOUND = (
    "+proj=tmerc +lat_0=-17 +lon_0=178.75 +k=0.99985 +x_0=2000000 +y_0=4000000 +ellps=intl "
    "+towgs84=265.025,384.929,-194.046,0,0,0,0 +units=m +type=crs"
)
BEYOND = "degrees beyond 180"
TOTALS = "category,value,unit\nbuildings/urban-homes,1000,t CO2e\nagriculture/plantation,700,t CO2e\n"  # fmt: skip


def squares(inside: float = 0) -> gpd.GeoDataFrame:
    """Eight squares, each drawn in by so many metres."""
    boxes = [shapely.box(x, y, x + 1, y + 1) for y in (0, 1) for x in range(-2, 2)]
    metres = shapely.buffer(shapely.transform(boxes, lambda xy: 1000 * xy), -inside)
    return gpd.GeoDataFrame(geometry=shapely.segmentize(metres, 250), crs=PLANE)


def in_crs(name: str) -> gpd.GeoDataFrame:
    """Return the squares in a CRS, or in degrees that go on beyond 180."""
    if name != BEYOND:
        return squares().to_crs(name)
    shapes = squares().to_crs(4326).geometry.to_numpy()
    onward = shapely.transform(shapes, lambda xy: np.column_stack([xy[:, 0] % 360, xy[:, 1]]))
    return gpd.GeoDataFrame(geometry=onward, crs=4326)


def case_of(folder: Path, land: gpd.GeoDataFrame, suffix: str = ".gpkg", **grid: str) -> Case:
    """Write the case: homes and fields by turns, a unit each, people in degrees that leap."""
    numbers = range(len(land))
    parcels = land.assign(BSM=[f"p{row}" for row in numbers], DLBM=["0701", "0101"] * 4)
    units = land.assign(code=[f"{row:02}" for row in numbers])
    for name, layer in (("parcels", parcels), ("units", units)):
        path = folder / f"{name}{suffix}"
        layer.to_parquet(path) if suffix == ".parquet" else layer.to_file(path)
    (folder / "totals.csv").write_text(TOTALS, encoding="utf-8")
    places = squares().centroid.to_crs(4326)
    rows = [f"{place.x!r},{place.y!r},{10 + row}" for row, place in enumerate(places)]
    text = "\n".join(["lon,lat,residents", *rows[::2], ""])
    (folder / "people.csv").write_text(text, encoding="utf-8")
    values = {
        "year": 2020,
        "grid": {"resolution": 100, **grid},
        "parcels": {"path": f"parcels{suffix}", "code_system": "tdland3"},
        "units": {"path": f"units{suffix}"},
        "totals": {"path": "totals.csv"},
        "people": {"path": "people.csv", "crs": "EPSG:4326"},
    }
    return Case.of(values, folder / "case.toml")


@pytest.mark.parametrize(
    ("land", "suffix", "grid"),
    [
        ("EPSG:3460", ".gpkg", None),
        pytest.param("EPSG:3460", ".gpkg", "EPSG:3460", marks=pytest.mark.thorough),
        pytest.param("EPSG:3832", ".gpkg", "EPSG:3832", marks=pytest.mark.thorough),
        pytest.param("EPSG:32760", ".gpkg", None, marks=pytest.mark.thorough),
        (BEYOND, ".gpkg", "EPSG:3832"),
        pytest.param(BEYOND, ".parquet", None, marks=pytest.mark.thorough),
        pytest.param(BOUND, ".gpkg", None, marks=pytest.mark.thorough),
        (BOUND, ".parquet", BOUND),
    ],
)
def test_land_on_both_sides_of_180_is_one_land(
    tmp_path: Path, land: str, suffix: str, grid: str | None
) -> None:
    assert CRS(BOUND).is_bound
    case = case_of(tmp_path, in_crs(land), suffix, **({"crs": grid} if grid else {}))
    result = run(case, tmp_path / "run")
    people = [10, 12, 14, 16]
    expected = [[1000 * each / sum(people), 700 / 4] for each in people]
    emission = result.units.sort_index()["emission_t"].to_numpy()
    assert emission == pytest.approx(np.ravel(expected), rel=0.02)
    assert emission.sum() == pytest.approx(1700, abs=1e-9)
    # Not around the earth: eight squares in two rows of four.
    west, south, east, north = result.units.total_bounds
    assert max(east - west, north - south) < 5000
    assert verify(result.directory).ok


def test_degrees_that_leap_from_180_to_minus_180_are_refused(tmp_path: Path) -> None:
    leaping = squares(inside=1).to_crs(4326)
    assert np.ptp(leaping.total_bounds[::2]) > 359
    with pytest.raises(InputError, match=r"antimeridian.*Store them with longitudes that go on"):
        run(case_of(tmp_path, leaping), tmp_path / "run")
    assert not (tmp_path / "run").exists()
