"""Units as GeoPackage and spreadsheet, parcels as GeoParquet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from carbongrid.errors import VerificationError
from carbongrid.export.content import (
    Kind,
    Table,
    in_tonnes,
    parcel_kinds,
    titles,
    typed,
    with_geometry,
)

if TYPE_CHECKING:
    import geopandas as gpd

UNITS_LAYER = "units"
_NUMBER_FORMATS: dict[Kind, str] = {
    "text": "@",
    "mass": "#,##0.000000",
    "whole": "0",
    "flag": "General",
}
_INDEX_FORMAT, _PEOPLE_FORMAT, _MONEY_FORMAT = "0.000", "#,##0", "#,##0"
_LARGEST_WIDTH = 40


def write_units_gpkg(units: Table, path: Path) -> None:
    """Write the layer ``units``: mass in tonnes as float64, ids as text, zone as an integer."""
    frame = units.located.rename(columns={name: in_tonnes(name) for name in units.masses})
    for name in units.masses:
        frame[in_tonnes(name)] = _tonnes(units.frame[name])
    frame["zone"] = frame["zone"].astype(np.int32)
    frame = frame[[*titles(units.kinds), "geometry"]]
    frame.to_file(path, layer=UNITS_LAYER, driver="GPKG", engine="pyogrio", promote_to_multi=True)


def read_unit_geometry(path: Path) -> gpd.GeoDataFrame:
    """Read the units' ids and geometry, in the order of the file.

    Raises
    ------
    VerificationError
        If the file cannot be read.
    """
    import pyogrio

    try:
        return pyogrio.read_dataframe(path, layer=UNITS_LAYER, columns=["id"])
    except (
        OSError,
        ValueError,
        pyogrio.errors.DataSourceError,
        pyogrio.errors.DataLayerError,
    ) as error:
        raise VerificationError(f"{path.name} cannot be read: {error}") from error


def write_parcels_parquet(parcels: Table, path: Path) -> None:
    """Write GeoParquet 1.1 with a bounding box column, mass in int64 grams."""
    frame = parcels.located
    # CASE.md's order: geometry stands after the type.
    names = [name for name in parcels.kinds if name not in parcels.masses]
    order = [*names[:3], "geometry", *parcels.masses, *names[3:]]
    whole = {n: np.int64 for n, kind in parcels.kinds.items() if kind in ("mass", "whole")}
    frame[order].astype(whole).to_parquet(
        path, index=False, compression="zstd", schema_version="1.1.0", write_covering_bbox=True
    )


def read_parcels_parquet(path: Path) -> Table:
    """Read the parcels' content.

    Raises
    ------
    VerificationError
        If the file cannot be read or lacks a column.
    """
    import geopandas as gpd
    import pyarrow as pa

    try:
        frame = gpd.read_parquet(path)
        fixed = parcel_kinds([])
        masses = [
            name for name in frame.columns if name not in fixed and name not in ("geometry", "bbox")
        ]
        return with_geometry(typed(frame, parcel_kinds(masses)), frame.geometry)
    except (OSError, KeyError, ValueError, TypeError, pa.ArrowException) as error:
        raise VerificationError(f"{path.name} cannot be read: {error!r}") from error


def _tonnes(grams: pd.Series[Any]) -> pd.Series[Any]:
    return grams.astype(np.int64) / 10**6


def write_units_xlsx(units: Table, path: Path) -> None:
    """Write a sheet of the units: text cells stay text, numbers have formats.

    Notes
    -----
    A text that begins like a formula is stored as a string with Excel's quote prefix, so nothing runs it, not even
    after it was edited. Infinite indices are the text ``inf``, unknown values blank.
    """
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = UNITS_LAYER
    bold = Font(bold=True)
    for column, (name, kind) in enumerate(units.kinds.items(), start=1):
        title = titles({name: kind})[0]
        head = sheet.cell(1, column)
        _write_text(head, title)
        head.font = bold
        values = _tonnes(units.frame[name]) if kind == "mass" else units.frame[name]
        for row, value in enumerate(values.tolist(), start=2):
            _write_cell(sheet.cell(row, column), value, name, kind)
        sheet.column_dimensions[get_column_letter(column)].width = min(
            max(len(title), 10) + 2, _LARGEST_WIDTH
        )
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = sheet.dimensions
    book.save(path)


def _write_cell(cell: Any, value: Any, name: str, kind: Kind) -> None:
    if kind == "text":
        _write_text(cell, value)
        return
    if pd.isna(value):
        return
    if kind == "number" and not np.isfinite(value):
        _write_text(cell, str(value))
        return
    cell.value = value
    cell.number_format = _NUMBER_FORMATS.get(kind, _INDEX_FORMAT)
    if name == "residents":
        cell.number_format = _PEOPLE_FORMAT
    if name == "gdp":
        cell.number_format = _MONEY_FORMAT


def _write_text(cell: Any, text: str) -> None:
    """Write a string that is never taken for a formula; what XML cannot hold is replaced."""
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    cell.value = ILLEGAL_CHARACTERS_RE.sub("�", text)
    cell.data_type = "s"
    cell.number_format = _NUMBER_FORMATS["text"]
    cell.quotePrefix = True
