"""The fine raster's geometry: a frozen grid of square cells."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine

from carbongrid.errors import InputError
from carbongrid.raster.areal_scale import warn_of_areas
from carbongrid.raster.crs_units import (
    areas_between,
    crs_name,
    crs_text,
    metres_per_unit,
    require_plane,
    unit_of,
)

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr
    from numpy.typing import NDArray
    from odc.geo.geobox import GeoBox

    from carbongrid.raster.polygons import Polygons

Bounds = tuple[float, float, float, float]

MAX_CELLS = 10**13
"""Ten times what a country takes (docs/scale.md): more is a slip in the resolution or in the bounds."""

_MAX_ON_A_SIDE = 2**31 - 1  # columns and rows are counted in 32 bits
# Beyond this many cells from the origin of the CRS, borders of cells are no longer told apart by float64.
_FURTHEST = 2**48
# What multiplying, dividing and rounding may put between a border and a place meant to be on it, in shares of its number.
_ROUNDING = 4 * sys.float_info.epsilon


@dataclass(frozen=True, init=False)
class Grid:
    """A north-up raster of square cells; cell (row 0, column 0) is the north-west corner.

    Parameters
    ----------
    crs
        Coordinate reference system, anything that pyproj reads. One in feet is as good as one in metres; in a geographic one
        cells are squares of degrees, whose areas differ from row to row (``cell_areas``).
    resolution
        Side of a cell, in units of the CRS.
    bounds
        (west, south, east, north) that the grid has to cover.
    snap
        Edges are moved outward to multiples of this length, a whole multiple of the
        resolution; default the resolution.

    Raises
    ------
    InputError
        If the resolution is not positive, the bounds are empty or not finite, snap is not a whole multiple of the
        resolution, or there would be more than 2^31 - 1 rows or columns or more than 10^13 cells.

    Notes
    -----
    Edges are counted in cells from the origin of the CRS, and the bounds are these whole numbers times the resolution. So a grid that
    is made again from its own bounds is the same one.
    """

    crs: str
    resolution: float
    bounds: Bounds
    shape: tuple[int, int]

    def __init__(
        self, crs: Any, resolution: float, bounds: Bounds, *, snap: float | None = None
    ) -> None:
        _check(resolution, bounds, resolution if snap is None else snap)
        side, cells = float(resolution), 1 if snap is None else round(snap / resolution)
        west, south, east, north = (float(value) for value in bounds)
        left, right = _snapped(west, east, side, cells)
        bottom, top = _snapped(south, north, side, cells)
        edges = (left * side, bottom * side, right * side, top * side)
        from pyproj.exceptions import CRSError

        try:
            name = crs_text(crs)
        except CRSError as error:
            what = f"the CRS cannot be read: {' '.join(str(error).split())[:200]}"
            raise InputError(what, hint="Name it by a code, such as EPSG:3035.") from error
        self._set(name, side, edges, (top - bottom, right - left))

    def _set(self, crs: str, resolution: float, bounds: Bounds, shape: tuple[int, int]) -> None:
        rows, columns = shape
        if max(shape) > _MAX_ON_A_SIDE or rows * columns > MAX_CELLS:
            raise InputError(
                f"cells of {resolution:g} ({unit_of(crs)}) make a grid of {rows:,} x {columns:,}, more than can be worked on",
                hint="Take a coarser resolution, or smaller bounds.",
            )
        object.__setattr__(self, "crs", crs)
        object.__setattr__(self, "resolution", resolution)
        object.__setattr__(self, "bounds", bounds)
        object.__setattr__(self, "shape", shape)

    @classmethod
    def of_corner(
        cls, crs: str, resolution: float, corner: tuple[float, float], shape: tuple[int, int]
    ) -> Grid:
        """Return the grid of this shape whose north-west corner is at (x, y), wherever that is."""
        (west, north), (rows, columns), side = (
            map(float, corner),
            map(int, shape),
            float(resolution),
        )
        grid = cls.__new__(cls)
        bounds = (west, north - rows * side, west + columns * side, north)
        left, top = _number_at(west, side), _number_at(north, side)
        if left is not None and top is not None:
            bounds = (left * side, (top - rows) * side, (left + columns) * side, top * side)
        grid._set(crs, side, bounds, (rows, columns))
        return grid

    @classmethod
    def around(
        cls,
        polygons: gpd.GeoDataFrame | gpd.GeoSeries | Polygons,
        resolution: float,
        *,
        snap: float | None = None,
    ) -> Grid:
        """Return the smallest grid of this resolution that covers the polygons, in their CRS."""
        if polygons.crs is None:
            raise InputError("the polygons have no CRS", hint="Set it with polygons.set_crs(...).")
        west, south, east, north = polygons.total_bounds
        if np.isnan(west):
            raise InputError("the polygons are empty, so that no grid lies around them")
        return cls(polygons.crs, resolution, (west, south, east, north), snap=snap)

    @classmethod
    def like(cls, raster: xr.DataArray) -> Grid:
        """Return a raster's own grid, unsnapped, as its coordinates have it.

        Parameters
        ----------
        raster : [y, x]
            With coordinates of its cells' centres and a CRS. A geotransform beside them is only asked how large the cells of a
            single row or column are, and only if it is this raster's own: others are left over from before a selection.

        Raises
        ------
        InputError
            If the raster has no CRS, or its cells are not regular, square and north-up.
        """
        # Reading rasters takes xarray, which is slow to import.
        from carbongrid.raster.georeference import is_in_angles, named_by_its_file
        from carbongrid.raster.lattice import lattice_of

        with named_by_its_file(raster):
            lattice = lattice_of(raster)
            if lattice.crs is None:
                hint = 'Set it: import rioxarray; raster = raster.rio.write_crs("EPSG:...").'
                if is_in_angles(raster):
                    hint = 'Its coordinates are longitudes and latitudes; if they are of WGS 84: import rioxarray; raster = raster.rio.write_crs("EPSG:4326"). Of a file, open it with xarray first.'
                raise InputError("the raster has no CRS", hint=hint)
            lattice.require_square()
        return cls.of_corner(
            lattice.crs, lattice.width, (lattice.west, lattice.north), lattice.shape
        )

    @classmethod
    def from_geobox(cls, geobox: GeoBox) -> Grid:
        """Return the grid of an odc-geo GeoBox, where it lies, unsnapped.

        Parameters
        ----------
        geobox
            ``odc.geo.geobox.GeoBox``: north-up and square cells, with a CRS.

        Raises
        ------
        InputError
            If it has no CRS, is turned, upside down or has cells that are not square.
        """
        from carbongrid.raster.lattice import Lattice

        affine, crs = getattr(geobox, "affine", None), getattr(geobox, "crs", None)
        if not isinstance(affine, Affine):
            raise InputError(
                f"a GeoBox is wanted, not {type(geobox).__name__}",
                hint="odc-geo makes one of a raster: raster.odc.geobox.",
            )
        if crs is None:
            raise InputError("the GeoBox has no CRS", hint='Set it: geobox.assign_crs("EPSG:...").')
        if affine.b or affine.d or not (affine.a > 0 > affine.e):
            raise InputError(
                "the GeoBox's rows do not run from the north, or its columns from the west",
                hint="Reproject or flip the raster first; cells of a Grid are squares, north-up.",
            )
        rows, columns = geobox.shape
        name, shape = crs_text(crs.to_wkt()), (int(rows), int(columns))
        Lattice(name, affine.c, affine.f, affine.a, -affine.e, shape).require_square()
        return cls.of_corner(name, affine.a, (affine.c, affine.f), shape)

    def to_geobox(self) -> GeoBox:
        """Return the grid as a GeoBox, for odc-geo, odc-stac and datacube.

        Raises
        ------
        InputError
            If odc-geo is not installed.
        """
        try:
            from odc.geo.geobox import GeoBox
        except ImportError as error:
            raise InputError(
                "a GeoBox needs the package odc-geo, which is not installed",
                hint="Install it: pip install odc-geo.",
            ) from error
        return GeoBox(self.shape, self.transform, self.crs)

    def window(self, corner: tuple[int, int], shape: tuple[int, int]) -> Grid:
        """Return the part of this shape whose first cell is at (row, column)."""
        (row, column), side = corner, self.resolution
        west, _, _, north = self.bounds
        return self.of_corner(self.crs, side, (west + column * side, north - row * side), shape)

    @property
    def transform(self) -> Affine:
        """Affine transform from (column, row) to (x, y)."""
        west, _, _, north = self.bounds
        return Affine(self.resolution, 0.0, west, 0.0, -self.resolution, north)

    @property
    def x(self) -> NDArray[np.float64]:
        """Cell centres, west to east, shape (columns,)."""
        centre = np.arange(self.shape[1], dtype=np.float64) + 0.5
        return np.asarray(self.bounds[0] + centre * self.resolution, np.float64)

    @property
    def y(self) -> NDArray[np.float64]:
        """Cell centres, north to south, shape (rows,)."""
        centre = np.arange(self.shape[0], dtype=np.float64) + 0.5
        return np.asarray(self.bounds[3] - centre * self.resolution, np.float64)

    @property
    def cell_area(self) -> float:
        """Area of a cell in m2 in the plane, whatever the CRS's unit of length.

        Warns where true areas on the grid are others by more than 2 %.

        Raises
        ------
        InputError
            If the CRS is geographic: the areas of its cells differ from row to row.
        """
        metres = metres_per_unit(self.crs)
        if metres is None:
            raise InputError(
                f"cells in {crs_name(self.crs)} are squares of degrees, whose areas differ from row to row",
                hint="Take cell_areas, an area for each row, or a projected CRS.",
            )
        warn_of_areas(self.crs, self.bounds)
        return self.area_in_plane

    @property
    def area_in_plane(self) -> float:
        """``cell_area`` without a word: of a run's own grid the case says how far areas are off."""
        return (self.resolution * require_plane(self.crs, "an area of all cells")) ** 2

    @property
    def cell_areas(self) -> NDArray[np.float64]:
        """Area of the cells of each row in m2, from the north, shape (rows,); in a geographic CRS that on the ellipsoid.

        Warns as ``cell_area``.
        """
        warn_of_areas(self.crs, self.bounds)
        return self.areas_of_rows()

    def areas_of_rows(self) -> NDArray[np.float64]:
        """Return ``cell_areas`` without a word."""
        rows = self.shape[0]
        if metres_per_unit(self.crs) is not None:
            return np.full(rows, self.area_in_plane)
        below = np.arange(rows + 1, dtype=np.float64) * self.resolution
        parallels = np.asarray(self.bounds[3] - below, np.float64)
        return areas_between(self.crs, parallels, self.resolution)

    def coarsen(self, resolution: float) -> Grid:
        """Return the grid of the same bounds with larger cells.

        Raises
        ------
        InputError
            If the bounds are not whole multiples of the new resolution apart.
        """
        shape = []
        for cells in self.shape:
            times = cells * self.resolution / resolution if resolution > 0 else 0.0
            if round(times) < 1 or not math.isclose(times, round(times), rel_tol=1e-12):
                length = cells * self.resolution
                raise InputError(
                    f"cells of {resolution:g} do not divide this grid's {length:g} ({unit_of(self.crs)})",
                    hint="Make the grid with snap= the coarse cell.",
                )
            shape.append(round(times))
        grid = Grid.__new__(Grid)
        grid._set(self.crs, float(resolution), self.bounds, (shape[0], shape[1]))
        return grid


def require_grid(grid: Any) -> None:
    """Raise unless this is a grid.

    Raises
    ------
    InputError
        If it is something else, as a raster that has one.
    """
    if not isinstance(grid, Grid):
        raise InputError(
            f"a Grid is wanted, not {type(grid).__name__}",
            hint="Take cg.Grid.like(raster) of a raster, or cg.Grid(crs, resolution, bounds).",
        )


def _snapped(low: float, high: float, side: float, cells: int) -> tuple[int, int]:
    """Return the borders around an interval, whole multiples of so many cells; at least one such multiple apart."""
    first = _border(low, side, math.floor) // cells * cells
    last = -(-_border(high, side, math.ceil) // cells) * cells
    return first, max(last, first + cells)


def _border(place: float, side: float, outward: Callable[[float], int]) -> int:
    """Return the number of the border of cells at a place, or of the next one outward where there is none."""
    number = _number_at(place, side)
    return outward(place / side) if number is None else number


def _number_at(place: float, side: float) -> int | None:
    """Return the number of the border of cells at a place, counted from the origin; None where there is none."""
    number = place / side
    nearest = round(number)
    return nearest if abs(number - nearest) <= _ROUNDING * abs(number) else None


def _check(resolution: float, bounds: Bounds, snap: float) -> None:
    try:
        positive = math.isfinite(resolution) and resolution > 0
    except TypeError:
        positive = False
    if not positive:
        hint = "Cells are square: one length is both sides." if np.ndim(resolution) else ""
        raise InputError(f"resolution must be a positive length, not {resolution!r}", hint=hint)
    try:
        west, south, east, north = bounds
        ordered = all(map(math.isfinite, bounds)) and east >= west and north >= south
    except (TypeError, ValueError):
        ordered = False
    if not ordered:
        # A table of polygons is shown by its type, not row by row.
        told = repr(bounds) if isinstance(bounds, tuple | list) else type(bounds).__name__
        raise InputError(
            f"bounds must be finite (west, south, east, north), not {told}",
            hint="Of polygons: Grid.around(polygons, resolution), or polygons.total_bounds.",
        )
    possible = snap > 0 and snap / resolution < _FURTHEST
    if not possible or not math.isclose(snap / resolution, round(snap / resolution), rel_tol=1e-12):
        raise InputError(
            f"snap ({snap:g}) is not a whole multiple of the resolution ({resolution:g})"
        )
    furthest = max(map(abs, bounds))
    if furthest / resolution > _FURTHEST:
        raise InputError(
            f"cells of {resolution:g} are finer than coordinates of {furthest:g} can tell apart",
            hint="Take a coarser resolution.",
        )
