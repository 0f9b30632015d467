"""Whether a pattern survives another ruler: inequality of density, partitions of units, groups of neighbours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def gini(amount: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """Return the Gini coefficient of amount per weight, each part counted with its weight; NaN where nothing has any.

    Parameters
    ----------
    amount, weight : shape (n,)
        For example the emission and the area of cells; >= 0. Parts without weight are left out.

    Notes
    -----
    1 less twice the area below the Lorenz curve of amount by weight: 0 where amount per weight is the same everywhere.
    """
    there = weight > 0
    amount, weight = amount[there], weight[there]
    if not amount.sum():
        return float("nan")
    order = np.argsort(amount / weight, kind="stable")
    width = weight[order] / weight.sum()
    height = np.cumsum(amount[order]) / amount.sum()
    below = np.append(0.0, height[:-1])
    return float(1.0 - (width * (below + height)).sum())


def adjusted_rand(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Return the adjusted Rand index of two partitions: 1 where they are the same, 0 in the mean of partitions drawn by lot.

    Parameters
    ----------
    one, other : shape (n,)
        Which part each belongs to in either.

    Notes
    -----
    Where both have one part only, or each its own parts, they are the same: 1. Hubert and Arabie (1985), equation (5).
    """
    _, rows = np.unique(one, return_inverse=True)
    _, columns = np.unique(other, return_inverse=True)
    table = np.zeros((rows.max() + 1, columns.max() + 1), np.int64)
    np.add.at(table, (rows, columns), 1)
    together, first, second, all_pairs = (
        int((count * (count - 1) // 2).sum())
        for count in (table, table.sum(axis=1), table.sum(axis=0), np.array([one.size]))
    )
    # One quotient of integers: equal indices are equal floats, of any two partitions.
    expected = 2 * first * second
    most = all_pairs * (first + second)
    return 1.0 if most == expected else (2 * all_pairs * together - expected) / (most - expected)


def majority(
    zone: NDArray[np.int64], mass: NDArray[np.float64], group: NDArray[np.int64], groups: int
) -> NDArray[np.int64]:
    """Return the zone of each group that has most of its mass, of equal ones the lowest; 0 where no unit with a zone has any.

    Parameters
    ----------
    zone, mass, group : shape (units,)
        Zone code of each unit (0: none), its weight, and its group.
    groups
        How many there are.
    """
    table = np.zeros((groups, int(zone.max(initial=0)) + 1))
    np.add.at(table, (group, zone), mass)
    table[:, 0] = 0.0
    found: NDArray[np.int64] = table.argmax(axis=1)
    return found


def contiguous_groups(
    neighbours: Sequence[NDArray[np.int64]], groups: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return units put together by lot into groups of neighbours.

    Parameters
    ----------
    neighbours
        Rows of the units that each touches.
    groups
        How many to make; no fewer than there are islands.
    rng
        By which they are drawn.

    Returns
    -------
    int64, shape (units,)
        Group of each unit; no group is empty, and each is in one piece.

    Notes
    -----
    A unit is drawn from each island, then others until there is one for each group. They grow unit by unit: of all pairs of a unit in a group and a
    neighbour that is in none, one is drawn.
    """
    size = len(neighbours)
    group = np.full(size, -1, np.int64)
    seeds = [int(rng.choice(island)) for island in islands_of(neighbours)]
    others = rng.permutation(np.setdiff1d(np.arange(size), seeds))
    seeds += others[: max(groups - len(seeds), 0)].tolist()
    group[seeds] = np.arange(len(seeds))
    border = [(unit, int(each)) for unit in seeds for each in neighbours[unit]]
    while border:
        place = int(rng.integers(len(border)))
        border[place], border[-1] = border[-1], border[place]
        unit, near = border.pop()
        if group[near] < 0:
            group[near] = group[unit]
            border += [(near, int(each)) for each in neighbours[near] if group[each] < 0]
    return group


def islands_of(neighbours: Sequence[NDArray[np.int64]]) -> Iterator[NDArray[np.int64]]:
    """Yield the units that hang together, in the order of their first."""
    seen = np.zeros(len(neighbours), np.bool_)
    for start in range(len(neighbours)):
        if seen[start]:
            continue
        found, ahead = [], [start]
        seen[start] = True
        while ahead:
            unit = ahead.pop()
            found.append(unit)
            new = [int(each) for each in neighbours[unit] if not seen[each]]
            seen[new] = True
            ahead += new
        yield np.array(sorted(found), np.int64)
