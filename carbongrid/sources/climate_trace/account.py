"""Where the tonnes of an inventory of sources went: into facilities, or left out for a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import pandas as pd

from carbongrid.inventory.factors.gwp import gwp_of
from carbongrid.sources.climate_trace.published import Published, Source
from carbongrid.sources.climate_trace.subsectors import SUBSECTORS, Subsector

GASES = {"co2": "CO2", "ch4": "CH4", "n2o": "N2O"}
"""Gases that are counted, as published and as the package names them."""

CO2E = "co2e_100yr"
"""The publisher's own sum of the three, by AR6."""

PUBLISHERS_GWP = "AR6"

CO2E_20 = "co2e_20yr"

AREA, OUTSIDE, NOTHING = "stands for land", "outside the units", "emits nothing"
UNTOLD = "no column of boundaries"
NO_PLACE, NO_QUANTITY, UPTAKE = "no coordinates", "no quantity yet", "takes up more than it emits"
UNKNOWN, NO_CATEGORY = "unknown subsector", "no category"
ANOTHER_GAS, TWICE = "no greenhouse gas that is counted", "told again"
NOT_COUNTED = "told in another way only"
REPEATED, OVER_THE_TURN = "row repeated", "period over the turn of the year"
"""Reasons why tonnes are in no facility."""

_NONE = Fraction(0)


@dataclass(frozen=True)
class Written:
    """A source that becomes a facility, and what it emits in tonnes of CO2e, exactly."""

    source: Source
    subsector: Subsector
    mass: Fraction


class Account:
    """Tonnes by gas, exactly, as they are written or left out.

    Parameters
    ----------
    published
        What was read; its rows that were repeated or go over the turn of the year are left out at once.
    gwp
        By which gases become CO2e.
    """

    def __init__(self, published: Published, gwp: str) -> None:
        self.gwp = gwp
        self.written: dict[str, Fraction] = {}
        self._tonnes: dict[tuple[str, str, str], Fraction] = {}
        self._counts: Counter[tuple[str, str, str]] = Counter()
        self._sources: dict[tuple[str, str], set[str]] = {}
        turn = published.over_the_turn
        for reason, rows in ((REPEATED, published.repeated), (OVER_THE_TURN, turn)):
            for gas, (count, tonnes) in rows.items():
                self._tonnes[reason, "", gas] = tonnes
                self._counts[reason, "", gas] = count

    def leave(self, reason: str, source: Source, gas: str, tonnes: Fraction | None) -> None:
        """Count a gas of a source that is left out."""
        key = reason, source.subsector, gas
        self._tonnes[key] = self._tonnes.get(key, _NONE) + (tonnes or 0)
        self._counts[key] += 1
        self._sources.setdefault(key[:2], set()).add(source.number)

    def write(self, own: Mapping[str, Fraction]) -> None:
        """Count gases of a source that becomes a facility."""
        for gas, tonnes in own.items():
            self.written[gas] = self.written.get(gas, _NONE) + tonnes

    def weighed(self, subsector: str, tonnes: Mapping[str, Fraction]) -> Fraction:
        """Return tonnes of gases as tonnes of CO2e, exactly; what is no gas that is counted counts as it is."""
        return sum(
            (mass * self._weight(subsector, gas) for gas, mass in tonnes.items()), start=_NONE
        )

    def _weight(self, subsector: str, gas: str) -> Fraction:
        if gas not in GASES:
            return Fraction(1)
        known = SUBSECTORS.get(subsector)
        return gwp_of(self.gwp, fossil=known.fossil if known else None)[GASES[gas]]

    def left_out(self) -> pd.DataFrame:
        """Return the account: reason, subsector, gas, sources (rows, where rows are meant) and tonnes of that gas."""
        rows = [(*key, self._counts[key], self._tonnes[key]) for key in sorted(self._tonnes)]
        return pd.DataFrame(rows, columns=["reason", "subsector", "gas", "sources", "tonnes"])

    def by_subsector(self, reason: str) -> dict[str, tuple[int, Fraction]]:
        """Return how many sources are left out for a reason, and their tonnes of CO2e, the most first."""
        found = {}
        for (why, subsector), sources in self._sources.items():
            if why == reason:
                masses = {
                    gas: tonnes
                    for (*key, gas), tonnes in self._tonnes.items()
                    if key == [reason, subsector] and gas in (*GASES, CO2E, CO2E_20)
                }
                found[subsector] = len(sources), self.weighed(subsector, masses)
        return dict(sorted(found.items(), key=lambda each: (-each[1][1], each[0])))

    def of_gas(self, reason: str) -> dict[str, Fraction]:
        """Return the tonnes that are left out for a reason, by gas."""
        found: dict[str, Fraction] = {}
        for (why, _, gas), tonnes in sorted(self._tonnes.items()):
            if why == reason:
                found[gas] = found.get(gas, _NONE) + tonnes
        return found
