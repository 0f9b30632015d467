"""How every kernel is compiled: serial, without the GIL, cached, with IEEE arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from numba import njit


def kernel[F: Callable[..., Any]](function: F) -> F:
    """Compile a function on its first call; the machine code is cached beside its file."""
    return cast("F", njit(nogil=True, cache=True)(function))
