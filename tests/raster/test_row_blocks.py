"""Blocks of rows on threads: the same as all rows at once, in their order, and faults come home."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from carbongrid.raster import row_blocks
from carbongrid.raster.row_blocks import each_block, in_blocks, replace_in_blocks


@pytest.mark.parametrize("size", [0, 1, 6, 7, 8, 50])
def test_blocks_cover_every_row_once(size: int) -> None:
    blocks = row_blocks.row_blocks(size, 7)
    assert [row for rows in blocks for row in range(size)[rows]] == list(range(size))
    assert blocks


@pytest.mark.parametrize("size", [0, 5, 6, 100])
def test_in_blocks_is_the_same_as_at_once(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        row_blocks,
        "row_blocks",
        lambda n: [slice(i, min(i + 6, n)) for i in range(0, n, 6)] or [slice(0, 0)],
    )
    values, factor = np.arange(size) * 1.5, np.arange(size)[::-1]
    assert np.array_equal(in_blocks(np.multiply, values, factor), values * factor)
    replaced = values.copy()
    replace_in_blocks(replaced, np.sqrt)
    assert np.array_equal(replaced, np.sqrt(values))


@pytest.mark.parametrize(("ahead", "most"), [(8, 3), (2, 2), (1, 1)])
def test_results_come_in_order_few_ahead_and_in_other_threads(
    ahead: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Caught: twice as many results waiting as there are threads, and one more."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    threads, taken = set(), 0

    def blocks() -> Iterator[int]:
        nonlocal taken
        for taken in range(1, 301):
            yield taken - 1

    def work(number: int) -> int:
        threads.add(threading.get_ident())
        return number

    for expected, found in enumerate(each_block(work, blocks(), ahead)):
        assert found == expected
        # Whatever was taken before this one has been asked for; this one is held by whoever asks.
        assert taken - expected == min(most + 1, 300 - expected)
    assert taken == 300
    assert threading.get_ident() not in threads
    assert len(threads) <= most


def test_a_fault_in_a_block_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        list(each_block(lambda number: 1 // number, [2, 1, 0, 3]))
