"""How unequally something is held: Lorenz curve, Gini, and Theil, which adds up over groups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class Theil(NamedTuple):
    """Theil's T, and what of it lies between groups and within them: ``total`` is their sum."""

    total: float
    between: float
    within: float


def lorenz(amount: ArrayLike, weight: ArrayLike) -> NDArray[np.float64]:
    """Return the Lorenz curve: cumulated shares of weight and of amount, units of the least amount per weight first.

    Parameters
    ----------
    amount
        What is held, >= 0, shape (units,), such as emission.
    weight
        By what it is counted, > 0, such as residents.

    Returns
    -------
    float64 array of shape (units + 1, 2)
        From (0, 0) to (1, 1).
    """
    held, by = np.asarray(amount, np.float64), np.asarray(weight, np.float64)
    order = np.argsort(held / by, kind="stable")
    return np.stack([np.concatenate([[0.0], np.cumsum(each[order]) / math.fsum(each)]) for each in (by, held)], axis=1)  # fmt: skip


def gini(amount: ArrayLike, weight: ArrayLike) -> float:
    """Return the Gini coefficient: twice the area between the Lorenz curve and the diagonal; with equal weights and one holder (n - 1)/n.

    Parameters
    ----------
    amount, weight
        As for :func:`lorenz`. NaN where nothing is held.
    """
    if not np.asarray(amount).any():
        return math.nan
    curve = lorenz(amount, weight)
    return 1.0 - math.fsum(np.diff(curve[:, 0]) * (curve[1:, 1] + curve[:-1, 1]))


def theil(amount: ArrayLike, weight: ArrayLike, groups: Sequence[Any]) -> Theil:
    """Return Theil's T of shares of amount against shares of weight, and its parts between and within groups.

    Parameters
    ----------
    amount, weight
        As for :func:`lorenz`.
    groups
        Of each unit.

    Notes
    -----
    T = sum s_i ln(s_i/w_i), with s and w the shares of all; between groups the same of their sums; within, each group's own T by its share of the amount.
    """
    held, by = np.asarray(amount, np.float64), np.asarray(weight, np.float64)
    if not held.sum():
        return Theil(math.nan, math.nan, math.nan)
    members: dict[Any, list[int]] = {}
    for row, group in enumerate(groups):
        members.setdefault(group, []).append(row)
    rows = list(members.values())
    sums = [np.array([math.fsum(each[own]) for own in rows]) for each in (held, by)]
    within = math.fsum(
        part / math.fsum(held) * _theil(held[own], by[own])
        for part, own in zip(sums[0], rows, strict=True)
        if part
    )
    return Theil(_theil(held, by), _theil(*sums), within)


def _theil(held: NDArray[np.float64], by: NDArray[np.float64]) -> float:
    s, w = held / math.fsum(held), by / math.fsum(by)
    some = s > 0
    return math.fsum(s[some] * np.log(s[some] / w[some]))
