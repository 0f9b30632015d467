"""What is made of a raster per polygon: what each block gives, how blocks are put together, and the statistics in the end."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from carbongrid.errors import InputError, Problem, warn_of
from carbongrid.raster.chunked.arrays import each_band
from carbongrid.raster.nodata import Unknown
from carbongrid.raster.row_blocks import each_block
from carbongrid.raster.zonal.distributions import (
    DISTRIBUTIONS,
    Values,
    block_values,
    distributions_of,
    empty_values,
    is_distribution,
    merged_values,
    quantile_in,
    quantile_name,
    rows_of_values,
)
from carbongrid.raster.zonal.measured import Measured
from carbongrid.raster.zonal.moments import (
    MOMENTS,
    Table,
    as_it_is,
    block_moments,
    empty_moments,
    floats_of,
    is_as_kernels_take_it,
    merged_moments,
    statistics_of,
)
from carbongrid.raster.zonal.rasters import described, units
from carbongrid.raster.zonal.weighted_values import (
    WeightedValues,
    as_values,
    block_weighted_values,
    merged_weighted_values,
    no_weighted_values,
)

ORDERS = {"sum": 1, "mean": 1, "std": 2, "variance": 2}
"""Statistics that take weights, and up to which power of the values they add."""

_BY_AREA = ("mean", "std", "variance")
# Values and measures of so many cells are 24 MB.
_CELLS_AT_ONCE = 2**20
# Sums of polygons are made in so many batches: few, since each takes a millisecond beside its cells, and enough for threads to end together.
_BATCHES, _CELLS_IN_BATCH = 16, (2**18, 2**22)
_FLOATS = (np.float32, np.float64)
# Of so many a copy as floats is made at once at most.
_CELLS_OF_A_PLANE = 2**24


@dataclass(frozen=True)
class Recipe:
    """What is made of a raster: statistics, what is unknown in it and in its weights, whether there are any and whether they are a raster's, what its rows weigh, which classes, and whether weights are float64 by now and none is negative."""

    stats: tuple[str, ...]
    unknown: Unknown
    unweighed: Unknown
    weighted: bool
    by_raster: bool
    factors: NDArray[np.float64]
    classes: NDArray[Any] | None
    weights_are_checked: bool = False

    @property
    def plain(self) -> list[str]:
        """Statistics of shares alone."""
        return [stat for stat in self.stats if stat in MOMENTS and stat not in self.of_weights]

    @property
    def is_plain(self) -> bool:
        """Whether nothing but shares is asked for."""
        return len(self.plain) == len(self.stats)

    @property
    def of_weights(self) -> list[str]:
        """Statistics of shares times weights."""
        return [stat for stat in self.stats if self.weighted and stat in ORDERS]

    @property
    def distributions(self) -> list[str]:
        """Statistics of all values, with what rows of cells weigh."""
        return [stat for stat in self.stats if is_distribution(stat) and stat not in self.weighed]

    @property
    def weighed(self) -> list[str]:
        """Statistics of all values, with a raster of weights."""
        return [stat for stat in self.stats if self.by_raster and is_distribution(stat) and stat != "variety"]  # fmt: skip


class Done(NamedTuple):
    """Statistics of all values of polygons that have all their cells in one block."""

    polygons: NDArray[np.int64]
    stats: dict[str, NDArray[Any]]


class Tables(NamedTuple):
    """What polygons have in a block: sums of shares, sums of weighted shares, and all values, as far as statistics need them."""

    plain: Table
    weighted: Table
    values: Values
    weighed: WeightedValues
    done: tuple[Done, ...]


def known_stats(
    stats: str | Iterable[str], among: Collection[str] | None = None
) -> tuple[str, ...]:
    """Return names of statistics, each once.

    Parameters
    ----------
    stats
        A name or several.
    among
        Moments that are made; default: all statistics of polygons.

    Raises
    ------
    InputError
        If one is not known, or there is none.
    """
    wanted = (stats,) if isinstance(stats, str) else tuple(dict.fromkeys(stats))
    strange = [
        stat for stat in wanted
        if not (stat in among if among else stat in MOMENTS or is_distribution(stat))
    ]  # fmt: skip
    if strange or not wanted:
        told = f"there is no statistic {strange[0]!r}" if strange else "no statistic is named"
        known = among or [*MOMENTS, *DISTRIBUTIONS, "quantile_25 (percent)"]
        raise InputError(told, hint=f"Choose from {', '.join(known)}.")
    return wanted


def warn_of_small_quantiles(stats: Iterable[str]) -> None:
    """Warn of quantiles below one percent, which may be meant as shares: of other tools 0.9 is what is called 90 here."""
    for stat in stats:
        share = quantile_in(stat) or 0.0
        if 0 < share < 0.01:
            warn_of(
                Problem(
                    f"{stat} is the {quantile_name(stat)}, since quantiles are named in percent",
                    hint=f"quantile_{share * 1e4:g} is that of a share of {share * 100:g}.",
                )
            )


def is_by_area(stat: str) -> bool:
    """Tell whether a statistic is another one where large cells count for more."""
    return stat in _BY_AREA or (is_distribution(stat) and stat != "variety")


def classes_as(classes: ArrayLike, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return classes, each once, as a raster of this type holds them: 0.1 as float32 does.

    Raises
    ------
    InputError
        If one is no number, or none that the type can hold.
    """
    named = np.unique(np.asarray(classes))
    if named.size and (named.dtype.kind not in "biuf" or (named != named).any()):
        raise InputError(f"classes must be numbers, not {classes!r}")
    if dtype.kind == "f":
        return np.unique(named.astype(dtype))
    lowest, highest = (
        (0, 1) if dtype.kind == "b" else (int(np.iinfo(dtype).min), int(np.iinfo(dtype).max))
    )
    strange = [
        each for each in named.tolist() if not lowest <= each <= highest or each != int(each)
    ]
    if strange:
        raise InputError(
            f"a raster of {dtype} has no class {strange[0]:g}",
            hint="Name classes that it can have, or leave them out.",
        )
    return named.astype(dtype)


def block_tables(
    recipe: Recipe,
    values: Any,
    *rest: Any,
    measured: Measured,
    polygons: NDArray[np.int64] | None = None,
) -> Tables:
    """Return what polygons, all or some, have in a block whose first cell is at the row and column that come last."""
    *weights, top, left = rest
    corner, shape = (top, left), values.shape
    if polygons is None:
        polygons = measured.polygons_in(corner, shape)
    taken = as_it_is(values, recipe.unknown) if recipe.is_plain else None
    block, hidden = taken or (floats_of(values, recipe.unknown), np.nan)
    shares = (measured.shares.spans, measured.shares.edges)
    sums = (*shares, measured.share_bins)
    plain, weighted, found = empty_moments(), empty_moments(), empty_values()
    weighed, done = no_weighted_values(), list[Done]()
    if recipe.plain:
        order = max(ORDERS.get(stat, 0) for stat in recipe.plain)
        ends = not {"min", "max", "std", "variance"}.isdisjoint(recipe.plain)
        plain = block_moments(block, None, corner, sums, polygons, order, ends=ends, hidden=hidden)
    needs_weights = bool(recipe.of_weights or recipe.weighed)
    own = None
    if needs_weights:
        own = weights[0] if recipe.weights_are_checked else _weights_block(weights[0], recipe.unweighed)  # fmt: skip
    if recipe.of_weights:
        order = max(ORDERS[stat] for stat in recipe.of_weights)
        weighted = block_moments(block, own, corner, sums, polygons, order, ends=order > 1)
    if recipe.distributions:
        # Of polygons that have all their cells here values need not be kept, but for fractions.
        here = measured.whole_in(polygons, corner, shape)
        if "fractions" in recipe.distributions:
            here[:] = False
        for batch in measured.batches(polygons[here], _CELLS_AT_ONCE):
            values = block_values(block, corner, shares, batch, measured.scales, recipe.factors)
            done.append(Done(*rows_of_values(values, recipe.distributions)))
        found = block_values(
            block, corner, shares, polygons[~here], measured.scales, recipe.factors
        )
    if recipe.weighed and own is not None:
        weighed = merged_weighted_values(
            [
                block_weighted_values(block, own, corner, shares, batch)
                for batch in measured.batches(polygons, _CELLS_AT_ONCE)
            ]
            or [weighed]
        )
    return Tables(plain, weighted, found, weighed, tuple(done))


def statistics_of_plane(
    recipe: Recipe, whole: tuple[str, ...], arrays: Sequence[Any], measured: Measured
) -> dict[str, NDArray[Any]]:
    """Return what ``finished`` does of a raster in memory, [y, x], and its weights: polygons on threads where nothing is copied or little is, else bands of rows."""
    values, *weights = arrays
    taken = as_it_is(values, recipe.unknown) if recipe.is_plain else None
    lies_ready = taken is not None and taken[0].flags.c_contiguous
    copied = not (lies_ready or is_as_kernels_take_it(values, recipe.unknown, _FLOATS))
    copied |= not all(is_as_kernels_take_it(each, recipe.unweighed, (np.float64,)) for each in weights)  # fmt: skip
    if copied and values.size > _CELLS_OF_A_PLANE:
        bands = each_band(
            lambda rows: block_tables(
                recipe, *(array[rows] for array in arrays), rows.start, 0, measured=measured
            ),
            values.shape,
        )
        return finished(recipe, whole, merged(bands), measured=measured)
    known = replace(recipe, unweighed=Unknown(), weights_are_checked=True)
    if (
        taken is not None and lies_ready and values.dtype == np.bool_
    ):  # looked at once, not with each batch
        values, known = taken[0], replace(known, unknown=Unknown())
    elif not lies_ready:
        values, known = floats_of(values, recipe.unknown), replace(known, unknown=Unknown())
    blocks = [values, *(_weights_block(each, recipe.unweighed) for each in weights)]
    polygons = np.flatnonzero(measured.cells)

    def tables_of(some: NDArray[np.int64]) -> Tables:
        return block_tables(known, *blocks, 0, 0, measured=measured, polygons=some)

    if recipe.distributions or recipe.weighed:
        parts = list(each_block(tables_of, measured.batches(polygons, _CELLS_AT_ONCE)))
        return finished(recipe, whole, merged(parts), measured=measured)

    def rows_of(some: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        # All cells of a polygon are here: only its statistics are kept.
        plain, weighted, *_ = tables_of(some)
        tables = [
            each._replace(polygons=np.searchsorted(some, each.polygons))
            for each in (plain, weighted)
        ]
        return _of_moments(recipe, whole, tables[0], tables[1], measured.totals[some])

    made = finished(recipe, whole, merged([]), measured=measured)
    cells = int(np.clip(measured.cells.sum() // _BATCHES, *_CELLS_IN_BATCH))
    groups = measured.batches(polygons, cells)
    for some, rows in zip(groups, each_block(rows_of, groups), strict=True):
        for stat, row in rows.items():
            made[stat][some] = row
    return made


def _weights_block(weights: Any, unknown: Unknown) -> NDArray[np.float64]:
    known = floats_of(weights, unknown).astype(np.float64, copy=False)
    if (known < 0).any():
        raise InputError("a weight is negative", hint="Mark what is unknown as NaN.")
    return known


def merged(parts: list[Tables]) -> Tables:
    """Put tables of blocks together; their order does not matter."""
    if not parts:
        return Tables(empty_moments(), empty_moments(), empty_values(), no_weighted_values(), ())
    plain, weighted, values, weighed, done = zip(*parts, strict=True)
    return Tables(
        merged_moments(list(plain)),
        merged_moments(list(weighted)),
        merged_values(list(values)),
        merged_weighted_values(list(weighed)),
        tuple(each for several in done for each in several),
    )


def finished(
    recipe: Recipe, whole: tuple[str, ...], tables: Tables, *, measured: Measured
) -> dict[str, NDArray[Any]]:
    """Return the statistics of all polygons, ``whole`` ones as int64; with fractions also ``class``."""
    made = {
        **_of_moments(recipe, whole, tables.plain, tables.weighted, measured.totals),
        **distributions_of(tables.values, recipe.distributions, len(measured), recipe.classes),
    }
    if recipe.weighed:
        of_raster = as_values(tables.weighed, len(measured))
        made |= distributions_of(of_raster, recipe.weighed, len(measured), recipe.classes)
    for done in tables.done:
        for stat, row in done.stats.items():
            made[stat][done.polygons] = row
    named = [*recipe.stats, *(["class"] if "class" in made else [])]
    return {stat: made[stat] for stat in named}


def _of_moments(
    recipe: Recipe,
    whole: tuple[str, ...],
    plain: Table,
    weighted: Table,
    totals: NDArray[np.float64],
) -> dict[str, NDArray[Any]]:
    return {
        **statistics_of(weighted, recipe.of_weights, totals, weighted=True),
        **statistics_of(plain, recipe.plain, totals, weighted=False, whole=whole),
    }


def attributes_of(stat: str, raster: Any, weights: Any) -> dict[str, str]:
    """Return units and long name of a statistic of a raster, with weights or without."""
    what = described(raster)
    told = {
        "count": f"cells with known {what} per polygon",
        "valid_fraction": f"share of the polygon where {what} is known",
    }
    if stat in ("variety", "fractions"):
        return {"units": "1", "long_name": f"{DISTRIBUTIONS[stat]} of {what} per polygon"}
    if stat not in MOMENTS:
        name = DISTRIBUTIONS.get(stat) or quantile_name(stat)
        return {"units": units(raster), "long_name": f"{name} of {what} per polygon"}
    unit = "1" if stat in told else units(raster)
    if stat == "variance" and unit != "1":
        unit = f"({unit})2"
    if stat == "sum":
        unit = _product(unit, _units_of_weights(weights))
    return {"units": unit, "long_name": told.get(stat, f"{MOMENTS[stat]} of {what} per polygon")}


def _units_of_weights(weights: Any) -> str:
    if isinstance(weights, str):
        return "m2" if weights == "area" else "1"
    return units(weights)


def _product(a: str, b: str) -> str:
    """Return the units of a product, as UDUNITS reads them: factors side by side."""
    if "1" in (a, b):
        return b if a == "1" else a
    return f"{a} {b}"


def kinds_of(stats: Iterable[str], whole: Iterable[str]) -> Mapping[str, type[np.generic]]:
    """Return the type of each statistic."""
    return {stat: np.int64 if stat in whole or stat == "variety" else np.float64 for stat in stats}
