"""Search the catalogue of factors."""

from __future__ import annotations

import pandas as pd

from carbongrid.inventory.factors.catalogue import COLUMNS, Catalogue, Factor, catalogue


def find(
    text: str = "",
    *,
    gas: str | None = None,
    region: str | None = None,
    status: str | None = None,
    factors: Catalogue | None = None,
) -> pd.DataFrame:
    """Search the catalogue.

    Parameters
    ----------
    text
        Words that must all stand in key, name, unit, gas, source or note, in either case.
    gas, region, status
        Only factors of this gas, of a region that begins so, of this status.
    factors
        Catalogue to search; default the package's.

    Returns
    -------
    DataFrame
        Columns as in the tables of ``carbongrid/data/factors``, value and bounds as float64, the best status first.
    """
    words = text.casefold().split()
    rows = []
    for factor in factors or catalogue():
        hay = " ".join(
            (
                factor.key,
                factor.name,
                factor.unit,
                factor.gas,
                factor.source,
                factor.region,
                factor.status,
                factor.note,
            )
        ).casefold()
        if all(word in hay for word in words) and _fits(factor, gas, region, status):
            rows.append(factor)
    rows.sort(key=lambda factor: factor.rank)
    table = pd.DataFrame([vars(factor) for factor in rows], columns=list(COLUMNS))
    numbers = {
        name: [None if v is None else float(v) for v in table[name]]
        for name in ("value", "low", "high")
    }
    for name, values in numbers.items():
        table[name] = pd.Series(values, table.index, dtype="float64")
    return table


def _fits(factor: Factor, gas: str | None, region: str | None, status: str | None) -> bool:
    return (
        (gas is None or gas in (factor.gas, factor.emits))
        and (region is None or factor.region.startswith(region))
        and (status is None or factor.status == status)
    )
