"""Draws of GDP: of each unit by itself, or of the split of a larger area's."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np

from carbongrid.method.draws import Stream, sigma_of_percent
from carbongrid.method.probability.settings import Setting, given, setting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from carbongrid.method.probability.mass_on_land import MassOnLand
    from carbongrid.method.probability.uncertainty import Rule, Uncertainty

NORMAL_90 = 1.6448536269514722
"""Half of a normal distribution's 90 % interval, in standard deviations."""


def drawn_gdp(
    run: MassOnLand, uncertainty: Uncertainty, draws: int, seed: int
) -> tuple[NDArray[np.float64], list[Setting]]:
    """Return the GDP of the units, drawn, shape (draws, units), NaN where unknown, and what that rests on."""
    gdp = run.units["gdp"].to_numpy(np.float64, na_value=np.nan)
    by = run.gdp_by
    if by not in (None, "unit"):
        return _split_gdp(run, gdp, by, uncertainty, draws, seed)
    rule = uncertainty.of("gdp", "unit")
    percents = [uncertainty.gdp.get(code, rule.percent) for code in run.units["id"]]
    sigma = np.array([sigma_of_percent(percent) for percent in percents])
    factors = Stream(seed, "gdp", "unit").lognormals(draws, gdp.size, sigma)
    known = run.units["id"][~np.isnan(gdp)].astype(str)
    return gdp * factors, _settings_of_gdp(known, "unit", rule, uncertainty)


def _settings_of_gdp(
    codes: Collection[str], by: str, rule: Rule, uncertainty: Uncertainty
) -> list[Setting]:
    """Return the row by which the GDP of these is drawn if their table says nothing, and one for each of which it does."""
    known = [code for code in codes if code in uncertainty.gdp]
    default = [setting("gdp", by, rule)] if len(known) < len(codes) else []
    return [*default, *(given("gdp", code, uncertainty.gdp[code]) for code in known)]


def _split_gdp(
    run: MassOnLand,
    gdp: NDArray[np.float64],
    by: str,
    uncertainty: Uncertainty,
    draws: int,
    seed: int,
) -> tuple[NDArray[np.float64], list[Setting]]:
    """Return GDP whose split over the units of a parent is drawn, and the parent's GDP where somebody says how sure it is.

    A unit that got nothing but may have something takes part.
    """
    low, high = (
        run.units[name].to_numpy(np.float64, na_value=np.nan) for name in ("gdp_low", "gdp_high")
    )
    claims = np.where(np.isnan(gdp), 0.0, gdp)
    y = Stream(seed, "gdp", "split").normals(draws, gdp.size)
    drawn = np.broadcast_to(gdp, (draws, gdp.size)).copy()
    rule, widest, codes = uncertainty.of("gdp", by), 0.0, []
    for code in sorted({str(each) for each in run.units[by]}):
        inside = np.flatnonzero(
            (run.units[by].astype(str) == code).to_numpy() & ((claims > 0) | (high > 0))
        )
        if not inside.size:
            continue
        codes.append(code)
        percent = uncertainty.gdp.get(code, rule.percent)
        factor = Stream(seed, "gdp", f"{by} {code}").lognormals(draws, 1, sigma_of_percent(percent))
        whole = claims[inside].sum() * factor
        if inside.size < 2:
            drawn[:, inside] *= factor
            continue
        share, tau = _shares_and_tau(claims[inside], low[inside], high[inside])
        widest = max(widest, float(tau.max()))
        weight = share * np.exp(tau * y[:, inside])
        drawn[:, inside] = whole * weight / weight.sum(axis=1, keepdims=True)
    origin = "widths of the intervals gdp_low to gdp_high of units.csv (docs/decisions/0060); tau is that of the least sure unit"
    row = {
        "source": "gdp",
        "of": f"split by {by}",
        "percent": 0.0,
        "sigma": 0.0,
        "tau": widest,
        "group": "",
    }
    of_split = [{**row, "basis": "as in the run", "origin": origin}] if widest else []
    return drawn, [*of_split, *_settings_of_gdp(codes, by, rule, uncertainty)]


def _shares_and_tau(
    claims: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the shares by which a parent's GDP is drawn, and the tau of each.

    A unit's claim is its GDP times exp(tau_i*y). tau_i is such that the logit of its share has the 90 % interval that the run gives it
    (docs/decisions/0060), as if that were normal. A unit without GDP has but the upper end of one, made of half the least claim: it takes the tau
    of the least sure of the others, and the share that this end then belongs to.
    """
    claimed = claims > 0
    share = np.where(claimed, claims, claims[claimed].min() / 2)
    share /= share.sum()
    bottom, top = (_logit(np.clip(end / claims.sum(), 1e-9, 1 - 1e-9)) for end in (low, high))
    others = ((share**2).sum() - share**2) / (1 - share) ** 2
    # Who alone has GDP has all of it, and no upper end.
    half = (top - bottom) / 2 if claimed.sum() > 1 else _logit(share) - bottom
    tau = half / NORMAL_90 / np.sqrt(1 + others)
    tau = np.where(claimed, tau, tau[claimed].max())
    odds = np.exp(top - NORMAL_90 * tau * np.sqrt(1 + others))
    return np.where(claimed, share, odds * (1 - share)), tau


def _logit(share: NDArray[np.float64]) -> NDArray[np.float64]:
    found: NDArray[np.float64] = np.log(share / (1 - share))
    return found
