"""The fine raster's geometry: a frozen grid of square cells."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from affine import Affine

from carbongrid.errors import InputError
from carbongrid.opening.crs import crs_of

if TYPE_CHECKING:
    import geopandas as gpd
    import xarray as xr
    from numpy.typing import NDArray

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, init=False)
class Grid:
    """A north-up raster of square cells; cell (row 0, column 0) is the north-west corner.

    Parameters
    ----------
    crs
        Projected coordinate reference system, anything that pyproj reads.
    resolution
        Side of a cell, in units of the CRS (m).
    bounds
        (west, south, east, north) that the grid has to cover.
    snap
        Edges are moved outward to multiples of this length, a whole multiple of the
        resolution; default the resolution.

    Raises
    ------
    InputError
        If the resolution is not positive, the bounds are empty or not finite, or snap is
        not a whole multiple of the resolution.
    """

    crs: str
    resolution: float
    bounds: Bounds
    shape: tuple[int, int]

    def __init__(
        self, crs: Any, resolution: float, bounds: Bounds, *, snap: float | None = None
    ) -> None:
        step = resolution if snap is None else snap
        _check(resolution, bounds, step)
        west, south, east, north = (float(value) for value in bounds)
        left, bottom = math.floor(west / step) * float(step), math.floor(south / step) * float(step)
        right, top = math.ceil(east / step) * float(step), math.ceil(north / step) * float(step)
        if right == left:
            right = left + step
        if top == bottom:
            top = bottom + step
        self._set(crs, resolution, (left, bottom, right, top))

    def _set(self, crs: Any, resolution: float, bounds: Bounds) -> None:
        left, bottom, right, top = bounds
        rows, columns = round((top - bottom) / resolution), round((right - left) / resolution)
        object.__setattr__(self, "crs", _crs_text(crs))
        object.__setattr__(self, "resolution", float(resolution))
        object.__setattr__(self, "bounds", bounds)
        object.__setattr__(self, "shape", (rows, columns))

    @classmethod
    def around(
        cls,
        polygons: gpd.GeoDataFrame | gpd.GeoSeries,
        resolution: float,
        *,
        snap: float | None = None,
    ) -> Grid:
        """Return the smallest grid of this resolution that covers the polygons, in their CRS."""
        if polygons.crs is None:
            raise InputError(
                "the polygons have no CRS", way_out="Set it with polygons.set_crs(...)."
            )
        west, south, east, north = polygons.total_bounds
        return cls(polygons.crs, resolution, (west, south, east, north), snap=snap)

    @classmethod
    def like(cls, raster: xr.DataArray) -> Grid:
        """Return a raster's own grid, unsnapped.

        Raises
        ------
        InputError
            If the raster has no CRS, or its cells are not square and north-up.
        """
        import rioxarray  # noqa: F401  (registers .rio)

        transform = raster.rio.transform()
        square = math.isclose(transform.a, -transform.e, rel_tol=1e-9)
        if raster.rio.crs is None or transform.b or transform.d or transform.a <= 0 or not square:
            raise InputError(
                "the raster has no CRS, or its cells are not square and north-up",
                way_out="Reproject it first, for example with rioxarray's reproject.",
            )
        grid = cls.__new__(cls)
        height, width = raster.rio.height, raster.rio.width
        left, top = transform.c, transform.f
        bounds = (left, top - height * transform.a, left + width * transform.a, top)
        grid._set(raster.rio.crs, transform.a, bounds)
        return grid

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
        """Area of a cell in m2."""
        return self.resolution * self.resolution

    def coarsen(self, resolution: float) -> Grid:
        """Return the grid of the same bounds with larger cells.

        Raises
        ------
        InputError
            If the bounds are not whole multiples of the new resolution apart.
        """
        west, south, east, north = self.bounds
        for length in (east - west, north - south):
            if not math.isclose(length / resolution, round(length / resolution), abs_tol=1e-9):
                raise InputError(
                    f"cells of {resolution:g} m do not divide this grid's {length:g} m",
                    way_out="Make the grid with snap= the coarse cell.",
                )
        grid = Grid.__new__(Grid)
        grid._set(self.crs, resolution, self.bounds)
        return grid


def _crs_text(crs: Any) -> str:
    parsed = crs_of(crs)
    authority = parsed.to_authority(min_confidence=100)
    return ":".join(authority) if authority else parsed.to_wkt()


def _check(resolution: float, bounds: Bounds, snap: float) -> None:
    if not (math.isfinite(resolution) and resolution > 0):
        raise InputError(f"resolution must be a positive length, not {resolution!r}")
    west, south, east, north = bounds
    if not all(map(math.isfinite, bounds)) or east < west or north < south:
        raise InputError(f"bounds must be finite (west, south, east, north), not {bounds!r}")
    if snap <= 0 or not math.isclose(snap / resolution, round(snap / resolution), rel_tol=1e-12):
        raise InputError(
            f"snap ({snap:g}) is not a whole multiple of the resolution ({resolution:g})"
        )
