"""Polygons on a grid, measured once and applied to any number of rasters: statistics by exact shares of cells (docs/decisions/0063)."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from carbongrid.errors import InputError
from carbongrid.raster.areal_scale import (
    cells_apart,
    is_off,
    is_uneven,
    warn_of_areas,
    warn_of_unequal_cells,
)
from carbongrid.raster.chunked.arrays import reduce_touched, rows_later
from carbongrid.raster.crs_units import crs_name, metres_per_unit
from carbongrid.raster.georeference import inside, is_chunked, require_raster
from carbongrid.raster.grid import Grid, require_grid
from carbongrid.raster.lattice import with_mappings
from carbongrid.raster.memory_limit import require_room
from carbongrid.raster.nodata import Unknown, warn_of_zeros
from carbongrid.raster.opening.files import is_address, path_to_write
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.polygons.reach import require_reach
from carbongrid.raster.zonal.bringing import brought
from carbongrid.raster.zonal.measured import Measured
from carbongrid.raster.zonal.operator_files import read_operator, write_operator
from carbongrid.raster.zonal.placing import on_grid, require_same_way
from carbongrid.raster.zonal.rasters import described
from carbongrid.raster.zonal.recipes import (
    Recipe,
    attributes_of,
    block_tables,
    classes_as,
    finished,
    is_by_area,
    kinds_of,
    known_stats,
    merged,
    statistics_of_plane,
    warn_of_small_quantiles,
)
from carbongrid.raster.zonal.shares import (
    Shares,
    blocks_touched,
    centre_shares,
    exact_shares,
)
from carbongrid.raster.zonal.sources import opened
from carbongrid.raster.zonal.stacks import (
    each_layer,
    id_values,
    is_lazy,
    kept_coordinates,
    kept_dimensions,
    merged_tables,
    rasters_in,
    read_once,
    share_blocks,
    stacked_tables,
    with_own_blocks,
    y_and_x_last,
)
from carbongrid.raster.zonal.statistics import label_coordinate

if TYPE_CHECKING:
    from carbongrid.raster.polygons import PolygonsLike

type Coverage = Literal["exact", "centre"]

DEFAULT_STATS = ("count", "sum", "mean", "min", "max", "valid_fraction")

_NAMED_WEIGHTS = ("area", "cells")
_BYTES_PER_NUMBER = 8


def require_equal_cells(grid: Grid, stats: Sequence[str], apart: Callable[[], float]) -> None:
    """Raise InputError for a statistic that takes all cells alike where their areas differ; warn where they do so on a plane.

    Parameters
    ----------
    grid
        Of the cells.
    stats
        Those that are wanted.
    apart
        Returns how many times as large as its smallest cell the largest of one polygon is; asked only where it matters.

    Raises
    ------
    InputError
        If the grid is geographic and a statistic, as a mean, is another one where large cells count for more.
    """
    unequal = [stat for stat in stats if is_by_area(stat)]
    if unequal and metres_per_unit(grid.crs) is None:
        raise InputError(
            f"{unequal[0]} by cells of {crs_name(grid.crs)} favours the poles: their areas differ from row to row",
            hint='Take weights="area" to weigh by the area of cells, or weights="cells" to take them all alike.',
        )
    if unequal and is_uneven(grid.crs, grid.bounds):
        warn_of_unequal_cells(grid.crs, apart())


class ZonalOperator:
    """Polygons measured on a grid once: row spans of whole cells, and edge cells with their exact share.

    Parameters
    ----------
    polygons
        GeoDataFrame, GeoSeries, array of shapely polygons, or Polygons, valid. From another CRS they are brought into the grid's, with more
        vertices where edges bend: what is straight there lies at most 0.001 of a cell beside its image. In a geographic CRS they are also moved by whole turns, to 0..360 and
        over the antimeridian.
    grid
        The rasters' grid: ``Grid.like(raster)``. In a geographic CRS a share is one of a square of degrees, of a cell that reaches beyond a pole one of its part on the earth, of which polygons end at the pole, too.
    coverage
        ``exact``: each polygon has its exact share of every cell, whatever lies over it. ``centre``: a cell belongs to the
        polygon that covers its centre, the later row where several do, as in ``rasterize``.

    Raises
    ------
    InputError
        If a polygon has no place in the grid's CRS, encloses a pole there, crosses or covers itself, or covers more than 2^31 cells.

    Notes
    -----
    Memory follows the length of the borders, not the number of cells: 12 bytes a span, 16 an edge cell.
    """

    def __init__(self, polygons: PolygonsLike, grid: Grid, *, coverage: Coverage = "exact") -> None:
        if coverage not in ("exact", "centre"):
            raise InputError(f"there is no coverage {coverage!r}", hint="Take exact or centre.")
        require_grid(grid)
        given = Polygons.of(polygons)
        prepared, times = brought(given, grid)
        require_reach(prepared, grid.bounds, grid.crs, given.crs)
        measure = exact_shares if coverage == "exact" else centre_shares
        self._set(grid, coverage, prepared.ids, measure(prepared, grid, times))

    def _set(self, grid: Grid, coverage: str, ids: NDArray[Any] | None, shares: Shares) -> None:
        self.grid = grid
        self.coverage = coverage
        self.ids = None if ids is None else id_values(ids)
        self._measured = Measured.of(shares)

    @property
    def shares(self) -> Shares:
        """Spans of whole cells and edge cells of each polygon."""
        return self._measured.shares

    def __len__(self) -> int:
        return len(self._measured)

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
        write_operator(path_to_write(path), (self.grid, self.coverage, self.ids, self.shares))

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
        classes: ArrayLike | None = None,
    ) -> xr.Dataset:
        """Make statistics of a raster per polygon, with shares of cells as weights.

        Parameters
        ----------
        raster : real or integer [..., y, x]
            DataArray, Dataset, or path of a GeoTIFF, a NetCDF file or a Zarr store, on the operator's grid, rows from the north or from the south; or an array [..., y, x] whose
            rows run from the north. Any other dimension (time, band) stays. NaN, masked cells and cells of a nodata value that the raster declares
            are unknown and count as nothing.
        stats
            Names out of ``count`` (sum of shares of known cells), ``sum``, ``mean``, ``min``, ``max``, ``std``, ``variance`` (of the population) and
            ``valid_fraction`` (known share of the polygon's area, on the grid or off it); and, of all values, ``median``, ``quantile_25`` and the like (percent),
            ``majority``, ``minority``, ``variety`` (number of different values) and ``fractions`` (share of each class of the known area). Quantiles hold all different values of a polygon.
        weights : real [y, x], or ``"area"`` or ``"cells"``, optional
            Of the same cells, none negative: sum, mean, std, variance, quantiles, majority, minority and fractions take share times weight instead of
            the share; values without weight have no part in them. A known cell whose weight is unknown makes them NaN. ``"area"`` weighs by the
            area of cells in m2, ``"cells"`` all alike, which is the default, and has to be said where cells differ in area.
        classes : [class], optional
            Values that ``fractions`` are wanted of. Default: all that occur in a raster [y, x] in memory.

        Returns
        -------
        xarray.Dataset [..., label]
            A variable for each statistic (fractions along ``class``, too), of a Dataset ``VARIABLE_STATISTIC``; coordinates label = 1..n, id where known and those of the
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
        Where the plane shows areas off by more than 2 %, as web Mercator does, ``"area"`` warns, and so does a mean without weights where cells of one polygon differ by as much.
        A polygon without a known cell has count and sum 0, and NaN for the rest. Sums of whole cells are exact before they are rounded to float64.
        """
        wanted = known_stats(stats)
        warn_of_small_quantiles(wanted)
        self._require_weights(wanted, weights)
        return self._apply(raster, wanted, weights, classes)

    def _apply(
        self, raster: Any, wanted: tuple[str, ...], weights: Any, classes: ArrayLike | None
    ) -> xr.Dataset:
        """Make statistics, when it is known that the weights are such as they ask for."""
        raster = opened(raster)
        if not (isinstance(weights, str) and weights in _NAMED_WEIGHTS):
            weights = opened(weights)
        if isinstance(raster, xr.Dataset):
            rasters = rasters_in(with_mappings(raster), None)
            if "fractions" in wanted and classes is None and len(rasters) > 1:
                raise _classes_unknown("differs from variable to variable")
            tables = each_layer(rasters, lambda each: self._apply(each, wanted, weights, classes))
            return merged_tables(tables, wanted)
        unknown = Unknown.of(raster)
        warn_of_zeros(raster, wanted)
        warn_of_zeros(weights, ("weights",))
        stack, _ = y_and_x_last(raster, None)
        leads = max(stack.ndim - 2, 0)
        numbers = len(self) * len(wanted) * math.prod(stack.shape[:leads])
        require_room(_BYTES_PER_NUMBER * numbers, f"{numbers:,} statistics", "Take fewer at once.")
        weighed = self._weights(weights, stack[(0,) * leads] if leads else stack)
        later = is_lazy(stack) or (weighed is not None and is_lazy(weighed))
        own = None if classes is None else classes_as(classes, stack.dtype)
        if "fractions" in wanted and own is None:
            if later:
                raise _classes_unknown("is not known before they are read")
            if math.prod(stack.shape[:leads]) > 1:
                raise _classes_unknown("may differ from layer to layer")
        factors = self._factors(weights)
        named = weights is None or isinstance(weights, str)
        recipe = Recipe(
            wanted,
            unknown,
            unweighed=Unknown.of(weighed),
            weighted=weighed is not None,
            by_raster=not named,
            factors=factors,
            classes=own,
        )
        shared = share_blocks(stack, leads)
        stack = with_own_blocks(stack) if shared else stack
        each = functools.partial(
            self._tables, recipe=recipe, weights=weighed, later=later, shared=shared
        )
        return self._dataset(raster, stack, leads, stacked_tables(stack, leads, each), weights)

    def _dataset(
        self, raster: Any, stack: Any, leads: int, tables: dict[str, Any], weights: Any
    ) -> xr.Dataset:
        kept = kept_dimensions(stack, leads)
        coords = {**kept_coordinates(stack, kept), "label": label_coordinate(len(self))}
        if "class" in tables:
            if "class" in kept:
                raise InputError(
                    "a dimension of the values is called 'class', as that of the fractions is",
                    hint="Rename it: raster.rename(...).",
                )
            # Of every band the same, where there are bands.
            values = tables.pop("class").astype(stack.dtype)
            own = values[(0,) * (values.ndim - 1)]
            if own.dtype == np.float16:  # of which pandas makes no index
                own = own.astype(np.float32)
            coords["class"] = ("class", own, {"long_name": described(raster)})
        found = xr.Dataset(
            {
                stat: (
                    (*kept, "label", "class") if stat == "fractions" else (*kept, "label"),
                    values,
                    attributes_of(stat, raster, weights),
                )
                for stat, values in tables.items()
            },
            coords=coords,
        )
        if self.ids is None:
            return found
        return found.assign_coords(id=("label", self.ids, {"long_name": "id"}))

    def _require_weights(self, stats: Sequence[str], weights: Any) -> None:
        known = weights in _NAMED_WEIGHTS if isinstance(weights, str) else True
        if not (known or is_address(weights) or Path(weights).exists()):
            raise InputError(
                f"there are no weights {weights!r}",
                hint="Take area, cells, or a raster or its path.",
            )
        if weights is None:
            require_equal_cells(self.grid, stats, lambda: self._cells_apart)
        if (
            isinstance(weights, str)
            and weights == "area"
            and is_off(self.grid.crs, self.grid.bounds)
        ):
            bounds = self._bounds()
            warn_of_areas(
                self.grid.crs, (*np.fmin.reduce(bounds[:, :2]), *np.fmax.reduce(bounds[:, 2:]))
            )

    @functools.cached_property
    def _cells_apart(self) -> float:
        return cells_apart(self.grid.crs, self._bounds())

    def _bounds(self) -> NDArray[np.float64]:
        """Return the bounds of the cells of each polygon; NaN where it has none."""
        top, left, bottom, right = self._measured.extents.T
        west, _, _, north = self.grid.bounds
        columns, rows = np.stack([left, right]), np.stack([bottom, top])
        x, y = west + columns * self.grid.resolution, north - rows * self.grid.resolution
        found = np.stack([x[0], y[0], x[1], y[1]], axis=1)
        found[bottom == 0] = np.nan
        return found

    def _weights(self, weights: Any, raster: Any) -> Any:
        """Return weights [y, x] as they lie on the grid; None for none."""
        if weights is None or isinstance(weights, str):
            if weights != "area":
                return None
            areas = np.ascontiguousarray(self.grid.areas_of_rows())
            return np.broadcast_to(areas[:, None], self.grid.shape)
        if isinstance(weights, xr.Dataset):
            require_raster(weights)
        require_same_way(raster, weights)
        return read_once(on_grid(y_and_x_last(weights, None)[0], self.grid))

    def _factors(self, weights: Any) -> NDArray[np.float64]:
        """Return what cells of each row weigh, at most 1."""
        if isinstance(weights, str) and weights == "area":
            areas = self.grid.areas_of_rows()
            return np.asarray(areas / areas.max(), np.float64)
        return np.ones(self.grid.shape[0])

    def _tables(
        self, plane: Any, *, recipe: Recipe, weights: Any, later: bool, shared: bool
    ) -> dict[str, Any]:
        plane = on_grid(plane, self.grid)
        arrays = [inside(plane)]
        if weights is not None:
            arrays.append(inside(weights))
        whole = self._whole(recipe.stats, arrays[0].dtype, weights is not None)
        block = functools.partial(block_tables, recipe)
        finish = functools.partial(finished, recipe, whole)
        if later or any(map(is_chunked, arrays)):
            touched = functools.partial(blocks_touched, self.shares)
            made = reduce_touched(
                *(block, merged, finish, touched, *arrays), shared=shared, measured=self._measured
            )
            kinds = kinds_of(recipe.stats, whole)
            if recipe.classes is None:
                return rows_later(made, kinds, len(self))
            found = rows_later(made, kinds, len(self), {"fractions": recipe.classes.size})
            return found | {"class": recipe.classes} if "fractions" in kinds else found
        return statistics_of_plane(recipe, whole, arrays, self._measured)

    def _whole(
        self, stats: tuple[str, ...], dtype: np.dtype[Any], weighted: bool
    ) -> tuple[str, ...]:
        """Return which statistics are whole numbers: what is counted and summed where every share is 1."""
        sums = dtype.kind in "biu" and not weighted
        may = {"count", "sum"} if sums else {"count"}
        return tuple(stat for stat in stats if self.coverage == "centre" and stat in may)


def _classes_unknown(why: str) -> InputError:
    return InputError(
        f"which classes there are {why}",
        hint="Name those whose fractions are wanted: classes=[...].",
    )
