"""Zones of many draws: which share of them puts each unit into which zone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


NEAR_TIE = 1e-12
"""Products this near to each other, relative, are a tie: rounding of sums over many parcels stays below it, and draws come so near by no chance."""


@dataclass(frozen=True)
class DrawnIndices:
    """Indices and zones of draws, each of shape (draws, units).

    Parameters
    ----------
    ccr, ecc, esc
        float64; NaN or inf where there is nothing to divide by.
    zone
        int8, 0 to 4.
    """

    ccr: NDArray[np.float64]
    ecc: NDArray[np.float64]
    esc: NDArray[np.float64]
    zone: NDArray[np.int8]


def drawn_indices(
    emission: NDArray[np.float64],
    sink: NDArray[np.float64],
    gdp: NDArray[np.float64],
    regions: Sequence[NDArray[np.int64]],
    ties: str = ">=",
    published: NDArray[np.int64] | None = None,
) -> DrawnIndices:
    """Return indices and zones of draws, as :func:`carbongrid.method.zoning.classify` decides them but in floats.

    Parameters
    ----------
    emission, sink, gdp : float64, shape (draws, units)
        GDP is NaN where it is unknown.
    regions
        The units of each reference region; a unit in none has no zone.
    ties
        As for ``classify``.
    published : int64, shape (units,)
        Zones of the run that is drawn, by its whole numbers.

    Notes
    -----
    Products of floats decide, but for those that differ by no more than ``NEAR_TIE``. A unit comes that near to 1 where what is drawn moves both sides
    alike, a factor that all units share or nothing at all: then its index is the run's own, and so is the verdict, be it a tie or one gram from one. Without
    ``published``, and for a unit without a zone, it is a tie.
    """
    zoned = np.zeros(emission.shape[1], np.int64) if published is None else published
    of_ties = (zoned == 0) & (ties == ">=")
    at_ties = (np.isin(zoned, (1, 2)) | of_ties, np.isin(zoned, (1, 3)) | of_ties)
    shape = emission.shape
    ecc, esc = np.full(shape, np.nan), np.full(shape, np.nan)
    zone = np.zeros(shape, np.int8)
    with np.errstate(divide="ignore", invalid="ignore"):
        ccr = sink / emission
        for units in regions:
            # Rows that lie in one piece are added up alike, whatever is drawn beside them.
            C_i, CA_i, G_i = (np.take(each, units, axis=1) for each in (emission, sink, gdp))
            known = ~np.isnan(G_i)
            C, CA = C_i.sum(axis=1, keepdims=True), CA_i.sum(axis=1, keepdims=True)
            C_known = np.where(known, C_i, 0.0).sum(axis=1, keepdims=True)
            G = np.where(known, G_i, 0.0).sum(axis=1, keepdims=True)
            economy, ecology = (
                np.where(C_i > 0, _high(left, right, at_tie[units]), part > 0)
                for part, left, right, at_tie in zip(
                    (G_i, CA_i),
                    (G_i * C_known, CA_i * C),
                    (G * C_i, CA * C_i),
                    at_ties,
                    strict=True,
                )
            )
            found = (1 + 2 * ~economy + ~ecology).astype(np.int8)
            none = ~known | ((C_i == 0) & (CA_i == 0)) | (G == 0) | (CA == 0)
            found[none] = 0
            if len(units) > 1:
                zone[:, units] = found
            ecc[:, units] = (G_i * C_known) / (G * C_i)
            esc[:, units] = (CA_i * C) / (CA * C_i)
    return DrawnIndices(ccr, ecc, esc, zone)


def _high(
    left: NDArray[np.float64], right: NDArray[np.float64], at_tie: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return where left is the larger; where both are the same but for rounding, what holds at a tie."""
    apart = left - right
    return np.where(np.abs(apart) <= NEAR_TIE * right, at_tie, apart > 0)


def zone_shares_of(zone: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return the share of draws in each zone, float64, shape (units, 5): column 0 is unclassified; rows add up to 1."""
    draws = zone.shape[0]
    counts = np.stack([(zone == code).sum(axis=0) for code in range(5)], axis=1)
    shares: NDArray[np.float64] = counts / draws
    return shares


def entropy_of(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the entropy of shares in bits, 0 where one zone has all draws, shape (units,)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(shares > 0, shares * np.log2(shares), 0.0)
    bits: NDArray[np.float64] = np.abs(terms.sum(axis=1))
    return bits
