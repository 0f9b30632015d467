"""How values are distributed in polygons: quantiles, classes and their shares (docs/decisions/0063).

Shares of a polygon are whole numbers here, of which it has about 2^61: their sums do not depend on the order of cells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from carbongrid.raster.kernels.cell_values import quantiles_in_rows, values_in_polygons
from carbongrid.raster.kernels.jit import as_readonly_contiguous
from carbongrid.raster.kernels.moments import Edges, Spans

DISTRIBUTIONS = {
    "median": "median",
    "majority": "value of the largest share",
    "minority": "value of the smallest share",
    "variety": "number of different values",
    "fractions": "share of each value",
}
"""Statistics that are made of all values, and what they are called; quantiles come as ``quantile_25``."""

_QUANTILE = "quantile_"
_BITS = 61


class Values(NamedTuple):
    """Different values of polygons, in order of polygons, then of values, and the measure of each."""

    polygons: NDArray[np.int64]
    values: NDArray[np.float64]
    measures: NDArray[np.int64]


def quantile_in(stat: str) -> float | None:
    """Return which quantile a name like ``quantile_25`` means, from 0 to 1; None if it means none."""
    if stat == "median":
        return 0.5
    try:
        share = float(stat.removeprefix(_QUANTILE)) / 100 if stat.startswith(_QUANTILE) else -1.0
    except ValueError:
        return None
    return share if 0 <= share <= 1 else None


def is_distribution(stat: str) -> bool:
    """Tell whether a statistic is made of all values."""
    return stat in DISTRIBUTIONS or quantile_in(stat) is not None


def scales_of(totals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what shares of polygons are multiplied by, a power of two each, so that they add up to about 2^61."""
    exponents = np.frexp(np.maximum(totals, 2.0**-900))[1]
    return np.asarray(np.ldexp(1.0, _BITS - exponents), np.float64)


def block_values(
    values: NDArray[Any],
    corner: tuple[int, int],
    shares: tuple[Spans, Edges],
    polygons: NDArray[np.int64],
    scales: NDArray[np.float64],
    factors: NDArray[np.float64],
) -> Values:
    """Return the different values of some polygons in a block of floats."""
    return Values(
        *values_in_polygons(
            as_readonly_contiguous(values, values.dtype),
            corner,
            *shares,
            polygons,
            as_readonly_contiguous(scales, np.float64),
            as_readonly_contiguous(factors, np.float64),
        )
    )


def merged_values(parts: list[Values]) -> Values:
    """Put tables together; their order does not matter. Only values of polygons that are in several are sorted anew."""
    polygons, values, measures = (np.concatenate(column) for column in zip(*parts, strict=True))
    if len(parts) == 1 or not polygons.size:
        return Values(polygons, values, measures)
    occurs = np.concatenate([np.unique(part.polygons) for part in parts])
    several = np.bincount(occurs)[polygons] > 1
    again = _together(polygons[several], values[several], measures[several])
    alone = ~several
    columns = (
        np.concatenate([polygons[alone], again.polygons]),
        np.concatenate([values[alone], again.values]),
        np.concatenate([measures[alone], again.measures]),
    )
    order = np.argsort(columns[0], kind="stable")
    return Values(*(column[order] for column in columns))


def empty_values() -> Values:
    """Return the table of no polygon."""
    return Values(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64))


def _together(
    polygons: NDArray[np.int64], values: NDArray[np.float64], measures: NDArray[np.int64]
) -> Values:
    if not polygons.size:
        return empty_values()
    order = np.lexsort((values, polygons))
    polygons, values = polygons[order], values[order]
    differs = (polygons[1:] != polygons[:-1]) | (values[1:] != values[:-1])
    first = np.flatnonzero(np.concatenate([[True], differs]))
    return Values(polygons[first], values[first], np.add.reduceat(measures[order], first))


def distributions_of(
    table: Values, stats: Sequence[str], size: int, classes: NDArray[Any] | None
) -> dict[str, NDArray[Any]]:
    """Return statistics of so many polygons; NaN where one has no known cell, but a variety of 0.

    Parameters
    ----------
    table
        Of the whole raster.
    stats
        Names that ``is_distribution`` knows.
    size
        Number of polygons.
    classes
        Values that ``fractions`` are wanted of; None: all that occur, which come back as ``class``.
    """
    made: dict[str, NDArray[Any]] = {}
    owners, rows = rows_of_values(table, [stat for stat in stats if stat != "fractions"])
    for stat in stats:
        if stat == "fractions":
            own = np.unique(table.values) if classes is None else classes
            made["class"] = own
            made[stat] = _fractions(table, size, own)
            continue
        made[stat] = np.zeros(size, np.int64) if stat == "variety" else np.full(size, np.nan)
        made[stat][owners] = rows[stat]
    return made


def rows_of_values(
    table: Values, stats: Sequence[str]
) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]]]:
    """Return the polygons that have a value, and statistics of each, but fractions."""
    ends = np.append(np.flatnonzero(np.diff(table.polygons, prepend=-1)), table.polygons.size)
    first = ends[:-1]
    if not first.size:
        return table.polygons, {stat: np.empty(0) for stat in stats}
    return table.polygons[first], {stat: _one(stat, table, ends) for stat in stats}


def _one(stat: str, table: Values, ends: NDArray[np.int64]) -> NDArray[Any]:
    quantile = quantile_in(stat)
    if quantile is not None:
        return quantiles_in_rows(ends, table.values, table.measures, quantile)
    first, sizes = ends[:-1], np.diff(ends)
    if stat == "variety":
        return sizes
    # Among equals exactextract takes the largest as majority and the smallest as minority.
    most = stat == "majority"
    extreme = (np.maximum if most else np.minimum).reduceat(table.measures, first)
    mine = table.measures == np.repeat(extreme, sizes)
    other = np.where(mine, table.values, -np.inf if most else np.inf)
    return np.asarray((np.maximum if most else np.minimum).reduceat(other, first))


def _fractions(table: Values, size: int, classes: NDArray[Any]) -> NDArray[np.float64]:
    found = np.zeros((size, classes.size))
    known = np.zeros(size, np.bool_)
    known[table.polygons] = True
    found[~known] = np.nan
    if not table.polygons.size or not classes.size:
        return found
    first = np.flatnonzero(np.diff(table.polygons, prepend=-1))
    order = np.argsort(classes, kind="stable")
    ranked = np.asarray(classes, np.float64)[order]
    place = np.minimum(np.searchsorted(ranked, table.values), classes.size - 1)
    mine = ranked[place] == table.values
    totals = np.zeros(size)
    totals[table.polygons[first]] = np.add.reduceat(table.measures, first)
    rows = table.polygons[mine]
    found[rows, order[place[mine]]] = table.measures[mine] / totals[rows]
    return found


def quantile_name(stat: str) -> str:
    """Return what a quantile is called."""
    return f"{math.fsum([100 * (quantile_in(stat) or 0)]):g} % quantile"
