"""Densities at the edges of the grid."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from carbongrid import Grid, rasterize, spread
from carbongrid.errors import InputError

GRID = Grid("EPSG:4528", 10, (0, 0, 40, 30))


@pytest.mark.parametrize("chunks", [None, (2, 2), (1, 3), (3, 1)])
@pytest.mark.parametrize(("x", "y"), [(0, 0), (36, 0), (0, 26), (36, 26), (16, 16)])
def test_a_parcel_between_the_centres_lies_in_its_cell_at_the_edge_too(x, y, chunks):
    """Seen to fail when the first column of a block took no points, and when a block was as high as it is wide."""
    tiny = np.array([shapely.box(x + 1, y + 1, x + 3, y + 3)])
    labels = rasterize(tiny, GRID)
    assert not labels.any()
    if chunks:
        labels = labels.chunk(dict(zip(("y", "x"), chunks, strict=True)))
    field = spread([5_000], labels, polygons=tiny)
    expected = np.zeros((3, 4))
    expected[2 - y // 10, x // 10] = 5 / 100
    np.testing.assert_allclose(field, expected, rtol=1e-12)


@pytest.mark.parametrize("weight", [-0.5, -1e-9, np.inf])
def test_any_weight_below_zero_is_refused(weight):
    """Seen to fail when weights down to -1 passed."""
    labels = rasterize(np.array([shapely.box(0, 0, 40, 30)]), GRID)
    weights = labels.astype(np.float64)
    weights[1, 1] = weight
    with pytest.raises(InputError, match="negative or infinite"):
        spread([1], labels, weights=weights)


@pytest.mark.parametrize("weight", [1e-320, 1e306, 1.797e308])
def test_weights_too_large_or_small_for_a_density_are_refused(weight):
    """Seen to lose all mass, and to make it infinite."""
    labels = rasterize(np.array([shapely.box(0, 0, 40, 30)]), GRID)
    with pytest.raises(InputError, match=r"label 1 add up to .*nodata"):
        spread([1000], labels, weights=labels * weight)
