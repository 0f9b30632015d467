"""What the report's map shows beside the units, and the sentence that opens it."""

from __future__ import annotations

import dataclasses
import math
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tables_example import CRS, SOUTH, WEST, example_tables

from carbongrid.outputs.numbers import (
    exact_mass_in_chinese,
    mass_in_chinese,
    money_in_chinese,
    ten_thousands,
    tonnes_in_chinese,
)
from carbongrid.outputs.report import ground, page
from carbongrid.outputs.report.drawings import zone_map
from carbongrid.outputs.report.ground import LAYER_BYTES, coarse_cells, road_path, water_path
from carbongrid.outputs.report.layers import map_layers
from carbongrid.outputs.report.summary import finding
from carbongrid.outputs.result import RunTables
from carbongrid.outputs.zone_shares import zone_shares

SIDE = 1000.0


def grid_of(grams: np.ndarray) -> xr.Dataset:
    height, width = grams.shape
    x = WEST + SIDE * (np.arange(width) + 0.5)
    y = SOUTH + SIDE * (height - np.arange(height) - 0.5)
    return xr.Dataset({"emission": (("y", "x"), grams)}, {"y": y, "x": x}, {"resolution": SIDE})


def frame_of(grams: np.ndarray):
    """A drawing whose one unit is as large as the grid."""
    height, width = grams.shape
    box = shapely.box(WEST, SOUTH, WEST + SIDE * width, SOUTH + SIDE * height)
    return zone_map(gpd.GeoDataFrame(geometry=[box], crs=CRS), None)


def filled(path: str) -> list[tuple[int, int, int, int]]:
    """Left, top, width and height of each rectangle."""
    found = re.findall(r"M(-?\d+) (-?\d+)h(\d+)v(\d+)h-(\d+)z", path)
    assert "".join("M{} {}h{}v{}h-{}z".format(*each) for each in found) == path
    assert all(each[2] == each[4] for each in found)
    return [tuple(map(int, each[:4])) for each in found]


masses = arrays(np.int64, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.sampled_from([0, 0, 1, 10**9, 10**11, 3 * 10**12]))  # fmt: skip


@given(masses)
def test_each_cell_that_emits_is_in_one_class_where_it_lies(grams):
    cells = coarse_cells(grid_of(grams), frame_of(grams))
    if not grams.any():
        assert cells is None
        return
    drawing = frame_of(grams)
    width = round(SIDE / drawing.metres)
    assert sum(each.count for each in cells.classes) == np.count_nonzero(grams)
    least = np.inf
    seen = np.zeros(grams.shape, int)
    for each in cells.classes:  # from the highest to the lowest
        inside = []
        for left, top, across, down in filled(each.path):
            assert abs(down - width) <= 1
            row, first, last = (round(v * drawing.metres / SIDE) for v in (top, left, left + across))  # fmt: skip
            seen[row, first:last] += 1
            inside += grams[row, first:last].tolist()
        assert each.count == len(inside)
        assert max(inside) < least
        least = min(inside)
    assert ((grams > 0) == (seen == 1)).all()


@settings(max_examples=20)
@given(masses, st.integers(30, 600))
def test_many_cells_are_drawn_in_blocks_that_hold_the_same_mass(grams, room):
    cells = coarse_cells(grid_of(grams), frame_of(grams), room)
    if cells is None:
        return
    assert sum(len(each.path) for each in cells.classes) <= room
    block = round(cells.side / SIDE)
    if block > 1:  # no smaller than need be
        assert coarse_cells(grid_of(grams), frame_of(grams)).size > room
    rows, columns = np.nonzero(grams)
    blocks = set(zip((rows // block).tolist(), (columns // block).tolist(), strict=True))
    assert sum(each.count for each in cells.classes) == len(blocks)


@pytest.mark.parametrize(
    ("tonnes", "unit", "texts"),
    [(95.0, "吨 CO₂e", ["10 – 95.0", "5.00 – 10"]), (950.0, "万吨 CO₂e", ["0.01 – 0.0950", "0.000500 – 0.01"])],
)  # fmt: skip
def test_cells_of_a_tiny_place_are_told_in_tonnes(tonnes: float, unit: str, texts: list[str]):
    """Seen: a legend of ``0.000000188 – 0.0000100 万吨``."""
    grams = np.array([[5_000_000, int(tonnes * 1e6)]])
    cells = coarse_cells(grid_of(grams), frame_of(grams))
    assert cells.unit_zh == unit
    assert [each.text_zh for each in cells.classes] == texts


def test_neighbouring_cells_leave_no_gap():
    grams = np.full((7, 7), 10**12)
    (only,) = coarse_cells(grid_of(grams), frame_of(grams)).classes
    rows = sorted(filled(only.path), key=lambda each: each[1])
    assert [top for _, top, _, _ in rows[1:]] == [top + down for _, top, _, down in rows[:-1]]


def test_water_is_drawn_where_it_lies_and_no_other_land():
    tables = example_tables()
    drawing = zone_map(tables.units, None)
    assert water_path(tables.parcels, drawing) == ""
    parcels = tables.parcels.assign(type=["water", *tables.parcels["type"][1:]])
    path = water_path(parcels, drawing)
    west, _, _, north = parcels.geometry.iloc[0].bounds
    left, top = map(int, re.match(r"M(-?\d+) (-?\d+)l", path).groups())
    assert path.count("M") == 1
    xs = shapely.get_coordinates(parcels.geometry.iloc[0])
    corners = {(round((x - drawing.west) / drawing.metres), round((drawing.north - y) / drawing.metres)) for x, y in xs}  # fmt: skip
    assert (left, top) in corners
    assert west >= drawing.west
    assert north <= drawing.north
    speck = parcels.assign(geometry=[shapely.box(WEST, SOUTH, WEST + 3, SOUTH + 3), *parcels.geometry[1:]])  # fmt: skip
    assert water_path(speck, drawing) == ""
    assert water_path(parcels.iloc[:0], drawing) == ""


def test_roads_are_drawn_where_they_lie_and_no_other_land():
    tables = example_tables()
    drawing = zone_map(tables.units, None)
    modes = ["road", "rail", *[""] * (len(tables.parcels) - 2)]
    as_water = tables.parcels.assign(type=["water", *["paddy"] * (len(tables.parcels) - 1)])
    path = road_path(tables.parcels.assign(mode=modes), drawing)
    assert path == water_path(as_water, drawing) != ""
    assert road_path(tables.parcels.assign(mode=""), drawing) == ""


def test_a_network_that_is_one_parcel_is_drawn_with_what_else_there_is():
    """Seen to fail: the first shape of more vertices than all may have took itself and all smaller ones away."""
    drawing = frame_of(np.ones((40, 40), np.int64))
    wave = np.linspace(0, 38_000, 4_000)

    def road(y: float) -> shapely.Polygon:
        line = np.column_stack([WEST + 1000 + wave, SOUTH + y + 150 * np.sin(wave / 40)])
        return shapely.LineString(line).buffer(30)

    network = shapely.union_all([*(road(y) for y in range(2_000, 30_000, 4_000)), shapely.box(WEST + 9_000, SOUTH, WEST + 9_050, SOUTH + 33_000)])  # fmt: skip
    assert shapely.get_num_coordinates(network) > 3 * ground._VERTICES
    frame = gpd.GeoDataFrame({"mode": ["road"] * 2}, geometry=[network, road(35_000)], crs=CRS)
    path = road_path(frame, drawing)
    rows = [int(top) for top in re.findall(r"M-?\d+ (-?\d+)l", path)]
    assert len(rows) >= 2
    assert path.count(" ") < 4 * ground._VERTICES


def sentence(units: pd.DataFrame) -> str:
    return finding(units, zone_shares(units))[0]


def test_the_finding_is_what_a_pocket_calculator_says():
    """Zone 4 of the example is one unit of six; GDP of one is unknown."""
    units = example_tables().units
    own = units[units["zone"] == 4]
    emitted, sink = (100 * int(own[c].sum()) / int(units[c].sum()) for c in ("emission_g", "sink_g"))  # fmt: skip
    earned = 100 * 9_000 / (9_000 + 3_200 + 100 + 100 + 700)
    assert sentence(units) == f"1 of 6 units, the high-carbon optimization zone, emits {emitted:.0f} % of the emissions in all units, with {earned:.0f} % of the known GDP and {sink:.0f} % of the sinks."  # fmt: skip


def test_without_gdp_of_its_own_the_finding_rests_on_emissions_alone():
    units = example_tables().units
    grams = sorted(units["emission_g"], reverse=True)
    for changed in (units.assign(indicative=True), units.assign(zone=0), units.assign(gdp=pd.array([None] * 6, dtype="Int64"), zone=0)):  # fmt: skip
        assert sentence(changed) == f"1 of 6 units emits at least half of the emissions in all units ({100 * grams[0] / sum(grams):.0f} %)."  # fmt: skip
    even = units.assign(emission_g=10**9, zone=0)
    assert sentence(even) == "3 of 6 units emit at least half of the emissions in all units (50 %)."
    # Seen: 9958 of 20000 units, beside 1,025.
    many = pd.concat([even] * 1000, ignore_index=True)
    assert sentence(many).startswith("3,000 of 6,000 units emit at least half")
    assert sentence(units.assign(emission_g=0, zone=0)) == "No unit emits anything."


def test_a_single_unit_is_not_said_to_emit_half_of_all(tmp_path):
    """Seen: 1 of 1 units emits at least half of the emissions in all units (100 %)."""
    one = example_tables().units.iloc[:1].assign(zone=0)
    assert sentence(one) == "A single unit: zones hold units against each other."
    written = page.write_report(dataclasses.replace(example_tables(), units=one), tmp_path)
    assert ">1 unit<" in written.read_text(encoding="utf-8")


@given(st.integers(0, 10**17))
def test_masses_in_chinese_are_those_masses(grams):
    """The number times its unit is the mass, to the digits that are shown."""
    scale = {"万吨": 1e10, "吨": 1e6}
    for text, near in ((mass_in_chinese(grams), 6e-3), (exact_mass_in_chinese(grams), 6e-3)):
        if grams and text.startswith("<"):
            assert grams < 1000
            continue
        number, unit = text.split()
        assert float(number.replace(",", "")) * scale[unit] == pytest.approx(grams, rel=near)
        assert unit == ("万吨" if grams >= 1e10 else "吨")
    if 0 < grams < 1e8:  # in a column of 万吨, what is less than 0.01 of them has its unit
        assert tonnes_in_chinese(grams) == mass_in_chinese(grams)
    else:
        assert float(tonnes_in_chinese(grams).replace(",", "")) * 1e10 == pytest.approx(grams, rel=6e-3, abs=0.006e10)  # fmt: skip


def test_small_places_are_in_tonnes_in_chinese():
    """Seen to fail with "4.60e-05" in columns of 万吨, and with "1.00e-05 – 4.60e-05 万吨" in legends."""
    assert [ten_thousands(value) for value in (0.46, 99.9, 100, 32_000, 0, math.nan)] == ["0.460 吨", "99.9 吨", "0.0100", "3.20", "0", "–"]  # fmt: skip
    tables = example_tables()
    units = tables.units.assign(emission_g=[460_000 * k for k in range(1, 7)])
    layers = {layer.key: layer for layer in map_layers(dataclasses.replace(tables, units=units))}
    assert layers["emission"].unit_zh == "吨 CO₂e"
    assert layers["intensity"].unit_zh == "吨 CO₂e/km²"
    assert layers["sink"].unit_zh == "万吨 CO₂e"
    assert not any("e-" in entry.text_zh for key in ("emission", "intensity") for entry in layers[key].entries)  # fmt: skip


def test_money_in_chinese_is_in_hundreds_of_millions():
    assert money_in_chinese(2_017_050_000_000) == "20,170.50"
    assert money_in_chinese(1_234_567) == "0.0123"
    assert money_in_chinese(None) == "–"


def test_the_page_grows_by_less_than_a_megabyte_for_grid_and_water(tmp_path):
    """As many cells as are drawn at most, no two of a row in one class: the worst that there is."""
    grams = np.zeros((200, 400), np.int64)
    grams[:, ::2] = 10**9
    grams[:, ::4] = 10**12
    drawn = coarse_cells(grid_of(grams), frame_of(grams))
    assert np.count_nonzero(grams) == 40_000
    assert sum(len(each.path) for each in drawn.classes) < 1_000_000


def noise(budget: int) -> RunTables:
    """Tables whose grid, parcels, water and roads have more to show than so many bytes."""
    draw = np.random.default_rng(budget)
    tables = example_tables()
    west, south, east, north = tables.units.total_bounds

    def squares(count: int) -> tuple[float, np.ndarray, np.ndarray]:
        side = (east - west) / count
        return side, west + side * (np.arange(count) + 0.5), north - side * (np.arange(count) + 0.5)

    side, x, y = squares(round((budget / 45) ** 0.5))  # 20 bytes a cell, of half of it
    grams = 10 ** draw.integers(6, 12, (len(y), len(x)))
    grid = xr.Dataset({"emission": (("y", "x"), grams)}, {"y": y, "x": x}, {"resolution": side})

    side, x, y = squares(round((1.5 * budget) ** 0.5))
    boxes = shapely.box(*(np.ravel(each) for each in np.broadcast_arrays(x - side / 2, y[:, None] - side / 2, x + side / 2, y[:, None] + side / 2)))  # fmt: skip
    of = draw.integers(0, 10, len(boxes))

    def comb(row: int, rows: int) -> shapely.Polygon:
        foot, x = south + (row + 0.1) * (north - south) / rows, np.linspace(west, east, 700)
        teeth = foot + 0.8 * (north - south) / rows * (np.arange(700) % 2) * draw.uniform(0.5, 1, 700)  # fmt: skip
        return shapely.Polygon([(east, foot - 1), (west, foot - 1), *zip(x, teeth, strict=True)])

    rows = max(1, budget // 40_000)
    land = [shapely.multipolygons([comb(row, rows) for row in range(rows)]) for _ in range(2)]
    parcels = tables.parcels.assign(
        geometry=[*(shapely.multipolygons(boxes[of == k]) for k in range(10)), *land],
        area_m2=10.0 ** np.arange(12),
        type=[*tables.parcels["type"][:10], "water", tables.parcels["type"].iloc[11]],
        mode=[*[""] * 11, "road"],
    )
    return dataclasses.replace(tables, parcels=parcels, grid_1km=grid)


@pytest.mark.parametrize("budget", [60_000, pytest.param(LAYER_BYTES, marks=pytest.mark.thorough)])
def test_grid_parcels_water_and_roads_share_what_they_may_take_of_the_page(tmp_path, monkeypatch, budget):  # fmt: skip
    """Seen to fail: the picture alone was 933 kB, the grid beside it as much."""
    monkeypatch.setattr(page, "LAYER_BYTES", budget)
    tables = noise(budget)
    drawn = page._land(tables, page._base_map(tables))
    sizes = [len(drawn["water"]), len(drawn["roads"]), drawn["cells"].size, len(drawn["parcels"].png)]  # fmt: skip
    assert all(size > budget / 20 for size in sizes)
    assert 0.6 * budget < sum(sizes) <= budget
    written = []
    for shown in (drawn, dict.fromkeys(drawn)):
        monkeypatch.setattr(page, "_land", lambda *_, shown=shown: shown)
        written.append(page.write_report(tables, tmp_path).stat().st_size)
    assert written[0] - written[1] < budget + 10_000
    assert LAYER_BYTES + 10_000 <= 1_000_000


def test_published_tables_have_no_water(tmp_path):
    tables = example_tables()
    empty = dataclasses.replace(tables, parcels=tables.parcels.iloc[:0])
    assert water_path(empty.parcels, zone_map(tables.units, None)) == ""
