"""Blocks of rows on threads: the same as all rows at once, in their order, and faults come home."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from carbongrid import row_blocks
from carbongrid.row_blocks import each_block, in_blocks, replace_in_blocks


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


def test_results_come_in_order_few_ahead_and_in_other_threads() -> None:
    begun: list[int] = []
    threads = set()

    def work(number: int) -> int:
        begun.append(number)
        threads.add(threading.get_ident())
        return number

    results = each_block(work, iter(range(1000)))
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    assert len(begun) < 100
    assert list(results) == list(range(3, 1000))
    assert threading.get_ident() not in threads


def test_a_fault_in_a_block_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        list(each_block(lambda number: 1 // number, [2, 1, 0, 3]))
