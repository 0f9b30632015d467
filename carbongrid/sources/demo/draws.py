"""Random integers and integer noise, the same on every machine.

Everything is made from the raw bits of PCG64, whose stream NumPy promises to keep; the methods of ``Generator`` may
change between versions. No floating-point number takes part, so nothing depends on a rounding.
"""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

UNIT = 1 << 16
"""Noise lies in [0, UNIT)."""

_STEP_BITS = 12


class Draws:
    """A stream of random integers of its own for every purpose, so that one more draw here moves nothing there."""

    def __init__(self, seed: int, purpose: str) -> None:
        self._bits = np.random.PCG64([seed, zlib.crc32(purpose.encode())])

    def below(self, bound: int, count: int) -> Ints:
        """Return integers in [0, bound), shape (count,); bound is at most 2^32."""
        high = self._bits.random_raw(count).astype(np.uint64) >> np.uint64(32)
        return ((high * np.uint64(bound)) >> np.uint64(32)).astype(np.int64)

    def between(self, low: int, high: int, count: int) -> Ints:
        """Return integers in [low, high), shape (count,)."""
        return low + self.below(high - low, count)

    def order(self, count: int) -> Ints:
        """Return a random permutation of range(count)."""
        return np.argsort(self._bits.random_raw(count), kind="stable")


def noise(x: Ints, y: Ints, pitch: int, draws: Draws) -> Ints:
    """Return smooth value noise in [0, UNIT) at the points, shape of x; coordinates are above -2 * pitch.

    The values of a square lattice of this pitch, joined by the cubic 3s^2 - 2s^3; its slope is at most
    1.5 * UNIT / pitch.
    """
    column, s = _step(x, pitch)
    row, t = _step(y, pitch)
    width, height = int(column.max()) + 2, int(row.max()) + 2
    values = draws.below(UNIT, width * height)
    corner = row * width + column
    south = _between(values[corner], values[corner + 1], s)
    north = _between(values[corner + width], values[corner + width + 1], s)
    return _between(south, north, t)


def _step(coordinate: Ints, pitch: int) -> tuple[Ints, Ints]:
    shifted = coordinate + 2 * pitch
    index = shifted // pitch
    s = ((shifted - index * pitch) << _STEP_BITS) // pitch
    return index, (s * s * ((3 << _STEP_BITS) - 2 * s)) >> (2 * _STEP_BITS)


def _between(low: Ints, high: Ints, step: Ints) -> Ints:
    return low + (((high - low) * step) >> _STEP_BITS)


def wobble(x: Ints, y: Ints, pitch: int, reach: int, draws: Draws) -> Ints:
    """Return noise of this pitch in [-reach, reach]."""
    return ((noise(x, y, pitch, draws) - UNIT // 2) * reach) // (UNIT // 2)


def nearest_seed(x: Ints, y: Ints, pitch: int, draws: Draws) -> Ints:
    """Return the nearest seed of a jittered lattice, one in each square of this side, by chessboard distance.

    Seeds are numbers, the shape is that of x; ties go to the seed looked at first.
    """
    column, row = x // pitch + 2, y // pitch + 2
    width, height = int(column.max()) + 3, int(row.max()) + 3
    seed_x = draws.below(pitch, width * height) + (np.arange(width * height) % width - 2) * pitch
    seed_y = draws.below(pitch, width * height) + (np.arange(width * height) // width - 2) * pitch
    home = row * width + column
    best = np.full(x.shape, np.iinfo(np.int64).max)
    owner = np.zeros(x.shape, dtype=np.int64)
    for step in (0, 1, -1, width, -width, width + 1, width - 1, 1 - width, -1 - width):
        candidate = home + step
        distance = np.maximum(np.abs(x - seed_x[candidate]), np.abs(y - seed_y[candidate]))
        closer = distance < best
        best = np.where(closer, distance, best)
        owner = np.where(closer, candidate, owner)
    return owner
