"""Spans put in order, given to one owner, painted and laid over each other, against loops over cells."""

from __future__ import annotations

import naive
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from carbongrid.raster import spans
from carbongrid.raster.kernels import spans as spans_kernels
from carbongrid.raster.kernels.spans import apart, in_order, single
from carbongrid.raster.spans import common_cells, common_squares, count_spans, paint_spans

HEIGHT, WIDTH = 3, 40


@st.composite
def raw_spans(draw, most=60):
    """Any spans of some owners, in any order, some at the same place."""
    raw = np.frombuffer(draw(st.binary(max_size=4 * most)), np.uint8)
    raw = raw[: raw.size // 4 * 4].reshape(-1, 4).astype(np.int32)
    first = raw[:, 1] % WIDTH
    end = np.minimum(first + 1 + raw[:, 2] % 12, WIDTH).astype(np.int32)
    return tuple(np.ascontiguousarray(a) for a in (raw[:, 0] % HEIGHT, first, end, raw[:, 3] % 9))


def burnt(raw) -> np.ndarray:
    """Cell by cell, 0 or the largest owner + 1."""
    cells = np.zeros((HEIGHT, WIDTH), np.uint32)
    for row, first, end, owner in zip(*(each.tolist() for each in raw), strict=True):
        for column in range(first, end):
            cells[row, column] = max(cells[row, column], owner + 1)
    return cells


def stacked(count: int):
    """Spans that all overlap: a heap of many, sorted by no insertion."""
    first = np.arange(count, dtype=np.int32)[::-1] % 30
    owner = (np.arange(count, dtype=np.int32) * 7) % 11
    return np.zeros(count, np.int32), first.copy(), np.full(count, WIDTH, np.int32), owner


@given(raw_spans())
@example(stacked(200))
def test_order_is_by_row_and_first_column(raw):
    """Seen to fail when a bucket of many spans is left unsorted, and when the heap's last leaf is not sunk."""
    start, *columns = in_order(raw, HEIGHT, WIDTH)
    rows = np.repeat(np.arange(HEIGHT), np.diff(start))
    found = list(zip(rows.tolist(), *(column.tolist() for column in columns), strict=True))
    assert sorted(found) == sorted(zip(*(column.tolist() for column in raw), strict=True))
    assert [each[:2] for each in found] == sorted(each[:2] for each in found)


@given(raw_spans())
@example(stacked(200))
def test_each_cell_has_the_largest_owner_only(raw):
    """Seen to fail when an expired span stays on top, and when a covered span does not come back behind what covers it."""
    start, first, end, owner = single(in_order(raw, HEIGHT, WIDTH))
    cells = np.zeros((HEIGHT, WIDTH), np.uint32)
    for row in range(HEIGHT):
        reach = 0
        for i in range(start[row], start[row + 1]):
            assert reach <= first[i] < end[i]
            reach = end[i]
            cells[row, first[i] : reach] = owner[i] + 1
    assert np.array_equal(cells, burnt(raw))


@given(raw_spans(), st.sampled_from([1, 7, 64, 200]))
@example(stacked(200), 13)
@example(tuple(np.array(column, np.int32) for column in ([0, 0], [2, 6], [14, 7], [0, 1])), 200)
def test_what_is_counted_is_the_same_cells_in_any_order(raw, scale):
    """By bits, over the borders of words, and by sorting where there are too many cells for them.

    Seen to fail without the mask of the first word or the last, with the first span before the last, and where the words
    between are not looked at or not taken.
    """
    by_owner = np.argsort(raw[3], kind="stable")
    rows, first, end, owner = (each[by_owner] for each in raw)
    wide = (rows, first * scale, end * scale, owner)
    expected = np.repeat(burnt(raw), scale, axis=1)
    for settled in (
        apart(wide, HEIGHT, WIDTH * scale),
        count_spans(wide, (0, 0, HEIGHT, WIDTH * scale)),
        count_spans(wide, (0, 0, HEIGHT, 2**20)),
    ):
        found = np.zeros_like(expected)
        for row, here, until, of in zip(*settled, strict=True):
            assert not found[row, here:until].any()
            found[row, here:until] = of + 1
        assert np.array_equal(found, expected)


@given(raw_spans(), st.sampled_from([1, 7, 64]))
@example(stacked(200), 13)
def test_each_cell_is_painted_with_its_largest_owner(raw, scale):
    """Seen to fail when the rest of a span beyond sixteens is left out or starts too far west, where columns
    count from the wrong place, and when the first owner wins.
    """
    by_owner = np.argsort(raw[3], kind="stable")
    rows, first, end, owner = (each[by_owner] for each in raw)
    wide = (rows, first * scale, end * scale, owner)
    raster = np.zeros((HEIGHT + 2, WIDTH * scale + 9), np.uint32)
    paint_spans(wide, (5, 7, HEIGHT, WIDTH * scale), np.arange(1, 12), raster, (4, 3))
    expected = np.pad(np.repeat(burnt(raw), scale, axis=1), ((1, 1), (4, 5)))
    assert np.array_equal(raster, expected)


@pytest.mark.parametrize(("layers", "settled"), [(2, False), (100, True)])
def test_whose_cells_are_is_settled_before_many_spans_are_painted(monkeypatch, layers, settled):
    """Each cell would be written as often as it is covered: a hundred times, here."""
    ways = []
    real = spans.count_spans
    monkeypatch.setattr(spans, "count_spans", lambda *given: ways.append(given) or real(*given))
    owner = np.arange(layers, dtype=np.int32)
    window = np.zeros((1, 640), np.uint32)
    nested = (owner * 0, owner, 640 - owner, owner)
    paint_spans(nested, (0, 0, 1, 640), np.arange(1, layers + 1), window, (0, 0))
    assert bool(ways) == settled
    expected = np.arange(640)
    assert np.array_equal(window[0], np.minimum(np.minimum(expected, expected[::-1]) + 1, layers))


def test_spans_that_overlap_much_are_sorted(monkeypatch):
    """Bits are taken again for each of them: a hundred within each other took 40 times as long as sorting."""
    ways = []
    real = spans.apart
    monkeypatch.setattr(spans, "apart", lambda *given: ways.append(given) or real(*given))
    owner = np.arange(100, dtype=np.int32)
    nested = (owner * 0, owner, np.int32(51_200) - owner, owner)
    beside = (owner * 0, owner * 512, owner * 512 + 512, owner)
    for raw, by_bits in ((nested, 0), (beside, 1)):
        rows, first, end, of = count_spans(raw, (0, 0, 1, 51_200))
        assert len(ways) == by_bits
        assert (rows.tolist(), int((end - first).sum())) == ([0] * len(rows), 51_200)
        assert set(of.tolist()) == set(owner.tolist())


def shuffled(raw):
    """Spans of one owner a cell, in no order at all."""
    start, *columns = single(in_order(raw, HEIGHT, WIDTH))
    mine = (np.repeat(np.arange(HEIGHT, dtype=np.int32), np.diff(start)), *columns)
    some = np.random.default_rng(start[-1]).permutation(start[-1])
    return tuple(each[some] for each in mine)


@given(raw_spans(), raw_spans())
def test_common_cells_equal_a_loop(a, b):
    """Seen to fail when the gap between two spans of b is left out, and when a full table is not enlarged."""
    names_a, names_b = np.arange(9) * 3 + 5, np.arange(9) * 2 + 1
    keys, counts = common_cells(shuffled(a), names_a, single(in_order(b, HEIGHT, WIDTH)), names_b)
    expected = {
        (names_a[i - 1], names_b[j - 1] if j else 0): count
        for (i, j), count in naive.pair_counts(burnt(a), burnt(b)).items()
        if i
    }
    assert as_dict(keys, counts) == expected


@given(raw_spans(), st.integers(0, 13), st.integers(0, 13), st.integers(1, 9))
def test_common_squares_equal_a_loop(a, top, left, factor):
    """Seen to fail when a window starts inside a square, and when a span goes over two borders."""
    columns = (left + WIDTH) // factor + 1
    row, column = np.indices((HEIGHT, WIDTH))
    square = (row + top) // factor * columns + (column + left) // factor + 1
    window = (top, left, HEIGHT, WIDTH)
    keys, counts = common_squares(shuffled(a), np.arange(1, 10), window, factor, columns)
    expected = {pair: n for pair, n in naive.pair_counts(burnt(a), square).items() if pair[0]}
    assert as_dict(keys, counts) == expected


@pytest.mark.parametrize("owners", [1, 5000])
def test_tables_grow(owners):
    """Every cell another pair: far more than a table starts with."""
    width = 5000
    first = np.arange(width, dtype=np.int32)
    a = (first * 0, first, first + 1, first % owners)
    b = in_order((first * 0, first, first + 1, first), 1, width)
    keys, counts = common_cells(a, np.arange(1, owners + 1), b, np.arange(1, width + 1))
    assert len(set(keys.tolist())) == width
    assert counts.tolist() == [1] * width
    window = (0, 0, 1, width)
    keys, counts = common_squares(a, np.arange(1, owners + 1), window, 1, width)
    assert len(set(keys.tolist())) == width


def test_heap_is_used_here():
    """The examples above are longer than what insertion sorts."""
    assert spans_kernels._SHORT < 200


def as_dict(keys, counts) -> dict:
    pairs = zip(
        (keys >> np.uint64(32)).tolist(), (keys & np.uint64(2**32 - 1)).tolist(), strict=True
    )
    return dict(zip(pairs, counts.tolist(), strict=True))
