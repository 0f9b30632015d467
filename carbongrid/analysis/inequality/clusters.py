"""Whether like units lie side by side: Moran's I, by esda, and its local parts, with seeded permutations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from carbongrid.analysis.neighbours import neighbours_of
from carbongrid.errors import InputError, require_extra

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

ALPHA = 0.05
_LEAST, _MOST, _DRAWN = 999, 99_999, 20_000_000
"""Permutations at least and at most, and of all units together: 20 million took 3 s."""

ENOUGH_UNITS = 4
"""With a value and a neighbour, of which clusters can be looked for."""

KINDS = (
    "not significant",
    "high beside high",
    "low beside high",
    "low beside low",
    "high beside low",
)
"""Local clusters and outliers, as esda numbers their quadrants; 0 where chance would do as well."""


class Moran(NamedTuple):
    """Moran's I, what it would be by chance, -1/(n - 1), how often permuted values reach it (two-sided), and what the values beside give."""

    i: float
    expected: float
    p: float
    beside: float = float("nan")


class Local(NamedTuple):
    """What each unit adds to Moran's I, its p by conditional permutations (two-sided), and its kind where that is small enough: a place in :data:`KINDS`."""

    i: NDArray[np.float64]
    p: NDArray[np.float64]
    kind: NDArray[np.int64]


_ALWAYS_COUNTED = 2
"""What is counted of permutations however far a value stands out: itself, on either side; p is that over their number and one."""

_ALIKE = 1e-12
"""Sums of the same values in another order are the same within this, of the largest."""


def permutations_for(units: int) -> int:
    """Return how many permutations units take: so many that a single one can be told, as far as time allows.

    Notes
    -----
    The least p of n permutations is 2 / (n + 1). Where the false discovery rate is held at 5 %, one unit that stands out by itself needs a p below
    0.05 / units; permutations are five times what that takes.
    """
    most = np.clip(_DRAWN // units, _LEAST, _MOST)
    return int(np.clip(5 * _ALWAYS_COUNTED * units / ALPHA, _LEAST, most))


def fewest_told(units: int) -> int:
    """Return how many units must stand out together before any can be told, with as many permutations as they take."""
    return int(_ALWAYS_COUNTED * units / ((permutations_for(units) + 1) * ALPHA)) + 1


def clusters(
    outlines: gpd.GeoSeries,
    values: NDArray[np.float64],
    *,
    of: str = "",
    beside: NDArray[np.float64] | None = None,
    seed: int = 0,
) -> tuple[Moran, pd.DataFrame]:
    """Return Moran's I of units, and what each adds to it.

    Parameters
    ----------
    outlines
        Polygons, in the order of the values; neighbours touch (:func:`carbongrid.analysis.neighbours.neighbours_of`).
    values
        Shape (units,); NaN is unknown, and such a unit takes no part.
    of
        What the values are, for messages.
    beside
        Other values of the units, whose I among the same neighbours is given beside that of the values.
    seed
        Of the permutations: the same numbers with the same seed.

    Returns
    -------
    moran, table
        The table has one row per unit: neighbours, local_i, p, and kind, one of :data:`KINDS`, where p is below the threshold that holds the false discovery rate at 5 %; NaN and 0 where a
        unit has no value or no neighbour.

    Raises
    ------
    InputError
        If esda is not installed, or fewer than four units have a value and a neighbour, or all values are one.
    """
    require_extra("statistics", "esda", "libpysal", purpose="Moran's I")
    import esda
    from libpysal.weights import W

    known = np.isfinite(values)
    beside_each = [each[known[each]] for each in neighbours_of(outlines.to_numpy())]
    taken = np.flatnonzero([has_value and len(each) > 0 for has_value, each in zip(known, beside_each, strict=True)])  # fmt: skip
    place = np.full(len(values), -1)
    place[taken] = np.arange(len(taken))
    own = values[taken]
    if len(taken) < ENOUGH_UNITS or np.ptp(own) == 0:
        what = f"{len(taken)} units have a value and a neighbour" if len(taken) < ENOUGH_UNITS else "all units have one value"  # fmt: skip
        raise InputError(f"no clusters {f'of {of} ' if of else ''}can be looked for: {what}", "inequality", "Leave them out: --no-clusters.")  # fmt: skip
    own_neighbours = {row: place[beside_each[unit]].tolist() for row, unit in enumerate(taken)}
    neighbours = W(own_neighbours, silence_warnings=True)  # of units on several islands
    moran, local = moran_of(own, neighbours, seed=seed)
    if beside is not None:
        moran = moran._replace(beside=_global(beside[taken], neighbours)[0])
    table = pd.DataFrame({"neighbours": 0, "local_i": np.nan, "p": np.nan, "kind": KINDS[0]}, index=range(len(values)))  # fmt: skip
    significant = local.p <= esda.fdr(local.p, ALPHA)
    table.loc[taken, "neighbours"] = [len(beside_each[unit]) for unit in taken]
    table.loc[taken, "local_i"] = local.i
    table.loc[taken, "p"] = local.p
    table.loc[taken, "kind"] = [KINDS[kind] if sure else KINDS[0] for kind, sure in zip(local.kind, significant, strict=True)]  # fmt: skip
    return moran, table


def moran_of(values: NDArray[np.float64], neighbours: Any, *, seed: int = 0) -> tuple[Moran, Local]:
    """Return Moran's I of values under libpysal's weights, rows brought to 1, and its local parts."""
    neighbours.transform = "r"
    found, expected = _global(values, neighbours)
    permutations = permutations_for(len(values))
    chance = _permuted(values, neighbours.sparse, permutations, seed)
    beyond = np.abs(chance - expected) >= abs(found - expected) - 1e-12
    p = float((beyond.sum() + 1) / (permutations + 1))
    local = local_parts(values, neighbours.sparse, permutations, seed)
    return Moran(found, expected, p), local


def _global(values: NDArray[np.float64], neighbours: Any) -> tuple[float, float]:
    """Return Moran's I and what it would be by chance; I is NaN where all values are one."""
    import esda

    # Where all units touch each other esda divides by a variance of 0, for a z that nobody asks for.
    with np.errstate(divide="ignore", invalid="ignore"):
        found = esda.Moran(values, neighbours, permutations=0)
    return float(found.I), float(found.EI)


def local_parts(values: NDArray[np.float64], weights: Any, permutations: int, seed: int) -> Local:
    """Return the local parts of Moran's I.

    Parameters
    ----------
    values
        Shape (units,), not all alike.
    weights
        CSR, shape (units, units): of a unit's neighbours one over their number, of itself none.
    permutations
        How many are drawn: each unit keeps its own value, and the others are put on its neighbours.
    seed
        Of them.

    Notes
    -----
    I_i = (n - 1) z_i sum_j w_ij z_j / sum_j z_j^2, z being values less their mean: esda's, as are the kinds. p is twice the smaller of how often permuted values are no
    less, and no more, themselves counted, and 1 at most. esda's two-sided p looks for quantiles among the permuted values: where these tie, as of few units, many without
    any sink, or one that touches all others, it is up to 2, or half of what it is here.
    """
    z = values - values.mean()
    near = _ALIKE * np.abs(z).max()
    z[np.abs(z) <= near] = 0.0
    lag = weights @ z
    lag[np.abs(lag) <= near] = 0.0
    number = np.diff(weights.indptr)
    rng = np.random.default_rng(seed)
    drawn = np.empty((permutations, number.max()), np.int64)
    for row in drawn:  # copied, so that no whole permutation is kept
        row[:] = rng.permutation(z.size - 1)[: row.size]
    p = np.empty(z.size)
    for unit, beside in enumerate(number):
        other = drawn[:, :beside]
        # Of a unit at the mean all are 0, whatever lies beside it.
        apart = z[unit] * (z[other + (other >= unit)].mean(axis=1) - lag[unit])
        within = near * abs(z[unit])
        fewer = min((apart >= -within).sum(), (apart <= within).sum())
        p[unit] = min(1.0, 2 * (fewer + 1) / (permutations + 1))
    high, beside_high = z > 0, lag > 0
    kind = np.select([high & beside_high, ~high & beside_high, ~high], [1, 2, 3], 4)
    return Local((z.size - 1) * z * lag / (z**2).sum(), p, kind)


def _permuted(
    values: NDArray[np.float64], weights: Any, permutations: int, seed: int
) -> NDArray[np.float64]:
    """Return I of values put on units by chance; esda draws from a state that all of a process share."""
    z = values - values.mean()
    rng = np.random.default_rng(seed)
    found = np.empty(permutations)
    for first in range(0, permutations, _LEAST):  # so that memory is of some of them
        some = min(_LEAST, permutations - first)
        drawn = np.stack([rng.permutation(z) for _ in range(some)], axis=1)
        found[first : first + some] = (drawn * (weights @ drawn)).sum(axis=0)
    return found / (z**2).sum()
