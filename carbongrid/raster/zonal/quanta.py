"""Values as whole numbers of quanta: their sums are exact, so they do not depend on chunks or threads."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from carbongrid.errors import InputError
from carbongrid.raster.chunked.arrays import reduce_blocks, reduce_later
from carbongrid.raster.georeference import inside
from carbongrid.raster.nodata import Unknown
from carbongrid.raster.zonal.rasters import sum_dtype

_CELL_BITS = 39
_SUM_BITS = 61
# Smaller ones have no finite number of quanta per unit.
_LEAST = 2.0**-1022


def quantum_of(values: Any) -> float:
    """Return the power of two that values should be rounded to before they are summed.

    Parameters
    ----------
    values : real [y, x]
        Read once; what is unknown is left out.

    Returns
    -------
    float
        The largest value is below 2^39 quanta and the sum of all below 2^61; 1 where there is nothing but 0.

    Raises
    ------
    InputError
        If a value is infinite.
    """
    return _proposed(reduce_blocks(*_largest(values)), inside(values).size)


def quantum_later(values: Any) -> Any:
    """Return what ``quantum_of`` returns of lazy values as a Dask delayed; nothing is read before it is computed."""
    largest, merge, data = _largest(values)
    finish = functools.partial(_proposed, size=data.size)
    return reduce_later(largest, merge, finish, data, again=True)


def _largest(values: Any) -> tuple[Callable[..., float], Callable[[list[float]], float], Any]:
    """Return how the largest absolute value is found: a partial, a merge, and the array."""
    data = inside(values)
    sum_dtype(data.dtype)
    return functools.partial(_largest_in, Unknown.of(values)), max, data


def _proposed(largest: float, size: int) -> float:
    if math.isinf(largest):
        raise InputError("a value is infinite")
    if largest == 0:
        return 1.0
    magnitude = math.frexp(largest)[1]
    cells = max(size - 1, 1).bit_length()
    return max(math.ldexp(1.0, magnitude - min(_CELL_BITS, _SUM_BITS - cells)), _LEAST)


def scale_of(quantum: float | None) -> float | None:
    """Return quanta per unit.

    Raises
    ------
    InputError
        If the quantum is not a positive number.
    """
    if quantum is None:
        return None
    if not (quantum > 0 and math.isfinite(quantum) and math.isfinite(1 / quantum)):
        raise InputError(f"a quantum must be a positive number, not {quantum}")
    return 1 / float(quantum)


def too_large() -> InputError:
    """Return what to raise where a sum would leave int64."""
    return InputError(
        "a value is infinite, or the values are too large to be summed exactly as int64",
        hint="Take a larger quantum= (quantum_of proposes one), or floats without one.",
    )


def refusing[T](function: Callable[..., T], *arguments: Any, **named: Any) -> T:
    """Return function(*arguments, **named), and say what to do where an exact sum leaves int64: a task's error reaches the user as it is.

    Raises
    ------
    InputError
        If so.
    """
    try:
        return function(*arguments, **named)
    except OverflowError as error:
        raise too_large() from error


def _largest_in(unknown: Unknown, values: Any) -> float:
    known = np.abs(unknown.as_zero(values).astype(np.float64, copy=False))
    return float(np.fmax.reduce(known, axis=None, initial=0.0))
