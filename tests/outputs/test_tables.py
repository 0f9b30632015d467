"""Files open in the tools that people use, hold the exact numbers, and are read back to the bit."""

import copy
import csv
import hashlib
import json
import math
import pickle
import re
import shutil
import sqlite3
import struct
import sys
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from io import BytesIO
from xml.etree import ElementTree as ET
from zipfile import ZipFile

import geopandas as gpd
import h5py
import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
import rasterio
import rioxarray  # noqa: F401  (registers .rio)
import shapely
import xarray as xr
import xlsxwriter
import xlsxwriter.workbook
from hypothesis import example, given
from hypothesis import strategies as st
from shapely import box
from tables_example import example_tables

from carbongrid.case.readers.geoparquet import write_geoparquet
from carbongrid.errors import InputError, RunError, VerificationError
from carbongrid.method.guidance import Advice, read_guidance
from carbongrid.method.tonnes import format_tonnes
from carbongrid.method.zoning import zones
from carbongrid.outputs import reading
from carbongrid.outputs.numbers import text_width
from carbongrid.outputs.reading import digests_of_directory, read_content, read_result, read_tables
from carbongrid.outputs.tables import (
    rasters,
    table_digests,
    table_files,
    write_parcels,
    write_tables,
)
from carbongrid.outputs.tables.content import ParcelLayer, Table, content_of
from carbongrid.outputs.tables.headings import potentials
from carbongrid.outputs.tables.layers import (
    read_parcels_parquet,
    write_layer_gpkg,
    write_units_gpkg,
)
from carbongrid.outputs.tables.parcel_layer import write_parcel_layer
from carbongrid.outputs.tables.plain import (
    quoted,
    read_interval_csv,
    read_units_csv,
    unquoted,
    write_csv,
)
from carbongrid.outputs.tables.publishing import published
from carbongrid.outputs.tables.rasters import read_grid_nc
from carbongrid.outputs.tables.spreadsheet import (
    NAMES_ROW,
    _cells,
    _form_of,
    _shown_width,
    in_a_cell,
    write_text,
    write_units_xlsx,
)
from carbongrid.raster.opening.dates import fixed_date
from carbongrid.raster.opening.digests import hash_path
from carbongrid.run_store import SEAL, seal_of

HOSTILE = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "'=1",
    "''+x",
    "'plain",
    "＝cmd",
    'a"b,c\n=d',
    "<script>",
    "东山",
]
TABLES = {"inventory", "ledger", "evidence", "land_types", "units", "parcels", "grid_1km"}


@pytest.fixture(scope="module")
def tables():
    return example_tables()


@pytest.fixture(scope="module")
def content(tables):
    return content_of(tables, public=False)


def write_manifest(folder, tables, *, public=False, **entries):
    """Write what a run's manifest says of its files, beside the entries that a test asks for."""
    files = {path.name: hash_path(path) for path in folder.iterdir() if path.is_file()}
    files.pop("manifest.json", None)
    manifest = {**entries, "digests": table_digests(tables, public=public), "files": files}
    manifest.setdefault(SEAL, seal_of(manifest))
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


@pytest.fixture(scope="module")
def directory(tables, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    write_tables(tables, folder)
    write_manifest(folder, tables, title="Six townships")
    return folder


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


# Digests


def test_digests_of_files_are_those_of_tables(tables, directory):
    """Seen to fail when floats were written with 15 digits, and when polygons were digested as GPKG returns them (multi)."""
    digests = table_digests(tables)
    assert set(digests) == TABLES
    assert digests_of_directory(directory) == digests
    assert table_digests(example_tables()) == digests


NAMES = st.sampled_from(HOSTILE) | st.text(max_size=8)
FLOATS = st.floats(allow_nan=False) | st.just(np.nan)


@given(
    names=st.lists(NAMES, min_size=6, max_size=6), floats=st.lists(FLOATS, min_size=6, max_size=6)
)
@example(names=["a\rb", "\rx", "c\r", "d\r\n", "\n", "\r\n"], floats=[0.0] * 6)
def test_any_name_and_any_float_come_back(tmp_path_factory, content, names, floats):
    """Seen to fail when a text of an apostrophe before a formula was not quoted once more, with floats of 15 digits, and with a carriage return on Python 3.12."""
    frame = content.units.frame.assign(name=pd.Series(names, dtype="str"), ecc=floats)
    path = tmp_path_factory.getbasetemp() / "any.csv"
    write_csv(Table(frame, content.units.kinds), path, mark=True)
    back = read_units_csv(path).frame
    some = ["ecc", "id", "gdp", "name"]
    assert back[some].equals(read_units_csv(path, some).frame[some])
    assert back["name"].tolist() == names
    assert back["ecc"].to_numpy().tobytes() == frame["ecc"].to_numpy().tobytes()


def changed(tables, name):
    """The same tables with one thing changed, and the table that it is in."""
    units, parcels = tables.units.copy(), tables.parcels.copy()
    grid, inventory = tables.grid_1km.copy(deep=True), tables.inventory.copy()
    if name == "a gram":
        units.loc[0, "sink/crops"] += 1
    elif name == "an ulp":
        units.loc[1, "ecc"] = np.nextafter(units.loc[1, "ecc"], 2)
    elif name == "unknown is zero":
        units["gdp"] = units["gdp"].fillna(0)
    elif name == "two rows swapped":
        units = units.iloc[[1, 0, 2, 3, 4, 5]].reset_index(drop=True)
    elif name == "a border moved":
        units.loc[0, "geometry"] = units.geometry[0].buffer(0.0001)
    elif name == "a flag":
        units.loc[0, "borderline"] = True
    elif name == "a letter moved to the next row":
        first, second = units.loc[0, "name_en"], units.loc[1, "name_en"]
        units.loc[0, "name_en"], units.loc[1, "name_en"] = first[:-1], first[-1] + second
    elif name == "a parcel's gram":
        parcels.loc[2, "sink/crops"] += 1
    elif name == "a parcel's mode":
        parcels.loc[2, "mode"] = "rail"
    elif name == "a cell's gram":
        grid["sink"][0, 0] += 1
    elif name == "a total":
        inventory.loc[0, "grams"] += 1
    elif name == "a year":
        inventory.loc[0, "year"] = 2019
    elif name == "a remark":
        row = replace(tables.ledger[0], reason="another")
        return replace(tables, ledger=(row, *tables.ledger[1:]))
    elif name == "a blank":
        row = replace(tables.ledger[0], snapped=None)
        return replace(tables, ledger=(row, *tables.ledger[1:]))
    return replace(tables, units=units, parcels=parcels, grid_1km=grid, inventory=inventory)


@pytest.mark.parametrize(
    ("change", "table"),
    [
        ("nothing", None), ("a gram", "units"), ("an ulp", "units"), ("unknown is zero", "units"),
        ("two rows swapped", "units"), ("a border moved", "units"), ("a flag", "units"),
        ("a letter moved to the next row", "units"), ("a parcel's gram", "parcels"), ("a parcel's mode", "parcels"),
        ("a cell's gram", "grid_1km"), ("a total", "inventory"), ("a year", "inventory"),
        ("a remark", "ledger"), ("a blank", "ledger"),
    ],
)  # fmt: skip
def test_a_digest_tells_any_change_apart(tables, change, table):
    """Seen to fail when texts were joined without their lengths, and when missing values had no mask."""
    before, after = table_digests(tables), table_digests(changed(tables, change))
    told = {"parcels", "land_types"} if change == "a parcel's gram" else {table} - {None}
    assert {name for name in TABLES if before[name] != after[name]} == told


def test_the_digest_of_parcels_is_made_of_one_of_each_column(tables):
    """As digests_of has it, by the slow way."""
    parcels = content_of(tables, public=False).parcels
    digest = hashlib.sha256()
    for name, kind in sorted({**parcels.kinds, "geometry": "geometry"}.items()):
        cells, known = parcels.frame[name].tolist(), parcels.frame[name].notna().tolist()
        if kind == "text":
            binary = [after_length(cell.encode()) for cell in cells]
        elif kind == "geometry":
            parts = (shapely.MultiPolygon(shapely.get_parts(cell).tolist()) for cell in cells)
            binary = [after_length(shapely.to_wkb(each, byte_order=1)) for each in parts]
        else:
            layout = "<d" if kind == "number" else "<q"
            values = [cell if there else 0 for cell, there in zip(cells, known, strict=True)]
            binary = [bytes(not there for there in known), *(struct.pack(layout, value) for value in values)]  # fmt: skip
        digest.update(after_length(name.encode()) + after_length(kind.encode()))
        digest.update(struct.pack("<q", len(cells)))
        digest.update(hashlib.sha256(b"".join(binary)).hexdigest().encode())
    assert table_digests(tables)["parcels"] == digest.hexdigest()


def after_length(binary):
    return struct.pack("<q", len(binary)) + binary


def test_digests_do_not_depend_on_dtype_or_order_of_columns(tables):
    units = tables.units[sorted(tables.units.columns)].astype(
        {"zone": np.int64, "gdp": object, "id": object, "emission_g": "Int64"}
    )
    parcels = tables.parcels[sorted(tables.parcels.columns)].set_index(np.arange(12)[::-1])
    assert table_digests(replace(tables, units=units, parcels=parcels)) == table_digests(tables)


# CSV


def test_units_csv_has_the_columns_of_the_case(directory):
    header = rows_of(directory / "units.csv")[0]
    assert list(header) == [
        "id", "name", "name_en", "district", "emission_t", "sink_t",
        "industry_t", "buildings_t", "transport_t", "agriculture_t", "waste_t",
        "buildings_urban-homes_t", "industry_manufacturing_t", "sink_crops_t", "sink_forest_t",
        "residents", "gdp", "gdp_low", "gdp_high", "ccr", "ecc", "ecc_low", "ecc_high", "esc", "zone", "zone_name", "zone_name_zh", "borderline", "indicative", "balance", "reason",
        "emission_to_leave_zone_t", "sink_to_leave_zone_t", "gdp_to_leave_zone",
    ]  # fmt: skip
    assert (directory / "units.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_tonnes_have_six_decimals_and_every_gram(tables, directory):
    rows = rows_of(directory / "units.csv")
    assert [row["emission_t"] for row in rows] == format_tonnes(tables.units["emission_g"])
    total = sum(int(row["total_t"].replace(".", "")) for row in rows_of(directory / "ledger.csv"))
    assert total == sum(row.total for row in tables.ledger)
    assert rows_of(directory / "inventory.csv")[1]["mass_t"] == "123456789.012345"


def test_unknown_is_blank_and_infinite_is_inf(directory):
    row = rows_of(directory / "units.csv")[4]
    assert (row["gdp"], row["ecc"], row["ccr"]) == ("", "", "inf")


def test_ledger_has_the_columns_of_0008(directory):
    assert list(rows_of(directory / "ledger.csv")[0]) == [
        "category", "region", "total_t", "facilities_t", "by_rule_t", "by_area_t", "by_parent_t", "unallocated_t",
        "units_t", "outside_units_t", "snapped_t", "elsewhere_t",
        "rule", "weight_placed", "weight_snapped", "weight_unplaced", "weight_unit", "reason",
    ]  # fmt: skip


def test_formulas_are_quoted_in_every_csv(directory):
    for path in directory.glob("*.csv"):
        with path.open(encoding="utf-8-sig", newline="") as stream:
            cells = [cell for row in csv.reader(stream) for cell in row]
        # A change below 0 is a number to a spreadsheet, too.
        texts = [cell for cell in cells if not re.fullmatch(r"-[0-9.]+", cell)]
        assert not [cell for cell in texts if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert rows_of(directory / "units.csv")[1]["name"] == '\'=HYPERLINK("x")'


@pytest.mark.parametrize("text", HOSTILE)
def test_quoting_can_be_undone(text):
    assert unquoted(quoted(text)) == text
    assert not quoted(text).startswith(("=", "+", "-", "@", "\t", "\r", "＝"))


def test_a_header_that_is_a_formula_is_quoted(tables, tmp_path):
    units = tables.units.rename(columns={"district": "=district"})
    renamed = replace(tables, units=units, parents=("=district",))
    write_tables(renamed, tmp_path)
    assert "'=district" in rows_of(tmp_path / "units.csv")[0]
    assert digests_of_directory(tmp_path) == table_digests(renamed)


def test_an_audit_is_written_where_there_is_one(tables, tmp_path):
    """Seen to fail when it is written where there is none, and left out where there is one."""
    audit = pd.DataFrame({"row": ["2"], "passed_over": ["a factor of the world"]})
    for name, each in (("without", None), ("with", audit)):
        (tmp_path / name).mkdir()
        write_tables(replace(tables, audit=each), tmp_path / name)
    assert not (tmp_path / "without" / "audit.csv").exists()
    assert rows_of(tmp_path / "with" / "audit.csv") == audit.to_dict("records")


def test_intervals_have_six_decimals(tables, tmp_path):
    """As tonnes have everywhere."""
    ends = pd.DataFrame({"category": ["a", "b"], "low_t": [2 / 3, 1e7 / 3], "high_t": [1.25, 1e13]})
    drawn = replace(tables, intervals=ends, unit_intervals=ends.rename(columns={"category": "unit"}))  # fmt: skip
    write_tables(drawn, tmp_path)
    for name in ("uncertainty.csv", "uncertainty_units.csv"):
        rows = rows_of(tmp_path / name)
        assert [row["low_t"] for row in rows] == ["0.666667", "3333333.333333"]
        assert [row["high_t"] for row in rows] == ["1.25", "10000000000000.0"]


@pytest.mark.parametrize("missing", ["", "nan"])
def test_an_unknown_end_is_blank_and_read_as_a_number(tables, tmp_path, missing):
    """Seen to fail: it was written as nan. Runs made before have that word."""
    ends = pd.DataFrame({"category": ["a", "nan"], "low_t": [np.nan, 0.5], "high_t": [1.25, np.nan]})  # fmt: skip
    write_tables(replace(tables, intervals=ends), tmp_path)
    path = tmp_path / "uncertainty.csv"
    assert [row["low_t"] for row in rows_of(path)] == ["", "0.5"]
    path.write_text(path.read_text("utf-8").replace("a,,", f"a,{missing},"), encoding="utf-8")
    pd.testing.assert_frame_equal(read_interval_csv(path), ends)


def test_csv_opens_in_pandas(directory):
    frame = pd.read_csv(directory / "units.csv", dtype={"id": "str", "district": "str"})
    assert frame["id"].tolist() == ["0101", "0102", "0103", "0201", "0202", "0203"]
    assert frame["district"][0] == "01"
    assert frame["gdp"].isna().tolist() == [False] * 4 + [True, False]
    assert np.isinf(frame["ccr"][4])


# Layers


def test_geopackage(tables, directory):
    layers = pyogrio.list_layers(directory / "units.gpkg").tolist()
    assert layers == [["units", "MultiPolygon"], ["layer_styles", None]]
    frame = gpd.read_file(directory / "units.gpkg", layer="units")
    assert frame["id"].tolist() == tables.units["id"].tolist()
    assert frame["name"].tolist() == tables.units["name"].tolist()
    assert frame["zone"].dtype == np.int32
    # Seen to have whole people where units.csv and units.xlsx have 18,000.25.
    told = pd.read_csv(directory / "units.csv")["residents"].tolist()
    sheet = openpyxl.load_workbook(directory / "units.xlsx")["units"]
    column = [cell.value for cell in sheet[NAMES_ROW]].index("residents") + 1
    of_book = [sheet.cell(row, column).value for row in range(NAMES_ROW + 1, NAMES_ROW + 1 + len(told))]  # fmt: skip
    assert frame["residents"].tolist() == told == of_book
    assert any(each % 1 for each in told)
    assert frame["zone"].tolist() == tables.units["zone"].tolist()
    np.testing.assert_allclose(
        frame["sink_crops_t"], tables.units["sink/crops"] / 10**6, rtol=1e-15
    )
    assert frame["gdp"].isna().tolist() == [False] * 4 + [True, False]
    assert frame.crs == tables.units.crs
    assert frame.geometry.geom_equals(tables.units.geometry).all()


@pytest.mark.parametrize("layer", ["units", "parcels", "surroundings"])
def test_layers_of_the_same_content_are_the_same_bytes_at_any_time(tables, tmp_path, layer):
    """Seen to differ between two equal runs, in the time of the last change: of units, then of parcels, whose rows came after it was set."""
    units = content_of(tables, public=False).units
    parcels = ParcelLayer("gpkg", np.zeros(len(tables.parcels), np.int64))
    write = {
        "units": lambda path: write_units_gpkg(units, tables, path),
        "parcels": lambda path: write_parcel_layer(tables, parcels, path),
        "surroundings": lambda path: write_layer_gpkg(tables.units[["name", "geometry"]], path, layer),
    }[layer]  # fmt: skip
    for day in ("01", "02"):
        with fixed_date(f"2024-01-{day}T00:00:00.000Z"):
            write(tmp_path / f"{day}.gpkg")
    assert (tmp_path / "01.gpkg").read_bytes() == (tmp_path / "02.gpkg").read_bytes()


def test_the_zone_alone_is_a_number_that_stands_for_a_name(directory):
    """By the tables of the GeoPackage itself: other numbers would be offered to people as zones."""
    with closing(sqlite3.connect(directory / "units.gpkg")) as database:
        columns = database.execute("SELECT table_name, column_name, constraint_name FROM gpkg_data_columns").fetchall()  # fmt: skip
        offered = database.execute("SELECT constraint_name, value, description FROM gpkg_data_column_constraints").fetchall()  # fmt: skip
    assert {layer for layer, *_ in columns} == {"units"}
    assert len(columns) == len(rows_of(directory / "units.csv")[0])
    assert [(column, domain) for _, column, domain in columns if domain] == [("zone", "zone")]
    assert sorted(offered) == [("zone", str(zone.code), f"{zone.name_en} {zone.name_zh}") for zone in sorted(zones(), key=lambda zone: zone.code)]  # fmt: skip


def test_surroundings_come_back(tables, tmp_path):
    outlines = [box(4e7, 3e6, 4.05e7, 3.4e6), box(4.05e7, 3e6, 4.1e7, 3.4e6)]
    around = gpd.GeoDataFrame({"name": ["西", "=East"]}, geometry=outlines, crs=tables.units.crs)
    surrounded = replace(tables, surroundings=around)
    write_tables(surrounded, tmp_path)
    assert pyogrio.list_layers(tmp_path / "surroundings.gpkg").tolist() == [["surroundings", "MultiPolygon"]]  # fmt: skip
    assert gpd.read_file(tmp_path / "surroundings.gpkg")["name"].tolist() == ["西", "=East"]
    write_manifest(tmp_path, surrounded)
    assert digests_of_directory(tmp_path) == table_digests(surrounded)


def test_the_project_says_how_wide_the_cells_of_its_grid_are(directory):
    with ZipFile(directory / "city.qgz") as package:
        text = package.read("city.qgs").decode()
    assert "Emissions, 1 km grid 碳排放网格" in text


def test_geoparquet(tables, directory):
    path = directory / "parcels.parquet"
    frame = gpd.read_parquet(path)
    assert list(frame.columns)[:4] == ["id", "land_use", "type", "geometry"]
    assert frame["industry/manufacturing"].dtype == np.int64
    assert (
        frame["industry/manufacturing"].tolist()
        == tables.parcels["industry/manufacturing"].tolist()
    )
    assert frame["id"].tolist()[0] == "001"
    assert frame["land_use"].tolist()[2] == "0101"
    assert frame.crs == tables.parcels.crs
    meta = json.loads(pq.read_schema(path).metadata[b"geo"])
    assert meta["version"] == "1.1.0"
    assert meta["columns"]["geometry"]["covering"]["bbox"]["xmin"] == ["bbox", "xmin"]
    # Seen: no word in the file of what its masses are in.
    schema = pq.read_schema(path)
    told = {"industry/manufacturing": "g CO2e yr-1", "area_m2": "m2", "sink_g_t_km2": "t CO2e km-2 yr-1"}  # fmt: skip
    assert {name: schema.field(name).metadata[b"units"].decode() for name in told} == told
    assert told.items() <= json.loads(schema.metadata[b"units"]).items()
    area = tables.parcels["area_m2"]
    np.testing.assert_array_equal(frame["sink_g_t_km2"], tables.parcels["sink_g"] / area)
    assert list(frame.columns)[-6:] == [f"{name}_t_km2" for name in list(frame.columns)[4:10]]
    inside = gpd.read_parquet(path, bbox=tuple(tables.parcels.geometry[0].bounds))
    assert inside["id"].tolist() == ["001"]


def test_parcels_are_written_beside_their_own_outlines_or_not_at_all(tables, directory, tmp_path):
    """The same file as where none is there yet; outlines of others, as many of them, are refused."""
    shapes = tmp_path / "shapes.parquet"
    write_geoparquet(tables.parcels[["geometry"]], shapes)
    path, categories = tmp_path / "parcels.parquet", tables.categories
    write_parcels(tables.parcels, categories, path, shapes)
    assert (tmp_path / "parcels.parquet").read_bytes() == (directory / "parcels.parquet").read_bytes()  # fmt: skip
    (tmp_path / "parcels.parquet").unlink()
    write_geoparquet(tables.parcels[["geometry"]].iloc[::-1], shapes)
    with pytest.raises(RunError, match=r"shapes\.parquet does not hold the parcels of this run"):
        write_parcels(tables.parcels, categories, path, shapes)
    assert not (tmp_path / "parcels.parquet").exists()


def test_a_small_rate_can_be_read_in_the_workbook(directory):
    """Seen to fail with 0.000, in which 0.04 % is 0.000."""
    sheet = openpyxl.load_workbook(directory / "units.xlsx")["units"]
    heads = [cell.value for cell in sheet[NAMES_ROW]]
    assert {cell.number_format for cell in next(sheet.iter_cols(heads.index("ccr") + 1, min_row=3)) if cell.data_type == "n" and cell.value is not None} == {"0.0000%"}  # fmt: skip


@pytest.mark.parametrize(
    ("index", "form", "shown"),
    [
        (0.9998, "0.000", "0.9998"),
        (1.0003, "0.000", "1.0003"),
        (0.9995, "0.000", "0.9995"),
        (0.999499, "0.000", "0.999"),
        (0.00029, "0.000", "0.000290"),
        (1.5e-19, "0.000", "1.50E-19"),
        (1.0, "0.000", "1.000"),
        (0.0, "0.000", "0.000"),
        (12.3456, "0.000", "12.346"),
        (0.99999999, "0.0000%", "99.999999%"),
        (1.234e-8, "0.0000%", "0.00000123%"),
        (0.0004, "0.0000%", "0.0400%"),
        (0.0004, "0.0%", "0.0%"),  # a share
    ],
)
def test_an_index_in_the_workbook_is_on_its_side_of_1_and_of_0(index, form, shown):
    """Seen: ECC 1.000 in zone 2 and 1.000 in zone 4, which is 0.9998, and 0.000 for 0.00029."""
    own = _form_of(index, form)
    decimals, times = len(own.rstrip("%").partition(".")[2]), 100 if "%" in own else 1
    text = f"{index:.2E}" if "E" in own else f"{index * times:.{decimals}f}" + "%" * (times == 100)
    assert text == shown


def test_what_draws_say_is_shown_as_what_they_are_of(small_run):
    """Seen to fail with 0.000 in all of them: a low CCR was 0.000, millions of tonnes had three decimals."""
    sheet = openpyxl.load_workbook(small_run / "units.xlsx")["units"]
    heads = [cell.value for cell in sheet[NAMES_ROW]]
    form = {head: sheet.cell(3, 1 + k).number_format for k, head in enumerate(heads)}
    of_draws = [head for head in heads if head.endswith(("_p05", "_p95"))]
    assert len(of_draws) == 10
    for head in of_draws:
        assert form[head] == form[head.rpartition("_")[0]], head
    assert form["zone_probability"] == "0.00%"  # seen: 0.8996 as 90.0%, and not firm
    flags = {head: sheet.cell(3, 1 + heads.index(head)).alignment.horizontal for head in heads}
    assert {head for head, where in flags.items() if where == "center"} == {"borderline", "indicative", "firm", "zone"}  # fmt: skip


def test_headings_stand_where_the_cells_below_them_do(small_run):
    """Seen to stand at the left over numbers at the right: ECC lay over the end of CCR's numbers, and code 4 touched the zone's name."""
    sheet = openpyxl.load_workbook(small_run / "units.xlsx")["units"]
    sides = {key.value: (head.alignment.horizontal, cell.alignment.horizontal or "left") for head, key, cell in zip(sheet[1], sheet[NAMES_ROW], sheet[3], strict=True)}  # fmt: skip
    assert all(head == cell for head, cell in sides.values()), sides
    assert [sides[name][0] for name in ("name", "ecc", "zone", "zone_name")] == ["left", "right", "center", "left"]  # fmt: skip


def test_each_heading_has_chinese_of_its_own(small_run):
    """Seen: "district" alone, and 下限 twice, of GDP and of ECC."""
    sheet = openpyxl.load_workbook(small_run / "units.xlsx")["units"]
    heads = {key.value: str(head.value).splitlines() for head, key in zip(sheet[1], sheet[NAMES_ROW], strict=True)}  # fmt: skip
    chinese = {name: "".join(line for line in lines if not line.isascii()) for name, lines in heads.items()}  # fmt: skip
    assert [name for name, words in chinese.items() if not words] == ["zone_name"]
    assert len(set(chinese.values())) == len(chinese)
    assert chinese["district"] == "区县"


def test_spreadsheet(tables, directory):
    sheet = openpyxl.load_workbook(directory / "units.xlsx")["units"]
    header = [cell.value for cell in sheet[NAMES_ROW]]
    assert header == list(rows_of(directory / "units.csv")[0])
    assert sheet.cell(1, header.index("gdp") + 1).value == "GDP\n地区生产总值\nCNY"
    name = sheet.cell(4, header.index("name") + 1)
    assert (name.value, name.data_type, name.quotePrefix) == ('=HYPERLINK("x")', "s", True)
    assert all(cell.font.bold for cell in sheet[1])
    assert sheet.cell(3, 1).value == "0101"
    assert sheet.cell(3, 1).data_type == "s"
    emission = sheet.cell(3, header.index("emission_t") + 1)
    assert emission.value == tables.units["emission_g"][0] / 10**6
    assert emission.number_format == "#,##0"
    assert sheet.cell(7, header.index("gdp") + 1).value is None
    assert sheet.cell(7, header.index("ccr") + 1).value == "inf"
    assert sheet.cell(3, header.index("borderline") + 1).value in (True, False)
    assert sheet.cell(3, header.index("borderline") + 1).data_type == "b"
    with ZipFile(directory / "units.xlsx") as package:
        assert b"<f>" not in package.read("xl/worksheets/sheet1.xml")


def test_headings_of_the_workbook_stay_in_sight_and_are_printed_on_each_page(directory):
    """Seen to fail without freeze_panes, which took the repeated headings along, and with pages that all stand."""
    book = openpyxl.load_workbook(directory / "units.xlsx")
    for sheet in book.worksheets[:-1]:
        assert sheet.freeze_panes == f"C{NAMES_ROW + 1}"
        assert (sheet.print_title_rows, sheet.print_title_cols) == (f"$1:${NAMES_ROW}", "$A:$B")
        assert sheet.auto_filter.ref == sheet.dimensions.replace("A1:", f"A{NAMES_ROW}:")
    lying = [sheet.title for sheet in book if sheet.page_setup.orientation == "landscape"]
    assert lying == ["units", "notes"]
    for sheet in book:
        margins = sheet.page_margins
        assert (margins.left, margins.right, margins.top, margins.bottom) == (0.75, 0.75, 1, 1)
        assert margins.footer == 0.5
        assert sheet.page_setup.paperSize == 9
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert (sheet.oddFooter.left.text, sheet.oddFooter.right.text) == ("&A", "&P / &N")
    # One page is what is meant where the file says nothing.
    pages = [(sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) for sheet in book]
    assert pages == [(2, None), *[(None, None)] * 3, (None, 2)]


def test_what_stands_in_the_workbook_looks_like_what_it_is(directory):
    """Headings bold and wrapped, names small and grey, notes wrapped; each text with the prefix that keeps it one."""
    book = openpyxl.load_workbook(directory / "units.xlsx")
    for sheet in book.worksheets[:-1]:
        assert {cell.font.b for cell in sheet[1]} == {True}
        assert {(cell.alignment.wrap_text, cell.alignment.vertical) for cell in sheet[1]} == {(True, "top")}  # fmt: skip
        assert {(cell.font.sz, cell.font.color.rgb[-6:]) for cell in sheet[2]} == {(8, "6B7280")}
        assert sheet.row_dimensions[1].height >= 3 * 13.5
    for cell in (cell for sheet in book for row in sheet.iter_rows() for cell in row):
        text = isinstance(cell.value, str)
        assert (cell.quotePrefix, cell.number_format) == (True, "@") or not text
        assert cell.hyperlink is None
    for row in book["notes"].iter_rows():
        bold = row[0].fill.fill_type == "solid"
        assert [bool(cell.font.b) for cell in row] == [True, bold, bold]
        assert {(cell.alignment.wrap_text, cell.alignment.vertical) for cell in row} == {(True, "top")}  # fmt: skip


def test_columns_that_have_a_sheet_of_their_own_are_folded_in_the_first(tables, directory):
    """Seen to fail when the width took the place of the fold."""
    sheets = openpyxl.load_workbook(directory / "units.xlsx").worksheets
    names = {cell.column: cell.value for cell in sheets[0][NAMES_ROW]}
    folded = {number for number, each in columns_of(sheets[0]).items() if each.hidden}
    of_categories = {f"{category.name.replace('/', '_')}_t" for category in tables.categories}
    assert {names[number] for number in folded} == of_categories & set(names.values()) != set()
    levels = {number for number, each in columns_of(sheets[0]).items() if each.outlineLevel == 1}
    assert levels == folded
    assert not any(each.hidden for sheet in sheets[1:] for each in columns_of(sheet).values())


def test_the_same_units_give_the_same_workbook_on_another_day(content, tables, directory, tmp_path, monkeypatch):  # fmt: skip
    """Seen to fail without a date of its own in the file's properties."""

    class Later(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(days=400)

    monkeypatch.setattr(xlsxwriter.workbook, "datetime", Later)
    write_units_xlsx(content.units, tables, tmp_path / "units.xlsx")
    assert (tmp_path / "units.xlsx").read_bytes() == (directory / "units.xlsx").read_bytes()
    with ZipFile(tmp_path / "units.xlsx") as package:
        assert {entry.date_time[0] for entry in package.infolist()} == {1980}


def test_a_workbook_that_cannot_be_written_is_told_as_any_file_is(content, tables, tmp_path):
    """Seen to fail when XlsxWriter wrote the file itself, whose exception is no OSError: a full disk ended in a traceback."""
    with pytest.raises(FileNotFoundError):
        write_units_xlsx(content.units, tables, tmp_path / "none" / "units.xlsx")


@pytest.mark.parametrize(
    ("units", "columns", "told"), [(6, 16_385, "8 and 16,385"), (1_048_575, 2, "1,048,577 and 2")]
)
def test_no_cell_is_left_out_where_a_sheet_has_no_room(tables, tmp_path, units, columns, told):
    """Seen to fail without the check: XlsxWriter leaves out what lies beyond a sheet's end."""
    ids = pd.array(["0101"], dtype="str").take([0] * units)
    frame = pd.DataFrame({f"p{number}": ids for number in range(columns)}, copy=False)
    many = Table(frame, dict.fromkeys(frame.columns, "text"))
    with pytest.raises(InputError, match=f"1,048,576 rows and 16,384 columns, not {told}"):
        write_units_xlsx(many, tables, tmp_path / "units.xlsx")
    assert not (tmp_path / "units.xlsx").exists()


def test_spreadsheet_has_a_sheet_per_sector_and_says_what_each_column_is(tables, directory):
    book = openpyxl.load_workbook(directory / "units.xlsx")
    assert book.sheetnames == ["units", "buildings", "industry", "sink", "notes"]
    head, names, *rows = book["industry"].iter_rows(values_only=True)
    assert head == (
        "Code\n代码",
        "Name\n名称",
        "Industry\n工业\nt CO2e/yr",
        "Share of emissions\n占排放",
        "Manufacturing\n制造业\nt CO2e/yr",
    )
    assert names == ("id", "name", "industry_t", None, "industry_manufacturing_t")
    masses = (tables.units["industry_g"] / 10**6).tolist()
    assert [row[2] for row in rows] == masses
    assert rows[0][3] == tables.units["industry_g"][0] / tables.units["emission_g"][0]
    assert rows[4][3] is None  # a unit without emission
    assert book["industry"].cell(3, 4).number_format == "0.0%"
    sheet = book["notes"]
    notes = {row[0]: row[1:3] for row in sheet.iter_rows(values_only=True)}
    missing = [
        cell.value for cell in book["units"][NAMES_ROW] if not all(notes.get(cell.value, [""]))
    ]
    assert missing == []
    assert notes["title 标题"][0] == "Six townships"
    for zone in zones():
        assert notes[str(zone.code)] == (zone.name_en, zone.name_zh)
    heads = [row[0].value for row in sheet.iter_rows() if row[0].fill.fill_type == "solid"]
    assert heads == ["About this file 关于本文件", "Column 列", "Zone 分区"]
    with ZipFile(directory / "units.xlsx") as package:
        for name in package.namelist():
            assert b"<f>" not in package.read(name)


@pytest.mark.parametrize("own", [(), tuple(Advice(zone, *[f"of {zone}"] * 4) for zone in range(5))])  # fmt: skip
def test_the_workbook_has_the_guidance_of_the_case_or_else_the_package_s(tables, tmp_path, own):
    guided = replace(tables, guidance=own)
    write_units_xlsx(content_of(guided, public=False).units, guided, tmp_path / "units.xlsx")
    rows = openpyxl.load_workbook(tmp_path / "units.xlsx")["notes"].iter_rows(values_only=True)
    told = [row[1] for row in rows if not row[0] and row[1]]
    given = [f"{each.topic_en}: {each.text_en}" for each in own or read_guidance()]
    assert len(told) >= 5
    assert set(told) <= set(given)


def test_sectors_that_are_no_titles_of_sheets_get_one(tables, tmp_path):
    own = [
        replace(c, sector=s) for c, s in zip(tables.categories, ("Notes", "n" * 40), strict=False)
    ]
    changed = replace(
        tables,
        categories=(*own, *tables.categories[2:]),
        units=tables.units.assign(Notes_g=tables.units["buildings_g"], **{"n" * 40 + "_g": 0}),
    )
    write_tables(changed, tmp_path)
    book = openpyxl.load_workbook(tmp_path / "units.xlsx")
    assert book.sheetnames == ["units", "Notes 2", "n" * 28, "sink", "notes"]


def test_a_title_has_as_many_characters_as_excel_counts(tables, tmp_path):
    """Seen to fail with 28 letters of two units each: XlsxWriter refuses more than 31 units."""
    rare = "𠀀" * 20
    own = [replace(category, sector=rare) for category in tables.categories[:1]]
    units = tables.units.assign(**{f"{rare}_g": 0})
    changed = replace(tables, categories=(*own, *tables.categories[1:]), units=units)
    write_units_xlsx(content_of(changed, public=False).units, changed, tmp_path / "units.xlsx")
    assert "𠀀" * 14 in openpyxl.load_workbook(tmp_path / "units.xlsx").sheetnames


def test_hostile_names_are_text_in_every_format(tables, tmp_path):
    names = [
        "<script>alert(1)</script>",
        '=cmd|"/c calc"!A1',
        "\u202eevil",
        "🏭 works",
        "x" * 200,
        "苏州",
    ]
    write_tables(replace(tables, units=tables.units.assign(name=names)), tmp_path)
    assert gpd.read_file(tmp_path / "units.gpkg", layer="units")["name"].tolist() == names
    told = [row["name"] for row in rows_of(tmp_path / "units.csv")]
    assert [unquoted(name) for name in told] == names
    assert not told[1].startswith("=")
    book = openpyxl.load_workbook(tmp_path / "units.xlsx")
    for sheet in ("units", "industry"):
        cells = [book[sheet].cell(row, 2) for row in range(3, 9)]
        assert [cell.value for cell in cells] == names
        assert {cell.data_type for cell in cells} == {"s"}
    styles = pyogrio.read_dataframe(tmp_path / "units.gpkg", layer="layer_styles")
    assert not styles["styleQML"].str.contains("script").any()


def test_of_more_units_than_a_sheet_has_rows_the_workbook_is_left_out(
    tables, tmp_path, monkeypatch, caplog
):
    """With a warning, since all else of the run is there. Seen to fail: it ended a run after all its work."""
    monkeypatch.setattr("carbongrid.outputs.tables.MAX_UNITS", 5)
    write_tables(tables, tmp_path)
    assert not (tmp_path / "units.xlsx").exists()
    assert "units.xlsx" not in table_files(tables)
    assert len(rows_of(tmp_path / "units.csv")) == 6
    assert "room for 5 units, not for 6" in caplog.text


def test_control_characters_do_not_stop_the_spreadsheet(tables, tmp_path):
    units = tables.units.assign(name="a\x07b")
    write_tables(replace(tables, units=units), tmp_path)
    sheet = openpyxl.load_workbook(tmp_path / "units.xlsx")["units"]
    assert sheet.cell(3, 2).value == "a�b"


PIECES = ["_x0041_", "_", "x000D_", "<r>", "</r>", "<t>", "&amp;", "\r", "\n", "\t", " ", "\0", "\ufffe", "=1", "http://a.b", "1e5", "TRUE", "🏭", "苏"]  # fmt: skip


of_pieces = st.lists(st.sampled_from(PIECES)).map("".join)


@given(st.lists(of_pieces | of_pieces.map("<r>{}</r>".format) | st.text(), min_size=1))
def test_a_cell_holds_the_text_that_was_written(texts):
    """Seen to fail with texts between <r> and </r>, which XlsxWriter takes for markup, with _x0041_ in one of them, and with empty ones as strings."""
    stream = BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    sheet, style = book.add_worksheet(), book.add_format({"bold": True})
    for row, text in enumerate(texts):
        write_text(sheet, row, 0, text, style)
    book.close()
    (column,) = openpyxl.load_workbook(stream).active.iter_cols(max_row=len(texts))
    for text, cell in zip(texts, column, strict=True):
        held = in_a_cell(text)
        # openpyxl takes this out of what it reads, wherever it stands.
        assert cell.value == (held.replace("x005F_", "") or None)
        assert cell.data_type == ("s" if held else "n")
        assert cell.hyperlink is None


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("a\r\nb\rc", "a\nb\nc"),
        ("\x00\x08\x0b\x0c\x0e\x1f\ufffe\uffff", "�" * 8),
        ("\t\n\x7f\x85\u2028\ufffd", "\t\n\x7f\x85\u2028\ufffd"),
        ("z" * 40_000, "z" * 32_767),
        ("🏭" * 16_384, "🏭" * 16_383),
        ("a" + "🏭" * 16_384, "a" + "🏭" * 16_383),
        ("苏" * 32_767, "苏" * 32_767),
        ("<r>" + "z" * 40_000 + "</r>", "<r>" + "z" * 32_764),
    ],
)
def test_what_a_cell_cannot_hold_is_replaced_or_cut(text, held):
    """Excel counts in UTF-16 and takes 32,767; XML knows neither most control characters nor ends of lines but one."""
    assert in_a_cell(text) == held


# Rasters


def test_geotiff_is_cloud_optimized(tables, directory):
    grid = tables.grid_1km
    with rasterio.open(directory / "grid_1km.tif") as raster:
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert raster.descriptions == ("emission", "sink")
        assert raster.units == ("t yr-1", "t yr-1")
        assert raster.dtypes == ("float64", "float64")
        assert raster.crs == grid.rio.crs
        assert tuple(raster.transform)[:6] == (1000, 0, 40_500_000, 0, -1000, 3_453_000)
        emission, sink = raster.read()
    np.testing.assert_array_equal(np.nan_to_num(emission), grid["emission"] / 10**6)
    np.testing.assert_array_equal(np.nan_to_num(sink), grid["sink"] / 10**6)
    np.testing.assert_array_equal(np.isnan(emission), grid["covered_area"] == 0)
    assert [path.name for path in directory.glob("*.aux.xml")] == []


def test_mass_snapped_to_an_uncovered_cell_is_not_nodata(tables, tmp_path):
    grid = tables.grid_1km.copy(deep=True)
    grid["sink"][0, 4] = 5
    write_tables(replace(tables, grid_1km=grid), tmp_path)
    with rasterio.open(tmp_path / "grid_1km.tif") as raster:
        assert raster.read()[:, 0, 4].tolist() == [0.0, 5e-6]
    assert digests_of_directory(tmp_path)["grid_1km"] != table_digests(tables)["grid_1km"]


def test_a_sliver_of_land_without_mass_is_not_nodata(tables, tmp_path):
    """Seen to fail when a cell had to be covered by a square metre."""
    grid = tables.grid_1km.copy(deep=True)
    row, column = np.argwhere(grid["covered_area"].to_numpy() <= 0)[0]
    grid["covered_area"][row, column] = 0.5
    for name in ("emission", "sink"):
        grid[name][row, column] = 0
    write_tables(replace(tables, grid_1km=grid), tmp_path)
    with rasterio.open(tmp_path / "grid_1km.tif") as raster:
        assert raster.read()[:, row, column].tolist() == [0, 0]


def test_netcdf(tables, directory):
    grid = tables.grid_1km
    with xr.open_dataset(
        directory / "grid_1km.nc", engine="h5netcdf", decode_coords="all"
    ) as dataset:
        assert dataset.attrs["Conventions"] == "CF-1.11"
        assert dataset.rio.crs == grid.rio.crs
        assert dataset["emission"].dtype == np.int64
        assert int(dataset["emission"].sum()) == tables.parcels["emission_g"].sum()
        assert dataset["emission"].attrs["units"] == "g yr-1"
        assert dataset["sink_density"].attrs["units"] == "kg m-2 yr-1"
        assert dataset["x"].attrs["standard_name"] == "projection_x_coordinate"
        mass = dataset["emission_density"] * dataset["covered_area"] * 1000
        np.testing.assert_allclose(mass.fillna(0), grid["emission"], rtol=1e-12)
        np.testing.assert_array_equal(np.isnan(dataset["sink_density"]), grid["covered_area"] == 0)


def test_files_say_by_which_potentials_they_are_co2e(tables, tmp_path):
    """Seen: workbook, grid, project and the layer of units did not, and the layer had neither title nor year; later, GDP of 2018 and a census of 2010 were of the run's year."""
    awkward = '=Six, "townships" <i>of</i> 苏州'
    years = {"gdp": (2018, 2019), "residents": (2010,)}
    write_tables(replace(tables, title=awkward, gwp="AR6", other_years=years), tmp_path)
    said = "AR6, 100 years"
    notes = openpyxl.load_workbook(tmp_path / "units.xlsx")["notes"]
    rows = {str(row[0]): row[1:] for row in notes.iter_rows(values_only=True)}
    assert rows["GWP 全球增温潜势"] == (said, "AR6，100 年")
    assert [rows[f"year of {name}"][0] for name in ("GDP 地区生产总值年份", "residents 人口年份")] == ["2018, 2019", "2010"]  # fmt: skip
    with closing(sqlite3.connect(tmp_path / "units.gpkg")) as database:
        (told,) = database.execute("SELECT description FROM gpkg_contents WHERE table_name = 'units'").fetchone()  # fmt: skip
    assert told.startswith(f"{awkward}, 2020; GDP of 2018, 2019; residents of 2010; mass in CO2e")
    assert told.endswith(said)
    with xr.open_dataset(tmp_path / "grid_1km.nc", engine="h5netcdf") as dataset:
        assert dataset.attrs["global_warming_potentials"] == said
    with rasterio.open(tmp_path / "grid_1km.tif") as raster:
        assert raster.tags()["global_warming_potentials"] == said
    with ZipFile(tmp_path / "city.qgz") as project:
        root = ET.fromstring(project.read("city.qgs"))
    assert root.findtext("projectMetadata/abstract") == told
    assert potentials(tables) == ("as the totals were given", "以所给总量为准")


@pytest.fixture(scope="module")
def with_sectors(tables):
    """The tables, two sectors sharing the emission of each cell."""
    grid = tables.grid_1km
    fields = np.stack([grid["emission"] // 3, grid["emission"] - grid["emission"] // 3])
    by_sector = (("sector", "y", "x"), fields, {})
    return replace(tables, grid_1km=grid.assign(emission_by_sector=by_sector, sector=["industry", "交通"]))  # fmt: skip


def test_netcdf_is_what_xarray_writes_and_dask_is_not_asked(monkeypatch):
    """The same bytes, also of what is lazy. Seen to fail by to_netcdf, which imports distributed, and without numbers where they were lazy."""
    grid = xr.Dataset(
        {"mass": (("y", "x"), np.arange(12.0).reshape(3, 4)), "sector": ("sector", ["a", "bc"])},
        {"x": np.arange(4.0)},
        {"Conventions": "CF-1.11"},
    )
    grid["mass"].encoding = {"zlib": True, "complevel": 4}
    grid["sector"].encoding = {"dtype": "S1"}
    for name in ("distributed", "dask.distributed"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    written = rasters.netcdf_of(grid)
    assert not {"distributed", "dask.distributed"} & set(sys.modules)
    monkeypatch.undo()
    assert written == bytes(grid.to_netcdf(engine="h5netcdf"))
    assert rasters.netcdf_of(grid.chunk({"x": 2})) == written


def test_netcdf_has_sectors_and_a_time(tables, with_sectors, tmp_path):
    """Files of two years are stacked along the time. A name of a sector is content as its grams are."""
    write_tables(with_sectors, tmp_path)
    digests = digests_of_directory(tmp_path)
    assert digests == table_digests(with_sectors)
    assert digests.keys() - table_digests(tables).keys() == {"grid_1km_by_sector"}
    assert digests["grid_1km"] == table_digests(tables)["grid_1km"]
    grid = with_sectors.grid_1km
    for change in ({"sector": ["industry", "transport"]}, {"emission_by_sector": grid["emission_by_sector"][::-1].to_numpy()}):  # fmt: skip
        other = grid.assign({name: grid[name].copy(data=values) for name, values in change.items()})
        assert table_digests(replace(with_sectors, grid_1km=other))["grid_1km_by_sector"] != digests["grid_1km_by_sector"]  # fmt: skip
    later = tmp_path / "later"
    later.mkdir()
    write_tables(replace(with_sectors, year=2024), later)
    years = [tmp_path / "grid_1km.nc", later / "grid_1km.nc"]
    stacked = {"combine": "nested", "concat_dim": "time", "coords": "different", "compat": "equals"}
    with xr.open_mfdataset(years, decode_coords="all", data_vars="all", **stacked) as both:
        assert both["emission"].dims == ("time", "y", "x")
        assert both["emission_by_sector"].dims == ("time", "sector", "y", "x")
        assert both["time"].dt.year.to_numpy().tolist() == [2020, 2024]
        assert both["sector"].to_numpy().tolist() == ["industry", "交通"]
        industry = both["emission_by_sector"].sel(sector="industry").isel(time=0)
        assert industry.attrs["units"] == "g yr-1"
        assert int(industry.sum()) == int((tables.grid_1km["emission"] // 3).sum())


# Public


def test_public_leaves_out_what_may_not_be_published(tables, with_sectors, tmp_path):
    """Every byte is searched, archives unpacked; seen to fail when the ledger kept its remarks and residents stayed in the XLSX."""
    named = replace(
        with_sectors,
        parcels=tables.parcels.assign(id=[f"PARCEL-{i}" for i in range(12)]),
        units=tables.units.assign(residents=[52000.0, 8.8125, 9.5625, 10.0, 3.4375, np.nan]),
        ledger=tuple(replace(row, reason="FACTORY-7 has no coordinates") for row in tables.ledger),
    )
    write_tables(named, tmp_path)  # an earlier run that was not public leaves nothing behind
    write_tables(named, tmp_path, public=True)
    assert not (tmp_path / "parcels.parquet").exists()
    with xr.open_dataset(tmp_path / "grid_1km.nc") as grid:
        assert "sector" not in grid.variables
    everything = b""
    for path in tmp_path.iterdir():
        everything += path.read_bytes()
        if path.suffix == ".xlsx":
            with ZipFile(path) as package:
                everything += b"".join(package.read(name) for name in package.namelist())
    for secret in (b"PARCEL-", b"FACTORY", b"8.8125", b"9.5625", b"3.4375", b"101011.7"):
        assert secret not in everything
    assert [row["residents"] for row in rows_of(tmp_path / "units.csv")] == [
        "52000.0",
        "",
        "",
        "10.0",
        "",
        "",
    ]
    people = rows_of(tmp_path / "ledger.csv")[0]
    assert people["rule"] == "people"
    assert (people["weight_placed"], people["weight_unplaced"]) == ("", "")
    counted, of_works = rows_of(tmp_path / "evidence.csv")[:2]
    assert {counted[name] for name in ("given", "used", "lost", "top_share", "densest_t_km2")} == {
        ""
    }
    assert (counted["carriers"], of_works["given"], of_works["lost"]) == ("4", "13.0", "2.0")
    assert digests_of_directory(tmp_path) == table_digests(named, public=True)
    assert set(table_digests(named, public=True)) == TABLES - {"parcels"}


# Reading back


def test_result(tables, directory):
    result = read_result(directory)
    assert result.manifest["title"] == "Six townships"
    assert result.directory == directory
    assert isinstance(result.units, gpd.GeoDataFrame)
    assert result.units["zone"].tolist() == tables.units["zone"].tolist()
    assert result.units["id"].tolist() == tables.units["id"].tolist()
    assert result.units.crs == tables.units.crs
    assert result.parcels["sink/crops"].tolist() == tables.parcels["sink/crops"].tolist()
    assert result.parcels.geometry.geom_equals(tables.parcels.geometry).all()
    assert result.ledger["total_t"].sum() == pytest.approx(
        sum(r.total for r in tables.ledger) / 1e6
    )
    assert result.inventory["region"].tolist() == [""] * 5
    assert not result.grid_1km["emission"].variable._in_memory
    np.testing.assert_array_equal(result.grid_1km["emission"], tables.grid_1km["emission"])
    result.grid_1km.close()


def test_public_result_has_no_parcels(tables, tmp_path):
    write_tables(tables, tmp_path, public=True)
    write_manifest(tmp_path, tables, public=True)
    result = read_result(tmp_path)
    assert len(result.parcels) == 0
    assert len(result.units) == 6
    result.grid_1km.close()


def test_a_result_is_of_one_run(tables, tmp_path):
    """Seen to fail: units of the run that was opened, parcels of the run that replaced it; and no pickle."""

    def made(made_tables):
        write_tables(made_tables, tmp_path)
        write_manifest(tmp_path, made_tables)

    made(tables)
    opened, late = read_result(tmp_path), read_result(tmp_path)
    again = pickle.loads(pickle.dumps(opened))
    assert again.parcels.equals(opened.parcels)
    assert again.units.equals(opened.units)
    for result in (opened, late, again):
        result.grid_1km.close()
    parcels = tables.parcels.assign(emission_g=tables.parcels["emission_g"] + 1)
    made(replace(tables, parcels=parcels))
    assert opened.parcels["emission_g"].equals(tables.parcels["emission_g"])
    with pytest.raises(VerificationError, match="made again since it was opened"):
        _ = late.parcels


def test_the_grid_of_a_result_is_that_of_its_run(tables, tmp_path):
    """Seen to fail: units of the run that was opened, the grid of the run that replaced it."""

    def made(made_tables):
        write_tables(made_tables, tmp_path)
        write_manifest(tmp_path, made_tables)

    made(tables)
    opened = read_result(tmp_path)
    held = pickle.dumps(opened)
    twice = tables.grid_1km.assign(emission=2 * tables.grid_1km["emission"])
    made(replace(tables, grid_1km=twice))
    with xr.set_options(
        file_cache_maxsize=1
    ):  # as where many files are open, or in another process
        again = read_result(tmp_path)
        np.testing.assert_array_equal(again.grid_1km["emission"], twice["emission"])
        for result in (opened, pickle.loads(held), copy.deepcopy(opened)):
            np.testing.assert_array_equal(result.grid_1km["emission"], tables.grid_1km["emission"])


def test_the_grid_of_a_result_is_read_on_after_it_was_closed(tables, tmp_path):
    """Seen to fail: the bytes went with the file."""
    write_tables(tables, tmp_path)
    write_manifest(tmp_path, tables)
    result = read_result(tmp_path)
    with result.grid_1km as grid:
        np.testing.assert_array_equal(grid["sink"], tables.grid_1km["sink"])
    np.testing.assert_array_equal(result.grid_1km["emission"], tables.grid_1km["emission"])


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("which", ["tables", "parcels", "carriers"])
def test_what_is_replaced_while_it_is_read_is_told(tables, tmp_path, monkeypatch, which, fails):
    """Tables of a run are read one by one, a file is held against its digest before it is read. Seen to fail: what was replaced was damaged where its reading failed."""
    write_tables(tables, tmp_path)
    write_manifest(tmp_path, tables, title="", year=2020, currency="", categories=[vars(each) for each in tables.categories], parameters={"parents": [], "reference": "all", "basis": "gross"}, ledger=[], assumptions=[])  # fmt: skip
    later = read_result(tmp_path).read_parcels
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))

    def slowly(path):
        found = read_parcels_parquet(path)
        shutil.copy(path, tmp_path / "another")
        (tmp_path / "another").replace(path)
        write_manifest(tmp_path, tables, **{SEAL: "another"})
        if fails:
            raise VerificationError("parcels.parquet lacks a column")
        return found

    def carriers():
        with reading.as_written(tmp_path, "parcels.parquet", manifest) as path:
            slowly(path)

    monkeypatch.setattr(reading, "read_parcels_parquet", slowly)
    read = {"tables": lambda: read_tables(tmp_path), "parcels": later, "carriers": carriers}[which]
    with pytest.raises(VerificationError, match="made again since it was opened"):
        read()


def test_figures_are_drawn_by_what_the_run_was_asked_for(tables, directory, tmp_path):
    """Seen to fail with ties, floor and GDP of the defaults, which all other runs here have."""
    folder = shutil.copytree(directory, tmp_path / "run")
    told = {"parents": [], "reference": "district", "basis": "net", "sink_floor": 0.25, "ties": ">", "gwp": "AR6", "gdp_by": "district", "draws": 7}  # fmt: skip
    write_manifest(folder, tables, title="", year=2020, currency="", categories=[vars(each) for each in tables.categories], parameters=told, ledger=[], assumptions=[])  # fmt: skip
    found = read_tables(folder, parcels=False)
    assert {name: getattr(found, name) for name in told if name not in ("parents", "gdp_by")} == {
        name: each for name, each in told.items() if name not in ("parents", "gdp_by")
    }
    assert found.gdp_derived
    assert found.parcels.empty
    sums = tables.parcels.groupby("type")[[each.name for each in tables.categories]].sum()
    assert {*found.by_type.index} <= {*sums.index}  # what lies on no parcel is of no type
    assert (found.by_type.reindex(sums.index, fill_value=0) == sums).all(axis=None)


def test_a_file_that_changes_while_it_is_read_is_told(directory, tmp_path):
    """Seen to pass where nothing but the whole run was replaced meanwhile."""
    folder = shutil.copytree(directory, tmp_path / "run")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    told = r"units\.csv was changed, moved or removed while it was read"
    with pytest.raises(VerificationError, match=told), reading.as_written(folder, "units.csv", manifest) as path:  # fmt: skip
        path.write_bytes(path.read_bytes() + b"\n")


def test_units_of_table_and_layer_are_the_same_to_the_last(directory, tmp_path):
    """Seen to pass with the first alone: outlines of one unit would be beside numbers of another."""
    folder = shutil.copytree(directory, tmp_path / "run")
    units = gpd.read_file(folder / "units.gpkg", layer="units")
    (folder / "units.gpkg").unlink()
    order = [0, *range(len(units) - 1, 0, -1)]
    units.iloc[order].to_file(folder / "units.gpkg", layer="units")
    with pytest.raises(VerificationError, match="do not hold the same units"):
        read_content(folder)


def test_a_file_of_another_run_is_not_called_damaged(tables, tmp_path):
    """Seen to fail: it was changed after the run, or is damaged."""
    write_tables(tables, tmp_path)
    write_manifest(tmp_path, tables)
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    (tmp_path / "ledger.csv").write_text("", encoding="utf-8")
    with (
        pytest.raises(VerificationError, match="changed after the run, or is damaged"),
        reading.as_written(tmp_path, "ledger.csv", manifest),
    ):
        pytest.fail("it is damaged")
    write_manifest(tmp_path, tables, **{SEAL: "another"})
    with (
        pytest.raises(VerificationError, match="made again since it was opened"),
        reading.as_written(tmp_path, "ledger.csv", manifest),
    ):
        pytest.fail("it is of another run")


def test_a_run_that_is_replaced_while_it_is_opened_is_told(tables, tmp_path, monkeypatch):
    """Its files are read one by one. Seen to fail: the grid of one run, units of the next."""
    write_tables(tables, tmp_path)
    write_manifest(tmp_path, tables)
    read = reading.values_of_grid

    def slowly(*arguments):
        grid = read(*arguments)
        write_manifest(tmp_path, tables, **{SEAL: "another"})
        return grid

    monkeypatch.setattr(reading, "values_of_grid", slowly)
    with pytest.raises(VerificationError, match="made again since it was opened"):
        read_result(tmp_path)


def test_result_of_no_run(tmp_path):
    with pytest.raises(InputError, match="not a finished run"):
        read_result(tmp_path)


def damage(folder, name):
    path = folder / name
    if name == "units.csv":
        text = path.read_text(encoding="utf-8-sig")
        path.write_text(text.replace("97842491.778213", "97842491.778", 1), encoding="utf-8")
    elif name in ("ledger.csv", "evidence.csv"):
        path.write_text(
            path.read_text(encoding="utf-8")
            .replace("by_rule_t", "by_rule")
            .replace("spread_t", "spread"),
            encoding="utf-8",
        )
    elif name == "inventory.csv":
        path.write_text(path.read_text(encoding="utf-8") + "1,2\n", encoding="utf-8")
    elif name == "units.gpkg":
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:200])


@pytest.mark.parametrize(
    "name",
    [
        "units.csv",
        "ledger.csv",
        "evidence.csv",
        "land_types.csv",
        "inventory.csv",
        "units.gpkg",
        "parcels.parquet",
        "grid_1km.nc",
    ],
)
def test_damage_is_named(tables, tmp_path, name):
    write_tables(tables, tmp_path)
    damage(tmp_path, name)
    with pytest.raises(VerificationError, match=name):
        digests_of_directory(tmp_path)


def test_a_damaged_geopackage_is_named(tables, tmp_path):
    write_tables(tables, tmp_path)
    damage(tmp_path, "units.gpkg")
    (tmp_path / "units.gpkg").write_bytes(b"not a database")
    with pytest.raises(VerificationError, match=r"units\.gpkg"):
        digests_of_directory(tmp_path)


def test_columns_of_one_name_are_refused(tables, tmp_path):
    units = tables.units.rename(columns={"district": "GDP"})
    with pytest.raises(InputError, match="GDP"):
        write_tables(replace(tables, units=units, parents=("GDP",)), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_sector_without_categories_is_zero(tables):
    units = tables.units.drop(columns=["transport_g", "waste_g", "agriculture_g"])
    assert table_digests(replace(tables, units=units)) == table_digests(tables)


# What generated faults left unnoticed


def test_numbers_of_a_result_keep_their_decimals_where_none_is_missing(tables, tmp_path):
    """Seen to fail when every column without a gap became whole numbers."""
    residents = [52_000.25, 8.5, 7.0, 18_000.75, 0.125, 3.0]
    whole = replace(tables, units=tables.units.assign(residents=residents, ecc=0.75))
    write_tables(whole, tmp_path)
    write_manifest(tmp_path, whole)
    result = read_result(tmp_path)
    assert result.units["residents"].tolist() == residents
    assert result.units["ecc"].tolist() == [0.75] * 6
    assert result.units["zone"].dtype == np.int64
    result.grid_1km.close()


def test_a_result_opens_without_reading_its_parcels(tables, tmp_path):
    """Seen to fail when parcels were read and thrown away: a million of them take seconds."""
    write_tables(tables, tmp_path)
    (tmp_path / "parcels.parquet").write_bytes(b"no parquet")
    write_manifest(tmp_path, tables)
    result = read_result(tmp_path)
    assert len(result.units) == 6
    with pytest.raises(VerificationError, match=r"parcels\.parquet cannot be read"):
        _ = result.parcels
    (tmp_path / "parcels.parquet").write_bytes(b"changed")
    with pytest.raises(VerificationError, match=r"parcels\.parquet was changed after the run"):
        _ = result.parcels
    (tmp_path / "parcels.parquet").unlink()
    with pytest.raises(VerificationError, match=r"parcels\.parquet cannot be read: No such file"):
        _ = result.parcels
    result.grid_1km.close()


def list_labels(run):
    """Have the manifest list labels: those that it does not list are none of the run's."""
    path = run / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["files"]["labels.zarr"] = "0" * 64
    path.write_text(json.dumps({**manifest, "seal": seal_of(manifest)}), encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("zarr.json", {"attributes": [1]}),
        ("label/zarr.json", {"shape": None}),
        ("label/zarr.json", {"attributes": {"coordinates": 5}}),
        ("label/zarr.json", {"dimension_names": None}),
    ],
)
def test_labels_whose_description_is_odd_are_told_by_name(directory, tmp_path, file, change):
    """Seen to end in an AttributeError where the coordinates were a number."""
    run = tmp_path / "run"
    shutil.copytree(directory, run)
    store = run / "labels.zarr"
    labels = xr.DataArray(np.ones((2, 2), np.uint32), dims=("y", "x"), name="label")
    labels.to_dataset().to_zarr(store, zarr_format=3, consolidated=False)
    list_labels(run)
    assert read_result(run).labels["label"].values.tolist() == [[1, 1], [1, 1]]
    described = json.loads((store / file).read_text(encoding="utf-8"))
    (store / file).write_text(json.dumps(described | change), encoding="utf-8")
    result = read_result(run)
    with pytest.raises(VerificationError, match=r"labels\.zarr cannot be read"):
        _ = result.labels


@pytest.mark.parametrize("attribute", ["coordinates", "grid_mapping", "bounds"])
def test_a_grid_whose_attributes_are_odd_is_told_by_name(directory, tmp_path, attribute):
    """Seen to end in an AttributeError."""
    path = tmp_path / "grid_1km.nc"
    shutil.copy2(directory / "grid_1km.nc", path)
    with h5py.File(path, "a") as file:
        file["emission"].attrs[attribute] = 5
    with pytest.raises(VerificationError, match=r"grid_1km\.nc cannot be read"):
        read_grid_nc(path)


def test_values_of_the_grid_that_are_damaged_are_told_where_a_run_is_opened(directory, tmp_path):
    """Seen to end in an OSError, and later where the grid was opened lazily."""
    path = tmp_path / "run" / "grid_1km.nc"
    shutil.copytree(directory, path.parent)
    with h5py.File(path) as file:
        chunk = file["emission"].id.get_chunk_info(0)
    damaged = bytearray(path.read_bytes())
    damaged[chunk.byte_offset : chunk.byte_offset + chunk.size] = b"\xff" * chunk.size
    path.write_bytes(damaged)
    for read in (read_result, read_content):
        with pytest.raises(VerificationError, match=r"grid_1km\.nc cannot be read"):
            read(path.parent)


@pytest.mark.parametrize(
    "error",
    [VerificationError("labels.zarr/label/c/1/2 is gone"), InputError("more in it"), MemoryError()],
)
def test_what_is_no_damage_is_not_called_so(directory, tmp_path, monkeypatch, error):
    """Seen to fail: too little memory was damage, and an error in words stood within another one as Python writes it."""

    def raises(*_):
        raise error

    run = tmp_path / "run"
    shutil.copytree(directory, run)
    list_labels(run)
    monkeypatch.setattr(reading, "open_labels", raises)
    result = read_result(run)
    with pytest.raises(type(error)) as told:
        _ = result.labels
    assert told.value is error
    monkeypatch.setattr(rasters, "open_netcdf", raises)
    with pytest.raises(type(error)) as told:
        read_grid_nc(run / "grid_1km.nc")
    assert told.value is error


def test_tables_of_a_run_come_back_with_its_parcels(small_run):
    """Seen to fail when a run that has parcels was taken for one that has none."""
    tables = read_tables(small_run)
    result = read_result(small_run)
    assert tables.parcels["id"].tolist() == result.parcels["id"].tolist() != []
    assert tables.parcels["emission_g"].tolist() == result.parcels["emission_g"].tolist()
    assert tables.parcels["emission_g"].sum() == int(tables.grid_1km["emission"].sum())
    result.grid_1km.close()


def test_the_year_of_each_total_is_written(tables, tmp_path):
    """Seen to fail when a known year was blank and an unknown one nan."""
    years = pd.array([2019, None, 2021, 2022, 2023], dtype="Int64")
    write_tables(replace(tables, inventory=tables.inventory.assign(year=years)), tmp_path)
    assert [row["year"] for row in rows_of(tmp_path / "inventory.csv")] == [
        "2019", "", "2021", "2022", "2023",
    ]  # fmt: skip


def test_the_workbook_says_in_both_languages_what_a_category_is(directory):
    """Seen to fail when the Chinese text had the English unit."""
    sheet = openpyxl.load_workbook(directory / "units.xlsx")["notes"]
    notes = {row[0]: row[1:3] for row in sheet.iter_rows(values_only=True)}
    assert notes["industry_manufacturing_t"] == (
        "Manufacturing, t CO2e per year, scope 1",
        "制造业，吨二氧化碳当量/年，范围 1",
    )


def test_columns_of_the_workbook_hold_what_they_show(tables, tmp_path):
    """Seen to fail when six decimals stood in columns of 16, which show ### instead."""
    names = ["n" * length for length in (1, 12, 30, 37, 38, 200)]
    write_tables(replace(tables, units=tables.units.assign(name=names)), tmp_path)
    sheet = openpyxl.load_workbook(tmp_path / "units.xlsx")["units"]
    widths = {number: each.width for number, each in columns_of(sheet).items()}
    for cell in sheet[NAMES_ROW]:
        width = widths[cell.column]
        assert 11 <= width <= 40, cell.value
        for (other,) in sheet.iter_rows(3, 8, cell.column, cell.column):
            if (
                other.data_type == "n"
                and other.value is not None
                and "%" not in other.number_format
            ):
                digits = len(other.number_format.partition(".")[2])
                assert width > len(f"{other.value:,.{digits}f}") + 1, cell.value
    assert widths[2] == 40


def columns_of(sheet):
    """Return the description of each column by its number, which neighbours that are alike share in the file."""
    return {
        number: each
        for each in sheet.column_dimensions.values()
        for number in range(each.min, each.max + 1)
    }


@pytest.mark.parametrize("rule", ["people", "area"])
def test_what_people_let_infer_is_said_where_mass_is_spread_by_them(tables, rule):
    """Seen to fail when it was said where no mass is."""
    ledger = tuple(replace(row, rule=rule) for row in tables.ledger)
    said = published(replace(tables, ledger=ledger), [("note", "kept")]).assumptions
    assert ("note", "kept") in said
    assert any("can be inferred" in text for _, text in said) == (rule == "people")


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_remarks_that_are_left_out_are_counted(tables, kept):
    """Where none is left out, nothing is said of it."""
    assert len(tables.assumptions) == 2
    said = [text for _, text in published(tables, tables.assumptions[:kept]).assumptions]
    told = [text.partition(":")[0] for text in said if "are left out" in text]
    assert told == [f"{2 - kept} remarks are left out"] * (kept < 2)


@pytest.mark.parametrize("form", ["#,##0.0", "0.0%", "0", "#,##0"])
@pytest.mark.parametrize(
    "cells",
    [
        [-123456789.5, 3.0, math.nan, None],
        [0.5, 12.345, -0.0],
        [math.inf, 7],
        ["中文中文", "abc"],
        [],
        [True, False],
    ],
)
def test_a_column_is_as_wide_as_the_widest_of_its_cells(cells, form):
    """One by one. Seen to fail when the least number, the percent or its hundred were left out."""

    def width(cell):
        if isinstance(cell, str) or not math.isfinite(cell):
            return text_width(str(cell))
        digits = len(form.rstrip("%").partition(".")[2])
        return len(f"{cell * (100 if '%' in form else 1):,.{digits}f}") + form.count("%")

    known = [cell for cell in cells if cell is not None and cell == cell]
    shown = _cells(pd.Series(cells, dtype=object), "number")
    assert _shown_width(shown, form) == max(map(width, known), default=0)
