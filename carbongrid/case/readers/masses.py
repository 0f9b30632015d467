"""Reads a mass with its unit from the cells of a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from carbongrid.case.readers.tables import Faults
from carbongrid.errors import Problem, listed
from carbongrid.inventory.units_of_measure import gas_of, grams


def mass_cell(cells: Mapping[str, str], row: object, faults: Faults) -> int | None:
    """Return the mass in cells ``value`` and ``unit`` in grams; None, with errors added, if one is wrong."""
    value = faults.number(cells["value"], row, "value", signed=True)
    if value is not None and value < 0:
        faults.add(
            f"expected no negative mass, not {cells['value']}",
            "A sink is a positive number of a sink category; a sink that emits in a year is an emission "
            "of a category of its own.",
            row=row,
            column="value",
        )
        value = None
    unit = cells["unit"]
    if value is None:
        faults.told(lambda: gas_of(unit), row, "unit")
        return None
    return faults.told(lambda: grams(value, unit), row, "unit")


def notes_on_faint(rows: Iterable[tuple[object, Mapping[str, str]]], where: str) -> list[Problem]:
    """Return a note on masses above zero that are less than half a gram, which count as nothing.

    Parameters
    ----------
    rows
        Row and cells of masses that :func:`mass_cell` has nothing to say of.
    where
        Their file.
    """
    faint = []
    for row, cells in rows:
        value = Decimal(cells["value"])
        if value > 0 and grams(value, cells["unit"]) == 0:
            faint.append((row, Decimal(grams(value.scaleb(9), cells["unit"])).scaleb(-9)))
    if not faint:
        return []
    places = listed((str(row) for row, _ in faint), more=", ...")
    together = sum((mass for _, mass in faint), Decimal(0)).normalize()
    what = f"masses of less than half a gram count as nothing: {len(faint)} of them, {together:f} g together, in rows {places}"
    return [Problem(what, where, level="note")]
