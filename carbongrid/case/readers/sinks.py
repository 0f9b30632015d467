"""Reads the set of sinks that a case, or a command, names (docs/decisions/0054)."""

from __future__ import annotations

from pathlib import Path

from carbongrid.case import Case
from carbongrid.case.readers.tables import read_table, require_columns
from carbongrid.inventory.sink_sets import (
    COLUMNS,
    SinkSet,
    counted_types,
    sink_set,
    sink_set_of,
    sink_sets,
)
from carbongrid.method.weights import sink_coefficients


def read_sinks(case: Case) -> SinkSet | None:
    """Return the set of a case's [inventory]; None if it has none.

    Raises
    ------
    InputError
        For a table that lacks a column, names an unknown product, or a row without a source.
    """
    section = case.inventory
    if section is None:
        return None
    return sinks_of(section.sinks, case.resolve(section.sinks))


def coefficients_of(sinks: SinkSet | None) -> dict[str, float]:
    """Return the uptake per area of each territorial type; none of those that a set of sinks does not count."""
    known = sink_coefficients()
    if sinks is None:
        return known
    counted = counted_types(sinks)
    return {name: value if name in counted else 0.0 for name, value in known.items()}


def sinks_of(name: str, path: Path) -> SinkSet:
    """Return a set of the package by its name, or that of a table, CSV or XLSX."""
    if name in sink_sets() or not path.suffix:
        return sink_set(name)
    table = read_table(path, columns=COLUMNS)
    require_columns(table, path.name, COLUMNS)
    return sink_set_of(table, path.name)
