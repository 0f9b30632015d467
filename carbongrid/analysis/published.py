"""A published table: read, and first held against its own totals."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from carbongrid.case.readers.declared import read_declared, rows_declared
from carbongrid.case.table_formats import PUBLISHED
from carbongrid.errors import InputError
from carbongrid.method.agreement import slip_of

MAX_OFF = 0.02
"""Units that add up to more or less of their total than this are told of."""


def read_published(
    path: Path, regions: Collection[str], quantities: Collection[str]
) -> pd.DataFrame:
    """Read a published table.

    Parameters
    ----------
    path
        A CSV or XLSX file.
    regions
        Codes that it may name, a blank one not among them.
    quantities
        What it may be of.

    Returns
    -------
    DataFrame
        region, of, gas, grams (int64), row, in the order of the file.

    Raises
    ------
    InputError
        With every wrong cell; a unit that stands twice with one quantity and gas is one.
    """
    if not path.is_file():
        raise InputError("there is no such table", str(path))
    table = read_declared(path, PUBLISHED)
    known = {"region": {*regions, ""}, "of": quantities}
    rows, faults = rows_declared(table, PUBLISHED, path.name, known)
    right = [row for row in rows if row.right]
    faults.once(
        (
            (row.number, f"{row.cells['region']!r}, {row.cells['of']} {row.cells['gas']}".strip())
            for row in right
        ),
        "the value of",
    )
    if not rows:
        faults.add("there are no values", "Write one row for each unit.")
    faults.raise_any()
    return pd.DataFrame(
        {
            "region": [row.cells["region"] for row in right],
            "of": [row.cells["of"] for row in right],
            "gas": [row.cells["gas"] for row in right],
            "grams": [int(row.values["value"]) for row in right],
            "row": [row.number for row in right],
        }
    )


def own_sums(published: pd.DataFrame, inside: Mapping[str, Collection[str]]) -> pd.DataFrame:
    """Hold a table's units against its own totals.

    Parameters
    ----------
    published
        Of :func:`read_published`.
    inside
        For each region that is no unit, the whole's blank one among them, the units in it.

    Returns
    -------
    DataFrame
        of, gas, region, total_t, sum_of_units_t, ratio (sum over total), off (by more than 2 %), slip (what would make the ratio), units_missing;
        one row for each total of the table.
    """
    units = {unit for members in inside.values() for unit in members}
    found: list[dict[str, Any]] = []
    for (of, gas), rows in published.groupby(["of", "gas"], sort=True):
        grams = dict(zip(rows["region"], rows["grams"], strict=True))
        for region, total in grams.items():
            if region in units or region not in inside:
                continue
            there = [grams[unit] for unit in inside[region] if unit in grams]
            ratio = sum(there) / total if total else float("nan")
            off = bool(there) and not abs(ratio - 1) <= MAX_OFF
            found.append(
                {
                    "of": of,
                    "gas": gas,
                    "region": region,
                    "total_t": total / 1e6,
                    "sum_of_units_t": sum(there) / 1e6,
                    "ratio": ratio,
                    "off": off,
                    "slip": slip_of(ratio) if off else "",
                    "units_missing": len(inside[region]) - len(there),
                }
            )
    columns = ["of", "gas", "region", "total_t", "sum_of_units_t", "ratio", "off", "slip", "units_missing"]  # fmt: skip
    return pd.DataFrame(found, columns=columns)
