"""Outlines of the patches of a band of labels: a partition, vertex by vertex.

Wherever three patches meet, each of them has a vertex there. So borders stay common when they are brought into another
coordinate system, in which a long straight edge is no longer straight.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

Corners = NDArray[np.int64]


@dataclass(frozen=True)
class Outlines:
    """Polygons of labelled cells.

    Parameters
    ----------
    label : int64, shape (labels,)
        Ascending, each once.
    geometry : object, shape (labels,)
        A multipolygon each, corners of cells as (column, row), integers.
    """

    label: NDArray[np.int64]
    geometry: NDArray[np.object_]


def outlines_of(labels: NDArray[np.int32]) -> Outlines:
    """Return the outline of each label of a band, 0 apart.

    Parameters
    ----------
    labels : int32, shape (rows + 2, columns + 2)
        With one row and column more on each side, of which no outline is made: what lies there says where vertices must be.

    Returns
    -------
    Outlines
        Corners count from the first cell inside the rim.
    """
    from rasterio.features import shapes

    inner = np.ascontiguousarray(labels[1:-1, 1:-1])
    meeting = _meeting(labels)
    found: list[int] = []
    rings: list[NDArray[np.float64]] = []
    counts: list[int] = []
    for polygon, value in shapes(inner, mask=inner != 0, connectivity=4):
        parts = polygon["coordinates"]
        found.append(int(value))
        counts.append(len(parts))
        rings += [np.asarray(ring) for ring in parts]
    if not found:
        return Outlines(np.empty(0, np.int64), np.empty(0, object))
    corners, offsets = _with_vertices(rings, meeting)
    return _grouped(np.asarray(found), np.asarray(counts), corners, offsets)


def _meeting(labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return the corners of cells at which no border goes straight through, shape (rows + 1, columns + 1)."""
    a, b, c, d = labels[:-1, :-1], labels[:-1, 1:], labels[1:, :-1], labels[1:, 1:]
    level, upright = (a == b) & (c == d), (a == c) & (b == d)
    meeting: NDArray[np.bool_] = ~(level | upright)
    return meeting


def _with_vertices(
    rings: list[NDArray[np.float64]], meeting: NDArray[np.bool_]
) -> tuple[Corners, NDArray[np.int64]]:
    """Return the rings' corners, and where each ring begins, with a vertex wherever borders meet."""
    lengths = np.array([len(ring) for ring in rings])
    points = np.concatenate(rings).astype(np.int64)
    last = np.cumsum(lengths) - 1
    steps = np.roll(points, -1, axis=0) - points
    steps[last] = 0
    cells = np.abs(steps).sum(axis=1)
    # Each edge as the corners that it passes, its end apart; each ring ends with the corner that it began with.
    passed = np.maximum(cells, 1)
    along = np.arange(passed.sum()) - np.repeat(np.cumsum(passed) - passed, passed)
    corners = (
        np.repeat(points, passed, axis=0)
        + np.repeat(np.sign(steps), passed, axis=0) * along[:, None]
    )
    first = np.repeat(np.arange(len(points)), passed)
    keep = meeting[corners[:, 1], corners[:, 0]] | (along == 0)
    ring = np.repeat(np.arange(len(rings)), lengths)[first[keep]]
    offsets = np.concatenate([[0], np.cumsum(np.bincount(ring, minlength=len(rings)))])
    return corners[keep], offsets


def _grouped(
    found: NDArray[np.int64], counts: NDArray[np.int64], corners: Corners, offsets: NDArray[np.int64]
) -> Outlines:  # fmt: skip
    """Return one multipolygon per label of polygons that lie in the order of a raster."""
    polygons = shapely.from_ragged_array(
        shapely.GeometryType.POLYGON,
        corners.astype(np.float64),
        (offsets, np.concatenate([[0], np.cumsum(counts)])),
    )
    order = np.argsort(found, kind="stable")
    label, group = np.unique(found[order], return_inverse=True)
    geometry: NDArray[np.object_] = np.asarray(
        shapely.multipolygons(polygons[order], indices=group), dtype=object
    )
    return Outlines(label, geometry)


def bands(rows: int, side: int, columns: int, most: int) -> Iterator[tuple[int, int]]:
    """Yield first and last row of bands of whole squares, of some ``most`` cells."""
    height = max(most // max(columns * side, 1), 1) * side
    for first in range(0, rows, height):
        yield first, min(first + height, rows)
