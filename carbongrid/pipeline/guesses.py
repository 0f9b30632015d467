"""Totals that are no figures of the place: how much rests on them, and the mark that they bear in the ledger (docs/decisions/0098)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.case.readers.inputs import Inputs
from carbongrid.case.readers.regions import left_by_regions
from carbongrid.case.table_formats import BY_AREA, GUESS, HERE, PER_HEAD
from carbongrid.errors import Problem
from carbongrid.method.ledger import (
    FIRST_GUESSES,
    GUESSED,
    GUESSED_PARTS,
    SHARED_BY_GUESSES,
    LedgerRow,
)

_PARTS = "parts by a guess"
"""Basis of the rows of a category whose whole a plan gives and whose regions follow guesses; no table of a user's has it."""

_SAID = {GUESS: GUESSED, _PARTS: GUESSED_PARTS}
"""What the ledger says of a total, by its basis."""

_OTHER, _UNTOLD = "other sources", "sources that nobody tells"


def notes_of_guesses(inputs: Inputs) -> list[Problem]:
    """Return warnings of how much of what is spread rests on first guesses, and on which; none where nothing does."""
    totals = inputs.totals
    spread = totals[(totals["place"] == HERE) & (totals["grams"] > 0)].reset_index(drop=True)
    guessed, parts = are_guesses(spread), _are_parts(spread)
    if not (guessed | parts).any():
        return []
    names = spread["category"]
    grams = left_by_regions(spread, ("category", "place"))["grams"]
    sink = names.map({name: each.sink for name, each in inputs.categories.items()}).astype(bool)

    def shares(marked: pd.Series[bool]) -> str:
        of_emission, of_sinks = (_share(grams[kind], marked[kind]) for kind in (~sink, sink))
        return f"{of_emission} of the emission and {of_sinks} of the sinks"

    notes = []
    if guessed.any():
        made_by = _origins(spread["source"][guessed])
        what = f"{FIRST_GUESSES}: {names[guessed].nunique()} of {names.nunique()} categories, {shares(guessed)}, made by {made_by}."
        hint = "Put figures of the place into totals.csv, and clear the column basis there."
        notes.append(Problem(what, "", hint, "warning"))
    if parts.any():
        what = f"{SHARED_BY_GUESSES}: {', '.join(names[parts].unique())}, {shares(parts)}."
        hint = "Put figures of the regions into totals.csv, and clear the column basis there."
        notes.append(Problem(what, "", hint, "warning"))
    return notes


def marked_guesses(ledger: Iterable[LedgerRow], totals: pd.DataFrame) -> list[LedgerRow]:
    """Return the rows of a category's ledger, those whose total is a guess, or a part by a guess, saying so.

    Parameters
    ----------
    ledger
        One row per region.
    totals
        The category's rows.
    """
    # A run that was made before guesses were marked has none.
    bases = totals["basis"].tolist() if "basis" in totals else []
    based = list(zip(totals["region"].tolist(), bases, strict=False))
    said = {region: text for basis, text in _SAID.items() for region, own in based if own == basis}
    return [
        replace(row, reason="; ".join(filter(None, (said.get(row.region), row.reason))))
        if row.region in said
        else row
        for row in ledger
    ]


def basis_under_given_whole(totals: pd.DataFrame, own: NDArray[np.bool_], grams: int) -> pd.Series[str]:  # fmt: skip
    """Return the basis of totals after a plan has given the whole of a category: no guess any more, but its regions may follow one.

    Parameters
    ----------
    totals
        All of them, with a basis.
    own : bool, shape (totals,)
        The rows of the category that are spread here: its whole, its regions, or both.
    grams
        The whole that is given; how nothing lies over regions follows no guess.
    """
    # What is nothing has no part of a whole, by a guess or not.
    by_guess = (are_guesses(totals) | _are_parts(totals)) & own & (totals["grams"] > 0)
    parts = grams > 0 and by_guess.any() and own.sum() > 1
    return totals["basis"].mask(own, _PARTS if parts else "")


def no_guesses_any_more(before: pd.DataFrame, after: pd.DataFrame) -> set[tuple[str, str]]:
    """Return category and region of the totals that were guesses, or parts by guesses, and are figures of a plan now."""
    was, now = (_keys(each, are_guesses(each) | _are_parts(each)) for each in (before, after))
    return was - now


def _keys(totals: pd.DataFrame, rows: pd.Series[bool]) -> set[tuple[str, str]]:
    here = rows & (totals["place"] == HERE)
    return set(totals.loc[here, ["category", "region"]].itertuples(index=False, name=None))


def are_guesses(totals: pd.DataFrame) -> pd.Series[bool]:
    """Return which rows of totals are marked as first guesses."""
    return _based_on(totals, GUESS)


def _are_parts(totals: pd.DataFrame) -> pd.Series[bool]:
    return _based_on(totals, _PARTS)


def _based_on(totals: pd.DataFrame, basis: str) -> pd.Series[bool]:
    # A run that was made before guesses were marked has none.
    if "basis" not in totals:
        return pd.Series(False, totals.index)
    return totals["basis"] == basis


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
