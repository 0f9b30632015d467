"""Polygons held as coordinates, of which shapely's are made when somebody asks for them: a million parcels take a third of the memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray

from carbongrid.errors import InputError
from carbongrid.raster.kernels.inner_points import inner_points
from carbongrid.raster.kernels.jit import as_readonly_contiguous
from carbongrid.raster.kernels.planar_areas import planar_areas
from carbongrid.raster.kernels.rings import LARGEST, normal_rings
from carbongrid.raster.kernels.scanline import Starts
from carbongrid.raster.polygons.entry import binary_of, ragged, ragged_of_wkb, ragged_where_polygons
from carbongrid.raster.polygons.sets import Polygons, column_of, gathered
from carbongrid.raster.polygons.validity import surely_valid
from carbongrid.raster.row_blocks import each_block, row_blocks

if TYPE_CHECKING:
    import pyarrow as pa

    Block = tuple[Polygons, NDArray[np.bool_], NDArray[np.bool_]]

_POLYGON, _MULTIPOLYGON = int(shapely.GeometryType.POLYGON), int(shapely.GeometryType.MULTIPOLYGON)

type Rows = slice | NDArray[np.int64]
type Shapes = NDArray[np.object_] | Outlines
"""Polygons as shapely has them, or as coordinates."""


@dataclass(frozen=True, eq=False)
class Outlines:
    """Polygons and multipolygons of two dimensions, none missing or empty, that become the geometries they were, to the bit.

    Parameters
    ----------
    polygons
        Their rings, every one clockwise.
    backwards : bool, shape (rings,)
        Which rings ran the other way.
    is_multi : bool, shape (rows,)
        Which are multipolygons, be it of one part.
    """

    polygons: Polygons
    backwards: NDArray[np.bool_]
    is_multi: NDArray[np.bool_]

    @classmethod
    def taken_out_of(cls, geometries: NDArray[np.object_]) -> Outlines | None:
        """Return the outlines of polygons, and leave none in the array, so that both never exist for all of them.

        Parameters
        ----------
        geometries
            Shapely geometries, shape (rows,), valid where they are polygons.

        Returns
        -------
        Outlines or None
            None, and the array as it was, where one is no polygon, is missing or empty, has an empty part, more than two dimensions or a coordinate that is too large.
        """
        blocks = row_blocks(len(geometries))
        if not all(list(each_block(lambda rows: _can_be_held(geometries[rows]), blocks))):
            return None
        vertices = int(shapely.get_num_coordinates(geometries).sum())

        def taken(rows: slice) -> Block:
            some = geometries[rows].copy()
            geometries[rows] = None
            is_multi = shapely.get_type_id(some) == _MULTIPOLYGON
            return *Polygons.entered(*ragged(some)), is_multi

        with closing(each_block(taken, blocks)) as made:
            return cls._joined(made, vertices)

    @classmethod
    def of_wkb(cls, columns: Iterable[pa.Array]) -> Outlines:
        """Return the outlines of well-known binary, little-endian, column after column.

        Raises
        ------
        InputError
            As :meth:`carbongrid.Polygons.of_wkb`; also if one is missing or empty, has an empty part or more than two dimensions.
        """

        def made(column: pa.Array) -> Block:
            points, starts, is_multi = _taken_apart(column)
            return *Polygons.entered(points, starts), is_multi

        blocks = list(each_block(made, columns))
        return cls._joined(_one_by_one(blocks), sum(polygons.x.size for polygons, *_ in blocks))

    @classmethod
    def of_rings(cls, points: NDArray[np.float64], starts: Starts) -> Outlines:
        """Return the outlines of points (x, y) of closed rings, and where rings, parts and rows start; a row of one part is a polygon.

        Raises
        ------
        InputError
            If a coordinate is not finite, or too large.
        """
        return cls(*Polygons.entered(points, starts), np.diff(starts[2]) > 1)

    @classmethod
    def joined(cls, parts: Iterable[Outlines], vertices: int) -> Outlines:
        """Return the outlines of all parts, which have so many vertices at most; whoever makes the parts one by one holds their coordinates once."""
        return cls._joined(((part.polygons, part.backwards, part.is_multi) for part in parts), vertices)  # fmt: skip

    @classmethod
    def _joined(cls, blocks: Iterable[Block], vertices: int) -> Outlines:
        flags: tuple[list[NDArray[np.bool_]], ...] = ([np.empty(0, np.bool_)], [np.empty(0, np.bool_)])  # fmt: skip

        def parts() -> Iterator[Polygons]:
            for polygons, *those in blocks:
                for known, more in zip(flags, those, strict=True):
                    known.append(more)
                yield polygons

        whole = Polygons.joined(parts(), vertices)
        backwards, is_multi = map(np.concatenate, flags)
        return cls(whole, backwards, is_multi)

    def __post_init__(self) -> None:
        for name in ("backwards", "is_multi"):
            object.__setattr__(self, name, as_readonly_contiguous(getattr(self, name), np.bool_))

    def __len__(self) -> int:
        return len(self.polygons)

    @property
    def nbytes(self) -> int:
        """Bytes of all that is held."""
        return self.polygons.nbytes + self.backwards.nbytes + self.is_multi.nbytes

    @property
    def kinds(self) -> NDArray[np.int64]:
        """What shapely calls the kind of each."""
        return np.where(self.is_multi, _MULTIPOLYGON, _POLYGON)

    def take(self, rows: Rows) -> Outlines:
        """Return the outlines of some rows; those that follow each other are a view."""
        ours = self.polygons
        if isinstance(rows, slice):
            first, last, _ = rows.indices(len(self))
            parts = ours.row_start[[first, max(first, last)]]
            ring = slice(*ours.part_start[parts].tolist())
            return Outlines(ours.block(rows), self.backwards[ring], self.is_multi[rows])
        _, parts = gathered(ours.row_start, rows)
        _, numbers = gathered(ours.part_start, parts)
        return Outlines(ours.take(rows), self.backwards[numbers], self.is_multi[rows])

    def geometries(self, rows: Rows | None = None) -> NDArray[np.object_]:
        """Return shapely geometries, all or those of some rows; they are made anew each time."""
        some = self if rows is None else self.take(rows)
        return np.concatenate([some.take(block)._made() for block in row_blocks(len(some))])

    def _made(self) -> NDArray[np.object_]:
        return _geometries(*self.ragged(), self.is_multi)

    def ragged(self) -> tuple[NDArray[np.float64], Starts]:
        """Return the points (x, y) of all rings as they ran, and where rings, parts and rows start."""
        ours = self.polygons
        points = np.column_stack([ours.x, ours.y])
        turned = np.flatnonzero(self.backwards)
        if turned.size:
            _, vertex = gathered(ours.ring_start, turned)
            ends = ours.ring_start[turned] + ours.ring_start[turned + 1] - 1
            lengths = ours.ring_start[turned + 1] - ours.ring_start[turned]
            points[vertex] = points[np.repeat(ends, lengths) - vertex]
        return as_readonly_contiguous(points, np.float64), self._starts

    @property
    def _starts(self) -> Starts:
        ours = self.polygons
        return ours.ring_start, ours.part_start, ours.row_start

    def replaced(self, rows: NDArray[np.int64], by: Outlines) -> Outlines:
        """Return outlines with others in the place of some rows."""
        if not rows.size:
            return self
        both = Outlines.joined((self, by), self.polygons.x.size + by.polygons.x.size)
        order = np.arange(len(self))
        order[rows] = len(self) + np.arange(rows.size)
        return both.take(order)

    def surely_valid(self) -> NDArray[np.bool_]:
        """Tell of which polygons it is sure that they are valid, as :func:`carbongrid.raster.polygons.validity.surely_valid`."""
        return surely_valid(self.polygons)

    def areas(self) -> NDArray[np.float64]:
        """Return the areas in the plane of the coordinates, as shapely adds them up, shape (rows,)."""
        points, starts = self.ragged()
        x, y = (as_readonly_contiguous(side, np.float64) for side in points.T)
        found: NDArray[np.float64] = planar_areas((x, y), starts, np.arange(len(self)))
        return found

    def inner_points(self) -> NDArray[np.float64]:
        """Return the point of each that shapely calls the point on its surface, shape (rows, 2)."""
        points, starts = self.ragged()
        found: NDArray[np.float64] = inner_points(points, *starts)
        return found

    def binary(
        self, *, collections: bool = False, lengths: bool = False
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Return the binary that shapely writes, one after the other, and where each begins; as :func:`carbongrid.raster.polygons.entry.wkb_of`."""
        ours = self.polygons
        return binary_of(
            (ours.x, ours.y), self._starts, self.backwards, self.is_multi | collections, lengths
        )

    @cached_property
    def digest(self) -> str:
        """The sha256 of :func:`digest_of_binary`."""

        def binary(rows: slice) -> NDArray[np.uint8]:
            return self.take(rows).binary(collections=True, lengths=True)[0]

        with closing(each_block(binary, row_blocks(len(self)))) as pieces:
            return digest_of_binary(pieces)


def digest_of_binary(pieces: Iterable[bytes | NDArray[np.uint8]]) -> str:
    """Return the sha256, in hexadecimal, of polygons in little-endian WKB, each as a multipolygon and after its length: file formats differ in what has one part."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def in_normal_form(
    points: NDArray[np.float64], starts: Starts
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the points of valid polygons in the normal form of GEOS, and of which rows this does not tell it.

    Not of several parts or holes, which are sorted, nor of the few rings of which :func:`carbongrid.raster.kernels.rings.normal_rings` does not.
    """
    ring_start, part_start, row_start = starts
    normal, unknown = normal_rings(as_readonly_contiguous(points, np.float64), ring_start, part_start)  # fmt: skip
    rings = part_start[row_start]
    odd = np.add.reduceat(unknown, rings[:-1], dtype=np.int64) > 0 if unknown.size else np.zeros(0, np.bool_)  # fmt: skip
    return normal, odd | (np.diff(rings) > 2) | (np.diff(row_start) > 1)


def ragged_of(shapes: Shapes, rows: Rows) -> tuple[NDArray[np.float64], Starts]:
    """Take some rows apart: points (x, y), and where rings, parts and rows start; what is no polygon has no parts."""
    if isinstance(shapes, Outlines):
        return shapes.take(rows).ragged()
    return ragged_where_polygons(shapes[rows])


def shapely_of(shapes: Shapes, rows: NDArray[np.int64]) -> NDArray[np.object_]:
    """Return shapely geometries of some rows."""
    return shapes.geometries(rows) if isinstance(shapes, Outlines) else shapes[rows]


def bounds_of(shapes: Shapes) -> NDArray[np.float64]:
    """Return west, south, east and north of each row; NaN of what is missing or empty."""
    if isinstance(shapes, Outlines):
        return shapes.polygons.bounds
    bounds: NDArray[np.float64] = shapely.bounds(shapes)
    return bounds


def outlines_of(table: Any) -> Outlines | None:
    """Return what a GeoDataFrame or a column of geometry holds its polygons as, if that is coordinates."""
    outlines: Outlines | None = getattr(column_of(table), "outlines", None)
    return outlines


def outlines_in(table: Any, rows: Rows) -> Outlines:
    """Return the outlines of some rows of a GeoDataFrame or GeoSeries of polygons.

    Raises
    ------
    InputError
        If one is missing or empty, is no polygon, or has more than two dimensions or a coordinate that is not finite.
    """
    held = outlines_of(table)
    if held is not None:
        return held.take(rows)
    made = Outlines.taken_out_of(geometries_of(table, rows).copy())
    if made is None:
        raise InputError("one is no polygon of two dimensions, is empty, or has a coordinate that is not finite")  # fmt: skip
    return made


def geometries_of(table: Any, rows: Rows | NDArray[np.bool_]) -> NDArray[np.object_]:
    """Return the geometries of some rows of a GeoDataFrame or GeoSeries; where it holds polygons as coordinates, no others are made."""
    held = outlines_of(table)
    if held is not None:
        return held.geometries(rows if isinstance(rows, slice) else np.arange(len(held))[rows])
    geometries: NDArray[np.object_] = np.asarray(column_of(table)[rows], dtype=object)
    return geometries


def geometries_of_wkb(column: pa.Array) -> NDArray[np.object_]:
    """Return the geometries of well-known binary; polygons in half of the time that shapely takes, which asks for an object of bytes of each."""
    try:
        return _geometries(*_taken_apart(column))
    except InputError:  # it has something else
        geometries: NDArray[np.object_] = shapely.from_wkb(column.to_numpy(zero_copy_only=False))
        return geometries


def _taken_apart(column: pa.Array) -> tuple[NDArray[np.float64], Starts, NDArray[np.bool_]]:
    """Return points, where rings, parts and rows start, and which rows are multipolygons, if that is all there is."""
    points, starts = ragged_of_wkb(column)
    ring_start, part_start, row_start = starts
    parts = np.diff(row_start)
    if (parts == 0).any():
        raise InputError("a polygon is missing or empty")
    is_multi = _kinds(column) == _MULTIPOLYGON
    first, last = part_start[row_start[:-1]], part_start[row_start[1:]]
    # Coordinates, a number of points for each ring, a head for each polygon and each collection.
    heads = np.where(is_multi, parts + 1, 1)
    told = 16 * (ring_start[last] - ring_start[first]) + 4 * (last - first) + 9 * heads
    if (np.diff(_begin(column)) != told).any():
        raise InputError("a polygon has an empty part or more than two dimensions")
    return points, starts, is_multi


def _geometries(
    points: NDArray[np.float64], starts: Starts, is_multi: NDArray[np.bool_]
) -> NDArray[np.object_]:
    ring_start, part_start, row_start = starts
    parts = shapely.from_ragged_array(
        shapely.GeometryType.POLYGON, points, (ring_start, part_start)
    )
    made: NDArray[np.object_] = np.empty(is_multi.size, object)
    made[~is_multi] = parts[row_start[:-1][~is_multi]]
    several = np.flatnonzero(is_multi)
    if several.size:
        starts_of_several, part = gathered(row_start, several)
        row = np.repeat(np.arange(several.size), np.diff(starts_of_several))
        made[several] = shapely.multipolygons(parts[part], indices=row)
    return made


def _one_by_one[T](things: list[T]) -> Iterator[T]:
    """Yield things in their order, and forget each."""
    things.reverse()
    while things:
        yield things.pop()


def _kinds(column: pa.Array) -> NDArray[np.uint8]:
    """Return the kind of each row, which little-endian binary has in its second byte."""
    begin = _begin(column)[:-1]
    data = column.buffers()[2]
    return np.frombuffer(data, np.uint8)[begin + 1] if begin.size else np.empty(0, np.uint8)


def _begin(column: pa.Array) -> NDArray[np.int64]:
    import pyarrow as pa

    wide = np.int64 if pa.types.is_large_binary(column.type) else np.int32
    begin = np.frombuffer(column.buffers()[1], wide)
    return begin[column.offset : column.offset + len(column) + 1].astype(np.int64)


def _can_be_held(geometries: NDArray[np.object_]) -> bool:
    kinds = shapely.get_type_id(geometries)
    if not np.isin(kinds, (_POLYGON, _MULTIPOLYGON)).all():
        return False
    if (shapely.is_empty(geometries) | shapely.has_z(geometries) | shapely.has_m(geometries)).any():
        return False
    parts = shapely.get_parts(geometries[kinds == _MULTIPOLYGON])
    if shapely.is_empty(parts).any():
        return False
    return bool((np.abs(shapely.get_coordinates(geometries)) < LARGEST).all())
