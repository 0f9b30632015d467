"""Totals that are no figures of the place: how much rests on them, and the mark that they bear in the ledger (docs/decisions/0098)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pandas as pd

from carbongrid.case.readers.inputs import Inputs
from carbongrid.case.readers.regions import left_by_regions
from carbongrid.case.table_formats import BY_AREA, GUESS, HERE, PER_HEAD
from carbongrid.errors import Problem
from carbongrid.method.ledger import FIRST_GUESSES, GUESSED, LedgerRow

_OTHER, _UNTOLD = "other sources", "sources that nobody tells"


def notes_of_guesses(inputs: Inputs) -> list[Problem]:
    """Return a warning of how much of what is spread rests on first guesses, and on which; none where nothing does."""
    totals = inputs.totals
    spread = totals[(totals["place"] == HERE) & (totals["grams"] > 0)].reset_index(drop=True)
    guessed = are_guesses(spread)
    if not guessed.any():
        return []
    names = spread["category"]
    grams = left_by_regions(spread, ("category", "place"))["grams"]
    sink = names.map({name: each.sink for name, each in inputs.categories.items()}).astype(bool)
    of_emission, of_sinks = (_share(grams[kind], guessed[kind]) for kind in (~sink, sink))
    made_by = _origins(spread["source"][guessed])
    what = f"{FIRST_GUESSES}: {names[guessed].nunique()} of {names.nunique()} categories, {of_emission} of the emission and {of_sinks} of the sinks, made by {made_by}."
    hint = "Put figures of the place into totals.csv, and clear the column basis there."
    return [Problem(what, "", hint, "warning")]


def marked_guesses(ledger: Iterable[LedgerRow], totals: pd.DataFrame) -> list[LedgerRow]:
    """Return the rows of a category's ledger, those whose total is a guess saying so.

    Parameters
    ----------
    ledger
        One row per region.
    totals
        The category's rows.
    """
    regions = set(totals["region"][are_guesses(totals)])
    return [
        replace(row, reason="; ".join(filter(None, (GUESSED, row.reason))))
        if row.region in regions
        else row
        for row in ledger
    ]


def are_guesses(totals: pd.DataFrame) -> pd.Series[bool]:
    """Return which rows of totals are marked as first guesses."""
    # A run that was made before guesses were marked has none.
    if "basis" not in totals:
        return pd.Series(False, totals.index)
    return totals["basis"] == GUESS


def _share(grams: pd.Series[int], guessed: pd.Series[bool]) -> str:
    whole = sum(grams.tolist())
    return f"{sum(grams[guessed].tolist()) / whole:.1%}" if whole else "nothing"


def _origins(sources: pd.Series[str]) -> str:
    """Return what guesses are made by: how their source begins where the package wrote it, and whether there are others."""
    told = {_origin(source.strip()) for source in sources}
    *most, last = [name for name in (BY_AREA, PER_HEAD, _OTHER, _UNTOLD) if name in told]
    return " and ".join(filter(None, (", ".join(most), last)))


def _origin(source: str) -> str:
    begins = source.partition(": ")[0]
    if begins in (BY_AREA, PER_HEAD):
        return begins
    return _OTHER if source else _UNTOLD
