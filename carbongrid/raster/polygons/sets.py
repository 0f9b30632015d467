"""The set of polygons that the engine works on."""

from __future__ import annotations

import hashlib
import logging
import os
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from carbongrid.errors import InputError
from carbongrid.raster.crs_units import crs_name
from carbongrid.raster.kernels import excerpts, rings
from carbongrid.raster.kernels.jit import as_readonly_contiguous
from carbongrid.raster.kernels.scanline import Blocks, Starts
from carbongrid.raster.opening.crs import authority_code, crs_of, same_crs
from carbongrid.raster.opening.files import path_to_write
from carbongrid.raster.polygons import stored
from carbongrid.raster.polygons.entry import ragged, ragged_of_wkb, rows_not_finite
from carbongrid.raster.polygons.tiles import Tiles, tiles_of
from carbongrid.raster.row_blocks import each_block, row_blocks

if TYPE_CHECKING:
    import geopandas as gpd

    from carbongrid.raster.grid import Grid


logger = logging.getLogger(__name__)

type PolygonsLike = Polygons | gpd.GeoDataFrame | gpd.GeoSeries | NDArray[np.object_]

_LONG = 8 * stored.BLOCK
"""Edges of a ring from which its blocks are worth a look."""

MAX_PICKLE = 64 * 2**20
"""Bytes of polygons in memory that may be pickled."""


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
    place : int64 array of shape (rows,)
        Where ``row_start`` has each row, if the rows are stored in another order (``save``); else None.
    path
        The directory that the arrays are mapped from, or None.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    ring_start: NDArray[np.int64]
    part_start: NDArray[np.int64]
    row_start: NDArray[np.int64]
    bounds: NDArray[np.float64]
    crs: str | None = None
    ids: NDArray[np.object_] | None = None
    place: NDArray[np.int64] | None = None
    path: str | None = None

    def __post_init__(self) -> None:
        for name in ("x", "y", "bounds"):
            object.__setattr__(self, name, as_readonly_contiguous(getattr(self, name), np.float64))
        for name in ("ring_start", "part_start", "row_start"):
            object.__setattr__(self, name, as_readonly_contiguous(getattr(self, name), np.int64))

    @property
    def total_bounds(self) -> NDArray[np.float64]:
        """West, south, east, north of all polygons; NaN where there are none."""
        known = self.bounds[~np.isnan(self.bounds[:, 0])]
        if not known.size:
            return np.full(4, np.nan)
        return np.concatenate([known[:, :2].min(axis=0), known[:, 2:].max(axis=0)])

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
        _require_column(polygons)
        held = getattr(column_of(polygons), "outlines", None)
        if held is not None:  # a column that has them as they are taken here
            known = getattr(polygons, "crs", None) or crs
            of_column: Polygons = held.polygons
            return replace(of_column, crs=_crs_text(known), ids=_ids(polygons))
        geometries = np.asarray(getattr(polygons, "geometry", polygons), dtype=object)
        _require_shapes(geometries)
        crs = getattr(polygons, "crs", None) or crs
        blocks = row_blocks(geometries.size)
        if geometries.ndim == 1 and len(blocks) > 1:
            size = int(shapely.get_num_coordinates(geometries).sum())
            made = each_block(lambda rows: cls.entered(*ragged(geometries[rows]))[0], blocks)
            try:
                with closing(made) as parts:
                    return cls.joined(parts, size, crs, _ids(polygons))
            except InputError:
                logger.debug("taken apart at once, so that the message names the rows")
        return cls.entered(*ragged(geometries), crs, _ids(polygons))[0]

    @classmethod
    def of_wkb(cls, values: Any, crs: Any = None, ids: ArrayLike | None = None) -> Polygons:
        """Return polygons from well-known binary, without making a geometry of each.

        Parameters
        ----------
        values
            A column of Arrow binary (as GeoParquet has it, or pyogrio's Arrow stream), or an array of bytes;
            null is missing. Little-endian, ISO or extended; Z and M are dropped.
        crs
            Their CRS.
        ids
            One for each row.

        Raises
        ------
        InputError
            If a value is no polygon or multipolygon, is cut short, or has a ring that is not closed or not finite.
        """
        named = None if ids is None else np.asarray(ids, dtype=object)
        made, _ = cls.entered(*ragged_of_wkb(values), crs, named)
        if named is not None and named.size != len(made):
            raise InputError(f"there are {named.size} ids for {len(made)} polygons")
        return made

    @classmethod
    def of_rings(
        cls, points: NDArray[np.float64], starts: Starts, crs: str, ids: NDArray[np.object_] | None
    ) -> Polygons:
        """Return polygons of points (x, y) of rings in any direction, and where rings, parts and rows start."""
        ragged_starts = tuple(as_readonly_contiguous(each, np.int64) for each in starts)
        return cls.entered(
            points, (ragged_starts[0], ragged_starts[1], ragged_starts[2]), crs, ids
        )[0]

    @classmethod
    def entered(
        cls,
        points: NDArray[np.float64],
        starts: Starts,
        crs: Any = None,
        ids: NDArray[np.object_] | None = None,
    ) -> tuple[Polygons, NDArray[np.bool_]]:
        """Return polygons of points (x, y) of rings in any direction, and which rings ran the other way.

        Raises
        ------
        InputError
            If a coordinate is not finite, or too large.
        """
        x, y, backwards, odd = rings.clockwise(as_readonly_contiguous(points, np.float64), starts[0])  # fmt: skip
        if odd >= 0:
            raise InputError(
                f"coordinates are beyond {rings.LARGEST}, NaN or infinite in rows "
                f"{rows_not_finite(points, starts)}",
                hint="Repair the geometry.",
            )
        x, y = as_readonly_contiguous(x, np.float64), as_readonly_contiguous(y, np.float64)
        made = cls(x, y, *starts, rings.bounds(x, y, *starts), _crs_text(crs), ids)
        return made, backwards

    @classmethod
    def joined(
        cls,
        parts: Iterable[Polygons],
        vertices: int,
        crs: Any = None,
        ids: NDArray[np.object_] | None = None,
    ) -> Polygons:
        """Return the polygons of all parts, which have so many vertices at most; whoever makes the parts one by one holds their coordinates once."""
        x, y, done = np.empty(vertices), np.empty(vertices), 0
        starts: list[list[NDArray[np.int64]]] = [[np.zeros(1, np.int64)] for _ in range(3)]
        ends, bounds = [0, 0, 0], [np.empty((0, 4))]

        def placed() -> Iterator[tuple[slice, Polygons]]:
            nonlocal done
            for part in parts:
                yield slice(done, done + part.x.size), part
                done += part.x.size
                for level, new in enumerate((part.ring_start, part.part_start, part.row_start)):
                    starts[level].append(new[1:] + ends[level])
                    ends[level] += int(new[-1])
                bounds.append(part.bounds)

        def copied(place: tuple[slice, Polygons]) -> None:
            where, part = place
            x[where], y[where] = part.x, part.y

        # Memory that is touched for the first time takes longer than the copy.
        with closing(each_block(copied, placed())) as copies:
            deque(copies, maxlen=0)
        rings_of_all, of_parts, of_rows = (np.concatenate(each) for each in starts)
        whole = np.concatenate(bounds)
        return cls(x[:done], y[:done], rings_of_all, of_parts, of_rows, whole, _crs_text(crs), ids)

    def __len__(self) -> int:
        return self.row_start.size - 1

    def __reduce__(self) -> tuple[Any, ...]:
        if self.path is not None:
            return open_saved, (self.path, self.content_hash)
        if self.nbytes > MAX_PICKLE:
            raise InputError(
                f"polygons of {self.nbytes / 2**20:.0f} MB are too many to send to each worker",
                hint="Save them once with polygons.save(directory) where the workers can read, and use "
                "Polygons.open(directory), which travels as a path; or take only the rows that are needed.",
            )
        # Through the constructor, so that a worker's copy is read-only too and its kernels are compiled once.
        starts = (self.ring_start, self.part_start, self.row_start)
        return type(self), (self.x, self.y, *starts, self.bounds, self.crs, self.ids)

    @property
    def nbytes(self) -> int:
        """Bytes of all coordinates and their structure."""
        arrays = (self.x, self.y, self.ring_start, self.part_start, self.row_start, self.bounds)
        return sum(array.nbytes for array in arrays)

    def save(self, path: str | Path) -> None:
        """Write the polygons to a new directory, near ones beside each other, to be mapped by ``open``.

        Raises
        ------
        InputError
            If the path exists, or an id is neither text nor a whole number.
        """
        ids = None if self.ids is None else self.ids.tolist()
        path = path_to_write(path)
        stored.require_savable(path, ids)
        order = stored.order_by_place(self.bounds)
        place = np.empty(order.size, np.int64)
        place[order] = np.arange(order.size)
        near = self.take(order)
        block_start, boxes, _ = near.blocks
        starts = {name: getattr(near, name) for name in ("ring_start", "part_start", "row_start")}
        stored.save(
            path,
            {"x": near.x, "y": near.y, **starts}
            | {"bounds": self.bounds, "place": place, "block_start": block_start, "boxes": boxes},
            {"hash": self.content_hash, "crs": self.crs, "ids": ids},
        )

    @classmethod
    def open(cls, path: str | Path) -> Polygons:
        """Open saved polygons: they are checked against their digests, then mapped; pickled, they travel as their path and hash.

        Raises
        ------
        InputError
            If this is no such directory, or it is damaged.
        """
        return open_saved(str(path))

    def places(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where ``row_start`` has these rows."""
        return rows if self.place is None else self.place[rows]

    def __dask_tokenize__(self) -> tuple[str, str]:
        return type(self).__name__, self.content_hash

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of coordinates, structure, CRS and ids; of saved ones it was taken when they were saved."""
        digest = hashlib.sha256()
        for array in (self.row_start, self.part_start, self.ring_start, self.x, self.y):
            digest.update(array.size.to_bytes(8, "little"))
            digest.update(array.data)
        digest.update(repr((self.crs, None if self.ids is None else self.ids.tolist())).encode())
        return digest.hexdigest()

    def take(self, rows: ArrayLike) -> Polygons:
        """Return the polygons of these rows, in this order."""
        rows = np.asarray(rows, dtype=np.int64)
        row_start, parts = gathered(self.row_start, self.places(rows))
        part_start, ring_numbers = gathered(self.part_start, parts)
        ring_start, vertices = gathered(self.ring_start, ring_numbers)
        return self._part(rows, vertices, (ring_start, part_start, row_start))

    def block(self, rows: slice) -> Polygons:
        """Return the polygons of rows that follow each other: a view, nothing is copied but where they start, unless they are stored in another order."""
        first, last, _ = rows.indices(len(self))
        if self.place is not None:
            return self.take(np.arange(first, last))
        row_start, parts = _cut(self.row_start, slice(first, max(first, last)))
        part_start, numbers = _cut(self.part_start, parts)
        ring_start, vertices = _cut(self.ring_start, numbers)
        return self._part(rows, vertices, (ring_start, part_start, row_start))

    def _part(
        self, rows: NDArray[np.int64] | slice, vertices: NDArray[np.int64] | slice, starts: Starts
    ) -> Polygons:
        ids = None if self.ids is None else self.ids[rows]
        return Polygons(self.x[vertices], self.y[vertices], *starts, self.bounds[rows], self.crs, ids)  # fmt: skip

    def geometries(self, rows: ArrayLike | None = None) -> NDArray[np.object_]:
        """Return shapely multipolygons, all or those of the given rows; None for a row without parts."""
        if rows is None and self.place is not None:
            rows = np.arange(len(self))
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

    @cached_property
    def blocks(self) -> Blocks:
        """Bounds of the edges of long rings, 64 at a time, so that a tile skips those that miss it.

        int64 [rings + 1], where each ring's blocks start; float64 [blocks, 4]: west, south, east, north; and 64.
        """
        start, boxes = excerpts.edge_blocks(self.x, self.y, self.ring_start, stored.BLOCK, _LONG)
        return (
            as_readonly_contiguous(start, np.int64),
            as_readonly_contiguous(boxes, np.float64),
            stored.BLOCK,
        )

    def tiles(self, grid: Grid, size: int | tuple[int, int]) -> Tiles:
        """Return which polygons may touch which tile, by their bounds.

        Bounds are widened by a cell, so rounding loses none; tiles are numbered row by row from the north-west.

        Parameters
        ----------
        grid
            The fine grid.
        size
            Rows and columns of a tile in cells, or the side of a square one.
        """
        return tiles_of(self.bounds, grid, size if isinstance(size, tuple) else (size, size))


def _require_column(polygons: Any) -> None:
    """Raise if this is a table without an active column of geometries, or one shape alone."""
    if hasattr(polygons, "columns") and getattr(polygons, "geometry", None) is None:
        raise InputError(
            "the table has no column of geometries, or none is active",
            hint="Name it: frame.set_geometry(COLUMN).",
        )
    if isinstance(polygons, str | os.PathLike):
        raise InputError(
            f"polygons are wanted, not the path {os.fspath(polygons)!r}",
            hint="Read them first: geopandas.read_file(path).",
        )
    if isinstance(polygons, shapely.Geometry):
        raise InputError(
            "this is a single shape, and rows of polygons are wanted",
            hint="Take geopandas.GeoSeries([polygon], crs=...).",
        )


def _require_shapes(geometries: NDArray[np.object_]) -> None:
    """Raise if geometries are still text or bytes."""
    odd = geometries[~(shapely.is_geometry(geometries) | shapely.is_missing(geometries))]
    first: Any = odd[0] if odd.size else None
    if isinstance(first, str | bytes):
        text = isinstance(first, str)
        raise InputError(
            f"the geometries are {'text' if text else 'bytes'}, and shapes are wanted",
            hint=f"Read them first: geopandas.GeoSeries.from_{'wkt' if text else 'wkb'}(column, crs=...).",
        )


def require_same_crs(polygons: Polygons, crs: str | None) -> None:
    """Raise unless the polygons are in this CRS; nothing is reprojected behind the user's back.

    Raises
    ------
    InputError
        If both CRS are known and differ.
    """
    if polygons.crs is None or crs is None or polygons.crs == crs:
        return
    if not same_crs(crs_of(polygons.crs), crs_of(crs)):
        raise InputError(
            f"the polygons are in {crs_name(polygons.crs)}, the grid in {crs_name(crs)}",
            hint="Reproject them first with to_crs(grid.crs).",
        )


def _crs_text(crs: Any) -> str | None:
    """Return a CRS as text, of an object without parsing its WKT again, whose names may come back as others: the polygons' hash holds them."""
    if crs is None:
        return None
    parsed = crs_of(crs)
    return authority_code(parsed, 100) or str(parsed.to_wkt())


def _ids(polygons: Any) -> NDArray[np.object_] | None:
    index = getattr(polygons, "index", None)
    if index is None or callable(index):  # a list has a method of this name
        return None
    column = polygons["id"] if "id" in getattr(polygons, "columns", ()) else index
    return np.asarray(column, dtype=object)


def column_of(table: Any) -> Any:
    """Return the array of geometry of a GeoDataFrame, or of a column or an array of geometry."""
    geometry = getattr(table, "geometry", table)
    return getattr(geometry, "array", geometry)


def _counting(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """0, 1, ... anew for each length, all in one row."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if ends.size else 0
    return np.arange(total) - np.repeat(ends - lengths, lengths)


def _cut(start: NDArray[np.int64], rows: slice) -> tuple[NDArray[np.int64], slice]:
    """Return new starts of rows that follow each other, and where what they hold lies."""
    some = start[rows.start : rows.stop + 1]
    return some - some[0], slice(int(some[0]), int(some[-1]))


def gathered(
    start: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return new starts of the chosen rows, and the numbers of what they hold, for starts of rings, parts or rows."""
    lengths = start[rows + 1] - start[rows]
    inner = np.repeat(start[rows], lengths) + _counting(lengths)
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)]), inner


def open_saved(path: str, digest: str | None = None) -> Polygons:
    """Map a saved directory; the same files give the same object in one process.

    Without a hash every file's digest is checked, which reads it once. A hash comes from a process that has done so: then only
    the structure is checked, and no coordinate is read before it is used.

    Raises
    ------
    InputError
        If it is no such directory, is damaged, or holds other polygons than those of the hash.
    """
    folder, state = stored.state_of(path)
    polygons = _mapped(folder, state)
    if digest is None:
        stored.require_as_saved(folder, state)
    elif polygons.content_hash != digest:
        raise InputError("the directory holds other polygons by now", path, "Open it again.")
    return polygons


@lru_cache(maxsize=16)
def _mapped(path: str, _state: stored.State) -> Polygons:
    arrays, meta = stored.arrays_of(path)
    ids = None if meta["ids"] is None else np.array(meta["ids"], dtype=object)
    blocks = (arrays.pop("block_start"), arrays.pop("boxes"), stored.BLOCK)
    polygons = Polygons(**arrays, crs=meta["crs"], ids=ids, path=path)
    # What is derived from all coordinates was derived when they were saved.
    polygons.__dict__["content_hash"] = meta["hash"]
    polygons.__dict__["blocks"] = blocks
    return polygons
