"""The parcels' claims on a category, and what became of the evidence that they are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEARLY_ALIKE = 0.9
"""Points whose sizes say no more than as many would that count alike are at least this part of all points (:func:`count_alike`)."""

Weight = NDArray[np.int64] | NDArray[np.float64]


@dataclass(frozen=True)
class Weights:
    """The parcels' claims on one category.

    Parameters
    ----------
    weight : int64 or float64, shape (parcels,)
        Zero outside the eligible parcels.
    rule
        The category's weight rule.
    unit
        Unit of the quantities below, for the ledger.
    inside, near : int64, shape (parcels,)
        Evidence inside the parcel, and outside that came to it by the nearest rule, in quanta.
    lost
        Evidence that reached no parcel, in quanta.
    eligible : bool, shape (parcels,)
        Parcels of the category's territorial types.
    per_unit
        Quanta of one unit.
    note
        What is odd, in words; else empty.
    by_area
        Whether the category goes by area, as its rule, where nothing has a weight: no line of its mode lies on its land, or the
        crosswalk has no type of POI of it.
    counted
        Evidence that was given, used and lost, counted each by itself, in quanta, where that is not what lies inside, near and
        nowhere: of people on all homes together, of a raster on all parcels.
    length, by_pois : float64, shape (parcels,)
        Of corrected road lengths what they are blended of (:func:`blended_lengths`); None under other rules.
    silent : float64, shape (parcels,)
        Of each eligible parcel the m2 of which the evidence says nothing, neither something nor zero; None where it says something of all.
    beyond : float64, shape (parcels,)
        What of it cannot mean that there is nothing: of people, whose rasters leave out cells where nobody lives, what lies off theirs.
    missed : float64, shape (parcels,)
        Of each eligible parcel that no cell's centre hits its m2: a raster of weights is not read there; None where there is no such parcel.
    unread
        That in words.
    sized
        Whether its points have sizes: not where they :func:`count_alike`.
    """

    weight: Weight
    rule: str
    unit: str
    inside: NDArray[np.int64]
    near: NDArray[np.int64]
    lost: int
    eligible: NDArray[np.bool_]
    per_unit: int = 1
    note: str = ""
    by_area: bool = False
    counted: tuple[int, int, int] | None = None
    length: NDArray[np.float64] | None = None
    by_pois: NDArray[np.float64] | None = None
    silent: NDArray[np.float64] | None = None
    beyond: NDArray[np.float64] | None = None
    missed: NDArray[np.float64] | None = None
    unread: str = ""
    sized: bool = False

    @property
    def fate(self) -> tuple[int, int, int]:
        """Evidence that was given, used and lost, in quanta (docs/decisions/0037)."""
        if self.counted is not None:
            return self.counted
        used = int(self.inside.sum()) + int(self.near.sum())
        return used + self.lost, used, self.lost

    @property
    def by_counts_alone(self) -> bool:
        """Whether it goes by points that all count alike, of which some type stands for it."""
        return self.unit == "POI" and not self.sized and not self.by_area

    @property
    def placed(self) -> int:
        """Evidence inside eligible parcels, the whole category's, in whole units."""
        return _whole(int(self.inside.sum()), self.per_unit)

    @property
    def snapped(self) -> int:
        """Evidence that the nearest rule placed, the whole category's, in whole units."""
        return _whole(int(self.near.sum()), self.per_unit)

    @property
    def unplaced(self) -> int:
        """Evidence that reached no parcel, in whole units."""
        return _whole(self.lost, self.per_unit)

    def of_region(self, here: NDArray[np.int64]) -> tuple[int, int]:
        """Return placed and snapped evidence of some parcels (their rows), in whole units."""
        placed, snapped = int(self.inside[here].sum()), int(self.near[here].sum())
        return _whole(placed, self.per_unit), _whole(snapped, self.per_unit)


def count_alike(quanta: NDArray[np.int64], per_unit: int) -> bool:
    """Whether points count alike, or so nearly that no size is in it: (sum w)^2 / sum w^2, the number of alike points that would tell as much, is above 0.9 of theirs.

    A point that is alone counts alike if it counts 1. Points that count nothing are none.

    Parameters
    ----------
    quanta
        Of each point.
    per_unit
        Quanta of a point that counts 1.
    """
    counting = quanta[quanta > 0].astype(np.float64)
    if counting.size < 2:
        return bool((counting == per_unit).all())
    return bool(counting.sum() ** 2 > NEARLY_ALIKE * counting.size * (counting**2).sum())


def _whole(quanta: int, per_unit: int) -> int:
    """Return quanta as whole units, rounded half even."""
    whole, rest = divmod(quanta, per_unit)
    return whole + (2 * rest > per_unit or (2 * rest == per_unit and whole % 2 == 1))
