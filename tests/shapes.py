"""Polygons for the engine's tests: Hypothesis strategies and small partitions."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import strategies as st

from carbongrid.raster.grid import Grid

CRS = "EPSG:3035"
SIDE = 12.0


@st.composite
def polygons(draw, most: int = 4):
    """Any polygons: with holes anywhere, of many parts, slivers, crossing themselves, empty and missing.

    Coordinates come from bytes, for speed: multiples of ``snap`` in a square of 12 m and around it, so that vertices and
    edges lie on cell centres and borders, or, with a snap of 0, fractions that lie on nothing.
    """
    snap = draw(st.sampled_from([0.0, 0.25, 0.5, 1.0, 1.5]))

    def ring():
        raw = np.frombuffer(draw(st.binary(min_size=6, max_size=18)), np.uint8)
        raw = raw[: raw.size // 2 * 2].reshape(-1, 2).astype(np.int64)
        if snap == 0.0:
            return raw * 0.0637 - 2.1
        return (raw % int(SIDE / snap + 5) - 2) * snap

    def one():
        return shapely.Polygon(ring(), [ring() for _ in range(draw(st.sampled_from([0, 0, 1, 2])))])

    result = []
    for _ in range(draw(st.integers(1, most))):
        kind = draw(st.integers(0, 9))
        if kind == 0:
            result.append(draw(st.sampled_from([None, shapely.Polygon(), shapely.MultiPolygon()])))
        elif kind <= 2:
            result.append(shapely.MultiPolygon([one() for _ in range(draw(st.integers(1, 3)))]))
        else:
            result.append(one())
    return np.array(result, dtype=object)


@st.composite
def grids(draw):
    """Grids of some ten cells a side, with sides that binary fractions hold and others, off the origin too."""
    resolution = draw(st.sampled_from([0.5, 1.0, 1.5, 30 / 7, 0.7]))
    west, south = draw(
        st.tuples(st.sampled_from([0.0, -1.5, 0.3]), st.sampled_from([0.0, 1.0, 0.1]))
    )
    return Grid(CRS, resolution, (west, south, west + SIDE, south + SIDE))


@st.composite
def windows(draw, shape):
    """Corner and shape of a window of a raster of this shape."""
    top, left = draw(st.integers(0, shape[0] - 1)), draw(st.integers(0, shape[1] - 1))
    return (top, left), (
        draw(st.integers(1, shape[0] - top)),
        draw(st.integers(1, shape[1] - left)),
    )


def partition(count: int, side: float, seed: int, lattice: float = 0.1) -> np.ndarray:
    """A planar partition of a square into Voronoi cells on a lattice, the last one cut out of its neighbours as an island."""
    random = np.random.default_rng(seed)
    points = shapely.MultiPoint(random.random((count, 2)) * side)
    square = shapely.box(0, 0, side, side)
    cells = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=square))
    cells = shapely.set_precision(shapely.intersection(cells, square), lattice)
    # Without the precision that shapely remembers, and would snap later intersections to.
    cells = shapely.from_wkb(shapely.to_wkb(cells))
    island = shapely.box(0.31 * side, 0.31 * side, 0.42 * side, 0.4 * side)
    rest = shapely.difference(cells, island)
    return np.append(rest[~shapely.is_empty(rest)], island)


def ribbons(count: int, side: float, seed: int) -> np.ndarray:
    """Roads and canals across a square: crooked, long, from under a cell to some cells wide, over each other."""
    random = np.random.default_rng(seed)
    start = random.random((count, 1, 2)) * side
    paths = start + np.cumsum(random.normal(0, side / 12, (count, 15, 2)), axis=1)
    lines = shapely.linestrings(np.round(paths, 1))
    return shapely.buffer(lines, random.uniform(0.4, 25, count), cap_style="flat", quad_segs=2)
