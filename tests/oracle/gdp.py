"""How far a unit's GDP may be from what was split off its district's, unit by unit (docs/decisions/0060)."""

from __future__ import annotations

import numpy as np
import scipy.stats

ASSUMED = 0.67 * scipy.stats.norm.ppf(0.95)


def ends_of_gdp(gdp, pieces):
    """Ends of the 90 % interval of each unit's GDP; pieces: by industry, (units, amount, claims, whether by its own weight)."""
    low, high = gdp.copy(), gdp.copy()
    for districts in pieces.values():
        width = widest(districts)
        for members, amount, claims, own in districts:
            if len(members) == 1 or claims.sum() == 0 or width is None:
                continue
            filled = np.where(claims > 0, claims, claims[claims > 0].min() / 2)
            for row, member in enumerate(members):
                others = np.delete(filled, row)
                factor = width if own else max(width, ASSUMED)
                spread = factor * np.sqrt(1 + (others**2).sum() / others.sum() ** 2)
                logit = np.log(filled[row] / others.sum())
                least, most = (1 / (1 + np.exp(-(logit + sign * spread))) for sign in (-1, 1))
                share = claims[row] / claims.sum()
                low[member] -= amount * (share - (min(least, share) if share else 0))
                high[member] += amount * (max(most, share) - share)
    return low, high


def widest(pieces):
    """Half the width of the interval of a lone factor: how far an industry's GDP per claim differs, tried on the districts."""
    whole = sum(amount for _, amount, _, own in pieces)
    if not whole:
        return None
    tried = [(amount, claims) for _, amount, claims, own in pieces if own and claims.sum() > 0]
    given, claimed = sum(amount for amount, _ in tried), sum(claims.sum() for _, claims in tried)
    if len(tried) < 3 or not given:
        return ASSUMED
    uneven = [((claims / claims.sum()) ** 2).sum() for _, claims in tried]
    parts = [claims.sum() / claimed for _, claims in tried]
    common = sum(part**2 * square for part, square in zip(parts, uneven, strict=True))
    ratios = [
        (amount / (given * part) - 1) ** 2 / (square * (1 - 2 * part) + common)
        for (amount, _), part, square in zip(tried, parts, uneven, strict=True)
    ]
    tau = np.sqrt(np.log(1 + sum(ratios) / len(ratios)))
    return tau * scipy.stats.t.ppf(0.95, len(tried) - 1)
