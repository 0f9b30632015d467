"""Rows that are near to others, against all boxes one by one."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st
from shapes import partition

from carbongrid.raster.polygons import boxes as module
from carbongrid.raster.polygons.boxes import boxes, boxes_around, rows_near

NOTHING = [np.nan] * 4


def near_one_by_one(bounds, rows):
    """Rows whose closed box meets one of some rows: what is NaN is neither less nor more."""
    found = []
    for row, (west, south, east, north) in enumerate(bounds):
        if any(west <= e and w <= east and south <= n and s <= north for w, s, e, n in bounds[rows]):  # fmt: skip
            found.append(row)
    return found


def some_boxes(seed, count, empty, step):
    """Boxes on a lattice, which often touch, some of them points or lines; some rows have none."""
    rng = np.random.default_rng(seed)
    corner, size = rng.integers(0, 60, (count, 2)), rng.integers(0, 6, (count, 2))
    bounds = np.hstack([corner, corner + size]) * step - 3.0
    bounds[rng.random(count) < empty] = np.nan
    return bounds


@given(st.integers(0, 2**32), st.integers(0, 150), st.sampled_from([0.0, 0.2, 1.0]), st.sampled_from([1.0, 0.1, 1e-7]))  # fmt: skip
@example(2, 150, 0.2, 1.0)
def test_near_is_whatever_meets_one_of_the_rows(seed, count, empty, step):
    """Where boxes touch in a corner too. Seen to fail when groups have the box of their first row, and when a row without bounds is near."""
    bounds = some_boxes(seed, count, empty, step)
    rows = np.flatnonzero(np.random.default_rng(seed + 1).random(count) < 0.1)
    assert rows_near(bounds, rows).tolist() == near_one_by_one(bounds, rows)


@pytest.mark.parametrize("together", [(1,), (4, 1), (1000, 2, 1)])
def test_groups_do_not_matter(together, monkeypatch):
    """Seen to fail when the rows of the last groups are not asked one by one."""
    bounds = shapely.bounds(partition(400, 3000.0, 6))
    rows = np.array([390, 7, 7, 100])
    expected = near_one_by_one(bounds, rows)
    monkeypatch.setattr(module, "_TOGETHER", together)
    assert rows_near(bounds, rows).tolist() == expected
    assert set(rows) <= set(expected)


def test_what_has_no_bounds_is_near_to_nothing():
    """Not to itself, nor to others that have none; and it hides none of them."""
    bounds = np.array([NOTHING, [0, 0, 1, 1], NOTHING, [1, 1, 2, 2], [5, 5, 6, 6]])
    assert rows_near(bounds, np.array([0, 2])).tolist() == []
    assert rows_near(bounds, np.array([0, 1])).tolist() == [1, 3]
    assert rows_near(bounds, np.array([0])).tolist() == []
    assert rows_near(bounds, np.empty(0, np.int64)).tolist() == []
    assert rows_near(bounds[[0, 2]], np.array([1])).tolist() == []
    assert rows_near(bounds[:0], np.empty(0, np.int64)).tolist() == []


@pytest.mark.parametrize("together", [1, 8, 64, 1000])
def test_boxes_hold_their_groups_and_groups_are_neighbours(together):
    """Seen to fail when the last group of a line of them is the first of the next, and when a box is that of one of its rows."""
    shapes = shapely.bounds(partition(300, 3000.0, 10))
    group, around = boxes_around(shapes, together)
    assert np.array_equal(np.unique(group), np.arange(len(around)))
    for number, box in enumerate(shapely.bounds(around)):
        own = shapes[group == number]
        assert box.tolist() == [*own[:, :2].min(axis=0), *own[:, 2:].max(axis=0)]
    assert len(around) == {1: len(shapes), 1000: 1}.get(together, len(around))
    width, height = (shapely.bounds(around)[:, 2:] - shapely.bounds(around)[:, :2]).T
    sides = max(int((len(shapes) / together) ** 0.5), 1)
    widest = (shapes[:, 2:] - shapes[:, :2]).max()
    assert max(width.max(), height.max()) <= 3000 / sides + 2 * widest


def test_boxes_of_none_and_of_equal_ones():
    assert [part.tolist() for part in boxes_around(np.empty((0, 4)), 16)] == [[], []]
    same = np.tile([1.0, 2.0, 3.0, 5.0], (40, 1))
    group, around = boxes_around(same, 4)
    assert group.tolist() == [0] * 40
    assert shapely.bounds(around).tolist() == same[:1].tolist()
    assert shapely.bounds(boxes(same[:2])).tolist() == same[:2].tolist()
