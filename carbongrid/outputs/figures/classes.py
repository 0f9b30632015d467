"""Classes, colours and round numbers: what a map shows beside its geometry (D30)."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from carbongrid.method.zoning import zones

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from carbongrid.method.zoning import Zone

NO_VALUE = "#d4d6d9"
LEVELS = {"district": "区县", "county": "县", "prefecture": "地市", "province": "省"}
"""What columns of parents are called in Chinese, where they are called so in English."""


_SURE = ((0.9, "≥ 90 %", 1.0), (0.7, "70 – 90 %", 0.8), (0.5, "50 – 70 %", 0.6), (0.0, "< 50 %", 0.4))  # fmt: skip
"""Classes of the share of draws that have a zone: from where on, how they are called, and how much of the zone's colour they have.

Even the least sure has enough of it to be told from white and from the other zones.
"""
SURE = tuple(text for _, text, _ in _SURE)
"""The classes' names, the surest first."""


def how_sure(probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return in which class of :data:`SURE` each share of draws is, shape (n,)."""
    lows = np.array([low for low, _, _ in _SURE[-2::-1]])
    return len(lows) - np.searchsorted(lows, probabilities, side="right")


def faded(colour: str, sure: int) -> str:
    """Return a zone's colour mixed with white, as a class of :data:`SURE` is drawn; all of it in the surest."""
    part = _SURE[sure][2]
    channels = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return "#" + "".join(f"{round(255 - part * (255 - each)):02x}" for each in channels)


RELATIVE = (
    "Zones are relative:\neach index is held against\nthe whole of the region",
    "分区为相对结果：\n各指数以参照区域整体为准",
)
"""What each map of zones says of them, in lines for a legend (docs/decisions/0059)."""
RELATIVE_IN_LINE = (RELATIVE[0].replace("\n", " "), RELATIVE[1].replace("\n", ""))


RATIOS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Inner bounds of six classes of a ratio, which double away from 1."""

_CLASSES = 5
_SPECK = 1e-6
"""Of the largest area: what is smaller has no say in where classes break. A hectare has, beside 10,000 km2."""

_SAMPLE = 1500  # natural breaks take time in the square of the number of values
_STOPS = 64
"""How many ends of a class are tried at once, few enough for the cache: the breaks of 1,500 values take 0.004 s, by 8 ends at once 0.010 s."""
_ROUNDING = 1e-11
"""Of the number of values: above what a difference of deviations of 1,500 sums, each value within -1 and 1, is wrong by."""


def ordered_zones() -> list[Zone]:
    """Return zones 1 to 4, then 0 (unclassified), as legends list them."""
    return sorted(zones(), key=lambda zone: (zone.code == 0, zone.code))


def natural_breaks(values: NDArray[np.float64], classes: int = _CLASSES) -> list[float]:
    """Return the upper bounds of Fisher-Jenks classes, ascending; the last is the maximum.

    Values that are not finite are left out. Fewer distinct values than classes: each value is
    a class. Above 1,500 distinct values the breaks are those of 1,500 of them, evenly spaced in rank.

    Parameters
    ----------
    values
        Shape (n,), any order.
    classes
        Number of classes wanted.

    Returns
    -------
    list of float
        At most ``classes`` bounds; empty if no value is finite. Value v is in the first class
        whose bound is >= v.

    Notes
    -----
    Fisher (1958): the partition of the sorted values with the least sum of squared deviations from
    the class means, by dynamic programming; of equal partitions, the one with the lowest breaks.
    """
    known = values[np.isfinite(values)].astype(np.float64)
    distinct, counts = np.unique(known, return_counts=True)
    if distinct.size <= classes:
        return [float(value) for value in distinct]
    if distinct.size > _SAMPLE:
        ranks = np.linspace(0, distinct.size - 1, _SAMPLE).round().astype(np.int64)
        distinct, counts = distinct[ranks], counts[ranks]
    return list(_breaks(distinct.tobytes(), counts.astype(np.int64).tobytes(), classes))


@lru_cache(maxsize=64)  # of a sample, 24 kB at most: the values of a million parcels are 8 MB
def _breaks(values: bytes, numbers: bytes, classes: int) -> tuple[float, ...]:
    """Return the breaks of sorted values and their counts: maps, styles, workbook and report ask for the same ones."""
    distinct, counts = np.frombuffer(values), np.frombuffer(numbers, dtype=np.int64)
    shifted = (distinct - distinct.mean()) / (distinct[-1] - distinct[0])
    weight = np.concatenate([[0.0], np.cumsum(counts)])
    first = np.concatenate([[0.0], np.cumsum(counts * shifted)])
    second = np.concatenate([[0.0], np.cumsum(counts * shifted**2)])

    def deviation(stop: NDArray[np.int64], start: NDArray[np.int64]) -> NDArray[np.float64]:
        squares, moment = second[stop] - second[start], first[stop] - first[start]
        with np.errstate(divide="ignore", invalid="ignore"):  # of nothing, where start is stop
            apart: NDArray[np.float64] = squares - moment**2 / (weight[stop] - weight[start])
        apart[start >= stop] = np.inf
        return apart

    size, every = distinct.size, np.arange(distinct.size + 1)
    cost = np.full((classes, size + 1), np.inf)
    cost[0, 0] = 0.0
    cost[1:2, 1:] = second[1:] - first[1:] ** 2 / weight[1:]  # one class has one start
    cut = np.zeros((classes + 1, size + 1), dtype=np.int64)
    # A class that ends later starts no earlier, of the best partitions: a value more sets an early start back more than a late one. So what
    # starts before all that came near the best of an earlier end is not tried again; what rounding hides counts as near.
    earliest, slack = np.arange(classes) - 1, _ROUNDING * weight[-1]
    for low in range(2, size, _STOPS):
        stop = every[low : min(low + _STOPS, size)]
        since, last = earliest[2:].min(initial=size), stop[-1]
        apart = deviation(stop[:, None], every[since:last])
        for number in range(2, classes):
            left = earliest[number]
            total = cost[number - 1, left:last] + apart[:, left - since :]
            if not total.size:  # fewer values than classes so far
                break
            best = total.argmin(axis=1)
            cost[number, stop] = total[stop - low, best]
            cut[number, stop] = best + left
            earliest[number] += np.argmax(total[-1] <= cost[number, last] + slack)
    # The last class ends where the values do.
    cut[classes, size] = (cost[-1, :-1] + deviation(every[-1:], every[:-1])).argmin()
    bounds, end = [], size
    for number in range(classes, 0, -1):
        bounds.append(float(distinct[end - 1]))
        end = int(cut[number, end])
    return tuple(bounds[::-1])


def no_specks(areas: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which areas are large enough to have a say in where classes break, shape (n,).

    It is the largest area that decides, so that a speck more changes nothing for the others.
    """
    known = areas > 0
    large: NDArray[np.bool_] = known & (areas >= _SPECK * np.max(areas, initial=0.0, where=known))
    return large


def area_breaks(values: NDArray[np.float64], areas: NDArray[np.float64]) -> list[float]:
    """Return the upper bounds of five classes of about the same area, ascending; of fewer where there are fewer values.

    Parameters
    ----------
    values
        Shape (n,), any order; those that are not finite are left out.
    areas
        What each value covers, shape (n,). Specks have no say (:func:`no_specks`).

    Returns
    -------
    list of float
        The last is the largest value that is no speck's. Value v is in the first class whose bound is
        >= v, and in the last if there is none.

    Notes
    -----
    A value is in class k of n if the middle of its area is in the k-th n-th of the area, in the order of values. Two middles in the
    same n-th are nearer than 1/n, so a class of several values has less than 2/n of the area, however much a value has by itself.
    """
    counted = np.isfinite(values) & no_specks(np.where(np.isfinite(values), areas, 0.0))
    distinct, cover = _distinct(values[counted], areas[counted])
    if distinct.size <= _CLASSES:
        return [float(value) for value in distinct]
    until = np.cumsum(cover)
    place = np.minimum((until - cover / 2) / until[-1] * _CLASSES, _CLASSES - 1).astype(np.int64)
    last = np.append(place[1:] != place[:-1], True)
    return [float(value) for value in distinct[last]]


def area_quantile(values: NDArray[np.float64], areas: NDArray[np.float64], share: float) -> float:
    """Return the lowest value below or at which a share of the area lies; specks and values that are not finite have no say."""
    counted = np.isfinite(values) & no_specks(np.where(np.isfinite(values), areas, 0.0))
    distinct, cover = _distinct(values[counted], areas[counted])
    until = np.cumsum(cover)
    return float(distinct[np.searchsorted(until, share * until[-1])])


def _distinct(
    values: NDArray[np.float64], areas: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the distinct values, ascending, and the area of each, the same for any order of rows."""
    order = np.lexsort((areas, values))
    distinct, first = np.unique(values[order], return_index=True)
    cover = np.add.reduceat(areas[order], first) if first.size else np.zeros(0)
    return distinct, cover


def powers_of_ten(values: NDArray[np.float64]) -> list[float]:
    """Return the powers of ten between the least twentieth of the values and the highest hundredth, six at most."""
    if not values.size:
        return []
    low, high = map(math.log10, np.quantile(values, (0.05, 0.99)))
    top, bottom = math.floor(high), math.ceil(low)
    stride = max(-(-(top - bottom + 1) // 6), 1)
    return [10.0**power for power in range(top, bottom - 1, -stride)][::-1]


def round_length(length: float) -> float:
    """Return the largest of 1, 2, 5 times a power of ten that is not above a length > 0."""
    power = 10.0 ** math.floor(math.log10(length))
    return next(step * power for step in (5.0, 2.0, 1.0) if step * power <= length * (1 + 1e-12))
