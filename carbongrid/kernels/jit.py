"""How every kernel is compiled, and the door that its arguments come through."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, DTypeLike, NDArray


def kernel[F: Callable[..., Any]](function: F) -> F:
    """Compile a function on its first call: serial, without the GIL, IEEE arithmetic, cached beside its file."""
    return cast("F", njit(nogil=True, cache=True)(function))


def sealed(values: ArrayLike, dtype: DTypeLike) -> NDArray[Any]:
    """Return a contiguous, read-only view of this dtype, copied only where it must be.

    Kernels take sealed arrays only: Numba compiles anew for every dtype, layout and for read-only arrays.
    """
    view = np.ascontiguousarray(values, dtype=dtype).view()
    view.flags.writeable = False
    return view
