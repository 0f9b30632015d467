"""The other formats of a table: whether they say what the table says."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from carbongrid.case.readers.zip_limits import check_zip_limits
from carbongrid.method.columns import in_tonnes
from carbongrid.method.gas import CO2, Gas
from carbongrid.outputs.result import AS_GIVEN
from carbongrid.outputs.tables.plain import plain_cells
from carbongrid.outputs.tables.project import PROJECT
from carbongrid.outputs.tables.rasters import (
    POTENTIALS,
    bands_of_tif,
    crs_of_grid,
    place_of_tif,
    potentials_of_tif,
    tonnes_of_cells,
)
from carbongrid.outputs.tables.spreadsheet import (
    NAMES_ROW,
    NOTES_SHEET,
    UNITS_SHEET,
    YEAR,
    in_a_cell,
)
from carbongrid.pipeline.verification.opened import Opened
from carbongrid.pipeline.verification.parcel_layers import faults_of_layer, layers_of_parcels
from carbongrid.pipeline.verification.verdict import Check, check_of
from carbongrid.raster.opening.crs import crs_of, same_crs
from carbongrid.raster.opening.files import read_bytes
from carbongrid.raster.opening.formats import GPKG
from carbongrid.raster.opening.vectors import open_vector

if TYPE_CHECKING:
    import pandas as pd

SHEET = "units.xlsx"
_NEAR = 1e-6
"""Of a cell: what a corner may be off by, as floats of two files."""


def check_formats(run: Opened) -> Check:
    """Compare units.gpkg and units.xlsx with units.csv, grid_1km.tif with grid_1km.nc and with where the run says that it lies, layers of the parcels with parcels.parquet; open the project for QGIS."""
    told = _told(run.units)
    there = SHEET not in run.left_out
    faults = [
        *_geopackage(run, told),
        *(_sheets(run, told) if there else ()),
        *_raster(run),
        *_place(run),
        *_potentials(run),
    ]
    tables = f"units.gpkg and {SHEET} say" if there else "units.gpkg says"
    text = f"{tables} what units.csv says, grid_1km.tif what grid_1km.nc says, in its place"
    if PROJECT in run.manifest["files"]:
        faults += _project(run)
        text += f", {PROJECT} is whole"
    for layer in layers_of_parcels(run):
        faults += faults_of_layer(run, layer)
        text += f", {layer} what parcels.parquet says"
    return check_of("formats", faults, text)


def _told(units: pd.DataFrame) -> dict[str, list[Any]]:
    """Return what units.csv says under its own column names: mass in tonnes, None where blank."""
    columns: dict[str, list[Any]] = {}
    for name in units.columns:
        values = plain_cells(units[name]).tolist()
        mass = name.endswith("_g")
        columns[in_tonnes(name) if mass else name] = (
            [None if v is None else v / 10**6 for v in values] if mass else values
        )
    return columns


def _compared(
    file: str, told: dict[str, list[Any]], found: Mapping[str, Sequence[Any]]
) -> Iterator[str]:
    for name, values in told.items():
        if name not in found:
            yield f"{file} has no column {name}"
            continue
        if len(found[name]) != len(values):
            yield f"{file} has {len(found[name])} units, units.csv {len(values)}"
            return
        for unit, left, right in zip(told["id"], values, found[name], strict=True):
            if not _same(_plain(left), _plain(right)):
                yield f"{file}, unit {unit}: {name} is {right}, in units.csv {left}"


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, float) and isinstance(right, int | float):
        return math.isclose(left, right, rel_tol=1e-14)  # a sheet holds 16 digits
    return bool(left == right)


def _plain(value: Any) -> Any:
    """Return a cell as all formats can say it: blank is blank, infinity a word."""
    if value is None or value == "" or value != value:
        return None
    return "inf" if value in (np.inf, "inf") else value


def _geopackage(run: Opened, told: dict[str, list[Any]]) -> Iterator[str]:
    with run.reading("units.gpkg", trusted=False) as path, open_vector(path, of=GPKG) as file:
        frame = file.table("units", read_geometry=False)
        found = {name: plain_cells(frame[name]).tolist() for name in frame.columns}
        info = file.info("units")
    stored = dict(zip(info["fields"], info["dtypes"], strict=True))
    if "int" in stored.get("residents", ""):
        # Runs of earlier versions have whole people there, halves to the even number; units.csv has their parts.
        people = [None if _plain(people) is None else round(people) for people in told["residents"]]
        told = {**told, "residents": people}
    yield from _compared("units.gpkg", told, found)
    about = (info["layer_metadata"] or {}).get("DESCRIPTION", "")
    year = str(run.manifest["year"])
    if about and year not in about:
        yield f"units.gpkg calls itself {about!r}, and the run is of {year}"


def _sheets(run: Opened, told: dict[str, list[Any]]) -> Iterator[str]:
    """Compare the sheet of the units, and of the sheets of sectors what they repeat of it."""
    from openpyxl import load_workbook

    with run.reading(SHEET, trusted=False) as path:
        data = BytesIO(read_bytes(path))
        with zipfile.ZipFile(data) as archive:
            check_zip_limits(archive, path.name)
        book = load_workbook(data)
        sheets = {sheet.title: [*sheet.iter_rows(min_row=NAMES_ROW, values_only=True)] for sheet in book if sheet.title != NOTES_SHEET}  # fmt: skip
        notes = book[NOTES_SHEET].iter_rows(max_col=2, values_only=True) if NOTES_SHEET in book else ()  # fmt: skip
        years = [str(told) for name, told in notes if name == YEAR]
    shown = {name: [_as_read(value) for value in values] for name, values in told.items()}
    for title, (head, *rows) in sheets.items():
        found = {str(name): [row[k] for row in rows] for k, name in enumerate(head)}
        if title == UNITS_SHEET:
            yield from _compared(SHEET, shown, found)
        else:
            repeated = {name: values for name, values in shown.items() if name in found}
            yield from _compared(f"{SHEET}, sheet {title}", repeated, found)
    for year in years:
        if year != str(run.manifest["year"]):
            yield f"{SHEET}, sheet {NOTES_SHEET}: the year is {year}, that of the run {run.manifest['year']}"


def _as_read(value: Any) -> Any:
    """Return a cell as a workbook gives it back; openpyxl takes ``x005F_``, Excel's sign for an underscore, out of every text."""
    return in_a_cell(value).replace("x005F_", "") if isinstance(value, str) else value


def _raster(run: Opened) -> Iterator[str]:
    with run.reading("grid_1km.tif", trusted=False) as path:
        bands = bands_of_tif(path)
    for name, tonnes in zip(("emission", "sink"), tonnes_of_cells(run.grid_1km), strict=True):
        if name not in bands or bands[name].shape != tonnes.shape:
            yield f"grid_1km.tif has no band {name} of {tonnes.shape} cells"
            continue
        wrong = (bands[name] != tonnes) & ~(np.isnan(bands[name]) & np.isnan(tonnes))
        for row, column in np.argwhere(wrong).tolist():
            yield f"grid_1km.tif, {name} of the cell in row {row}, column {column} differs from grid_1km.nc"


def _place(run: Opened) -> Iterator[str]:
    """Compare the CRS of both files of the coarse grid, and the corner and cells of the GeoTIFF, with the manifest; x and y of the NetCDF are compared with its cells."""
    grid = run.coarse_grid
    with run.reading("grid_1km.tif", trusted=False) as path:
        crs, transform = place_of_tif(path)
    with run.reading("grid_1km.nc", trusted=False):
        of_both = {"grid_1km.tif": crs, "grid_1km.nc": crs_of_grid(run.grid_1km)}
        known = {name: None if each is None else crs_of(each.to_wkt()) for name, each in of_both.items()}  # fmt: skip
    for name, each in known.items():
        if each is None or not same_crs(each, crs_of(grid.crs)):
            yield f"{name} is in {'no CRS' if each is None else each.name}, the run in {crs_of(grid.crs).name}"
    if not transform.almost_equals(grid.transform, precision=_NEAR * abs(grid.transform.a)):
        yield f"grid_1km.tif lies elsewhere: its north-west corner is {(transform.c, transform.f)} with cells of {(transform.a, transform.e)}, that of the run {(grid.transform.c, grid.transform.f)} with {(grid.transform.a, grid.transform.e)}"


def _potentials(run: Opened) -> Iterator[str]:
    """Compare what the files of the coarse grid say of global warming potentials with each other and with the set that the run names; files of earlier versions say nothing."""
    with run.reading("grid_1km.tif", trusted=False) as path:
        of_both = {"grid_1km.tif": potentials_of_tif(path), "grid_1km.nc": run.grid_1km.attrs.get(POTENTIALS)}  # fmt: skip
    said = {name: str(told) for name, told in of_both.items() if told is not None}
    gwp, gas = str(run.manifest["parameters"].get("gwp", AS_GIVEN)), Gas.of_manifest(run.manifest)
    for name, told in said.items():
        if gwp != AS_GIVEN and gas.name != CO2 and gwp not in told:
            yield f"{name} is by the global warming potentials {told!r}, the run by {gwp!r}"
    if len({*said.values()}) > 1:
        yield f"the files of the grid are by different global warming potentials: {' and '.join(f'{name} by {told!r}' for name, told in said.items())}"


def _project(run: Opened) -> Iterator[str]:
    """Read the project as the archive that it is: all of its parts are there, with their checksums."""
    with run.reading(PROJECT, trusted=False) as path, zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
        if damaged is not None:
            yield f"{PROJECT}: {damaged} is damaged"
