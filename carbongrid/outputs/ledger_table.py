"""The ledger of a finished run as a table."""

from __future__ import annotations

import pandas as pd

from carbongrid.case.notebook import card


class LedgerTable(pd.DataFrame):
    """The ledger of a finished run: ledger.csv as a table, which a notebook shows as what came in and where it went.

    Whatever is made of it (a selection, a sum) is a plain DataFrame.
    """

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def _repr_html_(self) -> str | None:
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
        note = "t, rounded; total = facilities + by rule + fallen back + unallocated"
        return card("Ledger", note, columns=("category", *masses), rows=rows)
