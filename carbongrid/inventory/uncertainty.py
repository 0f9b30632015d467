"""Uncertainty of the inventory: error propagation (approach 1) and draws (approach 2).

Numbers that several rows share are one uncertain number: their rows go up and down together. Factors of one group, which are of one
source, share their draw.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.errors import InputError, Problem
from carbongrid.inventory.decimals import in_own_decimals
from carbongrid.inventory.lines import Input, Inventory, Line
from carbongrid.inventory.regions import counted_once
from carbongrid.inventory.spread import Spread, spread_of
from carbongrid.inventory.tables import by_gas
from carbongrid.method.tonnes import counted

if TYPE_CHECKING:
    import xarray as xr

DRAWS, SEED = 10_000, 2006
"""Draws of approach 2 unless told otherwise, and their seed."""

PERCENTILES = (0.025, 0.975)
"""Between them lie 95 %."""

_SUMS_AT_ONCE = 200
"""Of 10,000 draws that is 16 MB."""

Interval = Callable[[NDArray[np.float64]], tuple[float, float, float]]
"""From the weights of a sum of categories to its low, high and standard deviation."""

_STEP = 1e-4
"""Step of the differences in approach 1, in standard deviations; the terms are products, so they are all but linear."""


@in_own_decimals
def approach_1(inventory: Inventory) -> pd.DataFrame:
    """Return the uncertainty by error propagation, with the correlation of rows that share a number.

    Returns
    -------
    DataFrame
        category, co2e_t, low_t, high_t (95 %), deviation_t: one row per category, of the whole city, then one for gross emissions and one for
        sinks; float64, t CO2e.

    Notes
    -----
    Variance of a category = sum over uncertain numbers of (derivative x standard deviation)^2, the derivative being that of the
    whole category. 2006 IPCC Guidelines, Vol. 1, Ch. 3, equations 3.1 and 3.2, hold where nothing is shared. The ends of the interval
    are propagated each on its own side, by the distances of the numbers' own ends, so a skewed number keeps its skew; no end is below 0.
    """
    names, spreads, pulls = sensitivities(inventory)
    deviations = np.array([spread.linear_deviation for spread in spreads])
    ends = np.array([(s.centre - s.low, s.high - s.centre) for s in spreads]).reshape(-1, 2)
    slopes = pulls / deviations
    centres = _centres(inventory, names)
    together = _together(spreads)

    def interval(weights: NDArray[np.float64]) -> tuple[float, float, float]:
        slope, centre = weights @ slopes, float(weights @ centres)
        # What shares a draw is at its upper ends together, or at its lower ones.
        if_high, if_low = together @ (ends[:, 1] * slope), together @ (-ends[:, 0] * slope)
        up = np.maximum(np.maximum(if_high, if_low), 0.0)
        down = np.minimum(np.minimum(if_high, if_low), 0.0)
        low, high = centre - math.hypot(*down), centre + math.hypot(*up)
        return max(low, 0.0), high, math.hypot(*(together @ (weights @ pulls)))

    return _table(inventory, names, interval)


def _together(spreads: list[Spread]) -> NDArray[np.float64]:
    """Return which numbers share a draw: shape (draws, numbers), 1 or 0."""
    keys = list(dict.fromkeys(spread.draw_key for spread in spreads))
    return np.array(
        [[float(spread.draw_key == key) for spread in spreads] for key in keys]
    ).reshape(len(keys), len(spreads))


def sensitivities(inventory: Inventory) -> tuple[list[str], list[Spread], NDArray[np.float64]]:
    """Return categories, uncertain numbers, and how far one standard deviation moves each category.

    Returns
    -------
    tuple
        Names; spreads; float64, shape (categories, numbers), t CO2e.
    """
    names, keys = categories_of(inventory), list(_spreads(inventory).values())
    column = {spread.key: number for number, spread in enumerate(keys)}
    row = {name: number for number, name in enumerate(names)}
    pulls = np.zeros((len(names), len(keys)))
    for line in counted_once(inventory).lines:
        for entry in line.inputs:
            spread = spread_of(line, entry)
            if spread is None:
                continue
            centre, step = float(entry.factor.value or 0), _STEP * spread.linear_deviation
            sides = [_mass(line, {spread.key: np.array(centre + side * step)}) for side in (1, -1)]
            slope = float(sides[0] - sides[1]) / (2 * step) / 1e6
            slope *= float(line.potential(inventory.gwp))
            # A factor that enters a line twice has moved in both places already.
            if entry is _first_use(line, spread.key):
                pulls[row[line.category], column[spread.key]] += slope * spread.linear_deviation
    return names, keys, pulls


@in_own_decimals
def draws(inventory: Inventory, n: int = DRAWS, *, seed: int = SEED) -> xr.DataArray:
    """Return Monte-Carlo draws of the category totals.

    Parameters
    ----------
    inventory
        As :func:`carbongrid.inventory.form` returns it.
    n
        How many.
    seed
        The same seed gives the same draws.

    Returns
    -------
    DataArray
        float64 [draw, category], t CO2e per year; sinks are positive numbers of sink categories. Beside each category its
        ``total``, the number that is not drawn.

    Raises
    ------
    InputError
        If ``n`` is not positive.
    """
    import xarray as xr

    if n < 1:
        raise InputError(f"expected at least one draw, not {n}")
    names = categories_of(inventory)
    generator = np.random.default_rng(seed)
    deviations: dict[str, NDArray[np.float64]] = {}
    numbers = {}
    for key, spread in _spreads(inventory).items():
        if spread.draw_key not in deviations:
            deviations[spread.draw_key] = generator.standard_normal(n)
        numbers[key] = spread.at(deviations[spread.draw_key])
    masses = np.zeros((len(names), n))
    row = {name: number for number, name in enumerate(names)}
    for line in counted_once(inventory).lines:
        masses[row[line.category]] += _mass(line, numbers) * (
            float(line.potential(inventory.gwp)) / 1e6
        )
    return xr.DataArray(
        masses.T,
        dims=("draw", "category"),
        coords={
            "draw": np.arange(n),
            "category": names,
            "total": ("category", _centres(inventory, names)),
        },
        name="emission",
        attrs={
            "units": "t yr-1",
            "long_name": "CO2e per category, drawn",
            "gwp": inventory.gwp,
            "seed": seed,
        },
    )


def approach_2(
    inventory: Inventory, n: int = DRAWS, *, seed: int = SEED, drawn: xr.DataArray | None = None
) -> pd.DataFrame:
    """Return the uncertainty by draws: columns as :func:`approach_1`, low_t and high_t the 2.5 and 97.5 percentiles.

    Draws that are there already are taken instead of new ones.
    """
    masses = (draws(inventory, n, seed=seed) if drawn is None else drawn).to_numpy()
    names = categories_of(inventory)

    def interval(weights: NDArray[np.float64]) -> tuple[float, float, float]:
        sums = masses @ weights
        low, high = np.quantile(sums, PERCENTILES)
        return float(low), float(high), float(sums.std(ddof=1)) if len(sums) > 1 else 0.0

    return _table(inventory, names, interval)


def intervals_of_parts(drawn: xr.DataArray, parts: pd.DataFrame) -> pd.DataFrame:
    """Return the 95 % interval of sums of parts of the categories' totals, as of the mass that lies in a unit.

    Each part goes up and down with its category's total, so that what the categories have in common stays common in every sum.
    How sure the parts themselves are, that is where the mass lies, is not in it.

    Parameters
    ----------
    drawn
        As :func:`draws` returns it.
    parts : float64, shape (sums, categories)
        t CO2e of each category in each sum. A category that was not drawn counts as exact.

    Returns
    -------
    DataFrame
        low_t, high_t: the 2.5 and 97.5 percentiles, float64; a row for each of ``parts``.
    """
    known = [
        name
        for name in parts
        if name in drawn["category"] and float(drawn["total"].sel(category=name))
    ]
    totals = drawn["total"].sel(category=known).to_numpy()
    relative = drawn.sel(category=known).to_numpy() / totals
    of_drawn = parts[known].to_numpy(np.float64)
    exact = parts.drop(columns=known).to_numpy(np.float64).sum(axis=1)
    ends = np.empty((len(parts), 2))
    for start in range(0, len(parts), _SUMS_AT_ONCE):
        rows = slice(start, start + _SUMS_AT_ONCE)
        ends[rows] = np.quantile(relative @ of_drawn[rows].T, PERCENTILES, axis=0).T
    return pd.DataFrame(ends + exact[:, None], parts.index, ["low_t", "high_t"])


def without_bounds(inventory: Inventory) -> list[str]:
    """Return the factors in use of which no bounds are known; the intervals take them as exact."""
    found: dict[str, None] = {}
    for line in inventory.lines:
        for entry in line.taken:
            if entry.factor.key and spread_of(line, entry) is None:
                found.setdefault(entry.factor.key)
    return list(found)


def notes_on_bounds(inventory: Inventory) -> list[Problem]:
    """Return a note of the factors that the intervals take as exact; nothing where there are none."""
    unknown = without_bounds(inventory)
    if not unknown:
        return []
    what = f"the intervals take {counted(len(unknown), 'factor')} as exact, of which no bounds are known: {', '.join(unknown)}"
    return [Problem(what, inventory.data.file, "", "note")]


def categories_of(inventory: Inventory) -> list[str]:
    """Return the categories that have lines, in the order of the totals."""
    return list(dict.fromkeys(by_gas(inventory)["category"]))


def _spreads(inventory: Inventory) -> dict[str, Spread]:
    found: dict[str, Spread] = {}
    for line in counted_once(inventory).lines:
        for entry in line.inputs:
            spread = spread_of(line, entry)
            if spread is not None:
                found.setdefault(spread.key, spread)
    return found


def _first_use(line: Line, key: str) -> Input | None:
    for entry in line.inputs:
        spread = spread_of(line, entry)
        if spread is not None and spread.key == key:
            return entry
    return None


def _mass(line: Line, numbers: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return a line's mass in grams with some of its numbers replaced, in the factors' own units."""
    values = []
    for entry in line.inputs:
        spread = spread_of(line, entry)
        if spread is not None and spread.key in numbers:
            values.append(entry.of(numbers[spread.key] * float(entry.scale)))
        else:
            values.append(float(entry.value))
    mass = np.asarray(line.function(*values), dtype=np.float64) * float(line.molar)
    return -mass if line.product == "land" and line.category.startswith("sink/") else mass


def _centres(inventory: Inventory, names: list[str]) -> NDArray[np.float64]:
    """Return the total of each category, t CO2e."""
    masses = by_gas(inventory).groupby("category")["grams_co2e"].sum()
    return np.array([float(masses[name]) / 1e6 for name in names])


def _table(inventory: Inventory, names: list[str], interval: Interval) -> pd.DataFrame:
    sink = np.array([inventory.categories[name].sink for name in names], dtype=bool)
    centre = _centres(inventory, names)
    wanted = [(name, np.eye(len(names))[number]) for number, name in enumerate(names)]
    wanted += [("gross", (~sink).astype(np.float64)), ("sink", sink.astype(np.float64))]
    rows = [
        (name, float(centre @ weights), *interval(weights))
        for name, weights in wanted
        if weights.any()
    ]
    return pd.DataFrame(rows, columns=["category", "co2e_t", "low_t", "high_t", "deviation_t"])
