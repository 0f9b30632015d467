"""The whole pipeline on small random cities: nothing lost, and nothing that should not matter matters."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from shapes import partition

from carbongrid.outputs.result import Result
from carbongrid.pipeline import run

EXAMPLES = int(os.environ.get("CARBONGRID_EXAMPLES", "4"))
HELD: Counter[str] = Counter()
"""How many cities there were, and how often was compared what not every city can be asked."""
CRS, SIDE = "EPSG:32650", 3000.0
EAST, NORTH = 500_000.0, 3_400_000.0
COARSE_CELLS = (2000.0, -1000.0)
"""Moved by so much, a city has the same coarse cells."""
CODES = ["0601", "0701", "0702", "0101", "0301", "1003", "1101"]
NAMES = [
    "industry/manufacturing",
    "buildings/urban-homes",
    "agriculture/plantation",
    "waste/industrial",
    "sink/forest",
]
CASE = """
year = 2020
[grid]
crs = "EPSG:32650"
resolution = 50
coarse = 1000
[parcels]
path = "parcels.gpkg"
id = "id"
land_use = "code"
code_system = "tdland3"
area_field = "area"
[units]
path = "units.gpkg"
id = "id"
[pois]
path = "pois.csv"
x = "x"
y = "y"
crs = "EPSG:32650"
type = "kind"
crosswalk = "kinds.csv"
[people]
path = "people.csv"
x = "x"
y = "y"
crs = "EPSG:32650"
count = "residents"
[totals]
path = "totals.csv"
[gdp]
path = "gdp.csv"
by = "unit"
currency = "CNY"
[allow]
unallocated = {names}
fallback = {names}
lost = {names}
outside = {names}
"""


@dataclass(frozen=True)
class City:
    """A city in tables."""

    parcels: gpd.GeoDataFrame
    units: gpd.GeoDataFrame
    pois: pd.DataFrame
    people: pd.DataFrame
    totals: dict[str, int]
    gdp: dict[str, int]

    def run(self, folder: Path, chunks: int = 2048) -> Result:
        """Write the city and run it."""
        folder.mkdir()
        self.parcels.to_file(folder / "parcels.gpkg")
        self.units.to_file(folder / "units.gpkg")
        self.pois.to_csv(folder / "pois.csv", index=False)
        self.people.to_csv(folder / "people.csv", index=False)
        (folder / "kinds.csv").write_text(
            "poi_type,category\nworks,industry/manufacturing\n", encoding="utf-8"
        )
        rows = [
            f"{name},{grams // 10**6}.{grams % 10**6:06d},t CO2e"
            for name, grams in self.totals.items()
        ]
        (folder / "totals.csv").write_text(
            "\n".join(["category,value,unit", *rows]), encoding="utf-8"
        )
        rows = [f"{unit},{value}" for unit, value in self.gdp.items()]
        (folder / "gdp.csv").write_text("\n".join(["region,value", *rows]), encoding="utf-8")
        names = "[" + ", ".join(f'"{name}"' for name in self.totals) + "]"
        (folder / "case.toml").write_text(CASE.replace("{names}", names), encoding="utf-8")
        return run(folder / "case.toml", folder / "run", chunks=chunks)


def _here(xy: np.ndarray) -> np.ndarray:
    return xy + np.array([EAST, NORTH])


@st.composite
def cities(draw: st.DrawFn) -> City:
    """Any city. Amounts come of the seed: Hypothesis begins with the least of what it draws, which is a city of 1 g and no GDP."""
    return city_of(
        draw(st.integers(0, 2**20)),
        parcels=draw(st.integers(10, 40)),
        units=draw(st.integers(4, 8)),
        pois=draw(st.integers(5, 30)),
        people=draw(st.integers(20, 60)),
    )


def city_of(seed: int, *, parcels: int, units: int, pois: int, people: int) -> City:
    """Return a city of so many parcels beside three specks, units with the gap, and points."""
    random = np.random.default_rng(seed)
    land = partition(parcels, SIDE, seed)
    # The first unit is left out: a gap.
    gap, *outlines = partition(units, SIDE, seed + 1)
    # Parcels smaller than a cell: beside the land, in the gap, in a unit.
    west, south = random.uniform(100, 200, 2)
    specks = [
        shapely.box(SIDE + west, south, SIDE + west + 7, south + 9),
        *(_speck_within(land, outline) for outline in (gap, outlines[-1])),
    ]
    land = shapely.difference(land, shapely.union_all(specks))
    shapes = np.concatenate([land, specks])
    of_parcels = gpd.GeoDataFrame(
        {
            "id": [f"{i:04d}" for i in range(len(shapes))],
            "code": random.permutation([*CODES, *random.choice(CODES, len(shapes) - len(CODES))]),
            "area": shapely.area(shapes).round(2) + 1,
        },
        geometry=shapely.transform(shapes, _here),
        crs=CRS,
    )
    of_units = gpd.GeoDataFrame(
        {"id": [f"u{i}" for i in range(len(outlines))]},
        geometry=shapely.transform(outlines, _here),
        crs=CRS,
    )
    works = _points(random, pois).assign(kind="works")
    residents = _points(random, people)
    residents["residents"] = random.integers(0, 5000, people) / 8
    totals = {name: int(random.integers(10**9, 10**15)) for name in NAMES}
    gdp = {unit: int(random.integers(1, 10**12)) for unit in of_units["id"]}
    return City(of_parcels, of_units, works, residents, totals, gdp)


def _speck_within(land: np.ndarray, outline: shapely.Polygon) -> shapely.Polygon:
    """Return a box of 7 by 9 m in the parcel that has most in common with an outline, far from the edges of both."""
    common = shapely.intersection(land, outline)
    circle = shapely.maximum_inscribed_circle(common[np.argmax(shapely.area(common))], 1.0)
    x, y = np.round(shapely.get_coordinates(circle)[0])
    assert shapely.length(circle) > 10
    return shapely.box(x - 3, y - 4, x + 4, y + 5)


def _points(random: np.random.Generator, count: int) -> pd.DataFrame:
    places = _here(random.uniform(0, SIDE, (count, 2))).round(1)
    return pd.DataFrame({"x": places[:, 0], "y": places[:, 1]})


def told_by(result: Result) -> dict[str, list[int]]:
    """What a run says, in grams: by parcel, by unit, by cell; and the zones."""
    return {
        "parcels": result.parcels[NAMES].to_numpy().ravel().tolist(),
        "units": [gram for name in ("emission_t", "sink_t") for gram in grams(result, "units", name)],
        "zones": result.units["zone"].tolist(),
        "cells": [*result.grid_1km["emission"].to_numpy().ravel().tolist(), *result.grid_1km["sink"].to_numpy().ravel().tolist()],
    }  # fmt: skip


def grams(result: Result, table: str, column: str) -> list[int]:
    """Tonnes as they are written, with six decimals: a float would be a gram off above 2^52."""
    cells = pd.read_csv(result.directory / f"{table}.csv", dtype=str, encoding="utf-8-sig")[column]
    assert all(cell[-7] == "." for cell in cells)
    return [int(cell.replace(".", "")) for cell in cells]


@pytest.fixture(scope="module", params=[1, pytest.param(10, marks=pytest.mark.thorough)])
def plain(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[City, Result]:
    """A city and its run, which the tests of the default suite share."""
    city = city_of(request.param, parcels=12, units=5, pois=20, people=30)
    return city, city.run(tmp_path_factory.mktemp("city") / "plain")


def test_a_small_city_told_in_another_way(plain: tuple[City, Result], tmp_path: Path) -> None:
    """All that changes nothing at once; the thorough test has each by itself.

    Seen to fail with a gram dropped in the split to units, with parcels in the order of their file, and without the snap of what no
    cell centre hits.
    """
    city, first = plain
    told = told_by(first)
    HELD.clear()
    conservation(city, first, told)
    evidence(city, first)
    identities(first)
    assert HELD["identities"] == 1
    other = shuffled(moved(renamed(city), COARSE_CELLS), np.random.default_rng(0))
    assert told_by(other.run(tmp_path / "other", chunks=64)) == told


def test_a_unit_of_a_small_city_cut_in_two(plain: tuple[City, Result], tmp_path: Path) -> None:
    """Seen to fail with shares by the squares of the cells in common."""
    HELD.clear()
    refined_units(*plain, tmp_path)
    assert HELD["refined units"] == 1


@pytest.mark.thorough
def test_a_whole_city() -> None:
    """Caught: what is compared of some cities only was compared of none, and one city that was taken for several."""
    HELD.clear()
    hold_in_a_city()
    assert HELD.pop("cities") == EXAMPLES >= 4
    kinds = {"identities", "refined units", "moved by coarse cells", "moved by fine cells"}
    assert set(HELD) == kinds


@settings(max_examples=EXAMPLES, derandomize=True, phases=[Phase.generate])
@given(cities(), st.integers(0, 2**20))
def hold_in_a_city(city: City, seed: int) -> None:
    """Caught: a remainder dropped in the split to units; a snap that forgot what no cell centre hits."""
    HELD["cities"] += 1
    random = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = city.run(folder / "plain")
        told = told_by(first)
        conservation(city, first, told)
        evidence(city, first)
        identities(first)
        assert told_by(shuffled(city, random).run(folder / "shuffled", chunks=64)) == told
        assert told_by(renamed(city).run(folder / "renamed")) == told
        moves(city, told, folder, by_coarse_cells=bool(seed % 2))
        refined_units(city, first, folder)


def conservation(city: City, result: Result, told: dict[str, list[int]]) -> None:
    """The three equations of DESIGN section 3, with ``==``."""
    ledger = result.ledger["category"].tolist()
    lost, outside = (grams(result, "ledger", name) for name in ("unallocated_t", "outside_units_t"))
    for category, total in city.totals.items():
        rows = [row for row, name in enumerate(ledger) if name == category]
        on_land = int(result.parcels[category].sum())
        assert total == on_land + sum(lost[row] for row in rows)
        in_units = sum(grams(result, "units", f"{category.replace('/', '_')}_t"))
        assert on_land == in_units + sum(outside[row] for row in rows)
    sink = int(result.parcels["sink_g"].sum())
    assert sum(told["cells"]) == int(result.parcels["emission_g"].sum()) + sink


def evidence(city: City, result: Result) -> None:
    """What the city gave of each kind is what was used and lost, in thousandths."""
    table = result.evidence.set_index("category")
    given, used, lost = (
        (1000 * table[name]).round().astype("int64") for name in ("given", "used", "lost")
    )
    assert (given == used + lost).all()
    assert given["industry/manufacturing"] == 1000 * len(city.pois)
    assert given["buildings/urban-homes"] == round(1000 * city.people["residents"].sum())
    assert set(table.index) == set(city.totals)


def identities(result: Result) -> None:
    """Where every unit has an emission and GDP is known: means by share of emission, and ESC = CCR_i/CCR (DESIGN section 4)."""
    units = result.units
    if (units["emission_t"] <= 0).any() or units["ecc"].isna().any() or units["gdp"].sum() <= 0:
        return
    share = units["emission_t"] / units["emission_t"].sum()
    assert float((share * units["ecc"]).sum()) == pytest.approx(1)
    if units["sink_t"].sum() > 0:
        HELD["identities"] += 1
        ccr = units["sink_t"].sum() / units["emission_t"].sum()
        assert float((share * units["esc"]).sum()) == pytest.approx(1)
        assert float((share * units["ccr"]).sum()) == pytest.approx(ccr)
        assert (units["ccr"] / ccr).to_numpy() == pytest.approx(units["esc"].to_numpy())


def moves(city: City, told: dict[str, list[int]], folder: Path, *, by_coarse_cells: bool) -> None:
    """Move everything by whole cells: fine ones, which changes what a coarse cell has, or coarse ones, which changes nothing."""
    HELD["moved by coarse cells" if by_coarse_cells else "moved by fine cells"] += 1
    by = COARSE_CELLS if by_coarse_cells else (50.0, -150.0)
    there = told_by(moved(city, by).run(folder / "moved"))
    if not by_coarse_cells:
        assert sum(there.pop("cells")) == sum(told["cells"])
    assert there == {name: told[name] for name in there}


def shuffled(city: City, random: np.random.Generator) -> City:
    """Give every table its rows in another order."""
    return replace(
        city,
        parcels=city.parcels.iloc[random.permutation(len(city.parcels))],
        units=city.units.iloc[::-1],
        pois=city.pois.iloc[::-1],
        people=city.people.iloc[random.permutation(len(city.people))],
        totals=dict(reversed(city.totals.items())),
    )


def moved(city: City, by: tuple[float, float]) -> City:
    def points(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(x=(table["x"] + by[0]).round(1), y=(table["y"] + by[1]).round(1))

    return replace(
        city,
        parcels=city.parcels.set_geometry(city.parcels.geometry.translate(*by)),
        units=city.units.set_geometry(city.units.geometry.translate(*by)),
        pois=points(city.pois),
        people=points(city.people),
    )


def renamed(city: City) -> City:
    """Give every parcel and unit another name, in the same order."""
    return replace(
        city,
        parcels=city.parcels.assign(id="p-" + city.parcels["id"] + "-x"),
        units=city.units.assign(id="z" + city.units["id"]),
        gdp={f"z{unit}": value for unit, value in city.gdp.items()},
    )


def refined_units(city: City, first: Result, folder: Path) -> None:
    """Cut the first unit in two: what the two have is what the one had, to the gram, and nothing else changes."""
    shape = city.units.geometry.iloc[0]
    west, south, east, north = shape.bounds
    middle = (west + east) // 2
    halves = [
        shapely.intersection(shape, shapely.box(*box), grid_size=0.001)
        for box in ((west, south, middle, north), (middle, south, east, north))
    ]
    if any(half.is_empty or half.geom_type not in ("Polygon", "MultiPolygon") for half in halves):
        return
    cut = gpd.GeoDataFrame({"id": ["u0-a", "u0-b"]}, geometry=halves, crs=CRS)
    HELD["refined units"] += 1
    units = gpd.GeoDataFrame(pd.concat([cut, city.units.iloc[1:]], ignore_index=True), crs=CRS)
    gdp = {**dict.fromkeys(cut["id"], 1), **city.gdp}
    del gdp["u0"]
    second = replace(city, units=units, gdp=gdp).run(folder / "refined")
    for column in ("emission_t", "sink_t"):
        before, after = grams(first, "units", column), grams(second, "units", column)
        assert [after[0] + after[1], *after[2:]] == before
