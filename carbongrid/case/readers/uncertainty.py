"""Reads how uncertain a case says that its numbers are: its own table, and a column of the tables of figures."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from carbongrid.case.models import Case
from carbongrid.case.readers.declared import read_declared, rows_declared
from carbongrid.case.readers.regional import read_old_codes
from carbongrid.case.table_formats import (
    ELSEWHERE,
    FACILITIES,
    GDP,
    TOTALS,
    UNCERTAINTY,
    TableFormat,
)

Told = dict[str, list[dict[str, Any]]]
"""Rows by table, as a run's manifest has them."""


def read_uncertainty(case: Case, codes: Collection[str] | None = None) -> Told:
    """Return what a case says of the uncertainty of its numbers.

    Parameters
    ----------
    case
        Its tables of figures were read before, so that their other cells are right.
    codes
        Codes of today, for those of merged units.

    Returns
    -------
    dict
        rules: rows of the case's own table; totals (category, region, percent), facilities (category, name, percent), gdp (region, percent): cells of
        the column ``uncertainty`` that are filled. Without any it is empty.

    Raises
    ------
    InputError
        With every wrong cell.
    """
    told: Told = {}
    if case.uncertainty is not None:
        path = case.resolve(case.uncertainty.path)
        table = read_declared(path, UNCERTAINTY, encoding=case.uncertainty.encoding)
        rows, faults = rows_declared(table, UNCERTAINTY, path.name)
        faults.raise_any()
        told["rules"] = [_rule(row.values) for row in rows]
    old = read_old_codes(case, codes)
    sections: dict[str, tuple[Any, TableFormat]] = {
        "totals": (case.totals, TOTALS),
        "facilities": (case.facilities, FACILITIES),
    }
    if case.gdp is not None and case.gdp.by == "unit":
        sections["gdp"] = (case.gdp, GDP)
    for name, (section, form) in sections.items():
        if section is None:
            continue
        path = case.resolve(section.path)
        table = read_declared(path, form, encoding=section.encoding)
        if "uncertainty" not in table.columns:
            continue
        rows, faults = rows_declared(table, form, path.name)
        faults.raise_any()
        told[name] = [
            {**_of(name, row.cells, old), "percent": float(row.values["uncertainty"])}
            for row in rows
            if row.values["uncertainty"] is not None
            and row.cells.get("place", "").lower() != ELSEWHERE
        ]
    return {name: rows for name, rows in told.items() if rows}


def _of(table: str, cells: Mapping[str, str], old: Mapping[str, str]) -> dict[str, str]:
    region = old.get(cells.get("region", ""), cells.get("region", ""))
    if table == "gdp":
        return {"region": region}
    if table == "facilities":
        return {"category": cells["category"], "name": cells["name"]}
    return {"category": cells["category"], "region": region}


def _rule(values: Mapping[str, Any]) -> dict[str, Any]:
    numbers = {name: float(values[name] or 0) for name in ("percent", "sigma", "tau")}
    texts = {name: values[name] or "" for name in ("source", "of", "group", "origin")}
    return {**texts, **numbers, "basis": values["basis"] or "assumed"}
