"""Polygons as ragged coordinate arrays: prepared once, sliced by tile, cheap to send to a worker."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS

from carbongrid.errors import InputError
from carbongrid.kernels import rings
from carbongrid.kernels.jit import sealed
from carbongrid.kernels.scanline import Starts

if TYPE_CHECKING:
    import geopandas as gpd

    from carbongrid.grid import Grid


type PolygonsLike = Polygons | gpd.GeoDataFrame | gpd.GeoSeries | NDArray[np.object_]

_POLYGON, _MULTIPOLYGON = int(shapely.GeometryType.POLYGON), int(shapely.GeometryType.MULTIPOLYGON)


class Tiles(NamedTuple):
    """Which polygons may touch which tile.

    Tile t = tile_row * columns + tile_column is touched by rows[start[t]:start[t + 1]], in row order.
    """

    size: int
    shape: tuple[int, int]
    start: NDArray[np.int64]
    rows: NDArray[np.int64]

    def touching(self, tile: int) -> NDArray[np.int64]:
        """Return the rows of the polygons whose bounds meet the tile."""
        return self.rows[self.start[tile] : self.start[tile + 1]]


@dataclass(frozen=True, eq=False)
class Polygons:
    """A set of polygons, frozen; row i bears label i + 1.

    Parameters
    ----------
    x, y : float64 arrays of shape (vertices,)
        Coordinates, ring after ring, every ring closed and clockwise as GDAL decides it.
    ring_start : int64 array of shape (rings + 1,)
        Ring r holds vertices ring_start[r]:ring_start[r + 1].
    part_start : int64 array of shape (parts + 1,)
        Part p holds rings part_start[p]:part_start[p + 1]: its shell, then its holes.
    row_start : int64 array of shape (rows + 1,)
        Polygon i holds parts row_start[i]:row_start[i + 1]; none, where it is missing or empty.
    bounds : float64 array of shape (rows, 4)
        West, south, east, north; NaN for a polygon without parts.
    crs
        Coordinate reference system as text, or None where nobody named one.
    ids : object array of shape (rows,)
        Ids as they came, or None.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    ring_start: NDArray[np.int64]
    part_start: NDArray[np.int64]
    row_start: NDArray[np.int64]
    bounds: NDArray[np.float64]
    crs: str | None = None
    ids: NDArray[np.object_] | None = None

    def __post_init__(self) -> None:
        for name in ("x", "y", "bounds"):
            object.__setattr__(self, name, sealed(getattr(self, name), np.float64))
        for name in ("ring_start", "part_start", "row_start"):
            object.__setattr__(self, name, sealed(getattr(self, name), np.int64))

    @classmethod
    def of(cls, polygons: PolygonsLike, crs: Any = None) -> Polygons:
        """Return the polygons of a GeoDataFrame, a GeoSeries or an array of shapely geometries.

        Missing and empty geometries stay as rows without parts. Z and M are dropped.

        Parameters
        ----------
        polygons
            GeoDataFrame (ids from its column ``id``, else its index), GeoSeries (ids from its index), array of
            shapely polygons and multipolygons, or Polygons, which come back as they are.
        crs
            CRS of an array; a GeoDataFrame knows its own.

        Raises
        ------
        InputError
            If a geometry is neither polygon nor multipolygon, or a coordinate is not finite; ten rows are named.
        """
        if isinstance(polygons, Polygons):
            return polygons
        geometries = np.asarray(getattr(polygons, "geometry", polygons), dtype=object)
        crs = getattr(polygons, "crs", None) or crs
        x, y, starts = _ragged(geometries)
        turn = rings.clockwise(sealed(x, np.float64), sealed(y, np.float64), starts[0])
        x, y = (rings.turned(sealed(values, np.float64), starts[0], turn) for values in (x, y))
        return cls(x, y, *starts, _bounds(x, y, starts), _crs_text(crs), _ids(polygons))

    def __len__(self) -> int:
        return self.row_start.size - 1

    def __reduce__(self) -> tuple[type[Polygons], tuple[Any, ...]]:
        # Through the constructor, so that a worker's copy is read-only too and its kernels are compiled once.
        starts = (self.ring_start, self.part_start, self.row_start)
        return type(self), (self.x, self.y, *starts, self.bounds, self.crs, self.ids)

    def __dask_tokenize__(self) -> tuple[str, str]:
        return type(self).__name__, self.content_hash

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of coordinates, structure, CRS and ids."""
        digest = hashlib.sha256()
        for array in (self.row_start, self.part_start, self.ring_start, self.x, self.y):
            digest.update(array.size.to_bytes(8, "little"))
            digest.update(array.data)
        digest.update(repr((self.crs, None if self.ids is None else self.ids.tolist())).encode())
        return digest.hexdigest()

    def take(self, rows: ArrayLike) -> Polygons:
        """Return the polygons of these rows, in this order."""
        rows = np.asarray(rows, dtype=np.int64)
        row_start, parts = _gathered(self.row_start, rows)
        part_start, ring_numbers = _gathered(self.part_start, parts)
        ring_start, vertices = _gathered(self.ring_start, ring_numbers)
        ids = None if self.ids is None else self.ids[rows]
        return Polygons(
            self.x[vertices],
            self.y[vertices],
            ring_start,
            part_start,
            row_start,
            self.bounds[rows],
            self.crs,
            ids,
        )

    def geometries(self, rows: ArrayLike | None = None) -> NDArray[np.object_]:
        """Return shapely multipolygons, all or those of the given rows; None for a row without parts."""
        chosen = self if rows is None else self.take(rows)
        result = np.full(len(chosen), None, dtype=object)
        full = np.flatnonzero(np.diff(chosen.row_start))
        if full.size:
            # Rows without parts share their start with the next row, so leaving them out leaves valid offsets.
            offsets = (
                chosen.ring_start,
                chosen.part_start,
                np.append(chosen.row_start[full], chosen.row_start[-1]),
            )
            vertices = np.column_stack([chosen.x, chosen.y])
            result[full] = shapely.from_ragged_array(
                shapely.GeometryType.MULTIPOLYGON, vertices, offsets
            )
        return result

    def tiles(self, grid: Grid, size: int) -> Tiles:
        """Return which polygons may touch which tile of size x size cells, by their bounds.

        Bounds are widened by a cell, so rounding loses none; tiles are numbered row by row from the north-west.
        """
        shape = (-(-grid.shape[0] // size), -(-grid.shape[1] // size))
        west, _, _, north = grid.bounds
        left, right = (np.floor((self.bounds[:, side] - west) / grid.resolution) for side in (0, 2))
        top, bottom = (
            np.floor((north - self.bounds[:, side]) / grid.resolution) for side in (3, 1)
        )
        seen = (right >= -1) & (left <= grid.shape[1]) & (bottom >= -1) & (top <= grid.shape[0])
        rows = np.flatnonzero(seen)
        first_row, last_row = _tile_range(top[rows], bottom[rows], size, shape[0])
        first_column, last_column = _tile_range(left[rows], right[rows], size, shape[1])
        wide, high = last_column - first_column + 1, last_row - first_row + 1
        pair = np.repeat(np.arange(rows.size), wide * high)
        place = _counting(wide * high)
        tile = (
            (first_row[pair] + place // wide[pair]) * shape[1]
            + first_column[pair]
            + place % wide[pair]
        )
        order = np.argsort(tile, kind="stable")
        start = np.searchsorted(tile[order], np.arange(shape[0] * shape[1] + 1))
        return Tiles(size, shape, start.astype(np.int64), rows[pair[order]])


def require_same_crs(polygons: Polygons, crs: str | None) -> None:
    """Raise unless the polygons are in this CRS; nothing is reprojected behind the user's back.

    Raises
    ------
    InputError
        If both CRS are known and differ.
    """
    if polygons.crs is None or crs is None or polygons.crs == crs:
        return
    if CRS.from_user_input(polygons.crs) != CRS.from_user_input(crs):
        raise InputError(
            f"the polygons are in {_name(polygons.crs)}, the grid in {_name(crs)}",
            way_out="Reproject them first with to_crs(grid.crs).",
        )


def _name(crs: str) -> str:
    return str(CRS.from_user_input(crs).name)


def _crs_text(crs: Any) -> str | None:
    if crs is None:
        return None
    parsed = CRS.from_user_input(crs)
    authority = parsed.to_authority(min_confidence=100)
    return ":".join(authority) if authority else str(parsed.to_wkt())


def _ids(polygons: Any) -> NDArray[np.object_] | None:
    index = getattr(polygons, "index", None)
    if index is None:
        return None
    column = polygons["id"] if "id" in getattr(polygons, "columns", ()) else index
    return np.asarray(column, dtype=object)


def _ragged(
    geometries: NDArray[np.object_],
) -> tuple[NDArray[np.float64], NDArray[np.float64], Starts]:
    """Coordinates and the starts of rings, parts and rows, without empty parts."""
    if geometries.ndim != 1:
        raise InputError(f"polygons must be one row of geometries, not of shape {geometries.shape}")
    kinds = shapely.get_type_id(geometries)
    missing = kinds == -1
    odd = np.flatnonzero(~missing & (kinds != _POLYGON) & (kinds != _MULTIPOLYGON))
    if odd.size:
        name = shapely.GeometryType(kinds[odd[0]]).name
        raise InputError(
            f"{odd.size} geometries are not polygons ({name} ...), rows {odd[:10].tolist()}",
            way_out="Leave them out, or take their polygons only.",
        )
    parts, part_row = shapely.get_parts(geometries, return_index=True)
    full = ~shapely.is_empty(parts)
    parts, part_row = parts[full], part_row[full]
    if parts.size:
        _, vertices, (ring_start, part_start) = shapely.to_ragged_array(
            parts, include_z=False, include_m=False
        )
    else:
        vertices, ring_start, part_start = np.empty((0, 2)), np.zeros(1, int), np.zeros(1, int)
    row_start = np.searchsorted(part_row, np.arange(geometries.size + 1))
    starts = (
        sealed(ring_start, np.int64),
        sealed(part_start, np.int64),
        sealed(row_start, np.int64),
    )
    wrong = np.flatnonzero(~np.isfinite(vertices).all(axis=1))
    if wrong.size:
        part = (
            np.searchsorted(part_start, np.searchsorted(ring_start, wrong, "right") - 1, "right")
            - 1
        )
        rows = np.unique(part_row[part])[:10].tolist()
        raise InputError(
            f"coordinates are NaN or infinite in rows {rows}", way_out="Repair the geometry."
        )
    return vertices[:, 0], vertices[:, 1], starts


def _bounds(x: NDArray[np.float64], y: NDArray[np.float64], starts: Starts) -> NDArray[np.float64]:
    """Return west, south, east, north of all rings: of an invalid polygon, holes may lie outside of their shell."""
    ring_start, part_start, row_start = starts
    bounds = np.full((row_start.size - 1, 4), np.nan)
    full = np.flatnonzero(np.diff(row_start))
    if full.size:
        # Rows without parts have no vertices, so each slice ends where the next full row begins.
        first = ring_start[part_start[row_start[full]]]
        sides = [
            function.reduceat(values, first)
            for function in (np.minimum, np.maximum)
            for values in (x, y)
        ]
        bounds[full] = np.column_stack(sides)
    return bounds


def _counting(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, 1, ... anew for each length, all in one row."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if ends.size else 0
    return np.arange(total) - np.repeat(ends - lengths, lengths)


def _gathered(
    start: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return new starts of the chosen rows, and the numbers of what they hold."""
    lengths = start[rows + 1] - start[rows]
    inner = np.repeat(start[rows], lengths) + _counting(lengths)
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]), inner


def _tile_range(
    low: NDArray[np.float64], high: NDArray[np.float64], size: int, count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    first = np.clip((low - 1) // size, 0, count - 1).astype(np.int64)
    last = np.clip((high + 1) // size, 0, count - 1).astype(np.int64)
    return first, last
