from __future__ import annotations

import itertools
from collections import defaultdict

import numpy as np
import shapely
from geodata_layers import voronoi
from hypothesis import given, settings
from hypothesis import strategies as st

from carbongrid.raster.polygons.matching import unmatched


def by_lists(polygons):
    """Every edge beside every equal one, in lists: a polygon is matched if each of its edges has one partner, who runs against it."""
    users = defaultdict(list)
    for row, polygon in enumerate(polygons):
        for part in getattr(polygon, "geoms", [polygon]):
            turned = shapely.orient_polygons(part, exterior_cw=True)
            for ring in (turned.exterior, *turned.interiors):
                points = list(ring.coords)
                for a, b in itertools.pairwise(points):
                    if a != b:
                        users[frozenset([a, b])].append((row, a))
    lonely = set()
    for edges in users.values():
        if len(edges) != 2 or edges[0][1] == edges[1][1]:
            lonely.update(row for row, _ in edges)
    return [row in lonely for row in range(len(polygons))]


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**32),
    count=st.integers(2, 40),
    moved=st.integers(0, 4),
    again=st.integers(0, 3),
)
def test_polygons_that_fit_are_those_of_slow_lists(seed, count, moved, again):
    rng = np.random.default_rng(seed)
    cells = voronoi(count, seed % 1000)
    for row in rng.integers(0, len(cells), moved):
        cells[row] = shapely.transform(cells[row], lambda xy: xy + 0.25)
    extra = cells[rng.integers(0, len(cells), again)]
    joined = shapely.union_all(cells[: len(cells) // 3])
    polygons = np.array([*cells[len(cells) // 3 :], joined, *extra], dtype=object)
    polygons[::3] = shapely.reverse(polygons[::3])
    assert unmatched(polygons).tolist() == by_lists(polygons)


def test_an_edge_has_one_partner_and_no_more():
    """Two squares that fit, one of them twice: neither fits any more. Zeros have no sign, and a vertex given twice is no edge."""
    left, right = shapely.box(-1, 0, 0, 1), shapely.box(-0.0, 0, 1, 1)
    around = shapely.box(-5, -5, 5, 5).difference(shapely.box(-1, 0, 1, 1))
    around = shapely.Polygon(
        around.exterior.coords,
        [[(-1, 0), (0, 0), (0, 0), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0)]],
    )
    polygons = np.array([left, right, around], dtype=object)
    assert unmatched(polygons).tolist() == [False, False, True]
    assert unmatched(np.append(polygons, left)).tolist() == [True, True, True, True]
    assert unmatched(np.array([None, shapely.Polygon(), left])).tolist() == [False, False, True]


def test_a_ring_without_points_has_no_edges():
    """As a hole that is empty, in the last row, too. Seen to fail: it was looked for beyond the last vertex."""
    left = shapely.box(0, 0, 1, 1)
    right = shapely.from_wkt("POLYGON ((1 0, 1 1, 2 1, 2 0, 1 0), EMPTY)")
    around = shapely.Polygon([(-5, -5), (5, -5), (5, 5), (-5, 5)], [[(0, 0), (0, 1), (1, 1), (2, 1), (2, 0), (1, 0)]])  # fmt: skip
    assert unmatched(np.array([left, around, right], dtype=object)).tolist() == [False, True, False]


def test_a_sliver_whose_direction_nobody_knows_is_unmatched():
    """Though it fills a hole edge by edge: taken for sure, one that lies on its neighbour could seem to lie beside it. Seen to fail."""
    sliver = shapely.Polygon([(0.0, 0.0), (1.0, 1.0), (3.0, np.nextafter(3.0, 4.0))])
    around = shapely.Polygon(shapely.box(-5, -5, 5, 5).exterior, [sliver.exterior])
    assert sliver.is_valid
    assert unmatched(np.array([sliver, around], dtype=object)).all()
    wide = shapely.Polygon([(0.0, 0.0), (1.0, 1.0), (3.0, 3.1)])
    around = shapely.Polygon(shapely.box(-5, -5, 5, 5).exterior, [wide.exterior])
    assert unmatched(np.array([wide, around], dtype=object)).tolist() == [False, True]
