"""Land that lies far from all other, as by a digit that was typed wrong: the grid reaches as far, and it is said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from carbongrid.case.readers.inputs import Inputs
from carbongrid.errors import Problem, listed
from carbongrid.pipeline.land import Land

_FEW = 0.005
"""Part of the parcels, on each side, that may be the few that lie apart from the others."""

_MANY = 20
"""Of so many parcels one on each side may be such a one."""

_MIN_FAR = 10_000.0
"""Metres from which on land is far: units reach over bays and lakes that are no parcels."""

_LISTED = 5

Boxes = NDArray[np.float64]


@dataclass(frozen=True)
class FarLand:
    """Which land lies far from all other.

    Parameters
    ----------
    parcels, units : bool, shape (parcels,), (units,)
        Which parcels, that lie in no unit, and which units do.
    rest, whole : float64, shape (4,)
        The box around all other land, and around all land.
    """

    parcels: NDArray[np.bool_]
    units: NDArray[np.bool_]
    rest: Boxes
    whole: Boxes

    @classmethod
    def of(cls, land: Land) -> FarLand:
        """Find the parcels and units that reach beyond the land by more than that is wide."""
        parcels, units = _boxes(land)
        few = max(_FEW, 1 / (len(parcels) - 1)) if len(parcels) >= _MANY else 0.0
        lost = (land.unit_of_parcel < 0) & _is_far(parcels, _around(parcels, few))
        astray = _is_far(units, _around(parcels[~lost]))
        rest = _around(np.concatenate([parcels[~lost], units[~astray]]))
        return cls(lost, astray, rest, _around(np.concatenate([parcels, units])))


def land_far_away(inputs: Inputs, land: Land, far_land: FarLand) -> Iterator[Problem]:
    """Yield a warning of parcels, and one of units, that lie far from all other land."""
    parcels, units = _boxes(land)
    rest = far_land.rest
    now, then = (_cells(box, inputs.case.grid.resolution) for box in (far_land.whole, rest))
    for things, layer, boxes, far, file in (
        ("parcels", land.parcels, parcels, far_land.parcels, inputs.case.parcels.path),
        ("units", land.units, units, far_land.units, inputs.case.units.path),
    ):
        if not far.any():
            continue
        beyond = _reach(boxes, rest)
        rows = np.flatnonzero(far)[np.argsort(-beyond[far], kind="stable")]
        names = layer["id"].to_numpy(object)
        which = listed((f"{names[row]} ({beyond[row] / 1000:,.0f} km)" for row in rows), _LISTED)
        what = (
            f"land of {rows.size:,} of {len(names):,} {things} lies far from all other, which is {_width(rest) / 1000:,.0f} km across: {which}; "
            f"the fine grid has about {now:,.0f} cells, and would have {then:,.0f}"
        )
        hint = "Look at the outlines in a map: perhaps a corner was typed wrong. If they are meant, as islands are, only the grid is larger."
        yield Problem(what, file, hint, "warning")


def _boxes(land: Land) -> tuple[Boxes, Boxes]:
    parcels, units = (layer.geometry.array.bounds for layer in (land.parcels, land.units))
    return parcels, units


def _around(boxes: Boxes, few: float = 0.0) -> Boxes:
    """Return the box around all boxes but a few on each side; around all where these are fewer than one."""
    low = np.quantile(boxes[:, :2], few, axis=0, method="lower")
    high = np.quantile(boxes[:, 2:], 1 - few, axis=0, method="higher")
    return np.concatenate([low, high])


def _reach(boxes: Boxes, box: Boxes) -> Boxes:
    """Return how far boxes reach beyond another one, on the side on which they do most."""
    outward: Boxes = np.maximum(box[:2] - boxes[:, :2], boxes[:, 2:] - box[2:]).max(axis=1)
    return outward


def _width(box: Boxes) -> float:
    return float((box[2:] - box[:2]).max())


def _is_far(boxes: Boxes, box: Boxes) -> NDArray[np.bool_]:
    far: NDArray[np.bool_] = _reach(boxes, box) > max(_width(box), _MIN_FAR)
    return far


def _cells(box: Boxes, resolution: float) -> float:
    return float(np.prod((box[2:] - box[:2]) / resolution))
