"""What one POI more or less does, and that the small demo's mass is all there, to the gram."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
import pytest
import shapely
import xarray as xr

from carbongrid.case.readers.coordinates import project_points, wgs84_to_gcj02
from carbongrid.pipeline import run

STUDY = {
    "industry/mining": "130.46",
    "industry/manufacturing": "12300.00",
    "industry/supply": "6905.31",
    "buildings/urban-homes": "767.06",
    "buildings/rural-homes": "537.13",
    "buildings/commerce": "1030.09",
    "buildings/public-services": "548.48",
    "transport/road": "1231.44",
    "transport/rail": "50.00",
    "transport/water": "120.00",
    "transport/air": "20.00",
    "agriculture/plantation": "94.68",
    "agriculture/husbandry": "6.02",
    "waste/industrial": "1.02",
    "waste/domestic": "287.28",
    "sink/crops": "71.96",
    "sink/land": "179.90",
}
"""The demo's category totals, 1e4 t CO2e: the study's rows; how industrial land and transport are split is made up."""

GROSS, SINK = "24028.97", "251.86"
"""The study's rows that they add up to."""

MOVES = {"060100": "buildings/commerce", "170300": "industry/manufacturing"}
"""Type of the POI that moves, and its category: one without facilities, one with."""


def grams(text: str) -> int:
    """Return grams of a mass in tonnes with six decimals, or of 1e4 t with two, digit by digit."""
    whole, _, decimals = text.partition(".")
    return int(whole + decimals) * {2: 10**8, 6: 1}[len(decimals)]


@dataclass(frozen=True)
class Files:
    """What a run's files hold, mass in grams as Python integers or int64; read without the package."""

    inventory: dict[str, int]
    ledger: dict[str, dict[str, str]]
    parcels: gpd.GeoDataFrame
    units: pd.DataFrame
    grid: xr.Dataset

    @classmethod
    def of(cls, folder: Path) -> Files:
        with xr.open_dataset(folder / "grid_1km.nc") as grid:
            return cls(
                inventory={
                    row["category"]: grams(row["mass_t"]) for row in rows_of(folder, "inventory")
                },
                ledger={row["category"]: row for row in rows_of(folder, "ledger")},
                parcels=gpd.read_parquet(folder / "parcels.parquet"),
                units=pd.DataFrame(rows_of(folder, "units")),
                grid=grid.load(),
            )

    def of_units(self, name: str) -> list[int]:
        """Return grams per unit of a category, or of ``emission`` or ``sink``."""
        return [grams(text) for text in self.units[f"{name.replace('/', '_')}_t"]]

    def in_ledger(self, category: str, column: str) -> int:
        return grams(self.ledger[category][column])


def rows_of(folder: Path, table: str) -> list[dict[str, str]]:
    with (folder / f"{table}.csv").open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def added(values: pd.Series | np.ndarray) -> int:
    return sum(np.ravel(values).tolist())


@pytest.fixture(scope="module")
def cells(small_run: Path) -> Files:
    return Files.of(small_run)


@pytest.fixture(scope="module")
def exact(small_city: Path, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Return the files of the small demo with parcels shared out by exact area."""
    case = small_city / "case-exact.toml"
    text = (small_city / "case.toml").read_text(encoding="utf-8")
    case.write_text(text.replace('reduce = "cells"', 'reduce = "exact"'), encoding="utf-8")
    out = tmp_path_factory.mktemp("exact") / "run"
    try:
        assert run(case, out).manifest["parameters"]["reduce"] == "exact"
    finally:
        case.unlink()
    return Files.of(out)


@pytest.fixture(params=["cells", "exact"])
def files(request: pytest.FixtureRequest) -> Files:
    return request.getfixturevalue(request.param)


def test_inventory_is_the_study_s(files: Files) -> None:
    assert files.inventory == {name: grams(value) for name, value in STUDY.items()}
    gross = sum(mass for name, mass in files.inventory.items() if not name.startswith("sink/"))
    assert gross == grams(GROSS)
    assert sum(files.inventory.values()) - gross == grams(SINK)


@pytest.mark.parametrize("category", STUDY)
def test_nothing_of_a_category_vanishes(files: Files, category: str) -> None:
    parcels = added(files.parcels[category])
    unallocated = files.in_ledger(category, "unallocated_t")
    outside = files.in_ledger(category, "outside_units_t")
    assert files.inventory[category] == parcels + unallocated
    assert parcels == sum(files.of_units(category)) + outside
    assert files.in_ledger(category, "units_t") == sum(files.of_units(category))


@pytest.mark.parametrize("kind", ["emission", "sink"])
def test_nothing_vanishes_on_the_way_to_cells(files: Files, kind: str) -> None:
    names = [name for name in STUDY if name.startswith("sink/") == (kind == "sink")]
    parcels = added(files.parcels[f"{kind}_g"])
    outside = sum(files.in_ledger(name, "outside_units_t") for name in names)
    assert files.grid[kind].dtype == np.int64
    assert parcels == added(files.grid[kind].to_numpy())
    assert parcels == sum(files.of_units(kind)) + outside
    assert parcels == sum(added(files.parcels[name]) for name in names)


def test_identities_of_the_indices(files: Files) -> None:
    """DESIGN section 4: ESC_i = CCR_i / CCR, and means weighted by emission are 1, 1 and CCR."""
    emission, sink = files.of_units("emission"), files.of_units("sink")
    gdp = [int(text) for text in files.units["gdp"]]
    assert min(emission) > 0
    ccr, ecc, esc = (files.units[name].astype(float) for name in ("ccr", "ecc", "esc"))
    share = [Fraction(mass, sum(emission)) for mass in emission]
    whole = sum(sink) / sum(emission)
    assert esc.tolist() == pytest.approx((ccr / whole).tolist(), rel=1e-12)
    for index, mean in ((ecc, 1.0), (esc, 1.0), (ccr, whole)):
        assert math.fsum(
            float(s) * each for s, each in zip(share, index, strict=True)
        ) == pytest.approx(mean, rel=1e-12)
    exactly = [Fraction(g, sum(gdp)) / s for g, s in zip(gdp, share, strict=True)]
    assert ecc.tolist() == pytest.approx([float(each) for each in exactly], rel=1e-12)


def eligible_parcels(parcels: gpd.GeoDataFrame, category: str) -> gpd.GeoDataFrame:
    kind = {"buildings/commerce": "commercial", "industry/manufacturing": "industrial"}[category]
    return parcels[parcels["type"] == kind]


def move_a_poi(city: Path, parcels: gpd.GeoDataFrame, kind: str, category: str) -> tuple[str, str]:
    """Move a POI to another parcel of its category, five or more in between; return from where to where."""
    table = pd.read_csv(city / "pois.csv", dtype=str)
    carriers = eligible_parcels(parcels, category)
    lon, lat = table["lon"].astype(float), table["lat"].astype(float)
    points = gpd.GeoSeries(
        gpd.points_from_xy(*project_points(lon, lat, "gcj02", parcels.crs)), crs=parcels.crs
    )
    # A POI on a border, or nearly, could be another's: well inside only.
    inside = points.sindex.query(carriers.geometry.buffer(-5.0), predicate="contains")
    rows = [
        (point, parcel) for parcel, point in inside.T.tolist() if table["typecode"][point] == kind
    ]
    point, old = min(rows, key=lambda row: row[1])
    wide = np.flatnonzero(carriers.geometry.buffer(-20.0).area > 0)
    new = int(wide[wide > old + 5][-2])
    place = shapely.maximum_inscribed_circle(carriers.geometry.iloc[new]).coords[0]
    to_degrees = pyproj.Transformer.from_crs(parcels.crs, "EPSG:4326", always_xy=True)
    x, y = wgs84_to_gcj02(*to_degrees.transform(*place))
    table.loc[point, ["lon", "lat"]] = [f"{x[0]:.6f}", f"{y[0]:.6f}"]
    table.to_csv(city / "pois.csv", index=False)
    return carriers["id"].iloc[old], carriers["id"].iloc[new]


@pytest.mark.parametrize(("kind", "category"), MOVES.items())
def test_one_poi_moves_its_share_and_no_more(
    city: Path, tmp_path: Path, cells: Files, kind: str, category: str
) -> None:
    old, new = move_a_poi(city, cells.parcels, kind, category)
    run(city / "case.toml", tmp_path / "run")
    after = Files.of(tmp_path / "run")

    ledger = cells.ledger[category]
    pois = int(ledger["weight_placed"]) + int(ledger["weight_snapped"])
    share = Fraction(cells.in_ledger(category, "by_rule_t"), pois)
    change = (after.parcels[category] - cells.parcels[category]).set_axis(cells.parcels["id"])
    assert old < new
    assert abs(change[old] + share) <= 1
    assert abs(change[new] - share) <= 1
    others = change.drop([old, new])
    between = (others.index > old) & (others.index < new)
    assert others[between].abs().max() <= 1
    assert (others[~between] == 0).all()
    assert change.sum() == 0

    same = [
        "id",
        "geometry",
        *(name for name in STUDY if name != category),
        "sink_g",
        "area_m2",
        "cells",
    ]
    assert after.parcels[same].equals(cells.parcels[same])
    assert (after.parcels["emission_g"] - cells.parcels["emission_g"]).tolist() == change.tolist()
    assert after.inventory == cells.inventory
    assert after.grid["sink"].equals(cells.grid["sink"])
    assert after.grid["covered_area"].equals(cells.grid["covered_area"])
    for name in STUDY.keys() - {category}:
        assert after.of_units(name) == cells.of_units(name)
        assert after.ledger[name] == cells.ledger[name]
    assert after.units[["id", "sink_t", "residents", "gdp"]].equals(
        cells.units[["id", "sink_t", "residents", "gdp"]]
    )
