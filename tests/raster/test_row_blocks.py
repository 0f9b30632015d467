"""Blocks of rows on threads: the same as all rows at once, in their order, and faults come home."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import shapely
from waiting import HANG

from carbongrid.raster import row_blocks
from carbongrid.raster.row_blocks import (
    each_block,
    in_blocks,
    pairs_in_blocks,
    replace_in_blocks,
)


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


@pytest.mark.parametrize(("predicate", "distance"), [("intersects", None), ("dwithin", 5.0)])
@pytest.mark.parametrize("size", [0, 1, 7, 50])
def test_a_tree_asked_in_blocks_answers_as_at_once(size: int, predicate: str, distance: float | None, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(row_blocks, "_ASKED", 7)
    x, y = np.random.default_rng(size).uniform(0, 100, (2, size))
    tree = shapely.STRtree(shapely.points(*np.mgrid[:100:5, :100:5].reshape(2, -1)))
    boxes = np.asarray(shapely.box(x, y, x + 9, y + 9), dtype=object)
    expected = tree.query(boxes, predicate=predicate, distance=distance)
    found = pairs_in_blocks(tree, boxes, predicate=predicate, distance=distance)
    assert np.array_equal(found, expected)


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


def test_after_ctrl_c_what_stands_in_line_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail: whoever pressed it waited for all of that."""
    monkeypatch.setattr(row_blocks, "_cores", lambda: 2)
    at_work, go_on, begun = threading.Semaphore(0), threading.Event(), []

    def work(number: int) -> None:
        begun.append(number)
        at_work.release()
        assert go_on.wait(HANG)

    class Line(deque[Any]):
        """What waits, and a user who presses Ctrl-C while the first of it is asked for."""

        def popleft(self) -> Any:
            for _ in range(2):
                assert at_work.acquire(timeout=HANG)
            raise KeyboardInterrupt

    class Pool(ThreadPoolExecutor):
        """Work goes on when the pool has been told to end."""

        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(False, cancel_futures=cancel_futures)
            go_on.set()
            super().shutdown(wait)

    monkeypatch.setattr(row_blocks, "deque", Line)
    monkeypatch.setattr(row_blocks, "ThreadPoolExecutor", Pool)
    with pytest.raises(KeyboardInterrupt):
        list(each_block(work, range(3)))
    assert sorted(begun) == [0, 1]


def test_what_is_being_worked_on_ends_where_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of blocks, too: when the outer ones are left, the inner ones go on no more. Seen to fail when a pool tells its own threads alone."""
    monkeypatch.setattr(row_blocks, "_cores", lambda: 2)
    inside, ended = threading.Event(), []

    def inner(_: int) -> None:
        inside.set()
        with pytest.raises(CancelledError):
            while True:
                row_blocks.go_on()
        ended.append("inner")

    def outer(number: int) -> None:
        if number:
            with pytest.raises(CancelledError):
                for _ in each_block(inner, iter(range(10**9))):
                    row_blocks.go_on()
            ended.append("outer")

    made = each_block(outer, [0, 1])
    assert next(made) is None
    assert inside.wait(HANG)
    made.close()
    assert ended.count("outer") == 1
    assert 1 <= ended.count("inner") <= 2
    row_blocks.go_on()  # nobody waits in vain for this thread


def test_ctrl_c_beside_what_is_worked_on_ends_it() -> None:
    """Nothing else is begun. Seen to fail when whoever pressed it waits for all of it."""
    inside, begun, ended = threading.Event(), [], []

    def work(number: int) -> None:
        begun.append(number)
        inside.set()
        with pytest.raises(CancelledError):
            while True:
                row_blocks.go_on()
        ended.append(number)

    with pytest.raises(KeyboardInterrupt), row_blocks.meanwhile(work, [1, 2]):
        assert inside.wait(HANG)
        raise KeyboardInterrupt
    assert begun == ended == [1]


def test_an_error_beside_what_is_worked_on_waits_for_it() -> None:
    inside, left, done = threading.Event(), threading.Event(), []

    def work(number: int) -> None:
        inside.set()
        assert left.wait(HANG)
        done.append(number)

    def leave() -> None:
        with row_blocks.meanwhile(work, [1, 2]):
            assert inside.wait(HANG)
            left.set()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        leave()
    assert done == [1, 2]


def test_ctrl_c_while_an_error_waits_for_what_is_worked_on_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """Seen to fail: it went on, without the run's lock after a second Ctrl-C."""
    inside, ended = threading.Event(), []

    def work(number: int) -> None:
        inside.set()
        with pytest.raises(CancelledError):
            while True:
                row_blocks.go_on()
        ended.append(number)

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    def leave() -> None:
        with row_blocks.meanwhile(work, [1, 2]):
            assert inside.wait(HANG)
            raise ZeroDivisionError

    monkeypatch.setattr(row_blocks, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        leave()
    assert ended == [1]


def test_what_is_of_use_to_the_block_alone_ends_with_it() -> None:
    """And nobody is told of its errors."""
    inside, ended = threading.Event(), []

    def work(number: int) -> None:
        inside.set()
        while True:
            try:
                row_blocks.go_on()
            except CancelledError:
                ended.append(number)
                raise

    with row_blocks.meanwhile(work, [1, 2], spare=True):
        assert inside.wait(HANG)
    assert ended == [1]


def test_a_fault_of_what_is_worked_on_is_told_as_soon_as_somebody_asks() -> None:
    """Seen to fail: whoever had hours of other work was told at its end."""
    failed = threading.Event()

    def fail(_: int) -> None:
        failed.set()
        raise OSError("no such disk")

    def work() -> None:
        with row_blocks.meanwhile(fail, [1]) as require_none_failed:
            assert failed.wait(HANG)
            while True:  # until the pool has put down what was raised
                require_none_failed()

    with pytest.raises(OSError, match="no such disk"):
        work()


def test_nothing_is_told_of_what_is_worked_on_still() -> None:
    left = threading.Event()
    with row_blocks.meanwhile(lambda _: left.wait(HANG), [1]) as require_none_failed:
        require_none_failed()
        left.set()


def test_a_fault_that_another_one_hides_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: int) -> None:
        raise OSError("no such disk")

    def work() -> None:
        with row_blocks.meanwhile(fail, [1]):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert "no such disk" in caplog.text


def test_a_fault_of_what_is_worked_on_comes_home() -> None:
    with pytest.raises(ZeroDivisionError), row_blocks.meanwhile(lambda number: 1 // number, [1, 0]):
        pass
