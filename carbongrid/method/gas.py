"""What the emissions of a run are of: all greenhouse gases as CO2e, or CO2 alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from carbongrid.method.tonnes import at_decimals

if TYPE_CHECKING:
    import pandas as pd

    from carbongrid.method.categories import Category

CO2, CO2E = "CO2", "CO2e"
_IN_PART = "CO2e, in part CO2 alone"
_PLACES_OF_CO2E = (
    ("CO2e", "CO2"), ("CO₂e", "CO₂"), ("二氧化碳当量", "二氧化碳"), ("CO₂ 当量", "CO₂"),
)  # fmt: skip


@dataclass(frozen=True)
class Gas:
    """The gas of a run's emissions; its sinks are always of CO2, which is as much CO2e.

    Parameters
    ----------
    name
        ``CO2`` where all that is emitted counts CO2 alone, else ``CO2e``.
    alone
        Grams of emissions that count CO2 alone where others are CO2e; None where there are some and nobody says how many.
    """

    name: str = CO2E
    alone: int | None = 0

    def told(self, text: str) -> str:
        """Return a text that names CO2e, in English or Chinese, with the run's gas in its place."""
        if self.name == CO2:
            for there, here in _PLACES_OF_CO2E:
                text = text.replace(there, here)
        return text

    @property
    def mixed(self) -> bool:
        """Whether some of the emissions count CO2 alone, others CO2e."""
        return self.alone != 0

    @property
    def in_part(self) -> tuple[str, str]:
        """What is said behind the gas of a run whose emissions are not all of it, in English and Chinese; else nothing."""
        if self.alone is None:
            return ", part of the emissions CO2 alone", "，其中部分排放仅含 CO2"
        if not self.alone:
            return "", ""
        tonnes = at_decimals(self.alone / 1e6, 0)
        return f", {tonnes} t of the emissions CO2 alone", f"，其中 {tonnes} 吨排放仅含 CO2"

    @property
    def setting(self) -> str:
        """What a run's manifest says."""
        return _IN_PART if self.mixed else self.name

    @classmethod
    def of_manifest(cls, manifest: Mapping[str, Any]) -> Gas:
        """Return the gas of a finished run; CO2e where its manifest does not say, as that of an earlier version."""
        told = manifest.get("parameters", {}).get("gas")
        return cls(CO2 if told == CO2 else CO2E, None if told == _IN_PART else 0)


ALL_GASES = Gas()
"""Where nothing else is said."""


def gas_of_emissions(
    inventory: pd.DataFrame, categories: Iterable[Category], *, formed: bool
) -> Gas:
    """Return what the emissions of an inventory are of.

    Parameters
    ----------
    inventory, categories, formed
        As for :func:`emissions_by_gas`.
    """
    masses = emissions_by_gas(inventory, categories, formed=formed)
    alone = sum(grams for (_, gas), grams in masses.items() if gas == CO2)
    if masses and all(gas == CO2 for _, gas in masses):
        return Gas(CO2)
    return Gas(alone=alone)


def gases_by_category(
    inventory: pd.DataFrame, categories: Iterable[Category], *, formed: bool
) -> dict[str, frozenset[str]]:
    """Return what the emissions of each category that emits are of: ``CO2``, ``CO2e`` or both.

    Parameters
    ----------
    inventory, categories, formed
        As for :func:`emissions_by_gas`.
    """
    found: dict[str, frozenset[str]] = {}
    for name, gas in emissions_by_gas(inventory, categories, formed=formed):
        found[name] = found.get(name, frozenset()) | {gas}
    return found


def gases_beside_others(
    inventory: pd.DataFrame, categories: Iterable[Category], *, formed: bool
) -> dict[str, frozenset[str]]:
    """Return :func:`gases_by_category` without categories of activity data that give off CO2 and no other gas: their CO2 is all of their CO2e, whichever others tell.

    Parameters
    ----------
    inventory, categories, formed
        As for :func:`emissions_by_gas`.
    """
    known = tuple(categories)
    found = gases_by_category(inventory, known, formed=formed)
    given_off = gases_by_category(inventory, known, formed=False)
    return {name: gases for name, gases in found.items() if gases == given_off[name] or given_off[name] != {CO2}}  # fmt: skip


def emissions_by_gas(
    inventory: pd.DataFrame, categories: Iterable[Category], *, formed: bool
) -> dict[tuple[str, str], int]:
    """Return the grams that are spread, by category and ``CO2`` or ``CO2e``; sinks are left out.

    Parameters
    ----------
    inventory
        Rows that add up: category, place, gas, grams.
    categories
        Those of the rows.
    formed
        Whether rows are of activity data. Of these every gas that a row gives off is counted, so that CO2 beside other gases leaves nothing out:
        all are CO2e, unless every row, those of sinks too, is of CO2.
    """
    emitting = {category.name for category in categories if not category.sink}
    here = inventory[(inventory["place"] == "here") & (inventory["grams"] > 0)]
    every_gas = formed and not (here["gas"] == CO2).all()
    masses: dict[tuple[str, str], int] = {}
    for name, gas, grams in zip(here["category"], here["gas"], here["grams"], strict=True):
        if name in emitting:
            key = str(name), CO2 if gas == CO2 and not every_gas else CO2E
            masses[key] = masses.get(key, 0) + int(grams)
    return masses
