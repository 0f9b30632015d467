"""Workbooks of the common reporting framework, as cities report by the GPC."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import openpyxl

GHG = "GHGs (metric tonnes CO2e) - "
HEAD = [
    "Inventory year", "GPC ref. no.", "CRF - Sector", "CRF - Sub-sector", "Scope", "Fuel type or activity", "Notation key",
    "Activity data - Amount", "Emission factor - Total CO2e", f"{GHG}CO2", f"{GHG}CH4", f"{GHG}N2O", f"{GHG}Total CO2e", f"{GHG}Biogenic CO2",
]  # fmt: skip
DIRECT, INDIRECT, OUTSIDE = "Direct emissions", "Indirect emissions", "Outside city boundary"
ENERGY, TRANSPORT, WASTE = "Stationary Energy", "Transportation", "Waste"

Cell = str | float | datetime | None
Row = Sequence[Cell]


def row(
    code: Cell, sector: str, sub_sector: str, scope: str, total: Cell, *, key: Cell = None,
    gases: Sequence[Cell] = (None, None, None), biogenic: Cell = None, year: Cell = 2019,
) -> Row:  # fmt: skip
    return [year, code, sector, sub_sector, scope, "a fuel", key, 7, 9, *gases, total, biogenic]


def workbook(
    path: Path, rows: Sequence[Row], sums: Sequence[Row] = (), above: int = 0, *, wide: bool = False
) -> Path:
    """Write the three sheets; the header of the third stands below some rows of notes.

    Exports format sheets to their last column, which is ``wide`` and takes a hundred times as long to read.
    """
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    first.title = "eCRF_1"
    told: list[Row] = [[None, "Type"], ["Boundary", "Name of city", "Exampleton"], [None, "Inventory year", 2019], [None, "Global Warming Potential ", "AR5"]]  # fmt: skip
    for cells in told:
        first.append(list(cells))
    if sums:
        second = book.create_sheet("eCRF_2")
        second.append([2019])
        second.append(["Sectors and Sub-Sectors", "Direct Emissions", None, "Indirect emissions from the use of grid-supplied electricity", None, "Emissions occurring outside the city boundary", None, "Please explain"])  # fmt: skip
        second.append([None, *["Emissions in tCO2e", "Notation key (if needed)"] * 3])
        for cells in sums:
            second.append(list(cells))
    third = book.create_sheet("eCRF_3")
    for note in range(above):
        third.append([f"Note {note}"])
    third.append(HEAD)
    if wide:
        third.cell(above + 1, 1024).number_format = "0.00"
    for cells in rows:
        third.append(list(cells))
    book.save(path)
    return path
