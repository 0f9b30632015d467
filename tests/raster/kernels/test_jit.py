"""What is compiled how often, and from where it can be called."""

from __future__ import annotations

import ast
import gc
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba import types
from numba.core.caching import NullCache

from carbongrid.raster import kernels
from carbongrid.raster.kernels import jit


@jit.helper
def _doubled(number: Any, label: Any) -> Any:
    return 2 * number + (label > 0)


@jit.kernel
def _from_anywhere(numbers: Any, labels: Any) -> Any:
    return (
        _doubled(numbers[0], labels[0]),
        _doubled(3, labels[0]),
        _doubled(numbers.size, labels[0]),
    )


compiled = pytest.mark.skipif(not hasattr(_doubled, "py_func"), reason="nothing is compiled")


@compiled
def test_whole_numbers_of_all_kinds_are_compiled_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail, with three versions, without the door."""
    # What was compiled in an earlier run would need nothing of it.
    monkeypatch.setattr(_from_anywhere, "_cache", NullCache())
    found = _from_anywhere(np.array([-(2**31)], np.int32), np.array([2**32 - 1], np.uint32))
    assert found == (1 - 2**32, 7, 3)
    assert len(_doubled.signatures) == 1  # type: ignore[attr-defined]


def test_python_runs_the_body_of_a_helper() -> None:
    """It would crash without: a helper has no way in."""
    assert _doubled(21, np.uint32(1)) == 43


@jit.in_place
def _sum_of_slices(pair: Any, into: Any) -> None:
    first, second = pair
    for i in range(into.size):
        part = first[i:]
        into[i] = part[0] + second[: i + 1][i] if i % 2 else first[i]


@jit.kernel
def _sums_of_slices(numbers: Any) -> Any:
    into = np.empty(numbers.size)
    _sum_of_slices((numbers, into), into)
    return into


@compiled
def test_loops_over_given_arrays_count_no_references(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail with ``kernel`` in the place of ``in_place``, where five places count."""
    monkeypatch.setattr(_sums_of_slices, "_cache", NullCache())
    monkeypatch.setattr(_sum_of_slices, "_cache", NullCache())
    _sums_of_slices(np.arange(4.0))
    (code,) = _sum_of_slices.inspect_llvm().values()  # type: ignore[attr-defined]
    own = code.partition("define linkonce_odr void @NRT")[0]
    assert "call void @NRT_" not in own


@compiled
@pytest.mark.parametrize("part", [jit.helper, jit.in_place])
def test_what_counts_no_references_returns_no_array(part: Any) -> None:
    """What it returned would be freed while somebody reads it. Seen to fail without the check."""
    slice_of = part(lambda numbers: (1, numbers[1:]))
    perhaps = part(lambda numbers: numbers if numbers[0] > 0 else None)
    for function in (slice_of, perhaps):
        with pytest.raises(TypeError, match="may return an array"):
            function.compile((types.float64[::1],))


@compiled
@pytest.mark.parametrize("collects", [True, False])
def test_garbage_is_looked_for_again_after_compiling(collects: bool) -> None:
    """Whatever comes of it; seen to fail if it were left off."""
    fault = jit.kernel(lambda _: no_such_name)  # type: ignore[name-defined] # noqa: F821
    (gc.enable if collects else gc.disable)()
    try:
        with pytest.raises(Exception, match="no_such_name"):
            fault(1)
        assert gc.isenabled() == collects
    finally:
        gc.enable()


# Every kept entry is stamped with these, so that an edit there is seen.
_STAMPED = {"bins", "jit", "memory", "vectors"}


def test_helpers_are_called_by_kernels_of_their_own_file_only() -> None:
    """Or they are in a file that every entry is stamped with: Numba's cache does not see an edit in another one. Seen to fail with a helper imported from a neighbour."""
    folder = Path(kernels.__file__).parent
    assert hashlib.sha256(b"".join((folder / f"{name}.py").read_bytes() for name in sorted(_STAMPED))).hexdigest() == jit._STAMP  # fmt: skip
    trees = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in folder.glob("*.py")}
    of_all = set().union(*(_decorated(trees[name], "helper", "in_place", "maker") for name in _STAMPED))  # fmt: skip
    found = len(of_all)
    for name, tree in trees.items():
        helpers = _decorated(tree, "helper", "in_place", "maker")
        found += len(helpers - of_all)
        assert name in _STAMPED or all(helper.startswith("_") for helper in helpers), name
        # References of what it made would be counted nowhere.
        makers = _decorated(tree, "maker", "kernel")
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef):
                continue
            called = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
            uses = called & (helpers | of_all)
            assert not uses or node.decorator_list, f"{name}.{node.name} calls a helper from Python"
            if node.name in _decorated(tree, "helper", "in_place"):
                assert not called & makers, f"{name}.{node.name} calls what makes arrays"
        imported = [
            (node.module.rpartition(".")[2], alias.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("carbongrid.raster.kernels.")
            for alias in node.names
        ]  # fmt: skip
        assert not any(each.startswith("_") for _, each in imported), name
        # Nor an edit of a number. Seen to fail with bins that were counted in a file of their own.
        numbers = [each for source, each in imported if source not in _STAMPED and each.isupper()]
        assert not numbers, f"{name} imports {numbers}"
    assert found > 30


def _decorated(tree: ast.Module, *by: str) -> set[str]:
    """Return the functions of a file that are decorated with one of these alone."""
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and [ast.unparse(each) for each in node.decorator_list] in [[each] for each in by]
    }
