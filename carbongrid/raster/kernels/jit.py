"""How every kernel is compiled, and the form that its arguments are brought to."""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numba
import numpy as np
from numba import types
from numba.core.registry import CPUDispatcher
from numpy.typing import ArrayLike, DTypeLike, NDArray

from carbongrid.raster.kernels.cache import KernelCache

_SHARED = [
    Path(__file__).with_name(name).read_bytes()
    for name in ("bins.py", "jit.py", "memory.py", "vectors.py")
]
_STAMP = hashlib.sha256(b"".join(_SHARED)).hexdigest()


class _Compiled(CPUDispatcher):
    """What Numba compiles on its first call."""

    def compile(self, sig: Any) -> Any:
        """Compile for these arguments without looking for garbage: that takes an eighth of the time and finds little."""
        collects = gc.isenabled()
        gc.disable()
        try:
            return super().compile(sig)
        finally:
            if collects:
                gc.enable()

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """Take any signed whole number from another kernel as int64, or int32 and each constant are compiled for anew."""
        return super().get_call_template(tuple(map(_as_passed, args)), kws)


class _Part(_Compiled):
    """What is called from compiled code only; Python runs its body."""

    def __call__(self, *args: Any) -> Any:
        return self.py_func(*args)


class _OnGivenArrays(_Part):
    """What counts no references: an array that it returned could be freed while it is read."""

    def compile(self, sig: Any) -> Any:
        """Compile for these arguments; refuse a result that may hold an array."""
        compiled = super().compile(sig)
        results = [each.signature.return_type for each in self.overloads.values()]  # type: ignore[attr-defined]
        if not all(map(_holds_no_array, results)):
            raise TypeError(f"{self.py_func.__qualname__} may return an array without counting a reference to it")  # fmt: skip
        return compiled


def _holds_no_array(kind: Any) -> bool:
    if isinstance(kind, types.BaseTuple):
        return all(_holds_no_array(each) for each in kind.types)  # type: ignore[attr-defined]
    return isinstance(kind, types.Number | types.Boolean | types.NoneType)


def _as_passed(kind: Any) -> Any:
    kind = types.unliteral(kind)
    return types.int64 if kind in types.signed_domain else kind


def kernel[F: Callable[..., Any]](function: F) -> F:
    """Compile a function on its first call: serial, without the GIL, IEEE arithmetic, kept for the next process (:mod:`carbongrid.raster.kernels.cache`)."""
    return _compiled(_Compiled, function, _nrt=True)


def in_place[F: Callable[..., Any]](function: F) -> F:
    """Compile a part of kernels of the same file that makes no array and returns none: a loop over arrays that others made.

    No references are counted in it. Numba does so atomically for each array at each use that LLVM cannot see through, which was three
    quarters of the time of :func:`carbongrid.raster.kernels.coverage.cover_runs`.
    """
    return _compiled(_OnGivenArrays, function, no_cpython_wrapper=True, _nrt=False)


def helper[F: Callable[..., Any]](function: F) -> F:
    """Compile what only kernels of the same file call, as :func:`in_place`, and put it into them.

    Without a way in from Python, which costs as much as a small function.
    """
    return _compiled(_OnGivenArrays, function, no_cpython_wrapper=True, forceinline=True, _nrt=False)  # fmt: skip


def maker[F: Callable[..., Any]](function: F) -> F:
    """Compile a helper that makes arrays or returns some, and put it into the kernels that call it."""
    return _compiled(_Part, function, no_cpython_wrapper=True, forceinline=True, _nrt=True)


def _compiled[F: Callable[..., Any]](kind: type[_Compiled], function: F, **options: bool) -> F:
    if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
        return function
    # Nor a way in from C, which nobody uses.
    targets = {"nopython": True, "nogil": True, "no_cfunc_wrapper": True, **options}
    compiled: Any = kind(function, targetoptions=targets)
    compiled._cache = KernelCache(function, _STAMP)
    return cast("F", compiled)


def as_readonly_contiguous(values: ArrayLike, dtype: DTypeLike) -> NDArray[Any]:
    """Return a contiguous, read-only view of this dtype, copied only where it must be.

    Kernels take such arrays only: Numba compiles anew for every dtype and layout, and for arrays that may be written.
    """
    view = np.ascontiguousarray(values, dtype=dtype).view()
    view.flags.writeable = False
    return view
