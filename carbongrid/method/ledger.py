"""The ledger: where every gram of every category went (docs/decisions/0008)."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from carbongrid.outputs.notebook import card


@dataclass(frozen=True)
class LedgerRow:
    """What happened to one category's total in one region; mass in int64 grams.

    ``units``, ``outside_units`` and ``snapped`` are None except on a category's first row,
    where they hold for the whole category; they are known only after the reduction.
    The weights are None where they are not published.
    """

    category: str
    region: str
    total: int
    facilities: int
    by_rule: int
    by_area: int
    by_parent: int
    unallocated: int
    rule: str
    weight_unit: str = ""
    weight_placed: int | None = 0
    weight_snapped: int | None = 0
    weight_unplaced: int | None = 0
    elsewhere: int = 0
    reason: str = ""
    units: int | None = None
    outside_units: int | None = None
    snapped: int | None = None

    @property
    def placed(self) -> int:
        """Mass that reached parcels."""
        return self.facilities + self.by_rule + self.by_area + self.by_parent

    @property
    def balances(self) -> bool:
        """Whether what came in is what went out, to the gram."""
        if self.total != self.placed + self.unallocated:
            return False
        return (
            min(self.facilities, self.by_rule, self.by_area, self.by_parent, self.unallocated) >= 0
        )


Ledger = tuple[LedgerRow, ...]


class LedgerTable(pd.DataFrame):
    """The ledger of a finished run: ledger.csv as a table, which a notebook shows as what came in and where it went.

    Whatever is made of it (a selection, a sum) is a plain DataFrame.
    """

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def _repr_html_(self) -> str:
        """Return the accounts of the categories, in whole tonnes."""
        masses = {
            "total": ("total_t",),
            "facilities": ("facilities_t",),
            "by rule": ("by_rule_t",),
            "fallen back": ("by_area_t", "by_parent_t"),
            "unallocated": ("unallocated_t",),
            "in units": ("units_t",),
            "outside": ("outside_units_t",),
        }
        sums = self.groupby("category", sort=False).sum(numeric_only=True)
        rows = [
            (
                str(name),
                *(f"{sum(row[each] for each in columns):,.0f}" for columns in masses.values()),
            )
            for name, row in sums.iterrows()
        ]
        note = "t CO2e, rounded; total = facilities + by rule + fallen back + unallocated"
        return card("Ledger", note, columns=("category", *masses), rows=rows)
