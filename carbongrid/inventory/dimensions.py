"""A dimension that can be computed with: a term's function, called with these, says what its result would be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from carbongrid.errors import InputError
from carbongrid.inventory.factors.units import Dimension, dimension_name, product_dimension


@dataclass(frozen=True, eq=False)
class Measure:
    """A stand-in for a number: products multiply dimensions, sums need equal ones."""

    dimension: Dimension

    def __mul__(self, other: Any) -> Measure:
        return Measure(product_dimension((self.dimension, 1), (_of(other), 1)))

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Measure:
        return Measure(product_dimension((self.dimension, 1), (_of(other), -1)))

    def __add__(self, other: Any) -> Measure:
        if _of(other) != self.dimension:
            mine, theirs = dimension_name(self.dimension), dimension_name(_of(other))
            raise InputError(f"{mine} and {theirs} cannot be added up")
        return self

    __radd__ = __sub__ = __rsub__ = __add__

    def __pow__(self, other: Any) -> Measure:
        return self.__add__(1)

    def __neg__(self) -> Measure:
        return self

    def __ge__(self, other: Any) -> Measure:
        return self.__add__(other)

    def __float__(self) -> float:
        """Stand for any exponent, which must be a plain number."""
        self.__add__(1)
        return 1.0


def _of(other: Any) -> Dimension:
    return other.dimension if isinstance(other, Measure) else ()
