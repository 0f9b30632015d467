"""Which polygons a block of a raster is asked for: those with cells there, and no others."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shapes import CRS, windows

from carbongrid.raster.grid import Grid
from carbongrid.raster.polygons import Polygons
from carbongrid.raster.zonal.measured import Measured
from carbongrid.raster.zonal.shares import exact_shares

GRID = Grid(CRS, 1, (0, 0, 12, 10))
QUARTERS = st.tuples(*[st.integers(-8, 50), st.integers(1, 30)] * 2)


def measured(quarters):
    """Boxes in quarters of a cell; one polygon more is missing."""
    boxes = [shapely.box(x / 4, y / 4, (x + w) / 4, (y + h) / 4) for x, w, y, h in quarters]
    return Measured.of(exact_shares(Polygons.of(np.array([*boxes, None], dtype=object)), GRID))


def has_cells(quarters):
    """Tell of each cell whether a box has a share of it, by its borders."""
    x, w, y, h = quarters
    columns, rows = np.arange(12), 9 - np.arange(10)
    across = (4 * columns < x + w) & (4 * columns + 4 > x)
    return ((4 * rows < y + h) & (4 * rows + 4 > y))[:, None] & across


@settings(max_examples=40)
@given(st.lists(QUARTERS, min_size=1, max_size=6), windows(GRID.shape))
@example([(-2, 1, 1, 1)], ((0, 0), (1, 1)))
def test_polygons_of_a_block_are_those_with_cells_there(boxes, window):
    """Seen to fail when polygons that end above a block were asked for there, too."""
    corner, shape = window
    here = np.zeros(GRID.shape, np.bool_)
    here[corner[0] : corner[0] + shape[0], corner[1] : corner[1] + shape[1]] = True
    cells = [has_cells(box) for box in boxes]
    made = measured(boxes)
    assert made.cells.tolist() == [*(int(mine.sum()) for mine in cells), 0]
    found = made.polygons_in(corner, shape)
    assert found.tolist() == [row for row, mine in enumerate(cells) if (mine & here).any()]
    whole = made.whole_in(found, corner, shape)
    assert whole.tolist() == [not (cells[row] & ~here).any() for row in found]


@given(st.lists(QUARTERS, min_size=1, max_size=9), st.integers(1, 60))
def test_batches_are_all_polygons_in_order_and_small(boxes, most):
    """But for their first polygon, which may be as large as it is."""
    made = measured(boxes)
    batches = made.batches(np.arange(len(made)), most)
    assert np.concatenate(batches).tolist() == list(range(len(made)))
    assert all(made.cells[batch[1:]].sum() < most for batch in batches)
    assert made.batches(np.empty(0, np.int64), most) == []
