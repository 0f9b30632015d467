"""Polygons on a grid, measured once and applied to any number of rasters: statistics by exact shares of cells (docs/decisions/0063)."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from carbongrid.errors import InputError
from carbongrid.raster.chunked.arrays import each_band, reduce_touched, rows_later
from carbongrid.raster.georeference import inside, is_chunked
from carbongrid.raster.grid import Grid
from carbongrid.raster.memory_limit import require_room
from carbongrid.raster.nodata import Unknown
from carbongrid.raster.planes import crs_name, metres_per_unit
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.zonal.moments import (
    MOMENTS,
    Table,
    block_moments,
    empty_moments,
    floats_of,
    merged_moments,
    share_totals,
    statistics_of,
)
from carbongrid.raster.zonal.operator_files import read_operator, write_operator
from carbongrid.raster.zonal.placing import on_grid
from carbongrid.raster.zonal.rasters import described, units
from carbongrid.raster.zonal.shares import (
    Shares,
    blocks_touched,
    centre_shares,
    exact_shares,
    row_ranges,
)
from carbongrid.raster.zonal.stacks import (
    id_values,
    is_lazy,
    kept_coordinates,
    kept_dimensions,
    rasters_in,
    stacked_tables,
    y_and_x_last,
)
from carbongrid.raster.zonal.statistics import label_coordinate

if TYPE_CHECKING:
    from carbongrid.raster.polygons import PolygonsLike

type Coverage = Literal["exact", "centre"]

DEFAULT_STATS = ("count", "sum", "mean", "min", "max", "valid_fraction")

_ORDERS = {"sum": 1, "mean": 1, "std": 2, "variance": 2}
_BY_AREA = ("mean", "std", "variance")
_BYTES_PER_NUMBER = 8


class ZonalOperator:
    """Polygons measured on a grid once: row spans of whole cells, and edge cells with their exact share.

    Parameters
    ----------
    polygons
        GeoDataFrame, GeoSeries, array of shapely polygons, or Polygons, valid and in the grid's CRS.
    grid
        The rasters' grid: ``Grid.like(raster)``. In a geographic CRS a share is one of a square of degrees.
    coverage
        ``exact``: each polygon has its exact share of every cell, whatever lies over it. ``centre``: a cell belongs to the
        polygon that covers its centre, the later row where several do, as in ``rasterize``.

    Raises
    ------
    InputError
        If the CRS differ, or a polygon covers more than 2^31 cells.

    Notes
    -----
    Memory follows the length of the borders, not the number of cells: 12 bytes a span, 16 an edge cell.
    """

    def __init__(self, polygons: PolygonsLike, grid: Grid, *, coverage: Coverage = "exact") -> None:
        if coverage not in ("exact", "centre"):
            raise InputError(f"there is no coverage {coverage!r}", hint="Take exact or centre.")
        prepared = Polygons.of(polygons)
        measure = exact_shares if coverage == "exact" else centre_shares
        self._set(grid, coverage, prepared.ids, measure(prepared, grid))

    def _set(self, grid: Grid, coverage: str, ids: NDArray[Any] | None, shares: Shares) -> None:
        self.grid = grid
        self.coverage = coverage
        self.ids = None if ids is None else id_values(ids)
        self.shares = shares
        self._rows = row_ranges(shares)
        self.totals = share_totals(shares.spans, shares.edges) + shares.outside

    def __len__(self) -> int:
        return self.shares.outside.size

    def __repr__(self) -> str:
        spans, edges = self.shares.spans[1].size, self.shares.edges[1].size
        return f"<ZonalOperator: {len(self):,} polygons, {spans:,} spans of whole cells, {edges:,} edge cells>"

    @property
    def nbytes(self) -> int:
        """Bytes of spans and edges."""
        arrays = (*self.shares.spans, *self.shares.edges, self.shares.outside)
        return sum(array.nbytes for array in arrays)

    def save(self, path: str | Path) -> None:
        """Write the operator to a new directory: three Parquet files that others can read.

        Parameters
        ----------
        path
            A directory that does not exist yet.

        Raises
        ------
        InputError
            If it exists, or ids are neither all text nor all whole numbers.
        """
        write_operator(Path(path), (self.grid, self.coverage, self.ids, self.shares))

    @classmethod
    def open(cls, path: str | Path) -> ZonalOperator:
        """Open a saved operator; its checksums and its structure are checked.

        Raises
        ------
        InputError
            If this is no such directory, or it is damaged.
        """
        grid, coverage, ids, shares = read_operator(Path(path))
        operator = cls.__new__(cls)
        operator._set(grid, coverage, ids, shares)
        return operator

    def apply(
        self,
        raster: Any,
        stats: str | Iterable[str] = DEFAULT_STATS,
        *,
        weights: Any = None,
    ) -> xr.Dataset:
        """Make statistics of a raster per polygon, with shares of cells as weights.

        Parameters
        ----------
        raster : real or integer [..., y, x]
            DataArray or Dataset on the operator's grid, rows from the north or from the south; or an array [..., y, x] whose
            rows run from the north. Any other dimension (time, band) stays. NaN, masked cells and cells of a nodata value that the raster declares
            are unknown and count as nothing.
        stats
            Names out of ``count`` (sum of shares of known cells), ``sum``, ``mean``, ``min``, ``max``, ``std``, ``variance`` (of the population) and
            ``valid_fraction`` (known share of the polygon's area, on the grid or off it).
        weights : real [y, x], or ``"area"`` or ``"cells"``, optional
            Of the same cells, none negative: sum, mean, std and variance take share times weight instead of the share. A known cell
            whose weight is unknown makes them NaN. ``"area"`` weighs by the area of cells in m2, ``"cells"`` all alike, which is
            the default, and has to be said where cells differ in area.

        Returns
        -------
        xarray.Dataset [..., label]
            A variable for each statistic, of a Dataset ``VARIABLE_STATISTIC``; coordinates label = 1..n, id where known and those of the
            dimensions that stay. Lazy if the raster or the weights are: only chunks that polygons touch are read. The same
            bits for any chunks, scheduler and number of threads. By centre, counts and sums of integers are int64.

        Raises
        ------
        InputError
            If the cells differ from the operator's, a statistic is unknown, a mean is asked for on a geographic grid and no weights
            are named, a weight is negative, a value is infinite where sums are asked for, or an integer is beyond 2^53; of a lazy raster some of it
            when it is computed.

        Notes
        -----
        A polygon without a known cell has count and sum 0, and NaN for the rest. Sums of whole cells are exact before they are rounded to float64.
        """
        wanted = known_stats(stats, MOMENTS)
        self._require_weights(wanted, weights)
        if isinstance(raster, xr.Dataset):
            parts = [
                self.apply(variable, wanted, weights=weights).rename(
                    {stat: f"{name}_{stat}" for stat in wanted}
                )
                for name, variable in rasters_in(raster, None).items()
            ]
            return xr.merge(parts, join="exact", compat="identical", combine_attrs="override")
        unknown = Unknown.of(raster)
        stack, _ = y_and_x_last(raster, None)
        leads = max(stack.ndim - 2, 0)
        numbers = len(self) * len(wanted) * math.prod(stack.shape[:leads])
        require_room(_BYTES_PER_NUMBER * numbers, f"{numbers:,} statistics", "Take fewer at once.")
        weighed = self._weights(weights)
        later = is_lazy(stack) or (weighed is not None and is_lazy(weighed))
        each = functools.partial(
            self._tables, unknown=unknown, stats=wanted, weights=weighed, later=later
        )
        return self._dataset(raster, stack, leads, stacked_tables(stack, leads, each))

    def _dataset(self, raster: Any, stack: Any, leads: int, tables: dict[str, Any]) -> xr.Dataset:
        kept = kept_dimensions(stack, leads)
        found = xr.Dataset(
            {
                stat: ((*kept, "label"), values, _attributes(stat, raster))
                for stat, values in tables.items()
            },
            coords={**kept_coordinates(stack, kept), "label": label_coordinate(len(self))},
        )
        if self.ids is None:
            return found
        return found.assign_coords(id=("label", self.ids, {"long_name": "id"}))

    def _require_weights(self, stats: Sequence[str], weights: Any) -> None:
        if isinstance(weights, str) and weights not in ("area", "cells"):
            raise InputError(
                f"there are no weights {weights!r}", hint="Take area, cells, or a raster."
            )
        unequal = [stat for stat in stats if stat in _BY_AREA]
        if weights is None and unequal and metres_per_unit(self.grid.crs) is None:
            raise InputError(
                f"a {unequal[0]} by cells of {crs_name(self.grid.crs)} favours the poles: their areas differ from row to row",
                hint='Take weights="area" to weigh by the area of cells, or weights="cells" to take them all alike.',
            )

    def _weights(self, weights: Any) -> Any:
        if weights is None or isinstance(weights, str):
            if weights != "area":
                return None
            areas = np.ascontiguousarray(self.grid.cell_areas)
            return np.broadcast_to(areas[:, None], self.grid.shape)
        return weights

    def _tables(
        self, plane: Any, *, unknown: Unknown, stats: tuple[str, ...], weights: Any, later: bool
    ) -> dict[str, Any]:
        plane = on_grid(plane, self.grid)
        arrays = [inside(plane)]
        unweighed = Unknown.of(weights)
        if weights is not None:
            arrays.append(inside(on_grid(weights, self.grid)))
        block = functools.partial(_block_tables, stats, unknown, unweighed)
        whole = self._whole(stats, arrays[0].dtype, weights is not None)
        finish = functools.partial(_finished, stats, whole, weights is not None)
        if later or any(map(is_chunked, arrays)):
            touched = functools.partial(blocks_touched, self.shares)
            made = reduce_touched(block, _merged, finish, touched, *arrays, operator=self)
            kinds = {stat: np.int64 if stat in whole else np.float64 for stat in stats}
            return rows_later(made, kinds, len(self))
        parts = each_band(
            lambda rows: block(*(array[rows] for array in arrays), rows.start, 0, operator=self),
            arrays[0].shape,
        )
        return finish(_merged(parts), operator=self)

    def _whole(
        self, stats: tuple[str, ...], dtype: np.dtype[Any], weighted: bool
    ) -> tuple[str, ...]:
        """Return which statistics are whole numbers: what is counted and summed where every share is 1."""
        sums = dtype.kind in "biu" and not weighted
        may = {"count", "sum"} if sums else {"count"}
        return tuple(stat for stat in stats if self.coverage == "centre" and stat in may)

    def polygons_in(self, top: int, height: int) -> NDArray[np.int64]:
        """Return which polygons may have cells in some rows."""
        rows = self._rows
        return np.flatnonzero((rows[:, 0] < top + height) & (rows[:, 1] > top))


def known_stats(stats: str | Iterable[str], known: Iterable[str]) -> tuple[str, ...]:
    """Return names of statistics, each once.

    Raises
    ------
    InputError
        If one is not known, or there is none.
    """
    wanted = (stats,) if isinstance(stats, str) else tuple(dict.fromkeys(stats))
    strange = [stat for stat in wanted if stat not in set(known)]
    if strange or not wanted:
        told = f"there is no statistic {strange[0]!r}" if strange else "no statistic is named"
        raise InputError(told, hint=f"Choose from {', '.join(known)}.")
    return wanted


type _Tables = dict[str, Table]


def _block_tables(
    stats: tuple[str, ...],
    unknown: Unknown,
    unweighed: Unknown,
    values: Any,
    *rest: Any,
    operator: ZonalOperator,
) -> _Tables:
    """Return what polygons have in a block: weighted sums and plain ones, as far as the statistics need them."""
    *weights, top, left = rest
    polygons = operator.polygons_in(top, values.shape[0])
    floats = floats_of(values, unknown)
    cells = operator.shares.spans, operator.shares.edges
    plain = tuple(stat for stat in stats if not weights or stat not in _ORDERS)
    made = {}
    if plain:
        order = max(_ORDERS.get(stat, 0) for stat in plain)
        made["plain"] = block_moments(floats, None, (top, left), cells, polygons, order)
    if len(plain) < len(stats):
        weighed = _weights_block(weights[0], unweighed)
        order = max(_ORDERS.get(stat, 0) for stat in stats)
        made["weighted"] = block_moments(floats, weighed, (top, left), cells, polygons, order)
    return made


def _weights_block(weights: Any, unknown: Unknown) -> NDArray[np.float64]:
    known = floats_of(weights, unknown).astype(np.float64)
    if (known < 0).any():
        raise InputError("a weight is negative", hint="Mark what is unknown as NaN.")
    return known


def _merged(parts: list[_Tables]) -> _Tables:
    names = {name for part in parts for name in part}
    return {name: merged_moments([part[name] for part in parts]) for name in names}


def _finished(
    stats: tuple[str, ...],
    whole: tuple[str, ...],
    weighted: bool,
    tables: _Tables,
    *,
    operator: ZonalOperator,
) -> dict[str, NDArray[Any]]:
    made: dict[str, NDArray[Any]] = {}
    for name, apart in (("plain", False), ("weighted", True)):
        own = tuple(stat for stat in stats if (weighted and stat in _ORDERS) == apart)
        table = tables.get(name, empty_moments())
        made |= statistics_of(table, own, operator.totals, weighted=apart, whole=whole)
    return {stat: made[stat] for stat in stats}


def _attributes(stat: str, raster: Any) -> dict[str, str]:
    what = described(raster)
    told = {
        "count": f"cells with known {what} per polygon",
        "valid_fraction": f"share of the polygon where {what} is known",
    }
    unit = "1" if stat in told else units(raster)
    if stat == "variance" and unit != "1":
        unit = f"({unit})2"
    return {"units": unit, "long_name": told.get(stat, f"{MOMENTS[stat]} of {what} per polygon")}
