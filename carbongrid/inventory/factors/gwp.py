"""Global warming potentials over 100 years, by the report they are from (D26)."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import cast

from carbongrid.errors import InputError
from carbongrid.inventory.factors.catalogue import GASES, catalogue

GWP_SETS = ("AR4", "AR5", "AR6")
"""Sets by name; AR5 is the default."""


def gwp_of(name: str, *, fossil: bool | None = None) -> dict[str, Fraction]:
    """Return the potential of each gas: tonnes of CO2e in a tonne; of CO2e it is 1.

    Parameters
    ----------
    name
        One of :data:`GWP_SETS`.
    fossil
        Whether the CH4 brings fossil carbon that is in no CO2 of the inventory. AR6 keeps that apart: 29.8, which holds the CO2 that
        it becomes, and 27.0; None, where nothing tells, takes the combined 27.9. Of the other sets there is one number for all.

    Raises
    ------
    InputError
        If the set is not one of :data:`GWP_SETS`.
    """
    if name not in GWP_SETS:
        raise InputError(f"unknown GWP set {name!r}", hint=f"Known: {', '.join(GWP_SETS)}.")
    return dict(_potentials(name, fossil))


@cache
def _potentials(name: str, fossil: bool | None) -> dict[str, Fraction]:
    potentials = {"CO2e": Fraction(1)}
    for gas in GASES:
        if gas != "CO2e":
            key = f"gwp.{name.lower()}.{gas.lower()}"
            apart = "" if fossil is None else f"{key}_{'fossil' if fossil else 'nonfossil'}"
            # Without a value Fraction raises: a gas that counts nothing would be wrong in silence.
            value = cast("Fraction", catalogue()[apart if apart in catalogue() else key].value)
            potentials[gas] = Fraction(value)
    return potentials
