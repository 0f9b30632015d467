"""Units with far less land in parcels than the others: what would lie there lies in other units."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from carbongrid.case.readers.inputs import Inputs
from carbongrid.errors import Problem, listed
from carbongrid.pipeline.land import Land

MIN_COVERED = 0.8
"""Of what the parcels cover of the median unit, so much they cover of any whose land they tell as well."""

_TELLS_ALL, _UNITS = 0.9, 5
"""Of a map that leaves out more of the median unit, as of OpenStreetMap, nothing is said here, nor of a few units: none of them is the usual one."""


def units_without_their_land(
    inputs: Inputs, land: Land, far: NDArray[np.bool_]
) -> Iterator[Problem]:
    """Yield a warning of units of which parcels cover far less than of the median one, as where a part of the survey is missing; of those that are told as ``far`` from all other land nothing more is said."""
    area = land.units.geometry.area.to_numpy()
    covered = np.asarray(land.shared_area.sum(axis=0)).ravel() / area
    median = float(np.median(covered))
    few = np.flatnonzero((covered < MIN_COVERED * median) & ~far)
    if not few.size or median < _TELLS_ALL or covered.size < _UNITS:
        return
    order = few[np.argsort(covered[few], kind="stable")]
    names = land.units["id"].to_numpy(object)
    which = listed(f"{names[row]} ({covered[row]:.0%})" for row in order)
    what = f"parcels cover far less of {few.size:,} of {len(names):,} units than of the median one, {median:.0%}: {which}"
    hint = "Check that all parcels are there: what belongs on missing land lies in other units. Of sea and lakes that no parcel tells nothing is wrong."
    yield Problem(what, inputs.case.parcels.path, hint, "warning")
