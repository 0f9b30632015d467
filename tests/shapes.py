"""Polygons for the engine's tests: Hypothesis strategies and small partitions."""

from __future__ import annotations

import numpy as np
import shapely
from geopandas.array import GeometryArray
from hypothesis import strategies as st

from carbongrid.case.readers.polygon_column import PolygonColumn
from carbongrid.raster.grid import Grid
from carbongrid.raster.polygons.outlines import Outlines

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
def valid_polygons(draw, most: int = 4):
    """Valid polygons and multipolygons, none missing or empty, in any form: holes, several parts, a single one in a collection, rings in either direction, corners that are there twice.

    They lie on a lattice, or on fractions with as many digits as there are, at the origin or far from it; some are finer than a tenth of a millimetre.
    """
    shapes = draw(polygons(most))
    shapes = shapely.make_valid(shapes[~shapely.is_missing(shapes)], method="structure")
    shapes = shapes[np.isin(shapely.get_type_id(shapes), (3, 6)) & ~shapely.is_empty(shapes)]
    size, away = draw(
        st.sampled_from([(1.0, 0.0), (-1.0, 0.0), (1.0, 4e7), (1 / 3, 4e6 / 7), (1e-5, 120.0), (3e-5, 0.0), (7e-10, 31.0)])
    )  # fmt: skip
    shapes = shapely.transform(shapes, lambda xy: xy * size + away)
    for row in range(len(shapes)):
        alone, turned, collected = (draw(st.booleans()) for _ in range(3))
        corner = draw(st.integers(0, 9))
        parts = [part.reverse() if turned else part for part in shapely.get_parts(shapes[row])]
        parts = [max(parts, key=lambda part: len(part.interiors))] if alone else parts
        if corner < 4:
            rings = [np.array(ring.coords) for ring in (parts[-1].exterior, *parts[-1].interiors)]
            rings = [np.insert(ring, corner, ring[corner], axis=0) for ring in rings]
            parts[-1] = shapely.Polygon(rings[0], rings[1:])
        several = collected or len(parts) > 1
        shapes[row] = shapely.MultiPolygon(parts[::-1]) if several else parts[0]
    return shapes[shapely.is_valid(shapes)]


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


def held_as_coordinates(geometry: np.ndarray, crs: object) -> GeometryArray:
    """Return a column that holds polygons as coordinates where it can; they are gone from the array then."""
    outlines = Outlines.taken_out_of(geometry)
    return GeometryArray(geometry, crs) if outlines is None else PolygonColumn(outlines, crs)
