"""Reads a mass with its unit from the cells of a row."""

from __future__ import annotations

from collections.abc import Mapping

from carbongrid.errors import InputError
from carbongrid.io.tables import Faults
from carbongrid.units_of_measure import gas_of, grams


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
    try:
        gas_of(cells["unit"])
        return None if value is None else grams(value, cells["unit"])
    except InputError as error:
        for fault in error.problems:
            faults.add(fault.what, fault.way_out, row=row, column="unit")
    return None
