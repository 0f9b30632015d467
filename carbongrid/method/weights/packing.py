"""Claims as a run keeps them: of the parcels that have any, since most carry few of the categories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carbongrid.method.weights.claims import Weights

ARRAYS = ("weight", "inside", "near", "eligible")
OF_SOME = ("length", "by_pois", "silent", "beyond", "missed")
"""Arrays that only some claims have: corrected road lengths, and what follows a raster that is silent on some of the land, or is not read there."""
FACTS = ("rule", "unit", "lost", "per_unit", "note", "unread", "by_area", "counted", "sized")


@dataclass(frozen=True)
class PackedWeights:
    """The claims on one category, without the parcels that are not eligible and have nothing.

    Parameters
    ----------
    size
        Number of all parcels.
    rows : int64, shape (n,)
        Parcels that have something.
    arrays
        Values of :data:`ARRAYS`, and of :data:`OF_SOME` where there are any, in these rows; zero and false elsewhere.
    facts
        The rest of the claims, by name.
    """

    size: int
    rows: NDArray[np.int64]
    arrays: Mapping[str, NDArray[Any]]
    facts: Mapping[str, Any]

    @classmethod
    def of(cls, claims: Weights) -> PackedWeights:
        """Pack claims."""
        dense = {name: getattr(claims, name) for name in ARRAYS}
        dense |= {name: each for name in OF_SOME if (each := getattr(claims, name)) is not None}
        some = np.logical_or.reduce([array != 0 for array in dense.values()])
        rows = np.flatnonzero(some)
        facts = {name: getattr(claims, name) for name in FACTS}
        return cls(some.size, rows, {name: array[rows] for name, array in dense.items()}, facts)

    @property
    def sized(self) -> bool:
        """Whether its points have sizes."""
        # A run of an earlier version knows only whether any POI has a weight.
        return bool(self.facts.get("sized", self.facts["per_unit"] != 1))

    @property
    def by_counts_alone(self) -> bool:
        """Whether it goes by points that all count alike, of which some type stands for it."""
        return self.facts["unit"] == "POI" and not self.sized and not self.facts["by_area"]

    def values(self, name: str, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Return one of the arrays in some rows."""
        dense = np.zeros(self.size, self.arrays[name].dtype)
        dense[self.rows] = self.arrays[name]
        return dense[rows]

    def opened(self, rows: NDArray[np.int64] | None = None) -> Weights:
        """Return the claims again: of all parcels, or of some that are in order and hold those that have something."""
        told: dict[str, Any] = {**self.facts, "sized": self.sized}
        # JSON has no tuples.
        told["counted"] = told["counted"] and tuple(told["counted"])
        place = self.rows if rows is None else np.searchsorted(rows, self.rows)
        for name, array in self.arrays.items():
            told[name] = np.zeros(self.size if rows is None else rows.size, array.dtype)
            told[name][place] = array
        return Weights(**told)
