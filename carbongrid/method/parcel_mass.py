"""Mass on parcels as a run holds it: of the parcels that have some, since most carry few of the categories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class ParcelMass:
    """Grams of one category.

    Parameters
    ----------
    rows : int64, shape (n,)
        Parcels that have some, in their order; a parcel that is left out has none.
    grams : int64, shape (n,)
        Theirs.
    """

    rows: NDArray[np.int64]
    grams: NDArray[np.int64]

    @classmethod
    def of(cls, grams: NDArray[np.int64]) -> ParcelMass:
        """Leave out the parcels that have none, of grams for every parcel."""
        rows = np.flatnonzero(grams)
        return cls(rows, grams[rows])

    @property
    def total(self) -> int:
        """Grams on all parcels."""
        return int(self.grams.sum())

    def add_to(self, grams: NDArray[np.int64]) -> None:
        """Add to grams for every parcel, in place."""
        grams[self.rows] += self.grams
