"""Where facilities lie: on the parcels in reach, as if all parcels were asked."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapes import held_as_coordinates
from squares_case import CRS as CRS_OF_SQUARES
from squares_case import SOUTH, WEST, layer, square, squares_case

import carbongrid as cg
from carbongrid.errors import InputError
from carbongrid.method.weights import parcels_of_facilities
from carbongrid.outputs.report.notes import note_in_chinese
from carbongrid.pipeline import facilities
from carbongrid.pipeline.plans import plan_of
from carbongrid.pipeline.run_carriers import RunCarriers
from carbongrid.pipeline.scenario_run import run_plan
from carbongrid.raster import row_blocks

SIDE, CRS = 300.0, "EPSG:32651"
places = st.one_of(st.integers(-9, 69).map(lambda n: n * 25.0), st.just(float("nan")))


def land_of(rows: list[int]) -> Any:
    """Squares of a field of five by five, and one unit under all of them."""
    west, south = SIDE * (np.array(rows) % 5), SIDE * (np.array(rows) // 5)
    squares = shapely.box(west, south, west + SIDE, south + SIDE)
    parcels = gpd.GeoDataFrame(geometry=held_as_coordinates(np.asarray(squares, object), None))
    units = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 5 * SIDE, 5 * SIDE)])
    return SimpleNamespace(parcels=parcels, units=units)


def inputs_of(x: list[float], y: list[float]) -> Any:
    names = [f"works {i}" for i in range(len(x))]
    columns = {"name": names, "category": [f"c{i % 2}" for i in range(len(x))], "x": x, "y": y}
    return SimpleNamespace(facilities=pd.DataFrame({**columns, "place_uncertainty": 0.0}))


@given(
    st.lists(st.integers(0, 24), min_size=1, max_size=12, unique=True),
    st.lists(st.tuples(places, places), max_size=8),
    st.integers(1, 20),
)
def test_only_parcels_in_reach_are_asked_and_the_answer_is_that_of_all(rows, points, block):
    """Seen to fail when rows of a block are not moved, when -1 is the last parcel, and when 100 m from a border is out of reach."""
    land, (x, y) = land_of(rows), zip(*points, strict=True) if points else ((), ())
    inputs = inputs_of(list(x), list(y))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facilities, "row_blocks", lambda size: row_blocks.row_blocks(size, block))
        placed = facilities.place_facilities(inputs, land)
    for category, own in inputs.facilities.groupby("category").indices.items():
        table = inputs.facilities.iloc[own]
        of_all = land.parcels.geometry.to_numpy()
        try:
            expected = parcels_of_facilities(table["x"].to_numpy(), table["y"].to_numpy(), list(table["name"]), of_all)  # fmt: skip
        except InputError as error:
            assert placed.failed[category] == error.problems
        else:
            assert placed.parcel[own].tolist() == expected.tolist()


def across(folder: Any, totals: dict[str, int], east: float = 1.2) -> Any:
    """Works of three squares and a forest; a border 400 m into the second square, and a stack so many km east on the side of 01, or beyond all units."""
    head = "category,value,unit,region\nsink/land,5,t CO2e,\n"
    rows = "".join(f"waste/industrial,{t},t CO2e,{code}\n" for code, t in totals.items())
    stack = f"W,waste/industrial,80,t CO2e,{WEST + 1000 * east},{SOUTH + 500},EPSG:{CRS_OF_SQUARES}"
    tables = {
        "totals.csv": head + rows,
        "fac.csv": f"name,category,value,unit,x,y,crs\n{stack}\n",
    }
    codes = ["0601", "0601", "0601", "0301"]
    case = squares_case(folder, codes, tables, facilities={"path": "fac.csv"}, uncertainty={"draws": 20}, allow={"outside": ["waste/industrial"]})  # fmt: skip
    units = layer(2, code=["01", "02"], district=["D1", "D1"])
    outlines = [square(0.1, width=1.3), square(1.4, width=2.6)]
    units.set_geometry(gpd.GeoSeries(outlines, crs=units.crs)).to_file(folder / "units.gpkg")
    return cg.run(case, folder / "run")


def off_totals(ledger: pd.DataFrame) -> dict[str, float]:
    own = ledger[ledger["category"] == "waste/industrial"]
    return dict(zip(own["region"], own["facilities_t"], strict=True))


def test_what_a_plan_and_its_run_both_find_is_told_once(tmp_path: Any) -> None:
    """Seen to fail: that what the case allows lies outside all units stood in a plan's manifest twice."""
    totals = {"totals.csv": "category,value,unit\nwaste/industrial,30,t CO2e\n"}
    case = squares_case(tmp_path, ["0601"] * 3, totals, allow={"outside": ["waste/industrial"]})
    layer(2, code=["01", "02"], district=["D1", "D1"]).to_file(tmp_path / "units.gpkg")
    run = cg.run(case, tmp_path / "run")
    half = plan_of([{"do": "scale", "category": "waste/industrial", "factor": 0.5}])
    _, folder = run_plan(run, half, tmp_path / "plan")
    told = [tuple(each) for each in cg.open(folder).manifest["assumptions"]]
    assert len([text for _, text in told if "lie outside every unit" in text]) == 1
    assert len(told) == len(set(told))


@pytest.mark.parametrize(
    ("values", "total", "bare", "in_other"),
    [
        ([[1, 0], [1, 0]], 800, [], 0),
        ([[4, 1], [4, 1]], 800, [], 100),
        ([[1, 0], [0, 0]], 540, [" t of it (3.7%) lie by area inside 1 parcel, of which w.tif knows nothing"], 0),
        ([[0, 0], [1, 1]], 800, ["649.999999 t of it (81.2%) lie by area inside 1 parcel, of which w.tif knows nothing"], 250),
        ([[0, 0], [0, 0]], 800, ["800 t of it (100.0%) lie by area inside 2 parcels, of which w.tif knows nothing"], 250),
    ],
)  # fmt: skip
def test_what_a_raster_inside_parcels_does_not_say_is_told(tmp_path: Any, values: Any, total: int, bare: Any, in_other: int) -> None:  # fmt: skip
    """Two parcels across the border of two units, one below the other, with works of 500 t on the upper one. Seen without a word: 100 of them in the other unit, and all by area where the raster was 0."""
    tables = {
        "totals.csv": f"category,value,unit\nwaste/industrial,{total},t CO2e\n",
        "categories.csv": "category,inside\nwaste/industrial,raster:w.tif\n",
        "works.csv": f"name,category,value,unit,x,y,crs\nW,waste/industrial,500,t CO2e,{WEST + 500},{SOUTH + 1500},EPSG:{CRS_OF_SQUARES}\n",
    }
    case = squares_case(tmp_path, ["0601"] * 2, tables, facilities={"path": "works.csv"}, categories={"path": "categories.csv"})  # fmt: skip
    parcels = layer(2, BSM=["p0", "p1"], DLBM=["0601"] * 2)
    parcels.set_geometry(gpd.GeoSeries([square(0, 1, 2), square(0, 0, 2)], crs=parcels.crs)).to_file(tmp_path / "parcels.gpkg")  # fmt: skip
    units = layer(2, code=["01", "02"], district=["D1", "D1"])
    outlines = [shapely.union(square(x, 0), square(x, 1)) for x in (0, 1)]
    units.set_geometry(gpd.GeoSeries(outlines, crs=units.crs)).to_file(tmp_path / "units.gpkg")
    write_weights(tmp_path, values)
    run = cg.run(case, tmp_path / "run")
    own = [each for each in run.problems if "of which w.tif knows nothing" in each.what]
    assert [each.level for each in own] == ["note" if total == 540 else "warning"] * len(bare)
    assert all(words in each.what for each, words in zip(own, bare, strict=True))
    beyond = [each for each in run.problems if "in other units than the coordinates" in each.what]
    assert len(beyond) == bool(in_other)
    assert all(f"puts them: W (parcel p0, {in_other} t not in 01)" in each.what for each in beyond)
    assert all(note_in_chinese(str(each)) for each in (*own, *beyond))


def test_what_follows_a_raster_lies_outside_all_units_as_the_raster_says(tmp_path: Any) -> None:
    """Half of the parcel is in no unit, and none of its mass. Seen to be refused: by area it was half."""
    tables = {
        "totals.csv": "category,value,unit\nwaste/industrial,8,t CO2e\n",
        "categories.csv": "category,inside\nwaste/industrial,raster:w.tif\n",
    }
    case = squares_case(tmp_path, ["0601"] * 2, tables, categories={"path": "categories.csv"})
    layer(1, code=["01"], district=["D1"]).to_file(tmp_path / "units.gpkg")
    parcels = layer(1, BSM=["p0"], DLBM=["0601"])
    parcels.set_geometry([square(0, 0, 2)], crs=parcels.crs).to_file(tmp_path / "parcels.gpkg")
    write_weights(tmp_path, [[1, 0]])
    assert not [each for each in cg.check(case).problems if each.level == "error"]
    assert cg.run(case, tmp_path / "run").units["waste_industrial_t"].tolist() == [8]


def write_weights(folder: Any, values: Any) -> None:
    """Cells of 1 km, rows from the north."""
    with rasterio.open(
        folder / "w.tif", "w", driver="GTiff", height=len(values), width=len(values[0]), count=1, dtype="float32",
        crs=f"EPSG:{CRS_OF_SQUARES}", transform=rasterio.transform.from_origin(WEST, SOUTH + 1000 * len(values), 1000, 1000),
    ) as raster:  # fmt: skip
        raster.write(np.array(values, np.float32), 1)


def on_parcels(answer: Any) -> list[float]:
    return (answer.parcels.set_index("id")["waste/industrial"] / 1e6).round(3).tolist()


def test_a_facility_comes_off_the_total_of_the_unit_that_holds_it(tmp_path: Any) -> None:
    """Seen to fail when it came off that of its parcel's representative point, 02, so that 01 was spread as if it had no works; in answers and draws alike."""
    run = across(tmp_path, {"01": 100, "02": 100})
    assert off_totals(run.ledger) == {"01": 80, "02": 0}
    assert on_parcels(run) == [20, 130, 50, 0]
    assert all(check.ok for check in cg.verify(run.directory).checks)
    here = RunCarriers(run.directory).on_land
    accounts = here.accounts("waste/industrial")
    assert accounts.of_unit[here.named("waste/industrial").home].tolist() == [0]
    # Its total falls by what goes.
    assert on_parcels(run.without("W")) == [20, 50, 50, 0]
    assert on_parcels(run.without("W", emission="redistribute")) == [100, 50, 50, 0]
    act = {"do": "scale", "factor": 0.5}
    assert on_parcels(run.scenario([{**act, "facility": "W"}])) == [20, 90, 50, 0]
    half = run.scenario([{**act, "category": "waste/industrial", "parcels": ["p1"]}])
    assert on_parcels(half) == [20, 65, 50, 0]
    assert half.inventory.set_index("region")["mass_t"].loc[["01", "02"]].round(3).tolist() == [
        60,
        75,
    ]
    more = {"do": "add", "facility": "V", "category": "waste/industrial", "mass": "7 t CO2e", "x": WEST + 1300, "y": SOUTH + 500, "crs": f"EPSG:{CRS_OF_SQUARES}"}  # fmt: skip
    assert on_parcels(run.scenario([more])) == [20, 137, 50, 0]


def test_a_region_with_less_than_its_neighbours_facility_is_right(tmp_path: Any) -> None:
    """Seen to fail: it was refused, as if 02 had the 80 t."""
    assert on_parcels(across(tmp_path, {"01": 100, "02": 10})) == [20, 85, 5, 0]


def test_a_facility_in_no_unit_is_of_its_parcels(tmp_path: Any) -> None:
    run = across(tmp_path, {"01": 100, "02": 10}, east=0.05)
    table = pd.read_csv(run.directory / "facilities.csv", keep_default_na=False)
    assert table["unit"].tolist() == [""]
    assert off_totals(run.ledger) == {"01": 80, "02": 0}
    assert all(check.ok for check in cg.verify(run.directory).checks)


def test_a_facility_told_in_another_unit_than_its_total_is_found(tmp_path: Any) -> None:
    run = across(tmp_path, {"01": 100, "02": 100}).directory
    table = pd.read_csv(run / "facilities.csv", dtype=str, keep_default_na=False)
    table.assign(unit="02").to_csv(run / "facilities.csv", index=False)
    told = " ".join(check.text for check in cg.verify(run).checks if not check.ok)
    assert "waste/industrial in 01: facilities.csv, by unit" in told


def test_capacities_that_are_too_much_for_a_district_say_of_what_they_are_parts(tmp_path):
    """A works in each district, capacities alone. Seen to be told as masses to be corrected, of which none was given."""
    rows = "".join(f"{name},waste/industrial,{mw},MW,{WEST + 1000 * column + 500},{SOUTH + 500},EPSG:{CRS_OF_SQUARES}\n" for name, mw, column in (("A", 300, 0), ("B", 100, 2)))  # fmt: skip
    tables = {
        "totals.csv": "category,value,unit,region\nwaste/industrial,100,t CO2e,D1\nwaste/industrial,100,t CO2e,D2\n",
        "fac.csv": f"name,category,capacity,capacity_unit,x,y,crs\n{rows}",
    }
    case = squares_case(tmp_path, ["0601"] * 4, tables, facilities={"path": "fac.csv"})
    with pytest.raises(InputError, match=r"region 'D1' add up to 150 t, more than its total, 100 t: by share or capacity A have parts of all regions' totals together, 200 t. Give them masses"):  # fmt: skip
        cg.run(case, tmp_path / "run")
