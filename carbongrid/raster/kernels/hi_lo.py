"""Sums of int64 that cannot wrap: high and low 32 bits apart, so that only the whole sum must fit, whatever its parts were."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_BITS = 32
_LOW = 2**_BITS - 1


def split_hi_lo(sums: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return high and low 32 bits, the low ones not negative: [sum] to [sum, 2]."""
    return np.stack([sums >> _BITS, sums & _LOW], axis=-1)


def carry(added: NDArray[np.int64]) -> NDArray[np.int64]:
    """Put what fewer than 2^31 low halves have added up to beyond 32 bits into the high half."""
    return np.stack([added[..., 0] + (added[..., 1] >> _BITS), added[..., 1] & _LOW], axis=-1)


def combine_hi_lo(parts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return sums of halves, [sum, 2] to [sum].

    Raises
    ------
    OverflowError
        If one leaves int64.
    """
    high, low = np.moveaxis(carry(parts), -1, 0)
    if high.size and (high.min() < -(2 ** (63 - _BITS)) or high.max() >= 2 ** (63 - _BITS)):
        raise OverflowError
    sums: NDArray[np.int64] = (high << _BITS) + low
    return sums
