"""Written files held against the declaration of their columns, both ways."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import rasterio
import xarray as xr
import zarr
from data import ROOT
from openpyxl import load_workbook

from carbongrid.method.categories import column_of
from carbongrid.method.landuse import TYPES, packaged_table
from carbongrid.outputs.tables.spreadsheet import NAMES_ROW, UNITS_SHEET

COLUMNS = pd.read_csv(ROOT / "docs" / "columns.csv", dtype=str, keep_default_na=False, encoding="utf-8")  # fmt: skip
_STANDS_FOR = {
    "quantity": ("emission", "sink"),
    "index": ("ccr", "ecc", "esc"),
    "run": ("a", "b"),
    "point": ("p05", "p50", "p95"),
    "zone": ("1", "2", "3", "4", "0"),
    "part": ("total", "units", "outside_units", "unallocated", "elsewhere"),
    "choice": tuple(dict.fromkeys(packaged_table("choices.csv")["choice"])),
    "type": TYPES,
}
"""All of theirs are there, but for types: those of the land that is there."""
_FREE = {"fine": r"(\d+(\.\d+)?|exact)", "currency": "[A-Za-z]+", "price": r"[\d.]+"}


def columns_of(name: str) -> pd.DataFrame:
    """Return what is declared of a file; empty if nothing is."""
    return COLUMNS[[name in files.split() for files in COLUMNS["file"]]]


def written_columns(path: Path) -> list[str]:
    """Return the columns, bands or variables that a file has, but for the geometry of a GeoPackage."""
    if path.suffix == ".csv":
        return list(pd.read_csv(path, nrows=0, encoding="utf-8-sig").columns)
    if path.suffix in (".gpkg", ".fgb"):
        layer = pyogrio.list_layers(path)[0][0]
        return list(pyogrio.read_info(path, layer=layer)["fields"])
    if path.suffix == ".xlsx":
        (names,) = load_workbook(path)[UNITS_SHEET].iter_rows(
            NAMES_ROW, NAMES_ROW, values_only=True
        )
        return [*map(str, names)]
    if path.suffix == ".parquet":
        return list(pq.read_schema(path).names)
    if path.suffix == ".tif":
        with rasterio.open(path) as bands:
            return list(bands.descriptions)
    if path.suffix == ".nc":
        with xr.open_dataset(path, engine="h5netcdf") as dataset:
            return list(map(str, dataset.variables))
    return list(zarr.open_group(path, mode="r").array_keys())


def of_run(folder: Path) -> dict[str, tuple[str, ...]]:
    """Return what names in angle brackets stand for in the files of a run."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    names = [each["name"] for each in manifest["categories"]]
    of_categories = [each["sector"] for each in manifest["categories"] if not each["sink"]]
    sectors = ("industry", "buildings", "transport", "agriculture", "waste", *of_categories)
    return {
        "category": (*names, *map(column_of, names)),
        "sector": tuple(dict.fromkeys(sectors)),
        "parent": tuple(manifest["parameters"]["parents"]),
    }


def differences(path: Path, known: dict[str, tuple[str, ...]] | None = None) -> list[str]:
    """Return where a written file and the declaration differ."""
    declared = columns_of(path.name)
    if declared.empty:
        return [f"{path.name} is not declared"]
    names = {**_STANDS_FOR, **(known or {})}
    written, said = written_columns(path), set[str]()
    found = []
    for row in declared.to_dict("records"):
        pattern = re.escape(row["column"])
        for name in re.findall("<([a-z]+)>", row["column"]):
            each = _FREE.get(name) or f"({'|'.join(map(re.escape, names[name]))})"
            pattern = pattern.replace(f"<{name}>", each)
        there = [each for each in written if re.fullmatch(pattern, each)]
        if not there and not row["where"]:
            found.append(f"{path.name} has no {row['column']}")
        said.update(there)
    return found + [f"{path.name}: {each} is not declared" for each in written if each not in said]


def of_folder(folder: Path) -> list[str]:
    """Return where the tables, layers and fields of a folder, a run's or an analysis's, and the declaration differ.

    Tiles (PMTiles) are not read: theirs are a layer's attributes, cut at each zoom.
    """
    is_run = (folder / "manifest.json").is_file()
    known = of_run(folder) if is_run else None
    suffixes = (".csv", ".xlsx", ".gpkg", ".fgb", ".parquet", ".tif", ".nc", ".zarr")
    found = []
    for path in sorted(folder.iterdir()):
        if path.suffix in suffixes and (is_run or path.name != "uncertainty.csv"):
            found += differences(path, known)
    return found
