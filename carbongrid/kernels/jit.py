"""How every kernel is compiled, and the door that its arguments come through."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
from numba import njit
from numba.core.caching import FunctionCache
from numpy.typing import ArrayLike, DTypeLike, NDArray

_SHARED = Path(__file__).with_name("vectors.py").read_bytes()
_STAMP = hashlib.sha256(_SHARED).hexdigest()


class _Cache(FunctionCache):
    """Numba's cache, which knows a kernel's own file only: an edit of what kernels share makes it compile anew, too."""

    def _index_key(self, signature: Any, codegen: Any) -> Any:
        key = super()._index_key(signature, codegen)  # type: ignore[no-untyped-call]
        return (*key, _STAMP)


def kernel[F: Callable[..., Any]](function: F) -> F:
    """Compile a function on its first call: serial, without the GIL, IEEE arithmetic, cached beside its file."""
    compiled: Any = njit(nogil=True)(function)
    if compiled is not function:  # it is where NUMBA_DISABLE_JIT is set
        compiled._cache = _Cache(function)  # type: ignore[no-untyped-call]
    return cast("F", compiled)


def sealed(values: ArrayLike, dtype: DTypeLike) -> NDArray[Any]:
    """Return a contiguous, read-only view of this dtype, copied only where it must be.

    Kernels take sealed arrays only: Numba compiles anew for every dtype, layout and for read-only arrays.
    """
    view = np.ascontiguousarray(values, dtype=dtype).view()
    view.flags.writeable = False
    return view
