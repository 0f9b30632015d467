"""Road lengths corrected by the transport POIs beside the road, each of which gives its weight once (docs/decisions/0053)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely
from numpy.typing import NDArray

from carbongrid.method.allocate.apportioning import apportion
from carbongrid.method.weights.lines import NANOMETRES, LineWeights, RoadParts, summed_by_class
from carbongrid.method.weights.points import TIE
from carbongrid.raster.row_blocks import row_blocks

ROADSIDE = 250.0
"""A transport POI serves the road this near to it, in m (D14)."""

_MAX_BITS = 62
"""Of all POIs' weight in quanta, so that sums of parts stay in int64."""

_POIS_AT_ONCE = 4096
"""Some million pairs of POI and stretch in a dense city, 100 MB."""


def lengths_by_pois(
    claims: LineWeights,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    regions: NDArray[np.int64],
    quanta: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return road lengths as the transport POIs beside the road alone would share them out.

    Parameters
    ----------
    claims
        Of mode road.
    x, y : shape (pois,)
        Transport POIs, in the grid's CRS.
    regions : int64, shape (parcels,)
        Region of each parcel, whose whole length is shared; those of none (-1) share one.
    quanta : int64, shape (pois,)
        What each POI counts.

    Returns
    -------
    float64, shape (parcels,)
        Without any POI beside a road of the region the length itself.
    """
    n = served_pois(claims, x, y, quanta)
    group = np.asarray(regions, np.int64) + 1
    size = int(group.max(initial=0)) + 1
    pois, length = np.zeros(size, np.int64), np.bincount(group, claims.weight, size)
    np.add.at(pois, group, n)
    per_quantum = np.divide(length, pois, out=np.zeros(size), where=pois > 0)
    return np.where((pois > 0)[group], n * per_quantum[group], claims.weight)


def blended_lengths(
    length: NDArray[np.float64], by_pois: NDArray[np.float64], lambda_: float
) -> NDArray[np.float64]:
    """Return road lengths corrected by the transport POIs beside the road.

    Parameters
    ----------
    length : shape (parcels,)
        L, times its class's weight.
    by_pois : shape (parcels,)
        From :func:`lengths_by_pois`.
    lambda_
        0 (pure length) to 1.

    Returns
    -------
    float64, shape (parcels,)

    Notes
    -----
    L' = L * (1 + lambda*(d/d_mean - 1)): L the length times its class's weight, d the POIs per L, d_mean their sum over
    the sum of L in the region. A POI counts once: it is spread over the road within 250 m of it, in proportion to L.
    So the share of a road in its region is (1 - lambda) * its share of L + lambda * its share of POIs, however its
    land is cut. Without any POI beside a road of the region L' is L.
    """
    blended: NDArray[np.float64] = (1.0 - lambda_) * length + lambda_ * by_pois
    return np.where(by_pois == length, length, blended)


def served_pois(
    claims: LineWeights,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    quanta: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return what each parcel's road has of the POIs, int64 of shape (parcels,), in the finest quanta whose sum fits."""
    served = np.zeros(len(claims.weight), np.int64)
    whole = int(quanta.sum())
    if claims.parts is None or whole == 0:
        return served
    fine = quanta << max(_MAX_BITS - whole.bit_length(), 0)
    for poi, parcel, length in _beside(claims.parts, x, y, len(served)):
        # Parcels in id order: the parts of a POI add up to its weight with ==.
        one, start = np.unique(poi, return_index=True)
        np.add.at(
            served,
            parcel,
            apportion(fine[one], length, np.append(start, poi.size).astype(np.int64)),
        )
    return served


def _beside(
    parts: RoadParts, x: NDArray[np.float64], y: NDArray[np.float64], parcels: int
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]]:
    """Yield POI, parcel and weighted length of road within reach, sorted, of some POIs after others."""
    ends = np.stack([parts.start, parts.end], axis=1)
    tree = shapely.STRtree(np.asarray(shapely.linestrings(ends), dtype=object))
    reach = ROADSIDE + TIE
    for some in row_blocks(len(x), _POIS_AT_ONCE):
        boxes = shapely.box(x[some] - reach, y[some] - reach, x[some] + reach, y[some] + reach)
        poi, part = tree.query(boxes)
        poi = poi + np.int64(some.start)
        share = _share_within(
            parts.start[part], parts.end[part], np.stack([x[poi], y[poi]], axis=1)
        )
        length = np.rint(NANOMETRES * share * parts.length[part]).astype(np.int64)
        near = np.flatnonzero(length)
        poi, part, length = poi[near], part[near], length[near]
        pair, row = np.unique(poi * parcels + parts.parcel[part], return_inverse=True)
        counted = summed_by_class(row, length, parts.weight[part], parts.dual[part], pair.size)
        yield *np.divmod(pair, parcels), counted


def _share_within(
    start: NDArray[np.float64], end: NDArray[np.float64], centre: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the share of each straight stretch inside the circle around its POI; of a midpoint all or nothing."""
    way, offset = end - start, centre - start
    size = (way * way).sum(axis=1)
    midpoint = size == 0
    size[midpoint] = 1.0
    foot = (offset * way).sum(axis=1) / size
    aside = offset - foot[:, None] * way
    half = np.sqrt(np.maximum(ROADSIDE**2 - (aside * aside).sum(axis=1), 0.0) / size)
    share: NDArray[np.float64] = np.clip(foot + half, 0.0, 1.0) - np.clip(foot - half, 0.0, 1.0)
    return np.where(midpoint, np.hypot(*offset.T) <= ROADSIDE + TIE, share)
