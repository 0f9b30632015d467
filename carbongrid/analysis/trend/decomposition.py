"""What a change is made of: LMDI-I, additive, and Tapio's elasticity in eight classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction


def log_mean(a: float, b: float) -> float:
    """Return the logarithmic mean of two numbers > 0: (a - b) / (ln a - ln b), and a where they are equal."""
    if a == b:
        return a
    ratio = (a - b) / b
    if abs(ratio) < 1e-3:  # the quotient of small differences loses digits; log1p does not
        return b * ratio / math.log1p(ratio)
    return (a - b) / (math.log(a) - math.log(b))


def lmdi(
    before: Sequence[float], after: Sequence[float], total_before: float, total_after: float
) -> tuple[float, ...] | None:
    """Return the effect of each factor on the change of their product, by LMDI-I.

    Parameters
    ----------
    before, after
        The factors, such as population, GDP per head, emission per GDP.
    total_before, total_after
        Their products, the emissions.

    Returns
    -------
    tuple of float, or None
        L(C1, C0) * ln(x1/x0) for each factor x; they add up to C1 - C0. None where a factor or a total is not above 0.

    References
    ----------
    Ang, B. W. (2005). The LMDI approach to decomposition analysis: a practical guide. Energy Policy 33, 867-871.
    """
    values = [*before, *after, total_before, total_after]
    if any(not value > 0 or not math.isfinite(value) for value in values):
        return None
    mean = log_mean(total_after, total_before)
    return tuple(mean * math.log(new / old) for old, new in zip(before, after, strict=True))


EFFECTS = ("population", "gdp_per_head", "gdp", "emission_per_gdp")
"""GDP's is that of population and of GDP per head together, and stands without residents, too."""

WEAK, STRONG = Fraction(8, 10), Fraction(12, 10)

TAPIO_ZH = {
    "strong decoupling": "强脱钩",
    "weak decoupling": "弱脱钩",
    "expansive coupling": "扩张连结",
    "expansive negative decoupling": "扩张负脱钩",
    "strong negative decoupling": "强负脱钩",
    "weak negative decoupling": "弱负脱钩",
    "recessive coupling": "衰退连结",
    "recessive decoupling": "衰退脱钩",
    "unknown": "未知",
}
"""Names of the classes, in English and Chinese."""


def tapio(emission: tuple[int, int], gdp: tuple[int | None, int | None]) -> tuple[float, str]:
    """Return Tapio's elasticity, relative change of emission over that of GDP, and its class.

    Parameters
    ----------
    emission, gdp
        Before and after, whole numbers; None is unknown.

    Returns
    -------
    elasticity, class
        NaN and ``unknown`` where GDP is unknown, or either was 0; with unchanged GDP the elasticity is infinite or, with unchanged emission, 1.

    Notes
    -----
    Decided in fractions. A change of exactly 0.8 or 1.2 is coupling.

    References
    ----------
    Tapio, P. (2005). Towards a theory of decoupling. Transport Policy 12, 137-151.
    """
    if gdp[0] is None or gdp[1] is None or not gdp[0] or not emission[0]:
        return math.nan, "unknown"
    of_emission = Fraction(emission[1] - emission[0], emission[0])
    of_gdp = Fraction(gdp[1] - gdp[0], gdp[0])
    if not of_gdp:
        if not of_emission:
            return 1.0, "expansive coupling"
        rises = of_emission > 0
        return math.copysign(math.inf, of_emission), "expansive negative decoupling" if rises else "strong decoupling"  # fmt: skip
    elasticity = of_emission / of_gdp
    if of_gdp > 0:
        name = (
            "strong decoupling" if of_emission < 0
            else "weak decoupling" if elasticity < WEAK
            else "expansive coupling" if elasticity <= STRONG
            else "expansive negative decoupling"
        )  # fmt: skip
    else:
        name = (
            "strong negative decoupling" if of_emission > 0
            else "weak negative decoupling" if elasticity < WEAK
            else "recessive coupling" if elasticity <= STRONG
            else "recessive decoupling"
        )  # fmt: skip
    return float(elasticity), name
