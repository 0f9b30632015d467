"""docs/columns.md: every column of what is written, declared once."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import rasterio
import xarray as xr
from data import ROOT
from declared import COLUMNS, columns_of, differences, of_folder

from carbongrid.method.columns import in_tonnes
from carbongrid.outputs.tables.content import EVIDENCE, FACILITIES, INVENTORY, LAND_TYPES, LEDGER
from carbongrid.outputs.tables.headings import _HEADINGS, PER_YEAR

TABLES = {"inventory.csv": INVENTORY, "ledger.csv": LEDGER, "evidence.csv": EVIDENCE, "land_types.csv": LAND_TYPES, "facilities.csv": FACILITIES}  # fmt: skip


def test_the_page_is_what_is_declared() -> None:
    place = importlib.util.spec_from_file_location("columns_table", ROOT / "docs" / "columns_table.py")  # fmt: skip
    assert place is not None
    assert place.loader is not None
    columns_table = importlib.util.module_from_spec(place)
    place.loader.exec_module(columns_table)
    written = (ROOT / "docs" / "columns.md").read_text(encoding="utf-8")
    assert written == columns_table.page(), "make it anew: python docs/generate.py"


def test_every_column_is_declared_once_with_a_meaning() -> None:
    twice = COLUMNS.assign(file=COLUMNS["file"].str.split()).explode("file")
    assert not twice.duplicated(["file", "column"]).any()
    assert (COLUMNS["meaning"].str.strip() != "").all()
    assert not COLUMNS.apply(lambda column: column.str.contains("|", regex=False)).any(axis=None)


def test_the_columns_of_a_run_are_those_declared(small_run: Path, tmp_path: Path) -> None:
    """Seen to fail with a row of the declaration left out, and with one of no column."""
    assert of_folder(small_run) == []
    (tmp_path / "evidence.csv").write_text("category,odd\n", encoding="utf-8")
    told = differences(tmp_path / "evidence.csv")
    assert "evidence.csv: odd is not declared" in told
    assert "evidence.csv has no top_share" in told


def test_the_columns_of_years_and_plans_are_those_declared(years_demo: Path) -> None:
    assert of_folder(years_demo / "years") == []
    assert of_folder(years_demo / "run-plan-analysis") == []


@pytest.mark.parametrize("name", list(TABLES))
def test_masses_are_declared_in_tonnes_in_the_order_of_the_file(name: str) -> None:
    kinds = {in_tonnes(column) if kind == "mass" else column: kind for column, kind in TABLES[name].items()}  # fmt: skip
    declared = columns_of(name).set_index("column")
    assert list(declared.index) == list(kinds)
    assert (declared["unit"][[each for each, kind in kinds.items() if kind == "mass"]] == PER_YEAR).all()  # fmt: skip


def test_units_are_those_that_the_files_say(small_run: Path) -> None:
    """In headings of the workbook and aliases in a GIS, in the metadata of Parquet, NetCDF and GeoTIFF."""
    units = columns_of("units.csv").set_index("column")["unit"].to_dict()
    known = {name: heading.unit for name, heading in _HEADINGS.items()}
    known["zone_probability"] = "share"  # of a heading it is a word
    assert {name: unit for name, unit in units.items() if name in known} == known
    declared = columns_of("parcels.parquet").set_index("column")["unit"]
    for field in pq.read_schema(small_run / "parcels.parquet"):
        unit = (field.metadata or {}).get(b"units", b"").decode()
        name = re.sub("^[a-z]+/[a-z-]+", "<category>", field.name)
        assert name == "cells" or declared[name] == unit
    of_grid = columns_of("grid_1km.nc").set_index("column")["unit"].drop("spatial_ref").to_dict()
    with xr.open_dataset(small_run / "grid_1km.nc", engine="h5netcdf") as grid:
        assert {name: grid[name].attrs.get("units", "") for name in of_grid} == of_grid
    with rasterio.open(small_run / "grid_1km.tif") as bands:
        assert list(bands.units) == columns_of("grid_1km.tif")["unit"].tolist()
