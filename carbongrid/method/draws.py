"""Random numbers that depend on what they are for, never on the order in which they are asked for."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

NORMAL_95 = 1.959963984540054
"""Half of a normal distribution's 95 % interval, in standard deviations."""


def sigma_of_percent(percent: float) -> float:
    """Return the standard deviation of the logarithm whose 97.5 % point is ``percent`` above the median."""
    return math.log1p(percent / 100) / NORMAL_95


class Stream:
    """Numbers of one seed for one thing, by draw.

    Parameters
    ----------
    seed
        The same seed gives the same numbers.
    source, name
        What they are for, such as ``weights`` and a category.

    Notes
    -----
    Philox is a counter: its key is a hash of seed, source and name, its counter begins with the number of the draw. So a draw is the same in any chunk, thread
    or process, more draws leave the first as they are, and another source switched off leaves this one alone.
    """

    def __init__(self, seed: int, source: str, name: str) -> None:
        text = f"{seed}\n{source}\n{name}".encode()
        self._key = np.frombuffer(hashlib.sha256(text).digest()[:16], dtype="<u8")

    def _generators(self, draws: range) -> Iterator[np.random.Generator]:
        """Yield the generator of each draw: one, its counter moved, since to make one takes longer than what most draws need of it."""
        bits = np.random.Philox(key=self._key)
        generator = np.random.Generator(bits)
        state: Any = bits.state
        counter = state["state"]["counter"]
        for draw in draws:
            counter[3] = draw
            bits.state = state
            yield generator

    def normal(self, draws: range, size: int) -> NDArray[np.float32]:
        """Return standard normal numbers of some draws, float32, shape (draws, size)."""
        found = np.empty((len(draws), size), np.float32)
        for row, generator in zip(found, self._generators(draws), strict=True):
            generator.standard_normal(dtype=np.float32, out=row)
        return found

    def normals(self, draws: int, size: int) -> NDArray[np.float64]:
        """Return standard normal numbers, shape (draws, size): row d is that of draw d."""
        return self.normal(range(draws), size).astype(np.float64)

    def lognormals(
        self, draws: int, size: int, sigma: float | NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return factors exp(sigma*z - sigma^2/2), whose mean is 1; exactly 1 where sigma is 0."""
        factors: NDArray[np.float64] = np.exp(
            sigma * self.normals(draws, size) - np.square(sigma) / 2
        )
        return factors

    def whole(self, draws: int, below: int) -> NDArray[np.int64]:
        """Return whole numbers 0 to below - 1, shape (draws,), one for each draw."""
        return np.array(
            [each.integers(below) for each in self._generators(range(draws))], np.int64
        ).reshape(draws)
